package share

import "mapmend/plan/mapuse"

// This file leaves out what happens to the copy of a struct alone.

// ofCopy reports whether e, whose way leads through a copy of the owner, is on something that the copy has
// for itself: the variable, or a map that it got since.
func (e *Entry) ofCopy() bool {
	frames := e.Frames()
	r := e.Use.Ref
	for i := len(frames) - 1; i >= 0; i-- {
		edge := frames[i].Edge
		if edge == nil {
			continue
		}
		var own bool
		if r, own = edge.Through(edge.Binding().Ref(r), e.Use.Op.Part() == mapuse.Header); own {
			return true
		}
	}
	return false
}
