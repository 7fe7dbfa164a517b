// Package kept finds where function values are kept, and so which functions a call of one may reach.
//
// A place is a struct field, a package variable, a parameter, a result: one for all instances of the struct and all
// activations of the function, with the elements of whatever slice, map, channel or pointer is stored there:
//
//	func (s *Store) OnDrop(f func(string)) { s.hooks = append(s.hooks, f) }
//
// From the parameter f of OnDrop functions flow to the field Store.hooks, and with each call of OnDrop one flows to that
// parameter. [Of] finds what flows in one package; it does not look at the order of things, nor at which instance is
// meant (as VTA does: Sundaresan et al., "Practical virtual method call resolution for Java", 2000). [Solve] puts the
// packages together, and says of each place which functions are kept there.
//
// Places that code outside of the program can reach hold more than flows there: whatever functions the program gives
// away, and others that nobody has seen. So does what the analysis cannot follow: conversions to interfaces, package
// unsafe, libraries. Such a place is open, and stands for every function of the type that was given away.
//
// Containers are followed both ways: who has the same slice or map sees what is stored in it later. Function values go
// one way.
//
// What it does not do: functions that are called by reflection, or by name, are not followed; what calls through interfaces
// pass is told apart by its type.
package kept
