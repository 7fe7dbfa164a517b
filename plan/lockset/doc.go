// Package lockset computes the locks that are certainly held before each instruction, and what a
// function does to locks, goroutines and its arguments as a whole.
//
// # The domain
//
// The state before an instruction is a small set of alternatives ([Point] is the visible part of
// one). Each alternative has the locks held on every execution that it stands for, the locks of the
// caller that were given back, the pending defers and the conditions that were assumed on the way.
// Alternatives that agree on locks and defers are merged; those that do not are kept apart, so that
//
//	if shared { mu.Lock() }
//	m[k] = v
//	if shared { mu.Unlock() }
//
// is understood, and so are TryLock, helpers that return whether they hold the lock or are told so, and a local bool that
// says it. Past maxAlternatives they collapse into one: what all hold is held, what only some hold is "maybe".
//
// # The fact
//
// [Effect] is what crosses packages: plain data in terms of parameters and package variables. The
// functions of a package are analysed callees first; recursion is cut after a fixed number of
// rounds. Calls of functions without a body are looked up in package model.
//
// # What it does not do
//
// A function value that is called, and a method of an interface, do not keep what they are given; a library
// keeps it where package model says, or in what it returns.
//
// A channel orders what its close or a counted send comes after; a value that is handed over orders nothing. A lock that is reached through a pointer stored in several
// places is known under each path apart ([Held.Indirect] marks it). Calls through interfaces and
// function values that are not resolved within the function do nothing to locks.
package lockset
