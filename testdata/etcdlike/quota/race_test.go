package quota

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestLimiterConcurrently makes more requests at once than are allowed.
func TestLimiterConcurrently(t *testing.T) {
	const workers, rounds, limit = 8, 200, 1000
	l := NewLimiter(limit, time.Hour)

	start := make(chan struct{})
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			<-start
			for range rounds {
				if l.acquire("client") {
					allowed.Add(1)
				}
				if n := l.Used("client"); n < 1 || n > limit {
					t.Errorf("%d requests count, the limit is %d", n, limit)
				}
			}
		})
		wg.Go(func() {
			<-start
			for range rounds {
				if l.acquire("other") {
					l.release("other")
				}
			}
		})
	}
	close(start)
	wg.Wait()

	if n := allowed.Load(); n != limit {
		t.Errorf("%d requests were allowed, the limit is %d", n, limit)
	}
	if n := l.Used("other"); n != 0 {
		t.Errorf("%d requests count that were all released", n)
	}
}
