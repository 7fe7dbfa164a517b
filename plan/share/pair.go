package share

import (
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file judges two entries of one map variable: whether they may run at the same time on the same map.

// pair judges two entries, which may be the same one.
func (w *World) pair(a, b *Entry, v *variable) (why Evidence, unsure bool) {
	if !a.Use.Conflicts(b.Use) || a.Ref.Depth != b.Ref.Depth {
		return Evidence{}, false
	}
	if a.Root == Dead && len(a.Sites) == 0 || b.Root == Dead && len(b.Sites) == 0 {
		return Evidence{}, false
	}
	together := parallel(a, b)
	if together == never && (w.keptMeets(a, b) || w.keptMeets(b, a)) {
		together = inside
	}
	if together == never || !mayMeet(a, b) || w.oneGoroutine(a, b) {
		return Evidence{}, false
	}
	la, lb := a.locks(), b.locks()
	if a.Use.Removed && findsUnder(lb) || b.Use.Removed && findsUnder(la) {
		return Evidence{}, false
	}
	unsure = w.unsure(a, lb) || w.unsure(b, la) || a.mayShare(b) || b.mayShare(a)
	for _, x := range la {
		for _, y := range lb {
			own := a.ownInstance() && b.ownInstance()
			if (x.striped(a.Ref) || x.distant() && orders(x, y)) && x.Relation == y.Relation && x.ID == y.ID {
				unsure = true
				continue
			}
			if distinct(x, y) {
				continue
			}
			exclude := (own || !divided(v.twin, x, a.Use.Op.Part())) && excludes(x, y) ||
				together == inside && (madeAround(a, b, x, y) || givenTo(x, y)) && exclusive(x, y)
			if exclude && !inOneRun(a, b, x, y) {
				return Evidence{}, false
			}
			if mayBeSame(x, y) || x.mayGuard(a.Ref.Var) && y.mayGuard(b.Ref.Var) && exclusive(x, y) || beforeFlag(x, y) && a.runs(x.Group) != again && b.runs(x.Group) != again {
				unsure = true
			}
		}
	}
	why = w.evidence(&meeting{a: a, b: b, together: together, variable: v})
	for _, e := range []*Entry{a, b} {
		if e.Root == Interface && len(e.Sites) == 0 && w.mayHold(slices.Concat(la, lb)) && why.Why != v.claim {
			unsure = true // the author may say that there is no lock
		}
	}
	if unsure {
		why.Grade = min(why.Grade, Possible)
	}
	return why, unsure
}

// findsUnder reports whether one of locks, of something that the owner is found in, is held: who removed the owner there
// under that lock is not met.
func findsUnder(locks []Lock) bool {
	return slices.ContainsFunc(locks, func(l Lock) bool { return !l.Once && !l.Copied && (l.Relation == Up || l.Relation == Package) })
}

// distinct reports whether x and y, which stand in something that the map is reached from, are in two things that one
// activation made: then they are two.
func distinct(x, y Lock) bool {
	a, b := x.Path.Root, y.Path.Root
	return x.Relation == Up && y.Relation == Up && a != b && a.Kind == access.Made && b.Kind == access.Made && a.Name == b.Name
}

// isTwo reports whether guard is two locks, at uses of classes that may meet on one map.
func (w *World) isTwo(guard *Lock, classes [][]*Entry) bool {
	if guard.Relation != Up {
		return false
	}
	for i, c := range classes {
		for _, d := range classes[i+1:] {
			a, b := c[0], d[0]
			if a.Use.Conflicts(b.Use) && heldTwice(guard, a, b) && parallel(a, b) != never && mayMeet(a, b) {
				return true
			}
		}
	}
	return false
}

// heldTwice reports whether what a and b hold as guard are two locks.
func heldTwice(guard *Lock, a, b *Entry) bool {
	same := func(l Lock) bool { return l.Relation == Up && l.ID == guard.ID }
	for _, x := range a.locks() {
		for _, y := range b.locks() {
			if same(x) && same(y) && distinct(x, y) {
				return true
			}
		}
	}
	return false
}

// keptMeets reports whether a is in a function that is kept, and a goroutine that may run at b calls what is kept there, or
// it is in one that this function starts.
func (w *World) keptMeets(a, b *Entry) bool {
	sites := w.startedAt[a.Kept]
	return a.Kept != "" && (len(a.Sites) > 1 || len(sites) > 0 && anyOf(sites, b.After))
}

// mayShare reports whether a lock that e may hold may be one that other holds, or may hold. What holds nothing shares
// nothing.
func (e *Entry) mayShare(other *Entry) bool {
	return len(e.At.Maybe) > 0 && (len(other.At.Maybe) > 0 || slices.ContainsFunc(other.At.Held, func(h lockset.Held) bool { return !h.Once }))
}

// givenTo reports whether x and y, held in goroutines of one activation, are one lock that it was given.
func givenTo(x, y Lock) bool { return x.Path.Root.Kind == access.Param && x.Path == y.Path && !x.Once }

// madeAround reports whether x and y, held at a and b in goroutines of one activation, are one lock that this made, or
// another one which both ways lead through. Where it stands to the map does not matter.
func madeAround(a, b *Entry, x, y Lock) bool {
	root := x.Path.Root
	if root.Kind != access.Made || x.Path != y.Path || x.Copied && selfParallel(a) {
		return false // another activation has another copy
	}
	s, t := a.way, b.way
	for s != nil && t != nil && s.Func == t.Func {
		if s.Func == root.Name {
			return true
		}
		e, f := s.Edge, t.Edge
		if e == nil || f == nil || e.Pos != f.Pos || e.Many || e.Loop && !joins(e, a, b) {
			return false
		}
		s, t = s.in, t.in
	}
	return false
}

// joins reports whether the goroutines of a and b have ended when the call e returns: another round of the loop around
// it does not meet them.
func joins(e *lockset.Edge, a, b *Entry) bool {
	if e.Start != "" || e.Stored {
		return false
	}
	return !slices.ContainsFunc(slices.Concat(a.Sites, b.Sites), func(site string) bool { return isUntracked(site) || slices.Contains(e.After, site) })
}

// mayHold reports whether whoever calls through an interface may hold one of locks. A lock of the owner
// is not to be had outside, but something else may be called while it is held.
func (w *World) mayHold(locks []Lock) bool {
	own := false
	for _, l := range locks {
		if l.Relation == Own {
			own = true
			for t := range w.under[l.Class] {
				if _, foreign := lockset.ForeignBy(t); !foreign && !slices.Contains([]string{lockset.Waiting, lockset.MayWait, lockset.Foreign, lockset.Streams, lockset.Renamed}, t) {
					return true
				}
			}
		}
	}
	return !own
}

// lent reports whether one of locks is one that a type has whose methods e leads through.
func (w *World) lent(e *Entry, locks []Lock) bool {
	for s := e.way; s != nil; s = s.in {
		b := w.Bodies[s.Func]
		if b == nil || b.Method == "" {
			continue
		}
		lends := w.lends[access.Var{Package: access.PackageOf(b.Key), Owner: b.Method, Field: "*"}]
		if slices.ContainsFunc(locks, func(l Lock) bool { return slices.Contains(lends, l.Class) }) {
			return true
		}
	}
	return false
}

// unsure reports whether e may hold one of locks although its way does not show it. A method of what has a lock until
// another method gives it back may be called meanwhile. A function value
// that is kept runs with a lock held only if something calls what is kept there while it holds that lock.
func (w *World) unsure(e *Entry, locks []Lock) bool {
	if len(w.lends) > 0 && w.lent(e, locks) {
		return true
	}
	if e.Unsure == "" || e.Kept == "" {
		return e.Unsure != ""
	}
	if len(locks) > 0 && w.keptUnder(w.under[anyLock], e.Kept) {
		return true
	}
	for _, l := range locks {
		if w.keptUnder(w.under[l.Class], e.Kept) || isExported(l.Class.Field) {
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
	if alone := a.Alone || b.Alone; alone && (a.Func != b.Func || a.Root != b.Root || !sameObject(a, b)) {
		return never
	}
	if a.Func != b.Func || a.Root != b.Root {
		if a.Root == Test && b.Root == Test {
			return never // tests run one after the other, or on instances of their own
		}
		// Two activations that nothing orders. What main does can only meet what outlives or was started by it.
		return apart
	}
	switch {
	case beside(a, b):
		return inside
	case selfParallel(a):
		return apart
	}
	return never
}

// sameObject reports whether a and b, of one activation, start from one object, or one of them from something that has no
// name.
func sameObject(a, b *Entry) bool {
	ra, rb := a.Ref.Path.Root, b.Ref.Path.Root
	return ra == rb || ra.Kind == access.Local || rb.Kind == access.Local
}

// beside reports whether a and b, in one activation of one function, may run at the same time.
func beside(a, b *Entry) bool {
	n := 0
	for n < len(a.Sites) && n < len(b.Sites) && a.Sites[n] == b.Sites[n] {
		n++
	}
	ra, rb := a.Sites[n:], b.Sites[n:]
	switch {
	case len(ra) > 0 && len(rb) > 0:
		return isUntracked(ra[0]) || isUntracked(rb[0]) || n > 0 && (a.Many || b.Many) || anyOf(ra, b.Beside) || anyOf(rb, a.Beside)
	case len(ra) > 0:
		return anyOf(ra, b.After) || n > 0 && a.Many
	case len(rb) > 0:
		return anyOf(rb, a.After) || n > 0 && b.Many
	}
	return n > 0 && (a.Many || b.Many)
}

// inOneRun reports whether a and b may run at the same time in goroutines that one run of a function started, with x and
// y held, which only say that it is one run:
//
//	once.Do(func() {
//		go func() { m["a"] = 1 }()
//		m["b"] = 2
func inOneRun(a, b *Entry, x, y Lock) bool {
	run := func(l Lock) bool { return l.Once && !l.Flag && l.Mode == lockset.Write }
	return (run(x) && run(y) || x.Lent || y.Lent) && (x.Starts > 0 || y.Starts > 0) && beside(a.inRun(x), b.inRun(y))
}

// inRun returns e from where l is held.
func (e *Entry) inRun(l Lock) *Entry {
	in := *e
	in.Sites, in.Many = e.Sites[max(0, len(e.Sites)-l.Starts):], l.Many
	return &in
}

// anyOf reports whether one of the goroutines started at sites may be among those that may run. What a library runs may run
// once it serves.
func anyOf(sites, running []string) bool {
	return slices.ContainsFunc(sites, func(site string) bool { return runsAt(running, site) }) ||
		slices.ContainsFunc(running, func(s string) bool {
			return s == anySite || s == lockset.ServeSite && strings.HasPrefix(sites[0], lockset.ServeSite)
		})
}

// runsAt reports whether what is started at site is among running.
func runsAt(running []string, site string) bool {
	return slices.ContainsFunc(running, func(s string) bool {
		first, _ := lockset.Again(s)
		return first == site
	})
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
	if a.Held && b.Held {
		return false // see the ways by their own names
	}
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
