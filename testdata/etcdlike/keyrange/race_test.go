package keyrange

import (
	"strconv"
	"sync"
	"testing"
)

// TestCacheConcurrently parses patterns while others are forgotten.
func TestCacheConcurrently(t *testing.T) {
	const workers, rounds = 4, 300
	before := Cached()

	start := make(chan struct{})
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			<-start
			for i := range rounds {
				pattern := strconv.Itoa(worker*rounds+i) + "*"
				if _, err := Parse(pattern); err != nil {
					t.Error(err)
				}
				Forget(pattern)
			}
		})
		wg.Go(func() {
			<-start
			for range rounds {
				if n := Cached(); n < before || n > before+workers {
					t.Errorf("%d patterns are cached, want %d to %d", n, before, before+workers)
				}
			}
		})
	}
	close(start)
	wg.Wait()

	if n := Cached(); n != before {
		t.Errorf("%d patterns are cached, want %d", n, before)
	}
}
