package bench

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// This file checks that goroutines which change a snapshot at a time share one copy of it, and measures what that is worth.

// queued lets all changes wait for the lock of x, and then go. It returns when all have.
func queued(x *snapshotMap, changes []func(i int)) {
	x.mu.Lock()
	var wg sync.WaitGroup
	for i, change := range changes {
		wg.Go(func() { change(i) })
	}
	for int(x.waiting.Load()) < len(changes) {
		runtime.Gosched()
	}
	x.mu.Unlock()
	wg.Wait()
}

// times returns a list that has change so many times.
func times(n int, change func(i int)) []func(i int) { return slices.Repeat([]func(int){change}, n) }

// Changes that wait for each other go into one copy, which is visible when all are in it; then they return.
func TestSharedOnce(t *testing.T) {
	keys := numbers(20)
	x := &snapshotMap{m: filled(keys)}
	var copies sync.Map
	var seen atomic.Int64
	changes := times(len(keys)-1, func(i int) {
		x.Update(keys[i], func(old int, _ bool) (int, bool) {
			if x.now.Load() != nil {
				t.Error("a copy is visible before all changes are in it")
			}
			if x.next != nil {
				copies.Store(x.next, true)
				seen.Add(1)
			}
			return old + 100, true
		})
		if v, ok := x.Load(keys[i]); !ok || v != i+100 {
			t.Errorf("after the change %s is %d, %v", keys[i], v, ok)
		}
	})
	queued(x, changes)
	n := 0
	copies.Range(func(any, any) bool { n++; return true })
	if n != 1 || int(seen.Load()) != len(changes)-1 {
		t.Errorf("%d copies, of which %d of %d changes find one", n, seen.Load(), len(changes)-1)
	}
	if v := x.Get(keys[19]); v != 19 || x.Len() != 20 {
		t.Errorf("what nobody changes is %d; %d entries", v, x.Len())
	}
}

// No change that waits is lost, whatever the others are.
func TestSharedAll(t *testing.T) {
	keys := numbers(12)
	for round := range 50 {
		x := &snapshotMap{m: map[string]int{"gone": -1, "deleted": 1, "loaded": 1}}
		changes := times(8, func(i int) { x.Store(keys[i], i) })
		changes = append(changes,
			func(i int) { x.Swap(keys[i], i) },
			func(i int) { x.LoadOrStore(keys[i], i) },
			func(i int) { x.LoadOrCompute(keys[i], func() int { return i }) },
			func(i int) { x.Update(keys[i], func(int, bool) (int, bool) { return i, true }) },
			func(int) { x.DeleteFunc(func(_ string, v int) bool { return v < 0 }) },
			func(int) { x.Delete("deleted") },
			func(int) {
				if v, ok := x.LoadAndDelete("loaded"); v != 1 || !ok {
					t.Errorf("LoadAndDelete returns %d, %v", v, ok)
				}
			})
		queued(x, changes)
		if got := x.Snapshot(); !maps.Equal(got, filled(keys)) {
			t.Fatalf("round %d: %v", round, got)
		}
	}
}

// Each change returns what it found, and that is visible when it does, though it changed nothing.
func TestSharedResults(t *testing.T) {
	const n = 12
	x := &snapshotMap{m: map[string]int{"swapped": -1, "compared": -1, "deleted": -1}}
	var swapped, added [n]int
	var won, deleted, computed, stored atomic.Int32
	queued(x, times(n, func(i int) {
		swapped[i], _ = x.Swap("swapped", i)
	}))
	queued(x, times(n, func(i int) {
		if x.CompareAndSwap("compared", -1, i) {
			won.Add(1)
		}
		if x.Get("compared") == -1 {
			t.Error("CompareAndSwap returns before the change is visible that it found")
		}
	}))
	queued(x, times(n, func(i int) {
		if _, ok := x.LoadAndDelete("deleted"); ok {
			deleted.Add(1)
		}
		if _, ok := x.Load("deleted"); ok {
			t.Error("LoadAndDelete returns before the entry is gone")
		}
	}))
	queued(x, times(n, func(i int) {
		if v, ok := x.LoadOrStore("stored", i); !ok && v == i {
			stored.Add(1)
		} else if v != x.Get("stored") {
			t.Errorf("LoadOrStore returns %d, %v", v, ok)
		}
	}))
	queued(x, times(n, func(i int) {
		v, ok := x.LoadOrCompute("computed", func() int { computed.Add(1); return i })
		if ok == (v == i) || v != x.Get("computed") {
			t.Errorf("LoadOrCompute returns %d, %v to %d", v, ok, i)
		}
	}))
	queued(x, times(n, func(i int) {
		x.Update("added", func(old int, _ bool) (int, bool) { added[i] = old; return old + 1, true })
	}))

	if won.Load() != 1 || deleted.Load() != 1 || stored.Load() != 1 || computed.Load() != 1 {
		t.Errorf("%d swaps of a value, %d deletions of an entry, %d stored and %d computed for a key, want one of each", won.Load(), deleted.Load(), stored.Load(), computed.Load())
	}
	found := append(swapped[:], x.Get("swapped"))
	slices.Sort(found)
	slices.Sort(added[:])
	for i := range n {
		if found[i] != i-1 || added[i] != i {
			t.Fatalf("swaps found %v and updates %v, want each value once", found, added)
		}
	}
}

// A function that panics or ends its goroutine does so in the goroutine that gave it, and takes no change with it.
func TestSharedPanics(t *testing.T) {
	keys := numbers(12)
	x := new(snapshotMap)
	var ended atomic.Int32
	change := func(i int) {
		defer func() {
			if r := recover(); (r != nil || i%4 == 1) && r != i {
				t.Errorf("the change %d panics with %v", i, r)
			}
			ended.Add(1)
		}()
		switch i % 4 {
		case 0:
			x.Store(keys[i], i)
		case 1:
			x.Update(keys[i], func(int, bool) (int, bool) { panic(i) })
		case 2:
			x.LoadOrCompute(keys[i], func() int { runtime.Goexit(); return 0 })
			t.Error("the goroutine has not ended")
		case 3:
			x.Update(keys[i], func(int, bool) (int, bool) { return i, true })
		}
	}
	queued(x, times(len(keys), change))
	x.Store("after", 1)
	queued(x, times(4, func(int) {
		defer func() { _ = recover() }()
		x.DeleteFunc(func(k string, _ int) bool {
			if k == keys[0] {
				panic(1)
			}
			return true
		})
	}))
	want := map[string]int{"after": 1}
	for i := range keys {
		if i%4 == 0 || i%4 == 3 {
			want[keys[i]] = i
		}
	}
	if got := x.Snapshot(); !maps.Equal(got, want) || int(ended.Load()) != len(keys) {
		t.Errorf("%v, want %v", got, want)
	}
	if !x.mu.TryLock() || x.waiting.Load() != 0 || x.next != nil || x.shown != nil || x.changes != 0 {
		t.Errorf("left behind: %d wait, copy %v with %d changes, or the lock", x.waiting.Load(), x.next, x.changes)
	}
}

// Where changes never cease, those that are done do not wait for ever.
func TestSharedLimit(t *testing.T) {
	x := new(snapshotMap)
	var visible sync.Map
	queued(x, times(2500, func(i int) {
		x.Update("a", func(old int, _ bool) (int, bool) { visible.Store(x.now.Load(), true); return old + 1, true })
	}))
	n := 0
	visible.Range(func(any, any) bool { n++; return true })
	if n != 3 || x.Get("a") != 2500 {
		t.Errorf("%d changes of 2500 with %d copies, want 3", x.Get("a"), n)
	}
}

// alone is a snapshot that each change copies for itself.
type alone struct {
	mu  sync.Mutex
	now atomic.Pointer[map[string]int]
}

func (x *alone) Load(k string) (int, bool) {
	v, ok := (*x.now.Load())[k]
	return v, ok
}

func (x *alone) Store(k string, v int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	m := maps.Clone(*x.now.Load())
	m[k] = v
	x.now.Store(&m)
}

// BenchmarkShare stores from so many goroutines, and reports how many copies of the map are made for each store.
func BenchmarkShare(b *testing.B) {
	for _, entries := range []int{10, 1000, 10_000} {
		keys := numbers(entries)
		for _, goroutines := range []int{1, 2, 16, 64, 512} {
			each, m := new(alone), filled(keys)
			each.now.Store(&m)
			for _, form := range []struct {
				name string
				of   measured[string]
			}{{"alone", each}, {"shared", &snapshotMap{m: filled(keys)}}} {
				b.Run(fmt.Sprintf("entries=%d/goroutines=%d/%s", entries, goroutines, form.name), func(b *testing.B) {
					storeFrom(b, form.of, keys, goroutines)
				})
			}
		}
	}
}

// storeFrom stores b.N times from so many goroutines.
func storeFrom(b *testing.B, m measured[string], keys []string, goroutines int) {
	full := filled(keys)
	one := allocated(func() { runtime.KeepAlive(maps.Clone(full)) })
	all := allocated(func() {
		b.ResetTimer()
		var next atomic.Int64
		var wg sync.WaitGroup
		for range goroutines {
			wg.Go(func() {
				for i := int(next.Add(1)); i <= b.N; i = int(next.Add(1)) {
					m.Store(keys[i%len(keys)], i)
				}
			})
		}
		wg.Wait()
		b.StopTimer()
	})
	b.ReportMetric(all/one/float64(b.N), "copies/op")
}

// allocated returns how many bytes f allocates.
func allocated(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc)
}

// numbers returns n keys, which are those of filled, too.
func numbers(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	return keys
}
