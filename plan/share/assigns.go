package share

import (
	"slices"

	"mapmend/plan/access"
)

// This file asks what a call assigns.

// Assigns reports whether the function key, or what it calls by name, assigns one of vars.
func (w *World) Assigns(key string, vars []access.Var) bool {
	seen := make(map[string]bool)
	work := []string{key}
	for len(work) > 0 {
		key := work[len(work)-1]
		work = work[:len(work)-1]
		b := w.Bodies[key]
		if b == nil || seen[key] {
			continue
		}
		seen[key] = true
		if slices.ContainsFunc(b.Assigns, func(v access.Var) bool { return slices.Contains(vars, v) }) {
			return true
		}
		for i := range b.Calls {
			work = append(work, b.Calls[i].Callee)
		}
	}
	return false
}
