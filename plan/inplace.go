package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// This file finds elements that are changed in place. An accessor returns the element, and its lock is
// given back before the change.

// writtenThrough returns where the element ix is changed in place: directly, or through a variable
// that it is assigned to in the same function.
//
//	s.m[k].hits++
//	e, ok := s.m[k]
//	e.hits++
func writtenThrough(m *mention, ix ast.Expr) token.Pos {
	if pos := changedInPlace(m.stack[:slices.Index(m.stack, ast.Node(ix))], ix); pos.IsValid() {
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
			pos = changedInPlace(stack, use)
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

// changedInPlace returns where a part of e is assigned, incremented, deleted from, cleared or has its
// address taken.
func changedInPlace(stack []ast.Node, e ast.Expr) token.Pos {
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
			if id, ok := p.Fun.(*ast.Ident); ok && p.Args[0] == e && slices.Contains([]string{"delete", "clear", "copy", "append"}, id.Name) {
				return e.Pos()
			}
		}
		return token.NoPos
	}
	return token.NoPos
}
