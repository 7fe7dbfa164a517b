package lockset

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file tells the locks of a copied struct from those of the original.

// Settle returns p, in terms of a function, with its locks as the copies in that function have them: a
// lock that stands in a copy guards nothing, and one that is reached through a pointer in it is the
// original's.
func (p Point) Settle(copies []access.Copy) Point {
	if len(copies) == 0 {
		return p
	}
	out := p
	out.Held = nil
	for _, h := range p.Held {
		out.Held = out.Held.With(settled(h, copies))
	}
	out.Released = settledPaths(p.Released, copies)
	out.Maybe = settledPaths(p.Maybe, copies)
	return out
}

func settled(h Held, copies []access.Copy) Held {
	c := access.CopyOf(copies, h.Path.Root)
	if c == nil || h.Copied {
		return h
	}
	orig, ok := c.Original(h.Path)
	switch {
	case c.Has(h.Path):
		h.Copied, h.Origin = true, orig
	case ok:
		h.Path = orig
	}
	return h
}

func settledPaths(ps []access.Path, copies []access.Copy) []access.Path {
	var out []access.Path
	for _, p := range ps {
		if c := access.CopyOf(copies, p.Root); c != nil && !c.Has(p) {
			p, _ = c.Original(p)
		}
		out = addPath(out, p)
	}
	return out
}

// copies returns the copies that refs lead to, and those that they were copied from, as things stand at instr.
func (a *analysis) copies(refs []access.Ref, instr ssa.Instruction) []access.Copy {
	var out []access.Copy
	for _, r := range refs {
		for root := r.Path.Root; access.CopyOf(out, root) == nil; {
			c, ok := a.names.CopyAt(root, instr)
			if !ok {
				break
			}
			out = append(out, c)
			root = c.From.Root
		}
	}
	return out
}

// Through returns r, in terms of the caller of e, as what the copies that the caller passes share with
// their originals; header says that the variable itself is meant and not what it refers to. own is set
// when r is something that a copy has for itself.
func (e *Edge) Through(r access.Ref, header bool) (out access.Ref, own bool) {
	for range e.Copies { // a copy of a copy
		c := access.CopyOf(e.Copies, r.Path.Root)
		if c == nil {
			break
		}
		orig, ok := c.Original(r.Path)
		if !ok || header && slices.Contains(c.Own, r.Path.Sel) {
			return r, true
		}
		r.Path = orig
		r.Copied = r.Copied || !c.Given
	}
	return r, false
}
