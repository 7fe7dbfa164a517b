package lockset

import (
	"go/constant"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file keeps what a place knows of the boolean parameters of its function, as in
//
//	func (s *Store) remove(k string, locked bool) {
//		if !locked {
//			s.mu.Lock()
//			defer s.mu.Unlock()
//		}
//
// so that a caller that passes a constant comes to the uses with the locks that go with it.

// Given is the value of a boolean parameter.
type Given struct {
	Param int
	Is    bool
}

// given returns what a assumes of parameters, in the order of the parameters.
func (a alternative) given() []Given {
	var out []Given
	for _, s := range a.assumed {
		p, ok := s.cond.x.(*ssa.Parameter)
		if !ok || s.cond.y != nil || s.cond.index != -1 {
			continue
		}
		if i := slices.Index(p.Parent().Params, p); i >= 0 {
			out = append(out, Given{i, s.is})
		}
	}
	slices.SortFunc(out, func(x, y Given) int { return x.Param - y.Param })
	return out
}

// constants returns the boolean constants among the arguments of call.
func constants(call *ssa.CallCommon) []Given {
	var out []Given
	for i, arg := range call.Args {
		if k, ok := arg.(*ssa.Const); ok && k.Value != nil && k.Value.Kind() == constant.Bool {
			out = append(out, Given{i, constant.BoolVal(k.Value)})
		}
	}
	return out
}

// Allows reports whether control may come through e to p, a point of the callee.
func (e *Edge) Allows(p Point) bool {
	for _, g := range p.Given {
		if slices.Contains(e.Constants, Given{g.Param, !g.Is}) {
			return false
		}
		if own, ok := passedOn(g, e.Params); ok && slices.Contains(e.At.Given, Given{own.Param, !own.Is}) {
			return false
		}
	}
	return true
}

// passedOn returns g, of a callee, as what it says of the caller's own parameter.
func passedOn(g Given, params []access.Ref) (Given, bool) {
	if g.Param >= len(params) {
		return Given{}, false
	}
	p := params[g.Param].Path
	return Given{p.Root.Index, g.Is}, p.Root.Kind == access.Param && p.Sel == ""
}

// givenUnder returns what is known at caller, and of the callee's parameters that it only passes on.
func givenUnder(callee, caller []Given, params []access.Ref) []Given {
	out := slices.Clone(caller)
	for _, g := range callee {
		if own, ok := passedOn(g, params); ok && !slices.Contains(out, own) {
			out = append(out, own)
		}
	}
	slices.SortFunc(out, func(x, y Given) int { return x.Param - y.Param })
	return out
}
