package share

import (
	"slices"
	"strconv"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file makes the states of a search small: what they consist of is numbered, and what happens to
// it on the way through a call is looked up where it happened before.

// numbers are those of an Entry in a table. Equal numbers mean equal things.
type numbers struct {
	at, sites, after int32
}

// state is what the rest of the way of an Entry depends on.
type state struct {
	fn     string
	path   access.Path
	v      access.Var
	depth  int
	outer  int
	many   bool
	unsure bool
	numbers
}

func (e *Entry) state() state {
	return state{e.Func, e.Ref.Path, e.Ref.Var, e.Ref.Depth, e.Outer, e.Many, e.Unsure != "", e.numbers}
}

// table numbers points and lists. The empty ones have the number 0.
type table struct {
	points  []lockset.Point
	lists   [][]string
	pointOf map[string]int32
	listOf  map[string]int32
	moved   map[move]int32
	joined  map[join]int32
}

// numbers returns the numbers of e in t.
func (t *table) numbers(e *Entry) numbers {
	return numbers{at: t.point(e.At), sites: t.list(e.Sites), after: t.list(e.After)}
}

// move is a point that is seen from the caller of an edge.
type move struct {
	edge    *lockset.Edge
	at      int32
	started bool // in a goroutine of its own
}

// join is a list to which the goroutines are added that an edge leaves behind.
type join struct {
	edge *lockset.Edge
	list int32
}

func newTable() *table {
	return &table{
		points:  make([]lockset.Point, 1),
		lists:   make([][]string, 1),
		pointOf: make(map[string]int32),
		listOf:  make(map[string]int32),
		moved:   make(map[move]int32),
		joined:  make(map[join]int32),
	}
}

// under returns the locks of e as seen from the caller of edge, and their number.
func (t *table) under(e *Entry, edge *lockset.Edge, started bool) (lockset.Point, int32) {
	key := move{edge, e.numbers.at, started}
	n, ok := t.moved[key]
	if !ok {
		around := edge.At
		if started {
			around = onceOnly(around)
		}
		n = t.point(e.At.Under(around, edge.Params, edge.Free))
		t.moved[key] = n
	}
	return t.points[n], n
}

// onceOnly returns what of p also holds in a goroutine that is started at p.
func onceOnly(p lockset.Point) lockset.Point {
	var out lockset.Point
	for _, h := range p.Held {
		if h.Once {
			out.Held = out.Held.With(h)
		}
	}
	return out
}

// union returns the goroutines that may run at e as seen from the caller of edge, and their number.
func (t *table) union(e *Entry, edge *lockset.Edge) ([]string, int32) {
	if len(edge.After) == 0 {
		return e.After, e.numbers.after
	}
	key := join{edge, e.numbers.after}
	n, ok := t.joined[key]
	if !ok {
		all := slices.Concat(e.After, edge.After)
		slices.Sort(all)
		n = t.list(slices.Compact(all))
		t.joined[key] = n
	}
	return t.lists[n], n
}

func (t *table) list(l []string) int32 {
	if len(l) == 0 {
		return 0
	}
	key := strings.Join(l, "\x00")
	n, ok := t.listOf[key]
	if !ok {
		n = int32(len(t.lists))
		t.listOf[key] = n
		t.lists = append(t.lists, l)
	}
	return n
}

func (t *table) point(p lockset.Point) int32 {
	var b strings.Builder
	path := func(mark byte, p access.Path) {
		b.WriteByte(mark)
		b.WriteByte('0' + byte(p.Root.Kind))
		b.WriteString(strconv.Itoa(p.Root.Index))
		b.WriteString(p.Root.Name)
		b.WriteString(p.Sel)
	}
	for _, h := range p.Held {
		path('0'+byte(h.Mode), h.Path)
		b.WriteString(h.Class.Package)
		b.WriteString(h.Class.Owner)
		b.WriteString(h.Class.Field)
		b.WriteString(strconv.FormatBool(h.Once))
		b.WriteString(strconv.FormatBool(h.Indirect))
	}
	for _, q := range p.Released {
		path('-', q)
	}
	for _, q := range p.Maybe {
		path('?', q)
	}
	if b.Len() == 0 {
		return 0
	}
	n, ok := t.pointOf[b.String()]
	if !ok {
		n = int32(len(t.points))
		t.pointOf[b.String()] = n
		t.points = append(t.points, p)
	}
	return n
}
