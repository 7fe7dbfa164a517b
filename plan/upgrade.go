package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/model"
	"mapmend/plan/region"
	"mapmend/plan/share"
)

// This file makes a read section a write section.

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
	if caller := d.calledWith(n.fn, c.guard.class, true); caller != "" {
		return no(caller + " calls " + d.world.Bodies[n.fn].Name + " with " + c.guard.name + " held")
	}
	if why := d.orders.onCycle(c.guard.class); why != "" {
		return no(why)
	}
	if what := d.world.UnsureRead(c.guard.class); what != "" {
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
