package share

import (
	"go/token"
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/mapuse"
)

// This file finds where a map is changed.

// Changes returns the places at which entries of the map of v are changed, and those where a function is called, in the
// same goroutine, that may lead there; sorted. A function that changes a map which it is given may change any for which mayBe
// reports true.
func (w *World) Changes(v access.Var, mayBe func(*mapuse.Use) bool) []token.Pos {
	var out []token.Pos
	var changing []string
	for i := range w.Uses {
		u := &w.Uses[i]
		if !u.Op.Writes() || u.Op.Part() != mapuse.Entries || u.Ref.Var != v && !(u.Ref.Var.IsZero() && mayBe(u)) {
			continue
		}
		if u.Ref.Var == v {
			out = append(out, u.Pos)
		}
		changing = append(changing, u.Func)
	}
	seen := make(map[string]bool)
	for len(changing) > 0 {
		callee := changing[len(changing)-1]
		changing = changing[:len(changing)-1]
		if seen[callee] {
			continue
		}
		seen[callee] = true
		for _, e := range w.callers[callee] {
			if e.Start == "" {
				out = append(out, e.Pos)
				changing = append(changing, e.Caller)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
