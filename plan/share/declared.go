package share

import (
	"cmp"

	"mapmend/plan/access"
	"mapmend/plan/intent"
	"mapmend/plan/lockset"
)

// This file is what the author declares: the guard of a variable, and the locks that the callers of a function
// hold.

// hear notes what the author of a package says.
func (w *World) hear(said intent.Said) {
	for _, c := range said.Claims {
		if c.Func != "" {
			w.safe[c.Func] = c.Why
		} else if w.claims[c.Var] == "" {
			w.claims[c.Var] = c.Why
		}
	}
	for _, t := range said.Terms {
		w.terms[t.Func] = t.Why
	}
	for _, g := range said.Guards {
		w.guards[g.Var] = declaredGuard(g.Lock)
	}
	for _, r := range said.Requires {
		w.required[r.Func] = r
	}
}

// declaredGuard returns l as it is seen from the variable that it guards.
func declaredGuard(l intent.Lock) *Lock {
	if l.Global != "" {
		root := access.Root{Kind: access.Global, Name: l.Global}
		return &Lock{Relation: Package, ID: l.Global + l.Sel, Class: l.Class, Mode: lockset.Write, Path: access.Path{Root: root, Sel: l.Sel}}
	}
	return &Lock{Relation: Own, ID: l.Sel, Suffix: l.Sel, Class: l.Class, Mode: lockset.Write, Path: access.Path{Root: access.Root{Kind: access.Param}, Sel: l.Sel}}
}

// onTerms: whoever calls one side from outside breaks what its author asks for, if the other one runs at the time.
//
//	// Handle must be called before Serve.
//	func (s *Server) Handle(name string, h Handler) { s.mu.Lock(); defer s.mu.Unlock(); s.handlers[name] = h }
//
// Where the program itself starts one side, or serves, it shows by that what happens.
func (w *World) onTerms(m *meeting) string {
	if m.together != apart || w.claimed(m) != "" {
		return ""
	}
	return cmp.Or(w.termsOf(m.a), w.termsOf(m.b))
}

// termsOf returns what the author asks of those who call a function on the way of e, which somebody unseen begins; it is empty
// when that is nothing.
func (w *World) termsOf(e *Entry) string {
	if e.Root == Serving || len(e.Sites) > 0 && e.Kept == "" {
		return ""
	}
	for s := e.way; s != nil; s = s.in {
		if why := w.terms[s.Func]; why != "" {
			return why
		}
	}
	return ""
}

// Declared reports whether the author says what guards v.
func (w *World) Declared(v access.Var) bool { return w.guards[v] != nil }

// RequiresLock reports whether the function b says that its callers hold a lock: by its name, in its comment or
// by a directive.
func (w *World) RequiresLock(b *lockset.Body) bool {
	_, required := w.required[b.Key]
	return required || b.RequiresLock
}

// fromOutside returns e, a way that begins in b, as root leads to it: a caller that is not seen holds what b
// requires.
func (s *search) fromOutside(e *Entry, b *lockset.Body, root Root) Entry {
	out := *e
	out.Root = root
	if len(e.Sites) > 0 || root != Exported && root != Closed && root != Dead && root != Interface {
		return out
	}
	r, required := s.w.required[b.Key]
	switch {
	case required:
		h := lockset.Held{Path: access.Path{Root: access.Root{Kind: access.Param, Index: r.Param}, Sel: r.Lock.Sel}, Class: r.Lock.Class, Mode: lockset.Write}
		if r.Lock.Global != "" {
			h.Path.Root = access.Root{Kind: access.Global, Name: r.Lock.Global}
		}
		out.At.Held = out.At.Held.With(h)
		out.numbers.at = s.table.point(out.At)
		out.At = s.table.points[out.numbers.at]
	case b.RequiresLock:
		out.Unsure = b.Name + " says that its callers hold a lock"
	}
	return out
}

// undeclared: the author says what guards the variable, and e does not hold it.
func (w *World) undeclared(e *Entry, guard *Lock) Evidence {
	why := Evidence{Grade: Likely, Why: "it is declared to be guarded by " + guard.Name(), rank: -1}
	if e.Unsure != "" || len(e.At.Maybe) > 0 {
		why.Grade = Possible
	}
	return why
}
