package share

import (
	"slices"

	"mapmend/plan/mapuse"
)

// This file leaves out the ways that the program takes only before it starts goroutines.

// beforeStart reports whether e happens before any goroutine of the program runs. A function that is kept then may run
// at any time.
func (e *Entry) beforeStart() bool {
	return len(e.Sites) == 0 && e.Kept == "" && (e.Root == Start || e.Root == Main) && len(e.After) == 0
}

// afterStart returns the entries that may happen while goroutines run, before, those that do not, and fillers, those that do not as
// far as the program shows: what fills a registry happens when the program does it, although the exported function that does could be called at any time:
//
//	func Register(name string, d Driver) { drivers[name] = d }
func (w *World) afterStart(entries []*Entry) (after, before, fillers []*Entry) {
	fills := make(map[string]bool) // exported functions that write: whether they only put in what they are given
	early := make(map[string]bool) // functions that the program calls: whether always before the start
	for _, e := range entries {
		if e.Root == Exported && e.Use.Op.Writes() {
			only, seen := fills[e.Func]
			fills[e.Func] = (only || !seen) && e.Use.Op == mapuse.Store && e.Use.Given
		}
		if e.Root == Exported || e.Root == Test {
			continue
		}
		for s := e.way.in; s != nil; s = s.in {
			only, seen := early[s.Func]
			early[s.Func] = (only || !seen) && e.beforeStart()
		}
	}
	before, rest := parted(entries, (*Entry).beforeStart)
	filling, after := parted(rest, func(e *Entry) bool { return e.Root == Exported && fills[e.Func] && early[e.Func] })
	fillers, _ = parted(slices.Concat(before, filling), func(e *Entry) bool { return w.Bodies[e.Use.Func].Exported })
	return after, before, fillers
}
