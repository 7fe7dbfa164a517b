package lockset

import (
	"math/bits"
	"slices"

	"mapmend/plan/access"
)

// This file is a set of roots that is cheap to copy, since tables in source make thousands of them.

// numbering gives the roots of one function small numbers.
type numbering struct {
	numbers map[access.Root]int
	roots   []access.Root
}

func (n *numbering) of(r access.Root) int {
	i, ok := n.numbers[r]
	if !ok {
		i = len(n.roots)
		n.numbers[r] = i
		n.roots = append(n.roots, r)
	}
	return i
}

// rootSet is a set of numbered roots, a bit each. It is never changed in place.
type rootSet []uint64

func (s rootSet) has(i int) bool { return i/64 < len(s) && s[i/64]&(1<<(i%64)) != 0 }

func (s rootSet) with(i int) rootSet {
	out := make(rootSet, max(len(s), i/64+1))
	copy(out, s)
	out[i/64] |= 1 << (i % 64)
	return out
}

func (s rootSet) without(i int) rootSet {
	if !s.has(i) {
		return s
	}
	out := slices.Clone(s)
	out[i/64] &^= 1 << (i % 64)
	return out
}

// union returns s and t, and whether t has something that s has not.
func (s rootSet) union(t rootSet) (out rootSet, more bool) {
	for i, w := range t {
		if i >= len(s) && w != 0 || i < len(s) && w&^s[i] != 0 {
			more = true
		}
	}
	if !more {
		return s, false
	}
	out = make(rootSet, max(len(s), len(t)))
	copy(out, s)
	for i, w := range t {
		out[i] |= w
	}
	return out, true
}

// all returns the roots in s, by number.
func (n *numbering) all(s rootSet) []access.Root {
	var out []access.Root
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			out = append(out, n.roots[i*64+bits.TrailingZeros64(w)])
		}
	}
	return out
}
