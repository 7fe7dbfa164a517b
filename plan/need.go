package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
	"mapmend/plan/share"
)

// This file finds where the guard must be taken: at the use itself, or at the call that leads to it
// when other callers hold the guard already.

// need is one place in one function that must hold the guard.
type need struct {
	fn     string // key
	pos    token.Pos
	lock   string // the guard as an expression of fn
	writes bool
	outer  []access.Var // locks that are held there
}

// findNeeds finds the places that the mend of c must cover. Once a function is to be split, ways that were followed past
// it end there.
func (d *decider) findNeeds(c *candidate) *Refusal {
	for {
		known := len(c.twins)
		c.needs, c.modes, c.upgraded = nil, nil, nil
		if r := d.findNeedsOnce(c); r != nil || len(c.twins) == known {
			return r
		}
	}
}

func (d *decider) findNeedsOnce(c *candidate) *Refusal {
	uses := c.verdict.Uses
	if c.guard.add != nil { // importers may fill the registry later
		uses = slices.Concat(uses, c.verdict.Fillers)
	}
	for _, j := range uses {
		if !j.Problem && (c.guard.add == nil || c.decl.stmt != nil || j.Op == mapuse.Load) {
			continue // with a new mutex of an owner even code that nothing calls takes it
		}
		if c.isOfCopy(j) {
			continue
		}
		if r := d.needsOf(c, j); r != nil {
			return r
		}
	}
	d.needElements(c)
	switch {
	case len(c.needs) == 0 && len(c.modes) == 0 && len(c.copies) == 0 && len(c.receivers) == 0 && len(c.twins) == 0 && c.one == nil:
		if _, also := d.opt.Also[c.finding.Var]; also {
			return &Refusal{Code: Platforms, Message: "it is to be mended for another platform, and here goroutines do not share it, or hold " + c.guard.name + " already", Todo: "guard the uses by hand"}
		}
		if len(uses) == 0 {
			return &Refusal{Code: UnknownGuard, Message: "no use of it may run while goroutines do, so that there is nothing to guard", Todo: "leave it as it is"}
		}
		return &Refusal{Code: UnknownGuard, Message: "no place was found at which the guard could be taken", Todo: "guard the uses by hand"}
	case len(c.needs) > 0 && c.guard.lock != nil && c.guard.local == nil:
		return cmp.Or(d.checkSet(c), d.checkNeeds(c))
	}
	return nil
}

// needElements adds to the needs of c the uses of an element, behind the place in the same function where it is read, that
// conflict with others: the section must take them in.
//
//	c := s.m[k]
//	c.n++
func (d *decider) needElements(c *candidate) {
	for _, e := range d.world.Leaving(c.verdict) {
		at := slices.IndexFunc(c.needs, func(n need) bool { return n.fn == e.Use.Func && n.pos == e.ReadAt() })
		if at < 0 {
			continue
		}
		n := c.needs[at]
		n.pos, n.writes = e.Use.Pos, e.Use.Op.Writes()
		if !slices.ContainsFunc(c.needs, func(o need) bool { return o.fn == n.fn && o.pos == n.pos && o.lock == n.lock }) {
			c.needs = append(c.needs, n)
		}
	}
}

// needsOf finds the places for one use, which is reached in several ways.
func (d *decider) needsOf(c *candidate, j share.Judged) *Refusal {
	write := j.Op.Writes()
	for _, e := range j.Entries {
		if c.guard.lock != nil && e.Holds(*c.guard.lock, write) {
			continue
		}
		if len(c.receivers) > 0 && c.holdsCopy(e, write) {
			continue // of a receiver that is to be a pointer
		}
		if c.guard.lock != nil && (e.Holds(*c.guard.lock, false) || len(c.receivers) > 0 && c.holdsCopy(e, false)) {
			if r := d.upgrade(c, e); r != nil {
				return r
			}
			continue
		}
		if r := d.place(c, j, e); r != nil {
			return r
		}
	}
	return nil
}

// holdsCopy reports whether e holds a copy of the guard, in write mode if write.
func (c *candidate) holdsCopy(e *share.Entry, write bool) bool {
	if c.guard.lock == nil {
		return false
	}
	lock := *c.guard.lock
	lock.Copied = false // a copy of this one, and not of any
	return e.HoldsCopy(lock) && slices.ContainsFunc(e.At.Held, func(h lockset.Held) bool {
		return h.Copied && h.Class == c.guard.class && (!write || h.Mode == lockset.Write)
	})
}

// place adds the need for entry e: as far in as no way to that place holds the guard.
func (d *decider) place(c *candidate, j share.Judged, e *share.Entry) *Refusal {
	refs, frames := e.Refs(), e.Frames()
	if inner := frames[len(frames)-1].Func; d.world.Bodies[inner].Synthetic {
		if _, ok := d.functionAt(inner); !ok {
			return &Refusal{Code: OwnerUnreachable, Pos: d.at(j.Pos), Message: d.world.Bodies[inner].Name + " has no body in which " + c.guard.name + " could be taken", Todo: "let a function literal do it"}
		}
	}
	var shared []string // functions on the way that others come to with the guard held, the outermost first
	for i := len(frames) - 1; i >= 0; i-- {
		frame := frames[i]
		body := d.world.Bodies[frame.Func]
		pos := j.Pos
		if frame.Edge != nil {
			pos = frame.Edge.Pos
		}
		given := d.isGiven(c, frame.Func, refs[i])
		if given && frame.Edge == nil {
			pos = e.Use.Pos
		}
		n := need{fn: frame.Func, pos: pos, writes: j.Op.Writes()}
		if t := c.twin(frame.Func); t != nil {
			n.lock = t.lock
			return d.addNeed(c, j, e, n)
		}
		if refs[i].Var.IsZero() && !d.isCaptured(c, frame.Func, pos) && !given || d.world.RequiresLock(body) || heldByOthers(c, j, e, i) {
			if !refs[i].Var.IsZero() && !d.world.RequiresLock(body) {
				shared = slices.Insert(shared, 0, frame.Func)
			}
			if i > 0 && frames[i-1].Edge.Start == "" && !frames[i-1].Edge.Stored {
				continue
			}
			return d.splitInstead(c, shared, c.startedWithout(d, j, body, refs[i]))
		}
		if r := d.spell(c, &n, refs[i]); r != nil {
			return d.splitInstead(c, shared, r)
		}
		return d.addNeed(c, j, e, n)
	}
	return &Refusal{Code: UnlockedCallers, Pos: d.at(j.Pos), Message: "every function on the way runs with " + c.guard.name + " held elsewhere", Todo: "take " + c.guard.name + " in the outermost one"}
}

// isGiven reports whether ref, in terms of the function key, is a parameter that is the package variable of c in every call:
//
//	func Info(t reflect.Type) info { return find(infos, t) }
//	func find(infos map[reflect.Type]info, t reflect.Type) info
func (d *decider) isGiven(c *candidate, key string, ref access.Ref) bool {
	root, body := ref.Path.Root, d.world.Bodies[key]
	if c.decl.outer == nil || root.Kind != access.Param || ref.Path.Sel != "" || ref.Depth > 0 || body == nil || body.Exported || body.Method != "" {
		return false
	}
	callers := d.world.Callers(key)
	for _, e := range callers {
		if e.Stored || e.Applied || root.Index >= len(e.Params) || toVar(e.Params[root.Index].Var) != c.finding.Var || e.Params[root.Index].Depth > 0 {
			return false
		}
	}
	return len(callers) > 0
}

// addNeed adds n, where the way e to the use j is to get the guard.
func (d *decider) addNeed(c *candidate, j share.Judged, e *share.Entry, n need) *Refusal {
	for _, h := range e.At.Held {
		if c.guard.mayBe(h) {
			return &Refusal{Code: LockOrder, Pos: d.at(j.Pos), Message: "a lock that is reached through a pointer or an interface is held there, and may be " + c.guard.name, Todo: "guard the use by hand"}
		}
		if h.Blocks() {
			n.outer = append(n.outer, h.Class)
		}
	}
	c.needs = append(c.needs, n)
	return nil
}

// startedWithout refuses the use j in body, which a goroutine runs and which cannot take the guard itself. ref is what it
// calls the map.
func (c *candidate) startedWithout(d *decider, j share.Judged, body *lockset.Body, ref access.Ref) *Refusal {
	r := &Refusal{Code: UnlockedCallers, Pos: d.at(j.Pos), Todo: "split it into one function that takes " + c.guard.name + " and one for callers that hold it"}
	switch {
	case ref.Var.IsZero():
		r.Code, r.Message, r.Todo = OwnerUnreachable, body.Name+" is given the map, and cannot name what guards it", "pass what the map belongs to"
	case d.world.RequiresLock(body):
		r.Message = body.Name + " says that its callers hold the lock, and is started in a goroutine"
	default:
		r.Message = body.Name + " runs both with and without " + c.guard.name
	}
	return r
}

// mayBe reports whether h, held where g is not, may be another name of g. A new mutex has none.
func (g guard) mayBe(h lockset.Held) bool {
	if g.add != nil {
		return false
	}
	indirect := h.Indirect || g.lock != nil && g.lock.Indirect
	return indirect && !h.Once && h.Class != g.class
}

// heldByOthers reports whether the use at j is also reached, through the same call in frame i of e,
// by a way that holds the guard there already.
func heldByOthers(c *candidate, j share.Judged, e *share.Entry, i int) bool {
	if c.guard.lock == nil {
		return false
	}
	frames := e.Frames()
	depth := len(frames) - i
	for _, o := range j.Entries {
		if o == e || !o.Holds(*c.guard.lock, false) {
			continue
		}
		others := o.Frames()
		if len(others) < depth {
			continue
		}
		same := true
		for k := 1; k <= depth; k++ {
			a, b := frames[len(frames)-k], others[len(others)-k]
			if a.Func != b.Func || k > 1 && a.Edge.Pos != b.Edge.Pos {
				same = false
			}
		}
		if same {
			return true
		}
	}
	return false
}

// variableOf returns the variable or field that e names, or nil.
func variableOf(fn function, e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return fn.pkg.Info.Uses[e]
	case *ast.SelectorExpr:
		return fn.pkg.Info.Uses[e.Sel]
	}
	return nil
}

func isReference(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Interface:
		return true
	}
	return false
}
