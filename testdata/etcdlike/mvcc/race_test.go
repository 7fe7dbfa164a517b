package mvcc

import (
	"strconv"
	"sync"
	"testing"
)

// TestIndexConcurrently restores items while others write and read.
func TestIndexConcurrently(t *testing.T) {
	const workers, rounds = 4, 300
	ix := NewIndex()

	start := make(chan struct{})
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			<-start
			for i := range rounds {
				rev := Revision(i*workers + worker + 1)
				ix.Restore("shared", Item{Created: 1, Modified: rev, Version: 1})
			}
		})
		wg.Go(func() {
			<-start
			for i := range rounds {
				key := strconv.Itoa(worker*rounds + i)
				ix.Put(key, Revision(i))
				ix.Tombstone(key)
			}
		})
		wg.Go(func() {
			<-start
			var last Revision
			for range rounds {
				item, _ := ix.Get("shared")
				if item.Modified < last {
					t.Errorf("revision %d after %d", item.Modified, last)
				}
				last = item.Modified
			}
		})
	}
	close(start)
	wg.Wait()

	if item, _ := ix.Get("shared"); item.Modified != workers*rounds {
		t.Errorf("the newest revision is %d, want %d", item.Modified, workers*rounds)
	}
}
