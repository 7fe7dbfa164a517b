package share

import (
	"cmp"
	"go/token"
	"slices"

	"mapmend/plan/lockset"
)

// This file finds the lock that a map variable is meant to be used under.

// guard returns the lock that most uses hold, writes first; nil when no use holds one that stands
// around the map.
func (w *World) guard(entries []*Entry) *Lock {
	type support struct {
		lock          Lock
		writes, reads map[token.Pos]bool
		always        int // places that write and hold it on every way
	}
	found := make(map[string]*support)
	ways := make(map[token.Pos]int) // to each place that writes
	held := make(map[heldAt]int)    // how many of them hold the lock
	for _, e := range entries {
		if e.Use.Fresh {
			continue // a lock around the making of the map says little
		}
		if e.Use.Op.Writes() {
			ways[e.Use.Pos]++
		}
		for _, l := range e.locks() {
			if l.Once || l.Relation == Other || l.Relation == Package && packageOf(l) != e.Ref.Var.Package {
				continue
			}
			id := l.id()
			s := found[id]
			if s == nil {
				s = &support{lock: l, writes: map[token.Pos]bool{}, reads: map[token.Pos]bool{}}
				found[id] = s
			}
			if e.Use.Op.Writes() && l.Mode == lockset.Write {
				s.writes[e.Use.Pos] = true
				held[heldAt{id, e.Use.Pos}]++
			} else {
				s.reads[e.Use.Pos] = true
			}
		}
	}
	for at, n := range held {
		if n == ways[at.pos] {
			found[at.id].always++
		}
	}
	ids := make([]string, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(x, y string) int {
		a, b := found[x], found[y]
		return cmp.Or(
			cmp.Compare(b.always, a.always),
			cmp.Compare(len(b.writes), len(a.writes)),
			cmp.Compare(len(b.reads)+len(b.writes), len(a.reads)+len(a.writes)),
			cmp.Compare(a.lock.Relation, b.lock.Relation),
			cmp.Compare(x, y))
	})
	if len(ids) == 0 {
		return nil
	}
	best := found[ids[0]]
	if len(best.writes) == 0 && 2*len(best.reads) < places(entries, false) {
		return nil // held for something else
	}
	if best.lock.Relation == Package && entries[0].Ref.Var.Owner != "" && 2*(len(best.reads)+len(best.writes)) <= places(entries, true) {
		return nil // one lock of the package around some uses of a field
	}
	return &best.lock
}

// heldAt is a lock at a place.
type heldAt struct {
	id  string
	pos token.Pos
}

// places returns at how many places entries only read, or with writes, read or write.
func places(entries []*Entry, writes bool) int {
	seen := make(map[token.Pos]bool)
	for _, e := range entries {
		seen[e.Use.Pos] = true
	}
	for _, e := range entries {
		if !writes && e.Use.Op.Writes() {
			delete(seen, e.Use.Pos)
		}
	}
	return len(seen)
}
