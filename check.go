package main

// This file is the command check: findings as text or JSON.

import (
	"slices"

	"mapmend/plan"
	"mapmend/plan/report"
)

func check(inv *invocation) int {
	prog, loaded := inv.load(inv.dir, inv.args)
	if prog == nil {
		return loaded
	}
	p, err := inv.plan(prog)
	if err != nil {
		return inv.fail(err)
	}
	inv.comment(prog, p)
	findings := report.AtLeast(p.Findings, inv.minConfidence.Confidence)

	write := report.Text
	if inv.format.value == "json" {
		write = report.JSON
	}
	if err := write(inv.stdout, findings, p.Refusals, inv.report(inv.stdout, prog.Root)); err != nil {
		return inv.fail(err)
	}
	if hidden := len(p.Findings) - len(findings); hidden > 0 {
		inv.notef("%s below --min-confidence %s", count(hidden, "finding"), inv.minConfidence)
	}
	if slices.ContainsFunc(findings, func(f plan.Finding) bool { return f.Kind.IsRace() }) {
		return worst(loaded, exitFound)
	}
	return loaded
}
