package sample

import (
	"fmt"
	"go/types"
)

// This file finds types to stand for type parameters.

// Instance returns the generic type n with types of the package pkg, or predeclared ones, that its constraints allow, or why
// there are none. A type that is not generic is returned as it is.
func Instance(n *types.Named, pkg *types.Package) (*types.Named, error) {
	if n.TypeParams().Len() == 0 {
		return n, nil
	}
	args := make([]types.Type, n.TypeParams().Len())
	for i, p := range listed(n.TypeParams()) {
		for _, t := range candidates(pkg, i) {
			if satisfies(t, p) {
				args[i] = t
				break
			}
		}
		if args[i] == nil {
			return nil, fmt.Errorf("no type is known to stand for the type parameter %s", p.Obj().Name())
		}
	}
	inst, err := types.Instantiate(nil, n, args, true)
	if err != nil {
		return nil, fmt.Errorf("no types are known to stand for the type parameters: %w", err)
	}
	return inst.(*types.Named), nil
}

func listed(list *types.TypeParamList) (params []*types.TypeParam) {
	for p := range list.TypeParams() {
		params = append(params, p)
	}
	return params
}

// satisfies reports whether t may stand for p, as far as the constraint alone tells.
func satisfies(t types.Type, p *types.TypeParam) bool {
	c, ok := p.Constraint().Underlying().(*types.Interface)
	return ok && types.Satisfies(t, c)
}

// candidates returns what may stand for the type parameter number i: predeclared types, another one first for each i, so that
// keys and values are not confused, then those of pkg and pointers to them.
func candidates(pkg *types.Package, i int) []types.Type {
	list := []types.Type{types.Typ[types.String], types.Typ[types.Int], types.Typ[types.Float64]}
	for range i % len(list) {
		list = append(list[1:], list[0])
	}
	for kind := types.Int8; kind <= types.Complex128; kind++ {
		list = append(list, types.Typ[kind])
	}
	list = append(list, types.NewSlice(types.Typ[types.Uint8]))
	for _, name := range pkg.Scope().Names() {
		obj, ok := pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		if n, ok := obj.Type().(*types.Named); ok && n.TypeParams().Len() == 0 {
			if iface, ok := n.Underlying().(*types.Interface); ok && !iface.IsMethodSet() {
				continue // a constraint is no type of values
			}
			list = append(list, n, types.NewPointer(n))
		}
	}
	return list
}
