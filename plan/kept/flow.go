package kept

import (
	"cmp"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file gathers the flows of one package. Values of the functions are grouped: what is one container is one group,
// and a group that is stored in a place is called by it.

// Flow is that functions which are kept at From are kept at To, too. With an If it is one for each function that is kept
// there: From or To is an argument or the answer of a call of it.
type Flow struct{ From, To, If Place }

// Signature is which parameters and results of a function lead to function values.
type Signature struct {
	Key    string
	Places []Typed
}

// Typed is a parameter or result.
type Typed struct {
	Place    Place
	Type     string // AnyType in generic code
	Result   bool
	Receiver bool
	Both     bool // a container: the other side may store something there
}

// Facts are the flows of one package. They are plain data.
type Facts struct {
	Path       string
	Flows      []Flow
	Signatures []Signature
	Bared      []Place // exported fields that reflection may see
	Unsafe     bool    // the package does what types do not show
}

// Config is what the flows of a package depend on.
type Config struct {
	HasBody func(key string) bool  // the function has a body in this package, or in one that was looked at before
	Own     func(path string) bool // the package is part of the program
	Library *model.Library
}

// Flows are the flows of one package, and which place a value of it comes from.
type Flows struct {
	Facts Facts
	g     *graph
}

// Of finds the flows of the functions fns, which are all those of the package pkg.
func Of(pkg *types.Package, fns []*ssa.Function, cfg Config) *Flows {
	b := &builder{cfg: cfg, graph: newGraph(pkg.Path()), seen: make(map[types.Type]bool)}
	b.facts.Path = pkg.Path()
	for _, imp := range pkg.Imports() {
		b.facts.Unsafe = b.facts.Unsafe || imp == types.Unsafe
	}
	for _, fn := range fns {
		b.function(fn)
	}
	b.facts.Flows = b.graph.flows()
	slices.Sort(b.facts.Bared)
	return &Flows{b.facts, b.graph}
}

// Origin returns the place where v, a function value, comes from. It is zero when v is nil or never set.
func (f *Flows) Origin(v ssa.Value) Place {
	if p, ok := known(v); ok {
		return p
	}
	if n, ok := f.g.ids[v]; ok {
		return f.g.nameOf(n)
	}
	if _, isConst := v.(*ssa.Const); isConst {
		return ""
	}
	return Outside
}

// known returns which function the value v is.
func known(v ssa.Value) (f Place, ok bool) {
	switch v := v.(type) {
	case *ssa.Function:
		return funcOf(access.FuncKey(v), signatureOf(v.Signature)), true
	case *ssa.MakeClosure:
		fn := v.Fn.(*ssa.Function)
		if access.IsBound(fn) {
			return methodOf(access.FuncKey(fn), signatureOf(v.Type())), true
		}
		return funcOf(access.FuncKey(fn), signatureOf(v.Type())), true
	}
	return "", false
}

// graph is which groups of values flow to which.
type graph struct {
	path   string
	ids    map[ssa.Value]int
	places map[Place]int
	parent []int     // of the group of each value or place: union-find
	names  [][]Place // of each group, by its first member
	from   [][]edge  // what flows to each group
	seen   map[[3]int]bool
	called []Place // what nameOf returned; "" is not asked for yet
	asking []bool
	locals int
}

// edge is a flow from a group.
type edge struct {
	from int
	cond int // the group of Flow.If; -1 for none
}

func newGraph(path string) *graph {
	return &graph{path: path, ids: make(map[ssa.Value]int), places: make(map[Place]int), seen: make(map[[3]int]bool)}
}

func (g *graph) add(names ...Place) int {
	g.parent = append(g.parent, len(g.parent))
	g.names = append(g.names, names)
	g.from = append(g.from, nil)
	return len(g.parent) - 1
}

func (g *graph) find(n int) int {
	for g.parent[n] != n {
		g.parent[n] = g.parent[g.parent[n]]
		n = g.parent[n]
	}
	return n
}

func (g *graph) place(p Place) int {
	n, ok := g.places[p]
	if !ok {
		n = g.add(p)
		g.places[p] = n
	}
	return n
}

// merge makes a and b, which are one container, one group.
func (g *graph) merge(a, b int) {
	a, b = g.find(a), g.find(b)
	if a == b {
		return
	}
	if out, ok := g.places[Outside]; ok && (a == out || b == out) { // not one with all else that is there
		g.flow(a, b)
		g.flow(b, a)
		return
	}
	g.parent[b] = a
	g.names[a] = append(g.names[a], g.names[b]...)
	g.from[a] = append(g.from[a], g.from[b]...)
	g.names[b], g.from[b] = nil, nil
}

func (g *graph) flow(from, to int) { g.flowIf(from, to, -1) }

func (g *graph) flowIf(from, to, cond int) {
	to = g.find(to)
	if e := [3]int{from, to, cond}; g.find(from) != to && !g.seen[e] {
		g.seen[e] = true
		g.from[to] = append(g.from[to], edge{from, cond})
	}
}

// nameOf returns the place of the group of n: one of its own, the one that all comes from that it holds, or a local one.
// It is zero when nothing flows there. It is asked for when all flows are known.
func (g *graph) nameOf(n int) Place {
	n = g.find(n)
	if g.called == nil {
		g.called, g.asking = make([]Place, len(g.parent)), make([]bool, len(g.parent))
	}
	if len(g.names[n]) > 0 {
		return g.names[n][0]
	}
	if g.called[n] != "" || len(g.from[n]) == 0 {
		return g.called[n]
	}
	local := func() Place {
		if g.called[n] == "" {
			g.locals++
			g.called[n] = localOf(g.path, g.locals)
		}
		return g.called[n]
	}
	if g.asking[n] {
		return local()
	}
	g.asking[n] = true
	var one Place
	for _, e := range g.from[n] {
		p := g.nameOf(e.from)
		switch {
		case g.find(e.from) == n || p == "" || p == one:
		case e.cond >= 0 || one != "":
			return local()
		default:
			one = p
		}
	}
	if g.called[n] == "" {
		g.called[n] = one
	}
	return g.called[n]
}

// flows returns what flows between places.
func (g *graph) flows() []Flow {
	var out []Flow
	add := func(f Flow) {
		if f.From != "" && f.To != "" && f.From != f.To {
			out = append(out, f)
		}
	}
	for n := range g.parent {
		if g.find(n) != n {
			continue
		}
		slices.Sort(g.names[n])
		name := g.nameOf(n)
		for _, other := range g.names[n][min(1, len(g.names[n])):] {
			add(Flow{From: name, To: other})
			add(Flow{From: other, To: name})
		}
		for _, e := range g.from[n] {
			f := Flow{From: g.nameOf(e.from), To: name}
			if e.cond >= 0 {
				if f.If = g.nameOf(e.cond); f.If == "" {
					continue
				}
			}
			add(f)
		}
	}
	slices.SortFunc(out, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.If, b.If))
	})
	return slices.Compact(out)
}
