package share

import (
	"slices"

	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
)

// This file clears the variables that are guarded in the plainest way, so that not every way to every
// use of theirs has to be looked for.

// guarded reports whether every way to one of uses takes, at the latest in the use's own function, one
// and the same lock of the owner. Then no two uses meet, whoever calls from further out.
func (s *search) guarded(uses []*mapuse.Use) bool {
	var common []string
	for i, u := range uses {
		wk := &guardWalker{search: s, write: u.Op.Writes(), seen: make(map[state]bool), common: common, any: i == 0}
		start := s.start(u)
		if !wk.up(&start) {
			return false
		}
		common = wk.common
	}
	return true
}

// guardWalker follows one use to where it gets a lock of the owner.
type guardWalker struct {
	*search
	write  bool
	seen   map[state]bool
	common []string // the locks of the owner that all ways hold so far
	any    bool     // no way was seen yet
}

// up reports whether all ways to e hold one of wk.common.
func (wk *guardWalker) up(e *Entry) bool {
	key := e.state()
	if wk.seen[key] {
		return true
	}
	if e.way.depth > maxDepth || len(wk.seen) >= maxStates {
		return false
	}
	wk.seen[key] = true
	if held := wk.own(e); len(held) > 0 {
		wk.common, wk.any = held, false
		return true
	}
	b := wk.w.Bodies[e.Func]
	if b == nil {
		return true
	}
	if root, _ := wk.rootAt(e, b); root != NoRoot && root != Test {
		e := *e
		e.Root = root
		return e.beforeStart()
	}
	for _, edge := range wk.w.callers[e.Func] {
		if e.passes(edge.Caller) {
			continue
		}
		if next, ok := wk.through(e, edge); ok && !wk.up(&next) {
			return false
		}
	}
	return true
}

// own returns which of wk.common, or if there was no way yet which locks of the owner, e holds in the
// mode it needs.
func (wk *guardWalker) own(e *Entry) []string {
	var held []string
	for _, l := range e.relateLocks() {
		if l.Relation == Own && !l.Once && (l.Mode == lockset.Write || !wk.write) && (wk.any || slices.Contains(wk.common, l.ID)) {
			held = append(held, l.ID)
		}
	}
	return held
}
