package share

import (
	"strings"

	"mapmend/plan/access"
)

// This file makes variables of parameters. A map that is a parameter is the variable that a caller passes.
// Where no caller names one, and the function shares the map between goroutines of its own, its parameter
// is the variable:
//
//	func Count(words []string, hits map[string]int) {
//		for _, w := range words {
//			go func() { hits[w]++ }()
//		}
//	}

// parameter is a parameter of a function.
type parameter struct {
	fn    string
	index int
}

// sharedParameters returns the ways of walks, one of each use of a map without a name, to the functions
// that share such a map between goroutines.
func (w *World) sharedParameters(walks []found) []found {
	shared, elsewhere := make(map[parameter]bool), make(map[parameter]bool)
	for _, walk := range walks {
		for _, e := range walk.given {
			p := parameter{e.Func, e.Ref.Path.Root.Index}
			shared[p] = shared[p] || len(e.Sites) > 0 && !strings.Contains(e.Ref.Path.Sel, ".")
		}
		for _, e := range walk.entries {
			if w.isTest(w.Bodies[e.Func].Pos) {
				continue
			}
			for i, r := range e.Refs() {
				if k := r.Path.Root; r.Var.IsZero() && k.Kind == access.Param {
					elsewhere[parameter{e.Frames()[i].Func, k.Index}] = true
				}
			}
		}
	}
	out := make([]found, 0, len(walks))
	for _, walk := range walks {
		own := found{partial: walk.partial}
		for _, e := range walk.given {
			if p := (parameter{e.Func, e.Ref.Path.Root.Index}); shared[p] && !elsewhere[p] {
				own.entries = append(own.entries, w.asVariable(e, p))
			}
		}
		out = append(out, own)
	}
	return out
}

// asVariable returns e with the parameter p, of its root function, as the variable. Each activation has a
// map of its own, as far as anyone can see.
func (w *World) asVariable(e Entry, p parameter) Entry {
	owner := access.ShortKey(p.fn)
	owner, _, _ = strings.Cut(owner, "$")
	e.Ref.Var = access.Var{Package: access.PackageOf(p.fn), Owner: owner, Field: w.Bodies[p.fn].Params[p.index]}
	e.Ref.Depth = strings.Count(e.Ref.Path.Sel, "[")
	e.Ref.Path.Root = access.Root{Kind: access.Made, Index: -1 - p.index, Name: p.fn}
	return e
}
