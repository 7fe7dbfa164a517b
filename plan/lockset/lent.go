package lockset

import (
	"slices"

	"mapmend/plan/access"
)

// This file follows what the function made and stored in something that it was given. That is lent: it belongs to
// whoever owns the latter, which the callers know. It is named as they name it.
//
//	func (s *Store) Child() *Store {
//		c := New()
//		s.kids = append(s.kids, c) // from here on c is s.kids[i]
//		c.m["a"] = 1
//		return c
//	}

// lend marks root, and what is stored in it, as kept at p, a part of what the function was given. A map that
// the function made is left alone: it is the variable at p that is used from then on.
func (a *analysis) lend(s *state, root access.Root, p access.Path) {
	if root.Kind != access.Made && root.Kind != access.Local {
		return
	}
	if v := a.names.Made(root); v != nil && holdsMap(v.Type()) {
		return
	}
	n := a.numbers.of(root)
	if s.lent.has(n) {
		return
	}
	s.lent = s.lent.with(n)
	if _, again := a.lentAt[root]; !again {
		a.lentAt[root] = p
	}
	for _, in := range a.into[root] {
		if !in.captured {
			a.lend(s, in.from, p.Join(in.sel))
		}
	}
}

// isLent reports whether what root stands for belongs to whoever owns something that the function was given.
func (a *analysis) isLent(root access.Root, s *state) bool {
	n := a.numbers.of(root)
	return s.lent.has(n) && !s.escaped.has(n)
}

// Known returns ref, and the points of v, by the name that callers have for what was lent to something of theirs.
func (v View) Known(ref access.Ref) (access.Ref, []Point) {
	root := ref.Path.Root
	if !v.a.isLent(root, v.s) {
		return ref, v.Points()
	}
	at := v.a.lentAt[root]
	points := v.Points()
	for i, p := range points {
		points[i] = p.Moved(root, at)
	}
	return moved(ref, root, at), points
}

// moved returns ref with what root stands for at to.
func moved(ref access.Ref, root access.Root, to access.Path) access.Ref {
	if ref.Path.Root == root {
		ref.Path, ref.Fresh = to.Join(ref.Path.Sel), false
	}
	return ref
}

// Moved returns p with what root stands for at to.
func (p Point) Moved(root access.Root, to access.Path) Point {
	return p.renamed(func(q access.Path) access.Path { return moved(access.Ref{Path: q}, root, to).Path })
}

// renamed returns p with its locks called as move says.
func (p Point) renamed(move func(access.Path) access.Path) Point {
	out := p
	out.Held, out.Released, out.Maybe = nil, nil, nil
	for _, h := range p.Held {
		h.Path, h.Origin = move(h.Path), move(h.Origin)
		out.Held = out.Held.With(h)
	}
	for _, q := range p.Released {
		out.Released = addPath(out.Released, move(q))
	}
	for _, q := range p.Maybe {
		out.Maybe = addPath(out.Maybe, move(q))
	}
	return out
}

// move gives what was lent the name that callers have for it.
func (a *analysis) move(e *Edge, s *state) {
	for _, refs := range []*[]access.Ref{&e.Params, &e.Free} {
		for i, ref := range *refs {
			if root := ref.Path.Root; a.isLent(root, s) {
				*refs = slices.Clone(*refs)
				(*refs)[i], e.At = moved(ref, root, a.lentAt[root]), e.At.Moved(root, a.lentAt[root])
			}
		}
	}
}
