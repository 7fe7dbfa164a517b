package share

import (
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file knows types that put a lock around the methods of another one, which has an interface in common with them:
//
//	func (l *locked) Get(k string) int {
//		l.mu.Lock()
//		defer l.mu.Unlock()
//		return l.store.Get(k)
//	}
//
// A call through the interface comes to either type, as far as the program shows: to the inner one with the lock, or
// without.

// mayBeWrapped: one side comes to a method through an interface, and may as well come to another method that takes a lock
// and calls that one; and so may the other side.
func (w *World) mayBeWrapped(m *meeting) string {
	locks := w.wrappers(m.b)
	for _, lock := range w.wrappers(m.a) {
		if slices.Contains(locks, lock) {
			return "it is called through an interface, perhaps only by a method that holds " + strings.TrimPrefix(lock.Owner+"."+lock.Field, ".")
		}
	}
	return ""
}

// wrappers returns the locks that e may hold, although its way does not show it, because one of the calls through
// interfaces on it may come to a method that takes one first.
func (w *World) wrappers(e *Entry) []access.Var {
	var out []access.Var
	for s := e.way; s != nil && s.in != nil; s = s.in {
		for _, inner := range w.callers[s.in.Func] {
			for _, h := range inner.At.Held {
				if !h.Class.IsZero() && !h.Once && !h.Copied && suffices(e, h.Mode) && w.alsoComesTo(s.Edge, inner.Caller) {
					out = append(out, h.Class)
				}
			}
		}
	}
	return out
}

// alsoComesTo reports whether the call of edge through an interface may come to the function key.
func (w *World) alsoComesTo(edge *lockset.Edge, key string) bool {
	return edge.Dispatched && slices.ContainsFunc(w.callers[key], func(other *lockset.Edge) bool {
		return other.Dispatched && other.Caller == edge.Caller && other.Pos == edge.Pos
	})
}

// suffices reports whether what e does may be done with a lock held in mode.
func suffices(e *Entry, mode lockset.Mode) bool {
	return mode == lockset.Write || !e.Use.Op.Writes()
}
