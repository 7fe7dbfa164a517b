package plan

import (
	"go/ast"
	"go/types"
	"slices"

	"mapmend/plan/load"
)

// This file collects the mentions of a variable: every place that names it, with what stands around.

// mention is one place that names the variable, its declaration aside.
type mention struct {
	pkg     *load.Package
	file    *load.File
	id      *ast.Ident
	operand ast.Expr   // id, or the selector that ends in it, with the parentheses around
	stack   []ast.Node // what stands around operand, outermost first
	node    ast.Node   // what the lowering replaces; nil until it is known
	shape   Shape
	writes  bool
	key     string // text of the key; empty when the shape has none
}

// parent returns the i-th node around the operand, the innermost being 0.
func (m *mention) parent(i int) ast.Node {
	if i < len(m.stack) {
		return m.stack[len(m.stack)-1-i]
	}
	return nil
}

// parentOf returns the node around n. Precondition: n is in m.stack, and not the file.
func (m *mention) parentOf(n ast.Node) ast.Node { return m.stack[slices.Index(m.stack, n)-1] }

// isReceived reports whether assign, which is around m, is a case of a select.
func (m *mention) isReceived(assign ast.Stmt) bool {
	c, ok := m.parentOf(assign).(*ast.CommClause)
	return ok && c.Comm == assign
}

// isInCase reports whether m stands in what a case of a select sends or receives.
func (m *mention) isInCase() bool {
	for i, n := range m.stack[1:] {
		if c, ok := m.stack[i].(*ast.CommClause); ok && n == ast.Node(c.Comm) {
			return true
		}
	}
	return false
}

// decl returns the function declaration around m, or nil.
func (m *mention) decl() *ast.FuncDecl {
	for _, n := range m.stack {
		if fn, ok := n.(*ast.FuncDecl); ok {
			return fn
		}
	}
	return nil
}

// findMentions fills w.mentions, by package and place.
func (w *wrapping) findMentions() {
	for _, pkg := range w.pkgs {
		for _, file := range pkg.Files {
			ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					if v, ok := pkg.Info.Uses[id].(*types.Var); ok && w.objs[v.Origin()] {
						w.mentions = append(w.mentions, newMention(pkg, file, id, stack))
					}
				}
				return true
			})
		}
	}
}

func newMention(pkg *load.Package, file *load.File, id *ast.Ident, stack []ast.Node) *mention {
	m := &mention{pkg: pkg, file: file, id: id, operand: id, stack: slices.Clone(stack)}
	pop := func() { m.stack = m.stack[:len(m.stack)-1] }
	if sel, ok := m.parent(0).(*ast.SelectorExpr); ok && sel.Sel == id {
		m.operand = sel
		pop()
	}
	for {
		p, ok := m.parent(0).(*ast.ParenExpr)
		if !ok {
			return m
		}
		m.operand = p
		pop()
	}
}
