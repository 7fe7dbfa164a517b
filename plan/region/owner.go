package region

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
)

// This file asks whether the lock of a section is that of one owner from its start to its end.

// sameOwner reports whether the name that the lock begins with denotes one variable at both places.
func (p *planner) sameOwner(a, b token.Pos) bool {
	root := rootIdent(p.lock.Expr)
	return root == nil || p.object(root, a) == p.object(root, b)
}

// pathVars returns the package variable and the fields that lead to the lock: Writer.log, of w.log.mu with w a *Writer.
func (p *planner) pathVars(root *ast.Ident, obj types.Object) []access.Var {
	var out []access.Var
	if obj.Parent() != nil && obj.Parent().Parent() == types.Universe && obj.Pkg() != nil {
		out = append(out, access.Var{Package: obj.Pkg().Path(), Field: obj.Name()})
	}
	t := obj.Type()
	follow := func(path []int) {
		for _, k := range path[:len(path)-1] {
			if class, _ := access.FieldVar(t, k); !class.IsZero() {
				out = append(out, class)
			}
			if field := fieldOf(t, k); field != nil {
				t = field.Type()
			}
		}
	}
	spelled := root.Name
	steps := strings.Split(types.ExprString(p.lock.Expr), ".")[1:]
	for i, step := range steps {
		field, index, _ := types.LookupFieldOrMethod(t, true, p.fn.Types, step)
		if field == nil { // a mutex that is about to be declared beside the map
			follow(p.mapPath(spelled))
			break
		}
		follow(index)
		if i < len(steps)-1 {
			last := index[len(index)-1]
			if class, _ := access.FieldVar(t, last); !class.IsZero() {
				out = append(out, class)
			}
			t = field.Type()
		}
		spelled += "." + step
	}
	return out
}

// changesPath returns where stmt, or what it calls, assigns one of path, of whichever owner, or has its address taken.
func (p *planner) changesPath(stmt ast.Stmt, path []access.Var) (pos token.Pos) {
	if len(path) == 0 {
		return token.NoPos
	}
	on := func(e ast.Expr) bool { return p.onPath(ast.Unparen(e), path) }
	ast.Inspect(stmt, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if slices.ContainsFunc(n.Lhs, on) {
				pos = n.Pos()
			}
		case *ast.RangeStmt:
			if n.Key != nil && on(n.Key) || n.Value != nil && on(n.Value) {
				pos = n.Pos()
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND && on(n.X) {
				pos = n.Pos()
			}
		case *ast.CallExpr:
			if callee := typeutil.StaticCallee(p.fn.Info, n); callee != nil && p.effects.Assigns(callee, path) {
				pos = n.Pos()
			}
		}
		return true
	})
	return pos
}

// onPath reports whether e denotes one of path, or a struct with one of its fields.
func (p *planner) onPath(e ast.Expr, path []access.Var) bool {
	switch e := e.(type) {
	case *ast.Ident:
		v, ok := p.fn.Info.Uses[e].(*types.Var)
		return ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() && slices.Contains(path, access.Var{Package: v.Pkg().Path(), Field: v.Name()})
	case *ast.SelectorExpr:
		s := p.fn.Info.Selections[e]
		if s == nil || s.Kind() != types.FieldVal {
			return false
		}
		t := s.Recv()
		for _, k := range s.Index()[:len(s.Index())-1] {
			t = fieldOf(t, k).Type()
		}
		class, _ := access.FieldVar(t, s.Index()[len(s.Index())-1])
		return slices.Contains(path, class) || strings.HasPrefix(types.ExprString(p.lock.Expr)+".", types.ExprString(e)+".") // of a struct without a name
	case *ast.StarExpr:
		t := p.fn.Info.TypeOf(e)
		st, ok := t.Underlying().(*types.Struct)
		for i := 0; ok && i < st.NumFields(); i++ {
			if class, _ := access.FieldVar(t, i); slices.Contains(path, class) {
				return true
			}
		}
	}
	return false
}
