package share

import (
	"slices"

	"mapmend/plan/access"
)

// This file finds the parameters that may be nil.

// IsNil reports whether some caller gives the function key nil as its parameter number param, the receiver
// being the first, or passes on one of its own that may be.
func (w *World) IsNil(key string, param int) bool { return slices.Contains(w.nils[key], param) }

// noteNils finds the parameters of the functions keys that may be nil.
func (w *World) noteNils(keys []string) {
	type parameter struct {
		fn    string
		index int
	}
	var todo []parameter
	note := func(fn string, index int) {
		if !w.IsNil(fn, index) {
			w.nils[fn] = append(w.nils[fn], index)
			todo = append(todo, parameter{fn, index})
		}
	}
	for _, key := range keys {
		for _, e := range w.Bodies[key].Calls {
			for _, i := range e.Nils {
				note(e.Callee, i)
			}
		}
	}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		body := w.Bodies[p.fn]
		if body == nil {
			continue
		}
		own := access.Path{Root: access.Root{Kind: access.Param, Index: p.index}}
		for _, e := range body.Calls {
			for i, ref := range e.Params {
				if ref.Path == own {
					note(e.Callee, i)
				}
			}
		}
	}
}
