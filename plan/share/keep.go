package share

import (
	"cmp"
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/kept"
	"mapmend/plan/lockset"
)

// This file asks package kept which function values may be called while a lock is held.

// Unseen notes that packages are missing: what they store where is not known, and function values are told apart by
// their type alone. It must be called before Finish.
func (w *World) Unseen() { w.blind = true }

// keep finds where function values are kept.
func (w *World) keep() {
	blind := w.blind
	for _, b := range w.Bodies {
		blind = blind || b.Failed != ""
	}
	w.kept = kept.Solve(w.facts, kept.Program{
		Own:  w.isOwn,
		Open: func(path string) bool { return w.open[path] },
		Boxed: func(key string) (is, foreign bool) {
			m, is := w.boxed[key]
			return is, len(m.Foreign) > 0
		},
		Blind: blind,
	})
	w.facts = nil
}

// unseenAt returns what else is called where t is: functions that nothing of the program made, and in generic code those
// of any type.
func (w *World) unseenAt(t string) []string {
	p, typ, ok := lockset.Value(t)
	switch {
	case !ok || !w.kept.Open(p):
		return nil
	case typ == lockset.AnyType:
		return []string{lockset.Outside, lockset.AnyType}
	}
	return []string{lockset.Outside}
}

// keptUnder reports whether the function key, used as a value, may be called while what runs is under.
func (w *World) keptUnder(under map[string]bool, key string) bool {
	for t := range under {
		if p, typ, ok := lockset.Value(t); ok && w.kept.Has(p, typ, key) {
			return true
		}
	}
	return under[lockset.AnyType] && w.kept.IsValue(key)
}

// StoredAs returns the names that source must mention to have a function called while a lock of that class is held. What
// code outside of the program can reach is left out: see [lockset.Outside]. Unless indirect is set, no lock that is reached through a
// pointer can be of that class.
func (w *World) StoredAs(class access.Var, indirect bool) []kept.Name {
	var out []kept.Name
	classes := []access.Var{class}
	if indirect {
		classes = append(classes, anyLock)
	}
	for _, class := range classes {
		for t := range w.under[class] {
			if p, _, ok := lockset.Value(t); ok && !w.kept.Open(p) {
				out = append(out, w.kept.Names(p)...)
			}
		}
	}
	slices.SortFunc(out, func(a, b kept.Name) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Name, b.Name))
	})
	return slices.Compact(out)
}
