package access

import (
	"go/types"
	"slices"
)

// This file knows which values hold nothing but themselves.

// IsPlain reports whether looking into a value of type t calls no method of it, or one that is harmless: numbers, strings
// and booleans without methods, harmless types, and slices, arrays and maps of them.
func IsPlain(t types.Type) bool { return isPlain(t, nil) }

// isPlain is IsPlain of a t that is a part of around: a type may be made of itself, as in type Tree map[string]Tree.
func isPlain(t types.Type, around []types.Type) bool {
	if slices.ContainsFunc(around, func(u types.Type) bool { return types.Identical(t, u) }) {
		return true
	}
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil && harmless[n.Obj().Pkg().Path()+"."+n.Obj().Name()] {
		return true
	}
	if types.NewMethodSet(types.NewPointer(t)).Len() > 0 {
		return false
	}
	around = append(slices.Clip(around), t)
	switch t := t.Underlying().(type) {
	case *types.Basic:
		return true
	case *types.Slice:
		return isPlain(t.Elem(), around)
	case *types.Array:
		return isPlain(t.Elem(), around)
	case *types.Map:
		return isPlain(t.Key(), around) && isPlain(t.Elem(), around)
	}
	return false
}

// harmless are types of the standard library whose values never change, and whose methods call nothing and wait for nothing. What has the type reflect.Type
// is of that package: others cannot write its methods.
var harmless = map[string]bool{
	"reflect.Type": true, "reflect.Kind": true,
	"time.Duration": true, "time.Month": true, "time.Time": true, "time.Weekday": true,
	"net/netip.Addr": true, "net/netip.AddrPort": true, "net/netip.Prefix": true,
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
