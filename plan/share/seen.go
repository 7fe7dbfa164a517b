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

// see notes in next, the way e as the caller of edge sees it, where its locks stand to the map as far as the
// callee names both.
func (s *search) see(next, e *Entry, edge *lockset.Edge) {
	base := edge.Binding().Ref(access.Ref{Path: access.Path{Root: e.Ref.Path.Root}})
	named := next.Ref
	named.Path = base.Path.Join(e.Ref.Path.Sel)
	if named.Path == next.Ref.Path || !named.Path.Known() {
		return
	}
	before, after := owner(named), owner(next.Ref)
	at := next.At
	at.Held = nil
	for _, h := range next.At.Held {
		if l, now := stands(h, before), stands(h, after); isNear(l) && !isNear(now) {
			h.Seen = lockset.Seen{Suffix: l.Suffix, Rest: l.Rest}
		}
		at.Held = at.Held.With(h)
	}
	next.numbers.at = s.table.point(at)
	next.At = s.table.points[next.numbers.at]
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
