package share

import (
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file drops the ways that a caller does not take, because what it has just made lacks a field.

// noteUnset notes the fields of parameters that callers leave unset, by callee.
func (w *World) noteUnset(e *lockset.Edge) {
	for _, p := range e.Unset {
		if !slices.Contains(w.unset[e.Callee], p) {
			w.unset[e.Callee] = append(w.unset[e.Callee], p)
		}
	}
}

// needs returns the number of what must be set for the call edge to be made, as far as some caller of its caller leaves
// that unset.
func (s *search) needs(edge *lockset.Edge) int32 {
	var out []string
	for _, p := range edge.Needs {
		if slices.Contains(s.w.unset[edge.Caller], p) {
			out = append(out, p.String())
		}
	}
	return s.table.list(out)
}

// lacks reports whether the way of e is not taken when its root function is called by edge.
func (e *Entry) lacks(edge *lockset.Edge) bool {
	return e.way.Edge != nil && slices.ContainsFunc(e.way.Edge.Needs, func(p access.Path) bool { return slices.Contains(edge.Unset, p) })
}
