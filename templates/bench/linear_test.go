package bench

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// This file checks that concurrent calls of accessors are linearizable: that each history could have been made by one
// goroutine, calling one accessor after the other in an order that agrees with the clock.

// simple is what every instance has.
type simple interface {
	Load(string) (int, bool)
	Store(string, int)
	LoadOrStore(string, int) (int, bool)
	Swap(string, int) (int, bool)
	Delete(string)
	LoadAndDelete(string) (int, bool)
	Clear()
	Replace(map[string]int)
}

// computing is what those have that may be asked to compute.
type computing interface {
	CompareAndSwap(k string, old, v int) bool
	LoadOrCompute(string, func() int) (int, bool)
	Update(string, func(int, bool) (int, bool))
}

// whole is what those have that see all entries at once.
type whole interface {
	Len() int
	Snapshot() map[string]int
	DeleteFunc(func(string, int) bool)
}

// A call is one call of an accessor, and a result what it returns.
type (
	call struct {
		op, key string
		v, old  int
	}
	result struct {
		v   int
		ok  bool
		all contents
	}
)

// contents is what a map has: a value by key, 0 for none.
type contents [2]int

var keyNames = [2]string{"a", "b"}

func (c contents) index(key string) int {
	if key == keyNames[0] {
		return 0
	}
	return 1
}

// do carries out c on x.
func (c call) do(x simple) (r result) {
	switch c.op {
	case "Load":
		r.v, r.ok = x.Load(c.key)
	case "Store":
		x.Store(c.key, c.v)
	case "LoadOrStore":
		r.v, r.ok = x.LoadOrStore(c.key, c.v)
	case "Swap":
		r.v, r.ok = x.Swap(c.key, c.v)
	case "Delete":
		x.Delete(c.key)
	case "LoadAndDelete":
		r.v, r.ok = x.LoadAndDelete(c.key)
	case "Clear":
		x.Clear()
	case "Replace":
		x.Replace(map[string]int{c.key: c.v})
	case "CompareAndSwap":
		r.ok = x.(computing).CompareAndSwap(c.key, c.old, c.v)
	case "LoadOrCompute":
		r.v, r.ok = x.(computing).LoadOrCompute(c.key, func() int { runtime.Gosched(); return c.v })
	case "Update":
		x.(computing).Update(c.key, func(old int, ok bool) (int, bool) {
			r.v, r.ok = old, ok
			runtime.Gosched()
			return old + c.v, old%3 != 2
		})
	case "Len":
		r.v = x.(whole).Len()
	case "Snapshot":
		for k, v := range x.(whole).Snapshot() {
			r.all[r.all.index(k)] = v
		}
	case "DeleteFunc":
		x.(whole).DeleteFunc(func(_ string, v int) bool { return v%2 == 0 })
	}
	return r
}

// step returns whether c may return r when the map has before, and what it has after.
func (c call) step(before contents, r result) (bool, contents) {
	after, i := before, before.index(c.key)
	was := before[i]
	found := r.ok == (was != 0) && r.v == was
	switch c.op {
	case "Load":
		return found, after
	case "Store":
		after[i] = c.v
		return true, after
	case "LoadOrStore", "LoadOrCompute":
		if was == 0 {
			after[i] = c.v
			return !r.ok && r.v == c.v, after
		}
		return found, after
	case "Swap":
		after[i] = c.v
		return found, after
	case "Delete":
		after[i] = 0
		return true, after
	case "LoadAndDelete":
		after[i] = 0
		return found, after
	case "Clear":
		return true, contents{}
	case "Replace":
		after = contents{}
		after[i] = c.v
		return true, after
	case "CompareAndSwap":
		if was != 0 && was == c.old {
			after[i] = c.v
			return r.ok, after
		}
		return !r.ok, after
	case "Update":
		after[i] = was + c.v
		if was%3 == 2 {
			after[i] = 0
		}
		return found, after
	case "Len":
		n := 0
		for _, v := range before {
			if v != 0 {
				n++
			}
		}
		return r.v == n, after
	case "Snapshot":
		return r.all == before, after
	case "DeleteFunc":
		for i, v := range before {
			if v%2 == 0 {
				after[i] = 0
			}
		}
		return true, after
	}
	panic(c.op)
}

var model = porcupine.Model{
	Init: func() any { return contents{} },
	Step: func(state, input, output any) (bool, any) {
		return input.(call).step(state.(contents), output.(result))
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
}

// historyOf returns what some goroutines do to x at a time, at random.
func historyOf(r *rand.Rand, x simple, ops []string) []porcupine.Operation {
	const clients, calls = 3, 6
	began := time.Now() // a clock that the goroutines do not share: that would order them
	histories := make([][]porcupine.Operation, clients)
	start := make(chan bool)
	var wg sync.WaitGroup
	for i := range clients {
		plan := make([]call, calls)
		for j := range plan {
			plan[j] = call{ops[r.IntN(len(ops))], keyNames[r.IntN(2)], 1 + r.IntN(5), 1 + r.IntN(5)}
		}
		wg.Go(func() {
			<-start
			for _, c := range plan {
				op := porcupine.Operation{ClientId: i, Input: c, Call: 2 * time.Since(began).Nanoseconds()}
				op.Output = c.do(x)
				op.Return = 2*time.Since(began).Nanoseconds() + 1
				histories[i] = append(histories[i], op)
			}
		})
	}
	close(start)
	wg.Wait()
	var all []porcupine.Operation
	for _, h := range histories {
		all = append(all, h...)
	}
	return all
}

// What is called of an instance: of all, of those that compute, and of those that see all entries at once.
var (
	simpleOps    = []string{"Load", "Load", "Store", "LoadOrStore", "Swap", "Delete", "LoadAndDelete", "Clear", "Replace"}
	computingOps = slices.Concat(simpleOps, []string{"CompareAndSwap", "CompareAndSwap", "LoadOrCompute", "Update", "Update"})
	wholeOps     = slices.Concat(computingOps, []string{"Len", "Snapshot", "DeleteFunc"})
)

// instances are the types with string keys.
var instances = []struct {
	name string
	made func(map[string]int) simple
	ops  []string
}{
	{"rwmutex", func(m map[string]int) simple { return &rwmutexMap{m: m} }, wholeOps},
	{"snapshot", func(m map[string]int) simple { return &snapshotMap{m: m} }, wholeOps},
	{"sharded", func(m map[string]int) simple { return &shardedMap{m: m} }, computingOps},
	{"syncmap", func(m map[string]int) simple { return &syncmapMap{m: m} }, computingOps},
	{"xsync", func(m map[string]int) simple { return &xsyncMap{m: m} }, computingOps},
	{"xsync without a lock", func(m map[string]int) simple { return &xsyncFreeMap{m: m} }, simpleOps},
	{"syncmap without a lock", func(m map[string]int) simple { return &syncmapFreeMap{m: m} }, simpleOps},
}

func TestLinearizable(t *testing.T) {
	rounds := 12000
	if testing.Short() {
		rounds = 400
	}
	for _, tt := range instances {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(rounds) {
				r := rand.New(rand.NewPCG(seed, 0))
				m := model
				begin := make(map[string]int)
				var had contents
				if r.IntN(2) == 0 {
					had = contents{1, 2}
					begin = map[string]int{keyNames[0]: 1, keyNames[1]: 2}
				}
				m.Init = func() any { return had }
				history := historyOf(r, tt.made(maps.Clone(begin)), tt.ops)
				if !porcupine.CheckOperations(m, history) {
					for _, op := range history {
						t.Logf("goroutine %d, from %d to %d: %s", op.ClientId, op.Call, op.Return, model.DescribeOperation(op.Input, op.Output))
					}
					t.Fatalf("seed %d: not linearizable", seed)
				}
			}
		})
	}
}

// Of goroutines that store under one key only one stores, at whatever time the others come.
func TestStoredOnce(t *testing.T) {
	for _, tt := range instances {
		t.Run(tt.name, func(t *testing.T) {
			x := tt.made(nil)
			for round := range 3000 {
				var stored, first atomic.Int64
				start := make(chan bool)
				var wg sync.WaitGroup
				for i := range 4 {
					wg.Go(func() {
						<-start
						v, ok := x.LoadOrStore("a", 1+i)
						if !ok {
							stored.Add(1)
						}
						if was := first.Swap(int64(v)); was != 0 && was != int64(v) {
							stored.Add(1)
						}
					})
				}
				close(start)
				wg.Wait()
				if n := stored.Load(); n != 1 {
					t.Fatalf("round %d: stored %d times, or with more than one value", round, n)
				}
				x.Delete("a")
			}
		})
	}
}
