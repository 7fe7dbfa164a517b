// This file takes an initialiser, or expressions, out of the head of a statement and puts them in front, into a section.

package rewrite

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"

	"github.com/dave/dst"

	"mapmend/plan"
)

// A hoist is what is taken out of a statement.
type hoist struct {
	node      ast.Node
	name      string // of the variable that is to stand for the expression; empty for an initialiser
	clone     bool   // the variable has a copy of it
	qualifier string // of package maps, for that
}

// hoistAt returns the section of p, which is to stand in front of the statement that it is taken out of.
func (f *file) hoistAt(p plan.Section, s section) (out section, err error) {
	no := func(why string) (section, error) {
		return section{}, refuse(plan.NotProved, f.name, p.Start, "%s", why)
	}
	var node ast.Node
	var stack []ast.Node
	f.inspect(func(n ast.Node, around []ast.Node) {
		if node == nil && f.covers(n, p.Span) && is[ast.Stmt](n) == (p.Name == "") {
			node, stack = n, slices.Clone(around)
		}
	})
	if node == nil {
		return no("nothing stands at the planned place that can be put in front of its statement")
	}
	k := len(stack) - 1 // the statement that has node in its head
	for k >= 0 && !is[ast.Stmt](stack[k]) {
		if is[*ast.FuncLit](stack[k]) || isBehindCondition(stack[k], node) {
			return no("the planned expression may not be evaluated")
		}
		k--
	}
	if k > 0 && is[*ast.TypeSwitchStmt](stack[k-1]) { // its operand is in a statement of its own
		k--
	}
	if k < 1 || !inHead(stack[k].(ast.Stmt), node) {
		return no("the planned place is not in the head of a statement")
	}
	at := stack[k].(ast.Stmt)
	if label, ok := stack[k-1].(*ast.LabeledStmt); ok && is[*ast.RangeStmt](at) {
		at, k = label, k-1
	}
	s.list, s.stmts = stack[k-1], stmtsOf(stack[k-1])
	s.i = slices.Index(s.stmts, at)
	if s.i < 0 {
		return no("the planned place is not in a statement of a list")
	}
	part := hoist{node: node, name: p.Name, clone: p.Clone}
	s.j, s.block = s.i, p.Block
	s.fn, s.spawn = functions(stack)
	if p.Clone {
		if part.qualifier, err = f.importName("maps", p.Start); err != nil {
			return section{}, err
		}
	}
	s.hoists = []hoist{part}
	if !p.Block && hasGoto(s.body()) || p.Name != "" && (!token.IsIdentifier(p.Name) || mentions(s.fn, p.Name)) {
		return no("the planned variable cannot be declared")
	}
	return s, nil
}

// isBehindCondition reports whether node is evaluated only if what stands before it in n says so.
func isBehindCondition(n, node ast.Node) bool {
	b, ok := n.(*ast.BinaryExpr)
	return ok && (b.Op == token.LAND || b.Op == token.LOR) && b.Y.Pos() <= node.Pos()
}

// inHead reports whether stmt evaluates node once and before all that it runs.
func inHead(stmt ast.Stmt, node ast.Node) bool {
	in := func(parts ...ast.Expr) bool {
		return slices.ContainsFunc(parts, func(e ast.Expr) bool { return e != nil && e.Pos() <= node.Pos() && node.End() <= e.End() })
	}
	switch stmt := stmt.(type) {
	case *ast.IfStmt:
		return stmt.Init == node || stmt.Init == nil && in(stmt.Cond)
	case *ast.SwitchStmt:
		return stmt.Init == node || stmt.Init == nil && in(stmt.Tag)
	case *ast.TypeSwitchStmt:
		return stmt.Init == node || stmt.Init == nil && stmt.Assign.Pos() <= node.Pos() && node.End() <= stmt.Assign.End()
	case *ast.RangeStmt:
		return in(stmt.X)
	case *ast.ReturnStmt, *ast.ExprStmt, *ast.SendStmt, *ast.GoStmt, *ast.DeferStmt:
		return is[ast.Expr](node)
	case *ast.AssignStmt:
		return in(stmt.Rhs...)
	}
	return false
}

func hasGoto(body ast.Node) (found bool) {
	walk(body, func(n ast.Node, _ []ast.Node) {
		b, ok := n.(*ast.BranchStmt)
		found = found || ok && b.Tok == token.GOTO
	})
	return found
}

// mentions reports whether name stands in fn other than as what is selected.
func mentions(fn ast.Node, name string) (found bool) {
	ast.PreorderStack(fn, nil, func(n ast.Node, stack []ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || id.Name != name {
			return true
		}
		sel, ok := stack[len(stack)-1].(*ast.SelectorExpr)
		found = found || !ok || sel.Sel != id
		return true
	})
	return found
}

// applyHoist puts the lock, what is taken out of its statement, and the unlock in front of that, or all of it into a block.
func (s section) applyHoist(t *syntax) {
	stmt := t.nodes[s.stmts[s.i]].(dst.Stmt)
	list := t.listWith(stmt, s.list)
	lock, unlock := s.calls()
	acquire, release := &dst.ExprStmt{X: lock}, &dst.ExprStmt{X: unlock}
	decs := stmt.Decorations()
	above := len(decs.Start)
	for above > 0 && isDirective(decs.Start[above-1]) { // which is about the statement
		above--
	}
	first := acquire.Decorations()
	front := []dst.Stmt{acquire}
	for _, h := range s.hoists {
		front = append(front, s.takenOut(t, h))
	}
	front = append(front, release)
	if s.block {
		body := &dst.BlockStmt{List: append(front, stmt)}
		t.literals = append(t.literals, body)
		first = body.Decorations()
		putBelow(first, decs)
		(*list)[slices.Index(*list, stmt)] = body
		list = &body.List
	} else {
		insertStmts(list, stmt, 0, front...)
	}
	first.Before, first.Start = decs.Before, slices.Clone(decs.Start[:above])
	acquire.Decs.After = dst.NewLine
	decs.Before, decs.Start = dst.NewLine, slices.Clone(decs.Start[above:])
	for _, stmt := range *list {
		ownLine(stmt.Decorations())
	}
}

// directive matches a comment for tools.
var directive = regexp.MustCompile(`^//[a-z0-9]+(:[a-z0-9]|[a-z0-9]*$)`)

func isDirective(comment string) bool { return directive.MatchString(comment) }

// takenOut takes h out of the statement of s, and returns it as one.
func (s section) takenOut(t *syntax, h hoist) dst.Stmt {
	if h.name != "" {
		e := t.expr(h.node.(ast.Expr))
		name := dst.NewIdent(h.name)
		name.Decs.NodeDecs, *e.Decorations() = *e.Decorations(), dst.NodeDecs{}
		t.replace(h.node, name)
		if h.clone {
			clone := "Clone"
			if h.qualifier != "" {
				clone = h.qualifier + ".Clone"
			}
			e = &dst.CallExpr{Fun: typeExpr(clone), Args: []dst.Expr{e}}
		}
		return &dst.AssignStmt{Lhs: []dst.Expr{dst.NewIdent(h.name)}, Tok: token.DEFINE, Rhs: []dst.Expr{e}}
	}
	init := t.nodes[h.node].(dst.Stmt)
	switch of := t.nodes[s.stmts[s.i]].(type) {
	case *dst.IfStmt:
		of.Init = nil
	case *dst.SwitchStmt:
		of.Init = nil
	case *dst.TypeSwitchStmt:
		of.Init = nil
	}
	return init
}
