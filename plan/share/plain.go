package share

import (
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file looks for the plain answer first: the ways to the uses of a variable up to where they take
// a lock that stands around the map. Most variables are cleared by that. Of the others it tells which
// locks matter, so that the ways need not be told apart by the rest.

// plainly is what is seen of a variable up to its nearest locks.
type plainly struct {
	common  []string // the locks that all ways hold that hold one at all
	any     bool     // there is such a way
	written bool     // there is a way to a use that writes
	tests   bool     // every use is in test code
	open    []Entry  // ways from a root that hold no such lock
	near    map[access.Var]bool
	partial bool // a bound was met
}

// plainly follows starts to their nearest locks. Writes come first: without one there is no problem.
func (s *search) plainly(starts []Entry) *plainly {
	p := &plainly{near: make(map[access.Var]bool), tests: true}
	for _, writes := range []bool{true, false} {
		for i := range starts {
			start := starts[i]
			if start.Use.Op.Writes() != writes {
				continue
			}
			start.numbers = s.table.numbers(&start)
			start.At, start.After = s.table.points[start.numbers.at], s.table.lists[start.numbers.after]
			p.tests = p.tests && s.w.isTest(start.Use.Pos)
			wk := &plainWalker{search: s, plainly: p, seen: make(map[state]bool)}
			wk.up(start)
		}
		if !p.written && !p.partial {
			break
		}
	}
	return p
}

// clear reports whether the variable has no problem: nothing writes it once goroutines run, or all
// ways hold one lock. A variable of test code is not cleared.
func (p *plainly) clear() bool {
	switch {
	case p.partial || p.tests:
		return false
	case !p.written:
		return true
	}
	return len(p.open) == 0 && (len(p.common) > 0 || !p.any)
}

// classes returns the classes of the locks that matter for the verdict; nil means all. Ways that hold
// one lock around the map only meet ways that do not hold it, and of the locks they hold besides,
// those matter that these hold too.
func (p *plainly) classes() map[access.Var]bool {
	if p.partial || p.tests {
		return nil
	}
	out := p.near
	for i := range p.open {
		e := &p.open[i]
		if e.Unsure != "" {
			return nil // it may hold any lock
		}
		for _, h := range e.At.Held {
			out[h.Class] = true
		}
	}
	return out
}

type plainWalker struct {
	*search
	*plainly
	seen map[state]bool
}

func (wk *plainWalker) up(e Entry) {
	key := e.state()
	if wk.seen[key] {
		return
	}
	if wk.ends(&e, len(wk.seen)) {
		wk.partial = true
		return
	}
	wk.seen[key] = true
	if wk.takesLock(&e) {
		wk.copied(&e)
		return
	}
	b := wk.w.Bodies[e.Func]
	if b == nil {
		return
	}
	root, private := wk.rootAt(&e, b)
	if root != NoRoot && root != Test {
		out := wk.fromOutside(&e, b, root)
		if !out.beforeStart() && !wk.takesLock(&out) {
			wk.open = append(wk.open, out)
			wk.written = wk.written || e.Use.Op.Writes()
		}
	}
	if private {
		return
	}
	wk.callers(&e, wk.up)
}

// copied follows e, which holds a lock, to the callers that know more of that: it stands in a copy of theirs.
func (wk *plainWalker) copied(e *Entry) {
	for _, edge := range wk.w.callers[e.Func] {
		if len(edge.Copies) > 0 && !e.repeats(edge) {
			if next, ok := wk.through(e, edge); ok {
				wk.up(next)
			}
		}
	}
}

// takesLock reports whether e holds a lock that stands around the map in the mode that its use needs,
// and notes it.
func (wk *plainWalker) takesLock(e *Entry) bool {
	if len(e.At.Held) == 0 {
		return false
	}
	var ids []string
	for _, l := range e.relateLocks() {
		if l.Relation != Other && !l.Once && !l.Lent && !l.Copied && (l.Mode == lockset.Write || !e.Use.Op.Writes()) {
			wk.near[l.Class] = true
			if l.Relation != Up && !l.striped(e.Ref) { // others may lead to the same owner with a lock of their own
				ids = append(ids, l.id())
			}
		}
	}
	if len(ids) == 0 {
		return false
	}
	wk.written = wk.written || e.Use.Op.Writes()
	if !wk.any {
		wk.any, wk.common = true, ids
	} else {
		wk.common = slices.DeleteFunc(wk.common, func(id string) bool { return !slices.Contains(ids, id) })
	}
	return true
}

// relevant is what can matter for whether two of some ways meet.
type relevant struct {
	sites  map[string]bool     // where the goroutines are started that lead to one of them
	before map[access.Var]bool // the Onces on them before which something happens
}

// relevantTo returns what can matter for the ways to starts.
func (w *World) relevantTo(starts []Entry) *relevant {
	r := &relevant{make(map[string]bool), make(map[access.Var]bool)}
	at := func(p lockset.Point) {
		for _, h := range p.Held {
			if h.Once && h.Mode == lockset.Write && (!h.Flag || w.orders(h.Class)) {
				r.before[h.Class] = true
			}
		}
	}
	seen := make(map[string]bool)
	var queue []string
	reach := func(fn string) {
		if !seen[fn] {
			seen[fn] = true
			queue = append(queue, fn)
		}
	}
	for i := range starts {
		for _, f := range starts[i].Frames() {
			if f.Edge != nil && f.Edge.Start != "" {
				r.sites[f.Edge.Site] = true
				r.sites[lockset.ServeSite] = r.sites[lockset.ServeSite] || f.Edge.Start.Served()
			}
		}
		at(starts[i].At)
		reach(starts[i].Func)
	}
	for len(queue) > 0 {
		fn := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, e := range w.callers[fn] {
			if e.Start != "" {
				r.sites[e.Site] = true
				r.sites[lockset.ServeSite] = r.sites[lockset.ServeSite] || e.Start.Served()
			}
			at(e.At)
			reach(e.Caller)
		}
	}
	return r
}
