package mapuse

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file finds the fields that get a map, or a pointer, which is not made for them: several owners may have it, and a
// mutex in each of them would not be the same.
//
//	for range 4 { w := &worker{seen: seen}; go w.run() }

// brings notes that st puts something in a field that comes from elsewhere.
func (c *Collector) brings(fn *lockset.Func, st *ssa.Store) {
	field, ok := st.Addr.(*ssa.FieldAddr)
	if !ok || !access.IsMap(st.Val.Type()) && !isPointerToStruct(st.Val.Type()) {
		return
	}
	class, _ := access.FieldVar(field.X.Type(), field.Field)
	if class.IsZero() || !isBrought(fn, st.Val, st, make(map[*ssa.Phi]bool)) {
		return
	}
	pos := st.Pos()
	if !pos.IsValid() {
		pos = field.Pos()
	}
	c.Brought = append(c.Brought, Built{class, pos})
}

func isPointerToStruct(t types.Type) bool {
	p, ok := t.Underlying().(*types.Pointer)
	if !ok {
		return false
	}
	_, ok = p.Elem().Underlying().(*types.Struct)
	return ok
}

// isBrought reports whether v, which st stores, may be stored elsewhere, too. seen are the choices on the way to v, which
// may lead back to themselves.
func isBrought(fn *lockset.Func, v ssa.Value, st *ssa.Store, seen map[*ssa.Phi]bool) bool {
	switch v := v.(type) {
	case *ssa.Const:
		return false
	case *ssa.MakeMap:
		return isStoredAgain(v, v.Block(), st)
	case *ssa.Alloc:
		return isStoredAgain(v, v.Block(), st)
	case *ssa.ChangeType:
		return isBrought(fn, v.X, st, seen)
	case *ssa.Extract:
		if call, ok := v.Tuple.(*ssa.Call); ok {
			return isReturned(fn, call, v)
		}
	case *ssa.Call:
		return isReturned(fn, v, v) || isStoredAgain(v, v.Block(), st)
	case *ssa.Phi:
		if seen[v] {
			return false
		}
		seen[v] = true
		return slices.ContainsFunc(v.Edges, func(e ssa.Value) bool { return isBrought(fn, e, st, seen) })
	}
	return true
}

// isReturned reports whether v, a result of call, may be something that others have: what code outside the program
// returns is taken to be new.
func isReturned(fn *lockset.Func, call *ssa.Call, v ssa.Value) bool {
	return fn.HasBody(call) && !fn.Names.Ref(v).Fresh
}

// isStoredAgain reports whether v, made in the block made, is stored by another instruction than st, too, or by st
// several times.
func isStoredAgain(v ssa.Value, made *ssa.BasicBlock, st *ssa.Store) bool {
	if lockset.InLoop(st.Block(), made) {
		return true
	}
	for _, instr := range *v.Referrers() {
		other, ok := instr.(*ssa.Store)
		if !ok || other == st || other.Val != v {
			continue
		}
		if _, field := other.Addr.(*ssa.FieldAddr); field {
			return true
		}
	}
	return false
}
