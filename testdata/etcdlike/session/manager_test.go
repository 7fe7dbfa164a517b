package session

import (
	"testing"
	"time"
)

func TestManager(t *testing.T) {
	now := time.Now()
	m := NewManager(time.Minute)
	alice, bob := m.Open("alice", now), m.Open("bob", now.Add(30*time.Second))

	if s, ok := m.Lookup(alice, now); !ok || s.User != "alice" {
		t.Errorf("Lookup: %v, %t", s, ok)
	}
	now = now.Add(time.Minute + time.Second)
	if _, ok := m.Lookup(alice, now); ok {
		t.Error("an expired session was found")
	}
	if n := m.sweep(now); n != 1 || m.Len() != 1 {
		t.Errorf("swept %d sessions, %d are left", n, m.Len())
	}
	m.Close(bob)
	if _, ok := m.Lookup(bob, now); ok {
		t.Error("a closed session was found")
	}
}

func TestStop(t *testing.T) {
	m := NewManager(time.Minute)
	m.Start()
	m.Stop()
}
