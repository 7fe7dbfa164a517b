package share

import (
	"testing"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/model"
)

func held(field string, mode lockset.Mode) lockset.Held {
	return lockset.Held{
		Path:  access.Path{Root: access.Root{Kind: access.Param}, Sel: "." + field},
		Class: access.Var{Package: "p", Owner: "S", Field: field},
		Mode:  mode,
	}
}

func at(hs ...lockset.Held) lockset.Point {
	var p lockset.Point
	for _, h := range hs {
		p.Held = p.Held.With(h)
	}
	return p
}

// Equal points have equal numbers, and only they.
func TestPointNumbers(t *testing.T) {
	once := held("once", lockset.Read)
	once.Once = true
	indirect := held("mu", lockset.Write)
	indirect.Indirect = true
	points := []lockset.Point{
		{},
		at(held("mu", lockset.Write)),
		at(held("mu", lockset.Read)),
		at(held("other", lockset.Write)),
		at(held("mu", lockset.Write), held("other", lockset.Write)),
		at(once),
		at(indirect),
		{Released: []access.Path{held("mu", lockset.Write).Path}},
		{Maybe: []access.Path{held("mu", lockset.Write).Path}},
		{Given: []lockset.Given{{Param: 1, Is: true}}},
		{Given: []lockset.Given{{Param: 1, Is: false}}},
	}
	table := newTable(nil)
	seen := make(map[int32]int)
	for i, p := range points {
		n := table.point(p)
		if j, ok := seen[n]; ok {
			t.Errorf("points %d and %d have the number %d", i, j, n)
		}
		seen[n] = i
		if again := table.point(p); again != n {
			t.Errorf("point %d has the numbers %d and %d", i, n, again)
		}
	}
	if n := table.point(lockset.Point{}); n != 0 {
		t.Errorf("the empty point has the number %d", n)
	}
}

// What does not matter is left out of a point: locks of other classes, and Onces that come before
// nothing. A lock that may be any lock stays.
func TestWhatMatters(t *testing.T) {
	once := held("once", lockset.Read)
	once.Once = true
	indirect := held("pointer", lockset.Write)
	indirect.Indirect = true
	table := newTable(&relevant{before: map[access.Var]bool{}})
	table.keep(map[access.Var]bool{held("mu", lockset.Read).Class: true})
	got := table.points[table.point(at(held("mu", lockset.Write), held("other", lockset.Write), once, indirect))]
	if _, ok := got.Held.Find(indirect.Path); len(got.Held) != 2 || !ok {
		t.Errorf("what matters is %v, want mu and pointer", got.Held)
	}
	table.keepAll()
	table.before[once.Class] = true
	got = table.points[table.point(at(held("other", lockset.Write), once))]
	if len(got.Held) != 2 {
		t.Errorf("what matters is %v, want other and once", got.Held)
	}
}

// Two goroutines share a lock that an activation made which both ways lead through, not one that is
// made for each of them.
func TestMadeAround(t *testing.T) {
	mu := Lock{Path: access.Path{Root: access.Root{Kind: access.Made, Name: "run"}}}
	way := func(edges ...*lockset.Edge) *Entry {
		var s *step
		var sites []string
		for i := len(edges) - 1; i >= 0; i-- {
			s = &step{Frame: Frame{Func: edges[i].Caller, Edge: edges[i]}, in: s}
			if edges[i].Start != "" {
				sites = append(sites, edges[i].Site)
			}
		}
		return &Entry{way: s, Sites: sites}
	}
	call := &lockset.Edge{Caller: "main", Callee: "run", Pos: 1}
	other := &lockset.Edge{Caller: "main", Callee: "run", Pos: 2}
	joined := &lockset.Edge{Caller: "main", Callee: "run", Pos: 3, Loop: true}
	looped := &lockset.Edge{Caller: "main", Callee: "run", Pos: 3, Loop: true, After: []string{"here"}}
	start := &lockset.Edge{Caller: "run", Callee: "run$1", Pos: 4, Start: model.Go, Site: "here"}
	for _, tt := range []struct {
		name string
		a, b *Entry
		want bool
	}{
		{"one call", way(call, start), way(call, start), true},
		{"two calls", way(call, start), way(other, start), false},
		{"a call in a loop that waits for what it starts", way(joined, start), way(joined, start), true},
		{"a call in a loop", way(looped, start), way(looped, start), false},
	} {
		if got := madeAround(tt.a, tt.b, mu, mu); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

// A panic in one of the goroutines is one in the goroutine that waits for them.
func TestEachPanics(t *testing.T) {
	defer func() {
		if r := recover(); r == nil {
			t.Error("the panic is lost")
		}
	}()
	each(3, func(i int) {
		if i == 1 {
			panic("a bug")
		}
	})
}
