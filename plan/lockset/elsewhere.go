package lockset

import (
	"cmp"
	"slices"
	"strings"

	"mapmend/plan/access"
)

// This file knows by which other name an object goes that is stored in a new one:
//
//	c := &Client{}
//	s.Add(c)  // c.srv = s
//	c.Close() // changes c.srv.clients, which is s.clients

// Elsewhere is a place where an object is stored that has a name of its own.
type Elsewhere struct{ At, To access.Path }

// Named returns p, in terms of the caller, by the name of its own that what it leads to has, if it has one.
func (e *Edge) Named(p access.Path) access.Path {
	var to access.Path
	for _, s := range e.Elsewhere {
		switch {
		case s.At != p:
		case to.Known() && to != s.To:
			return p // one of several
		default:
			to = s.To
		}
	}
	if to.Known() {
		return to
	}
	return p
}

// NamedAt returns p, in terms of the caller, with its locks by the names of their own that what they are reached through has.
func (e *Edge) NamedAt(p Point) Point {
	if len(e.Elsewhere) == 0 {
		return p
	}
	return p.renamed(func(q access.Path) access.Path {
		for sel := ""; sel != q.Sel; {
			sel += access.FirstStep(q.Sel[len(sel):])
			at := access.Path{Root: q.Root, Sel: sel}
			if to := e.Named(at); to != at {
				return to.Join(q.Sel[len(sel):])
			}
		}
		return q
	})
}

// noteNamed notes that the object from is stored at to, in something that the function made: a place where several are
// stored has no such name.
func (a *analysis) noteNamed(from access.Ref, to access.Path) {
	if to.Root.Kind != access.Made || to.Sel == "" || strings.Contains(to.Sel, "[") || from.Func != nil {
		return
	}
	if a.named == nil {
		a.named = make(map[access.Path]access.Path)
	}
	at := from.Path
	if have, ok := a.named[to]; ok && have != at || !at.Known() || at.Root.Kind == access.Local || at.Root == to.Root {
		at = access.Path{}
	}
	a.named[to] = at
}

// noteElsewhere notes at the call e, which is given something of roots, what is stored there by its own name.
func (a *analysis) noteElsewhere(e *Edge, roots []access.Root, s *state) {
	for at, to := range a.named {
		if a.isLent(at.Root, s) {
			at = a.lentAt[at.Root].Join(at.Sel)
		}
		if slices.Contains(roots, at.Root) && to.Known() {
			e.Elsewhere = append(e.Elsewhere, Elsewhere{at, to})
		}
	}
	slices.SortFunc(e.Elsewhere, func(x, y Elsewhere) int { return cmp.Or(comparePaths(x.At, y.At), comparePaths(x.To, y.To)) })
	e.Elsewhere = slices.Compact(e.Elsewhere)
}
