// Package intent reads what the authors of a package say about its map variables: in directives, which are
// orders, and in prose, which is evidence.
//
// A directive is a comment line without a space after the slashes:
//
//	type Store struct {
//		mu   sync.Mutex
//		byID map[int]*Lease //mapmend:guardedby mu
//		conf map[string]int //mapmend:immutable
//	}
//
//	//mapmend:requires mu
//	func (s *Store) expire() { ... }
//
// It stands in the doc comment or at the end of the line of a struct field, a package variable, a local map,
// a type (then it is about all map fields) or, for requires, a function. "// +checklocks:mu" is read as
// guardedby at a variable and as requires at a function. A directive that does nothing is a [Problem], never
// silence: nothing there to apply to, a mutex of that name does not exist, the verb does not exist, ignore
// without a reason.
//
// Prose that says "safe for concurrent use", and a TODO or FIXME about a missing lock, are a [Claim] about the
// maps that they stand at. Prose with a negation claims nothing. Prose that asks the callers of a function for when they
// call it is a [Term]: "must be called before Start".
//
// What it does not do: it does not look at what the code does. Whether a claim or a promise is true is the
// question of package share.
package intent
