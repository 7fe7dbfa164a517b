package main

// This file is the command confirm: a test that shows the race of one finding, and that the mend ends it.

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/plan/evidence"
	"mapmend/plan/load"
	"mapmend/plan/report"
	"mapmend/rewrite"
	"mapmend/rewrite/confirm"
)

// maxTests is how many tests are tried, each with another pair of functions.
const maxTests = 12

func confirming(inv *invocation) int {
	if len(inv.args) == 0 {
		inv.errorf("which variable? usage: mapmend confirm PKG.Type.field [packages]")
		return exitError
	}
	inv.minConfidence.Confidence, inv.fields = plan.Possible, []string{inv.args[0]}
	prog, loaded := inv.load(inv.dir, inv.args[1:])
	if prog == nil {
		return loaded
	}
	p, err := inv.plan(prog, nil)
	if err != nil {
		return inv.fail(err)
	}
	found, err := find(p.Findings, inv.args[0])
	if err != nil {
		return inv.fail(fmt.Errorf("%w that has a finding", err))
	}
	tests, err := confirm.Tests(prog.Program, found)
	if err != nil {
		return inv.fail(fmt.Errorf("no test of %s can be built: %w", report.ShortName(found.Var), err))
	}
	shown, err := inv.show(prog.Program, found, tests[:min(len(tests), maxTests)])
	if err != nil {
		return inv.fail(err)
	}
	if shown == nil {
		return worst(loaded, inv.print(fmt.Sprintf("%s: not shown: no test ran into the race\n", report.ShortName(found.Var))))
	}
	after, err := inv.showMended(prog, p, found, *shown)
	if err != nil {
		return inv.fail(err)
	}
	if inv.output != "" {
		if err := inv.writeNew(inv.abs(inv.output), shown.Source); err != nil {
			return inv.fail(err)
		}
	}
	return worst(loaded, exitFound, inv.print(after))
}

// show runs tests until one runs into the race of f, prints the report, and returns the test; nil if none does.
func (inv *invocation) show(prog *load.Program, f plan.Finding, tests []confirm.Test) (*confirm.Test, error) {
	var failed error // of every test
	ran := false
	for i := range tests {
		t := &tests[i]
		inv.progress.step("running test", i+1, len(tests))
		o, err := inv.runTest(prog, *t, nil)
		if err != nil {
			return nil, err
		}
		switch proven, err := inv.names(prog, f, o.Reports); {
		case err != nil:
			return nil, err
		case proven != nil:
			text := fmt.Sprintf("%s: %s: %s beside %s\n", report.ShortName(f.Var), proven.Confidence, t.First, t.Second)
			for _, e := range proven.Evidence[:1] {
				text += "\t" + e + "\n"
			}
			inv.print(text)
			return t, nil
		case o.Failed != nil:
			if failed == nil || failed.Error() != o.Failed.Error() {
				inv.notef("%s beside %s: %v", t.First, t.Second, o.Failed)
			}
			failed = o.Failed
		case o.Skipped:
			inv.notef("%s beside %s: an object could not be made", t.First, t.Second)
			failed = errors.New("no object could be made")
		default:
			inv.stepf("%s beside %s: no race", t.First, t.Second)
			ran = true
		}
	}
	if !ran && failed != nil {
		return nil, fmt.Errorf("no test could be run: %w", failed)
	}
	return nil, nil
}

// showMended runs t on the mended program and says what came of it.
func (inv *invocation) showMended(prog *program, p *plan.Plan, f plan.Finding, t confirm.Test) (string, error) {
	m, err := inv.mended(prog, p)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(m.mends, func(mend plan.Mend) bool { return mend.Var == f.Var }) {
		return "it is not mended; 'mapmend --field' says why\n", nil
	}
	inv.progress.step("running the test on the mended program", 0, 0)
	o, err := inv.runTest(prog.Program, t, m.changes)
	if err != nil {
		return "", err
	}
	switch {
	case len(o.Reports) > 0:
		return "after the mend the test still runs into a race: " + o.Reports[0].String() + "\n", nil
	case o.Failed != nil:
		return fmt.Sprintf("after the mend %v\n", o.Failed), nil
	}
	return "after the mend the same test is silent\n", nil
}

func (inv *invocation) runTest(prog *load.Program, t confirm.Test, changes []rewrite.Change) (*confirm.Outcome, error) {
	overlay := make(map[string][]byte)
	for _, c := range changes {
		overlay[filepath.Join(prog.Root, filepath.FromSlash(c.File))] = c.New
	}
	ctx, free := inv.signals.hold()
	defer free()
	var flags []string
	if inv.tags != "" {
		flags = append(flags, "-tags="+inv.tags)
	}
	o, err := t.Run(ctx, prog.Root, flags, overlay)
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return o, err
}

// names returns f as reports prove it, or nil if they do not name its variable.
func (inv *invocation) names(prog *load.Program, f plan.Finding, reports []evidence.Report) (*plan.Finding, error) {
	if len(reports) == 0 {
		return nil, nil
	}
	opt := inv.options()
	opt.Evidence.Reports = slices.Clone(reports)
	for i, r := range opt.Evidence.Reports {
		r.Accesses = slices.Clone(r.Accesses)
		for k := range r.Accesses {
			r.Accesses[k].Created = nil // by the test, which says nothing
		}
		opt.Evidence.Reports[i] = r
	}
	p, err := plan.Make(prog, opt)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(p.Findings, func(g plan.Finding) bool { return g.Var == f.Var && g.Confidence == plan.Proven })
	if i < 0 {
		inv.stepf("the test ran into another race: %s", strings.Join(p.Unnamed, "; "))
		return nil, nil
	}
	return &p.Findings[i], nil
}
