package access

import (
	"go/types"
	"strconv"
	"strings"
)

// This file names the types of function values.

// FuncType names the type of a function value by its parameters and results, without their names: func(k string)
// and func(string) are one, and so is a named type, since the values of one become the other's without notice.
func FuncType(t types.Type) string {
	var b strings.Builder
	writeType(&b, t.Underlying())
	return b.String()
}

// TypeString names t across packages, without the names of parameters and of aliases.
func TypeString(t types.Type) string {
	var b strings.Builder
	writeType(&b, t)
	return b.String()
}

func writeType(b *strings.Builder, t types.Type) {
	switch t := types.Unalias(t).(type) {
	case *types.Signature:
		b.WriteString("func(")
		writeTuple(b, t.Params())
		if t.Variadic() {
			b.WriteString("...")
		}
		b.WriteString(")(")
		writeTuple(b, t.Results())
		b.WriteString(")")
	case *types.Pointer:
		b.WriteString("*")
		writeType(b, t.Elem())
	case *types.Slice:
		b.WriteString("[]")
		writeType(b, t.Elem())
	case *types.Array:
		b.WriteString("[" + strconv.FormatInt(t.Len(), 10) + "]")
		writeType(b, t.Elem())
	case *types.Map:
		b.WriteString("map[")
		writeType(b, t.Key())
		b.WriteString("]")
		writeType(b, t.Elem())
	case *types.Chan:
		b.WriteString("chan ")
		writeType(b, t.Elem())
	case *types.Named:
		if p := t.Obj().Pkg(); p != nil {
			b.WriteString(Key(p.Path(), t.Obj().Name()))
		} else {
			b.WriteString(t.Obj().Name())
		}
		for arg := range t.TypeArgs().Types() {
			b.WriteString("[")
			writeType(b, arg)
			b.WriteString("]")
		}
	case *types.Struct:
		b.WriteString("struct{")
		for f := range t.Fields() {
			b.WriteString(f.Name() + " ")
			writeType(b, f.Type())
			b.WriteString(";")
		}
		b.WriteString("}")
	case *types.Interface:
		if !t.IsMethodSet() {
			b.WriteString(t.String())
			return
		}
		b.WriteString("interface{") // go/types writes the empty one in two ways
		for m := range t.Methods() {
			b.WriteString(m.Name())
			writeType(b, m.Type())
			b.WriteString(";")
		}
		b.WriteString("}")
	default: // a basic type, a type parameter
		b.WriteString(t.String())
	}
}

func writeTuple(b *strings.Builder, t *types.Tuple) {
	for v := range t.Variables() {
		writeType(b, v.Type())
		b.WriteString(",")
	}
}

// IsGeneric reports whether t names a type parameter, so that values of other types are values of its instances.
func IsGeneric(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		return true
	case *types.Signature:
		return IsGeneric(t.Params()) || IsGeneric(t.Results())
	case *types.Tuple:
		for v := range t.Variables() {
			if IsGeneric(v.Type()) {
				return true
			}
		}
	case *types.Map:
		return IsGeneric(t.Key()) || IsGeneric(t.Elem())
	case interface{ Elem() types.Type }: // a pointer, slice, array or channel
		return IsGeneric(t.Elem())
	case *types.Struct:
		for f := range t.Fields() {
			if IsGeneric(f.Type()) {
				return true
			}
		}
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			if IsGeneric(arg) {
				return true
			}
		}
	}
	return false
}
