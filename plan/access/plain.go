package access

import "go/types"

// This file knows which values hold nothing but themselves.

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

// PointsNowhere reports whether nothing can be reached through a value of type t.
func PointsNowhere(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Basic:
		return t.Kind() != types.UnsafePointer
	case *types.Array:
		return PointsNowhere(t.Elem())
	case *types.Struct:
		for f := range t.Fields() {
			if !PointsNowhere(f.Type()) {
				return false
			}
		}
		return true
	}
	return false
}
