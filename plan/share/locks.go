package share

import (
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file relates locks to the map they are held around, so that they can be compared between
// goroutines.

// Relation is where a lock stands as seen from a map variable.
type Relation uint8

const (
	Own     Relation = iota + 1 // in the struct that owns the map, or a part of it
	Up                          // in a struct that the owner is reached from
	Package                     // a package variable
	Same                        // named by the same path in one activation of one function
	Other                       // none of these: which instance it is, is not known
)

// Lock is a lock that is held at an entry, as seen from the map. Locks of two entries are the same
// when relation and ID are.
type Lock struct {
	Relation Relation
	ID       string // what is compared
	Class    access.Var
	Mode     lockset.Mode
	Path     access.Path
	Indirect bool
	Once     bool   // orders, but guards nothing
	Group    bool   // a wait group
	Flag     bool   // what is held for writing comes before the flag is set
	First    bool   // and nobody did that before
	Starts   int    // how many of the last goroutines on the way were started by the one run that holds it
	Many     bool   // several of them may run at once
	Lent     bool   // by whoever started the goroutine, which it does not keep from those that were started beside it
	Late     bool   // they may run on when the run is over
	Copied   bool   // a copy of the lock, which guards nothing
	Suffix   string // Own: from the owner to the lock, ".mu"; Up: from the common struct to the lock
	Rest     string // Up: from the common struct to the owner
	opaque   bool   // Other: the lock or the owner is not reached from a parameter
}

// id is what makes two locks the same, in one word.
func (l Lock) id() string {
	id := string(rune('0'+l.Relation)) + l.ID
	if l.Copied {
		id += "="
	}
	if l.Flag && !l.First {
		id += "!"
	}
	return id
}

// Name returns what people call the lock: "mu", "Server.mu", "cacheMu".
func (l Lock) Name() string {
	switch l.Relation {
	case Own:
		return strings.TrimPrefix(l.Suffix, ".")
	case Package:
		return access.ShortKey(l.ID)
	}
	if l.Class.Owner != "" && l.Relation != Same {
		return l.Class.Owner + "." + l.Class.Field
	}
	if !l.Class.IsZero() {
		return l.Class.Field
	}
	return "a lock"
}

// locks returns the locks held at e, as seen from its map.
func (e *Entry) locks() []Lock {
	if e.related == nil {
		e.related = e.relateLocks()
	}
	return e.related
}

func (e *Entry) relateLocks() []Lock {
	owner := ownerOf(e.Ref)
	out := []Lock{}
	for _, h := range e.At.Held {
		l := relate(h, owner, e.Ref)
		l.First = l.First || l.Flag && e.runs(l.Group) == once
		out = append(out, l)
	}
	return out
}

// ownerOf returns the path of the struct that has the field r ends in, or of r when it is no field.
func ownerOf(r access.Ref) access.Path {
	if r.Var.Owner != "" || strings.Contains(r.Var.Field, ".") {
		return OwnerPath(r)
	}
	return r.Path
}

// OwnerPath returns the path of the struct that has the field r ends in.
func OwnerPath(r access.Ref) access.Path {
	p := r.Path
	for range r.Depth {
		p, _ = p.Parent()
	}
	p, _ = p.Parent()
	return p
}

func relate(h lockset.Held, owner access.Path, r access.Ref) Lock {
	l := Lock{Class: h.Class, Mode: h.Mode, Path: h.Path, Indirect: h.Indirect, Once: h.Once, Flag: h.Flag, Group: h.Group, First: h.First, Starts: h.Starts, Many: h.Many, Late: h.Late, Lent: h.Lent, Copied: h.Copied}
	if h.Copied {
		h.Path = h.Origin
	}
	_, rest, suffix := access.CommonPrefix(owner.Sel, h.Path.Sel)
	isField := owner != r.Path || r.Var.Owner != ""
	if h.Seen != (lockset.Seen{}) {
		rest, suffix = h.Seen.Rest, h.Seen.Suffix
	}
	together := h.Path.Root == owner.Root || h.Seen != (lockset.Seen{})
	switch {
	case together && rest == "" && suffix != "" && isField && owner.Known():
		l.Relation, l.Suffix, l.ID = Own, suffix, suffix
	case together && isField && owner.Known() && !isLocalVar(r):
		l.Relation, l.Suffix, l.Rest = Up, suffix, rest
		l.ID = rest + "|" + h.Class.String() + "|" + suffix
	case h.Path.Root.Kind == access.Global && (h.Class.Owner == "" || r.Path.Root.Kind == access.Global):
		l.Relation, l.ID = Package, h.Path.Root.Name+h.Path.Sel
	case isLocalVar(r):
		l.Relation, l.ID = Same, h.Path.String()
	default:
		l.Relation, l.ID = Other, h.Class.String()
		l.opaque = h.Path.Root.Kind != access.Param || owner.Root.Kind != access.Param
	}
	return l
}

// isLocalVar reports whether r is a local variable of a function, not a field.
func isLocalVar(r access.Ref) bool {
	return r.Path.Root.Kind == access.Made && r.Path.Sel == ""
}

// excludes reports whether a lock held at both places keeps them from running at once.
func excludes(a, b Lock) bool {
	same := a.Relation != Other && a.Relation == b.Relation && a.ID == b.ID || a.inPackage() && a.Path == b.Path
	return !a.Copied && !b.Copied && same && exclusive(a, b)
}

// distant reports whether l, which orders and guards nothing, is reached by several steps from the map, or the map from
// it: other owners may have another one around the same map, or the same around other maps.
func (l Lock) distant() bool {
	return l.Once && (l.Relation == Up || l.Relation == Own && access.CountSteps(l.Suffix) > 1)
}

// striped reports whether l is one of several locks, of an array or a map of them, around the one map that r is: two
// that are held need not be the same. Where the maps stand in an array, too, it is taken to be the one of each.
func (l Lock) striped(r access.Ref) bool {
	return r.Depth == 0 && (l.Relation == Own || l.Relation == Up) && strings.Contains(l.Suffix, "[")
}

// inPackage reports whether l is, or lies in, what a package variable holds, so that its path means the same everywhere.
func (l Lock) inPackage() bool { return l.Path.Root.Kind == access.Global }

// exclusive reports whether a and b, one lock, are not held at once: one of them must be held in write mode. Which
// of the two places writes does not matter: what writes with a read lock does not meet what holds the write lock,
// but all that holds the read lock.
func exclusive(a, b Lock) bool {
	if a.Flag {
		return beforeFlag(a, b) && (a.First || a.Mode == lockset.Read) && (b.First || b.Mode == lockset.Read)
	}
	if a.Late && b.Mode == lockset.Read || b.Late && a.Mode == lockset.Read {
		return false
	}
	return a.Mode == lockset.Write || b.Mode == lockset.Write
}

// mayBeSame reports whether a and b may be one lock although their paths do not show it.
func mayBeSame(a, b Lock) bool {
	if a.Copied || b.Copied {
		return false // nobody else has it
	}
	if a.Relation == b.Relation && a.ID == b.ID {
		return false // known to be the same, and not enough
	}
	if a.Once || b.Once { // not locks, and told apart by what they are
		return orders(a, b) && a.Once && b.Once && a.Class == b.Class && !a.Class.IsZero() && (a.vague() || b.vague())
	}
	if a.Indirect || b.Indirect {
		return true
	}
	if a.Class != b.Class || a.Class.IsZero() {
		return a.Class.IsZero() || b.Class.IsZero()
	}
	return a.vague() || b.vague()
}

// orders reports whether a and b, if they are one thing that is no lock, tell which comes first, or that both are the
// same run.
func orders(a, b Lock) bool { return a.Mode != b.Mode || a.Mode == lockset.Write && !a.Flag }

// vague reports whether l's instance is not known in terms of what its function was given.
func (l Lock) vague() bool {
	return l.Relation == Up && access.CountSteps(l.Suffix) == 1 || l.Relation == Other && l.opaque
}

// mayGuard reports whether l, of something that the function chose, may be the lock of the owner of v:
//
//	first, second := from, to
//	if first.id > second.id {
//		first, second = second, first
//	}
//	first.mu.Lock()
//	second.mu.Lock()
//	from.balance[currency]--
func (l Lock) mayGuard(v access.Var) bool {
	return l.Relation == Other && l.opaque && !l.Once && !l.Copied && v.Owner != "" && l.Class.Owner == v.Owner && l.Class.Package == v.Package
}

// Holds reports whether e holds lock, in write mode if write.
func (e *Entry) Holds(lock Lock, write bool) bool {
	for _, l := range e.locks() {
		if l.is(lock) && (!write || l.Mode == lockset.Write) {
			return true
		}
	}
	return false
}

// HoldsCopy reports whether e holds a copy of lock, or of any lock around the map that is copied, and not lock
// itself.
func (e *Entry) HoldsCopy(lock Lock) bool {
	for _, l := range e.locks() {
		if l.Copied && (l.Relation == lock.Relation && l.ID == lock.ID || lock.Copied) {
			return true
		}
	}
	return false
}
