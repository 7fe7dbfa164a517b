package access

import "go/types"

// This file tells which types are maps.

// IsMap reports whether what is of type t is a map: also where t is a type parameter that stands for maps only.
func IsMap(t types.Type) bool {
	if p, ok := types.Unalias(t).(*types.TypeParam); ok {
		return onlyMaps(p.Constraint())
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

// onlyMaps reports whether all types that meet the constraint t are maps, as far as one of its parts says.
func onlyMaps(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Map:
		return true
	case *types.Union:
		for term := range u.Terms() {
			if !onlyMaps(term.Type()) {
				return false
			}
		}
		return u.Len() > 0
	case *types.Interface:
		for i := range u.NumEmbeddeds() {
			if onlyMaps(u.EmbeddedType(i)) {
				return true
			}
		}
	}
	return false
}
