// This file makes the receivers of methods pointers, and values that need the methods.

package rewrite

import (
	"fmt"
	"go/ast"
	"go/token"

	"github.com/dave/dst"

	"mapmend/plan"
)

// pointReceiver asks for the type of a receiver to become a pointer: func (s S) M() to become func (s *S) M().
func pointReceiver(e *editor, r plan.Receiver) error {
	f, err := e.open(r.File, r.Start)
	if err != nil {
		return err
	}
	var found *ast.Field
	for _, d := range f.ast.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if ok && fn.Name.Name == r.Method && fn.Recv != nil && len(fn.Recv.List) == 1 && f.covers(fn.Recv.List[0].Type, r.Span) {
			found = fn.Recv.List[0]
		}
	}
	if found == nil || !(is[*ast.Ident](found.Type) || is[*ast.IndexExpr](found.Type) || is[*ast.IndexListExpr](found.Type)) {
		return refuse(plan.NotProved, f.name, r.Start, "the planned place is not the receiver of a method %s that is no pointer", r.Method)
	}
	f.step(r.Start, fmt.Sprintf("receiver %d", r.Start), func(t *syntax) {
		field := t.nodes[found].(*dst.Field)
		field.Type = &dst.StarExpr{X: field.Type}
	})
	return nil
}

// takeAddress asks for a literal to become a pointer to it: S{} to become &S{}.
func takeAddress(e *editor, s plan.Span) error {
	f, err := e.open(s.File, s.Start)
	if err != nil {
		return err
	}
	found, _ := f.nodeAt(s, is[*ast.CompositeLit])
	if found == nil {
		return refuse(plan.NotProved, f.name, s.Start, "the planned place is no composite literal")
	}
	f.step(s.Start, fmt.Sprintf("address %d", s.Start), func(t *syntax) {
		lit := t.nodes[found].(dst.Expr)
		t.replace(found, &dst.UnaryExpr{Op: token.AND, X: lit})
	})
	return nil
}

// pointAssertion asks for the type of an assertion to become a pointer: x.(S) to become x.(*S).
func pointAssertion(e *editor, s plan.Span) error {
	f, err := e.open(s.File, s.Start)
	if err != nil {
		return err
	}
	found, around := f.nodeAt(s, is[*ast.Ident])
	assert, ok := around.(*ast.TypeAssertExpr)
	if found == nil || !ok || assert.Type != found {
		return refuse(plan.NotProved, f.name, s.Start, "the planned place is not the type of an assertion")
	}
	f.step(s.Start, fmt.Sprintf("assertion %d", s.Start), func(t *syntax) {
		x := t.nodes[assert].(*dst.TypeAssertExpr)
		x.Type = &dst.StarExpr{X: x.Type}
	})
	return nil
}
