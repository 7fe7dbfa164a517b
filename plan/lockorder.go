package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/share"
)

// This file knows in which order the program takes locks, so that no mend takes two of them the other way
// round.

// lockOrders is the graph of which lock is taken while which is held, by field. An edge is true unless both are
// only taken for reading.
type lockOrders struct {
	next map[access.Var]map[access.Var]bool
	read map[access.Var]bool // locks that may be taken for reading while they, or others like them, are held for reading
}

// ordersOf returns the order in which the program of w takes locks: in one function, through calls, and
// through calls that name no function.
func ordersOf(w *share.World) *lockOrders {
	o := &lockOrders{next: make(map[access.Var]map[access.Var]bool), read: make(map[access.Var]bool)}
	for _, b := range w.Bodies {
		for _, pair := range b.Orders {
			o.edge(pair.Held, pair.Taken, pair.Write)
			if pair.Held == pair.Taken && !pair.Write {
				o.read[pair.Held] = true
			}
		}
		for _, e := range b.Calls {
			if callee := w.Effects[e.Callee]; callee != nil && e.Start == "" {
				for _, h := range e.At.Held {
					if h.Blocks() {
						o.taken(h.Class, h.Mode == lockset.Write, callee)
					}
				}
			}
		}
	}
	for _, held := range w.HeldAround() {
		for a := range w.TakenUnder(held) {
			o.edge(held, a, true)
		}
		if w.TakenUnderRead(held)[held] {
			o.read[held] = true
		}
	}
	for fn, given := range givers(w) {
		for _, held := range given {
			o.taken(held, true, w.Effects[fn])
		}
	}
	return o
}

// givers returns which locks each function gives back for somebody else who took them, itself or in what it calls. That
// lock is as good as held while it runs:
//
//	func (s *Store) work() {
//		s.load() // may take no lock that is held where s.busy is waited for
//		s.busy.Unlock()
//	}
func givers(w *share.World) map[string][]access.Var {
	out := make(map[string][]access.Var)
	var add func(fn string, lock access.Var)
	add = func(fn string, lock access.Var) {
		releases := func(o lockset.Outcome) bool { return len(o.Released) > 0 }
		if lock.IsZero() || slices.Contains(out[fn], lock) || w.Effects[fn] == nil || !slices.ContainsFunc(w.Effects[fn].Outcomes, releases) {
			return
		}
		out[fn] = append(out[fn], lock)
		for _, e := range w.Callers(fn) {
			if e.Start == "" && !e.Stored && !slices.ContainsFunc(e.At.Held, func(h lockset.Held) bool { return h.Class == lock }) {
				add(e.Caller, lock)
			}
		}
	}
	for _, fn := range sortedKeys(w.Bodies) {
		for _, lock := range w.Bodies[fn].Gives {
			add(fn, lock)
		}
	}
	return out
}

// taken notes that what has the effect e runs while held is.
func (o *lockOrders) taken(held access.Var, write bool, e *lockset.Effect) {
	for _, a := range e.Acquires {
		o.edge(held, a, write || slices.Contains(e.Writes, a))
		if a == held && !write {
			o.read[held] = true // e may take it in both modes
		}
	}
	for _, once := range e.Onces {
		o.edge(held, once, true)
	}
}

// list returns o as a Plan has it: without the locks that are parameters, which have no name.
func (o *lockOrders) list() []Order {
	var out []Order
	for from, next := range o.next {
		for to, write := range next {
			if !from.IsZero() && !to.IsZero() {
				out = append(out, Order{toVar(from), toVar(to), write})
			}
		}
	}
	slices.SortFunc(out, Order.compare)
	return out
}

func (o Order) compare(p Order) int {
	return cmp.Or(strings.Compare(o.Held.String(), p.Held.String()), strings.Compare(o.Taken.String(), p.Taken.String()))
}

func (o *lockOrders) edge(from, to access.Var, write bool) {
	if o.next[from] == nil {
		o.next[from] = make(map[access.Var]bool)
	}
	o.next[from][to] = o.next[from][to] || write
}

// clone returns a copy of o to add to.
func (o *lockOrders) clone() *lockOrders {
	out := &lockOrders{next: make(map[access.Var]map[access.Var]bool, len(o.next)), read: o.read}
	for from, next := range o.next {
		out.next[from] = maps.Clone(next)
	}
	return out
}

// onCycle says how lock is taken again while it is held, itself or through others; empty when it is not. What
// readers may do is no longer possible once one of them is a writer; what waits for a writer waits already.
func (o *lockOrders) onCycle(lock access.Var) string {
	if o.read[lock] {
		return lockName(lock) + " is taken while it, or another one like it, is held"
	}
	for to := range o.next[lock] {
		if to == lock {
			continue
		}
		if why := o.wouldCycle(lock, to); why != "" {
			return lockName(to) + " is taken while " + lockName(lock) + " is held, and elsewhere it is the other way round"
		}
	}
	return ""
}

// wouldCycle says why taking to while from is held may deadlock; empty when it may not.
func (o *lockOrders) wouldCycle(from, to access.Var) string {
	if from == to {
		return "two locks " + lockName(from) + " would be held at once"
	}
	seen := make(map[access.Var]bool)
	stack := []access.Var{to}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if v == from {
			return lockName(to) + " would be taken while " + lockName(from) + " is held, and elsewhere it is the other way round"
		}
		if seen[v] {
			continue
		}
		seen[v] = true
		for w := range o.next[v] {
			stack = append(stack, w)
		}
	}
	return ""
}

// lockName names a lock apart from one of the same name in another struct: "Store.mu", "cacheMu".
func lockName(v access.Var) string {
	if v.Owner == "" {
		return v.Field
	}
	return v.Owner + "." + v.Field
}

// add notes that guard is taken while outer are held, unless that may deadlock.
func (o *lockOrders) add(outer []access.Var, guard access.Var) string {
	for _, h := range outer {
		if why := o.wouldCycle(h, guard); why != "" {
			return why
		}
	}
	for _, h := range outer {
		o.edge(h, guard, true)
	}
	return ""
}
