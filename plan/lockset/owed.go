package lockset

import (
	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file knows functions that give back a lock which they did not take: whoever calls one holds it.
//
//	func (t *tx) Commit() {
//		delete(t.store.m, t.key)
//		t.store.mu.Unlock()
//	}

// owed is what the function does with a lock that it gives back.
type owed struct {
	held Held
	mine bool // it may be one that the function took
	sure bool // the function gives it back wherever it goes
}

// givesBack notes that instr gives back h as alt stands.
func (a *analysis) givesBack(instr ssa.Instruction, h Held, alt *alternative) {
	if a.rec != nil || !isOutside(h.Path.Root) || h.Copied {
		return
	}
	o := a.owes[h.Path]
	if o == nil {
		if a.owes == nil {
			a.owes = make(map[access.Path]*owed)
		}
		o = &owed{held: h}
		a.owes[h.Path] = o
	}
	_, held := alt.Held.Find(h.Path)
	o.mine = o.mine || held || hasPath(alt.Maybe, h.Path) || o.held.Mode != h.Mode
	o.sure = o.sure || a.always(instr.Block())
}

// owesOf returns the locks that callers hold, since the function gives them back.
func (a *analysis) owesOf() Set {
	var out Set
	for _, o := range a.owes {
		if o.sure && !o.mine {
			out = out.With(o.held)
		}
	}
	return out
}

// withOwed returns held, and those of owed that were not given back yet.
func withOwed(p Point, owed Set) Set {
	held := p.Held
	for _, h := range owed {
		if !hasPath(p.Released, h.Path) {
			held = held.With(h)
		}
	}
	return held
}
