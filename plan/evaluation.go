package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file keeps the order of evaluation, which an accessor, being a call, may change.

// checkOrder refuses a use that an accessor would move. The compiler reads a map after all calls and
// receives of the statement; an accessor is itself a call, made in its place from left to right:
//
//	f(s.m[k], g()) // g runs first: it may store in the map
//
// What stands before the use, and calls that the use is an operand of, keep their order.
func (w *wrapping) checkOrder(m *mention, use ast.Node) *Refusal {
	i := slices.Index(m.stack, use)
	child := use
	for i--; i >= 0; i-- {
		n := m.stack[i]
		switch p := n.(type) {
		case *ast.BinaryExpr:
			if p.Op == token.LAND || p.Op == token.LOR { // what is behind may not run
				child = n
				continue
			}
		case *ast.FuncLit, *ast.BlockStmt, *ast.CaseClause, *ast.IfStmt, *ast.ForStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.RangeStmt, *ast.CommClause, *ast.LabeledStmt, *ast.File, *ast.GenDecl:
			return nil
		}
		if pos := effectIn(m.pkg.Info, n, child.End()); pos.IsValid() {
			return w.refuse(Unlowered, pos, "a call after the use of the map in one statement runs before it", "use the map in a statement of its own")
		}
		child = n
	}
	return nil
}

// effectIn returns the place of a call or receive in n, from a position on, that may change something or
// wait. The calls around that position are not meant, and what function literals do later is not either.
func effectIn(info *types.Info, n ast.Node, from token.Pos) (pos token.Pos) {
	ast.Inspect(n, func(n ast.Node) bool {
		if pos.IsValid() {
			return false
		}
		switch e := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			if e.Op == token.ARROW && e.Pos() >= from {
				pos = e.Pos()
			}
		case *ast.CallExpr:
			if e.Pos() >= from && !isHarmless(info, e) {
				pos = e.Pos()
			}
		}
		return true
	})
	return pos
}

// isHarmless reports whether call changes nothing that anyone else sees, and waits for nothing.
func isHarmless(info *types.Info, call *ast.CallExpr) bool {
	tv := info.Types[call.Fun]
	if tv.IsType() {
		return true
	}
	if tv.IsBuiltin() {
		id, ok := ast.Unparen(call.Fun).(*ast.Ident)
		return ok && slices.Contains([]string{"len", "cap", "append", "min", "max", "make", "new", "complex", "real", "imag"}, id.Name)
	}
	callee, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok || !isPure(callee) {
		return false
	}
	for i, arg := range call.Args {
		t := info.TypeOf(arg)
		if _, isFunc := t.Underlying().(*types.Signature); isFunc {
			return false
		}
		if types.IsInterface(paramType(info, call, i)) && !access.IsPlain(t) {
			return false // fmt.Sprint(x) calls x.String
		}
	}
	return true
}

// isPure reports whether the function callee, and not what it is given, is known to do nothing but compute. Nobody
// knows that of a method of an interface.
func isPure(callee *types.Func) bool {
	recv := callee.Signature().Recv()
	return (recv == nil || !types.IsInterface(recv.Type())) && model.Pure(access.ObjectKey(callee))
}
