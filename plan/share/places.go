package share

import (
	"cmp"
	"go/token"
	"slices"

	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
)

// This file brings entries back to the places in the source where they are used.

// Judged is one place where the variable is used.
type Judged struct {
	Func    string    // key of the function
	Pos     token.Pos // of the identifier that names the variable
	Op      mapuse.Op
	At      lockset.Point // the locks there, in terms of Func
	Entries []*Entry
	Problem bool // takes part in a pair and does not hold the guard as it must, or let out what does
	Escape  Escape
	RLocked bool // a write that holds the guard in read mode
	Wrong   bool // holds another lock, and not the guard
	Divided bool // holds the guard of one of the owners that the map is in
	Copied  bool // holds a copy of the guard
	Escaped bool // is on a copy of the owner that left the section
}

// Holds reports whether all ways to j hold lock.
func (j Judged) Holds(lock Lock) bool {
	return !slices.ContainsFunc(j.Entries, func(e *Entry) bool { return !e.Holds(lock, false) })
}

// Initializes reports whether all that happens at j is that a new, empty map is put in the variable,
// as a method Start or Init does before the object is shared.
func (j Judged) Initializes() bool {
	return j.Op == mapuse.Replace && !slices.ContainsFunc(j.Entries, func(e *Entry) bool { return !e.Use.Fresh })
}

// judged groups the entries by place and says which are to change.
func (w *World) judged(entries []*Entry, problem map[*Entry]bool, v Verdict) []Judged {
	type place struct {
		pos token.Pos
		fn  string
		op  mapuse.Op
	}
	byPlace := make(map[place]*Judged)
	var order []place
	left := make(map[token.Pos]Escape)
	bare := make(map[*Judged]bool)
	reads := w.guardedReads(entries, v.Guard)
	for _, e := range entries {
		fn, pos := e.Place()
		wrong := problem[e] && !v.guards(e)
		if wrong {
			fn, pos = w.callerOf(e, fn, pos)
		}
		p := place{pos, fn, e.Use.Op}
		j := byPlace[p]
		if j == nil {
			j = &Judged{Func: fn, Pos: pos, Op: e.Use.Op, At: e.atPlace(fn)}
			byPlace[p] = j
			order = append(order, p)
		}
		j.Entries = append(j.Entries, e)
		if !wrong {
			continue
		}
		j.Problem = true
		if v.Guard == nil {
			continue
		}
		at := e.readAt()
		switch {
		case e.Holds(*v.Guard, e.Use.Op.Writes()):
			j.Divided, j.Wrong = true, true
		case e.Holds(*v.Guard, false):
			j.RLocked = true
		case e.HoldsCopy(*v.Guard):
			j.Copied = true
		case e.Ref.Copied && !v.Guard.Copied:
			j.Escaped = true
		case reads.has(at):
			j.Escape = e.escape()
			left[at.pos] = j.Escape
		case slices.ContainsFunc(e.At.Held, func(h lockset.Held) bool { return !h.Once && !h.Lent }):
			j.Wrong = true
		default:
			bare[j] = true
		}
	}
	for j := range bare {
		j.Wrong = j.Divided // on one of the ways to it nothing is held
	}
	slices.SortFunc(order, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(a.fn, b.fn), cmp.Compare(a.op, b.op))
	})
	out := make([]Judged, len(order))
	for i, p := range order {
		out[i] = *byPlace[p]
		if at, ok := out[i].reads(); ok && !out[i].Problem && left[at.pos] != Stays && (left[at.pos] == ElementLeft) == (at.depth > 0) {
			out[i].Problem, out[i].Escape = true, left[at.pos]
		}
	}
	return out
}

// callerOf returns the place that is to be blamed for a use at pos in fn, one of e.Frames: where fn declares that
// its callers hold a lock, the call.
func (w *World) callerOf(e *Entry, fn string, pos token.Pos) (string, token.Pos) {
	frames := e.Frames()
	i := slices.IndexFunc(frames, func(f Frame) bool { return f.Func == fn })
	for ; i > 0; i-- {
		caller := frames[i-1]
		if _, required := w.required[frames[i].Func]; !required || caller.Edge.Start != "" || caller.Edge.Stored {
			break
		}
		fn, pos = caller.Func, caller.Edge.Pos
	}
	return fn, pos
}

// atPlace returns the locks at the place in the function fn, one of e.Frames.
func (e *Entry) atPlace(fn string) lockset.Point {
	for _, f := range e.Frames() {
		if f.Func == fn && f.Edge != nil {
			return f.Edge.At
		}
	}
	return e.Use.At
}
