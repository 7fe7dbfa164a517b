package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/model"
	"mapmend/plan/region"
)

// This file keeps a section from being a read section in which an element is changed in place:
//
//	s.m[k].hits++
//	for _, e := range s.m { e.hits = 0 }
//	sort.Ints(s.m[k])

// mayChangeElement reports whether a statement of the section of fn may change what an element of one of cs refers to.
func mayChangeElement(fn function, cs []*candidate, sec region.Section) (found bool) {
	refers := false
	for _, c := range cs {
		m, ok := c.decl.object().Type().Underlying().(*types.Map)
		refers = refers || !ok || !access.PointsNowhere(m.Elem())
	}
	if !refers {
		return false
	}
	info := fn.pkg.Info
	inside := func(n ast.Node) bool {
		return len(sec.Hoists) == 0 || slices.ContainsFunc(sec.Hoists, func(h region.Hoist) bool { return h.Node.Pos() <= n.Pos() && n.End() <= h.Node.End() })
	}
	ast.Inspect(fn.body, func(n ast.Node) bool {
		switch {
		case found || n == nil || n.End() <= sec.Pos() || sec.End() <= n.Pos():
			return false
		case !inside(n):
			return true // what is taken out of it is in the section
		}
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				found = found || !isVariable(lhs)
			}
		case *ast.IncDecStmt:
			found = found || !isVariable(n.X)
		case *ast.RangeStmt:
			found = found || n.Tok == token.ASSIGN && !(isVariable(n.Key) && (n.Value == nil || isVariable(n.Value)))
		case *ast.CallExpr:
			found = found || changesArgument(info, n) && !growsOwn(fn, n)
		}
		return !found
	})
	return found
}

// isVariable reports whether e is a variable of the function, and no part of something.
func isVariable(e ast.Expr) bool {
	_, ok := ast.Unparen(e).(*ast.Ident)
	return ok
}

// changesArgument reports whether call may change what it is given, or what it is called on, refers to.
func changesArgument(info *types.Info, call *ast.CallExpr) bool {
	switch tv := info.Types[call.Fun]; {
	case tv.IsType():
		return false
	case tv.IsBuiltin():
		switch ast.Unparen(call.Fun).(*ast.Ident).Name {
		case "append", "copy", "clear", "delete":
			return true
		}
		return false
	}
	if callee, ok := typeutil.Callee(info, call).(*types.Func); ok && model.Total(access.ObjectKey(callee)) {
		return false // they only compute, and are given nothing that could be changed
	}
	operands := call.Args
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && info.Selections[sel] != nil {
		if takesAddress(info.Selections[sel]) && !isVariable(sel.X) {
			return true
		}
		operands = append([]ast.Expr{sel.X}, operands...)
	}
	for _, e := range operands {
		if t := info.TypeOf(e); t == nil || !access.PointsNowhere(t) {
			return true
		}
	}
	return false
}

// growsOwn reports whether call appends to a slice that fn made itself, so that no element of a map has its array.
func growsOwn(fn function, call *ast.CallExpr) bool {
	info := fn.pkg.Info
	if !isBuiltin(info, call, "append") {
		return false
	}
	id, ok := ast.Unparen(call.Args[0]).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := info.Uses[id].(*types.Var)
	if !ok || v.IsField() || v.Pos() < fn.body.Pos() || fn.body.End() <= v.Pos() {
		return false
	}
	is := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && info.ObjectOf(id) == v
	}
	own := func(e ast.Expr) bool {
		switch e := ast.Unparen(e).(type) {
		case *ast.CompositeLit:
			return true
		case *ast.Ident:
			return info.Types[e].IsNil()
		case *ast.CallExpr:
			return isBuiltin(info, e, "make") || isBuiltin(info, e, "append") && is(e.Args[0])
		}
		return false
	}
	only := true
	ast.Inspect(fn.body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				only = only && !(is(to) && (len(n.Lhs) != len(n.Rhs) || !own(n.Rhs[i])))
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				only = only && !(is(name) && len(n.Values) > 0 && (len(n.Names) != len(n.Values) || !own(n.Values[i])))
			}
		case *ast.RangeStmt:
			only = only && !(n.Key != nil && is(n.Key)) && !(n.Value != nil && is(n.Value))
		case *ast.UnaryExpr:
			only = only && !(n.Op == token.AND && is(n.X))
		case *ast.SelectorExpr:
			only = only && !(is(n.X) && info.Selections[n] != nil && takesAddress(info.Selections[n]))
		}
		return only
	})
	return only
}

// takesAddress reports whether sel is a method that is called on the address of what stands before the dot:
//
//	s.m[k].hits.add(1)
func takesAddress(sel *types.Selection) bool {
	fn, ok := sel.Obj().(*types.Func)
	if !ok {
		return false
	}
	_, pointer := fn.Signature().Recv().Type().(*types.Pointer)
	return pointer
}
