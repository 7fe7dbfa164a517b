package access

import "go/types"

// This file knows which values a printer or comparer can look into without calling a method.

// IsPlain reports whether looking into a value of type t calls no method of it: numbers, strings and
// booleans without methods, and slices, arrays and maps of them.
func IsPlain(t types.Type) bool {
	if types.NewMethodSet(types.NewPointer(t)).Len() > 0 {
		return false
	}
	switch t := t.Underlying().(type) {
	case *types.Basic:
		return true
	case *types.Slice:
		return IsPlain(t.Elem())
	case *types.Array:
		return IsPlain(t.Elem())
	case *types.Map:
		return IsPlain(t.Key()) && IsPlain(t.Elem())
	}
	return false
}
