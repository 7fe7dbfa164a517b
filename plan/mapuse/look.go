package mapuse

import (
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/model"
)

// This file finds the maps that printers, encoders and comparers read: the map that they are given, and
// those in a struct that they look into.
//
//	log.Printf("%+v", s)  // reads s.m
//	json.Marshal(s)       // reads s.M
//
// Only what the type of the argument shows counts, and what the function itself puts in a new list, map or struct for an
// encoder. An argument that is an interface already, the methods by which a value is asked for its text, and pointers in
// what is not new are not followed.

// looked adds the reads of a function that looks into argument number i of call.
func (c *Collector) looked(fn *lockset.Func, key string, call *ssa.CallCommon, i int, at lockset.View) {
	how, known := model.Looks(key)
	for n, v := range variadic(call.Args[i]) {
		mi, ok := v.(*ssa.MakeInterface)
		if !ok {
			continue
		}
		pos := c.Mentions.Argument(call.Pos(), call, i+n)
		l := looker{c: c, fn: fn, how: how, pos: pos, at: at}
		switch {
		case access.IsMap(mi.X.Type()):
			c.add(fn, mi.X, Read, pos, at)
		case known && shows(how, call, n):
			l.v = mi.X
			l.look(mi.X.Type(), nil)
		}
		if known && !how.Unexported {
			l.contents(mi.X, maxContents)
		}
	}
}

// maxContents bounds how deep lists, maps and structs in one another are looked into.
const maxContents = 4

// contents looks into what is put in v, a list, map or struct that the function made to be encoded:
//
//	json.Marshal(map[string]any{"server": s})
func (l *looker) contents(v ssa.Value, depth int) {
	var elems []ssa.Value
	switch v := v.(type) {
	case *ssa.MakeMap:
		for _, ref := range *v.Referrers() {
			if u, ok := ref.(*ssa.MapUpdate); ok && u.Map == ssa.Value(v) {
				elems = append(elems, u.Value)
			}
		}
	case *ssa.Slice:
		elems = access.Packed(v)
	case *ssa.UnOp:
		if v.Op == token.MUL {
			elems = fields(v.X)
		}
	case *ssa.Alloc:
		elems = fields(v)
	}
	for _, e := range elems {
		if mi, ok := e.(*ssa.MakeInterface); ok {
			e = mi.X
		}
		if _, made := e.(*ssa.Alloc); !made { // of a map, see where it is put there
			l.v = e
			l.look(e.Type(), nil)
		}
		if depth > 0 {
			l.contents(e, depth-1)
		}
	}
}

// fields returns what is stored in the fields of the new struct at v.
func fields(v ssa.Value) []ssa.Value {
	alloc, ok := v.(*ssa.Alloc)
	if !ok {
		return nil
	}
	var out []ssa.Value
	for _, ref := range *alloc.Referrers() {
		if f, ok := ref.(*ssa.FieldAddr); ok {
			for _, ref := range *f.Referrers() {
				if st, ok := ref.(*ssa.Store); ok && st.Addr == ssa.Value(f) {
					out = append(out, st.Val)
				}
			}
		}
	}
	return out
}

// shows reports whether the format of call, if it has one, shows what is in its variadic argument number n.
func shows(how model.Look, call *ssa.CallCommon, n int) bool {
	if how.Format == 0 {
		return true
	}
	i := how.Format - 1
	if call.Signature().Recv() != nil {
		i++
	}
	k, ok := call.Args[i].(*ssa.Const)
	if !ok || k.Value == nil || k.Value.Kind() != constant.String {
		return false
	}
	verbs := verbsOf(constant.StringVal(k.Value))
	return n < len(verbs) && strings.IndexByte("vsdqx", verbs[n]) >= 0
}

// verbsOf returns the verbs in format, a byte for each argument in order, up to one that is not in order.
func verbsOf(format string) string {
	var verbs []byte
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			return string(verbs)
		}
		format = strings.TrimLeft(format[i+1:], "+-# 0123456789.")
		if format == "" || format[0] == '*' || format[0] == '[' {
			return string(verbs)
		}
		if format[0] != '%' {
			verbs = append(verbs, format[0])
		}
		format = format[1:]
	}
}

// looker looks into one value.
type looker struct {
	c   *Collector
	fn  *lockset.Func
	how model.Look
	v   ssa.Value // that is given to the function
	pos token.Pos
	at  lockset.View
}

// look adds the reads of the maps in a value of type t, the part of l.v that index leads to.
func (l *looker) look(t types.Type, index []int) {
	if l.asks(t) {
		return
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		if len(index) > 0 {
			return // printed as an address; what an encoder finds there is likely an object of somebody else
		}
		t = p.Elem()
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return
	}
	for i := range st.NumFields() {
		f := st.Field(i)
		if !l.how.Unexported && !f.Exported() && !f.Embedded() || l.leavesOut(st.Tag(i)) {
			continue
		}
		to := append(index[:len(index):len(index)], i)
		if access.IsMap(f.Type()) {
			if !l.asks(f.Type()) && (f.Exported() || l.how.Unexported) {
				ref := l.fn.Names.Receiver(l.v, append(to, 0))
				l.c.addRef(l.fn, ref, Load, l.pos, l.at)
				l.c.addRef(l.fn, ref, Read, l.pos, l.at)
			}
			continue
		}
		l.look(f.Type(), to)
	}
}

// asks reports whether a value of type t is asked by a method instead of being looked into. One that has it
// on its pointer may be.
func (l *looker) asks(t types.Type) bool {
	for _, name := range l.how.Methods {
		if m, _, _ := types.LookupFieldOrMethod(t, true, nil, name); m != nil {
			if _, ok := m.(*types.Func); ok {
				return true
			}
		}
	}
	return false
}

func (l *looker) leavesOut(tag string) bool {
	return l.how.Tag != "" && reflect.StructTag(tag).Get(l.how.Tag) == "-"
}
