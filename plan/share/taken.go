package share

import "mapmend/plan/access"

// This file tells where on the way to a use a lock was taken.

// Taken is where an entry has a lock from.
type Taken struct {
	Funcs []string    // keys of functions, each of which calls the next; the last takes the lock, itself or by a helper that has returned
	Path  access.Path // as the first of them names it, in whose terms it is seen where the lock stands to the map
}

// Takes returns where lock was taken that e holds.
func (e *Entry) Takes(lock Lock) []Taken {
	frames, refs := e.Frames(), e.Refs()
	var funcs []string
	var out []Taken
	for i, f := range frames {
		funcs = append(funcs, f.Func)
		held := e.Use.At.Held
		if f.Edge != nil {
			held = f.Edge.At.Held
		}
		for _, h := range held {
			for k := i; ; k-- {
				if relate(h, ownerOf(refs[k]), refs[k]).is(lock) {
					out = append(out, Taken{funcs[k : i+1 : i+1], h.Path})
					break
				}
				if k == 0 {
					break
				}
				h = h.In(frames[k-1].Edge)
			}
		}
	}
	return out
}

// is reports whether l, as seen from one use of a map, is what other is as seen from another.
func (l Lock) is(other Lock) bool {
	return !l.Copied && !l.Lent && l.Relation == other.Relation && l.ID == other.ID
}
