package bench

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cmap "github.com/orcaman/concurrent-map/v2"
)

// This file compares each form with what it should be as good as, by turns, so that what else the machine does is the same for both:
//
//	go test -run - -bench Goals -benchtime 201x -cpu 2 ./templates/bench

// A goal compares two ways to do the same. Each does it so many times when it is called. They are made anew now and then, since how
// fast a map is depends a little on where its entries happen to be.
type goal struct {
	name  string
	times int
	made  func() (ours, other func(times int))
}

// turns is how many turns there are with the same two maps.
const turns = 10

// BenchmarkGoals reports the medians over b.N turns: of the ns that ours takes and the other, and of the other's divided by ours.
func BenchmarkGoals(b *testing.B) {
	for _, g := range goals() {
		b.Run(g.name, func(b *testing.B) {
			ns := [2][]float64{}
			var ratios []float64
			var do [2]func(int)
			for i := range b.N {
				if i%turns == 0 {
					do[0], do[1] = g.made()
				}
				for j := range 2 {
					who := (i + j) % 2
					began := time.Now()
					do[who](g.times)
					ns[who] = append(ns[who], float64(time.Since(began))/float64(g.times))
				}
				ratios = append(ratios, ns[1][i]/ns[0][i])
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(ns[0]), "ours-ns")
			b.ReportMetric(median(ns[1]), "other-ns")
			b.ReportMetric(median(ratios), "ratio")
		})
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func goals() []goal {
	words, ints := make([]string, size), make([]uint64, size)
	for i := range size {
		words[i], ints[i] = fmt.Sprintf("key-%012d", i), uint64(i)*7919
	}
	shard := func(k uint64) uint32 { return uint32(k * 0x9e3779b97f4a7c15 >> 32) }
	return append(loops(words, ints),
		goal{"sharded/orcaman/strings", 200_000, func() (ours, other func(int)) {
			return contest(words, 2, measured[string](new(shardedMap)), orcaman[string]{cmap.New[int]()})
		}},
		goal{"sharded/orcaman/ints", 200_000, func() (ours, other func(int)) {
			return contest(ints, 2, measured[uint64](new(shardedIntsMap)), orcaman[uint64]{cmap.NewWithCustomShardingFunction[uint64, int](shard)})
		}},
		goal{"sharded/mutex/64-goroutines", 3_200_000, func() (ours, other func(int)) {
			return contest(words, 64, measured[string](new(shardedMap)), &locked{m: make(map[string]int)})
		}},
	)
}

// contest compares 90 loads of 100 uses, and stores, from so many goroutines.
func contest[K any](keys []K, goroutines int, ours, other measured[K]) (func(int), func(int)) {
	for i, k := range keys {
		ours.Store(k, i)
		other.Store(k, i)
	}
	from := func(m measured[K]) func(int) {
		return func(times int) {
			var wg sync.WaitGroup
			for range goroutines {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(rand.Uint64(), 0))
					for range times / goroutines {
						x := r.Uint64()
						if k := keys[x%size]; x>>32%10 > 0 {
							m.Load(k)
						} else {
							m.Store(k, 1)
						}
					}
				})
			}
			wg.Wait()
		}
	}
	return from(ours), from(other)
}

// loops are what one goroutine does, without a call in between that the compiler cannot see through.
func loops(words []string, ints []uint64) []goal {
	const times = 20_000
	return []goal{
		{"snapshot/atomic/load", times, func() (ours, other func(int)) {
			x := &snapshotMap{m: filled(words)}
			x.Store(words[0], 1)
			m := filled(words)
			var bare atomic.Pointer[map[string]int]
			bare.Store(&m)
			return func(n int) {
					for i := range n {
						v, ok := x.Load(words[i%size])
						keep(v, ok)
					}
				}, func(n int) {
					for i := range n {
						v, ok := (*bare.Load())[words[i%size]]
						keep(v, ok)
					}
				}
		}},
		{"syncmap/sync.Map/load", times, func() (ours, other func(int)) {
			x, bare := entries(words)
			return func(n int) {
					for i := range n {
						v, ok := x.Load(words[i%size])
						keep(v, ok)
					}
				}, func(n int) {
					for i := range n {
						a, ok := bare.Load(words[i%size])
						v, _ := a.(int)
						keep(v, ok)
					}
				}
		}},
		{"syncmap/sync.Map/store", times, func() (ours, other func(int)) {
			x, bare := entries(words)
			return func(n int) {
					for i := range n {
						x.Store(words[i%size], i)
					}
				}, func(n int) {
					for i := range n {
						bare.Store(words[i%size], i)
					}
				}
		}},
		{"rwmutex/raw/load", times, func() (ours, other func(int)) {
			x, mu, m := &rwmutexIntsMap{m: filled(ints)}, new(sync.RWMutex), filled(ints)
			return func(n int) {
					for i := range n {
						v, ok := x.Load(ints[i%1000])
						keep(v, ok)
					}
				}, func(n int) {
					for i := range n {
						mu.RLock()
						v, ok := m[ints[i%1000]]
						mu.RUnlock()
						keep(v, ok)
					}
				}
		}},
		{"rwmutex/raw/store", times, func() (ours, other func(int)) {
			x, mu, m := &rwmutexIntsMap{m: filled(ints)}, new(sync.RWMutex), filled(ints)
			return func(n int) {
					for i := range n {
						x.Store(ints[i%1000], i)
					}
				}, func(n int) {
					for i := range n {
						mu.Lock()
						m[ints[i%1000]] = i
						mu.Unlock()
					}
				}
		}},
	}
}

// entries returns two maps of keys, one of the form syncmap without a lock.
func entries(keys []string) (*syncmapFreeMap, *sync.Map) {
	x, bare := new(syncmapFreeMap), new(sync.Map)
	for i, k := range keys {
		x.Store(k, i)
		bare.Store(k, i)
	}
	return x, bare
}

var kept int

// keep uses what was loaded, or the compiler would load nothing.
func keep(v int, ok bool) {
	if ok {
		kept += v
	}
}

// A sharded map that is empty is small, and a store of a key that is there allocates nothing.
func TestShardedAllocates(t *testing.T) {
	if n := reflect.TypeFor[shardedMap]().Size(); n > 16 {
		t.Errorf("an empty map has %d bytes, want 16", n)
	}
	x := &shardedMap{m: map[string]int{"a": 1}}
	x.Store("a", 2)
	if n := testing.AllocsPerRun(100, func() { x.Store("a", 3) }); n != 0 {
		t.Errorf("a store of a key that is there allocates %v times", n)
	}
}
