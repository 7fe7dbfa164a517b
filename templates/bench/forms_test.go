package bench

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"testing"
)

// This file measures what the choice between the forms rests on: how many entries there are, how many of the uses read, and how
// many goroutines there are for each processor. See choose.go of package plan.

// formsOf are the generated types, of strings to int, that are measured.
var formsOf = []struct {
	name string
	of   func(map[string]int) measured[string]
}{
	{"rwmutex", func(m map[string]int) measured[string] { return &rwmutexMap{m: m} }},
	{"sharded", func(m map[string]int) measured[string] { return &shardedMap{m: m} }},
	{"syncmap", func(m map[string]int) measured[string] { return &syncmapFreeMap{m: m} }},
	{"snapshot", func(m map[string]int) measured[string] { return &snapshotMap{m: m} }},
	{"xsync", func(m map[string]int) measured[string] { return &xsyncFreeMap{m: m} }},
}

// BenchmarkForms measures loads and stores of keys that are there.
func BenchmarkForms(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		keys := make([]string, n)
		for i := range keys {
			keys[i] = fmt.Sprintf("key-%012d", i)
		}
		for _, goroutines := range []int{1, 32} {
			for _, reads := range []int{1000, 990, 900, 500} {
				for _, form := range formsOf {
					if form.name == "snapshot" && reads < 990 {
						continue
					}
					m := form.of(filled(keys))
					b.Run(fmt.Sprintf("entries=%d/goroutines=%d/reads=%s/%s", n, goroutines, strconv.FormatFloat(float64(reads)/10, 'f', -1, 64), form.name), func(b *testing.B) {
						b.SetParallelism(goroutines)
						mixed(b, m, keys, reads)
					})
				}
			}
		}
	}
}

// mixed loads, in so many of a thousand times, and stores in the others.
func mixed[K any](b *testing.B, m measured[K], keys []K, reads int) {
	b.RunParallel(func(pb *testing.PB) {
		r := rand.New(rand.NewPCG(rand.Uint64(), 0))
		for pb.Next() {
			x := r.Uint64()
			k := keys[x%uint64(len(keys))]
			if int(x>>32%1000) < reads {
				m.Load(k)
			} else {
				m.Store(k, 1)
			}
		}
	})
}

// BenchmarkRange measures a range over a thousand entries, and BenchmarkChange a store: each of them copies the map in one
// form and not in the other.
func BenchmarkRange(b *testing.B) {
	keys := numbers(1000)
	for _, form := range []struct {
		name string
		all  iter.Seq2[string, int]
	}{{"rwmutex", (&rwmutexMap{m: filled(keys)}).All()}, {"snapshot", (&snapshotMap{m: filled(keys)}).All()}} {
		b.Run(form.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				for range form.all {
				}
			}
		})
	}
}

func BenchmarkChange(b *testing.B) {
	keys := numbers(1000)
	for _, form := range formsOf {
		if form.name != "rwmutex" && form.name != "snapshot" {
			continue
		}
		m := form.of(filled(keys))
		b.Run(form.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				m.Store(keys[i%len(keys)], i)
			}
		})
	}
}
