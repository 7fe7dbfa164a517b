// Package peer tracks which members of the cluster are alive by the heartbeats they send.
package peer

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// A Tracker knows when each peer was heard of last. It is an http.Handler: a POST with a peer's name is a heartbeat of
// that peer, a GET lists the peers that are alive.
type Tracker struct {
	timeout time.Duration        // how long a peer may be silent
	seen    map[string]time.Time // the last heartbeat, by name of the peer
}

// NewTracker returns a tracker that gives a peer up after timeout. It starts to do so when Run is called.
func NewTracker(timeout time.Duration) *Tracker {
	return &Tracker{timeout: timeout, seen: make(map[string]time.Time)}
}

// ServeHTTP implements http.Handler.
func (t *Tracker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		t.Heartbeat(r.FormValue("peer"), time.Now())
		w.WriteHeader(http.StatusNoContent)
	case http.MethodGet:
		for _, name := range t.Alive() {
			fmt.Fprintln(w, name)
		}
	default:
		http.Error(w, "use GET or POST", http.StatusMethodNotAllowed)
	}
}

// Run gives up silent peers until ctx is done. It returns at once and works in the background.
func (t *Tracker) Run(ctx context.Context) {
	go func() {
		tick := time.NewTicker(t.timeout / 2)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				t.prune(now)
			}
		}
	}()
}

// Heartbeat notes that a peer was alive at now.
func (t *Tracker) Heartbeat(name string, now time.Time) {
	t.seen[name] = now
}

// Alive returns the names of the peers that have not been given up, sorted.
func (t *Tracker) Alive() []string {
	var names []string
	for name := range t.seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// prune gives up the peers that have been silent for too long.
func (t *Tracker) prune(now time.Time) {
	for name, last := range t.seen {
		if now.Sub(last) > t.timeout {
			delete(t.seen, name)
		}
	}
}
