package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"

	"mapmend/plan/load"
)

// This file lowers the mentions that reach one element: m[k], and the statements that assign it.

// lowerIndex lowers m[k] and the statements that assign it.
func (w *wrapping) lowerIndex(m *mention, ix *ast.IndexExpr) *Refusal {
	if w.olds[ix] {
		return nil // part of the statement that renews the element
	}
	m.key = types.ExprString(ix.Index)
	expr, up := ast.Expr(ix), 1 // with parentheses
	for {
		p, ok := m.parent(up).(*ast.ParenExpr)
		if !ok {
			break
		}
		expr, up = p, up+1
	}
	key := w.d.span(m.file, ix.Index)
	load := Lowering{Shape: ShapeIndex, Accessor: "Get", Args: []Span{key}}
	switch p := m.parent(up).(type) {
	case *ast.AssignStmt:
		if slices.Contains(p.Lhs, expr) {
			return w.lowerStore(m, ix, p)
		}
		if len(p.Lhs) == 2 && len(p.Rhs) == 1 {
			load.Accessor = "Load"
		}
	case *ast.ValueSpec:
		if len(p.Names) == 2 && len(p.Values) == 1 {
			load.Accessor = "Load"
		}
	case *ast.IncDecStmt:
		return w.lowerUpdate(m, ix, p, nil)
	case *ast.RangeStmt:
		if p.X != expr {
			return w.refuse(Unlowered, m.id.Pos(), "a range assigns to elements of the map", "assign to variables, and store them in the body")
		}
	}
	if m.isInCase() {
		return w.refuse(Unlowered, m.id.Pos(), "the map is used in a case of a select", "use it in a statement before")
	}
	if pos := writtenThrough(m, ix); pos.IsValid() {
		return w.refuse(Footprint, pos, inPlace, inPlaceTodo)
	}
	w.add(m, ix, load)
	return w.checkOrder(m, ix)
}

// lowerStore lowers m[k] = v and m[k] += v.
func (w *wrapping) lowerStore(m *mention, ix *ast.IndexExpr, p *ast.AssignStmt) *Refusal {
	if len(p.Lhs) != 1 {
		return w.refuse(Unlowered, m.id.Pos(), "several variables are assigned at once", "assign them one by one")
	}
	if m.isReceived(p) {
		return w.refuse(Unlowered, m.id.Pos(), "a case of a select assigns to an element of the map", "receive into a variable")
	}
	if p.Tok != token.ASSIGN {
		return w.lowerUpdate(m, ix, p, p.Rhs[0])
	}
	if old := readBack(m, ix, p.Rhs[0]); old != nil {
		return w.lowerRenewal(m, ix, p, old)
	}
	m.writes = true
	w.add(m, p, Lowering{Shape: ShapeStore, Accessor: "Store", Args: []Span{w.d.span(m.file, ix.Index), w.d.span(m.file, p.Rhs[0])}})
	return nil
}

// lowerUpdate lowers m[k]++ and m[k] += v: the operand is computed under the lock.
func (w *wrapping) lowerUpdate(m *mention, ix *ast.IndexExpr, stmt ast.Stmt, operand ast.Expr) *Refusal {
	l := Lowering{Shape: ShapeOpAssign, Args: []Span{w.d.span(m.file, ix.Index)}}
	if operand != nil {
		l.Args = append(l.Args, w.d.span(m.file, operand))
	}
	return w.update(m, ix, stmt, operand, l)
}

// readBack returns the only mention of the element that is assigned in the value that is assigned:
// m[k] = append(m[k], v).
func readBack(m *mention, ix *ast.IndexExpr, value ast.Expr) ast.Expr {
	var found []ast.Expr
	target := types.ExprString(ix)
	later := false // m[k] = func() int { return m[k] + 1 } reads what will be there when it is called
	ast.PreorderStack(value, nil, func(n ast.Node, stack []ast.Node) bool {
		if e, ok := n.(*ast.IndexExpr); ok && types.ExprString(e) == target {
			found = append(found, e)
			later = later || slices.ContainsFunc(stack, func(n ast.Node) bool { _, lit := n.(*ast.FuncLit); return lit })
		}
		return true
	})
	called := false // m[next()] = append(m[next()], v)
	ast.Inspect(ix, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		called = called || ok && !m.pkg.Info.Types[call.Fun].IsType()
		return true
	})
	if len(found) != 1 || called || later {
		return nil
	}
	return found[0]
}

// lowerRenewal lowers m[k] = append(m[k], v).
func (w *wrapping) lowerRenewal(m *mention, ix *ast.IndexExpr, stmt *ast.AssignStmt, old ast.Expr) *Refusal {
	if pos := renewedInPlace(m.pkg.Info, stmt.Rhs[0], old); pos.IsValid() {
		return w.refuse(Footprint, pos, inPlace, inPlaceTodo)
	}
	w.olds[old] = true
	return w.update(m, ix, stmt, stmt.Rhs[0], Lowering{
		Shape: ShapeRenew,
		Args:  []Span{w.d.span(m.file, ix.Index), w.d.span(m.file, stmt.Rhs[0])},
		Old:   w.d.span(m.file, old),
	})
}

// update adds a lowering that computes value under the lock. There it may not call, wait or use the map:
//
//	s.m[k] += s.next() // may use the map, and would wait for itself
func (w *wrapping) update(m *mention, ix *ast.IndexExpr, stmt ast.Stmt, value ast.Expr, l Lowering) *Refusal {
	m.writes = true
	if value != nil {
		if pos := effectIn(m.pkg.Info, value, token.NoPos); pos.IsValid() {
			return w.refuse(CallInRegion, pos, "the new element is computed from the old by a call", "compute the operand in a statement before")
		}
		if pos := w.mapIn(m, value); pos.IsValid() {
			return w.refuse(SplitRegion, pos, "the new element is computed from a map", "read that map in a statement before, or use --form lock")
		}
	}
	typ, why := w.typeAt(m, m.pkg.Info.TypeOf(ix))
	if why != "" {
		return w.refuse(Unlowered, m.id.Pos(), why, "use --form lock")
	}
	l.Accessor, l.Type, l.Name = "Update", typ, freshName(value)
	w.add(m, stmt, l)
	return nil
}

// mapIn returns where value mentions a map, but for the element before. Under the lock its own lock may
// be taken, in whatever order others take the two.
func (w *wrapping) mapIn(m *mention, value ast.Expr) (pos token.Pos) {
	ast.Inspect(value, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok || pos.IsValid() || w.olds[n] { // the statements of a literal run later
			return false
		}
		if tv := m.pkg.Info.Types[e]; tv.IsValue() {
			if _, isMap := tv.Type.Underlying().(*types.Map); isMap {
				pos = e.Pos()
			}
		}
		return true
	})
	return pos
}

// freshName returns a name for the element before that value does not mention.
func freshName(value ast.Expr) string {
	used := make(map[string]bool)
	if value != nil {
		ast.Inspect(value, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				used[id.Name] = true
			}
			return true
		})
	}
	name := "old"
	for i := 2; used[name]; i++ {
		name = "old" + strconv.Itoa(i)
	}
	return name
}

// typeAt writes typ as the file of m can where m stands, or says why it cannot.
func (w *wrapping) typeAt(m *mention, typ types.Type) (text, why string) {
	if text = w.d.typeText(m.pkg, m.file, m.id.Pos(), typ); text == "" {
		return "", "the type " + typ.String() + " cannot be written in " + m.file.Name
	}
	scope := m.pkg.Info.Scopes[m.file.Syntax].Innermost(m.id.Pos())
	for _, name := range []string{"bool", "true"} {
		if _, obj := scope.LookupParent(name, m.id.Pos()); obj != types.Universe.Lookup(name) {
			return "", "the name " + name + " means something else there"
		}
	}
	return text, ""
}

// typeText writes typ as file can at pos; "" if it cannot.
func (d *decider) typeText(pkg *load.Package, file *load.File, pos token.Pos, typ types.Type) string {
	text := types.TypeString(typ, func(p *types.Package) string {
		if p == pkg.Types {
			return ""
		}
		for _, s := range file.Syntax.Imports {
			name, ok := pkg.Info.Implicits[s].(*types.PkgName)
			if s.Name != nil {
				name, ok = pkg.Info.Defs[s.Name].(*types.PkgName)
			}
			if !ok || name.Imported() != p || name.Name() == "_" {
				continue
			}
			if name.Name() == "." {
				return ""
			}
			return name.Name()
		}
		return p.Path() // not imported: this is no type
	})
	tv, _ := types.Eval(d.prog.Fset, pkg.Types, pos, text) // no type if there is an error
	if !tv.IsType() || !types.Identical(tv.Type, typ) {
		return ""
	}
	return text
}
