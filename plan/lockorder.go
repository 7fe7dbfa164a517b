package plan

import (
	"cmp"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/share"
)

// This file knows in which order the program takes locks, so that no mend takes two of them the other way
// round.

// lockOrders is the graph of which lock is taken while which is held, by field.
type lockOrders struct {
	next map[access.Var]map[access.Var]bool
}

// ordersOf returns the order in which the program of w takes locks.
func ordersOf(w *share.World) *lockOrders {
	o := &lockOrders{next: make(map[access.Var]map[access.Var]bool)}
	for _, b := range w.Bodies {
		for _, pair := range b.Orders {
			o.edge(pair[0], pair[1])
		}
		for _, e := range b.Calls {
			callee := w.Effects[e.Callee]
			if callee == nil || e.Start != "" {
				continue
			}
			for _, h := range e.At.Held {
				for _, a := range callee.Acquires {
					if !h.Once {
						o.edge(h.Class, a)
					}
				}
			}
		}
	}
	return o
}

// list returns o as a Plan has it: without the locks that are parameters, which have no name.
func (o *lockOrders) list() []Order {
	var out []Order
	for from, next := range o.next {
		for to := range next {
			if !from.IsZero() && !to.IsZero() {
				out = append(out, Order{toVar(from), toVar(to)})
			}
		}
	}
	slices.SortFunc(out, func(a, b Order) int {
		return cmp.Or(strings.Compare(a.Held.String(), b.Held.String()), strings.Compare(a.Taken.String(), b.Taken.String()))
	})
	return out
}

func (o *lockOrders) edge(from, to access.Var) {
	if o.next[from] == nil {
		o.next[from] = make(map[access.Var]bool)
	}
	o.next[from][to] = true
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
		o.edge(h, guard)
	}
	return ""
}
