// This file lets out a copy of a map in place of the map.

package rewrite

import (
	"fmt"
	"go/ast"

	"github.com/dave/dst"

	"mapmend/plan"
)

// letOutCopy asks for maps.Clone around an expression for a map.
func letOutCopy(e *editor, c plan.Copy) error {
	f, err := e.open(c.File, c.Start)
	if err != nil {
		return err
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
