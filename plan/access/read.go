package access

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// This file says where a map was read from its variable, and an element from its map. Whether it is used
// in the same section as it was read in depends on that place.

// read names what v loads. What a local variable holds was read where it got it.
func (n *Names) read(v *ssa.UnOp) Ref {
	r := n.load(v)
	switch v.X.(type) {
	case *ssa.FieldAddr, *ssa.Global:
		return readAt(r, v.Type(), n.ReadPos(v))
	}
	return r
}

// lookup names the element of type t that v looks up.
func (n *Names) lookup(v *ssa.Lookup, t types.Type) Ref {
	return readAt(n.elem(v.X), t, n.source.Operand(v.Pos()))
}

// readAt returns r, a value of type t that was read at pos.
func readAt(r Ref, t types.Type, pos token.Pos) Ref {
	switch t.Underlying().(type) {
	case *types.Map, *types.Slice, *types.Pointer:
		r.Read = pos
	}
	return r
}

// ReadPos returns the position of the identifier that names what load loads. A package variable's load
// has none: its place is that of the operation that it is read for, which adds it.
func (n *Names) ReadPos(load *ssa.UnOp) token.Pos {
	if f, ok := load.X.(*ssa.FieldAddr); ok && f.Pos().IsValid() {
		return f.Pos()
	}
	for _, instr := range *load.Referrers() {
		if call, ok := instr.(ssa.CallInstruction); ok {
			for i, arg := range call.Common().Args {
				if arg == load {
					return n.source.Argument(call.Common().Pos(), call.Common(), i)
				}
			}
		}
		if instr.Pos().IsValid() {
			return n.source.Operand(instr.Pos())
		}
	}
	return token.NoPos
}
