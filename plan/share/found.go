package share

import (
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
)

// This file is about objects that are found in a map under its lock, and used without one:
//
//	s.mu.Lock()
//	x := s.sessions[id]
//	s.mu.Unlock()
//	x.values[k] = v
//
// The lock says that several find something there at a time, and two of them may well ask for the same thing.

// foundByAll: both sides are API, or called by a library, and find the owner in a container that has a lock.
func (w *World) foundByAll(m *meeting) string {
	a, b := m.a, m.b
	if !asksForIt(a) || !asksForIt(b) || !w.sameRoot(a, b) {
		return ""
	}
	in := containerOf(a.Ref)
	if in.Sel == "" || !w.isLooked(a, in) {
		return ""
	}
	return "the owner is found in " + strings.TrimPrefix(in.Sel, ".") + ", under a lock, by whoever asks for it"
}

// asksForIt reports whether e is reached by who calls its root function at any time: not by a goroutine that is started, which
// may have an object of its own, nor by one that has taken the object out.
func asksForIt(e *Entry) bool {
	return (e.Root == Exported || e.Root == Serving) && len(e.Sites) == 0 && !e.Use.Removed
}

// containerOf returns the path of the one container that the owner of r is an element of: a field of a receiver. The zero
// Path is that there is none.
func containerOf(r access.Ref) access.Path {
	owner := OwnerPath(r)
	sel, ok := strings.CutSuffix(owner.Sel, "[]")
	if !ok || strings.Contains(sel, "[") || owner.Root != (access.Root{Kind: access.Param}) {
		return access.Path{}
	}
	return access.Path{Root: owner.Root, Sel: sel}
}

// isLooked reports whether methods of the type that e begins in a method of store in the map at in, and look it up for what
// is there, always under a lock.
func (w *World) isLooked(e *Entry, in access.Path) bool {
	return w.containers[inMethod(w.Bodies[e.Func], in)] == looked{finds: true, stores: true}
}

// looked is what the methods of a type do with a map that is reached from their receiver.
type looked struct {
	finds  bool // one takes what is there
	stores bool // one stores in it
	bare   bool // one uses it without a lock
}

// inMethod names what p, in terms of a method b, leads to from the receiver, in any method of the type; the zero Var names
// nothing.
func inMethod(b *lockset.Body, p access.Path) access.Var {
	if b == nil || b.Method == "" || p.Root != (access.Root{Kind: access.Param}) {
		return access.Var{}
	}
	return access.Var{Package: access.PackageOf(b.Key), Owner: b.Method, Field: p.Sel}
}

// noteLooked adds what the use u does to what is known of containers.
func (w *World) noteLooked(u *mapuse.Use) {
	in := inMethod(w.Bodies[u.Func], u.Ref.Path)
	if in.IsZero() || u.Op.Part() != mapuse.Entries || w.isTest(u.Pos) {
		return
	}
	known := w.containers[in]
	known.finds = known.finds || u.Op == mapuse.Index && u.Valued
	known.stores = known.stores || u.Op == mapuse.Store
	known.bare = known.bare || len(u.At.Held) == 0
	w.containers[in] = known
}
