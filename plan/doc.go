// Package plan reads Go programs and decides what to do about their maps. It never produces a byte
// of source.
//
// A map variable is shared when several goroutines can reach it, guarded when one lock is held at
// each use that may run beside a conflicting one, and owned while only one goroutine can reach it.
// [Make] finds the variables that are shared and not guarded, and decides for each how it is to be
// mended, or why it is not.
//
//	patterns -load-> Program -lockset, mapuse-> uses -share-> verdicts -decide-> Plan
//
// The subpackages each answer one question: load (what is the program), access (what memory does an
// expression name), model (what do library functions do), lockset (which locks are held), mapuse
// (what is done to which map), share (what may run at once), region (where may a lock section stand),
// report (how is it told).
//
// The form lock promises: every use that a finding names holds the guard afterwards, what was one
// section stays one, and no section contains a call that may block, call back or take the guard
// again. The form says nothing about values that leave a section.
//
// The form rwmutex promises: every mention of the variable, wherever it stands, is one operation under the
// lock of a generated type, and nothing that was one section or belongs together is parted. It is refused
// where an operation would move past a call, where the map or its owner is copied, compared with nil or
// looked at by reflection, and where source that was not loaded may use it.
//
// The forms sharded, syncmap, xsync and snapshot promise the same of what is about one key, and are refused
// where rwmutex is, and where the module's go is too old for what they generate. With sharded, syncmap and
// xsync a range, or len, may see some of the changes that are made meanwhile and not others: whoever asks for
// them accepts that.
//
// A map whose guard is hot, as a profile shows, gets a generated type in place of its guard. It is refused unless each section of the guard
// is one operation on the map, and touches nothing else that others may.
//
// What we cannot see: ordering by channels and atomic flags, locks taken behind an interface, uses
// through a copy of the map value kept elsewhere, and callers outside the program.
package plan
