// Package sample writes values of a type as Go source: an expression of an int i that is another value for each i.
//
//	string                        strconv.Itoa(i)
//	*Lease                        new(Lease)
//	Tagged                        Tagged{id: ID(i)}, compared by its id if it is a struct that == does not compare
//	io.Reader                     readerDouble{number: i}, of a type that embeds an io.Reader
//	func() error                  func() error { panic(i) }
//
// Two values are another in one part, which [Sample.Path] leads to: the whole where == can compare that, or what stands in a field
// or is the first of a slice. It is compared by ==, by its length, or, if it is a function, by what that panics with. A value that is
// made twice for one i need not be the same: new(Lease) is not. Whoever tells values apart makes them once and keeps them.
//
// # What holds
//
// An expression needs nothing but i, runs no code of the program, and takes no lock. It mentions no package that the one it
// is written for does not import anyway, but for errors and strconv. The same type gives the same source.
//
// # What it does not do
//
// The values are there to be told apart, and not to be used: a double of an interface has no methods that could be called.
// Type parameters have no values; see [Instance].
package sample
