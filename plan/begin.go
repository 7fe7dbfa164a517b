package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan/load"
)

// This file lowers the places where the variable gets its map: the declaration, the literals of its owner
// and whole assignments. The map must be new there, or someone else may hold it too.

// lowerDeclaration lowers the declaration itself.
func (w *wrapping) lowerDeclaration() *Refusal {
	decl := w.c.decl
	l := Lowering{Shape: ShapeField, Type: w.wrapper.Name + w.wrapper.TypeArgs}
	switch node := decl.node.(type) {
	case *ast.Field:
		l.Args = []Span{w.d.span(decl.file, node.Type)}
	case *ast.ValueSpec:
		l.Shape = ShapeVar
		if len(node.Names) != 1 {
			return w.refuse(Unlowered, node.Pos(), "other variables are declared together with it", "declare it on its own")
		}
		if len(node.Values) == 1 {
			if r := w.initialiser(node.Values[0], &l); r != nil {
				return r
			}
		}
	}
	l.Span, l.Map = w.d.span(decl.file, decl.node), w.d.span(decl.file, decl.name)
	w.lowered = append(w.lowered, l)
	return nil
}

// initialiser lowers what a package variable begins with.
func (w *wrapping) initialiser(e ast.Expr, l *Lowering) *Refusal {
	decl := w.c.decl
	if !isNew(decl.pkg.Info, e) {
		return w.refuse(AliasWritten, e.Pos(), "the map that the variable begins with may be kept elsewhere", "begin with a literal, or use --form lock")
	}
	if lit := entries(e); lit != nil {
		l.Args = []Span{w.d.span(decl.file, lit)}
		return nil
	}
	if pos := effectIn(decl.pkg.Info, e, token.NoPos); pos.IsValid() {
		return w.refuse(Unlowered, pos, "the size of the map comes from a call", "leave the size out")
	}
	return nil
}

// lowerReplace lowers the assignment of a new map.
func (w *wrapping) lowerReplace(m *mention, p *ast.AssignStmt) *Refusal {
	if len(p.Lhs) != 1 {
		return w.refuse(Unlowered, m.id.Pos(), "several variables are assigned at once", "assign them one by one")
	}
	if m.isReceived(p) {
		return w.refuse(Unlowered, m.id.Pos(), "a case of a select assigns the map", "receive into a variable")
	}
	if m.pkg.Info.Types[ast.Unparen(p.Rhs[0])].IsNil() {
		return w.refuse(NilObserved, p.Rhs[0].Pos(), "nil is assigned, in which a store panics: one in the generated type would make a new map", "assign a new map, or use --form lock")
	}
	if !isNew(m.pkg.Info, p.Rhs[0]) {
		return w.refuse(AliasWritten, p.Rhs[0].Pos(), "the map that is assigned may be kept elsewhere", "assign a map that is made in the same statement, or use --form lock")
	}
	m.writes = true
	w.add(m, p, Lowering{Shape: ShapeReplace, Accessor: "Replace", Args: []Span{w.d.span(m.file, p.Rhs[0])}})
	return nil
}

// isNew reports whether e is a map that nobody else has: made on the spot, or nil.
func isNew(info *types.Info, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		return info.Types[e.Fun].IsBuiltin() // make
	case *ast.Ident:
		return info.Types[e].IsNil()
	}
	return false
}

// lowerLiteral lowers the key of a struct literal.
func (w *wrapping) lowerLiteral(m *mention, kv *ast.KeyValueExpr) *Refusal {
	info := m.pkg.Info
	if !isNew(info, kv.Value) {
		return w.refuse(AliasWritten, kv.Value.Pos(), "the map in the literal may be kept elsewhere", "make the map in the literal, or use --form lock")
	}
	if pos := effectIn(info, kv.Value, token.NoPos); pos.IsValid() && entries(kv.Value) == nil {
		return w.refuse(Unlowered, pos, "the size of the map in the literal comes from a call", "leave the size out")
	}
	l := Lowering{Shape: ShapeLiteral}
	outer := m.parentOf(kv).(*ast.CompositeLit)
	if lit := entries(kv.Value); lit != nil || hasComment(m.file, outer, kv) {
		typ, why := w.wrapperAt(m, outer)
		if why != "" {
			return w.refuse(Unlowered, kv.Pos(), why, "store the entries in a statement of its own, or use --form lock")
		}
		l.Type = typ
		if lit != nil {
			l.Args = []Span{w.d.span(m.file, lit)}
		}
	}
	w.add(m, kv, l)
	return nil
}

// entries returns the literal e if it has entries, or nil.
func entries(e ast.Expr) *ast.CompositeLit {
	lit, ok := ast.Unparen(e).(*ast.CompositeLit)
	if ok && len(lit.Elts) > 0 {
		return lit
	}
	return nil
}

// hasComment reports whether a comment belongs to the element kv of a literal: one inside, above or behind
// it, or below the last.
func hasComment(file *load.File, lit *ast.CompositeLit, kv ast.Expr) bool {
	text := func(from, to token.Pos) string { return string(file.Src[offsetIn(file, from):offsetIn(file, to)]) }
	last := lit.Elts[len(lit.Elts)-1] == kv
	for _, group := range file.Syntax.Comments {
		switch {
		case group.End() <= lit.Lbrace || group.Pos() >= lit.Rbrace:
		case group.Pos() >= kv.Pos() && group.End() <= kv.End():
			return true
		case group.End() <= kv.Pos():
			before := text(lit.Lbrace, group.Pos())
			above := strings.TrimSpace(text(group.End(), kv.Pos())) == ""
			if above && strings.TrimSpace(before[strings.LastIndexByte(before, '\n')+1:]) == "" {
				return true
			}
		case last || strings.Trim(text(kv.End(), group.Pos()), " \t,") == "":
			return true
		}
	}
	return false
}

// offsetIn returns the byte offset of pos, which is in file.
func offsetIn(file *load.File, pos token.Pos) int { return int(pos - file.Syntax.FileStart) }

// wrapperAt writes the generated type as the type of the field in lit, or says why it cannot.
func (w *wrapping) wrapperAt(m *mention, lit *ast.CompositeLit) (text, why string) {
	if m.pkg != w.c.decl.pkg {
		return "", "a literal with entries, or with a comment, stands in another package"
	}
	if w.wrapper.TypeArgs == "" {
		return w.wrapper.Name, ""
	}
	owners := typeArgs(m.pkg.Info.TypeOf(lit))
	if len(owners) == 0 { // type intS S[int]
		return "", "the literal's type does not say the type arguments"
	}
	var args []string
	for _, t := range owners {
		arg, why := w.typeAt(m, t)
		if why != "" {
			return "", why
		}
		args = append(args, arg)
	}
	return w.wrapper.Name + "[" + strings.Join(args, ", ") + "]", ""
}

func typeArgs(t types.Type) []types.Type {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return nil
	}
	return slices.Collect(named.TypeArgs().Types())
}

// checkUnkeyed refuses literals of the owner that give the fields by position.
func (w *wrapping) checkUnkeyed() *Refusal {
	return w.inOwners(func(pkg *load.Package, n ast.Node, _ []ast.Node) *Refusal {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || len(lit.Elts) == 0 || !w.hasField(pkg.Info.TypeOf(lit)) {
			return nil
		}
		if _, keyed := lit.Elts[0].(*ast.KeyValueExpr); keyed {
			return nil
		}
		return w.refuse(Unlowered, lit.Pos(), "a literal of the owner gives the fields by position", "name the fields")
	})
}

// hasField reports whether t is a struct type with the field itself.
func (w *wrapping) hasField(t types.Type) bool {
	u := t.Underlying()
	if p, ok := u.(*types.Pointer); ok { // []*T{{...}}
		u = p.Elem().Underlying()
	}
	st, ok := u.(*types.Struct)
	if !ok {
		return false
	}
	for f := range st.Fields() {
		if w.objs[f.Origin()] {
			return true
		}
	}
	return false
}
