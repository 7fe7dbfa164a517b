package lease

import "slices"

// An Event is what can become of a lease.
type Event int

const (
	Renewed Event = iota + 1 // the lease was extended
	Ended                    // the lease was revoked or has expired
)

// String returns the name of the event.
func (ev Event) String() string {
	if ev == Renewed {
		return "renewed"
	}
	return "ended"
}

// A Watcher receives the events of one lease.
type Watcher struct {
	C     <-chan Event // events; one that nobody has room for is dropped
	c     chan Event
	lease ID
}

// Watch returns a watcher of a lease. The caller hands it to Unwatch when done.
func (s *Store) Watch(id ID) *Watcher {
	c := make(chan Event, 8)
	w := &Watcher{C: c, c: c, lease: id}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[id] = append(s.watchers[id], w)
	return w
}

// Unwatch removes a watcher. It does nothing if the lease has ended.
func (s *Store) Unwatch(w *Watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()

	watchers := s.watchers[w.lease]
	if i := slices.Index(watchers, w); i >= 0 {
		s.watchers[w.lease] = slices.Delete(watchers, i, i+1)
	}
}

// notify sends ev to the watchers of a lease.
func (s *Store) notify(id ID, ev Event) {
	s.mu.RLock()
	watchers := s.watchers[id]
	s.mu.RUnlock()

	for _, w := range watchers {
		w.send(ev)
	}
}

// send delivers ev without waiting for the receiver.
func (w *Watcher) send(ev Event) {
	select {
	case w.c <- ev:
	default:
	}
}
