// Package lease keeps the leases clients have been granted and tells watchers what becomes of them.
package lease

import (
	"context"
	"log"
	"slices"
	"sync"
	"time"
)

// ID identifies a lease. The zero ID is never granted.
type ID int64

// A Lease is a promise to keep something until it expires. It is a value: renewing a lease stores a new one.
type Lease struct {
	ID      ID
	TTL     time.Duration // as asked for by the client
	Expires time.Time     // when the lease ends unless it is renewed
}

// A Store holds all leases of a server. It is safe for concurrent use.
type Store struct {
	mu       sync.RWMutex
	last     ID                // the ID granted last
	leases   map[ID]Lease      // the leases that have not ended
	watchers map[ID][]*Watcher // who wants to know, by lease
}

// NewStore returns a store without leases.
func NewStore() *Store {
	return &Store{
		leases:   make(map[ID]Lease),
		watchers: make(map[ID][]*Watcher),
	}
}

// Grant creates a lease that ends ttl after now.
func (s *Store) Grant(ttl time.Duration, now time.Time) Lease {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.last++
	l := Lease{ID: s.last, TTL: ttl, Expires: now.Add(ttl)}
	s.leases[l.ID] = l
	return l
}

// Renew extends a lease by its TTL and reports whether the lease still existed.
func (s *Store) Renew(id ID, now time.Time) bool {
	s.mu.Lock()
	l, ok := s.leases[id]
	if ok {
		l.Expires = now.Add(l.TTL)
		s.leases[id] = l
	}
	s.mu.Unlock()

	if ok {
		s.notify(id, Renewed)
	}
	return ok
}

// Revoke ends a lease and reports whether it existed.
func (s *Store) Revoke(id ID) bool {
	s.mu.Lock()
	_, ok := s.leases[id]
	watchers := s.watchers[id]
	delete(s.leases, id)
	delete(s.watchers, id)
	s.mu.Unlock()

	for _, w := range watchers {
		w.send(Ended)
	}
	return ok
}

// TTL returns how long a lease has left, and whether it exists.
func (s *Store) TTL(id ID, now time.Time) (time.Duration, bool) {
	l, ok := s.leases[id]
	if !ok {
		return 0, false
	}
	return l.Expires.Sub(now), true
}

// Count returns the number of leases, for the metrics page.
func (s *Store) Count() int {
	return len(s.leases)
}

// Run revokes leases as they expire, until ctx is done.
func (s *Store) Run(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, id := range s.expired(now) {
				s.Revoke(id)
				log.Printf("lease: %d expired", id)
			}
		}
	}
}

// expired returns the leases that have ended by now, oldest first.
func (s *Store) expired(now time.Time) []ID {
	s.mu.RLock()
	defer s.mu.RUnlock()

	var ids []ID
	for id, l := range s.leases {
		if now.After(l.Expires) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
