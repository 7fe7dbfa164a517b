package session

import (
	"sync"
	"testing"
	"time"
)

// TestSweepConcurrently sweeps many sessions while others find the one that stays.
func TestSweepConcurrently(t *testing.T) {
	const workers, rounds = 4, 300
	now := time.Now()
	m := NewManager(time.Minute)
	kept := m.Open("kept", now)
	for range rounds {
		m.Open("late", now.Add(-time.Hour))
	}

	start := make(chan struct{})
	swept := make([]int, workers)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			<-start
			swept[worker] = m.sweep(now)
		})
		wg.Go(func() {
			<-start
			for range rounds {
				if s, ok := m.Lookup(kept, now); !ok || s.User != "kept" {
					t.Errorf("Lookup of the session nobody closes: %v, %t", s, ok)
				}
			}
		})
	}
	close(start)
	wg.Wait()

	total := 0
	for _, n := range swept {
		total += n
	}
	if total != rounds {
		t.Errorf("swept %d sessions, want %d", total, rounds)
	}
}

// TestManagerConcurrently sweeps while others open, find and close sessions.
func TestManagerConcurrently(t *testing.T) {
	const workers, rounds = 4, 300
	now := time.Now()
	m := NewManager(time.Minute)
	kept := m.Open("kept", now)

	start := make(chan struct{})
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			<-start
			for range rounds {
				m.Open("late", now.Add(-time.Hour))
				m.Close(m.Open("early", now))
			}
		})
		wg.Go(func() {
			<-start
			for range rounds {
				if s, ok := m.Lookup(kept, now); !ok || s.User != "kept" {
					t.Errorf("Lookup of the session nobody closes: %v, %t", s, ok)
				}
			}
		})
		wg.Go(func() {
			<-start
			for range rounds {
				m.sweep(now)
			}
		})
	}
	close(start)
	wg.Wait()

	m.sweep(now)
	if n := m.Len(); n != 1 {
		t.Errorf("%d sessions are left, want 1", n)
	}
}
