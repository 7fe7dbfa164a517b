package pack

import (
	"fmt"
	"go/token"
	"reflect"
	"sync"
)

// This file knows the structs.

var posType = reflect.TypeFor[token.Pos]()

// maxFields is how many fields a struct can have, of which it is written which are zero.
const maxFields = 64

// layout is what layoutOf returned.
type layout struct {
	fields int
	err    error
}

var layouts sync.Map // layout by reflect.Type

// layoutOf returns how many fields the struct t has. It is an error if they cannot all be written.
func layoutOf(t reflect.Type) (fields int, err error) {
	l, ok := layouts.Load(t)
	if !ok {
		l, _ = layouts.LoadOrStore(t, newLayout(t))
	}
	return l.(layout).fields, l.(layout).err
}

func newLayout(t reflect.Type) layout {
	n := t.NumField()
	if n > maxFields {
		return layout{err: fmt.Errorf("pack: %s has %d fields, which is more than %d", t, n, maxFields)}
	}
	for i := range n {
		f := t.Field(i)
		if !f.IsExported() {
			return layout{err: fmt.Errorf("pack: the field %s of %s is not exported", f.Name, t)}
		}
		if !isPlain(f.Type) {
			return layout{err: fmt.Errorf("pack: the field %s of %s is no plain data", f.Name, t)}
		}
	}
	return layout{fields: n}
}

// isPlain reports whether values of type t, or of what it is made of without a struct between, are plain data: a field that is no such is
// an error also where it is nil.
func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return isPlain(t.Elem())
	case reflect.Map:
		return isPlain(t.Key()) && isPlain(t.Elem())
	case reflect.Bool, reflect.String, reflect.Struct,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return false
}
