// Package access names memory so that two mentions of one location are equal.
//
// A [Path] is a root (a parameter, a captured variable, a package variable, something made in the
// function) and the fields that lead from it: s.mu in a method of *Store is parameter 0 followed by
// ".mu". Dereferences are not written down: &s.mu, s.mu where mu is a pointer, and a variable that
// was assigned &s.mu once all have the same Path, since Go's field names already tell them apart.
//
// Paths hold names, not field indices. A field's name is unique in its struct, needs no types to
// print, and is the same whether the struct came from source or from export data.
//
// Two equalities are offered and never mixed up. Paths that are == name the same location in one
// activation of one function, under the assumption that pointers on the way are not changed in
// between. Across functions and goroutines only a [Var], the map variable or lock by package, owner
// and field, is comparable; whether two mentions of one Var may be the same instance is the
// question of package share.
//
// What it does not do: it has no alias analysis beyond single assignment. Elements of a map, slice
// or array are one location, "[]". A value whose origin is unknown gets a root of its own.
package access
