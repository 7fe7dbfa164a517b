package share

import (
	"go/token"
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
)

// This file finds what leaves the section of the guard that it was read in, and is used outside.

// Escape is what left the section of the guard.
type Escape uint8

const (
	Stays       Escape = iota // nothing did
	AliasLeft                 // the map
	ElementLeft               // an element of it, that refers to something
	AnswerLeft                // what a look-up said
)

// readAt is a place at which a map is read from its variable, or with a Depth an element from a map.
type readAt struct {
	pos   token.Pos
	depth int
}

// readAt returns where what e uses was read.
func (e *Entry) readAt() readAt {
	refs := e.Refs()
	return readAt{refs[e.named(refs)].Read, e.Ref.Depth}
}

// escape returns what e uses.
func (e *Entry) escape() Escape {
	if e.Ref.Depth > 0 {
		return ElementLeft
	}
	return AliasLeft
}

// reads returns the place of j as one at which what was read there may have left, if it is one.
func (j Judged) reads() (at readAt, ok bool) {
	return readBy(j.Op, j.Pos, j.Entries[0].Ref.Depth)
}

// readBy returns what the use op at pos, of a map at depth, reads that may be used later.
func readBy(op mapuse.Op, pos token.Pos, depth int) (at readAt, ok bool) {
	switch op {
	case mapuse.Load:
		return readAt{pos, depth}, true
	case mapuse.Index, mapuse.Range:
		return readAt{pos, depth + 1}, true
	}
	return readAt{}, false
}

// guardedReads are places, and whether every way to them holds the guard.
type guardedReads map[readAt]bool

// has reports whether what was read at at was read under the guard. An entry of a slice was read from the
// slice, which was read from the map.
func (g guardedReads) has(at readAt) bool {
	for at.depth > 1 && !g[at] {
		at.depth--
	}
	return g[at]
}

// guardedReads returns the places at which every one of entries holds guard. What is used without guard,
// and was read there, has left the section.
func (w *World) guardedReads(entries []*Entry, guard *Lock) guardedReads {
	reads := make(guardedReads)
	if guard == nil {
		return reads
	}
	for _, e := range entries {
		if at, ok := readBy(e.Use.Op, e.Use.Pos, e.Ref.Depth); ok {
			before, seen := reads[at]
			reads[at] = e.Holds(*guard, false) && (before || !seen)
		}
	}
	return reads
}

// LeftBy reports whether what e uses was read from its variable at pos.
func (e *Entry) LeftBy(pos token.Pos) bool { return e.readAt() == readAt{pos: pos} }

// mayLeave reports whether outside has what can conflict at all: something that was read at one of starts
// while a lock was held there, and that is written too.
func (u *variableUses) mayLeave(written bool) bool {
	if len(u.outside) == 0 {
		return false
	}
	locked := make(map[token.Pos]bool)
	for i := range u.starts {
		if use := u.starts[i].Use; len(use.At.Held) > 0 && !use.Op.Writes() {
			locked[use.Pos] = true
		}
	}
	type part struct {
		element string
		depth   int
	}
	changed := make(map[part]bool)
	for i := range u.outside {
		if use := u.outside[i].Use; use.Op.Writes() {
			changed[part{use.Element, use.Ref.Depth}] = true
		}
	}
	return slices.ContainsFunc(u.outside, func(e Entry) bool {
		use := e.Use
		meets := use.Op == mapuse.Alias && written || changed[part{use.Element, use.Ref.Depth}] && len(use.At.Held) == 0
		return meets && locked[use.Ref.Read]
	})
}

// leftSections returns those of outside that have a conflict with a write under the guard of v, and notes
// in v and evidence how it shows. entries are the uses of the map inside and outside of sections.
//
// The write must hold the guard: what nobody guards is not the element's leaving. Where an element is used
// without having been read under the guard, somebody else may have made it.
func (w *World) leftSections(v *Verdict, about *variable, entries, outside []*Entry, best *Evidence, evidence map[string]bool) []*Entry {
	if v.Guard == nil || len(outside) == 0 {
		return nil
	}
	reads := w.guardedReads(entries, v.Guard)
	var uses, writes []*Entry
	for _, e := range outside {
		switch {
		case e.Use.Op.Writes() && e.Holds(*v.Guard, true):
			writes = append(writes, e)
		case reads.has(e.readAt()) && e.isOutside():
			uses = append(uses, e)
		}
	}
	if len(uses) == 0 {
		return nil
	}
	for _, e := range entries {
		if e.Use.Op.Writes() && e.Holds(*v.Guard, true) {
			writes = append(writes, e)
		}
	}
	var out []*Entry
	writers := w.classify(writes)
	for _, c := range w.classify(uses) {
		why, writer := w.meets(c[0], writers, about)
		if why.Grade == None || why.Grade < v.Grade {
			continue
		}
		if why.Grade > v.Grade {
			out = nil
		}
		order := why.compare(*best)
		if order > 0 {
			*best, v.Grade, v.Pair = why, why.Grade, [2]*Entry{c[0], writer}
			clear(evidence)
		}
		if order >= 0 {
			evidence[why.Why] = true
		}
		out = append(out, c...)
	}
	return out
}

// Leaving returns the uses of what is read at the uses of v that would be outside of the section that is put around these:
// with a use inside, or outside of another section, they have a conflict.
func (w *World) Leaving(v Verdict) []*Entry {
	reads := make(guardedReads)
	for _, j := range v.Uses {
		if at, ok := j.reads(); ok {
			reads[at] = true
		}
	}
	var uses, writes []*Entry
	for _, e := range v.outside {
		if !reads.has(e.readAt()) {
			continue
		}
		if e.Use.Op.Writes() {
			writes = append(writes, e)
		}
		if e.isOutside() && (v.Guard == nil || !e.Holds(*v.Guard, e.Use.Op.Writes())) {
			uses = append(uses, e)
		}
	}
	writers := w.classify(writes)
	var out []*Entry
	for _, c := range w.classify(uses) {
		if why, _ := w.meets(c[0], writers, v.about); why.Grade > None {
			out = append(out, c...)
		}
	}
	return out
}

// ReadAt returns where what e uses was read.
func (e *Entry) ReadAt() token.Pos { return e.readAt().pos }

// isOutside reports whether e may be outside of the section that what it uses was read in; what still holds the
// guard meets no writer. What callers outside the program do with a result, they do without a lock; callers
// inside are followed to their own uses, except for those that call through an interface.
func (e *Entry) isOutside() bool {
	return !e.Use.Returned || e.Root == Exported && e.way.in == nil || e.goesUnseen()
}

// goesUnseen reports whether what e returns goes to a caller that does not name the function.
func (e *Entry) goesUnseen() bool {
	if e.way.in == nil {
		return false
	}
	call := e.way.lastCall()
	return call.Dispatched || call.Applied || call.Stored
}

// LeftUnseen reports whether e lets something out to a caller that does not name the function.
func (e *Entry) LeftUnseen() bool { return e.Use.Returned && e.goesUnseen() }

// lastCall returns the call of the function that s ends in; s leads through one.
func (s *step) lastCall() *lockset.Edge {
	for s.in.in != nil {
		s = s.in
	}
	return s.Edge
}

// meets returns the strongest evidence that e meets one of writers, and which.
func (w *World) meets(e *Entry, writers [][]*Entry, about *variable) (best Evidence, writer *Entry) {
	for _, c := range writers {
		if why, _ := w.pair(e, c[0], about); why.compare(best) > 0 {
			best, writer = why, c[0]
		}
	}
	return best, writer
}

// unfollowed returns the ways to where the map of v, whose entries are written somewhere, goes where it is not followed, or
// the address of its variable does.
func (w *World) unfollowed(v Verdict, uses *variableUses) []*Entry {
	written := slices.ContainsFunc(v.Uses, func(j Judged) bool { return j.Op.Writes() && j.Op.Part() == mapuse.Entries })
	if !written {
		return nil
	}
	var out []*Entry
	for i := range uses.unfollowed {
		out = append(out, &uses.unfollowed[i])
	}
	for i := range uses.outside {
		if e := &uses.outside[i]; e.Use.Op == mapuse.Alias && w.outlives(e.Use) {
			out = append(out, e)
		}
	}
	return out
}

// outlives reports whether the alias u goes to somebody else while its variable stays: what the function that returns
// it made, nobody else has afterwards.
func (w *World) outlives(u *mapuse.Use) bool {
	return !u.Returned || w.roots[w.Bodies[u.Func]] == Exported && u.Ref.Path.Root.Kind != access.Made
}
