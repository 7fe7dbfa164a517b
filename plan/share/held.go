package share

import (
	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file reaches objects through the containers that they were put in:
//
//	s.clients[name] = c // delete(s.clients[name].rooms, room), later on
//	go c.readLoop()     // c.rooms[room] = true

// held follows e, a use of what b made, by the names of the containers that b put that in, too.
func (wk *walker) held(e *Entry, b *lockset.Body) {
	if e.Held || wk.untilNamed || e.Ref.Path.Root.Kind != access.Made || len(e.Sites) == 0 {
		return
	}
	for _, in := range b.Holds {
		if in.From != e.Ref.Path.Root {
			continue
		}
		at := *e
		at.Held, at.Alone = true, false
		at.Ref.Path = in.To.Join(e.Ref.Path.Sel)
		at.At = e.At.Moved(in.From, in.To)
		at.numbers.at = wk.table.point(at.At)
		wk.queue(at)
	}
}

// throughContainer reports whether one of a and b is in a goroutine that was started with an object of its own, and the other
// one reaches that object, or another one beside it, through the container that it was put in.
func throughContainer(a, b *Entry) bool {
	return a.Held != b.Held && (len(a.Sites) == 0 || len(b.Sites) == 0 || a.Sites[0] != b.Sites[0])
}
