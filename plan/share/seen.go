package share

import (
	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file keeps what is known of locks when a map turns out to be the part of something else:
//
//	func (b *B) Add() { b.mu.Lock(); b.a.m[k]++; b.mu.Unlock() }
//
//	b := &B{a: a}
//	go b.Add() // the map is a.m, and b.mu has nothing to do with a
//
// or the lock does:
//
//	s := &Store{mu: mu, m: make(map[string]int)}
//	s.Add(k) // holds mu, which has nothing to do with s

// see notes in next, the way e as the caller of edge sees it, where its locks stand to the map as far as the
// callee names both.
func (s *search) see(next, e *Entry, edge *lockset.Edge) {
	before, after := owner(e.Ref), owner(next.Ref)
	at, seen := next.At, false
	at.Held = nil
	for _, h := range next.At.Held {
		if !isNear(stands(h, after)) {
			if l := stood(h, e.At.Held, before, edge); isNear(l) {
				h.Seen, seen = lockset.Seen{Suffix: l.Suffix, Rest: l.Rest}, true
			}
		}
		at.Held = at.Held.With(h)
	}
	if seen {
		next.numbers.at = s.table.point(at)
		next.At = s.table.points[next.numbers.at]
	}
}

// stood relates h to a field of what owner leads to, as the callee of edge does: it holds held, and one of that is h.
func stood(h lockset.Held, held lockset.Set, owner access.Path, edge *lockset.Edge) Lock {
	for _, was := range held {
		if was.Class != h.Class {
			continue
		}
		l := stands(was, owner)
		to := lockset.Point{Held: lockset.Set{{Path: edge.Binding().Path(was.Path)}}}
		if isNear(l) && (to.Held[0].Path == h.Path || edge.NamedAt(to).Held[0].Path == h.Path) {
			return l
		}
	}
	return Lock{}
}

func isNear(l Lock) bool { return l.Relation == Own || l.Relation == Up }

// stands relates h to a field of what owner leads to.
func stands(h lockset.Held, owner access.Path) Lock {
	return relate(h, owner, access.Ref{Path: owner.Field("*"), Var: access.Var{Owner: "*", Field: "*"}})
}

// owner returns the path of the struct that r is a field of, or that r is while its owner is looked for.
func owner(r access.Ref) access.Path {
	if r.Var == anOwner {
		return r.Path
	}
	return ownerOf(r)
}
