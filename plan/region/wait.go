package region

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// This file finds loops that wait until another goroutine changes the map:
//
//	for s.m[k] == 0 {
//	}
//	for {
//		if v := s.m[k]; v > 0 {
//			return v
//		}
//	}
//
// With the lock held around the loop nobody could, and it would never end.

// waits reports whether loop reads the map, and neither changes it nor anything else that decides when
// the loop ends.
func (p *planner) waits(loop *ast.ForStmt) bool {
	inside := slices.DeleteFunc(slices.Clone(p.uses), func(u Use) bool { return !stands(u, loop) })
	if len(inside) == 0 || slices.ContainsFunc(inside, func(u Use) bool { return u.Writes }) {
		return false
	}
	if loop.Cond != nil && slices.ContainsFunc(inside, func(u Use) bool { return stands(u, loop.Cond) }) {
		return !p.changes(loop, loop.Cond)
	}
	return !p.calls(loop) && !p.changes(loop, loop)
}

func stands(u Use, n ast.Node) bool { return n.Pos() <= u.Pos && u.Pos < n.End() }

// changes reports whether a round of loop changes a variable that reader mentions. What is declared in
// the body is made anew each round. What is assigned together with a use only hands on the map, as
// done = s.m[k] > 0 does, unless it is the key of the next round: k = s.m[k].
func (p *planner) changes(loop *ast.ForStmt, reader ast.Node) bool {
	read := make(map[types.Object]bool)
	ast.Inspect(reader, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v, ok := p.fn.Info.Uses[id].(*types.Var); ok && !stands(Use{Pos: v.Pos()}, loop.Body) {
				read[v] = true
			}
		}
		return true
	})
	found := false
	ast.Inspect(loop, func(n ast.Node) bool {
		if n == nil || n == ast.Node(loop.Init) {
			return false // the init statement runs once
		}
		hands := slices.ContainsFunc(p.uses, func(u Use) bool { return stands(u, n) })
		for _, e := range targets(n) {
			obj, known := p.assigned(e)
			found = found || !known || read[obj] && (!hands || p.isKey(loop, obj))
		}
		return !found
	})
	return found
}

// isKey reports whether a use in loop is of an entry whose key obj is a part of.
func (p *planner) isKey(loop *ast.ForStmt, obj types.Object) (found bool) {
	ast.Inspect(loop, func(n ast.Node) bool {
		ix, ok := n.(*ast.IndexExpr)
		if ok && slices.ContainsFunc(p.uses, func(u Use) bool { return stands(u, ix.X) }) {
			ast.Inspect(ix.Index, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				found = found || ok && p.fn.Info.Uses[id] == obj
				return !found
			})
		}
		return !found
	})
	return found
}

// calls reports whether loop calls anything but builtins.
func (p *planner) calls(loop *ast.ForStmt) (found bool) {
	ast.Inspect(loop, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			tv := p.fn.Info.Types[call.Fun]
			found = found || !tv.IsType() && !tv.IsBuiltin()
		}
		return !found
	})
	return found
}

// targets returns what n assigns, or gives away the address of.
func targets(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		return n.Lhs
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		return slices.DeleteFunc([]ast.Expr{n.Key, n.Value}, func(e ast.Expr) bool { return e == nil })
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	}
	return nil
}

// assigned returns the variable or field of which e is a part; known is false when that is not seen. The
// blank identifier is no variable.
func (p *planner) assigned(e ast.Expr) (obj types.Object, known bool) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return p.fn.Info.ObjectOf(e), true
	case *ast.SelectorExpr:
		return p.fn.Info.ObjectOf(e.Sel), true
	case *ast.IndexExpr:
		return p.assigned(e.X)
	case *ast.CompositeLit:
		return nil, true
	}
	return nil, false
}

// spins returns a loop in stmts, made by a statement or by way of a goto, that looks again and again at what another
// goroutine may change: that goroutine may need the lock.
//
//	for i := 0; ; i++ {
//		s.m["beat"] = i
//		if s.stop.Load() {
//			return
//		}
//	}
func (p *planner) spins(stmts []ast.Stmt) (found *Obstacle) {
	jumps := slices.ContainsFunc(stmts, jumps)
	for _, s := range stmts {
		p.inspect(s, func(n ast.Node) {
			if found != nil || !isLoop(n) && (!jumps || n != ast.Node(s)) {
				return
			}
			if pos := p.effects.Spins(n.Pos(), n.End()); pos.IsValid() {
				found = &Obstacle{BlockInRegion, pos, "the section would contain a loop that may wait for another goroutine", "wait before the statements that use the map"}
			}
		})
	}
	return found
}

func isLoop(n ast.Node) bool {
	switch n.(type) {
	case *ast.ForStmt, *ast.RangeStmt:
		return true
	}
	return false
}

// jumps reports whether s has a goto.
func jumps(s ast.Stmt) (found bool) {
	ast.Inspect(s, func(n ast.Node) bool {
		b, ok := n.(*ast.BranchStmt)
		found = found || ok && b.Tok == token.GOTO
		return !found
	})
	return found
}

// neverEnds reports whether there is no way out of loop, but for a panic.
func neverEnds(loop *ast.ForStmt) bool {
	w := &exits{labels: labelsIn([]ast.Stmt{loop.Body})}
	w.walk(loop.Body, false, true)
	return loop.Cond == nil && len(w.found) == 0
}
