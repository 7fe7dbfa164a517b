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
//
// With the lock held around the loop nobody could, and it would never end.

// waits reports whether nothing in loop changes what its condition reads, a use of the map among that.
func (p *planner) waits(loop *ast.ForStmt) bool {
	if loop.Cond == nil || !slices.ContainsFunc(p.uses, func(u Use) bool { return within(loop.Cond, u) }) {
		return false
	}
	if slices.ContainsFunc(p.uses, func(u Use) bool { return u.Writes && within(loop, u) }) {
		return false
	}
	read := make(map[types.Object]bool)
	ast.Inspect(loop.Cond, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v, ok := p.fn.Info.Uses[id].(*types.Var); ok {
				read[v] = true
			}
		}
		return true
	})
	changed := false
	ast.Inspect(loop, func(n ast.Node) bool {
		if n != nil && n == ast.Node(loop.Init) {
			return false // it runs once
		}
		for _, e := range targets(n) {
			obj := p.assigned(e)
			changed = changed || obj == nil || read[obj]
		}
		return !changed
	})
	return !changed
}

func within(n ast.Node, u Use) bool { return n.Pos() <= u.Pos && u.Pos < n.End() }

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

// assigned returns the variable or field of which e is a part, or nil when that is not seen.
func (p *planner) assigned(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if e.Name == "_" {
			return types.Universe.Lookup("nil")
		}
		return p.fn.Info.ObjectOf(e)
	case *ast.SelectorExpr:
		return p.fn.Info.ObjectOf(e.Sel)
	case *ast.IndexExpr:
		return p.assigned(e.X)
	}
	return nil
}
