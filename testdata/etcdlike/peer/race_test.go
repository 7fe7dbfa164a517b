package peer

import (
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestTrackerConcurrently gives peers up while heartbeats arrive.
func TestTrackerConcurrently(t *testing.T) {
	const workers, rounds = 4, 300
	now := time.Now()
	tr := NewTracker(time.Minute)

	start := make(chan struct{})
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			<-start
			for i := range rounds {
				tr.Heartbeat("late"+strconv.Itoa(i), now.Add(-time.Hour))
				tr.Heartbeat("alive"+strconv.Itoa(worker), now)
			}
		})
		wg.Go(func() {
			<-start
			for range rounds {
				tr.prune(now)
			}
		})
		wg.Go(func() {
			<-start
			for range rounds {
				tr.Alive()
			}
		})
	}
	close(start)
	wg.Wait()

	tr.prune(now)
	if names := tr.Alive(); len(names) != workers {
		t.Errorf("alive: %v, want %d peers", names, workers)
	}
}
