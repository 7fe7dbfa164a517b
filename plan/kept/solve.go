package kept

import (
	"slices"
	"strings"
)

// This file puts the flows of all packages together.

// Program is what the flows depend on besides themselves.
type Program struct {
	Own   func(path string) bool              // the package is part of the program
	Open  func(path string) bool              // packages outside of the program can import it
	Boxed func(key string) (is, foreign bool) // the method may be called through an interface, and by unknown code
	Blind bool                                // not all of the program was seen: only types tell
}

// Kept is where all function values of a program are kept. It does not change.
type Kept struct {
	program Program
	bared   map[Place]bool
	unsafe  map[string]bool

	nodes   map[Place]int
	places  []Place // by number
	succ    [][]int
	pred    [][]int
	direct  []sources      // the functions that flow to each place by itself
	escaped []bool         // unknown code can get what is kept there
	open    []bool         // something may be kept there that unknown code put there
	calls   map[int][]Flow // of what is kept at a place: by Flow.If
	sigs    map[string]*Signature
	pool    map[string]sources // the functions that were given away, by the type of the value
	all     map[string]sources // the functions that are values at all, by their type
	vague   []string           // those of the types that stand for several
	values  map[string]bool    // their keys
	opened  map[string]bool    // functions of which is noted that unknown code can call them
}

// source is a function, used as a value.
type source struct {
	key, typ string
	bound    bool // a method that has its receiver already
}

type sources map[source]bool

// Solve finds where the functions of the packages are kept that facts are of.
func Solve(facts []Facts, program Program) *Kept {
	k := &Kept{
		program: program,
		bared:   make(map[Place]bool),
		unsafe:  make(map[string]bool),
		nodes:   make(map[Place]int),
		calls:   make(map[int][]Flow),
		sigs:    make(map[string]*Signature),
		pool:    make(map[string]sources),
		all:     make(map[string]sources),
		values:  make(map[string]bool),
		opened:  make(map[string]bool),
	}
	k.node(Outside)
	for i := range facts {
		f := &facts[i]
		k.unsafe[f.Path] = f.Unsafe
		for _, p := range f.Bared {
			k.bared[p] = true
		}
		for j := range f.Signatures {
			k.sigs[f.Signatures[j].Key] = &f.Signatures[j]
			for _, t := range f.Signatures[j].Places {
				k.node(t.Place)
			}
		}
	}
	for _, f := range facts {
		for _, flow := range f.Flows {
			k.add(flow)
		}
	}
	k.move()
	k.propagate()
	k.expose()
	for typ := range k.all {
		if isVague(typ) {
			k.vague = append(k.vague, typ)
		}
	}
	return k
}

func (k *Kept) node(p Place) int {
	n, ok := k.nodes[p]
	if !ok {
		n = len(k.succ)
		k.nodes[p] = n
		k.places = append(k.places, p)
		k.succ, k.pred = append(k.succ, nil), append(k.pred, nil)
		k.direct = append(k.direct, nil)
		k.open, k.escaped = append(k.open, false), append(k.escaped, false)
	}
	return n
}

func (k *Kept) add(f Flow) {
	if f.If != "" {
		if s, ok := f.If.function(); ok {
			k.add(Flow{From: f.From.called(s), To: f.To.called(s)})
			return
		}
		n := k.node(f.If)
		k.calls[n] = append(k.calls[n], f)
		if s, ok := f.From.function(); ok {
			k.note(s)
		}
		return
	}
	to := k.node(f.To)
	s, ok := f.From.function()
	if !ok {
		k.edge(k.node(f.From), to)
		return
	}
	k.note(s)
	k.adds(to, sources{s: true})
}

// note notes that s is a value at all.
func (k *Kept) note(s source) {
	if k.all[s.typ] == nil {
		k.all[s.typ] = make(sources)
	}
	k.all[s.typ][s] = true
	k.values[s.key] = true
}

func (k *Kept) edge(from, to int) {
	k.succ[from] = append(k.succ[from], to)
	k.pred[to] = append(k.pred[to], from)
}

// move joins the calls through interfaces with the methods that they may be of.
func (k *Kept) move() {
	var moving []int // places by type
	for _, p := range sortedPlaces(k.nodes) {
		if strings.HasPrefix(string(p), moved) && p != movedIn && p != movedOut {
			moving = append(moving, k.nodes[p])
		}
	}
	in, out := k.node(movedIn), k.node(movedOut)
	k.edge(in, out)
	for _, n := range moving {
		k.edge(in, n)
		k.edge(n, out)
	}
	for key, sig := range k.sigs {
		if boxed, _ := k.program.Boxed(key); !boxed {
			continue
		}
		for _, t := range sig.Places {
			from, to := out, in
			if t.Type != AnyType {
				n, ok := k.nodes[movedAs(t.Type)]
				if !ok {
					continue // nothing moves it
				}
				from, to = n, n
			}
			n := k.node(t.Place)
			if t.Both || !t.Result {
				k.edge(from, n)
			}
			if t.Both || t.Result {
				k.edge(n, to)
			}
		}
	}
}

// propagate completes the functions that flow to each place. What comes from unknown code is not among them.
func (k *Kept) propagate() {
	var work []int
	for n := range k.direct {
		work = append(work, n)
	}
	done := make(map[int]sources) // for which calls of what is kept at a place are resolved
	for len(work) > 0 {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		if n == 0 {
			continue
		}
		for s := range k.direct[n] {
			if len(k.calls[n]) == 0 || done[n][s] {
				continue
			}
			if done[n] == nil {
				done[n] = make(sources)
			}
			done[n][s] = true
			for _, f := range k.calls[n] {
				from, to := f.From.called(s), f.To.called(s)
				k.add(Flow{From: from, To: to})
				if _, ok := from.function(); ok {
					work = append(work, k.node(to))
				} else {
					work = append(work, k.node(from))
				}
			}
		}
		for _, m := range k.succ[n] {
			if m != 0 && k.adds(m, k.direct[n]) {
				work = append(work, m)
			}
		}
	}
}

// adds adds srcs to what is kept at n, and reports whether there is more then.
func (k *Kept) adds(n int, srcs sources) bool {
	if k.direct[n] == nil && len(srcs) > 0 {
		k.direct[n] = make(sources)
	}
	before := len(k.direct[n])
	for s := range srcs {
		k.direct[n][s] = true
	}
	return len(k.direct[n]) > before
}

func sortedPlaces(nodes map[Place]int) []Place {
	out := make([]Place, 0, len(nodes))
	for p := range nodes {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}
