// This file makes the receivers of methods pointers.

package rewrite

import (
	"fmt"
	"go/ast"

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
