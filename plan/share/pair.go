package share

import (
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
	"mapmend/plan/model"
)

// This file judges two entries of one map variable: whether they may run at the same time on the same map, and
// how strong the evidence for that is.

// pair judges two entries, which may be the same one.
func (w *World) pair(a, b *Entry, guard *Lock) (grade Grade, why string, unsure bool) {
	if !a.Use.Op.Conflicts(b.Use.Op) || a.Ref.Depth != b.Ref.Depth {
		return None, "", false
	}
	if a.Root == Dead && len(a.Sites) == 0 || b.Root == Dead && len(b.Sites) == 0 {
		return None, "", false
	}
	together := parallel(a, b)
	if together == never || !mayMeet(a, b) {
		return None, "", false
	}
	la, lb := a.locks(), b.locks()
	unsure = w.unsure(a, lb) || w.unsure(b, la) || len(a.At.Maybe) > 0 || len(b.At.Maybe) > 0
	for _, x := range la {
		for _, y := range lb {
			if excludes(x, y, a.Use.Op.Writes(), b.Use.Op.Writes()) ||
				madeAround(a, b, x, y) && exclusive(x, y, a.Use.Op.Writes(), b.Use.Op.Writes()) {
				return None, "", false
			}
			if mayBeSame(x, y) {
				unsure = true
			}
		}
	}
	for _, e := range []*Entry{a, b} {
		if e.Root == Interface && len(e.Sites) == 0 && w.mayHold(slices.Concat(la, lb)) {
			unsure = true
		}
	}
	grade, why = w.grade(a, b, la, lb, guard, together)
	if unsure {
		grade = min(grade, Possible)
	}
	return grade, why, unsure
}

// madeAround reports whether x and y, held at a and b, are one lock that an activation made which both
// ways lead through. Where it stands to the map does not matter.
func madeAround(a, b *Entry, x, y Lock) bool {
	root := x.Path.Root
	if root.Kind != access.Made || x.Path != y.Path {
		return false
	}
	s, t := a.way, b.way
	for s != nil && t != nil && s.Func == t.Func {
		if s.Func == root.Name {
			return true
		}
		e, f := s.Edge, t.Edge
		if e == nil || f == nil || e.Pos != f.Pos || e.Loop || e.Many {
			return false
		}
		s, t = s.in, t.in
	}
	return false
}

// mayHold reports whether whoever calls through an interface may hold one of locks. A lock of the owner
// is not to be had outside, but something else may be called while it is held.
func (w *World) mayHold(locks []Lock) bool {
	own := false
	for _, l := range locks {
		if l.Relation == Own {
			own = true
			for t := range w.under[l.Class] {
				if t != lockset.Waiting && t != lockset.Renamed {
					return true
				}
			}
		}
	}
	return !own
}

// unsure reports whether e may hold one of locks although its way does not show it. A function value
// that is kept runs with a lock held only if something calls unknown function values of its type
// while it holds that lock.
func (w *World) unsure(e *Entry, locks []Lock) bool {
	if e.Unsure == "" || e.Kept == "" {
		return e.Unsure != ""
	}
	if under := w.under[anyLock]; len(locks) > 0 && (under[e.Kept] || under[lockset.AnyType]) {
		return true
	}
	for _, l := range locks {
		if under := w.under[l.Class]; under[e.Kept] || under[lockset.AnyType] || isExported(l.Class.Field) {
			return true
		}
	}
	return len(locks) == 0
}

// parallel reports whether a and b may run at the same time.
func parallel(a, b *Entry) overlap {
	if a.ownInstance() && b.ownInstance() { // one activation made it: what runs around that does not matter
		a, b = a.inner(), b.inner()
	}
	n := 0
	for n < len(a.Sites) && n < len(b.Sites) && a.Sites[n] == b.Sites[n] {
		n++
	}
	ra, rb := a.Sites[n:], b.Sites[n:]
	if a.Func != b.Func || a.Root != b.Root {
		if a.Root == Test && b.Root == Test {
			return never // tests run one after the other, or on instances of their own
		}
		// Two activations that nothing orders. What main does can only meet what outlives or was started by it.
		return apart
	}
	within := false
	switch {
	case len(ra) > 0 && len(rb) > 0:
		within = true
	case len(ra) > 0:
		within = slices.Contains(b.After, ra[0]) || n > 0 && a.Many
	case len(rb) > 0:
		within = slices.Contains(a.After, rb[0]) || n > 0 && b.Many
	case n > 0:
		within = a.Many || b.Many
	}
	switch {
	case within:
		return inside
	case selfParallel(a):
		return apart
	}
	return never
}

// overlap is how two uses come to run at the same time.
type overlap uint8

const (
	never  overlap = iota
	apart          // in two activations of functions that others call
	inside         // in goroutines that one activation started
)

// selfParallel reports whether the root of e may run several times at once on one instance.
func selfParallel(e *Entry) bool {
	switch e.Root {
	case Exported, Serving, Interface, Closed:
		return !e.ownInstance()
	}
	return false
}

// ownInstance reports whether the map belongs to something that each activation of the root makes anew.
func (e *Entry) ownInstance() bool { return e.Ref.Path.Root.Kind == access.Made }

// mayMeet reports whether a and b may be on the same instance.
func mayMeet(a, b *Entry) bool {
	ga, gb := a.Ref.Path.Root.Kind == access.Global, b.Ref.Path.Root.Kind == access.Global
	if ga && gb {
		return a.Ref.Path == b.Ref.Path
	}
	if a.ownInstance() && b.ownInstance() {
		return a.Func == b.Func && a.Ref.Path == b.Ref.Path && slices.Equal(a.Sites[:a.Outer], b.Sites[:b.Outer])
	}
	return true
}

// inner returns e without the starts that lie outside the activation that made its instance.
func (e *Entry) inner() *Entry {
	in := *e
	in.Sites = e.Sites[e.Outer:]
	return &in
}

// grade says how strong the evidence is that a and b meet.
func (w *World) grade(a, b *Entry, la, lb []Lock, guard *Lock, together overlap) (Grade, string) {
	for i, l := range slices.Concat(la, lb) {
		other := b
		if i >= len(la) {
			other = a
		}
		if guard == nil || l.Relation != guard.Relation || l.ID != guard.ID {
			continue
		}
		switch {
		case l.Relation == Own:
			return Likely, "one side holds " + l.Name() + " of the owner"
		case l.Relation == Up && strings.HasSuffix(OwnerPath(other.Ref).Sel, l.Rest):
			return Likely, "one side holds " + l.Name() + ", from which the owner is reached"
		case l.Relation == Package && together == apart && !(w.rooted(a) && w.rooted(b)):
			// what the package does under its lock says nothing of an object that comes from somewhere else
		case l.Relation == Package:
			return Likely, "one side holds " + l.Name() + " of the package"
		case l.Relation == Same:
			return Likely, "one side holds " + l.Name()
		}
	}
	if together == apart && (w.private(a) || w.private(b)) {
		return None, ""
	}
	switch {
	case !w.sameInstance(a, b):
	case together == inside && a.Kept == "" && b.Kept == "", started(a) && started(b):
		return Likely, "both sides run in goroutines that the program starts, on the same instance"
	case a.Root == Serving && b.Root == Serving, a.Root == Serving && started(b), started(a) && b.Root == Serving:
		return Likely, "a server calls it from many goroutines"
	}
	if w.lazyCache(a) && w.lazyCache(b) {
		return Likely, "a package-level cache that importers of the package fill on demand"
	}
	return Possible, "callers outside the program may share it"
}

// rooted reports whether the map of e is reached from a package variable or a receiver.
func (w *World) rooted(e *Entry) bool {
	k := e.Ref.Path.Root.Kind
	return k == access.Global || k == access.Param && !w.private(e)
}

// private reports whether the map of e belongs to an argument of the root function, other than a
// receiver: a request, say. Nothing shows that two calls share it.
func (w *World) private(e *Entry) bool {
	r := e.Ref.Path.Root
	return r.Kind == access.Param && (r.Index > 0 || w.Bodies[e.Func].Method == "")
}

func packageOf(l Lock) string {
	id := l.Path.Root.Name
	return id[:len(id)-len(id[lastDot(id):])]
}

func lastDot(s string) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '.' {
			return i
		}
	}
	return 0
}

// started reports whether e runs in a goroutine that the program starts, or in main beside one.
func started(e *Entry) bool {
	return e.Unsure == "" && (len(e.Sites) > 0 || e.Root == Main)
}

// sameInstance reports whether a and b are seen to be on the same instance: of a package variable, of
// what one activation made or was given, or of the receiver of methods of one type.
func (w *World) sameInstance(a, b *Entry) bool {
	if a.Ref.Path.Sel != b.Ref.Path.Sel {
		return false
	}
	if strings.Contains(OwnerPath(a.Ref).Sel, "[]") {
		return false // each of the goroutines may have an element of its own
	}
	ra, rb := a.Ref.Path.Root, b.Ref.Path.Root
	switch {
	case ra.Kind == access.Global, a.Func == b.Func && ra.Kind != access.Local:
		return ra == rb
	case ra.Kind == access.Param && ra == rb && ra.Index == 0:
		fa, fb := w.Bodies[a.Func], w.Bodies[b.Func]
		return fa.Method != "" && fa.Method == fb.Method && model.Package(fa.Key) == model.Package(fb.Key)
	}
	return false
}

// lazyCache reports whether e is on a package variable that an importable package's API fills on
// demand: the function that uses it, or one on the way, both looks the map up for a value and stores in
// it. One that only asks whether the key is there may be a registry that is filled once:
//
//	if _, dup := drivers[name]; dup { panic("registered twice") }
//	drivers[name] = driver
func (w *World) lazyCache(e *Entry) bool {
	if e.Root != Exported || e.Ref.Path.Root.Kind != access.Global || e.Ref.Path.Sel != "" {
		return false
	}
	for _, f := range e.Frames() {
		reads, writes := false, false
		for _, u := range w.usesOf[f.Func] {
			if u.Ref.Var == e.Use.Ref.Var {
				reads = reads || u.Op == mapuse.Index && u.Valued
				writes = writes || u.Op == mapuse.Store
			}
		}
		if reads && writes {
			return true
		}
	}
	return false
}
