// This file lets out a copy of a map in place of the map.

package rewrite

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"

	"github.com/dave/dst"

	"mapmend/plan"
)

// letOutCopy asks for maps.Clone around an expression for a map, or for the loop that makes a copy.
func letOutCopy(e *editor, c plan.Copy) error {
	f, err := e.open(c.File, c.Start)
	if err != nil {
		return err
	}
	if c.Loop != nil {
		return copyByLoop(f, c)
	}
	node, _ := f.nodeAt(c.Span, func(n ast.Node) bool { return is[*ast.Ident](n) || is[*ast.SelectorExpr](n) })
	if node == nil {
		return refuse(plan.NotProved, f.name, c.Start, "the planned place is not a variable or field")
	}
	qualifier, err := f.importName("maps", c.Start)
	if err != nil {
		return err
	}
	clone := "Clone"
	if qualifier != "" {
		clone = qualifier + ".Clone"
	}
	f.step(c.Start, fmt.Sprintf("copy %d %d", c.Start, c.End), func(t *syntax) {
		was := t.nodes[node].Decorations()
		call := &dst.CallExpr{Fun: typeExpr(clone), Args: []dst.Expr{t.nodes[node].(dst.Expr)}}
		call.Decs.Before, call.Decs.After, call.Decs.Start, call.Decs.End = was.Before, was.After, was.Start, was.End
		*was = dst.NodeDecs{} // it goes on as a part of the call
		t.replace(node, call)
	})
	return nil
}

// copyByLoop asks for the loop of c in f, in front of a return of the map, or behind a declaration of the variable that gets it.
func copyByLoop(f *file, c plan.Copy) error {
	l := c.Loop
	no := func(why string) error { return refuse(plan.NotProved, f.name, c.Start, "%s", why) }
	node, around := f.nodeAt(c.Span, func(n ast.Node) bool { return is[*ast.Ident](n) || is[*ast.SelectorExpr](n) })
	at, err := f.stretchAt(l.Span)
	if err != nil {
		return err
	}
	stmt := at.stmts[at.i]
	path, isExpr := node.(ast.Expr)
	if at.i != at.j || around != ast.Node(stmt) || !isExpr || !plan.IsPath(path) {
		return no("the planned place is not all that its statement gives away")
	}
	if _, err := parser.ParseExpr(l.Type); err != nil {
		return no("the planned type of the map is none")
	}
	fresh := []string{l.Key, l.Value}
	returned := is[*ast.ReturnStmt](stmt)
	if returned {
		fresh = append(fresh, l.Name)
	} else if a, ok := stmt.(*ast.AssignStmt); !ok || a.Tok != token.DEFINE || len(a.Lhs) != 1 || !isIdent(a.Lhs[0], l.Name) {
		return no("the planned statement neither returns the map nor declares the variable that gets it")
	}
	for _, name := range fresh {
		if !token.IsIdentifier(name) || mentions(at.fn, name) {
			return no("the planned variable " + name + " cannot be declared")
		}
	}
	f.step(c.Start, fmt.Sprintf("copy %d %d", c.Start, c.End), func(t *syntax) {
		below := t.nodes[stmt].(dst.Stmt)
		made := &dst.CallExpr{Fun: dst.NewIdent("make"), Args: []dst.Expr{typeOf(l.Type), &dst.CallExpr{Fun: dst.NewIdent("len"), Args: []dst.Expr{pathExpr(path)}}}}
		list := t.listWith(below, at.list)
		if !returned {
			t.replace(path, made)
			insertStmts(list, below, 1, fill(l, path))
			return
		}
		first := &dst.AssignStmt{Lhs: []dst.Expr{dst.NewIdent(l.Name)}, Tok: token.DEFINE, Rhs: []dst.Expr{made}}
		putAbove(&first.Decs.NodeDecs, below.Decorations(), "")
		t.replace(path, dst.NewIdent(l.Name))
		insertStmts(list, below, 0, first, fill(l, path))
	})
	return nil
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// fill returns the loop of l over path.
func fill(l *plan.CopyLoop, path ast.Expr) dst.Stmt {
	entry := &dst.IndexExpr{X: dst.NewIdent(l.Name), Index: dst.NewIdent(l.Key)}
	store := &dst.AssignStmt{Lhs: []dst.Expr{entry}, Tok: token.ASSIGN, Rhs: []dst.Expr{dst.NewIdent(l.Value)}}
	ownLine(&store.Decs.NodeDecs)
	loop := &dst.RangeStmt{Key: dst.NewIdent(l.Key), Value: dst.NewIdent(l.Value), Tok: token.DEFINE, X: pathExpr(path), Body: &dst.BlockStmt{List: []dst.Stmt{store}}}
	ownLine(&loop.Decs.NodeDecs)
	return loop
}
