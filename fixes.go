package main

// This file is the dry run in a format for services: the findings, each with its mend as edits.

import (
	"fmt"
	"slices"

	"mapmend/plan"
	"mapmend/plan/report"
	"mapmend/rewrite"
)

// printFixes writes the findings on prog in the format that the flags ask for, with the mends of p. Each mend is rewritten and proved
// by itself: services offer fixes one by one.
func (inv *invocation) printFixes(prog *program, p *plan.Plan) int {
	findings := report.AtLeast(p.Findings, inv.minConfidence.Confidence)
	fixes := make(map[plan.Var]*report.Fix)
	all := outcome{refusals: slices.Clone(p.Refusals)}
	for _, mend := range p.Mends {
		alone := *p
		alone.Mends, alone.Refusals = []plan.Mend{mend}, nil
		m, err := inv.mended(prog, &alone)
		if err != nil {
			return inv.fail(err)
		}
		all.refusals = append(all.refusals, m.refusals...)
		if len(m.mends) > 0 {
			fixes[mend.Var] = fixOf(mend, m.changes)
			all = all.with(m)
		}
	}
	opt := inv.report(inv.stdout, prog)
	opt.Fix = func(f plan.Finding) *report.Fix { return fixes[f.Var] }
	if err := inv.formatted().write(inv.stdout, findings, all.refusals, opt); err != nil {
		return inv.fail(err)
	}
	inv.summary(all)
	if inv.exitCode && len(all.mends) > 0 {
		return exitFound
	}
	return exitOK
}

// with returns m with the mends of other, and one change for each file that either changes.
func (m outcome) with(other outcome) outcome {
	m.mends = append(m.mends, other.mends...)
	for _, c := range other.changes {
		if !slices.ContainsFunc(m.changes, func(has rewrite.Change) bool { return has.File == c.File }) {
			m.changes = append(m.changes, c)
		}
	}
	return m
}

// fixOf returns changes, those of m alone, as edits.
func fixOf(m plan.Mend, changes []rewrite.Change) *report.Fix {
	what := fmt.Sprintf("guard %s by %s", report.ShortName(m.Var), m.Guard)
	if m.Wrapper != nil {
		what = fmt.Sprintf("give %s the type %s, of the form %s", report.ShortName(m.Var), m.Wrapper.Name, m.Form)
	}
	fix := &report.Fix{Text: what}
	for _, text := range beware(m) {
		fix.Text += "; " + text
	}
	for _, c := range changes {
		f := report.FileFix{File: c.File, Create: c.Create, Old: c.Old}
		for _, e := range c.Edits() {
			f.Edits = append(f.Edits, report.Edit(e))
		}
		fix.Files = append(fix.Files, f)
	}
	return fix
}
