package main

// This file is the command without a name: plan, rewrite, prove, then print a diff or write.

import (
	"fmt"
	"slices"
	"time"

	"mapmend/plan"
	"mapmend/plan/report"
	"mapmend/rewrite"
)

func mend(inv *invocation) int {
	prog, loaded := inv.load(inv.dir, inv.args)
	if prog == nil {
		return loaded
	}
	start := time.Now()
	p, err := inv.plan(prog, nil)
	if err != nil {
		return inv.fail(err)
	}
	inv.comment(prog, p)
	inv.stayed(p)
	inv.stepf("planned %s in %v", count(len(p.Mends), "mend"), time.Since(start).Round(time.Millisecond))
	if inv.format.value != diffFormat {
		return worst(loaded, inv.printFixes(prog, p))
	}
	return worst(loaded, inv.carryOut(prog, p))
}

// stayed says which contended variables stay as they are although nothing is refused, and why.
func (inv *invocation) stayed(p *plan.Plan) {
	for _, f := range p.Findings {
		if f.Stays != "" {
			inv.notef("%s stays as it is: %s", report.ShortName(f.Var), f.Stays)
		}
	}
}

// carryOut carries out p on prog: as a diff, or with -w in place.
func (inv *invocation) carryOut(prog *program, p *plan.Plan) int {
	m, err := inv.mended(prog, p)
	if err != nil {
		return inv.fail(err)
	}
	code := inv.deliver(prog, m)
	if code != exitError {
		inv.summary(m)
	}
	return code
}

// deliver prints the changes of m as a diff, or with -w writes them, and prints the refusals.
func (inv *invocation) deliver(prog *program, m outcome) int {
	var err error
	if inv.write {
		ctx, free := inv.signals.hold() // what is begun is finished
		err = rewrite.Commit(prog.Root, m.changes)
		if err == nil && ctx.Err() != nil && len(m.changes) > 0 {
			inv.notef("interrupted: the files are written all the same; 'mapmend undo' takes that back")
		}
		free()
	} else {
		err = rewrite.Diff(inv.stdout, m.changes, rewrite.DiffOptions{Rel: inv.rel(prog.Root), Color: inv.coloured(inv.stdout)})
	}
	if err != nil {
		return inv.fail(err)
	}
	if !inv.quiet {
		if err := report.Refusals(inv.stderr, m.refusals, inv.report(inv.stderr, prog)); err != nil {
			return exitError
		}
	}
	switch {
	case inv.write && len(m.refusals) > 0:
		return exitRefused
	case inv.exitCode && len(m.changes) > 0:
		return exitFound
	}
	return exitOK
}

// outcome is what mending a program comes to.
type outcome struct {
	changes  []rewrite.Change // proved
	refusals []plan.Refusal   // of the plan, the rewrite and the proof
	mends    []plan.Mend      // those of the plan that the changes carry out
}

// mended carries out p on prog and proves the result.
func (inv *invocation) mended(prog *program, p *plan.Plan) (outcome, error) {
	start := time.Now()
	defer inv.progress.part("proving the mend")()
	changes, later, err := inv.proved(prog, p)
	if err != nil {
		return outcome{}, err
	}
	inv.stepf("rewrote and proved %s in %v", count(len(changes), "file"), time.Since(start).Round(time.Millisecond))

	left := func(m plan.Mend) bool {
		return slices.ContainsFunc(later, func(r plan.Refusal) bool { return r.Var == m.Var })
	}
	return outcome{
		changes:  changes,
		refusals: append(p.Refusals[:len(p.Refusals):len(p.Refusals)], later...),
		mends:    slices.DeleteFunc(slices.Clone(p.Mends), left),
	}, nil
}

// variables returns the number of distinct variables among refusals.
func variables(refusals []plan.Refusal) int {
	distinct := make(map[plan.Var]bool)
	for _, r := range refusals {
		distinct[r.Var] = true
	}
	return len(distinct)
}

// summary prints one line on what was done, and what the next step is.
func (inv *invocation) summary(m outcome) {
	refused := ""
	if n := variables(m.refusals); n > 0 {
		refused = ", " + count(n, "variable") + " refused"
	}
	for _, mend := range m.mends {
		for _, text := range beware(mend) {
			inv.notef("%s", text)
		}
	}
	inv.required(m.mends)
	inv.untested(m.mends)
	what := count(len(m.mends), "map variable") + " in " + count(len(m.changes), "file") + refused
	switch {
	case len(m.mends) == 0 && refused == "":
		inv.notef("nothing to mend")
	case inv.write:
		inv.notef("mended %s", what)
	case len(m.mends) == 0:
		inv.notef("would mend %s", what)
	default:
		inv.notef("would mend %s; -w writes it", what)
	}
}

// beware returns what is not as before with m, and no part of what it is for.
func beware(m plan.Mend) (texts []string) {
	for _, c := range m.Copies {
		if c.Function != "" {
			texts = append(texts, fmt.Sprintf("%s returns a copy of %s now", c.Function, m.Field))
		}
	}
	for _, s := range m.Sections {
		if s.Swept != "" {
			texts = append(texts, fmt.Sprintf("%s ranges over %s in one section and deletes from it in another: what others store in between goes, too", s.Swept, m.Field))
		}
		if s.Parted != "" {
			texts = append(texts, fmt.Sprintf("%s looks %s up in one section and stores in another: of two that do so at a time the last one's stays", s.Parted, m.Field))
		}
	}
	return texts
}

// required says which libraries the generated code needs, and whether a go.mod is made to require them.
func (inv *invocation) required(mends []plan.Mend) {
	said := make(map[string]bool)
	for _, m := range mends {
		if m.Wrapper != nil && m.Wrapper.Requires != nil && !said[m.Wrapper.Requires.Mod] {
			said[m.Wrapper.Requires.Mod] = true
			inv.requires(*m.Wrapper.Requires)
		}
	}
}

// requires says what becomes of r.
func (inv *invocation) requires(r plan.Requirement) {
	switch {
	case !r.Gains:
		inv.notef("the generated code imports %s, of which %s requires %s", r.Path, r.Mod, r.Version)
	case inv.write:
		inv.notef("%s requires %s %s now, which the generated code imports", r.Mod, r.Path, r.Version)
	default:
		inv.notef("%s would require %s %s, which the generated code imports", r.Mod, r.Path, r.Version)
	}
}

// untested says of which mends there are no tests although they were asked for.
func (inv *invocation) untested(mends []plan.Mend) {
	generated := 0
	for _, m := range mends {
		if m.Wrapper == nil {
			continue
		}
		generated++
		if m.Wrapper.Untested != "" {
			inv.notef("no tests of %s: %s", m.Var, m.Wrapper.Untested)
		}
	}
	if inv.emitTests && generated == 0 && len(mends) > 0 {
		inv.notef("no tests: the form lock generates no type")
	}
}
