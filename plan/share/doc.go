// Package share decides which uses of a map variable may run at the same time on the same map.
//
// Each use is followed up the call graph to the places where execution starts ([Entry]): an exported
// function of an importable package, a goroutine, a handler, main. On the way its path is rewritten
// in terms of each caller, the callers' locks are added, and it is dropped where a caller still owns
// the object. Then the entries of one variable are judged in pairs ([Judge]): a pair is a problem
// when one writes, both may run at once, both may be on the same instance, and no lock is common.
//
// The guard is inferred from the locks that the entries hold, to explain and to mend; it does not
// decide whether there is a finding. What the author declares does: a use without a declared guard is a
// problem, whatever it may meet. How strong the evidence is that two uses meet stands in one table, the
// strongest first (evidence.go).
//
// A call of a function value reaches what is kept where the value comes from (package kept), or where importers can put
// something, what was given to them.
//
// What it does not do: atomic flags and condition variables order nothing; a call through
// an interface is followed to the methods of the types that become that interface, if those are few, and such
// a method is also an entry of its own, without locks.
package share
