package bench

import (
	"math"
	"sync"
	"testing"
)

// This file checks that keys which are not equal to themselves are entries of a map of the form xsync as of any other, and that the
// entries beside them stay where they are when the library grows.

func TestOddKeys(t *testing.T) {
	const goroutines, each = 4, 20_000
	x := new(xsyncOddMap)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				k := g*each + i
				x.Store(k, k)
				if i%2 == 0 {
					x.Store(math.NaN(), k)
				}
				if v, ok := x.Load(k); !ok || v != k {
					t.Errorf("%d is lost when it is stored", k)
				}
			}
		})
	}
	wg.Wait()
	const entries = goroutines * each * 3 / 2
	if got := x.Len(); got != entries {
		t.Errorf("Len is %d, want %d", got, entries)
	}
	if got := len(x.Snapshot()); got != entries {
		t.Errorf("a copy has %d entries, want %d", got, entries)
	}
	odd := 0
	for k := range x.All() {
		if k != k {
			odd++
		}
	}
	if odd != entries/3 {
		t.Errorf("%d keys are not equal to themselves, want %d", odd, entries/3)
	}
	for k := range goroutines * each {
		if v, ok := x.Load(k); !ok || v != k {
			t.Fatalf("%d is lost", k)
		}
	}
	if v, ok := x.Swap(math.NaN(), 1); ok || v != 0 {
		t.Errorf("Swap finds %d, %v under a key that is not equal to itself", v, ok)
	}
	if v, ok := x.LoadOrStore(math.NaN(), 2); ok || v != 2 {
		t.Errorf("LoadOrStore returns %d, %v", v, ok)
	}
	x.Delete(math.NaN())
	if got := x.Len(); got != entries+2 {
		t.Errorf("Len is %d, want %d", got, entries+2)
	}
	for range x.All() {
		break // the iteration ends here, and with it that of the odd ones
	}
	x.Clear()
	if n := x.Len(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}
