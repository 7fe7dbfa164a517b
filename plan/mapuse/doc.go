// Package mapuse finds the uses of maps in a function: what each instruction does to which map
// variable, and which locks are held there.
//
// A map variable has two parts that can race apart. Its header is the variable itself: read by
// every mention, written when the variable is assigned. Its entries are read by an index, a len or
// a range, and written by a store, a delete or a clear. Two uses conflict when they touch the same
// part and one writes it ([Use.Conflicts]).
//
// A map that is an argument is used by the callee; a callee without a body is looked up in package
// model, and reads the entries if it is not there. Uses of maps that the function itself made and
// that no other goroutine can reach are left out.
//
// What it does not do: a map value that is returned, stored or sent is a read of the header and
// nothing more; whoever holds that alias is not followed. That it is held is noted (unfollowed.go), since no lock
// around the uses that are known mends those.
package mapuse
