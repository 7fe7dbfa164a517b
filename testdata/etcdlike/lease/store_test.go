package lease

import (
	"slices"
	"testing"
	"time"
)

func TestStore(t *testing.T) {
	now := time.Now()
	s := NewStore()
	short, long := s.Grant(time.Second, now), s.Grant(time.Minute, now)
	if short.ID == long.ID {
		t.Fatalf("two leases with the ID %d", short.ID)
	}
	w := s.Watch(short.ID)

	if !s.Renew(short.ID, now.Add(time.Second)) {
		t.Error("cannot renew a lease")
	}
	if left, ok := s.TTL(short.ID, now); !ok || left != 2*time.Second {
		t.Errorf("TTL after a renewal: %v, %t", left, ok)
	}
	if got := s.expired(now.Add(3 * time.Second)); !slices.Equal(got, []ID{short.ID}) {
		t.Errorf("expired: %v, want [%d]", got, short.ID)
	}
	if !s.Revoke(short.ID) || s.Revoke(short.ID) {
		t.Error("a lease can be revoked once")
	}
	if _, ok := s.TTL(short.ID, now); ok {
		t.Error("a revoked lease has a TTL")
	}
	if first, second := <-w.C, <-w.C; first != Renewed || second != Ended {
		t.Errorf("events: %v, %v", first, second)
	}
}

func TestUnwatch(t *testing.T) {
	now := time.Now()
	s := NewStore()
	l := s.Grant(time.Second, now)
	stays, goes := s.Watch(l.ID), s.Watch(l.ID)
	s.Unwatch(goes)
	s.Revoke(l.ID)
	s.Unwatch(stays)
	if len(stays.C) != 1 || len(goes.C) != 0 {
		t.Errorf("%d events for the watcher, %d for the former one", len(stays.C), len(goes.C))
	}
}
