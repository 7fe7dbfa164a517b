package access

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// This file names the variables that live in memory.

// alloc names a variable that lives in memory. One that is assigned a single value is that value:
//
//	mu := &s.mu                      // captured below, so an Alloc
//	defer func() { mu.Unlock() }()   // unlocks s.mu
//
// A map variable that a closure captures and that is not another name of a field is itself a
// variable that goroutines may share, and so is a lock.
func (n *Names) alloc(v *ssa.Alloc) Ref {
	stores, captured := storesTo(v, make(map[ssa.Value]bool))
	elem := v.Type().Underlying().(*types.Pointer).Elem()
	isMap := IsMap(elem)
	_, isStruct := elem.Underlying().(*types.Struct)
	if len(stores) == 1 && !written(v) && !isStruct && stores[0].Parent() == n.fn {
		r := n.Ref(stores[0].Val)
		if !isMap || !r.Fresh || !r.Var.IsZero() {
			return r
		}
	}
	if !isStruct && !(isMap && captured) && len(stores) > 0 {
		return n.local() // one of several values
	}
	r := n.fresh()
	_, named := types.Unalias(elem).(*types.Named)
	switch {
	case !captured:
	case isMap, isStruct && !named:
		r.Var = Var{Package: n.pkg(), Owner: n.owner, Field: v.Comment}
	case isLocker(elem):
		r.Var = LocalLock(n.pkg(), n.owner, v.Comment)
	}
	if isStruct && len(stores) == 1 && !written(v) && stores[0].Parent() == n.fn {
		n.copy(r.Path.Root, v, stores[0].Val)
	}
	return r
}

// LocalLock returns the variable that a lock is which the named function of pkg declares.
func LocalLock(pkg, function, name string) Var {
	return Var{Package: pkg, Owner: function + "()", Field: name}
}

// IsLocalLock reports whether v is a lock that a function declares.
func (v Var) IsLocalLock() bool { return strings.HasSuffix(v.Owner, "()") }

// isLocker reports whether a pointer to a t can be locked and unlocked.
func isLocker(t types.Type) bool {
	for _, name := range []string{"Lock", "Unlock"} {
		obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), true, nil, name)
		if _, ok := obj.(*types.Func); !ok {
			return false
		}
	}
	return true
}

// storesTo returns the assignments to the variable at addr, in the function that declares it and in
// the closures that capture it, and reports whether one does.
func storesTo(addr ssa.Value, seen map[ssa.Value]bool) (stores []*ssa.Store, captured bool) {
	if seen[addr] || addr.Referrers() == nil {
		return nil, false
	}
	seen[addr] = true
	for _, instr := range *addr.Referrers() {
		switch instr := instr.(type) {
		case *ssa.Store:
			if instr.Addr == addr {
				stores = append(stores, instr)
			}
		case *ssa.MakeClosure:
			fn := instr.Fn.(*ssa.Function)
			for i, b := range instr.Bindings {
				if b == addr && i < len(fn.FreeVars) {
					captured = true
					more, _ := storesTo(fn.FreeVars[i], seen)
					stores = append(stores, more...)
				}
			}
		}
	}
	return stores, captured
}

// written reports whether parts of the variable v are assigned or its address is passed on, so that
// its single whole assignment does not say what it holds.
func written(v *ssa.Alloc) bool {
	for _, instr := range *v.Referrers() {
		if instr, ok := instr.(*ssa.Store); ok && instr.Val == v {
			return true
		}
	}
	return false
}
