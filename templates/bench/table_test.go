package bench

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// This file measures what the table of forms shows: see report_test.go for what becomes of it.

// changing is what is measured of a form.
type changing interface {
	Load(string) (int, bool)
	Store(string, int)
	Delete(string)
}

// locked is the form lock: a map and the mutex beside it.
type locked struct {
	mu sync.Mutex
	m  map[string]int
}

func (x *locked) Load(k string) (int, bool) {
	x.mu.Lock()
	v, ok := x.m[k]
	x.mu.Unlock()
	return v, ok
}

func (x *locked) Store(k string, v int) {
	x.mu.Lock()
	x.m[k] = v
	x.mu.Unlock()
}

func (x *locked) Delete(k string) {
	x.mu.Lock()
	delete(x.m, k)
	x.mu.Unlock()
}

// tabled are the forms, in the order of the table.
var tabled = []struct {
	name string
	of   func(map[string]int) changing
}{
	{"lock", func(m map[string]int) changing { return &locked{m: m} }},
	{"rwmutex", func(m map[string]int) changing { return &rwmutexMap{m: m} }},
	{"sharded", func(m map[string]int) changing { return &shardedMap{m: m} }},
	{"syncmap", func(m map[string]int) changing { return &syncmapFreeMap{m: m} }},
	{"snapshot", func(m map[string]int) changing { return &snapshotMap{m: m} }},
}

// mixes are the shares of loads in a hundred uses. The others are stores of keys that are there; of churn, as many stores of
// keys that may be there or not as deletions of them.
var mixes = []string{"100", "99", "90", "50", "churn"}

var tableSizes = []int{100, 10_000, 1_000_000}

// perProcessor is how many goroutines use the map for each processor.
const perProcessor = 4

// BenchmarkTable measures each form for as long as -benchtime says. It reports how many uses there are in a second, and in one of
// processor time, how long one in 16 takes, the reading of the clock included, the allocations for each, the garbage
// collections for a million, and how many processors the process had. Go prints allocs/op as it likes: here they are allocs/use.
func BenchmarkTable(b *testing.B) {
	for _, entries := range tableSizes {
		keys := make([]string, 2*entries)
		for i := range keys {
			keys[i] = fmt.Sprintf("key-%012d", i)
		}
		for _, form := range tabled {
			full := sync.OnceValue(func() changing {
				m := form.of(filled(keys[:entries]))
				m.Store(keys[0], 0) // makes what the first change makes
				return m
			})
			for _, mix := range mixes {
				b.Run(fmt.Sprintf("entries=%d/reads=%s/form=%s", entries, mix, form.name), func(b *testing.B) {
					u := usage{m: full(), keys: keys[:entries], reads: 50}
					if mix == "churn" {
						u.keys, u.churns = keys, true
					} else {
						u.reads, _ = strconv.Atoi(mix)
					}
					u.measure(b)
				})
			}
		}
	}
}

// usage is what goroutines do to a map.
type usage struct {
	m      changing
	keys   []string
	reads  int  // of a hundred uses
	churns bool // half of the others delete
	stop   atomic.Bool
}

// measure uses the map from several goroutines.
func (u *usage) measure(b *testing.B) {
	took := make([]latencies, perProcessor*runtime.GOMAXPROCS(0))
	ops := make([]int, len(took))
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, cpu := time.Now(), cpuTime()
	var wg sync.WaitGroup
	for i := range took {
		wg.Go(func() { ops[i] = u.use(rand.New(rand.NewPCG(rand.Uint64(), 0)), &took[i]) })
	}
	for b.Loop() { // until -benchtime is over
		time.Sleep(time.Millisecond)
	}
	u.stop.Store(true)
	wg.Wait()
	elapsed := time.Since(began)
	used := cpuTime() - cpu
	if used == 0 {
		used = elapsed // not known: as if it were one processor
	}
	runtime.ReadMemStats(&after)

	var all latencies
	total := 0.0
	for i := range took {
		total += float64(ops[i])
		all.add(&took[i])
	}
	b.ReportMetric(0, "ns/op") // says nothing: a round of the loop above is none
	b.ReportMetric(total/elapsed.Seconds(), "ops/s")
	b.ReportMetric(total/used.Seconds(), "ops/cpu-s")
	b.ReportMetric(all.quantile(0.5), "p50-ns")
	b.ReportMetric(all.quantile(0.99), "p99-ns")
	b.ReportMetric(all.quantile(0.999), "p999-ns")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/total, "allocs/use")
	b.ReportMetric(float64(after.NumGC-before.NumGC)/total*1e6, "gc/Mop")
	b.ReportMetric(used.Seconds()/elapsed.Seconds(), "processors")
}

// use uses the map until it is told to stop, and returns how often.
func (u *usage) use(r *rand.Rand, took *latencies) int {
	n := 0
	for ; !u.stop.Load(); n++ {
		x := r.Uint64()
		k := u.keys[x%uint64(len(u.keys))]
		if n%16 != 0 {
			u.one(k, x>>40)
			continue
		}
		began := time.Now()
		u.one(k, x>>40)
		took[bucket(time.Since(began))]++
	}
	return n
}

// one uses the map once; x is a random number.
func (u *usage) one(k string, x uint64) {
	switch {
	case int(x%100) < u.reads:
		u.m.Load(k)
	case u.churns && x>>16%2 == 0:
		u.m.Delete(k)
	default:
		u.m.Store(k, 1)
	}
}

// latencies counts durations: those under 16 ns by the ns, others in 16 steps from each power of two to the next.
type latencies [64 * 16]uint32

func bucket(d time.Duration) int {
	if d < 16 {
		return max(int(d), 0)
	}
	e := bits.Len64(uint64(d)) - 5
	return e*16 + int(d>>e)
}

// least returns the least number of ns that is counted in a bucket.
func least(bucket int) float64 {
	if bucket < 32 {
		return float64(bucket)
	}
	return float64(bucket%16+16) * float64(uint64(1)<<(bucket/16-1))
}

func (l *latencies) add(other *latencies) {
	for i, n := range other {
		l[i] += n
	}
}

// quantile returns the number of ns that so many of the durations are under, rounded down to a step.
func (l *latencies) quantile(q float64) float64 {
	total := 0.0
	for _, n := range l {
		total += float64(n)
	}
	seen := 0.0
	for i, n := range l {
		seen += float64(n)
		if n > 0 && seen >= q*total {
			return least(i)
		}
	}
	return 0
}

func TestLatencies(t *testing.T) {
	for _, tt := range []struct{ d, want int }{{-1, 0}, {0, 0}, {15, 15}, {16, 16}, {31, 31}, {32, 32}, {33, 32}, {34, 34}, {63, 62}, {64, 64}, {1000, 992}, {1 << 40, 1 << 40}} {
		if got := least(bucket(time.Duration(tt.d))); got != float64(tt.want) {
			t.Errorf("%d ns are counted as %v, want %d", tt.d, got, tt.want)
		}
	}
	var l, other latencies
	for d := range 1000 {
		other[bucket(time.Duration(d))]++
	}
	l.add(&other)
	for q, want := range map[float64]float64{0.001: 0, 0.01: 9, 0.5: 496, 0.99: 960, 1: 992} {
		if got := l.quantile(q); got != want {
			t.Errorf("the quantile %v is %v, want %v", q, got, want)
		}
	}
}
