package share

import (
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file judges what comes before a flag is set and what comes after it was seen to be.

// noteFlags notes the locks around the flags that b sets or looks at. An atomic.Bool needs none: it has anyLock.
func (w *World) noteFlags(b *lockset.Body) {
	for _, f := range b.Flags {
		locks := f.Locks
		if f.Atomic {
			locks = []access.Var{anyLock}
		}
		have, ok := w.flags[f.Flag]
		if !ok {
			have = locks
		}
		w.flags[f.Flag] = slices.DeleteFunc(slices.Clone(have), func(l access.Var) bool { return !slices.Contains(locks, l) })
	}
}

// orders reports whether seeing that flag is set tells that all is done that comes before it is set: one lock is held
// wherever that happens.
func (w *World) orders(flag access.Var) bool { return len(w.flags[flag]) > 0 }

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

// runs returns how often the way of e is taken.
func (e *Entry) runs() runs {
	if e.Many {
		return again
	}
	for s := e.way; s != nil; s = s.in {
		if s.Edge != nil && s.Edge.Loop && len(s.Edge.Each) == 0 {
			return again
		}
	}
	switch {
	case e.ownInstance():
		return once
	case e.Root == Serving:
		return again
	case e.Root == Exported, e.Root == Interface, e.Root == Closed, e.Unsure != "":
		return perhaps
	}
	return once
}
