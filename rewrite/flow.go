// This file looks at how control and names run through a section: what a pair of calls around it
// cannot bracket.

package rewrite

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// jumps says how control can get past the ends of a section.
type jumps struct {
	exits  []token.Pos // where control leaves it
	out    bool        // a return, break, continue, goto or fallthrough leaves it
	across bool        // a goto enters it, or leaves it for another place of the function
}

// jumpsOf looks through the function around s. Function literals in it have a flow of their own.
func jumpsOf(s section) jumps {
	var found jumps
	inside := func(p token.Pos) bool { return s.stmts[s.i].Pos() <= p && p < s.stmts[s.j].End() }
	labels := make(map[string]token.Pos)
	walk(s.body(), func(n ast.Node, _ []ast.Node) {
		if l, ok := n.(*ast.LabeledStmt); ok {
			labels[l.Label.Name] = l.Pos()
		}
	})
	walk(s.body(), func(n ast.Node, stack []ast.Node) {
		switch n := n.(type) {
		case *ast.ReturnStmt:
			if inside(n.Pos()) {
				found.out, found.exits = true, append(found.exits, n.Pos())
			}
		case *ast.BranchStmt:
			target := token.NoPos
			if n.Label != nil {
				target = labels[n.Label.Name]
			} else {
				target = targetOf(n, stack)
			}
			leaves := inside(n.Pos()) && !inside(target)
			if leaves {
				found.out, found.exits = true, append(found.exits, n.Pos())
			}
			if n.Tok == token.GOTO {
				found.across = found.across || inside(n.Pos()) != inside(target)
			}
		}
	})
	return found
}

// targetOf returns the statement that a break, continue or fallthrough without label ends or repeats.
func targetOf(b *ast.BranchStmt, stack []ast.Node) token.Pos {
	for _, n := range slices.Backward(stack) {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			if b.Tok != token.FALLTHROUGH {
				return n.Pos()
			}
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			if b.Tok != token.CONTINUE {
				return n.Pos()
			}
		}
	}
	return token.NoPos
}

// rebinds reports whether the path of the lock may mean another lock at the end of s than at its
// beginning, as in
//
//	s.m[k] = v
//	s = s.next
func rebinds(s section) bool {
	parts := partsOf(s.expr)
	hit := func(e ast.Expr) bool { return e != nil && slices.Contains(parts, types.ExprString(ast.Unparen(e))) }
	found := false
	for _, stmt := range s.within() {
		ast.Inspect(stmt, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				// A := deeper down declares another variable of that name.
				if n.Tok != token.DEFINE || n == stmt {
					found = found || slices.ContainsFunc(n.Lhs, hit)
				}
			case *ast.IncDecStmt:
				found = found || hit(n.X)
			case *ast.RangeStmt:
				found = found || n.Tok == token.ASSIGN && (hit(n.Key) || hit(n.Value))
			case *ast.ValueSpec:
				if d, ok := stmt.(*ast.DeclStmt); ok && slices.Contains(d.Decl.(*ast.GenDecl).Specs, ast.Spec(n)) {
					found = found || slices.ContainsFunc(n.Names, func(id *ast.Ident) bool { return hit(id) })
				}
			}
			return true
		})
	}
	return found
}

// partsOf returns e and every expression in it, as text, field names aside. Precondition: plan.IsPath(e).
func partsOf(e ast.Expr) []string {
	parts := []string{types.ExprString(e)}
	switch e := e.(type) {
	case *ast.SelectorExpr:
		parts = append(parts, partsOf(e.X)...)
	case *ast.ParenExpr:
		parts = append(parts, partsOf(e.X)...)
	}
	return parts
}

// walk visits the nodes under body that run with it: not those of function literals.
func walk(body ast.Node, visit func(n ast.Node, stack []ast.Node)) {
	ast.PreorderStack(body, nil, func(n ast.Node, stack []ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		visit(n, stack)
		return true
	})
}
