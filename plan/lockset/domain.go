package lockset

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file is the lattice: locks, alternatives, and how they join.

// Mode is how a lock is held. A greater mode excludes more.
type Mode uint8

const (
	Read  Mode = iota + 1 // shared: other readers may hold it too
	Write                 // exclusive
)

func (m Mode) String() string {
	switch m {
	case Read:
		return "read"
	case Write:
		return "write"
	}
	panic("lockset: unknown Mode")
}

// Held is one lock that is held.
type Held struct {
	Path     access.Path
	Class    access.Var // the field or package variable that is the lock; zero for a parameter
	Mode     Mode
	Once     bool // not a lock but a sync.Once: what its function did comes before what is done after it
	Flag     bool // not a lock but a flag that is going to be set, or was seen to be
	Group    bool // the flag is a wait group, which its goroutines set together
	First    bool // the flag was seen not to be set: nobody has done what comes before that yet
	Starts   int  // how many of the last goroutines on the way to the map were started while the sync.Once was held
	Many     bool // several of them may run at once
	Lent     bool // a lock that whoever started the goroutine holds until it has ended: it keeps others out, and not those that were started beside it
	Late     bool // they may run on when that is over, so that they do not come before what is done after it
	Indirect bool // reached through a pointer or interface, so another path may be the same lock
	Seen     Seen // where it stands to the map it is held around, when their paths no longer tell

	Copied bool        // a copy of the lock at Origin, which guards nothing: nobody else has this one
	Origin access.Path // unknown when it cannot be expressed
}

// Blocks reports whether somebody else may wait until h is given back: of what is like a sync.Once, until its function has
// returned.
func (h Held) Blocks() bool { return !h.Once || h.Mode == Write && !h.Flag }

// Seen is where a lock stood to the owner of a map as a function named both that knew them as parts of one
// thing. The zero Seen is that none did.
type Seen struct {
	Suffix string // from the thing to the lock, ".mu"
	Rest   string // from the thing to the owner
}

// Set is the locks held at once, sorted by path, without duplicates. Sets are never changed in place.
type Set []Held

func comparePaths(a, b access.Path) int {
	return cmp.Or(compareRoots(a.Root, b.Root), cmp.Compare(a.Sel, b.Sel))
}

func compareRoots(a, b access.Root) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Name, b.Name))
}

// Find returns the lock at p in s.
func (s Set) Find(p access.Path) (Held, bool) {
	i, ok := slices.BinarySearchFunc(s, p, func(h Held, p access.Path) int { return comparePaths(h.Path, p) })
	if !ok {
		return Held{}, false
	}
	return s[i], true
}

// With returns s and h. A lock that is in s already keeps the stronger mode.
func (s Set) With(h Held) Set {
	if !h.Path.Known() {
		return s
	}
	i, ok := slices.BinarySearchFunc(s, h.Path, func(h Held, p access.Path) int { return comparePaths(h.Path, p) })
	if ok {
		if s[i].Mode >= h.Mode {
			return s
		}
		out := slices.Clone(s)
		out[i].Mode = h.Mode
		return out
	}
	return slices.Insert(slices.Clone(s), i, h)
}

// Without returns s without the lock at p.
func (s Set) Without(p access.Path) Set {
	i, ok := slices.BinarySearchFunc(s, p, func(h Held, p access.Path) int { return comparePaths(h.Path, p) })
	if !ok {
		return s
	}
	return slices.Delete(slices.Clone(s), i, i+1)
}

// Join returns what is held whichever of s and t holds: the common locks in the weaker mode.
func Join(s, t Set) Set {
	var out Set
	for _, h := range s {
		if o, ok := t.Find(h.Path); ok && (h.Mode == o.Mode || !h.Once) {
			h.Mode = min(h.Mode, o.Mode)
			h.First = h.First && o.First
			h.Indirect = h.Indirect || o.Indirect
			out = append(out, h)
		}
	}
	return out
}

// Union returns what is held when both s and t hold.
func Union(s, t Set) Set {
	for _, h := range t {
		s = s.With(h)
	}
	return s
}

// Point is the visible part of one alternative: what is known when control stands at an instruction.
type Point struct {
	Held     Set
	Released []access.Path // locks the function gave back that it did not take: a caller's hold of them ended
	Maybe    []access.Path // locks held on some of the executions this point stands for
	Given    []Given       // what is known of boolean parameters when control comes here with these locks
}

// equal reports whether p and q hold the same locks.
func (p Point) equal(q Point) bool {
	return slices.Equal(p.Held, q.Held) && slices.Equal(p.Released, q.Released) && slices.Equal(p.Maybe, q.Maybe)
}

// maxPaths bounds how many locks one outcome names as given back, or as held on some ways.
const maxPaths = 4

// outside returns what of p a caller can name.
func (p Point) outside() Point {
	visible := func(q access.Path) bool {
		return q.Root.Kind != access.Local && !strings.HasSuffix(q.Sel, "~")
	}
	var out Point
	for _, h := range p.Held {
		if visible(h.Path) && !(h.Once && h.Mode == Write) {
			out.Held = append(out.Held, h)
		}
	}
	for _, q := range p.Released {
		if visible(q) && q.Root.Kind != access.Made && len(out.Released) < maxPaths {
			out.Released = append(out.Released, q)
		}
	}
	for _, q := range p.Maybe {
		if visible(q) && q.Root.Kind != access.Made && len(out.Maybe) < maxPaths {
			out.Maybe = append(out.Maybe, q)
		}
	}
	return out
}

// addPath returns ps with p, sorted.
func addPath(ps []access.Path, p access.Path) []access.Path {
	i, ok := slices.BinarySearchFunc(ps, p, comparePaths)
	if ok || !p.Known() {
		return ps
	}
	return slices.Insert(slices.Clone(ps), i, p)
}

func dropPath(ps []access.Path, p access.Path) []access.Path {
	i, ok := slices.BinarySearchFunc(ps, p, comparePaths)
	if !ok {
		return ps
	}
	return slices.Delete(slices.Clone(ps), i, i+1)
}

// alternative is one of the possible states before an instruction.
type alternative struct {
	Point
	assumed []assumption // sorted by the order they were made
	defers  []*ssa.Defer // pending, in the order they were deferred
}

// maxAlternatives bounds how many states are kept apart.
const maxAlternatives = 8

// merge adds b to as: alternatives that agree on locks and defers become one that assumes only what
// both do.
func merge(as []alternative, b alternative) []alternative {
	for i, a := range as {
		if a.equal(b.Point) && slices.Equal(a.defers, b.defers) {
			kept := commonAssumptions(a.assumed, b.assumed)
			if len(kept) == len(a.assumed) {
				return as
			}
			as = slices.Clone(as)
			as[i].assumed = kept
			return as
		}
	}
	as = append(slices.Clip(as), b)
	if len(as) > maxAlternatives {
		return []alternative{collapse(as)}
	}
	return as
}

// collapse makes one alternative that claims only what all of as do.
func collapse(as []alternative) alternative {
	out := as[0]
	all := out.Held
	for _, a := range as[1:] {
		all = Union(all, a.Held)
		out.Held = Join(out.Held, a.Held)
		for _, p := range a.Released {
			out.Released = addPath(out.Released, p)
		}
		for _, p := range a.Maybe {
			out.Maybe = addPath(out.Maybe, p)
		}
		for _, d := range a.defers {
			if !slices.Contains(out.defers, d) {
				out.defers = append(slices.Clip(out.defers), d)
			}
		}
		out.assumed = commonAssumptions(out.assumed, a.assumed)
	}
	for _, h := range all {
		if _, ok := out.Held.Find(h.Path); !ok {
			out.Maybe = addPath(out.Maybe, h.Path)
		}
	}
	return out
}
