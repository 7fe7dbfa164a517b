// Package m is tested with the types that the test of package templates renders into it, and a table of them,
// subjects. It is written for the oldest go version that they are rendered for.
package m

import (
	"math/rand"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// table is what all generated types have.
type table[K comparable, V any] interface {
	Load(K) (V, bool)
	Get(K) V
	Store(K, V)
	LoadOrStore(K, V) (V, bool)
	LoadOrCompute(K, func() V) (V, bool)
	Swap(K, V) (V, bool)
	Update(K, func(V, bool) (V, bool))
	Delete(K)
	LoadAndDelete(K) (V, bool)
	DeleteFunc(func(K, V) bool)
	Clear()
	Replace(map[K]V)
	Len() int
	Snapshot() map[K]V
}

// swapper is what those have whose values can be compared.
type swapper[K comparable, V any] interface {
	CompareAndSwap(k K, old, v V) bool
}

// test tests one type: made makes one that has the entries of a map from the start.
func test[K comparable, V any](made func(map[K]V) table[K, V], keys []K, values []V) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		t.Run("model", func(t *testing.T) {
			for seed := int64(0); seed < 40; seed++ {
				follow(t, rand.New(rand.NewSource(seed)), made, keys, values)
			}
		})
		t.Run("concurrent", func(t *testing.T) { collide(t, made, keys, values) })
		t.Run("once", func(t *testing.T) { once(t, made, keys, values) })
		t.Run("own", func(t *testing.T) { own(t, made, keys, values) })
		t.Run("panic", func(t *testing.T) { survive(t, made, keys, values) })
	}
}

// follow does the same at random to a map and to a generated one.
func follow[K comparable, V any](t *testing.T, r *rand.Rand, made func(map[K]V) table[K, V], keys []K, values []V) {
	want := make(map[K]V)
	x := made(nil)
	if r.Intn(2) == 0 {
		begin := make(map[K]V)
		for _, k := range keys[:r.Intn(len(keys)+1)] {
			v := values[r.Intn(len(values))]
			begin[k], want[k] = v, v
		}
		x = made(begin)
	}
	for step := 0; step < 60; step++ {
		k, v := keys[r.Intn(len(keys))], values[r.Intn(len(values))]
		had, ok := want[k]
		op := r.Intn(16)
		same := func(got, v V, gotOK, ok bool) {
			t.Helper()
			if gotOK != ok || !reflect.DeepEqual(got, v) {
				t.Fatalf("step %d, operation %d: got %v, %v; want %v, %v", step, op, got, gotOK, v, ok)
			}
		}
		switch op {
		case 0:
			got, gotOK := x.Load(k)
			same(got, had, gotOK, ok)
		case 1:
			same(x.Get(k), had, true, true)
		case 2, 3:
			x.Store(k, v)
			want[k] = v
		case 4:
			got, gotOK := x.LoadOrStore(k, v)
			if ok {
				v = had
			}
			want[k] = v
			same(got, v, gotOK, ok)
		case 5:
			called := false
			got, gotOK := x.LoadOrCompute(k, func() V { called = true; return v })
			if ok {
				v = had
			}
			if called == ok {
				t.Fatalf("LoadOrCompute computed %v although it had %v", called, ok)
			}
			want[k] = v
			same(got, v, gotOK, ok)
		case 6:
			got, gotOK := x.Swap(k, v)
			want[k] = v
			same(got, had, gotOK, ok)
		case 7, 8:
			keep := r.Intn(3) > 0
			x.Update(k, func(old V, oldOK bool) (V, bool) {
				same(old, had, oldOK, ok)
				return v, keep
			})
			if keep {
				want[k] = v
			} else {
				delete(want, k)
			}
		case 9:
			x.Delete(k)
			delete(want, k)
		case 10:
			got, gotOK := x.LoadAndDelete(k)
			delete(want, k)
			same(got, had, gotOK, ok)
		case 11:
			goes := func(_ K, got V) bool { return reflect.DeepEqual(got, v) }
			x.DeleteFunc(goes)
			for k, v := range want {
				if goes(k, v) {
					delete(want, k)
				}
			}
		case 12:
			if r.Intn(3) == 0 {
				x.Clear()
				want = make(map[K]V)
			}
		case 13:
			now := make(map[K]V)
			want = make(map[K]V)
			for i := r.Intn(len(keys) + 1); i > 0; i-- {
				now[keys[i-1]], want[keys[i-1]] = v, v
			}
			x.Replace(now)
		case 14:
			if s, isSwapper := x.(swapper[K, V]); isSwapper {
				old := values[r.Intn(len(values))]
				does := ok && any(had) == any(old)
				if does {
					want[k] = v
				}
				if s.CompareAndSwap(k, old, v) != does {
					t.Fatalf("step %d: CompareAndSwap of %v to %v: want %v", step, old, v, does)
				}
			}
		case 15:
			copied := x.Snapshot()
			equal(t, copied, want)
			for k := range copied {
				delete(copied, k)
			}
			equal(t, ranged(x), want)
		}
		if got := x.Len(); got != len(want) {
			t.Fatalf("step %d, operation %d: Len is %d, want %d", step, op, got, len(want))
		}
	}
	equal(t, x.Snapshot(), want)
	if x.Snapshot() == nil {
		t.Error("a snapshot is nil")
	}
}

// equal compares maps that may have keys that are not equal to themselves.
func equal[K comparable, V any](t *testing.T, got, want map[K]V) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	for k, v := range want {
		if now, ok := got[k]; k == k && (!ok || !reflect.DeepEqual(now, v)) {
			t.Fatalf("the value of %v is %v, want %v", k, now, v)
		}
	}
}

// collide does everything from several goroutines, for the race detector to see.
func collide[K comparable, V any](t *testing.T, made func(map[K]V) table[K, V], keys []K, values []V) {
	begin := make(map[K]V)
	for _, k := range keys {
		begin[k] = values[0]
	}
	for _, x := range []table[K, V]{made(nil), made(begin)} {
		var wg sync.WaitGroup
		for i := 0; i < 4; i++ {
			r := rand.New(rand.NewSource(int64(i)))
			wg.Add(1)
			go func() {
				defer wg.Done()
				for j := 0; j < 60; j++ {
					k, v := keys[r.Intn(len(keys))], values[r.Intn(len(values))]
					x.Store(k, v)
					x.Load(k)
					x.Get(k)
					x.LoadOrStore(k, v)
					x.LoadAndDelete(k)
					x.LoadOrCompute(k, func() V { return v })
					x.Swap(k, v)
					x.Update(k, func(old V, ok bool) (V, bool) { return old, ok })
					if n := x.Len(); n < 0 {
						t.Errorf("Len is %d", n)
					}
					for k := range x.Snapshot() {
						x.Delete(k)
					}
					for k := range ranged(x) {
						x.Delete(k)
					}
					x.DeleteFunc(func(K, V) bool { return r.Intn(2) == 0 })
					if s, ok := x.(swapper[K, V]); ok {
						s.CompareAndSwap(k, v, v)
					}
					switch r.Intn(6) {
					case 0:
						x.Clear()
					case 1:
						x.Replace(map[K]V{k: v})
					}
				}
			}()
		}
		wg.Wait()
		if got, want := x.Len(), len(x.Snapshot()); got != want {
			t.Errorf("Len is %d of %d entries", got, want)
		}
	}
}

// once checks that a value is computed by one goroutine, that no update is lost, and that a key is loaded by all
// who did not store it.
func once[K comparable, V any](t *testing.T, made func(map[K]V) table[K, V], keys []K, values []V) {
	for round := 0; round < 20; round++ {
		x := made(nil)
		k, other := keys[0], keys[1]
		var computed, updates, stored int32
		var wg sync.WaitGroup
		for i := 0; i < 4; i++ {
			v := values[i%len(values)]
			wg.Add(1)
			go func() {
				defer wg.Done()
				x.LoadOrCompute(k, func() V { atomic.AddInt32(&computed, 1); return v })
				if _, ok := x.LoadOrStore(other, v); !ok {
					atomic.AddInt32(&stored, 1)
				}
				for j := 0; j < 10; j++ { // under the lock of k, as the race detector sees
					x.Update(k, func(V, bool) (V, bool) { updates++; return v, true })
				}
			}()
		}
		wg.Wait()
		if computed != 1 || stored != 1 || updates != 40 {
			t.Fatalf("computed %d times, stored %d times, want 1; %d updates, want 40", computed, stored, updates)
		}
	}
}

// own checks that each of several goroutines sees its own changes when they are done, and gets its own panics, while
// others do the like with other keys, and no change is lost in which another panics or ends its goroutine.
func own[K comparable, V any](t *testing.T, made func(map[K]V) table[K, V], keys []K, values []V) {
	x := made(nil)
	v := values[0]
	fails := func(want any, f func()) {
		defer func() {
			if got := recover(); got != want && want != nil {
				t.Errorf("panics with %v, want %v", got, want)
			}
		}()
		f()
	}
	var wg sync.WaitGroup
	start := make(chan bool)
	owned := make(map[K]bool)
	for i, k := range keys {
		i, k := i, k
		if owned[k] || k != k {
			continue
		}
		owned[k] = true
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-start
			for j := 0; j < 30; j++ {
				x.Store(k, v)
				if _, ok := x.Load(k); !ok {
					t.Errorf("%v is not there after Store", k)
				}
				fails(i, func() { x.Update(k, func(V, bool) (V, bool) { runtime.Gosched(); panic(i) }) })
				x.Delete(k)
				if _, ok := x.Load(k); ok {
					t.Errorf("%v is there after Delete", k)
				}
				fails(i, func() { x.LoadOrCompute(k, func() V { runtime.Gosched(); panic(i) }) })
				var done sync.WaitGroup
				done.Add(1)
				go func() {
					defer done.Done()
					x.Update(k, func(V, bool) (V, bool) { runtime.Gosched(); runtime.Goexit(); return v, true })
					t.Error("Update returns though its goroutine ends")
				}()
				if y, ok := x.(table[any, V]); ok {
					fails(nil, func() { y.Store([]int{1}, v); t.Error("a slice is a key") })
				}
				x.Update(k, func(V, bool) (V, bool) { runtime.Gosched(); return v, true })
				if _, ok := x.LoadAndDelete(k); !ok {
					t.Errorf("%v is not there after Update", k)
				}
				x.Update(k, func(V, bool) (V, bool) { return v, true })
				done.Wait()
			}
		}()
	}
	close(start)
	wg.Wait()
	for k := range owned {
		if _, ok := x.Load(k); !ok {
			t.Errorf("%v is lost", k)
		}
	}
}

// survive checks that a function which panics leaves no lock behind.
func survive[K comparable, V any](t *testing.T, made func(map[K]V) table[K, V], keys []K, values []V) {
	k, v := keys[0], values[0]
	recovers := func(what string, f func()) {
		defer func() {
			if recover() == nil {
				t.Errorf("%s does not panic", what)
			}
		}()
		f()
	}
	for _, x := range []table[K, V]{made(nil), made(map[K]V{k: v})} {
		recovers("LoadOrCompute", func() { x.LoadOrCompute(keys[1], func() V { panic(1) }) })
		recovers("Update", func() { x.Update(k, func(V, bool) (V, bool) { panic(1) }) })
		x.Store(k, v)
		recovers("DeleteFunc", func() { x.DeleteFunc(func(K, V) bool { panic(1) }) })
		x.Store(k, v)
		x.Delete(k)
	}
	if x, ok := made(nil).(table[K, any]); ok {
		x.Store(k, []int{1})
		recovers("CompareAndSwap", func() { x.(swapper[K, any]).CompareAndSwap(k, []int{1}, 1) })
		x.Store(k, 1)
	}
	x, ok := made(nil).(table[any, V])
	if !ok {
		return
	}
	var bad any = []int{1}
	for i := 0; i < 2; i++ { // empty, and with an entry
		recovers("Load", func() { x.Load(bad) })
		recovers("Get", func() { x.Get(bad) })
		recovers("Delete", func() { x.Delete(bad) })
		recovers("LoadAndDelete", func() { x.LoadAndDelete(bad) })
		recovers("Store", func() { x.Store(bad, v) })
		recovers("Swap", func() { x.Swap(bad, v) })
		recovers("LoadOrStore", func() { x.LoadOrStore(bad, v) })
		recovers("LoadOrCompute", func() { x.LoadOrCompute(bad, func() V { return v }) })
		recovers("Update", func() { x.Update(bad, func(V, bool) (V, bool) { return v, true }) })
		if y, ok := x.(swapper[any, V]); ok {
			recovers("CompareAndSwap", func() { y.CompareAndSwap(bad, v, v) })
		}
		if x.Len() != i {
			t.Errorf("%d entries after panics, want %d", x.Len(), i)
		}
		x.Store("good", v)
	}
}
