package region

import (
	"go/ast"
	"go/token"
	"go/types"
)

// This file knows pointers that are not nil since they were dereferenced before:
//
//	if query.id != resp.ID {
//		return
//	}
//	_, dup := query.acks[resp.From]

// wentBehind reports whether sel.X is a variable that is given one value only, and a statement that ran before sel, whatever way
// control took, dereferenced it.
func (p *planner) wentBehind(sel *ast.SelectorExpr) bool {
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	if !ok {
		return false
	}
	obj, ok := p.fn.Info.Uses[id].(*types.Var)
	if !ok || obj.Parent() == nil || obj.Parent() == p.fn.Types.Scope() || p.varies(obj) {
		return false
	}
	done := false
	ast.PreorderStack(p.fn.File, nil, func(n ast.Node, stack []ast.Node) bool {
		if n != ast.Node(sel) {
			return !done && n.Pos() <= sel.Pos() && sel.Pos() < n.End()
		}
		for i, around := range stack {
			if i+1 < len(stack) {
				done = done || p.passed(around, stack[i+1], id.Name, obj)
			}
		}
		return false
	})
	return done
}

// passed reports whether a statement of the list that around is, before the one that inside is, always dereferences obj.
func (p *planner) passed(around, inside ast.Node, name string, obj types.Object) bool {
	for _, s := range ListOf(around) {
		if s == inside {
			return false
		}
		if obj.Pos() < s.Pos() && p.certain(s, name, obj) {
			return true
		}
	}
	return false
}

// varies reports whether obj may be given another value than its first, or control may jump in the file over what gives it.
func (p *planner) varies(obj types.Object) (varies bool) {
	ast.Inspect(p.fn.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BranchStmt:
			varies = varies || n.Tok == token.GOTO
		case *ast.UnaryExpr:
			varies = varies || n.Op == token.AND && isVar(ast.Unparen(n.X), obj, p.fn.Info)
		case ast.Stmt:
			varies = varies || p.sets(n, obj)
		}
		return !varies
	})
	return varies
}
