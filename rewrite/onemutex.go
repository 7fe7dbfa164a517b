// This file makes the mutex of an owner one that other owners have, too.

package rewrite

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"

	"github.com/dave/dst"

	"mapmend/plan"
)

// shareMutex asks for the steps of the one mutex of m, if it has one: mu sync.Mutex to become mu *sync.Mutex, and literals to set it.
func shareMutex(e *editor, m plan.Mend) error {
	if m.One == nil {
		return nil
	}
	f, err := e.open(m.One.Type.File, m.One.Type.Start)
	if err != nil {
		return err
	}
	found, around := f.nodeAt(m.One.Type, is[*ast.SelectorExpr])
	field, ok := around.(*ast.Field)
	if found == nil || !ok || field.Type != found || len(field.Names) != 1 || field.Names[0].Name != m.Class.Field {
		return refuse(plan.NotProved, f.name, m.One.Type.Start, "the planned place is not the type of the field %s", m.Class.Field)
	}
	want := "sync." + found.(*ast.SelectorExpr).Sel.Name
	f.step(m.One.Type.Start, fmt.Sprintf("one mutex %d", m.One.Type.Start), func(t *syntax) {
		x := t.nodes[field].(*dst.Field)
		x.Type = &dst.StarExpr{X: x.Type}
	})
	for _, l := range m.One.Literals {
		if err := supply(e, l, m.Class.Field, want); err != nil {
			return err
		}
	}
	return nil
}

// supply asks for the literal l to set the field name, which is to point to a mutex of type want.
func supply(e *editor, l plan.Supplied, name, want string) error {
	f, err := e.open(l.File, l.Start)
	if err != nil {
		return err
	}
	found, _ := f.nodeAt(l.Span, is[*ast.CompositeLit])
	lit, ok := found.(*ast.CompositeLit)
	if !ok {
		return refuse(plan.NotProved, f.name, l.Start, "the planned place is no composite literal")
	}
	keyed := func(e ast.Expr) bool { return is[*ast.KeyValueExpr](e) }
	after := slices.IndexFunc(lit.Elts, func(e ast.Expr) bool { return keyed(e) && f.covers(e, l.After) })
	if len(lit.Elts) == 0 || !keyed(lit.Elts[0]) || after < 0 && l.After != (plan.Span{}) {
		return refuse(plan.NotProved, f.name, l.Start, "the element that a mutex is to follow is not there")
	}
	var value dst.Expr
	if l.Value != "" {
		path, err := parser.ParseExpr(l.Value)
		if err != nil || !plan.IsPath(path) {
			return refuse(plan.NotProved, f.name, l.Start, "the planned mutex %q is no path", l.Value)
		}
		value = pathExpr(path)
	} else {
		typ, err := f.mutexType(want, l.Start)
		if err != nil {
			return err
		}
		value = &dst.UnaryExpr{Op: token.AND, X: &dst.CompositeLit{Type: typeExpr(typ)}}
	}
	f.step(l.Start, fmt.Sprintf("supply %d %s", l.Start, name), func(t *syntax) {
		x := t.nodes[lit].(*dst.CompositeLit)
		beside := t.nodes[lit.Elts[max(after, 0)]].(*dst.KeyValueExpr)
		at := slices.Index(x.Elts, dst.Expr(beside))
		if after >= 0 {
			at++
		}
		kv := &dst.KeyValueExpr{Key: dst.NewIdent(name), Value: value}
		if beside.Decs.Before == dst.NewLine || beside.Decs.After == dst.NewLine {
			kv.Decs.Before, kv.Decs.After = dst.NewLine, dst.NewLine
		}
		x.Elts = slices.Insert(x.Elts, at, dst.Expr(kv))
	})
	return nil
}
