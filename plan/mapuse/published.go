package mapuse

import (
	"go/token"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file knows that a map which was put in a variable is that of the variable from there on, whatever it is called:
//
//	next := maps.Clone(s.m)
//	s.mu.Lock()
//	s.m = next
//	s.mu.Unlock()
//	next[k] = v // s.m is written
//
// What follows in the section in which it was put there is over when others take the lock, and find it. Only the one assignment of the variable in the function counts, of a map that the function made: with another one it is
// not known which map the variable has.

// published returns the variable that the map m, which fn made, was put in, and that others found it in, wherever control comes to
// instr; the zero Ref when there is none.
func published(fn *lockset.Func, m ssa.Value, instr ssa.Instruction) access.Ref {
	made := fn.Names.Ref(m)
	if instr == nil || made.Path.Root.Kind != access.Made || made.Path.Sel != "" {
		return access.Ref{}
	}
	var in access.Ref
	for _, st := range mapStores(fn.SSA) {
		if !fn.Names.Unlocked(st, instr) || !isShared(st.Addr) || fn.Names.Ref(st.Val).Path != made.Path {
			continue
		}
		if to := fn.Names.Ref(st.Addr); !to.Var.IsZero() && isOnlyStore(fn, st, to.Path) {
			in = to
			in.Read = token.NoPos
		}
	}
	return in
}

// isShared reports whether addr is a field or a package variable.
func isShared(addr ssa.Value) bool {
	switch addr.(type) {
	case *ssa.FieldAddr, *ssa.Global:
		return true
	}
	return false
}

// isOnlyStore reports whether fn assigns what is at p nowhere but at st.
func isOnlyStore(fn *lockset.Func, st *ssa.Store, p access.Path) bool {
	for _, other := range mapStores(fn.SSA) {
		if other != st && fn.Names.Ref(other.Addr).Path == p {
			return false
		}
	}
	return true
}
