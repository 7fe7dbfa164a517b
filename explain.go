package main

// This file is the command explain: the whole story of one map variable.

import (
	"fmt"
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/plan/report"
)

func explain(inv *invocation) int {
	if len(inv.args) == 0 {
		inv.errorf("which variable? usage: mapmend explain PKG.Type.field [packages]")
		return exitError
	}
	inv.minConfidence.Confidence, inv.fields, inv.silent = plan.Possible, []string{inv.args[0]}, true
	prog, loaded := inv.load(inv.dir, inv.args[1:])
	if prog == nil {
		return loaded
	}
	p, err := inv.plan(prog, nil)
	if err != nil {
		return inv.fail(err)
	}
	inv.comment(prog, p)
	found, err := find(p.Findings, inv.args[0])
	if err != nil {
		return inv.fail(err)
	}
	return worst(loaded, inv.fail(report.Explain(inv.stdout, found, p.Refusals, inv.report(inv.stdout, prog))))
}

// find returns the one finding whose variable name stands for: its full name, or an end of it as for
// --field. Several are an error that lists them.
func find(findings []plan.Finding, name string) (plan.Finding, error) {
	var found []plan.Finding
	var full []string
	for _, f := range findings {
		if f.Var.String() == name {
			return f, nil
		}
		if plan.Match(name, f.Var) {
			found = append(found, f)
			full = append(full, f.Var.String())
		}
	}
	switch len(found) {
	case 0:
		return plan.Finding{}, fmt.Errorf("no map variable %s in these packages", name)
	case 1:
		return found[0], nil
	}
	slices.Sort(full)
	return plan.Finding{}, fmt.Errorf("%s is ambiguous: %s", name, strings.Join(full, ", "))
}
