package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"go/token"
	"math"
	"reflect"
)

// This file reads.

var errShort = errors.New("pack: the bytes are not what was written")

// Unmarshal sets what v points to, a zero value of the type that was written, to what data is. pos returns the position at an offset of a file; it may be nil
// if there are none. data may be anything, and gives an error if it is not what Marshal returned for such a value.
func Unmarshal(data []byte, v any, pos func(file string, offset int) (p token.Pos, ok bool)) error {
	d := &decoder{in: data, place: pos}
	n := d.count(1)
	for range n {
		d.table = append(d.table, string(d.bytes(d.uint())))
	}
	d.value(reflect.ValueOf(v).Elem())
	if d.err == nil && len(d.in) > 0 {
		d.err = errShort
	}
	return d.err
}

// decoder is what is left to read. After an error all is zero.
type decoder struct {
	in    []byte
	err   error
	place func(string, int) (token.Pos, bool)
	table []string
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err, d.in = err, nil
	}
}

func (d *decoder) uint() uint64 {
	n, size := binary.Uvarint(d.in)
	if size <= 0 {
		d.fail(errShort)
		return 0
	}
	d.in = d.in[size:]
	return n
}

func (d *decoder) int() int64 {
	n, size := binary.Varint(d.in)
	if size <= 0 {
		d.fail(errShort)
		return 0
	}
	d.in = d.in[size:]
	return n
}

// bytes returns the next n bytes.
func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.in)) {
		d.fail(errShort)
		return nil
	}
	out := d.in[:n]
	d.in = d.in[n:]
	return out
}

// count returns a number of things of which each takes size bytes at least, so that it cannot be larger than what is left.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.in)/size) {
		d.fail(errShort)
		return 0
	}
	return int(n)
}

func (d *decoder) bit() bool {
	b := d.bytes(1)
	return len(b) == 1 && b[0] != 0
}

func (d *decoder) string() string {
	i := d.uint()
	if i >= uint64(len(d.table)) {
		d.fail(errShort)
		return ""
	}
	return d.table[i]
}

func (d *decoder) pos() token.Pos {
	if d.uint() == 0 {
		return token.NoPos
	}
	file, offset := d.string(), d.uint()
	if d.err != nil || d.place == nil || offset > math.MaxInt {
		d.fail(errShort)
		return token.NoPos
	}
	p, ok := d.place(file, int(offset))
	if !ok {
		d.fail(fmt.Errorf("pack: there is no offset %d of %s", offset, file))
	}
	return p
}

// value sets v, which is zero.
func (d *decoder) value(v reflect.Value) {
	if v.Type() == posType {
		v.SetInt(int64(d.pos()))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(d.bit())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(d.int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		v.SetUint(d.uint())
	case reflect.String:
		v.SetString(d.string())
	case reflect.Slice:
		d.slice(v)
	case reflect.Array:
		d.elements(v)
	case reflect.Map:
		d.entries(v)
	case reflect.Pointer:
		if d.bit() {
			p := reflect.New(v.Type().Elem())
			d.value(p.Elem())
			v.Set(p)
		}
	case reflect.Struct:
		d.fields(v)
	default:
		d.fail(fmt.Errorf("pack: %s is no plain data", v.Type()))
	}
}

// elements sets each element of v.
func (d *decoder) elements(v reflect.Value) {
	for i := 0; i < v.Len() && d.err == nil; i++ {
		d.value(v.Index(i))
	}
}

// length returns the length of a slice or map, whose elements take a byte at least; ok is false if it is nil.
func (d *decoder) length() (n int, ok bool) {
	switch n := d.uint(); {
	case n == 0:
		return 0, false
	case n-1 > uint64(len(d.in)):
		d.fail(errShort)
		return 0, false
	default:
		return int(n - 1), true
	}
}

func (d *decoder) slice(v reflect.Value) {
	n, ok := d.length()
	if !ok {
		return
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(append(make([]byte, 0, n), d.bytes(uint64(n))...))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	d.elements(v)
}

func (d *decoder) entries(v reflect.Value) {
	n, ok := d.length()
	if !ok {
		return
	}
	t := v.Type()
	v.Set(reflect.MakeMapWithSize(t, n))
	for range n {
		key, elem := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		d.value(key)
		d.value(elem)
		if d.err != nil {
			return
		}
		v.SetMapIndex(key, elem)
	}
}

func (d *decoder) fields(v reflect.Value) {
	n, err := layoutOf(v.Type())
	if err != nil {
		d.fail(err)
		return
	}
	for set, i := d.uint(), 0; i < n && d.err == nil; i++ {
		if set&(1<<i) != 0 {
			d.value(v.Field(i))
		}
	}
}
