// Package verify proves a rewrite before anyone sees it: it checks the invariants on the new contents of
// the files and returns the changes that may be shown, or for each mend it had to leave out the invariant
// that failed.
//
// # The model
//
// A proof is of the whole set: the program is loaded again with the changes as an overlay, so that all
// packages, their tests and importers are type-checked and analysed as they would be on disk. Every
// invariant compares the program before with the program after; what was wrong before is not held against
// the rewrite.
//
//	RoundTrips     the syntax of each file survives being taken apart and printed
//	Formatted      a file that was gofmt's is so again; a new file is
//	SameBody       a function that is split only takes the lock and calls its twin, which has its parameters and its body
//	OnlyPlanned    bytes outside planned declarations are identical, no comment is lost
//	EvalOrder      inside them the same operations stand in the same order, and only locks are new
//	KeptLines      lines that no planned place shares are there, comments beside the code they were beside
//	TypeChecks     no new error in any package
//	TwinCalls      a twin is called by the function that was split and at the planned places, and nowhere else
//	SameAPI        the exported API of every package is the same
//	NoCopiedLock   no type that gained a lock is copied
//	Receivers      planned receivers became pointers, and nothing else of a function but its body changed
//	NoNewBlocking  no section holds a channel operation or a wait
//	LockOrder      no section takes its own lock again, none closes a cycle of locks
//	Footprint      no lock or unlock that was there is gone, but for those of a guard that goes
//	FreedGuard     a guard that is gone had sections around one use of the map and nothing else that others may touch
//	NoBareUse      no use of a mended variable is left to change
//	Clean          no finding on a mended variable, no new finding elsewhere
//	Idempotent     a second plan has no mend of a mended variable
//
// When one fails, the mend it names is refused and the others are proved again. A failure that names no
// mend is narrowed down by halves. What is returned was proved as one set, never piece by piece.
//
// # What it does not do
//
// One build configuration is proved, the one that was loaded. A call is not followed here; whether it
// blocks or takes a lock is for the analysis that [Options.Analyze] runs. Where a use became a call of an
// accessor, EvalOrder sees that the operands stand in their order; that the call itself may be made in its
// place is what the plan refuses otherwise.
package verify
