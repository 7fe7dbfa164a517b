package share

import (
	"go/token"
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file judges what comes before a flag is set and what comes after it was seen to be.

// noteFlags notes the locks around the flags that b sets or looks at. To look at one atomically needs none, and one that is
// set atomically has anyLock, too.
func (w *World) noteFlags(b *lockset.Body) {
	for _, f := range b.Flags {
		if f.Set && !w.isTest(b.Pos) {
			if w.setters[f.Flag] == nil {
				w.setters[f.Flag] = make(map[string]bool)
			}
			w.setters[f.Flag][b.Key] = true
		}
		if f.Atomic && !f.Set {
			w.looked[f.Flag] = true
			continue
		}
		locks := f.Locks
		if f.Atomic {
			locks = append(slices.Clip(locks), anyLock)
		}
		have, ok := w.flags[f.Flag]
		if !ok {
			have = locks
		}
		w.flags[f.Flag] = slices.DeleteFunc(slices.Clone(have), func(l access.Var) bool { return !slices.Contains(locks, l) })
	}
}

// noteRepeated notes which of entries come before a flag is set, and are not all that does: there are two ways to the
// use on one instance, one leads to itself, or several functions set the flag. The ways of early count too, on which
// nothing else can reach the map. A flag that is not the owner's is set for all of them. Of the goroutines of a group
// it does not matter how many one call starts.
func (w *World) noteRepeated(entries []*Entry, early []Entry) {
	byUse := make(map[token.Pos][]*Entry)
	for _, e := range entries {
		if before := e.before(); before.Flag {
			byUse[e.Use.Pos] = append(byUse[e.Use.Pos], e)
			e.Repeated = !before.Group && (len(w.setters[before.Class]) > 1 || w.leadsToItself(e) || !e.ownFlag() && e.way.loops())
		}
	}
	for pos, same := range byUse {
		for i, e := range same {
			e.Repeated = e.Repeated || slices.ContainsFunc(early, func(f Entry) bool {
				return f.Use.Pos == pos && f.Func == e.Func && f.Ref.Path == e.Ref.Path
			})
			for _, f := range same[:i] {
				if e.Func == f.Func && !sameWay(e.way, f.way, e.before().Group) && (mayMeet(e, f) || !e.before().Group && !e.ownFlag()) {
					e.Repeated, f.Repeated = true, true
				}
			}
		}
	}
}

// noteEarly notes the ways to e on which whoever made what the map belongs to has not let anybody else have it.
func (wk *walker) noteEarly(e *Entry) {
	if len(e.Sites) > 0 || len(e.After) > 0 {
		return
	}
	for _, edge := range wk.w.callers[e.Func] {
		ref, _ := edge.Through(edge.Binding().Ref(e.Ref), false)
		if owned(edge, ref.Path) {
			wk.early = append(wk.early, Entry{Func: edge.Caller, Ref: ref})
		}
	}
}

// before returns the flag that e comes before, without being known to be the first; the zero Held when there is none.
func (e *Entry) before() lockset.Held {
	for _, h := range e.At.Held {
		if h.Flag && h.Mode == lockset.Write && !h.First {
			return h
		}
	}
	return lockset.Held{}
}

// ownFlag reports whether all flags that e comes before are its owner's.
func (e *Entry) ownFlag() bool {
	return !slices.ContainsFunc(e.relateLocks(), func(l Lock) bool { return l.Flag && l.Mode == lockset.Write && l.Relation != Own })
}

// loops reports whether one of the calls and starts of s stands in a loop, or several may run.
func (s *step) loops() bool {
	for ; s != nil; s = s.in {
		if s.Edge != nil && (s.Edge.Loop || s.Edge.Many) {
			return true
		}
	}
	return false
}

// leadsToItself reports whether a function on the way of e is also called by one that is further in, or by itself.
func (w *World) leadsToItself(e *Entry) bool {
	on := make(map[string]bool)
	for s := e.way; s != nil; s = s.in {
		on[s.Func] = true
	}
	for s := e.way; s != nil; s = s.in {
		if slices.ContainsFunc(w.callers[s.Func], func(edge *lockset.Edge) bool { return on[edge.Caller] && !s.calledBy(e.way, edge) }) {
			return true
		}
	}
	return false
}

// calledBy reports whether edge is the call by which way, of which s is a part, comes to s.
func (s *step) calledBy(way *step, edge *lockset.Edge) bool {
	for t := way; t != s; t = t.in {
		if t.in == s {
			return t.Edge.Pos == edge.Pos && t.Func == edge.Caller
		}
	}
	return false
}

// sameWay reports whether a and b lead through the same calls: all of them, or those that come before the last
// goroutine is started.
func sameWay(a, b *step, toStart bool) bool {
	for a != nil && b != nil {
		if a.Func != b.Func || toStart && a.startsLast() && b.startsLast() {
			return a.Func == b.Func
		}
		if (a.Edge == nil) != (b.Edge == nil) || a.Edge != nil && a.Edge.Pos != b.Edge.Pos {
			return false
		}
		a, b = a.in, b.in
	}
	return a == nil && b == nil
}

// startsLast reports whether s starts the last goroutine on its way.
func (s *step) startsLast() bool { return s.Edge != nil && s.Edge.Start != "" && !s.in.starts() }

// starts reports whether s leads to the start of a goroutine.
func (s *step) starts() bool {
	for ; s != nil; s = s.in {
		if s.Edge != nil && s.Edge.Start != "" {
			return true
		}
	}
	return false
}

// orders reports whether seeing that flag is set tells that all is done that comes before it is set: one lock is held
// wherever that happens.
func (w *World) orders(flag access.Var) bool {
	locks, ok := w.flags[flag]
	return len(locks) > 0 || !ok && w.looked[flag]
}

// beforeFlag reports whether one of a and b, which are one flag, comes before it is set and the other after it was seen
// to be.
func beforeFlag(a, b Lock) bool {
	return a.Flag && b.Flag && a.Relation == b.Relation && a.ID == b.ID && a.Mode != b.Mode
}

// runs says how often the ways of an entry are taken on one instance.
type runs uint8

const (
	perhaps runs = iota // as often as callers outside the program like
	once                // once, as far as the program shows
	again               // several times
)

// runs returns how often the way of e is taken, or as far as the last start on it when group is set.
func (e *Entry) runs(group bool) runs {
	if e.Repeated || e.Many && !group {
		return again
	}
	for s := e.way; s != nil && (!group || s.starts()); s = s.in {
		if s.Edge != nil && s.Edge.Loop && len(s.Edge.Each) == 0 && (!group || s.Edge.Start == "") {
			return again
		}
	}
	switch {
	case e.Unsure != "":
		return perhaps
	case e.ownInstance():
		return once
	case e.Root == Serving:
		return again
	case e.Root == Exported, e.Root == Interface, e.Root == Closed:
		return perhaps
	}
	return once
}
