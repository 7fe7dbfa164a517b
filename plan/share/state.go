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
	at, sites, after, beside, needs int32
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
	alone  bool
	held   bool
	numbers
}

func (e *Entry) state() state {
	return state{e.Func, e.Ref.Path, e.Ref.Var, e.Ref.Depth, e.Outer, e.Many, e.Unsure != "", e.Alone, e.Held, e.numbers}
}

// table numbers points and lists. The empty ones have the number 0. It leaves out of them what does
// not matter for the variable at hand.
type table struct {
	*relevant                     // nil means all
	classes   map[access.Var]bool // the locks that matter; nil means all
	filter    int32               // number of classes
	filters   map[string]int32

	points  []lockset.Point
	lists   [][]string
	pointOf map[string]int32
	listOf  map[string]int32
	moved   map[move]int32
	joined  map[join]int32
}

// keepAll makes all locks matter.
func (t *table) keepAll() { t.classes, t.filter = nil, 0 }

// keep makes only the locks of classes matter, and those that may be any lock. Nil means all.
func (t *table) keep(classes map[access.Var]bool) {
	if classes == nil {
		t.keepAll()
		return
	}
	names := make([]string, 0, len(classes))
	for c := range classes {
		names = append(names, c.String())
	}
	slices.Sort(names)
	key := strings.Join(names, "\x00")
	n, ok := t.filters[key]
	if !ok {
		n = int32(len(t.filters)) + 1
		t.filters[key] = n
	}
	t.classes, t.filter = classes, n
}

// unclear returns what matters of paths, of locks that may or may not be held: by way of what they are known.
func unclear(paths []access.Path) []access.Path {
	var out []access.Path
	for _, p := range paths {
		if root := (access.Path{Root: p.Root}); !slices.Contains(out, root) {
			out = append(out, root)
		}
	}
	return out
}

// matter returns what of p matters.
func (t *table) matter(p lockset.Point) lockset.Point {
	p.Maybe = unclear(p.Maybe)
	drop := func(h lockset.Held) bool {
		switch {
		case h.Class.IsZero(), h.Class.IsLocalLock():
			return false
		case h.Once:
			return t.relevant != nil && !t.before[h.Class]
		}
		return t.classes != nil && !h.Indirect && !t.classes[h.Class]
	}
	if slices.ContainsFunc(p.Held, drop) {
		p.Held = slices.DeleteFunc(slices.Clone(p.Held), drop)
	}
	return p
}

// numbers returns the numbers of e in t.
func (t *table) numbers(e *Entry) numbers {
	return numbers{at: t.point(e.At), sites: t.list(e.Sites), after: t.afterList(e.After), beside: t.afterList(e.Beside)}
}

// move is a point that is seen from the caller of an edge.
type move struct {
	edge    *lockset.Edge
	at      int32
	within  within
	outlive bool // in a goroutine that still runs when what is held there as a sync.Once is over
	filter  int32
}

// within is what a point that is seen from the caller of an edge is in.
type within struct {
	started bool // in a goroutine of its own
	each    bool // on something that each round of a loop makes anew
	remade  bool // on something that is made anew while such goroutines may run
	named   bool // by the names of their own that owners have
	starts  int  // how many goroutines were started from there on, up to maxSites
	many    bool // several of them may run at once
}

// join is a list to which the goroutines are added that an edge leaves behind.
type join struct {
	edge *lockset.Edge
	list int32
	own  bool
}

// newTable returns a table for ways for which r matters.
func newTable(r *relevant) *table {
	return &table{
		relevant: r,
		points:   make([]lockset.Point, 1),
		lists:    make([][]string, 1),
		filters:  make(map[string]int32),
		pointOf:  make(map[string]int32),
		listOf:   make(map[string]int32),
		moved:    make(map[move]int32),
		joined:   make(map[join]int32),
	}
}

// under returns the locks of e as seen from the caller of edge, and their number. A lock that each round of a loop makes
// anew is not that of the goroutines which other rounds start, unless the map, too, is one of each round.
func (t *table) under(e *Entry, edge *lockset.Edge, in within) (lockset.Point, int32) {
	outlive := in.started && len(edge.Outlive) > 0 && outlives(e, edge)
	if !slices.ContainsFunc(edge.At.Held, isRun) {
		in.starts, in.many = 0, false // they do not matter
	}
	key := move{edge, e.numbers.at, in, outlive, t.filter}
	n, ok := t.moved[key]
	if !ok {
		around := edge.At
		around.Maybe = unclear(around.Maybe) // now, so that fewer are joined
		if in.started && !edge.Within {
			maybe := around.Maybe
			if around = onceOnly(around); edge.Stored { // it may run at once
				around.Maybe = maybe
			}
		}
		around.Held = in.run(around.Held)
		if outlive {
			around.Held = late(around.Held)
		}
		at := e.At.Under(around, edge.Binding()).Settle(edge.Copies)
		if in.named {
			at = edge.NamedAt(at)
		}
		if in.started && edge.Many && !in.each {
			at.Held = slices.DeleteFunc(at.Held, func(h lockset.Held) bool {
				return slices.Contains(edge.Each, h.Path.Root) || !in.remade && slices.Contains(edge.Remade, h.Path.Root)
			})
		}
		n = t.point(at)
		t.moved[key] = n
	}
	return t.points[n], n
}

// isRun reports whether h is what one run of a function holds: a sync.Once, a channel that it closes, or a lock that it gives
// back when what it started has ended.
func isRun(h lockset.Held) bool { return h.Lent || h.Once && !h.Flag && h.Mode == lockset.Write }

// run returns held, with how many goroutines one run started there.
func (in within) run(held lockset.Set) lockset.Set {
	if in.starts == 0 {
		return held
	}
	held = slices.Clone(held)
	for i := range held {
		if isRun(held[i]) {
			held[i].Starts, held[i].Many = in.starts, in.many
		}
	}
	return held
}

// late returns held as it is in a goroutine that runs on when what is held as a sync.Once is over.
func late(held lockset.Set) lockset.Set {
	held = slices.DeleteFunc(slices.Clone(held), func(h lockset.Held) bool { return h.Flag && h.Mode == lockset.Write })
	for i := range held {
		held[i].Late = held[i].Late || held[i].Once && isRun(held[i])
	}
	return held
}

// outlives reports whether e runs in a goroutine that edge, or what it calls, starts, and that still runs when what is
// held there as a sync.Once is over.
func outlives(e *Entry, edge *lockset.Edge) bool {
	sites := e.Sites
	if edge.Start != "" {
		sites = append(slices.Clip(sites), edge.Site)
	}
	return slices.ContainsFunc(sites, func(site string) bool { return runsAt(edge.Outlive, site) })
}

// onceOnly returns what of p also holds in a goroutine that is started at p.
func onceOnly(p lockset.Point) lockset.Point {
	var out lockset.Point
	for _, h := range p.Held {
		if h.Once || h.Lent {
			out.Held = out.Held.With(h)
		}
	}
	return out
}

// union returns list, whose number is of, and the goroutines that may run at edge, and their number. own says that the caller
// made what the map belongs to.
func (t *table) union(list []string, of int32, edge *lockset.Edge, own bool) ([]string, int32) {
	if len(edge.After) == 0 {
		return list, of
	}
	key := join{edge, of, own}
	n, ok := t.joined[key]
	if !ok {
		all := slices.Concat(list, leftBy(edge, own))
		slices.Sort(all)
		n = t.afterList(slices.Compact(all))
		t.joined[key] = n
	}
	return t.lists[n], n
}

// leftBy returns the goroutines that may run at edge on what the map belongs to, which the caller made if own.
func leftBy(edge *lockset.Edge, own bool) []string {
	if own {
		return notAgain(edge.After, edge.Caller)
	}
	return edge.After
}

// notAgain returns sites without those of what fn has started by calling itself, which has other things that fn makes.
func notAgain(sites []string, fn string) []string {
	again := func(site string) bool { _, by := lockset.Again(site); return by == fn }
	if !slices.ContainsFunc(sites, again) {
		return sites
	}
	return slices.DeleteFunc(slices.Clone(sites), again)
}

// list returns the number of l.
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

// afterList returns the number of what matters of l.
func (t *table) afterList(l []string) int32 {
	if t.relevant != nil {
		l = slices.DeleteFunc(slices.Clone(l), func(site string) bool {
			first, _ := lockset.Again(site)
			return !t.sites[first] && site != anySite
		})
	}
	return t.list(l)
}

// point returns the number of what matters of p.
func (t *table) point(p lockset.Point) int32 {
	p = t.matter(p)
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
		b.WriteString(strconv.FormatBool(h.First))
		b.WriteString(strconv.FormatBool(h.Group))
		b.WriteString(strconv.FormatBool(h.Indirect))
		b.WriteString(strconv.Itoa(h.Starts))
		b.WriteString(strconv.FormatBool(h.Many))
		b.WriteString(strconv.FormatBool(h.Late))
		b.WriteString(strconv.FormatBool(h.Lent))
		b.WriteString(h.Seen.Suffix)
		b.WriteByte('/')
		b.WriteString(h.Seen.Rest)
		if h.Copied {
			path('=', h.Origin)
		}
	}
	for _, q := range p.Released {
		path('-', q)
	}
	for _, q := range p.Maybe {
		path('?', q)
	}
	for _, g := range p.Given {
		b.WriteByte('=')
		b.WriteString(strconv.Itoa(g.Param))
		b.WriteString(strconv.FormatBool(g.Is))
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
