// This file takes out a guard: its declaration, and the statements that take it and give it back.

package rewrite

import (
	"fmt"
	"go/ast"
	"slices"

	"github.com/dave/dst"

	"mapmend/plan"
)

// freeGuard asks for the steps by which g goes; nil is no guard.
func freeGuard(e *editor, g *plan.Freed) error {
	if g == nil {
		return nil
	}
	if err := dropField(e, g.Decl); err != nil {
		return err
	}
	for _, c := range g.Calls {
		if err := dropCall(e, c); err != nil {
			return err
		}
	}
	return nil
}

// dropField asks for a field to go, with what stands behind it on its line.
func dropField(e *editor, span plan.Span) error {
	f, err := e.open(span.File, span.Start)
	if err != nil {
		return err
	}
	d, err := f.declarationAt(span)
	if err != nil {
		return err
	}
	field, ok := d.node.(*ast.Field)
	if !ok || d.fields == nil || len(field.Names) != 1 {
		return refuse(plan.NotProved, f.name, span.Start, "the planned guard is not a field of its own")
	}
	f.dropped = append(f.dropped, span)
	f.step(span.Start, fmt.Sprintf("drop field %d", span.Start), func(t *syntax) {
		fields := t.nodes[d.fields].(*dst.FieldList)
		gone := t.nodes[field].(*dst.Field)
		i := slices.Index(fields.List, gone)
		if i+1 < len(fields.List) {
			closeUp(&gone.Decs.NodeDecs, &fields.List[i+1].Decs.NodeDecs, i == 0)
		}
		fields.List = slices.Delete(fields.List, i, i+1)
	})
	return nil
}

// dropCall asks for a statement to go that takes a lock or gives it back.
func dropCall(e *editor, span plan.Span) error {
	f, err := e.open(span.File, span.Start)
	if err != nil {
		return err
	}
	at, err := f.stretchAt(span)
	if err != nil {
		return err
	}
	if at.i != at.j || !isLockStmt(at.stmts[at.i]) {
		return refuse(plan.NotProved, f.name, span.Start, "the planned statement is not a call of a lock")
	}
	f.dropped = append(f.dropped, span)
	f.step(span.Start, fmt.Sprintf("drop call %d", span.Start), func(t *syntax) {
		gone := t.nodes[at.stmts[at.i]].(dst.Stmt)
		list := t.listWith(gone, at.list)
		i := slices.Index(*list, gone)
		if i+1 < len(*list) {
			closeUp(gone.Decorations(), (*list)[i+1].Decorations(), i == 0)
		}
		*list = slices.Delete(*list, i, i+1)
	})
	return nil
}

// isLockStmt reports whether s is, or defers, a call without arguments of a method that locks have.
func isLockStmt(s ast.Stmt) bool {
	var e ast.Expr
	switch s := s.(type) {
	case *ast.ExprStmt:
		e = s.X
	case *ast.DeferStmt:
		e = s.Call
	}
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) > 0 {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && slices.Contains([]string{"Lock", "Unlock", "RLock", "RUnlock"}, sel.Sel.Name)
}

// closeUp gives below, which follows gone, the space before that, and the comments above it. At the beginning of a block or struct there
// is no blank line, and elsewhere one that was above or below stays.
func closeUp(gone, below *dst.NodeDecs, begins bool) {
	if begins {
		below.Before = gone.Before
	}
	below.Before = max(below.Before, gone.Before)
	below.Start = append(slices.Clone(gone.Start), below.Start...)
}
