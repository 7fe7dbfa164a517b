// Package bench has one type of each form that templates generate, checks that their accessors are linearizable, and
// measures them beside the libraries that a program might use in their place:
//
//	go test -run - -bench 'Strings|Ints' -cpu 1,2 ./templates/bench
//
// The types are kept by the test TestInstances of package templates. The figures are those of one machine under one
// load: what is to be compared should be in one run.
package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	cmap "github.com/orcaman/concurrent-map/v2"
	"github.com/puzpuzpuz/xsync/v4"
)

// size is how many entries a map has.
const size = 10_000

// measured is what is measured of a map.
type measured[K any] interface {
	Load(K) (int, bool)
	Store(K, int)
}

// bare is a sync.Map as it is.
type bare[K any] struct{ sync.Map }

func (m *bare[K]) Load(k K) (int, bool) {
	v, ok := m.Map.Load(k)
	n, _ := v.(int)
	return n, ok
}

func (m *bare[K]) Store(k K, v int) { m.Map.Store(k, v) }

// orcaman is a map of that library.
type orcaman[K comparable] struct{ cmap.ConcurrentMap[K, int] }

func (m orcaman[K]) Load(k K) (int, bool) { return m.Get(k) }
func (m orcaman[K]) Store(k K, v int)     { m.Set(k, v) }

// BenchmarkStrings measures maps with keys of 16 bytes.
func BenchmarkStrings(b *testing.B) {
	keys := make([]string, size)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%012d", i)
	}
	contend(b, keys, map[string]measured[string]{
		"rwmutex": new(rwmutexMap), "sharded": new(shardedMap), "snapshot": &snapshotMap{m: filled(keys)}, "syncmap": new(syncmapFreeMap),
		"sync.Map": new(bare[string]), "xsync": xsync.NewMap[string, int](), "orcaman": orcaman[string]{cmap.New[int]()},
	})
}

// BenchmarkInts measures maps with integer keys.
func BenchmarkInts(b *testing.B) {
	keys := make([]uint64, size)
	for i := range keys {
		keys[i] = uint64(i) * 7919
	}
	shard := func(k uint64) uint32 { return uint32(k * 0x9e3779b97f4a7c15 >> 32) }
	contend(b, keys, map[string]measured[uint64]{
		"rwmutex": new(rwmutexIntsMap), "sharded": new(shardedIntsMap), "snapshot": &snapshotIntsMap{m: filled(keys)}, "syncmap": new(syncmapIntsMap),
		"sync.Map": new(bare[uint64]), "xsync": xsync.NewMap[uint64, int](), "orcaman": orcaman[uint64]{cmap.NewWithCustomShardingFunction[uint64, int](shard)},
	})
}

// filled returns a map of keys, for what would copy itself at each store.
func filled[K comparable](keys []K) map[K]int {
	m := make(map[K]int)
	for i, k := range keys {
		m[k] = i
	}
	return m
}

// contenders are the names in the order in which they are measured.
var contenders = []string{"rwmutex", "sharded", "snapshot", "syncmap", "sync.Map", "xsync", "orcaman"}

// contend runs every mix of loads and stores on every map but the one that copies itself at a store.
func contend[K any](b *testing.B, keys []K, maps map[string]measured[K]) {
	for _, name := range contenders {
		m := maps[name]
		if name != "snapshot" {
			for i, k := range keys {
				m.Store(k, i)
			}
		}
		for _, reads := range []int{100, 90, 50} {
			if name == "snapshot" && reads < 100 {
				continue
			}
			b.Run(name+"/reads="+strconv.Itoa(reads), func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					r := rand.New(rand.NewPCG(rand.Uint64(), 0))
					for pb.Next() {
						x := r.Uint64()
						k := keys[x%size]
						if int(x>>32%100) < reads {
							m.Load(k)
						} else {
							m.Store(k, 1)
						}
					}
				})
			})
		}
	}
}
