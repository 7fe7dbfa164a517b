// Package confirm shows the race of a finding: it writes a test in which two functions that use the map variable start together, on
// one object, and runs it under the race detector, which the same test satisfies once the variable is mended.
//
// A function whose callers hold a lock is not called without one, which would be a race that the program does not have: they are called.
//
// The test is beside the package only for the go command, as an overlay; nothing is written to the module. It is a witness and no
// proof of the contrary: what it calls is chosen by its types, with values that are made up, and a race that needs others is not shown. What the functions do besides is done: the test runs in a temporary folder, but nothing keeps it
// from the network.
package confirm
