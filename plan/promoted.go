package plan

import (
	"go/ast"
	"go/types"
)

// This file keeps a mutex from getting a name that means something else where the owner is embedded:
//
//	type Outer struct {
//		*Owner
//		*Other // has Inner embedded, whose mu is o.mu today
//	}
//
// In Owner, one level up, a field mu would be what o.mu means from then on.

// changesMeaning reports whether a field called name in the owner of decl would change what a selector means, or make it
// ambiguous, in a struct that has the owner embedded. The name is not exported, so that only the package can select it.
func changesMeaning(decl declaration, name string) bool {
	if decl.typ == nil {
		return false
	}
	owner := decl.typ.Name.Name
	means := func(t types.Type) bool {
		obj, path, _ := types.LookupFieldOrMethod(t, true, decl.pkg.Types, name)
		return (obj != nil || path != nil) && embedsOwner(t, decl.pkg.Path, owner, make(map[types.Type]bool))
	}
	for _, obj := range decl.pkg.Info.Defs {
		if tn, ok := obj.(*types.TypeName); ok && !tn.IsAlias() && means(tn.Type()) {
			return true
		}
	}
	for e, tv := range decl.pkg.Info.Types {
		if _, ok := e.(*ast.StructType); ok && means(tv.Type) {
			return true
		}
	}
	return false
}

// embedsOwner reports whether t is a struct in which the named type is embedded, directly or not.
func embedsOwner(t types.Type, path, name string, seen map[types.Type]bool) bool {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok || seen[t] {
		return false
	}
	seen[t] = true
	for f := range st.Fields() {
		if !f.Embedded() {
			continue
		}
		ft := types.Unalias(f.Type())
		if p, ok := ft.(*types.Pointer); ok {
			ft = p.Elem()
		}
		if isNamed(ft, path, name) || embedsOwner(ft, path, name, seen) {
			return true
		}
	}
	return false
}
