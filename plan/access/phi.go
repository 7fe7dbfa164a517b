package access

import (
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// This file names what is one of several values.

// phi returns what all edges agree on. A nil constant agrees with everything: what is reached through nil
// is not reached. So does what is made and put in the same place:
//
//	in := s.m[k]
//	if in == nil {
//		in = make(map[string]int)
//		s.m[k] = in
//	}
func (n *Names) phi(v *ssa.Phi) Ref {
	var agreed Ref
	var made []ssa.Value
	for _, e := range v.Edges {
		if e == v {
			continue
		}
		if c, ok := e.(*ssa.Const); ok && c.IsNil() {
			continue
		}
		if _, ok := e.(*ssa.Phi); ok {
			if _, seen := n.memo[e]; seen && n.memo[e].Path == n.memo[v].Path {
				continue
			}
		}
		r := n.Ref(e)
		if r.Fresh && r.Path.Sel == "" {
			made = append(made, e)
			continue
		}
		if agreed.Path.Known() && agreed.Path != r.Path {
			return n.local()
		}
		agreed = r
	}
	for _, e := range made {
		r := n.Ref(e)
		switch {
		case !agreed.Path.Known():
			agreed = r
		case agreed.Path != r.Path && !isGivenMap(v, agreed) && (hasLock(v.Type()) || !n.isPut(e, agreed.Path)):
			return n.local()
		}
	}
	if !agreed.Path.Known() {
		return n.local()
	}
	return agreed
}

// isGivenMap reports whether r is a map that the function got from outside. Where it may also be one that
// the function makes, only the former matters to others:
//
//	if m == nil {
//		m = make(map[string]int)
//	}
func isGivenMap(v *ssa.Phi, r Ref) bool {
	k := r.Path.Root.Kind
	return IsMap(v.Type()) && (k == Param || k == Free || k == Global)
}

// isPut reports whether the function stores v at p.
func (n *Names) isPut(v ssa.Value, p Path) bool {
	for _, instr := range *v.Referrers() {
		switch instr := instr.(type) {
		case *ssa.MapUpdate:
			if instr.Value == v && n.Ref(instr.Map).Path.Elem() == p {
				return true
			}
		case *ssa.Store:
			if instr.Val == v && n.Ref(instr.Addr).Path == p {
				return true
			}
		}
	}
	return false
}

// hasLock reports whether t is a lock, or has one embedded: made apart, it is another lock for each.
func hasLock(t types.Type) bool {
	m, _, _ := types.LookupFieldOrMethod(t, true, nil, "Lock")
	_, ok := m.(*types.Func)
	return ok
}
