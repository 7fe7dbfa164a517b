package plan

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/region"
	"mapmend/plan/share"
)

// This file finds which calls of a function that is split become calls of its twin, and whether its body may be one section.

// splitFunctions joins the twins of all candidates that are not refused yet, and finds their calls. It reports whether it
// refused one, or had to plan for one anew.
func (d *decider) splitFunctions() bool {
	d.twins, d.moved = make(map[string]*twin), make(map[token.Pos]bool)
	for _, c := range d.cases {
		if c.dropped {
			continue
		}
		for _, planned := range c.twins {
			t := d.twins[planned.key]
			if t == nil {
				joined := *planned
				t = &joined
				d.twins[t.key] = t
			}
			if t.class != planned.class || t.lock != planned.lock || t.path != planned.path {
				d.refuse(c, *planned.refusal("it is split for another lock, too"))
				return true
			}
			t.stores, t.writes = t.stores || planned.stores, t.writes || planned.writes
			t.cases = append(t.cases, c)
		}
	}
	for _, c := range d.cases { // what others have in such a function goes into the twin, too
		for _, n := range c.needs {
			if t := d.twins[n.fn]; !c.dropped && t != nil && c.guard.class == t.class && c.twin(n.fn) == nil {
				d.splitLate(c, n.fn, d.unsplit(c, n))
				return true
			}
		}
	}
	for _, key := range sortedKeys(d.twins) {
		t := d.twins[key]
		why, through := d.findCalls(t)
		c := t.cases[len(t.cases)-1]
		if other := d.namesake(t); other != nil {
			why, through = "the name "+t.name+" is that of the twin of "+other.decl.Name.Name, ""
		}
		switch {
		case through != "":
			for _, other := range t.cases { // each mend is one without the others, too
				if other.twin(through) == nil {
					c = other
				}
			}
			d.splitLate(c, through, c.twin(key).refusal(d.world.Bodies[through].Name+", which calls it, runs both with and without "+c.guard.name))
			return true
		case why != "":
			d.refuse(c, *c.twin(key).refusal(why))
			return true
		}
	}
	return false
}

// namesake returns another twin of the name of t in one package, unless both are methods of different types.
func (d *decider) namesake(t *twin) *twin {
	receiver := func(t *twin) string {
		if recv := t.object().Signature().Recv(); recv != nil {
			return access.TypeName(recv.Type())
		}
		return ""
	}
	for _, key := range sortedKeys(d.twins) {
		other := d.twins[key]
		methods := receiver(t) != "" && receiver(other) != "" && receiver(t) != receiver(other)
		if other != t && other.name == t.name && other.fn.pkg.Dir == t.fn.pkg.Dir && !methods {
			return other
		}
	}
	return nil
}

// unsplit is the refusal of c for the function key, in which it has n, if that is not split.
func (d *decider) unsplit(c *candidate, n need) *Refusal {
	return &Refusal{Code: UnlockedCallers, Pos: d.at(n.pos), Message: d.world.Bodies[n.fn].Name + " runs both with and without " + c.guard.name, Todo: "split it into one function that takes " + c.guard.name + " and one for callers that hold it"}
}

// splitLate plans a twin of the function key for c, whose other places were found without. Else it refuses c with r.
func (d *decider) splitLate(c *candidate, key string, r *Refusal) {
	if r := d.split(c, key, r); r != nil {
		d.refuse(c, *r)
		return
	}
	if r := d.findNeeds(c); r != nil {
		d.refuse(c, *r)
	}
}

// findCalls finds the calls of t that are made with the guard held, or says why one of them cannot be renamed. A function
// that is called both with and without the guard itself, and calls t, is one to be split first: through.
func (d *decider) findCalls(t *twin) (why, through string) {
	held, bare := make(map[token.Pos]*lockset.Edge), make(map[token.Pos]bool)
	for _, e := range d.world.Callers(t.key) {
		if in, ok := d.twins[enclosing(e.Caller)]; ok && in.key != e.Caller && e.Start == "" {
			return "a function literal in " + d.world.Bodies[in.key].Name + ", which is split, calls it", ""
		}
		holds, both, why := d.isHeldAt(t, e)
		switch {
		case why != "":
			return why, ""
		case both:
			return "", e.Caller
		case holds:
			held[e.Pos] = e
			continue
		}
		if why := d.waitsForItself(t, e); why != "" {
			return why, ""
		}
		bare[e.Pos] = true
	}
	for _, pos := range sortedKeys(held) {
		if bare[pos] {
			return "a call of it is made both with and without " + t.class.Field, ""
		}
		span, why := d.callOf(t, held[pos])
		if why != "" {
			return why, ""
		}
		t.calls = append(t.calls, span)
		d.moved[pos] = true
	}
	if len(t.calls) == 0 {
		return "no call of it by name is one that holds " + t.class.Field, ""
	}
	slices.SortFunc(t.calls, Span.compare)
	return "", ""
}

// enclosing returns the function that is declared around the function literal key, or key.
func enclosing(key string) string {
	outer, _, _ := strings.Cut(key, "$")
	return outer
}

// isHeldAt reports whether the call e of t is made with the guard held on every way, or both with and without by what its
// callers hold. If that cannot be told, it says why.
func (d *decider) isHeldAt(t *twin, e *lockset.Edge) (holds, both bool, why string) {
	if e.Start != "" || e.Stored || e.Dispatched || e.Applied {
		return false, false, ""
	}
	at := e.Binding().Path(t.path)
	if outer := d.twins[e.Caller]; outer != nil && outer.class == t.class {
		if at != outer.path {
			return false, false, d.world.Bodies[e.Caller].Name + " calls it for another owner"
		}
		both = slices.ContainsFunc(t.cases, func(c *candidate) bool { return c.twin(outer.key) == nil })
		return true, both, ""
	}
	if h, ok := e.At.Held.Find(at); ok && at.Known() && isGuard(h, t) {
		return true, false, ""
	}
	with, without := false, false
	for _, c := range t.cases {
		for _, j := range c.verdict.Uses {
			for _, entry := range j.Entries {
				frames := entry.Frames()
				i := slices.IndexFunc(frames, func(f share.Frame) bool {
					return f.Edge != nil && f.Edge.Pos == e.Pos && f.Func == e.Caller && f.Edge.Callee == e.Callee
				})
				switch {
				case i < 0:
				case entry.Holds(*c.guard.lock, t.writes) && isHeldByCallers(frames[:i], t):
					with = true
				default:
					without = true
				}
			}
		}
	}
	return with && !without, with && without, ""
}

// waitsForItself says why the call e of t, which cannot become one of the twin, would take a lock that is held.
func (d *decider) waitsForItself(t *twin, e *lockset.Edge) string {
	held := slices.ContainsFunc(e.At.Held, func(h lockset.Held) bool { return h.Class == t.class && !h.Once })
	caller := d.world.Bodies[e.Caller].Name
	switch {
	case !held || e.Start != "" || e.Stored || e.Applied: // for what calls function values see CalledUnder
		return ""
	case e.Dispatched:
		return caller + " calls it through an interface with " + t.class.Field + " held"
	}
	return caller + " calls it with " + t.class.Field + " held, but of another owner or for reading only"
}

// isGuard reports whether h, which is held where t is called, is enough of a lock for the body of t.
func isGuard(h lockset.Held, t *twin) bool {
	return h.Class == t.class && !h.Once && !h.Copied && !h.Lent && (!t.writes || h.Mode == lockset.Write)
}

// isHeldByCallers reports whether the innermost of frames that holds the guard of t when it calls, which the author may say
// of those outside of all, leads to the last by calls by name only. What keeps a function may be changed to call it at other
// times, too.
func isHeldByCallers(frames []share.Frame, t *twin) bool {
	for _, f := range slices.Backward(frames) {
		switch e := f.Edge; {
		case e.Stored || e.Applied || e.Dispatched || e.Start != "" || strings.Contains(e.Callee, "$"):
			return false
		case slices.ContainsFunc(e.At.Held, func(h lockset.Held) bool { return isGuard(h, t) }):
			return true
		}
	}
	return true
}

// callOf returns the name of the function of t in the call e, or says why another cannot stand there.
func (d *decider) callOf(t *twin, e *lockset.Edge) (name Span, why string) {
	caller, ok := d.functionAt(e.Caller)
	switch {
	case !ok:
		return Span{}, "it is called with " + t.class.Field + " held in what has no source of its own"
	case caller.pkg.Path != t.fn.pkg.Path:
		return Span{}, d.world.Bodies[e.Caller].Name + " in another package calls it with " + t.class.Field + " held"
	}
	if r := d.fileRefusal(caller.pkg, caller.file); r != nil {
		return Span{}, "it is called with " + t.class.Field + " held where nothing can be changed: " + r.Message
	}
	why = "it is called with " + t.class.Field + " held, and not by its name"
	deferred, taken := false, false
	ast.PreorderStack(caller.file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Lparen != e.Pos {
			return true
		}
		if callee := calleeIn(caller, call); callee != nil && access.ObjectKey(callee) == t.key {
			name, why = d.span(caller.file, calledName(call)), ""
			_, deferred = stack[len(stack)-1].(*ast.DeferStmt)
			taken = hasName(caller, call, t.name)
		}
		return true
	})
	switch {
	case deferred:
		return Span{}, "a deferred call of it runs with " + t.class.Field + " held"
	case taken:
		return Span{}, "the name " + t.name + " is taken where it is called"
	}
	return name, why
}

// hasName reports whether what call, in fn, selects a method of has a field or method of that name already: that may be
// what another name of the method means.
//
//	type Outer struct{ *Store }
//	func (o *Outer) getLocked(k string) int
//	func (o *Outer) inc(k string) { ... o.Get(k) ... }
func hasName(fn function, call *ast.CallExpr, name string) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	s := fn.pkg.Info.Selections[sel]
	if s == nil {
		return true
	}
	obj, index, _ := types.LookupFieldOrMethod(s.Recv(), true, fn.pkg.Types, name)
	return obj != nil || index != nil
}

func (s Span) compare(t Span) int {
	return cmp.Or(cmp.Compare(s.File, t.File), cmp.Compare(s.Start, t.Start), cmp.Compare(s.End, t.End))
}

// contains reports whether t lies in s.
func (s Span) contains(t Span) bool {
	return s.File == t.File && s.Start <= t.Start && t.End <= s.End
}

// placeTwins returns the twins of each candidate. If one may not be, because of what stands in its body or is planned there,
// it refuses a variable, and ok is unset.
func (d *decider) placeTwins(sections map[*candidate][]Section, orders *lockOrders) (twins map[*candidate][]Twin, ok bool) {
	twins = make(map[*candidate][]Twin)
	for _, key := range sortedKeys(d.twins) {
		t := d.twins[key]
		culprit := t.cases[len(t.cases)-1]
		if obstacle := d.coverTwin(t, orders); obstacle != nil {
			d.refuse(culprit, Refusal{Code: Code(obstacle.Code), Pos: d.at(obstacle.Pos), Message: obstacle.Message, Todo: obstacle.Todo})
			return nil, false
		}
		if why := d.findJoined(t); why != "" {
			d.refuse(culprit, *culprit.twin(key).refusal(why))
			return nil, false
		}
		placed := Twin{Span: d.span(t.fn.file, t.decl), Name: t.name, Lock: t.lock, Read: !t.writes, Calls: t.calls}
		for _, c := range d.cases {
			if !c.dropped && c.changes(d, sections[c], placed.Span) {
				d.refuse(culprit, *culprit.twin(key).refusal("something else is to change in it, too"))
				return nil, false
			}
		}
		for _, c := range t.cases {
			twins[c] = append(twins[c], placed)
		}
	}
	return twins, true
}

// changes reports whether the mend of c, which has those sections, changes something in span besides calls of twins.
func (c *candidate) changes(d *decider, sections []Section, span Span) bool {
	return slices.ContainsFunc(sections, func(s Section) bool { return span.contains(s.Span) }) ||
		slices.ContainsFunc(c.modes, func(m ModeChange) bool { return span.contains(m.Span) }) ||
		slices.ContainsFunc(c.copiesIn(d), func(p Copy) bool { return span.contains(p.Span) }) ||
		c.guard.add != nil && span.contains(d.span(c.decl.file, c.decl.extent()))
}

// coverTwin returns why the body of t may not run as a whole with the guard held, or nil.
func (d *decider) coverTwin(t *twin, orders *lockOrders) *region.Obstacle {
	lock, err := parser.ParseExpr(t.lock)
	if err != nil {
		panic("plan: a lock that is no expression: " + t.lock)
	}
	var uses []region.Use
	var outer []access.Var
	for _, c := range t.cases {
		for _, n := range c.needs {
			if n.fn == t.key {
				uses = append(uses, region.Use{Pos: n.pos, Writes: n.writes})
				outer = append(outer, n.outer...)
			}
		}
	}
	guard := t.cases[0].guard
	eff := &effects{d: d, guard: guard, orders: orders, outer: outer, moved: func(string) bool { return true }}
	if o := region.CoverBody(d.regionIn(t.fn, spot{t.key, t.lock}), uses, region.Lock{Expr: lock}, eff); o != nil {
		return o
	}
	if why := orders.add(outer, guard.class); why != "" {
		return &region.Obstacle{Code: string(LockOrder), Pos: t.decl.Name.Pos(), Message: why, Todo: "release the other lock first"}
	}
	for _, a := range eff.taken {
		orders.edge(guard.class, a, true)
	}
	return nil
}
