package plan

import (
	"cmp"
	"go/ast"
	"go/parser"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
	"mapmend/plan/region"
)

// This file places the sections: jointly for all variables under one guard, so that a function gets
// one section for what belongs together.

// spot is one lock in one function.
type spot struct{ fn, lock string }

// placeSections returns the sections, and the twins, of each candidate that can be mended; the others are refused.
func (d *decider) placeSections() (map[*candidate][]Section, map[*candidate][]Twin) {
	for {
		if d.splitFunctions() {
			continue
		}
		d.gainsAnew, d.gains = d.newLocks()
		if d.refuseReentrant() || d.refuseUnsettled() {
			continue
		}
		orders := d.orders.clone()
		if d.refuseCycles(orders) {
			continue
		}
		out := make(map[*candidate][]Section)
		again := false
		all := make(map[string][]Section)
		d.placed, d.declared = make(map[string][]placedSection), make(map[string][]region.Declared)
		for _, at := range d.spots() {
			sections, culprit, obstacle := d.cover(at, orders)
			if obstacle != nil {
				d.refuse(culprit, Refusal{Code: Code(obstacle.Code), Pos: d.at(obstacle.Pos), Message: obstacle.Message, Todo: obstacle.Todo})
				again = true
				break
			}
			if obstacle := d.nested(at, culpritOf(sections), sections, orders); obstacle != nil {
				c := culpritOf(sections)
				d.refuse(c, *obstacle)
				again = true
				break
			}
			if pos := d.takesAgain(at.fn, sectionsOf(sections), all); pos.IsValid() {
				d.refuse(culpritOf(sections), Refusal{Code: LockOrder, Pos: d.at(pos), Message: "a function literal in a section would take the lock again", Todo: "move the literal out of the statements that use the map"})
				again = true
				break
			}
			all[at.fn] = append(all[at.fn], sectionsOf(sections)...)
			for c, s := range sections {
				out[c] = append(out[c], s...)
			}
		}
		if again {
			continue
		}
		for c := range out {
			slices.SortFunc(out[c], func(a, b Section) int { return compareSpans(a.Span, b.Span) })
		}
		if twins, ok := d.placeTwins(out, orders); ok {
			return out, twins
		}
	}
}

// newLocks returns which locks each function takes, itself or in what it calls, where it takes none now, once everything that
// is not refused yet is mended, and those together with what it takes for reading now, and will for writing.
func (d *decider) newLocks() (anew, all map[string]map[access.Var]bool) {
	anew, all = make(map[string]map[access.Var]bool), make(map[string]map[access.Var]bool)
	for _, c := range d.cases {
		if c.dropped {
			continue
		}
		fns := slices.Clone(c.relocked)
		for _, n := range c.needs {
			fns = append(fns, n.fn)
		}
		for _, t := range c.twins {
			fns = append(fns, t.key)
		}
		for _, fn := range fns {
			d.gain(anew, fn, c.guard.class)
			d.gain(all, fn, c.guard.class)
		}
		for _, fn := range c.upgraded {
			d.gain(all, fn, c.guard.class)
		}
	}
	return anew, all
}

// gain adds to gains that fn, and what calls it, takes lock.
func (d *decider) gain(gains map[string]map[access.Var]bool, fn string, lock access.Var) {
	if gains[fn][lock] {
		return
	}
	if gains[fn] == nil {
		gains[fn] = make(map[access.Var]bool)
	}
	gains[fn][lock] = true
	for _, e := range d.world.Callers(fn) {
		if e.Start == "" && !e.Stored && !e.Applied && !d.moved[e.Pos] { // for what calls function values see CalledUnder
			d.gain(gains, e.Caller, lock)
		}
	}
}

// refuseCycles adds to orders that what begins to take a lock runs while others are held. It refuses a variable
// whose mend closes a cycle that way, and reports whether it refused one.
func (d *decider) refuseCycles(orders *lockOrders) bool {
	taken := func(held access.Var, fn string) bool {
		for _, c := range d.cases {
			if c.dropped || !d.gains[fn][c.guard.class] || held == c.guard.class {
				continue
			}
			if why := orders.add([]access.Var{held}, c.guard.class); why != "" {
				d.refuse(c, Refusal{Code: LockOrder, Message: "in " + d.world.Bodies[fn].Name + " " + why, Todo: "release the other lock first"})
				return true
			}
		}
		return false
	}
	for _, fn := range sortedKeys(d.gains) {
		for _, e := range d.world.Callers(fn) {
			if e.Start != "" || e.Stored || d.moved[e.Pos] {
				continue
			}
			for _, h := range e.At.Held {
				if h.Blocks() && !h.Class.IsZero() && taken(h.Class, fn) {
					return true
				}
			}
		}
	}
	given := givers(d.world)
	for _, fn := range sortedKeys(given) {
		for _, held := range given[fn] {
			if taken(held, fn) {
				return true
			}
		}
	}
	for _, held := range d.world.HeldAround() {
		reached := d.world.Reached(held)
		for _, fn := range sortedKeys(d.gains) {
			if (reached[fn] != "" || d.world.OutsideUnder(held, fn)) && taken(held, fn) {
				return true
			}
		}
	}
	return false
}

// refuseReentrant refuses a variable whose mend makes a function take the guard that something calls
// without naming it, or waits for, while it holds the guard. It reports whether it refused one.
func (d *decider) refuseReentrant() bool {
	for _, fn := range sortedKeys(d.gains) {
		for _, c := range d.cases {
			if c.dropped || !d.gains[fn][c.guard.class] {
				continue
			}
			if d.world.Renamed(c.guard.class) {
				d.refuse(c, Refusal{Code: UnknownGuard, Message: c.guard.name + " is stored under another name, and it is not known where it is held by that", Todo: "guard the uses by hand"})
				return true
			}
			if caller := d.calledWith(fn, c.guard.class, !d.gainsAnew[fn][c.guard.class]); caller != "" {
				r := &Refusal{Code: UnlockedCallers, Message: d.world.Bodies[fn].Name + " would take " + c.guard.name + ", and " + caller + " calls it with " + c.guard.name + " held", Todo: "split it into one function that takes " + c.guard.name + " and one for callers that hold it"}
				d.splitLate(c, fn, r)
				return true
			}
			if caller := d.calledWithUnknown(fn, c.guard); caller != "" {
				d.refuse(c, Refusal{Code: LockOrder, Message: d.world.Bodies[fn].Name + " would take " + c.guard.name + ", and " + caller + " calls it with a lock held that is reached through a pointer or an interface, and may be " + c.guard.name, Todo: "guard the uses by hand"})
				return true
			}
			if c.guard.add != nil {
				continue // it is held in sections of ours alone, which call nothing that is not known
			}
			if how := d.calledUnder(fn, c); how != "" {
				d.refuse(c, Refusal{Code: LockOrder, Message: d.world.Bodies[fn].Name + " would take " + c.guard.name + ", and may be called through " + how + " while " + c.guard.name + " is held", Todo: "call it after the section"})
				return true
			}
		}
	}
	return d.refuseAwaited()
}

// calledUnder returns how fn, which is to take the guard of c, may be called without being named while the guard is held. What
// takes it for reading already, and in the same places, waits for a writer as it is.
func (d *decider) calledUnder(fn string, c *candidate) string {
	if !d.gainsAnew[fn][c.guard.class] {
		return d.world.CalledUnderRead(fn, c.guard.class)
	}
	return d.world.CalledUnder(fn, c.guard.class)
}

// refuseAwaited refuses a variable whose mend makes a function take the guard that may be waited for while the guard
// is held. It reports whether it refused one.
func (d *decider) refuseAwaited() bool {
	for _, fn := range sortedKeys(d.gains) {
		for _, c := range d.cases {
			if c.dropped || !d.gains[fn][c.guard.class] {
				continue
			}
			if what := d.world.Awaited(c.guard.class); d.gainsAnew[fn][c.guard.class] && what != "" {
				d.refuse(c, Refusal{Code: LockOrder, Message: what + " holds " + c.guard.name + ", and " + d.world.Bodies[fn].Name + ", which would take it, may be what is waited for", Todo: "wait after the section"})
				return true
			}
		}
	}
	return false
}

// calledWith returns a function, which may be one of a test, that calls fn by name while it holds guard, or, if read, holds it for
// reading; it returns "" when there is none.
func (d *decider) calledWith(fn string, guard access.Var, read bool) string {
	held := func(h lockset.Held) bool { return h.Class == guard && !h.Once && (!read || h.Mode == lockset.Read) }
	for _, e := range d.world.Callers(fn) {
		if e.Start == "" && !e.Stored && !e.Applied && !d.moved[e.Pos] && slices.ContainsFunc(e.At.Held, held) {
			return d.world.Bodies[e.Caller].Name
		}
	}
	return ""
}

// calledWithUnknown returns a function that calls fn while it holds a lock that may be the guard; it
// returns "" when there is none.
func (d *decider) calledWithUnknown(fn string, g guard) string {
	for _, e := range d.world.Callers(fn) {
		if e.Start == "" && !e.Stored && !d.moved[e.Pos] && slices.ContainsFunc(e.At.Held, g.mayBe) {
			return d.world.Bodies[e.Caller].Name
		}
	}
	return ""
}

// refuseUnsettled refuses a variable of which checkSettled has something to say, after all else. It
// reports whether it refused one.
func (d *decider) refuseUnsettled() bool {
	for _, c := range d.cases {
		if c.dropped {
			continue
		}
		if r := d.checkSettled(c); r != nil {
			d.refuse(c, *r)
			return true
		}
	}
	return false
}

// placedSection is a section and the lock that it holds.
type placedSection struct {
	Section
	class access.Var
}

// culpritOf returns the last of the candidates of sections, in the order they were added.
func culpritOf(sections map[*candidate][]Section) *candidate {
	var last *candidate
	for c := range sections {
		if last == nil || comparePos(last.finding.Pos, c.finding.Pos) < 0 {
			last = c
		}
	}
	return last
}

// nested notes the sections at one spot and refuses those that lie in, or around, a section of
// another lock in a way that may deadlock.
func (d *decider) nested(at spot, c *candidate, sections map[*candidate][]Section, orders *lockOrders) *Refusal {
	for _, s := range sections[c] {
		for _, o := range d.placed[at.fn] {
			if o.Lock == s.Lock || o.End <= s.Start || s.End <= o.Start {
				continue
			}
			first, second := o.class, c.guard.class
			if s.Start < o.Start {
				first, second = second, first
			}
			if why := orders.add([]access.Var{first}, second); why != "" {
				return &Refusal{Code: LockOrder, Message: "the function " + d.world.Bodies[at.fn].Name + " would hold two locks: " + why, Todo: "guard one after the other by hand"}
			}
		}
	}
	for _, s := range sections[c] {
		d.placed[at.fn] = append(d.placed[at.fn], placedSection{s, c.guard.class})
	}
	return nil
}

// spots returns every lock in every function that some candidate needs, in a fixed order.
func (d *decider) spots() []spot {
	var out []spot
	for _, c := range d.cases {
		if c.dropped {
			continue
		}
		for _, n := range c.needs {
			if s := (spot{n.fn, n.lock}); !slices.Contains(out, s) && d.twins[n.fn] == nil {
				out = append(out, s)
			}
		}
	}
	slices.SortFunc(out, func(a, b spot) int { return cmp.Or(cmp.Compare(a.fn, b.fn), cmp.Compare(a.lock, b.lock)) })
	return out
}

// at returns the candidates with needs at s.
func (d *decider) candidatesAt(s spot) []*candidate {
	var out []*candidate
	for _, c := range d.cases {
		if !c.dropped && slices.ContainsFunc(c.needs, func(n need) bool { return n.fn == s.fn && n.lock == s.lock }) {
			out = append(out, c)
		}
	}
	return out
}

// cover finds the sections at one spot for all candidates, or the candidate to drop and why.
func (d *decider) cover(s spot, orders *lockOrders) (map[*candidate][]Section, *candidate, *region.Obstacle) {
	cs := d.candidatesAt(s)
	sections, obstacle := d.coverFor(s, cs, orders)
	if obstacle == nil {
		return sections, nil, nil
	}
	out := make(map[*candidate][]Section)
	for _, c := range cs {
		own, alone := d.coverFor(s, []*candidate{c}, orders)
		if alone != nil {
			return nil, c, alone
		}
		out[c] = own[c]
	}
	if d.areApart(s, cs, out) {
		return out, nil, nil // as another run would place those that this one refuses
	}
	return nil, cs[len(cs)-1], obstacle
}

// areApart reports whether no section of one of cs at s overlaps or touches one of another.
func (d *decider) areApart(s spot, cs []*candidate, sections map[*candidate][]Section) bool {
	fn, _ := d.functionAt(s.fn)
	body := d.span(fn.file, fn.body)
	end := func(s Section) int {
		if s.Defer {
			return body.End
		}
		return s.End
	}
	for i, c := range cs {
		for _, other := range cs[i+1:] {
			for _, a := range sections[c] {
				for _, b := range sections[other] {
					if a.Start <= end(b) && b.Start <= end(a) {
						return false
					}
				}
			}
		}
	}
	return true
}

func (d *decider) coverFor(s spot, cs []*candidate, orders *lockOrders) (map[*candidate][]Section, *region.Obstacle) {
	fn, _ := d.functionAt(s.fn)
	lock, err := parser.ParseExpr(s.lock)
	if err != nil {
		panic("plan: a lock that is no expression: " + s.lock)
	}
	g := cs[0].guard
	var uses []region.Use
	var outer []access.Var
	for _, c := range cs {
		mayBeNil := d.mayBeNil(c)
		for _, n := range c.needs {
			if n.fn == s.fn && n.lock == s.lock {
				uses = append(uses, region.Use{Pos: n.pos, Writes: n.writes, MayBeNil: mayBeNil})
				outer = append(outer, n.outer...)
			}
		}
	}
	joins := d.joinsAt(s, cs)
	eff := &effects{d: d, in: fn, at: s, cases: cs, guard: g, orders: orders, outer: outer, moved: joins.moves}
	at := region.Lock{Expr: lock, New: g.add != nil && cs[0].decl.owner == nil}
	found, obstacle := region.Cover(d.regionIn(fn, s), slices.Concat(uses, joins.uses()), at, eff)
	if obstacle != nil && len(joins) > 0 && !joins.belongTo(uses) {
		found, obstacle = region.Cover(d.regionIn(fn, s), uses, at, eff)
	}
	if obstacle != nil {
		return nil, obstacle
	}
	if why := orders.add(outer, g.class); why != "" {
		return nil, &region.Obstacle{Code: string(LockOrder), Pos: uses[0].Pos, Message: why, Todo: "release the other lock first"}
	}
	for _, a := range eff.taken {
		orders.edge(g.class, a, true)
	}
	out := make(map[*candidate][]Section)
	for _, sec := range found {
		section := Section{Lock: s.lock, Read: g.reads && !sec.Writes && !d.writesIn(cs, sec) && !mayChangeElement(fn, cs, sec) && !joins.write(sec), Defer: sec.Defer, Closure: sec.Closure, Block: sec.Block}
		for _, exit := range sec.Exits {
			section.Exits = append(section.Exits, d.span(fn.file, exit))
		}
		if sec.Parted {
			section.Parted = d.world.Bodies[s.fn].Name
		}
		if sec.Swept {
			section.Swept = d.world.Bodies[s.fn].Name
		}
		joins.join(sec)
		for _, part := range sec.Parts() {
			section.Span = d.span(fn.file, part)
			for _, h := range part.Hoists {
				section.Hoist, section.Name, section.Clone = true, h.Name, h.Clone
			}
			for _, c := range joins.cases(cs) {
				if joins.in(part).of(c) || slices.ContainsFunc(c.needs, func(n need) bool {
					return n.fn == s.fn && n.lock == s.lock && part.Pos() <= n.pos && n.pos < part.End()
				}) {
					out[c] = append(out[c], section)
				}
			}
		}
		d.declared[enclosing(s.fn)] = append(d.declared[enclosing(s.fn)], sec.Declares()...)
	}
	return out, nil
}

// regionIn returns the body of fn as package region takes it, for the lock of s.
func (d *decider) regionIn(fn function, s spot) region.Func {
	return region.Func{Body: fn.body, Loop: isLoop(fn.node), File: fn.file.Syntax, Package: syntaxOf(fn.pkg), NilRoot: d.isNilRoot(s), Types: fn.pkg.Types, Info: fn.pkg.Info, Fset: d.prog.Fset, Declared: d.declared[enclosing(s.fn)]}
}

// isNilRoot reports whether the lock of s begins with a parameter that may be nil, of the function or of one that it
// stands in.
func (d *decider) isNilRoot(s spot) bool {
	root, _, _ := strings.Cut(s.lock, ".")
	for key := s.fn; ; {
		if body := d.world.Bodies[key]; body != nil {
			if i := slices.Index(body.Params, root); i >= 0 {
				return d.world.IsNil(key, i) || d.isNilFrom(key, i, make(map[string]bool))
			}
		}
		i := strings.LastIndexByte(key, '$')
		if i < 0 {
			return false
		}
		key = key[:i]
	}
}

// isNilFrom reports whether some caller gives the function key, as its parameter number param, what stands in a field or
// package variable that may never have been set.
func (d *decider) isNilFrom(key string, param int, seen map[string]bool) bool {
	if seen[key] {
		return false
	}
	seen[key] = true
	for _, e := range d.world.Callers(key) {
		if param >= len(e.Params) {
			continue
		}
		ref := e.Params[param]
		v := toVar(ref.Var)
		if decl, ok := d.decls[v]; ok && d.isUnset(v, decl) {
			return true
		}
		if root := ref.Path.Root; root.Kind == access.Param && ref.Path.Sel == "" && d.isNilFrom(e.Caller, root.Index, seen) {
			return true
		}
	}
	return false
}

func isLoop(n ast.Node) bool {
	_, ok := n.(*ast.RangeStmt)
	return ok
}

func syntaxOf(pkg *load.Package) []*ast.File {
	var out []*ast.File
	for _, f := range pkg.Files {
		out = append(out, f.Syntax)
	}
	return out
}

// mayBeNil reports whether nothing shows that the variable of c always has a map: it is not made wherever its owner
// is, or nothing makes one, or it is replaced by something else than a new map.
func (d *decider) mayBeNil(c *candidate) bool {
	for _, j := range c.verdict.Uses {
		for _, e := range j.Entries {
			if e.Use.Op == mapuse.Replace && (!e.Use.Fresh || e.Use.Nil) {
				return true
			}
		}
	}
	return c.decl.owner != nil && !d.world.Built(c.verdict.Var) || d.isUnset(c.finding.Var, c.decl)
}

// isUnset reports whether the variable v, which decl declares, may never have been given a value.
func (d *decider) isUnset(v Var, decl declaration) bool {
	if d.unsets == nil {
		d.unsets = make(map[Var]bool)
	}
	unset, known := d.unsets[v]
	if !known {
		unset = d.unset(v, decl, false).IsValid()
		d.unsets[v] = unset
	}
	return unset
}

// writesIn reports whether a use of one of cs in the section writes, whether or not it is a problem.
func (d *decider) writesIn(cs []*candidate, sec region.Section) bool {
	for _, c := range cs {
		for _, j := range c.verdict.Uses {
			if j.Op.Writes() && sec.Pos() <= j.Pos && j.Pos < sec.End() {
				return true
			}
		}
	}
	return false
}
