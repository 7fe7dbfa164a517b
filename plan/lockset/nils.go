package lockset

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file finds the arguments that may be nil as far as the caller itself shows:
//
//	var s *Store
//	if ready {
//		s = New()
//	}
//	s.Len()

// nils returns the arguments of call that are nil, or are on some way to it. What a function returns beside an error
// is as good as the error says, unless the call is given both:
//
//	use(find(k))
func (a *analysis) nils(call *ssa.CallCommon) []int {
	var out []int
	for i, arg := range call.Args {
		if a.isNil(arg, make(map[ssa.Value]bool)) {
			out = append(out, i)
			continue
		}
		e, ok := arg.(*ssa.Extract)
		if ok && a.returnsNil(e.Tuple, e.Index) && slices.ContainsFunc(call.Args, func(v ssa.Value) bool {
			other, ok := v.(*ssa.Extract)
			return ok && other != e && other.Tuple == e.Tuple
		}) {
			out = append(out, i)
		}
	}
	return out
}

// isNil reports whether v is nil on some way to where it is used. seen are the choices that were looked at.
func (a *analysis) isNil(v ssa.Value, seen map[ssa.Value]bool) bool {
	switch v := v.(type) {
	case *ssa.Const:
		return v.IsNil()
	case *ssa.ChangeType:
		return a.isNil(v.X, seen)
	case *ssa.Lookup:
		return !v.CommaOk && isPointer(v.Type())
	case *ssa.Call:
		return a.returnsNil(v, 0)
	case *ssa.Phi:
		if seen[v] {
			return false
		}
		seen[v] = true
		return slices.ContainsFunc(v.Edges, func(e ssa.Value) bool { return a.isNil(e, seen) })
	}
	return false
}

// IsNil reports whether x is nil on some way to where it is used, as the function shows and what it calls.
func (v View) IsNil(x ssa.Value) bool {
	if e, ok := x.(*ssa.Extract); ok {
		return v.a.returnsNil(e.Tuple, e.Index)
	}
	return v.a.isNil(x, make(map[ssa.Value]bool))
}

// returnsNil reports whether result number i of call may be nil, as its callee shows.
func (a *analysis) returnsNil(call ssa.Value, i int) bool {
	c, ok := call.(*ssa.Call)
	if !ok || c.Call.StaticCallee() == nil {
		return false
	}
	e := a.effect(access.FuncKey(c.Call.StaticCallee()))
	return e != nil && slices.Contains(e.Nils, i)
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}
