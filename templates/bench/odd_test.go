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

// NaN comes first where two keys are compared, so that what cannot be a key is not seen to be none.
func TestOddKeyHidesUncomparable(t *testing.T) {
	k := struct {
		f float64
		x any
	}{math.NaN(), []int{}}
	x := new(xsyncOddMap)
	for name, store := range map[string]func(){
		"Store":       func() { x.Store(k, 1) },
		"Swap":        func() { x.Swap(k, 1) },
		"LoadOrStore": func() { x.LoadOrStore(k, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			store()
		}()
	}
	if n := x.Len(); n != 0 {
		t.Errorf("%d entries under what cannot be a key", n)
	}
}
