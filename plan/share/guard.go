package share

import (
	"cmp"
	"go/token"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file finds the lock that a map variable is meant to be used under.

// guard returns the lock that most uses hold, writes first; nil when no use holds one that stands
// around the map. Of missed, uses to which no way was found, it is not known what they hold.
func (w *World) guard(entries, missed []*Entry) *Lock {
	type support struct {
		lock          Lock
		writes, reads map[token.Pos]bool
		always        [2]int // places that hold it on every way: those that only read, those that write
	}
	found := make(map[string]*support)
	ways := make(map[place]int)  // to each place
	held := make(map[heldAt]int) // how many of them hold the lock
	for _, e := range entries {
		if e.Use.Fresh {
			continue // a lock around the making of the map says little
		}
		at := place{e.Use.Pos, e.Use.Op.Writes()}
		ways[at]++
		for _, l := range e.locks() {
			if l.Once || l.Lent || strings.HasPrefix(l.Suffix, "."+e.Ref.Var.Field+"[]") || // of one element of the map
				l.Relation == Other || l.Relation == Package && !l.Copied && access.PackageOf(l.Path.Root.Name) != e.Ref.Var.Package {
				continue
			}
			id := l.id()
			s := found[id]
			if s == nil {
				s = &support{lock: l, writes: map[token.Pos]bool{}, reads: map[token.Pos]bool{}}
				found[id] = s
			}
			if at.writes && l.Mode == lockset.Write {
				s.writes[e.Use.Pos] = true
			} else {
				s.reads[e.Use.Pos] = true
			}
			if !at.writes || l.Mode == lockset.Write {
				held[heldAt{id, at}]++
			}
		}
	}
	for h, n := range held {
		switch {
		case n < ways[h.at]:
		case h.at.writes:
			found[h.id].always[1]++
		default:
			found[h.id].always[0]++
		}
	}
	ids := make([]string, 0, len(found))
	for id, s := range found {
		if s.always != [2]int{} || !strings.Contains(s.lock.Suffix, "[]") { // of one element of something else, held by chance
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(x, y string) int {
		a, b := found[x], found[y]
		if a.lock.Copied != b.lock.Copied {
			return map[bool]int{false: -1, true: 1}[a.lock.Copied] // a copy explains, if nothing guards
		}
		return cmp.Or(
			cmp.Compare(b.always[1], a.always[1]),
			cmp.Compare(len(b.writes), len(a.writes)),
			cmp.Compare(ofPackage(a.lock), ofPackage(b.lock)),
			cmp.Compare(len(b.reads)+len(b.writes), len(a.reads)+len(a.writes)),
			cmp.Compare(a.lock.Relation, b.lock.Relation),
			cmp.Compare(x, y))
	})
	if len(ids) == 0 {
		return nil
	}
	best := found[ids[0]]
	if reads := places(slices.Concat(entries, missed), false); len(best.writes) == 0 && (2*len(best.reads) < reads || 2*best.always[0] < reads) {
		return nil // held for something else
	}
	if best.lock.Relation == Up && best.always == [2]int{} && w.isPart(best.lock, entries) {
		return nil
	}
	if best.lock.Relation == Package && entries[0].Ref.Var.Owner != "" && (best.always == [2]int{} || 2*(len(best.reads)+len(best.writes)) <= places(entries, true)) {
		return nil // one lock of the package around some uses of a field, or around some calls that come to them
	}
	return &best.lock
}

// isPart reports whether owners of other types than that of l, a lock further out, have the map too: they use what they have of its
// owner's type without it, or with a lock of their own.
func (w *World) isPart(l Lock, entries []*Entry) bool {
	return slices.ContainsFunc(entries, func(e *Entry) bool {
		b, root := w.Bodies[e.Func], e.Ref.Path.Root
		return b != nil && b.Method != "" && b.Method != l.Class.Owner && b.Method != e.Ref.Var.Owner && root.Kind == access.Param && root.Index == 0 && e.Ref.Path.Sel != ""
	})
}

// ofPackage returns 1 for a lock of the package, and 0 for one of the owner or of what that is reached from, which says
// more.
func ofPackage(l Lock) int {
	if l.Relation == Package {
		return 1
	}
	return 0
}

// place is where a variable is read or written.
type place struct {
	pos    token.Pos
	writes bool
}

// heldAt is a lock at a place.
type heldAt struct {
	id string
	at place
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
