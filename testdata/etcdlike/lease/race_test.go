package lease

import (
	"sync"
	"testing"
	"time"
)

// TestStoreConcurrently grants, renews and revokes leases while others look at them.
func TestStoreConcurrently(t *testing.T) {
	const workers, rounds = 4, 300
	now := time.Now()
	s := NewStore()
	kept := s.Grant(time.Minute, now)

	start := make(chan struct{})
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			<-start
			for range rounds {
				l := s.Grant(time.Minute, now)
				s.Renew(l.ID, now)
				s.Revoke(l.ID)
			}
		})
		wg.Go(func() {
			<-start
			for range rounds {
				if left, ok := s.TTL(kept.ID, now); !ok || left != time.Minute {
					t.Errorf("TTL of the lease nobody touches: %v, %t", left, ok)
				}
			}
		})
		wg.Go(func() {
			<-start
			for range rounds {
				if n := s.Count(); n < 1 || n > 1+workers {
					t.Errorf("Count is %d, want 1 to %d", n, 1+workers)
				}
			}
		})
	}
	close(start)
	wg.Wait()

	if n := s.Count(); n != 1 {
		t.Errorf("Count is %d when all but one are revoked", n)
	}
}
