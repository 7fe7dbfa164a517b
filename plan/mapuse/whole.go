package mapuse

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file finds what happens to map variables that are parts of a struct when that is assigned, filled or put somewhere
// as a whole:
//
//	s.state = state{jobs: make(map[int]job)}  // replaces s.state.jobs
//	json.Unmarshal(b, &s.config)              // fills s.config.Labels
//	s.history = append(s.history, s.state)    // lets s.state.jobs out

// maxWhole bounds how deep structs in structs are looked into.
const maxWhole = 4

// parts calls visit with each map variable that is a part of v, a struct or a pointer to one. Only exported fields count
// if open is set.
func parts(fn *lockset.Func, v ssa.Value, open bool, visit func(access.Ref)) {
	var in func(t types.Type, index []int)
	in = func(t types.Type, index []int) {
		st, ok := t.Underlying().(*types.Struct)
		if !ok || len(index) > maxWhole {
			return
		}
		for i := range st.NumFields() {
			f := st.Field(i)
			to := append(index[:len(index):len(index)], i)
			switch {
			case open && !f.Exported() && !f.Embedded():
			case access.IsMap(f.Type()):
				visit(fn.Names.Receiver(v, append(to, 0)))
			default:
				in(f.Type(), to)
			}
		}
	}
	t := v.Type()
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	in(t, nil)
}

func isStruct(t types.Type) bool {
	_, ok := t.Underlying().(*types.Struct)
	return ok
}

// assigned adds that st replaces the map variables in the struct that it assigns.
func (c *Collector) assigned(fn *lockset.Func, st *ssa.Store, at lockset.View) {
	array, isArray := st.Val.Type().Underlying().(*types.Array)
	if !isArray && !isStruct(st.Val.Type()) || at.Owned(fn.Names.Place(st.Addr)) {
		return
	}
	pos := st.Pos()
	if !pos.IsValid() {
		pos = st.Addr.Pos()
	}
	replaced := func(ref access.Ref) { c.addRef(fn, ref, Replace, pos, at) }
	if isArray {
		elements(fn.Names.Ref(st.Addr).Path.Elem(), array.Elem(), replaced)
		return
	}
	parts(fn, st.Addr, false, replaced)
}

// elements calls visit with each map variable in the structs of type t that p, the elements of an array, are.
func elements(p access.Path, t types.Type, visit func(access.Ref)) {
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return
	}
	for i := range st.NumFields() {
		if v, ft := access.FieldVar(t, i); access.IsMap(ft) && !v.IsZero() {
			visit(access.Ref{Path: p.Field(v.Field), Var: v})
		}
	}
}

// filled adds that a function which fills what it is given the address of, like a decoder, replaces and fills the map
// variables there. boxed is its argument.
func (c *Collector) filled(fn *lockset.Func, boxed ssa.Value, pos token.Pos, at lockset.View) {
	fills := func(ref access.Ref) {
		c.addRef(fn, ref, Replace, pos, at)
		c.addRef(fn, ref, Store, pos, at)
	}
	v := unboxed(boxed)
	switch {
	case isPointerToMap(v.Type()):
		fills(fn.Names.Ref(v))
	case isPointerToStruct(v.Type()):
		parts(fn, v, true, fills)
	}
}

// putsWhole adds that the struct v, which is put somewhere, takes with it the maps in it.
func (c *Collector) putsWhole(fn *lockset.Func, v ssa.Value, at lockset.View) {
	load, ok := v.(*ssa.UnOp)
	if !ok || load.Op != token.MUL || !isStruct(v.Type()) || at.Owned(fn.Names.Place(load.X)) {
		return
	}
	parts(fn, v, false, func(ref access.Ref) {
		if !ref.Var.IsZero() && ref.Depth == 0 && load.Pos().IsValid() {
			c.Uses = append(c.Uses, Use{Func: fn.Key, Ref: ref, Op: Alias, Pos: load.Pos(), Unfollowed: true})
		}
	})
}
