package kept

import (
	"go/token"
	"go/types"
	"slices"
)

// This file finds the fields that reflection can get at.

// bare notes that reflection may see values of type t, and call or set what is kept in exported fields of it.
func (b *builder) bare(t types.Type) {
	t = types.Unalias(t)
	if b.seen[t] {
		return
	}
	b.seen[t] = true
	if n, ok := t.(*types.Named); ok {
		for arg := range n.TypeArgs().Types() {
			b.bare(arg)
		}
		if p := n.Obj().Pkg(); p == nil || !b.cfg.Own(p.Path()) && p.Path() != b.facts.Path {
			return
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for i := range u.NumFields() {
			f := u.Field(i)
			if carries(f.Type()) && (token.IsExported(f.Name()) || f.Embedded()) {
				if p := fieldPlace(t, i); p != Outside && !slices.Contains(b.facts.Bared, p) {
					b.facts.Bared = append(b.facts.Bared, p)
				}
			}
			b.bare(f.Type())
		}
	case *types.Map:
		b.bare(u.Key())
		b.bare(u.Elem())
	case interface{ Elem() types.Type }:
		b.bare(u.Elem())
	}
}
