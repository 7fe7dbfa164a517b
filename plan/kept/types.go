package kept

import (
	"go/types"
	"strconv"
	"strings"

	"mapmend/plan/access"
)

// This file knows which values lead to function values, and where the fields of structs are.

// carries reports whether a value of type t is a function, or what leads to one without a struct or an interface on
// the way: those have places of their own. A type parameter may stand for such a type.
func carries(t types.Type) bool { return carriesAt(t, 0) }

func carriesAt(t types.Type, depth int) bool {
	if depth > 8 {
		return true // type list []list
	}
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return true
	}
	switch t := t.Underlying().(type) {
	case *types.Signature:
		return true
	case *types.Map:
		return carriesAt(t.Key(), depth+1) || carriesAt(t.Elem(), depth+1)
	case interface{ Elem() types.Type }: // a pointer, slice, array or channel
		return carriesAt(t.Elem(), depth+1)
	case *types.Tuple:
		for v := range t.Variables() {
			if carriesAt(v.Type(), depth+1) {
				return true
			}
		}
	}
	return false
}

// isFunc reports whether a value of type t is a function itself. What one copy of another value is given, all
// others see.
func isFunc(t types.Type) bool {
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return false
	}
	_, ok := t.Underlying().(*types.Signature)
	return ok
}

// structOf returns the struct that t is or points to.
func structOf(t types.Type) *types.Struct {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	st, _ := t.Underlying().(*types.Struct)
	return st
}

// fieldPlace returns the place of field i of the struct that t is or points to: the same for all of its instances.
// It is [Outside] for a field of a struct without a name, which has another type in each instance of generic code.
func fieldPlace(t types.Type, i int) Place {
	v, _ := access.FieldVar(t, i)
	if v.IsZero() {
		return Outside
	}
	return fieldOf(v)
}

// signatureOf returns the type of function values of type t. In generic code it tells no more than how many parameters
// and results they have.
func signatureOf(t types.Type) string {
	if !access.IsGeneric(t) {
		return access.FuncType(t)
	}
	sig, ok := t.Underlying().(*types.Signature)
	if !ok {
		return AnyType
	}
	return AnyType + " " + shape(sig.Params().Len(), sig.Results().Len())
}

func shape(params, results int) string { return strconv.Itoa(params) + "/" + strconv.Itoa(results) }

// isVague reports whether typ stands for several types.
func isVague(typ string) bool { return typ == AnyType || strings.HasPrefix(typ, AnyType+" ") }

// mayBe reports whether a function value of type typ may be one of type t.
func mayBe(typ, t string) bool {
	switch {
	case typ == t || typ == AnyType || t == AnyType:
		return true
	case !isVague(typ):
		return false
	}
	of, ok := shapeOf(t)
	return !ok || typ == AnyType+" "+of
}

// shapeOf returns how many parameters and results a function of type t has, if that can be told: t is written by
// [access.FuncType], with a comma behind each.
func shapeOf(t string) (of string, ok bool) {
	if !strings.HasPrefix(t, "func(") || strings.ContainsAny(t, "\"`'") {
		return "", false
	}
	var counts []int
	depth, count := 0, 0
	for _, c := range t {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				counts = append(counts, count)
				count = 0
			}
		case ',':
			if depth == 1 {
				count++
			}
		}
	}
	if len(counts) != 2 {
		return "", false
	}
	return shape(counts[0], counts[1]), true
}

// typeOf names the type of a parameter or result.
func typeOf(t types.Type) string {
	if access.IsGeneric(t) {
		return AnyType
	}
	return access.TypeString(t)
}

// AnyType is the type of a function value that is not known.
const AnyType = "any"
