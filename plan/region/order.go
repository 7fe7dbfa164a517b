package region

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// This file keeps what a statement does before it comes to the owner of the map:
//
//	print(xs[n], s.next.m[k])
//
// With a section in front of it the panic of a nil s.next comes first, and not that of xs[n]. Two panics of nil pointers are
// the same. The compiler makes calls and receives first, wherever in the statement they stand; the operands on the left of
// an assignment are evaluated before it, and what is assigned is found last.

// derefsFirst reports whether stmt, which dereferences d whatever way it goes, does nothing before that which can be noticed.
func (p *planner) derefsFirst(stmt ast.Stmt, d string, obj types.Object) bool {
	for _, part := range always(stmt) {
		sel := p.selects(part, d, obj)
		if sel != nil {
			return !p.callsBeside(part, sel) && !p.failsBefore(part, sel)
		}
		if assign, ok := part.(*ast.AssignStmt); ok && assign.Tok != token.DEFINE || p.callsBeside(part, nil) || p.failsBefore(part, nil) {
			return false
		}
	}
	return false
}

// failsBefore reports whether something in part that is evaluated before sel, or anything if sel is nil, may panic, other than
// for a nil pointer.
func (p *planner) failsBefore(part ast.Node, sel ast.Expr) (found bool) {
	before := func(n ast.Node) bool { return sel == nil || n.End() <= sel.Pos() }
	if assign, ok := part.(*ast.AssignStmt); ok && sel != nil {
		last := func(n ast.Node) bool {
			return slices.ContainsFunc(assign.Lhs, func(lhs ast.Expr) bool { return ast.Unparen(lhs) == n })
		}
		if sel.Pos() < assign.TokPos { // and found last, perhaps
			before = func(n ast.Node) bool { return n != part && !holds(n, sel) }
		} else {
			before = func(n ast.Node) bool { return n.End() <= sel.Pos() && !last(n) }
		}
	}
	ast.Inspect(part, func(n ast.Node) bool {
		if _, lit := n.(*ast.FuncLit); n == nil || lit {
			return false
		}
		if before(n) {
			_, why := p.panics(n, p.uses)
			found = found || why != "" && why != nilPointer
		}
		return !found
	})
	return found
}

// holds reports whether n is or has e.
func holds(n ast.Node, e ast.Expr) bool { return n.Pos() <= e.Pos() && e.End() <= n.End() }
