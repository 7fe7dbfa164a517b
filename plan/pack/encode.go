package pack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"go/token"
	"reflect"
	"slices"
)

// This file writes.

// Marshal returns v as bytes, the same for equal values. place says where a position other than [token.NoPos] is, ok being false if it is nowhere; it
// may be nil if v has none.
func Marshal(v any, place func(token.Pos) (file string, offset int, ok bool)) ([]byte, error) {
	e := &encoder{place: place, strings: make(map[string]int)}
	if err := e.value(reflect.ValueOf(v)); err != nil {
		return nil, err
	}
	head := &encoder{}
	head.uint(uint64(len(e.table)))
	for _, s := range e.table {
		head.uint(uint64(len(s)))
		head.out = append(head.out, s...)
	}
	return append(head.out, e.out...), nil
}

// encoder is what is written so far.
type encoder struct {
	out     []byte
	place   func(token.Pos) (string, int, bool)
	table   []string // all strings, in the order in which they came
	strings map[string]int
}

func (e *encoder) uint(n uint64) { e.out = binary.AppendUvarint(e.out, n) }
func (e *encoder) int(n int64)   { e.out = binary.AppendVarint(e.out, n) }

func (e *encoder) string(s string) {
	i, ok := e.strings[s]
	if !ok {
		i = len(e.table)
		e.strings[s] = i
		e.table = append(e.table, s)
	}
	e.uint(uint64(i))
}

// count writes how many elements follow, and that there is nothing rather than none.
func (e *encoder) count(v reflect.Value) {
	if v.IsNil() {
		e.uint(0)
	} else {
		e.uint(uint64(v.Len()) + 1)
	}
}

// pos writes the file, number 0 being that of no position, and the offset.
func (e *encoder) pos(p token.Pos) error {
	if p == token.NoPos {
		e.uint(0)
		return nil
	}
	if e.place == nil {
		return fmt.Errorf("pack: position %d is nowhere", p)
	}
	file, offset, ok := e.place(p)
	if !ok {
		return fmt.Errorf("pack: position %d is nowhere", p)
	}
	e.uint(1)
	e.string(file)
	e.uint(uint64(offset))
	return nil
}

func (e *encoder) value(v reflect.Value) error {
	if v.Type() == posType {
		return e.pos(token.Pos(v.Int()))
	}
	switch v.Kind() {
	case reflect.Bool:
		e.out = append(e.out, bit(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.int(v.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		e.uint(v.Uint())
	case reflect.String:
		e.string(v.String())
	case reflect.Slice:
		e.count(v)
		return e.elements(v)
	case reflect.Array:
		return e.elements(v)
	case reflect.Map:
		e.count(v)
		return e.entries(v)
	case reflect.Pointer:
		e.out = append(e.out, bit(!v.IsNil()))
		if !v.IsNil() {
			return e.value(v.Elem())
		}
	case reflect.Struct:
		return e.fields(v)
	default:
		return fmt.Errorf("pack: %s is no plain data", v.Type())
	}
	return nil
}

func (e *encoder) elements(v reflect.Value) error {
	if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
		e.out = append(e.out, v.Bytes()...)
		return nil
	}
	for i := range v.Len() {
		if err := e.value(v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// entries writes a map, sorted by what its keys are written as when each is alone.
func (e *encoder) entries(v reflect.Value) error {
	type entry struct {
		key  []byte
		k, v reflect.Value
	}
	var all []entry
	for it := v.MapRange(); it.Next(); {
		key, err := Marshal(it.Key().Interface(), e.place)
		if err != nil {
			return err
		}
		all = append(all, entry{key, it.Key(), it.Value()})
	}
	slices.SortFunc(all, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	for _, a := range all {
		if err := e.value(a.k); err != nil {
			return err
		}
		if err := e.value(a.v); err != nil {
			return err
		}
	}
	return nil
}

// fields writes which fields of a struct are not zero, as bits, and then these: most are.
func (e *encoder) fields(v reflect.Value) error {
	t, err := layoutOf(v.Type())
	if err != nil {
		return err
	}
	var set uint64
	for i := range t {
		if !v.Field(i).IsZero() {
			set |= 1 << i
		}
	}
	e.uint(set)
	for i := range t {
		if set&(1<<i) != 0 {
			if err := e.value(v.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
