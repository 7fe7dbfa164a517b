// Package session remembers who is logged in.
package session

import (
	"crypto/rand"
	"log"
	"sync"
	"time"
)

// A Session is one login of a user.
type Session struct {
	User    string
	Expires time.Time
}

// A Manager opens, finds and closes sessions, and closes the expired ones by itself once started.
// It is safe for concurrent use.
type Manager struct {
	ttl  time.Duration
	done chan struct{} // closed by Stop

	mu       sync.RWMutex
	sessions map[string]Session // by token
}

// NewManager returns a manager whose sessions last ttl.
func NewManager(ttl time.Duration) *Manager {
	return &Manager{
		ttl:      ttl,
		done:     make(chan struct{}),
		sessions: make(map[string]Session),
	}
}

// Start begins to close expired sessions.
func (m *Manager) Start() {
	go m.sweepLoop()
}

// Stop ends what Start began. It must be called at most once.
func (m *Manager) Stop() {
	close(m.done)
}

// Open logs a user in and returns the token of the new session.
func (m *Manager) Open(user string, now time.Time) string {
	token := rand.Text()

	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[token] = Session{User: user, Expires: now.Add(m.ttl)}
	return token
}

// Lookup returns the session with a token, unless it has expired.
func (m *Manager) Lookup(token string, now time.Time) (Session, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()

	s, ok := m.sessions[token]
	if !ok || now.After(s.Expires) {
		return Session{}, false
	}
	return s, true
}

// Close ends the session with a token.
func (m *Manager) Close(token string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, token)
}

// Len returns the number of sessions, expired ones that have not been swept included.
func (m *Manager) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.sessions)
}

func (m *Manager) sweepLoop() {
	tick := time.NewTicker(m.ttl / 4)
	defer tick.Stop()
	for {
		select {
		case <-m.done:
			return
		case now := <-tick.C:
			if n := m.sweep(now); n > 0 {
				log.Printf("session: %d expired", n)
			}
		}
	}
}

// sweep closes the sessions that have expired by now and returns how many there were.
func (m *Manager) sweep(now time.Time) int {
	m.mu.RLock()
	defer m.mu.RUnlock()

	n := 0
	for token, s := range m.sessions {
		if now.After(s.Expires) {
			delete(m.sessions, token)
			n++
		}
	}
	return n
}
