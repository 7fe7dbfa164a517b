package lockset

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file knows subtests that run in parallel:
//
//	for _, k := range keys {
//		t.Run(k, func(t *testing.T) {
//			t.Parallel()
//			s.Add(k)
//		})
//	}
//
// They run when the test around them has returned, so that they meet each other and not the rest of it.

// isParallel reports whether f is a closure of the function that calls Parallel before anything else.
func (a *analysis) isParallel(f access.Ref) bool {
	if f.Func == nil {
		return false
	}
	i := slices.IndexFunc(a.fn.AnonFuncs, func(fn *ssa.Function) bool { return access.FuncKey(fn) == f.Func.Key })
	if i < 0 || len(a.fn.AnonFuncs[i].Blocks) == 0 {
		return false
	}
	for _, instr := range a.fn.AnonFuncs[i].Blocks[0].Instrs {
		if call, ok := instr.(ssa.CallInstruction); ok {
			return isCallOf(call.Common(), model.Parallel)
		}
	}
	return false
}

// startSubtest handles that instr starts f, a subtest that runs in parallel with others.
func (a *analysis) startSubtest(instr ssa.CallInstruction, f access.Ref, s *state) {
	ct := a.funcTarget(f.Func, nil)
	a.confide(s, ct)
	if ct.effect == nil || a.rec == nil {
		return
	}
	site := a.site(instr)
	a.starts[site] = instr
	e := Edge{Callee: ct.key, Pos: posOf(instr), Params: ct.params, Free: ct.free, Start: model.Go, Site: site, Many: a.rec.loop(instr), After: union(sites(s.after), a.rec.subtests)}
	a.rec.edgeAt(a, e, instr, s)
	a.rec.subtests = append(a.rec.subtests, site)
}
