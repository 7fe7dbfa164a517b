package share

import (
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
)

// This file judges maps that are in several owners at once, each with locks of its own.

// twinned returns the entry that puts the map in a second owner, or nil.
func twinned(entries []*Entry) *Entry {
	i := slices.IndexFunc(entries, func(e *Entry) bool { return e.Use.Twin != nil && e.Root != Dead && e.Root != Test })
	if i < 0 {
		return nil
	}
	return entries[i]
}

// several returns the place where one of entries leads to a map that several owners have, or nil.
func several(entries []*Entry) *lockset.Edge {
	for _, e := range entries {
		if e.Several != nil && e.Root != Dead && e.Root != Test {
			return e.Several
		}
	}
	return nil
}

// divided reports whether each of the owners that twin makes has a lock l of its own, so that the entries of the map
// are not guarded by it.
func divided(twin *Entry, l Lock, part mapuse.Part) bool {
	return twin != nil && part == mapuse.Entries && l.Relation == Own && !slices.Contains(twin.Use.Twin.Along, access.FirstStep(l.Suffix))
}

// guards reports whether e holds the guard of v in a way that guards its use.
func (v *Verdict) guards(e *Entry) bool {
	return v.Guard != nil && !v.Two && !v.Guard.striped(e.Ref) && e.Holds(*v.Guard, e.Use.Op.Writes()) && !divided(v.Twin, *v.Guard, e.Use.Op.Part())
}
