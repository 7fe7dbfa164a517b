package access

import (
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// This file knows what is stored in the fields of what a function makes, so that one object has one Path
// however it is reached:
//
//	b := &B{a: a}
//	go b.Add() // uses b.a.m
//	a.Sum()    // uses a.m

// Part is what a field of a new object is assigned, once.
type Part struct {
	Sel string // ".a"
	Ref Ref
}

// Bounds on what one Ref tells, so that it stays small in linked structures.
const (
	maxParts = 8
	maxDepth = 3
)

// To returns what sel leads to from r.
func (r Ref) To(sel string) Ref {
	if sel == "" {
		return r
	}
	out := Ref{Path: r.Path.Join(sel)}
	for _, p := range r.Parts {
		if rest, ok := CutSteps(sel, p.Sel); ok {
			return p.Ref.To(rest)
		}
		if rest, ok := CutSteps(p.Sel, sel); ok {
			out.Parts = append(out.Parts, Part{rest, p.Ref})
		}
	}
	return out
}

// CutSteps returns what is left of sel after prefix; ok is false when sel does not begin with its steps.
func CutSteps(sel, prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(sel, prefix)
	return rest, ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// shallow returns r with the parts of its parts, and so on, depth deep.
func (r Ref) shallow(depth int) Ref {
	if len(r.Parts) == 0 {
		return r
	}
	var parts []Part
	for _, p := range r.Parts {
		if depth > 0 {
			parts = append(parts, Part{p.Sel, p.Ref.shallow(depth - 1)})
		}
	}
	r.Parts = parts
	return r
}

// parts returns what is stored in the struct at addr, of a new object, from sel on, of the types for which is holds.
func (n *Names) parts(addr ssa.Value, sel string, is func(types.Type) bool) []Part {
	var out []Part
	for _, instr := range *addr.Referrers() {
		field, ok := instr.(*ssa.FieldAddr)
		if !ok || field.X != addr || len(out) == maxParts {
			continue
		}
		_, st := ownerOf(addr.Type())
		f := st.Field(field.Field)
		if _, nested := f.Type().Underlying().(*types.Struct); nested {
			out = append(out, n.parts(field, sel+"."+f.Name(), is)...)
			continue
		}
		if !is(f.Type()) {
			continue
		}
		if v := n.assigned(field, f); v != nil {
			if r := n.Ref(v); r.IsPart() && !n.reassigned(v) {
				r.Var, r.Depth, r.Read = Var{}, 0, token.NoPos
				out = append(out, Part{sel + "." + f.Name(), r.shallow(maxDepth - 1)})
			}
		}
	}
	return out
}

// IsPart reports whether it is known which object r is.
func (r Ref) IsPart() bool {
	switch r.Path.Root.Kind {
	case Param, Free, Global, Made:
		return true
	}
	return r.Func != nil
}

// isReference reports whether t leads to an object that has one Path however it is reached. A map is none: what guards
// it is told by the field that it is in.
func isReference(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Interface, *types.Signature:
		return true
	}
	return false
}

// assigned returns the value that the field f of a new object at addr is assigned, or nil if it is not
// one, or may be changed in the function through other pointers.
func (n *Names) assigned(addr *ssa.FieldAddr, f *types.Var) ssa.Value {
	var v ssa.Value
	for _, instr := range *addr.X.Referrers() {
		same, ok := instr.(*ssa.FieldAddr)
		if !ok || same.Field != addr.Field {
			continue
		}
		for _, instr := range *same.Referrers() {
			if st, ok := instr.(*ssa.Store); ok && st.Addr == same {
				if v != nil || same != addr {
					return nil
				}
				v = st.Val
			}
		}
	}
	if v == nil || n.changed()[f.Origin()] {
		return nil
	}
	return v
}

// reassigned reports whether v was loaded from a field that the function also assigns.
func (n *Names) reassigned(v ssa.Value) bool {
	load, ok := v.(*ssa.UnOp)
	if !ok {
		return false
	}
	field, ok := load.X.(*ssa.FieldAddr)
	if !ok {
		return false
	}
	_, owner := ownerOf(field.X.Type())
	return IsMap(v.Type()) && owner != nil && n.changed()[owner.Field(field.Field).Origin()]
}

// changed returns the fields that the function, or a closure in it, assigns in something that it did not
// just make.
func (n *Names) changed() map[*types.Var]bool {
	if n.changes == nil {
		n.changes = make(map[*types.Var]bool)
		addChanges(n.fn, n.changes)
	}
	return n.changes
}

func addChanges(fn *ssa.Function, out map[*types.Var]bool) {
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			st, ok := instr.(*ssa.Store)
			if !ok {
				continue
			}
			field, ok := st.Addr.(*ssa.FieldAddr)
			if !ok || isNew(field.X) {
				continue
			}
			if _, owner := ownerOf(field.X.Type()); owner != nil {
				out[owner.Field(field.Field).Origin()] = true
			}
		}
	}
	for _, anon := range fn.AnonFuncs {
		addChanges(anon, out)
	}
}

// isNew reports whether addr is something that is being made, or a part of it.
func isNew(addr ssa.Value) bool {
	switch addr := addr.(type) {
	case *ssa.Alloc:
		return true
	case *ssa.FieldAddr:
		return isNew(addr.X)
	}
	return false
}
