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
	"mapmend/plan/mapuse"
	"mapmend/plan/model"
	"mapmend/plan/region"
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
	case len(c.needs) == 0 && len(c.modes) == 0 && len(c.copies) == 0 && len(c.receivers) == 0 && len(c.twins) == 0:
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
		n := need{fn: frame.Func, pos: pos, writes: j.Op.Writes()}
		if t := c.twin(frame.Func); t != nil {
			n.lock = t.lock
			return d.addNeed(c, j, e, n)
		}
		if refs[i].Var.IsZero() && !d.isCaptured(c, frame.Func, pos) || d.world.RequiresLock(body) || heldByOthers(c, j, e, i) {
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

// spell finds how the function of n spells the guard.
func (d *decider) spell(c *candidate, n *need, ref access.Ref) *Refusal {
	fn, ok := d.functionAt(n.fn)
	if !ok {
		return &Refusal{Code: OwnerUnreachable, Pos: d.at(n.pos), Message: "the function that uses the map has no source of its own", Todo: "guard the use by hand"}
	}
	if r := d.fileRefusal(fn.pkg, fn.file); r != nil {
		r.Pos = d.at(n.pos)
		return r
	}
	if eff := d.world.Effects[n.fn]; eff != nil && slices.ContainsFunc(eff.Outcomes, func(o lockset.Outcome) bool {
		return slices.ContainsFunc(o.Acquired, func(h lockset.Held) bool { return h.Class == c.guard.class && !h.Once })
	}) {
		return &Refusal{Code: LockOrder, Pos: d.at(n.pos), Message: d.world.Bodies[n.fn].Name + " returns with " + c.guard.name + " held", Todo: "unlock " + c.guard.name + " before it returns"}
	}
	lock := d.spellGuard(c, fn, *n, ref)
	if lock == "" {
		what := c.guard.name
		if c.guard.lock == nil {
			what = "the owner, and a mutex in it,"
		}
		return &Refusal{Code: OwnerUnreachable, Pos: d.at(n.pos), Message: what + " cannot be named where the map is used", Todo: "assign the owner to a variable and use the map through it"}
	}
	n.lock = lock
	return nil
}

// spellGuard writes the guard as an expression that means it at n.
func (d *decider) spellGuard(c *candidate, fn function, n need, ref access.Ref) string {
	if c.decl.stmt != nil {
		return c.spellLocal(fn, n.pos)
	}
	if l := c.guard.lock; l != nil && l.Relation == share.Package {
		return d.spellGlobal(fn, l.ID)
	}
	suffix, rest, ok := c.guard.fromOwner()
	switch {
	case !ok:
		return ""
	case c.decl.owner == nil:
		return d.spellGlobal(fn, c.decl.pkg.Path+suffix)
	}
	if sel := selectorAt(fn, n.pos, c.decl.name.Name); sel != nil && rest == "" {
		if text := d.lockOf(fn, sel, suffix); text != "" {
			return text
		}
	}
	return d.spellByPath(c, fn, n, ref)
}

// fromOwner returns the fields that lead to g from what it stands in, and those that lead from there to the owner of the
// map; ok is unset when there are none.
func (g guard) fromOwner() (suffix, rest string, ok bool) {
	switch {
	case g.lock == nil:
		return "." + g.name, "", true
	case g.lock.Relation == share.Own:
		return g.lock.Suffix, "", true
	case g.lock.Relation == share.Up:
		return g.lock.Suffix, g.lock.Rest, true
	}
	return "", "", false
}

// spellByPath writes the guard as an expression that begins with the variable that ref, the map in terms of the function,
// begins with. The guard stands in a struct.
func (d *decider) spellByPath(c *candidate, fn function, n need, ref access.Ref) string {
	suffix, rest, ok := c.guard.fromOwner()
	owner := share.OwnerPath(ref)
	if !ok || !strings.HasSuffix(owner.Sel, rest) {
		return ""
	}
	sel := strings.TrimSuffix(owner.Sel, rest)
	root := rootName(owner.Root, d.world.Bodies[n.fn])
	if owner.Root.Kind == access.Global {
		root = d.spellGlobal(fn, owner.Root.Name)
	}
	if root == "" || root == "_" || strings.ContainsAny(sel, "[~") {
		return ""
	}
	x, err := parser.ParseExpr(root + sel)
	if err != nil {
		return ""
	}
	lock := types.ExprString(x) + embeddedSuffix(d, c, suffix)
	if c.guard.lock != nil && !d.means(fn, n.pos, lock+".Lock") || rest == "" && !d.means(fn, n.pos, types.ExprString(x)+"."+c.decl.name.Name) {
		return ""
	}
	return lock
}

// means reports whether text means something at pos. A name that a parameter has need not:
//
//	func Get[T ~*Store](t T) int { return (*Store)(t).m["a"] } // t.mu is none
func (d *decider) means(fn function, pos token.Pos, text string) bool {
	_, err := types.Eval(d.prog.Fset, fn.pkg.Types, pos, text)
	return err == nil
}

func rootName(r access.Root, body *lockset.Body) string {
	switch {
	case r.Kind == access.Param && r.Index < len(body.Params):
		return body.Params[r.Index]
	case r.Kind == access.Free && r.Index < len(body.Free):
		return body.Free[r.Index]
	}
	return ""
}

// embeddedSuffix leaves out an embedded mutex: s.Lock(), not s.Mutex.Lock().
func embeddedSuffix(d *decider, c *candidate, suffix string) string {
	if decl, ok := d.decls[toVar(c.guard.class)]; ok {
		if f, ok := decl.node.(*ast.Field); ok && len(f.Names) == 0 && strings.HasSuffix(suffix, "."+decl.name.Name) && decl.object() != nil {
			return strings.TrimSuffix(suffix, "."+decl.name.Name)
		}
	}
	return suffix
}

// lockOf writes the lock that suffix leads to from the owner of the field that sel selects. That may be embedded in
// sel.X, and the lock needs the names of what it is embedded by when its own means something else there:
//
//	type T struct {
//		*Store
//		mu sync.Mutex
//	}
//	func (t *T) Size() int { return len(t.m) } // t.Store.mu
func (d *decider) lockOf(fn function, sel *ast.SelectorExpr, suffix string) string {
	selection, ok := fn.pkg.Info.Selections[sel]
	if !ok {
		return ""
	}
	owner, at := types.ExprString(sel.X), selection.Recv()
	steps := selection.Index()[:len(selection.Index())-1]
	if lock := lockFrom(fn.pkg.Types, owner, at, steps, suffix); lock != "" {
		return lock
	}
	for _, i := range steps {
		field := fieldOf(at, i)
		owner, at = owner+"."+field.Name(), field.Type()
	}
	if !d.means(fn, sel.Pos(), owner) {
		return ""
	}
	return lockFrom(fn.pkg.Types, owner, at, nil, suffix)
}

// fieldOf returns field i of t, which is a struct or a pointer to one.
func fieldOf(t types.Type, i int) *types.Var {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	return t.Underlying().(*types.Struct).Field(i)
}

// lockFrom writes the lock that suffix leads to from what steps lead to from owner, which is a t, or nothing when it
// cannot be named so.
func lockFrom(pkg *types.Package, owner string, t types.Type, steps []int, suffix string) string {
	first := access.FirstStep(suffix)
	obj, index, _ := types.LookupFieldOrMethod(t, true, pkg, strings.TrimPrefix(first, "."))
	if obj == nil && index == nil && first == suffix {
		return owner + suffix // the mutex is about to be added
	}
	field, ok := obj.(*types.Var)
	if !ok || !slices.Equal(index[:len(index)-1], steps) {
		return ""
	}
	if !field.Embedded() || first != suffix {
		return owner + suffix
	}
	_, method, _ := types.LookupFieldOrMethod(t, true, pkg, "Lock")
	if len(method) <= len(index) || !slices.Equal(method[:len(index)], index) {
		return owner + suffix
	}
	return owner
}

// spellGlobal writes a package variable as fn can: its bare name in its own package.
func (d *decider) spellGlobal(fn function, name string) string {
	path := model.Package(name)
	rest := strings.TrimPrefix(name, path+".")
	if path == fn.pkg.Path {
		return rest
	}
	return ""
}

// selectorAt returns the selector x.field at pos, when that is what the place is and x is a path.
func selectorAt(fn function, pos token.Pos, field string) *ast.SelectorExpr {
	var found *ast.SelectorExpr
	ast.Inspect(fn.file.Syntax, func(n ast.Node) bool { // not by way of astutil, which sorts all that stands beside it
		if n == nil || pos < n.Pos() || n.End() <= pos {
			return false
		}
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Pos() == pos {
			found = sel
		}
		return true
	})
	if found == nil || found.Sel.Name != field || !IsPath(found.X) {
		return nil
	}
	return found
}

// IsPath reports whether e is made of names only, and so can be the lock of a Section, or lead to it:
// evaluating it twice has no effect.
func IsPath(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return IsPath(e.X)
	case *ast.ParenExpr:
		return IsPath(e.X)
	}
	return false
}

// upgrade plans that the section in which e writes, held for reading, is held for writing.
func (d *decider) upgrade(c *candidate, e *share.Entry) *Refusal {
	refs, frames := e.Refs(), e.Frames()
	for i := len(frames) - 1; i >= 0; i-- {
		at, pos := e.Use.At, e.Use.Pos
		if edge := frames[i].Edge; edge != nil {
			at, pos = edge.At, edge.Pos
		}
		if !slices.ContainsFunc(at.Held, func(h lockset.Held) bool { return h.Class == c.guard.class && h.Mode == lockset.Read }) {
			continue
		}
		return d.upgradeIn(c, need{fn: frames[i].Func, pos: pos}, refs[i])
	}
	return &Refusal{Code: Upgrade, Pos: d.at(e.Use.Pos), Message: "the read lock is taken where it cannot be changed", Todo: "take " + c.guard.name + " for writing"}
}

func (d *decider) upgradeIn(c *candidate, n need, ref access.Ref) *Refusal {
	no := func(why string) *Refusal {
		return &Refusal{Code: Upgrade, Pos: d.at(n.pos), Message: why, Todo: "take " + c.guard.name + " for writing by hand"}
	}
	fn, ok := d.functionAt(n.fn)
	if !ok {
		return no("the function has no source of its own")
	}
	if r := d.fileRefusal(fn.pkg, fn.file); r != nil {
		return r
	}
	lock := d.spellGuard(c, fn, n, ref)
	calls := lockCalls(fn.body, lock)
	if len(calls["RLock"]) != 1 || len(calls["RUnlock"]) == 0 || len(calls["Lock"]) > 0 {
		return no("the read section is not one RLock and its RUnlocks in one function")
	}
	if len(calls["TryRLock"]) > 0 || len(calls["TryLock"]) > 0 {
		return no("an RUnlock in the function may be that of a TryRLock")
	}
	if other := otherLockCall(fn, calls); other != nil {
		return no("the function also calls " + other.Name + " of a lock that may be " + c.guard.name + " by another name")
	}
	for _, e := range d.world.Bodies[n.fn].Calls {
		if callee := d.world.Effects[e.Callee]; callee != nil && e.Start == "" && slices.Contains(callee.Acquires, c.guard.class) && !isOutside(fn, calls, e.Pos) {
			return no("a call in the section takes " + c.guard.name + " again")
		}
	}
	if callee := d.givesBack(n.fn); callee != "" {
		return no("a call of " + callee + " gives back a lock that may be " + c.guard.name)
	}
	if caller := d.calledWith(n.fn, c.guard.class); caller != "" {
		return no(caller + " calls " + d.world.Bodies[n.fn].Name + " with " + c.guard.name + " held")
	}
	if why := d.orders.onCycle(c.guard.class); why != "" {
		return no(why)
	}
	if what := d.world.Unsure(c.guard.class); what != "" {
		return no(what + " holds " + c.guard.name + ", and " + c.guard.name + " may be taken for reading there")
	}
	if !slices.Contains(c.upgraded, n.fn) {
		c.upgraded = append(c.upgraded, n.fn)
	}
	for _, name := range []string{"RLock", "RUnlock"} {
		for _, id := range calls[name] {
			m := ModeChange{Span: d.span(fn.file, id), To: model.OtherMode(name)}
			if !slices.Contains(c.modes, m) {
				c.modes = append(c.modes, m)
			}
		}
	}
	return nil
}

// isOutside reports whether what stands at pos is certain to run without the lock of calls, which are one RLock and its RUnlocks: there
// is one of these, a statement of the same list, and nothing leaves what stands between.
func isOutside(fn function, calls map[string][]*ast.Ident, pos token.Pos) bool {
	if len(calls["RUnlock"]) != 1 {
		return false
	}
	lock, unlock := calls["RLock"][0].Pos(), calls["RUnlock"][0].Pos()
	if lock <= pos && pos <= unlock {
		return false
	}
	plain := false
	ast.Inspect(fn.body, func(n ast.Node) bool {
		list := region.ListOf(n)
		at := func(pos token.Pos) int {
			return slices.IndexFunc(list, func(s ast.Stmt) bool {
				stmt, ok := s.(*ast.ExprStmt)
				if !ok {
					return false
				}
				call, ok := stmt.X.(*ast.CallExpr)
				if !ok {
					return false
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				return ok && sel.Sel.Pos() == pos
			})
		}
		if i, j := at(lock), at(unlock); i >= 0 && i < j {
			plain = !region.Leaves(list[i:j])
		}
		return true
	})
	return plain
}

// givesBack returns a function that fn, or a literal in it, calls and that gives back a lock; it returns "" when there is
// none. What the literals themselves give back is seen by lockCalls.
func (d *decider) givesBack(fn string) string {
	for _, e := range d.world.Bodies[fn].Calls {
		callee := d.world.Effects[e.Callee]
		switch {
		case callee == nil || e.Start != "":
		case strings.HasPrefix(e.Callee, fn+"$"):
			if name := d.givesBack(e.Callee); name != "" {
				return name
			}
		case slices.ContainsFunc(callee.Outcomes, func(o lockset.Outcome) bool { return len(o.Released) > 0 }):
			return d.world.Bodies[e.Callee].Name
		}
	}
	return ""
}

// lockCalls returns the method identifiers of the calls on lock in body, by method. Literals count:
// an unlock may be deferred in one.
func lockCalls(body *ast.BlockStmt, lock string) map[string][]*ast.Ident {
	out := make(map[string][]*ast.Ident)
	ast.Inspect(body, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && types.ExprString(sel.X) == lock && !model.Lock(sel.Sel.Name).IsZero() {
			out[sel.Sel.Name] = append(out[sel.Sel.Name], sel.Sel)
		}
		return true
	})
	return out
}

// otherLockCall returns the name of a lock method that fn calls of something that may be the lock of calls by
// another name.
func otherLockCall(fn function, calls map[string][]*ast.Ident) (other *ast.Ident) {
	guards := make(map[types.Object]bool)
	var others []*ast.SelectorExpr
	ast.Inspect(fn.body, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		switch {
		case !ok || model.Lock(sel.Sel.Name).IsZero():
		case slices.Contains(calls[sel.Sel.Name], sel.Sel):
			guards[variableOf(fn, sel.X)] = true
		default:
			others = append(others, sel)
		}
		return true
	})
	for _, sel := range others {
		v := variableOf(fn, sel.X)
		if v == nil || guards[v] || isReference(v.Type()) {
			return sel.Sel
		}
	}
	return nil
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
