package mapuse

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file tells values that a function was given from those that it finds out: a registry is filled with the one, a cache
// with the other.

// isGiven reports whether the function was given v, or part of it, or puts that at the end of what was there.
func isGiven(fn *lockset.Func, v ssa.Value) bool {
	if fn.Names.Ref(v).Path.Root.Kind == access.Param {
		return true
	}
	switch v := v.(type) {
	case *ssa.UnOp: // of a parameter that has a place of its own, since a field of it is set
		local, ok := v.X.(*ssa.Alloc)
		if !ok {
			return false
		}
		for _, instr := range *local.Referrers() {
			if st, ok := instr.(*ssa.Store); ok && st.Addr == local {
				_, given := st.Val.(*ssa.Parameter)
				return given
			}
		}
	case *ssa.Call:
		if b, ok := v.Call.Value.(*ssa.Builtin); ok && b.Name() == "append" && len(v.Call.Args) == 2 {
			return isGiven(fn, v.Call.Args[1])
		}
	case *ssa.Slice: // the last arguments of append
		values := access.Packed(v)
		return len(values) > 0 && !slices.ContainsFunc(values, func(v ssa.Value) bool { return !isGiven(fn, v) })
	}
	return false
}
