package share

import (
	"slices"

	"mapmend/plan/lockset"
)

// This file finds what a call of a function value calls, and in which goroutines the functions that are kept run.

// applied adds to the callers of functions the calls and starts that b makes of function values. What has its receiver
// already is left out: such a call says nothing of that.
func (w *World) applied(b *lockset.Body) {
	for i := range b.Applies {
		a := &b.Applies[i]
		place, typ, ok := lockset.Value(a.Value)
		if !ok {
			continue
		}
		keys := w.kept.Unbound(place, typ)
		if len(keys) > maxTargets {
			continue
		}
		for _, key := range keys {
			if w.Bodies[key] == nil {
				continue
			}
			e := a.Edge
			e.Callee = key
			if eff := w.Effects[key]; eff != nil && e.Start == "" {
				e.Outlive = eff.Running()
			}
			w.callers[key] = append(w.callers[key], &e)
			w.applies[key] = true
		}
	}
}

// noteGoroutines notes in which goroutines the functions run that are called as values, as far as the program itself shows
// that, and which functions may run several at once: a goroutine that is started in a loop, goroutines started at two
// places, or a library lead to them. Of whom they are called on nothing is known here.
func (w *World) noteGoroutines(keys []string) {
	calls := w.allCalls(keys)
	at := make(map[string]goroutines)
	var work []string
	reach := func(key string, from goroutines) {
		to := at[key].and(from)
		if !to.equal(at[key]) {
			at[key] = to
			work = append(work, key)
		}
	}
	for _, key := range keys {
		b := w.Bodies[key]
		if root := w.roots[b]; !w.isTest(b.Pos) && root != NoRoot && root != Dead {
			reach(key, goroutines{outside: true, many: root == Serving})
		}
		for _, e := range calls[key] {
			if e.Start != "" {
				reach(e.Callee, goroutines{sites: []string{e.Site}, many: e.Many})
			}
		}
	}
	for len(work) > 0 {
		key := work[len(work)-1]
		work = work[:len(work)-1]
		for _, e := range calls[key] {
			if e.Start == "" {
				reach(e.Callee, at[key])
			} else {
				reach(e.Callee, goroutines{many: at[key].many})
			}
		}
	}
	for _, foreign := range w.unnamed.foreign {
		for _, key := range foreign {
			at[key] = at[key].and(goroutines{outside: true})
		}
	}
	for key, g := range at {
		w.startedAt[key] = g.sites
		switch {
		case g.many:
			w.many[key] = true
		case !g.outside:
			w.home[key] = g.sites[0]
		}
	}
}

// goroutines is what is known of those in which a function runs.
type goroutines struct {
	sites   []string // where they are started, in order, two at most
	outside bool     // some are not started by the program
	many    bool     // several may be running
}

// and returns g and h together.
func (g goroutines) and(h goroutines) goroutines {
	sites := slices.Concat(g.sites, h.sites)
	slices.Sort(sites)
	sites = slices.Compact(sites)
	return goroutines{sites[:min(len(sites), 2)], g.outside || h.outside, g.many || h.many || len(sites) > 1}
}

func (g goroutines) equal(h goroutines) bool {
	return slices.Equal(g.sites, h.sites) && g.outside == h.outside && g.many == h.many
}

// allCalls returns the calls and starts that code other than tests makes, by caller; those of function values, too, which
// lead to a value first, and from there to what may be kept where it comes from.
func (w *World) allCalls(keys []string) map[string][]*lockset.Edge {
	calls := make(map[string][]*lockset.Edge)
	for _, key := range keys {
		for _, e := range w.callers[key] {
			if !e.Stored && !e.Applied && !w.isTest(e.Pos) {
				calls[e.Caller] = append(calls[e.Caller], e)
			}
		}
		for _, a := range w.Bodies[key].Applies {
			if w.isTest(a.Edge.Pos) {
				continue
			}
			if _, known := calls[a.Value]; !known {
				place, typ, _ := lockset.Value(a.Value)
				calls[a.Value] = []*lockset.Edge{}
				for _, target := range w.kept.At(place, typ) {
					calls[a.Value] = append(calls[a.Value], &lockset.Edge{Callee: target})
				}
			}
			e := a.Edge
			e.Callee = a.Value
			calls[key] = append(calls[key], &e)
		}
	}
	return calls
}

// oneGoroutine reports whether a and b run in the same goroutine although one of them is a function that is kept: it
// was sent there, say, where the other one runs, too.
//
//	for f := range s.commands {
//		f()
//	}
func (w *World) oneGoroutine(a, b *Entry) bool {
	ha, hb := w.homeOf(a), w.homeOf(b)
	return (a.Kept != "" || b.Kept != "") && ha != "" && ha == hb
}

// homeOf returns where the goroutine is started that e runs in, if there is one only.
func (w *World) homeOf(e *Entry) string {
	switch {
	case e.Kept != "":
		return w.home[e.Kept]
	case len(e.Sites) > 0 && !e.Many:
		return e.Sites[len(e.Sites)-1]
	}
	return ""
}
