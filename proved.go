package main

// This file rewrites and proves what is planned, on each platform that it is planned for.

import (
	"bytes"
	"cmp"
	"maps"
	"path"
	"slices"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
	"mapmend/rewrite/verify"
)

// proved returns the changes that carry out p on prog, proved on each of its platforms, and the refusals of what cannot be carried out or
// proved on one of them. What is refused on one is done on none.
func (inv *invocation) proved(prog *program, p *plan.Plan) ([]rewrite.Change, []plan.Refusal, error) {
	if len(prog.builds) == 1 {
		return inv.prove(prog, prog.builds[0], p)
	}
	vars := make(map[plan.Var]bool)
	for _, m := range p.Mends {
		vars[m.Var] = true
	}
	var refused []plan.Refusal
	for {
		changes, more, err := inv.provedOnAll(prog, vars)
		if err != nil || len(more) == 0 {
			return changes, refused, err
		}
		for _, r := range more {
			delete(vars, r.Var)
		}
		refused = append(refused, more...)
	}
}

// provedOnAll returns the changes that mend vars on each of the platforms of prog. With refusals of some of them, these are not proved.
func (inv *invocation) provedOnAll(prog *program, vars map[plan.Var]bool) ([]rewrite.Change, []plan.Refusal, error) {
	var all [][]rewrite.Change
	for _, b := range prog.builds {
		changes, refused := rewrite.Rewrite(b.Prog, b.Plan.Only(vars))
		if len(refused) > 0 {
			return nil, prog.on(b, refused), nil
		}
		all = append(all, changes)
	}
	changes, clash := prog.joined(all)
	if clash != "" {
		return nil, prog.refuseIn(clash, vars), nil
	}
	left, more := maps.Clone(vars), []plan.Refusal(nil)
	for _, b := range prog.builds {
		_, refused, err := inv.prove(prog, b, b.Plan.Only(left))
		if err != nil {
			return nil, nil, err
		}
		for _, r := range refused {
			delete(left, r.Var)
		}
		more = append(more, prog.on(b, refused)...)
	}
	return changes, more, nil
}

// prove carries out p on b, one of prog, and proves the result.
func (inv *invocation) prove(prog *program, b *build, p *plan.Plan) ([]rewrite.Change, []plan.Refusal, error) {
	if len(prog.builds) > 1 {
		defer inv.progress.part("proving the mend on " + b.Platform)()
	}
	changes, unwritten := rewrite.Rewrite(b.Prog, p)
	again := func(after *load.Program) (*plan.Plan, error) { // to which the evidence does not apply
		return inv.planFor(&build{Build: plan.Build{Platform: b.Platform, Prog: after}, seen: b.seen}, prog, inv.options())
	}
	changes, unproved, err := verify.Prove(b.Prog, p, changes, verify.Options{Load: b.config.Overlaid, Analyze: again, Confidence: inv.minConfidence.Confidence})
	return changes, append(unwritten, unproved...), err
}

// on returns refused, of b, as refusals of that platform if prog has several.
func (prog *program) on(b *build, refused []plan.Refusal) (out []plan.Refusal) {
	if len(prog.builds) == 1 {
		return refused
	}
	for _, r := range refused {
		out = append(out, r.On(b.Platform))
	}
	return out
}

// joined returns the changes of all platforms of prog, given in their order and sorted by file, or the name of a file that one of them changes
// and another one that has it does not change in the same way: what is written must be what was proved on each.
func (prog *program) joined(all [][]rewrite.Change) (changes []rewrite.Change, clash string) {
	for _, some := range all {
		for _, c := range some {
			for i, b := range prog.builds {
				if b.has(c) && !slices.ContainsFunc(all[i], func(o rewrite.Change) bool { return o.File == c.File && bytes.Equal(o.New, c.New) }) {
					return nil, c.File
				}
			}
			if !slices.ContainsFunc(changes, func(o rewrite.Change) bool { return o.File == c.File }) {
				changes = append(changes, c)
			}
		}
	}
	slices.SortFunc(changes, func(a, b rewrite.Change) int { return cmp.Compare(a.File, b.File) })
	return changes, ""
}

// has reports whether the file of c is one of b, or, if it is new, would stand beside one.
func (b *build) has(c rewrite.Change) bool {
	for _, pkg := range b.Prog.Packages {
		for _, f := range slices.Concat(pkg.Files, pkg.Unchecked) {
			if f.Name == c.File || c.Create && path.Dir(f.Name) == path.Dir(c.File) {
				return true
			}
		}
	}
	return false
}

// refuseIn refuses those of vars of which a mend changes the named file. The plans agree on each of them, but not on all together.
func (prog *program) refuseIn(file string, vars map[plan.Var]bool) (refused []plan.Refusal) {
	seen := make(map[plan.Var]bool)
	for _, b := range prog.builds {
		for _, m := range b.Plan.Only(vars).Mends {
			if m.Changes(file) && !seen[m.Var] {
				seen[m.Var] = true
				refused = append(refused, plan.Refusal{Code: plan.Platforms, Var: m.Var, Pos: plan.Pos{File: file, Line: 1, Column: 1}, Message: path.Base(file) + " would change in another way on each platform"})
			}
		}
	}
	return refused
}
