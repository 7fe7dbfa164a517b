package lockset

import (
	"slices"

	"golang.org/x/tools/go/ssa"
)

// This file finds the arguments that may be nil as far as the caller itself shows:
//
//	var s *Store
//	if ready {
//		s = New()
//	}
//	s.Len()

// nils returns the arguments of call that are nil, or are on some way to it.
func nils(call *ssa.CallCommon) []int {
	var out []int
	for i, arg := range call.Args {
		if isNil(arg, nil) {
			out = append(out, i)
		}
	}
	return out
}

// isNil reports whether v is nil on some way to where it is used. seen are the values whose ways it is on.
func isNil(v ssa.Value, seen []ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Const:
		return v.IsNil()
	case *ssa.ChangeType:
		return isNil(v.X, seen)
	case *ssa.Phi:
		if slices.Contains(seen, ssa.Value(v)) {
			return false
		}
		return slices.ContainsFunc(v.Edges, func(e ssa.Value) bool { return isNil(e, append(seen, v)) })
	}
	return false
}
