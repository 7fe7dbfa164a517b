package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"slices"
)

// This file lowers the mentions of a variable: each is one of the shapes that an accessor stands for,
// or the variable is refused. Mentions of elements, and those that make the map, have files of their own.

// lowerMentions lowers every mention.
func (w *wrapping) lowerMentions() *Refusal {
	w.findMentions()
	for _, m := range w.mentions {
		if r := w.d.fileRefusal(m.pkg, m.file); r != nil {
			r.Pos = w.d.at(m.id.Pos())
			return r
		}
		if r := w.lower(m); r != nil {
			return r
		}
	}
	w.mentions = slices.DeleteFunc(w.mentions, func(m *mention) bool { return m.node == nil })
	replaced := slices.ContainsFunc(w.mentions, func(m *mention) bool { return m.shape == ShapeReplace })
	for _, m := range w.mentions {
		switch m.parent(1).(type) {
		case *ast.DeferStmt, *ast.GoStmt: // of delete or clear, which are bound to the map that the variable holds now
			if replaced {
				return w.refuse(Unlowered, m.id.Pos(), "the call is bound to a map that may be replaced before it runs", "use --form lock")
			}
		}
	}
	return w.checkUnkeyed()
}

// lower finds the shape of m.
func (w *wrapping) lower(m *mention) *Refusal {
	switch p := m.parent(0).(type) {
	case *ast.IndexExpr:
		if p.X == m.operand {
			return w.lowerIndex(m, p)
		}
	case *ast.CallExpr:
		return w.lowerCall(m, p)
	case *ast.RangeStmt:
		if p.X == m.operand {
			return w.lowerRange(m, p)
		}
	case *ast.AssignStmt:
		if slices.Contains(p.Lhs, m.operand) {
			return w.lowerReplace(m, p)
		}
	case *ast.KeyValueExpr:
		if p.Key == m.operand {
			return w.lowerLiteral(m, p)
		}
	case *ast.BinaryExpr:
		if p.Op == token.EQL || p.Op == token.NEQ {
			return w.refuse(NilObserved, m.id.Pos(), "the map is compared with nil", "test its length instead, or use --form lock")
		}
	case *ast.SelectorExpr:
		return w.refuse(Unlowered, m.id.Pos(), "a method of the map's type is called", "use --form lock")
	case *ast.UnaryExpr:
		if p.Op == token.AND {
			return w.refuse(AliasWritten, m.id.Pos(), "the address of the variable is taken", "use --form lock")
		}
	}
	return w.refuse(AliasWritten, m.id.Pos(), "the map is passed on as a value", "use --form lock")
}

// add records what becomes of m.
func (w *wrapping) add(m *mention, node ast.Node, l Lowering) {
	m.node, m.shape = node, l.Shape
	l.Span, l.Map = w.d.span(m.file, node), w.d.span(m.file, m.operand)
	w.lowered = append(w.lowered, l)
}

// lowerCall lowers delete, clear and len.
func (w *wrapping) lowerCall(m *mention, call *ast.CallExpr) *Refusal {
	info := m.pkg.Info
	if !info.Types[call.Fun].IsBuiltin() {
		if i := slices.Index(call.Args, m.operand); types.IsInterface(paramType(info, call, i)) {
			return w.refuse(Reflected, m.id.Pos(), "the map is passed as an interface, and what is done with it is not known", "pass a copy, or use --form lock")
		}
		return w.refuse(AliasWritten, m.id.Pos(), "the map is passed to a function", "use --form lock")
	}
	l := Lowering{}
	switch name := ast.Unparen(call.Fun).(*ast.Ident).Name; name {
	case "delete":
		m.writes, m.key = true, types.ExprString(call.Args[1])
		l = Lowering{Shape: ShapeDelete, Accessor: "Delete", Args: []Span{w.d.span(m.file, call.Args[1])}}
	case "clear":
		m.writes = true
		l = Lowering{Shape: ShapeClear, Accessor: "Clear"}
	case "len":
		l = Lowering{Shape: ShapeLen, Accessor: "Len"}
	default:
		return w.refuse(Unlowered, m.id.Pos(), "no accessor stands for "+name, "use --form lock")
	}
	w.add(m, call, l)
	return nil // delete and clear are statements, and len is read in its place among the calls
}

// lowerRange lowers range m.
func (w *wrapping) lowerRange(m *mention, r *ast.RangeStmt) *Refusal {
	if id, ok := r.Value.(*ast.Ident); ok {
		if pos := variableWritten(m, id); pos.IsValid() {
			return w.refuse(Footprint, pos, inPlace, inPlaceTodo)
		}
	}
	accessor := "Snapshot"
	in := cmp.Or(m.file.Syntax.GoVersion, "go"+m.pkg.GoVersion)
	if hasIterators(in) && hasIterators("go"+w.wrapper.GoVersion) && !recovers(m, r.Body) {
		accessor = "All"
	}
	w.add(m, m.operand, Lowering{Shape: ShapeRange, Accessor: accessor})
	m.node = r
	return nil
}

// recovers reports whether body calls recover, which in the body of a loop over a function recovers nothing.
func recovers(m *mention, body *ast.BlockStmt) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			id, ok := ast.Unparen(n.Fun).(*ast.Ident)
			found = found || ok && m.pkg.Info.Uses[id] == types.Universe.Lookup("recover")
		}
		return !found
	})
	return found
}

// hasIterators reports whether the language of that version ranges over functions, and its library has
// package iter.
func hasIterators(v string) bool { return version.Compare(v, "go1.23") >= 0 }
