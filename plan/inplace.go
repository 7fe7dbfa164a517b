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

// This file finds elements that are changed in place. An accessor returns the element, and its lock is
// given back before the change.

const (
	inPlace     = "an element is changed in place, which the lock of a generated type would not guard"
	inPlaceTodo = "store a changed copy, or use --form lock"
)

// writtenThrough returns where the element ix is changed in place: directly, or through a variable
// that it is assigned to in the same function.
//
//	s.m[k].hits++
//	e, ok := s.m[k]
//	e.hits++
func writtenThrough(m *mention, ix ast.Expr) token.Pos {
	if pos := changedInPlace(m.pkg.Info, m.stack[:slices.Index(m.stack, ast.Node(ix))], ix); pos.IsValid() {
		return pos
	}
	outer := m.parentOf(ix)
	for {
		p, ok := outer.(*ast.ParenExpr)
		if !ok {
			break
		}
		ix, outer = p, m.parentOf(p)
	}
	var to ast.Expr
	switch p := outer.(type) {
	case *ast.AssignStmt: // elements that are assigned to were lowered before
		to = p.Lhs[slices.Index(p.Rhs, ix)]
	case *ast.ValueSpec:
		to = p.Names[slices.Index(p.Values, ix)]
	}
	id, ok := to.(*ast.Ident)
	if !ok {
		return token.NoPos
	}
	return variableWritten(m, id)
}

// variableWritten returns where the value of the variable that id names is changed in place.
func variableWritten(m *mention, id *ast.Ident) (pos token.Pos) {
	obj := m.pkg.Info.ObjectOf(id)
	fn := m.decl()
	if fn == nil { // a package variable
		return token.NoPos
	}
	ast.PreorderStack(fn, nil, func(n ast.Node, stack []ast.Node) bool {
		use, ok := n.(*ast.Ident)
		if ok && m.pkg.Info.Uses[use] == obj && !pos.IsValid() && refers(m.pkg.Info, stack, use) {
			pos = changedInPlace(m.pkg.Info, stack, use)
		}
		return true
	})
	return pos
}

// refers reports whether the step from e to what stands around it goes through a pointer, slice or map:
// a part of a struct or array value is the function's own.
func refers(info *types.Info, stack []ast.Node, e ast.Expr) bool {
	for i := len(stack) - 1; i >= 0; i-- {
		t := info.TypeOf(e)
		if t == nil {
			return false
		}
		switch t.Underlying().(type) {
		case *types.Pointer, *types.Slice, *types.Map:
			return true
		}
		outer, ok := stack[i].(ast.Expr)
		if !ok {
			return false
		}
		e = outer
	}
	return false
}

// renewedInPlace returns where value, which renews the element old of a map, changes in place what old refers to.
// What is appended to it stands behind the end of what others got.
//
//	s.m[k] = slices.Delete(s.m[k], i, i+1)
func renewedInPlace(info *types.Info, value, old ast.Expr) (pos token.Pos) {
	ast.PreorderStack(value, nil, func(n ast.Node, stack []ast.Node) bool {
		if n != ast.Node(old) {
			return true
		}
		if len(stack) > 0 {
			if call, ok := stack[len(stack)-1].(*ast.CallExpr); ok && call.Args[0] == old && isBuiltin(info, call, "append") {
				return false
			}
		}
		pos = changedInPlace(info, stack, old)
		return false
	})
	return pos
}

func isBuiltin(info *types.Info, call *ast.CallExpr, names ...string) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	return ok && info.Types[call.Fun].IsBuiltin() && slices.Contains(names, id.Name)
}

// changedInPlace returns where a part of e is assigned, incremented, deleted from, cleared, has its
// address taken, or is a slice that is given to what may change its entries.
func changedInPlace(info *types.Info, stack []ast.Node, e ast.Expr) token.Pos {
	part := false // e is now a part of what it was
	for i := len(stack) - 1; i >= 0; i-- {
		switch p := stack[i].(type) {
		case *ast.ParenExpr:
			e = p
			continue
		case *ast.SelectorExpr:
			e, part = p, true
			continue
		case *ast.IndexExpr:
			if p.X != e {
				return token.NoPos
			}
			e, part = p, true
			continue
		case *ast.SliceExpr:
			if p.X != e {
				return token.NoPos
			}
			e, part = p, true
			continue
		case *ast.StarExpr:
			e, part = p, true
			continue
		case *ast.AssignStmt:
			if part && slices.Contains(p.Lhs, e) {
				return e.Pos()
			}
		case *ast.IncDecStmt:
			if part {
				return e.Pos()
			}
		case *ast.RangeStmt:
			if part && (p.Key == e || p.Value == e) {
				return e.Pos()
			}
		case *ast.UnaryExpr:
			if part && p.Op == token.AND {
				return e.Pos()
			}
		case *ast.CallExpr:
			// append writes behind the end of what it is given, where another append may write too.
			if p.Fun != e && p.Args[0] == e && isBuiltin(info, p, "delete", "clear", "copy", "append") || mayChangeEntries(info, p, e) {
				return e.Pos()
			}
		}
		return token.NoPos
	}
	return token.NoPos
}

// mayChangeEntries reports whether call, of a method of e or with the argument e, may change the entries of a slice.
func mayChangeEntries(info *types.Info, call *ast.CallExpr, e ast.Expr) bool {
	t := info.TypeOf(e)
	if sel, ok := e.(*ast.SelectorExpr); ok && call.Fun == e {
		t = info.TypeOf(sel.X)
	}
	if tv := info.Types[call.Fun]; !mayBeSlice(t) || tv.IsBuiltin() || tv.IsType() {
		return false
	}
	callee, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok {
		return true
	}
	key := access.ObjectKey(callee)
	return model.InPlace(key) || !isPure(callee) && !model.ReadsAll(key)
}

// mayBeSlice reports whether a value of type t is a slice, or t a type parameter that may stand for one.
func mayBeSlice(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return true
	case *types.Interface:
		return isTypeParam(t) && !u.IsMethodSet()
	}
	return false
}
