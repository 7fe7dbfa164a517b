// This file holds the invariants about the plan of the result: NoBareUse, Clean, Idempotent.

package verify

import (
	"fmt"
	"slices"

	"mapmend/plan"
)

// noBareUse: no use of a mended variable is left to change.
func noBareUse(p *proof) []failure {
	var failed []failure
	for _, f := range p.again.Findings {
		if p.mended(f.Var) == nil || f.Confidence < p.opt.Confidence {
			continue
		}
		for _, s := range f.Sites {
			if s.Problem {
				failed = append(failed, failure{pos: s.Pos, vars: []plan.Var{f.Var}, message: fmt.Sprintf("the %s of %s in %s has no guard", s.Op, f.Var, s.Function)})
			}
		}
	}
	return failed
}

// clean: nothing is found on a mended variable, and nothing new elsewhere.
func clean(p *proof) []failure {
	var failed []failure
	for _, f := range p.again.Findings {
		switch {
		case f.Confidence < p.opt.Confidence:
		case p.mended(f.Var) != nil:
			failed = append(failed, failure{pos: f.Pos, vars: []plan.Var{f.Var}, message: fmt.Sprintf("%s has a finding still: %s", f.Var, f.Kind)})
		case !slices.ContainsFunc(p.plan.Findings, func(g plan.Finding) bool { return g.ID == f.ID && knows(g, f.Kind) }):
			failed = append(failed, failure{pos: f.Pos, message: fmt.Sprintf("%s has a new finding: %s", f.Var, f.Kind)})
		}
	}
	return failed
}

// knows reports whether f, a finding before, says that its variable has what k names. That a profile shows its lock to be hot says
// nothing of races.
func knows(f plan.Finding, k plan.Kind) bool {
	return f.Kind != plan.Contended || slices.ContainsFunc(f.Sites, func(s plan.Site) bool { return s.Kind == k })
}

// idempotent: a second plan has nothing to do for what was mended. That another variable, refused the
// first time, can be mended now is no harm.
func idempotent(p *proof) []failure {
	var failed []failure
	for _, m := range p.again.Mends {
		if p.mended(m.Var) != nil {
			failed = append(failed, failure{pos: position(p.after, m.Decl.File, m.Decl.Start), vars: []plan.Var{m.Var}, message: fmt.Sprintf("%s would be mended again", m.Var)})
		}
	}
	return failed
}
