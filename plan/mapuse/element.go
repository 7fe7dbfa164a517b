package mapuse

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/lockset"
	"mapmend/plan/model"
)

// This file finds uses of what the elements of a map refer to: the entries of a slice, the fields of what a
// pointer leads to. An element that was read in a section of the guard may be used outside, where another
// section changes what it refers to:
//
//	s.mu.RLock()
//	ws := s.watchers[id]
//	s.mu.RUnlock()
//	for _, w := range ws { ... } // and elsewhere: s.watchers[id] = slices.Delete(ws, i, i+1)
//
// What has a lock of its own is left out, and so is what is written behind the end of a slice.

// element adds the read or write of what addr leads to, if that is part of an element of a map.
func (c *Collector) element(fn *lockset.Func, addr ssa.Value, op Op, at lockset.View) {
	holder, part := c.partOf(addr)
	if holder == nil {
		return
	}
	pos := addr.Pos()
	if _, indexed := addr.(*ssa.IndexAddr); indexed {
		pos = c.Mentions.Operand(pos)
	}
	c.addElement(fn, holder, part, op, pos, at)
}

// partOf returns the pointer or slice that addr is part of, and which part; nil when that cannot come from
// a map.
func (c *Collector) partOf(addr ssa.Value) (holder ssa.Value, part string) {
	switch addr := addr.(type) {
	case *ssa.FieldAddr:
		st, ok := addr.X.Type().Underlying().(*types.Pointer).Elem().Underlying().(*types.Struct)
		if !ok || c.hasLock(st) {
			return nil, ""
		}
		field := "." + st.Field(addr.Field).Name()
		if _, inner := addr.X.(*ssa.FieldAddr); inner {
			holder, part = c.partOf(addr.X)
			return holder, part + field
		}
		holder, part = addr.X, field
	case *ssa.IndexAddr:
		if _, ok := addr.X.Type().Underlying().(*types.Slice); !ok {
			return nil, ""
		}
		holder, part = addr.X, "[]"
	default:
		return nil, ""
	}
	if !mayBeElement(holder) {
		return nil, ""
	}
	return holder, part
}

// mayBeElement reports whether v may have come out of a map.
func mayBeElement(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Lookup, *ssa.Extract, *ssa.Phi, *ssa.Call, *ssa.Slice, *ssa.TypeAssert:
		return true
	case *ssa.UnOp:
		switch v.X.(type) {
		case *ssa.Alloc, *ssa.IndexAddr:
			return v.Op == token.MUL
		}
	}
	return false
}

func (c *Collector) addElement(fn *lockset.Func, holder ssa.Value, part string, op Op, pos token.Pos, at lockset.View) {
	ref := fn.Names.Ref(holder)
	if ref.Depth == 0 || ref.Var.IsZero() || !ref.Read.IsValid() || !pos.IsValid() || at.Owned(ref.Path) || fn.Names.Detached(holder, c.instr) {
		return
	}
	for _, p := range at.Points() {
		c.Uses = append(c.Uses, Use{Func: fn.Key, Ref: ref, Op: op, At: p, After: at.After(), Alone: at.Confided(ref.Path), Pos: pos, Element: part})
	}
}

// slice adds what the builtin name does to the entries of the slices that it is given.
func (c *Collector) slice(fn *lockset.Func, name string, call *ssa.CallCommon, at lockset.View) {
	switch name {
	case "clear":
		c.entries(fn, call, 0, call.Args[0], WriteElement, at)
	case "copy":
		c.entries(fn, call, 0, call.Args[0], WriteElement, at)
		c.entries(fn, call, 1, call.Args[1], ReadElement, at)
	case "append":
		if part := overwritten(call.Args[0], make(map[ssa.Value]bool)); part != nil {
			c.entries(fn, call, 0, part, WriteElement, at)
		}
		c.entries(fn, call, 1, call.Args[1], ReadElement, at)
	}
}

// overwritten returns the beginning of a slice that an append to v writes behind, before the end of the
// whole slice; nil when there is none. seen are the values that were looked at.
//
//	kept := ws[:0]
//	for _, w := range ws {
//		kept = append(kept, w)
//	}
func overwritten(v ssa.Value, seen map[ssa.Value]bool) *ssa.Slice {
	if seen[v] {
		return nil
	}
	seen[v] = true
	switch v := v.(type) {
	case *ssa.Slice:
		if v.High != nil && v.Max == nil {
			return v
		}
	case *ssa.Phi:
		for _, e := range v.Edges {
			if part := overwritten(e, seen); part != nil {
				return part
			}
		}
	case *ssa.Call: // what was appended to the beginning before
		if b, ok := v.Call.Value.(*ssa.Builtin); ok && b.Name() == "append" {
			return overwritten(v.Call.Args[0], seen)
		}
	}
	return nil
}

// entries adds op on the entries of v, argument number i of call, if that is a slice.
func (c *Collector) entries(fn *lockset.Func, call *ssa.CallCommon, i int, v ssa.Value, op Op, at lockset.View) {
	if mi, ok := v.(*ssa.MakeInterface); ok {
		v = mi.X
	}
	if _, ok := v.Type().Underlying().(*types.Slice); ok && mayBeElement(v) {
		c.addElement(fn, v, "[]", op, c.Mentions.Argument(call.Pos(), call, i), at)
	}
}

// external adds what a function without a body does to the entries of the slices that it is given.
func (c *Collector) external(fn *lockset.Func, key string, call *ssa.CallCommon, at lockset.View) {
	for i, v := range call.Args {
		op := ReadElement
		if i == 0 && model.InPlace(key) {
			op = WriteElement
		}
		c.entries(fn, call, i, v, op, at)
	}
}

// hasLock reports whether st has a lock of its own, or leads to one.
func (c *Collector) hasLock(st *types.Struct) bool {
	has, ok := c.locked[st]
	if ok {
		return has
	}
	for f := range st.Fields() {
		obj, _, _ := types.LookupFieldOrMethod(f.Type(), true, f.Pkg(), "Lock")
		if m, isMethod := obj.(*types.Func); isMethod && !model.Lock(m.Name()).IsZero() {
			has = true
		}
	}
	if c.locked == nil {
		c.locked = make(map[*types.Struct]bool)
	}
	c.locked[st] = has
	return has
}
