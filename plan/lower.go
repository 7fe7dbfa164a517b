package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/model"
)

// This file lowers the mentions of a variable: each is one of the shapes that an accessor stands for,
// or the variable is refused.

// mention is one place that names the variable, its declaration aside.
type mention struct {
	pkg     *load.Package
	file    *load.File
	id      *ast.Ident
	operand ast.Expr   // id, or the selector that ends in it, with the parentheses around
	stack   []ast.Node // what stands around operand, outermost first
	node    ast.Node   // what the lowering replaces; nil until it is known
	shape   Shape
	writes  bool
	key     string // text of the key; empty when the shape has none
}

// parent returns the i-th node around the operand, the innermost being 0.
func (m *mention) parent(i int) ast.Node {
	if i < len(m.stack) {
		return m.stack[len(m.stack)-1-i]
	}
	return nil
}

// decl returns the function declaration around m, or nil.
func (m *mention) decl() *ast.FuncDecl {
	for _, n := range m.stack {
		if fn, ok := n.(*ast.FuncDecl); ok {
			return fn
		}
	}
	return nil
}

// findMentions fills w.mentions, by package and place.
func (w *wrapping) findMentions() {
	for _, pkg := range w.d.prog.Packages {
		if pkg.Info == nil || pkg.Broken {
			continue
		}
		for _, file := range pkg.Files {
			ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					if v, ok := pkg.Info.Uses[id].(*types.Var); ok && w.objs[v.Origin()] {
						w.mentions = append(w.mentions, newMention(pkg, file, id, stack))
					}
				}
				return true
			})
		}
	}
}

func newMention(pkg *load.Package, file *load.File, id *ast.Ident, stack []ast.Node) *mention {
	m := &mention{pkg: pkg, file: file, id: id, operand: id, stack: slices.Clone(stack)}
	pop := func() { m.stack = m.stack[:len(m.stack)-1] }
	if sel, ok := m.parent(0).(*ast.SelectorExpr); ok && sel.Sel == id {
		m.operand = sel
		pop()
	}
	for {
		p, ok := m.parent(0).(*ast.ParenExpr)
		if !ok {
			return m
		}
		m.operand = p
		pop()
	}
}

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
		if _, deferred := m.parent(1).(*ast.DeferStmt); deferred && replaced && (m.shape == ShapeDelete || m.shape == ShapeClear) {
			// A deferred delete is bound to the map that the variable holds when the defer runs.
			return w.refuse(Unlowered, m.id.Pos(), "the deferred call is bound to a map that may be replaced before it runs", "use --form lock")
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
	for _, n := range m.stack {
		if comm, ok := n.(*ast.CommClause); ok && comm.Comm != nil && comm.Comm.Pos() <= ix.Pos() && ix.End() <= comm.Comm.End() {
			return w.refuse(Unlowered, m.id.Pos(), "the map is used in a case of a select", "use it in a statement before")
		}
	}
	if pos := w.writtenThrough(m, ix); pos.IsValid() {
		return w.refuse(Footprint, pos, "an element is changed in place, which the lock of a generated type would not guard", "store a changed copy, or use --form lock")
	}
	w.add(m, ix, load)
	return w.checkOrder(m, ix)
}

// lowerStore lowers m[k] = v and m[k] += v.
func (w *wrapping) lowerStore(m *mention, ix *ast.IndexExpr, p *ast.AssignStmt) *Refusal {
	if len(p.Lhs) != 1 || len(p.Rhs) != 1 {
		return w.refuse(Unlowered, m.id.Pos(), "several variables are assigned at once", "assign them one by one")
	}
	if _, comm := m.parentOf(p).(*ast.CommClause); comm {
		return w.refuse(Unlowered, m.id.Pos(), "a case of a select assigns to an element of the map", "receive into a variable")
	}
	if p.Tok != token.ASSIGN {
		return w.lowerUpdate(m, ix, p, p.Rhs[0])
	}
	if old := w.readBack(m, ix, p.Rhs[0]); old != nil {
		return w.lowerRenewal(m, ix, p, old)
	}
	m.writes = true
	w.add(m, p, Lowering{Shape: ShapeStore, Accessor: "Store", Args: []Span{w.d.span(m.file, ix.Index), w.d.span(m.file, p.Rhs[0])}})
	return nil
}

// parentOf returns the node around n, which is one of m.stack.
func (m *mention) parentOf(n ast.Node) ast.Node {
	i := slices.Index(m.stack, n)
	if i < 1 {
		return nil
	}
	return m.stack[i-1]
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
func (w *wrapping) readBack(m *mention, ix *ast.IndexExpr, value ast.Expr) ast.Expr {
	var found []ast.Expr
	target := types.ExprString(ix)
	ast.Inspect(value, func(n ast.Node) bool {
		if e, ok := n.(*ast.IndexExpr); ok && types.ExprString(e) == target {
			found = append(found, e)
		}
		return true
	})
	called := false // m[next()] = append(m[next()], v)
	ast.Inspect(ix, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		called = called || ok && !m.pkg.Info.Types[call.Fun].IsType()
		return true
	})
	if len(found) != 1 || called {
		return nil
	}
	return found[0]
}

// lowerRenewal lowers m[k] = append(m[k], v).
func (w *wrapping) lowerRenewal(m *mention, ix *ast.IndexExpr, stmt *ast.AssignStmt, old ast.Expr) *Refusal {
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
		if pos := w.effectIn(m, value, token.NoPos); pos.IsValid() {
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
		if !ok || pos.IsValid() || w.olds[n] {
			return ok && !w.olds[n]
		}
		if tv := m.pkg.Info.Types[e]; tv.IsValue() && tv.Type != nil {
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
	unknown := ""
	text = types.TypeString(typ, func(p *types.Package) string {
		if p == m.pkg.Types {
			return ""
		}
		for _, s := range m.file.Syntax.Imports {
			name, ok := m.pkg.Info.Implicits[s].(*types.PkgName)
			if s.Name != nil {
				name, ok = m.pkg.Info.Defs[s.Name].(*types.PkgName)
			}
			if ok && name.Imported() == p && name.Name() != "_" && name.Name() != "." {
				return name.Name()
			}
		}
		unknown = p.Path()
		return p.Name()
	})
	if unknown != "" {
		return "", m.file.Name + " does not import " + unknown + ", of which the element type is"
	}
	tv, err := types.Eval(w.d.prog.Fset, m.pkg.Types, m.id.Pos(), text)
	if err != nil || !tv.IsType() || !types.Identical(tv.Type, typ) {
		return "", "the type " + text + " cannot be written there"
	}
	scope := m.pkg.Info.Scopes[m.file.Syntax].Innermost(m.id.Pos())
	for _, name := range []string{"bool", "true"} {
		if _, obj := scope.LookupParent(name, m.id.Pos()); obj != types.Universe.Lookup(name) {
			return "", "the name " + name + " means something else there"
		}
	}
	return text, ""
}

// writtenThrough returns where the element ix is changed in place: directly, or through a variable
// that it is assigned to in the same function.
//
//	s.m[k].hits++
//	e, ok := s.m[k]
//	e.hits++
func (w *wrapping) writtenThrough(m *mention, ix ast.Expr) token.Pos {
	if pos := changedInPlace(m.stack[:slices.Index(m.stack, ast.Node(ix))], ix); pos.IsValid() {
		return pos
	}
	assign, ok := m.parentOf(ix).(*ast.AssignStmt)
	if !ok || len(assign.Lhs) == 0 || !slices.Contains(assign.Rhs, ix) {
		return token.NoPos
	}
	at := slices.Index(assign.Rhs, ix)
	id, ok := assign.Lhs[at].(*ast.Ident)
	if !ok {
		return token.NoPos
	}
	return w.variableWritten(m, id)
}

// variableWritten returns where the value of the variable that id names is changed in place.
func (w *wrapping) variableWritten(m *mention, id *ast.Ident) (pos token.Pos) {
	obj := m.pkg.Info.ObjectOf(id)
	fn := m.decl()
	if obj == nil || fn == nil {
		return token.NoPos
	}
	ast.PreorderStack(fn, nil, func(n ast.Node, stack []ast.Node) bool {
		use, ok := n.(*ast.Ident)
		if ok && m.pkg.Info.Uses[use] == obj && len(stack) > 0 && !pos.IsValid() && refers(m.pkg.Info, stack, use) {
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
			if id, ok := p.Fun.(*ast.Ident); ok && len(p.Args) > 0 && p.Args[0] == e && slices.Contains([]string{"delete", "clear", "copy", "append"}, id.Name) {
				return e.Pos()
			}
		}
		return token.NoPos
	}
	return token.NoPos
}

// lowerCall lowers delete, clear and len.
func (w *wrapping) lowerCall(m *mention, call *ast.CallExpr) *Refusal {
	info := m.pkg.Info
	if !info.Types[call.Fun].IsBuiltin() {
		if i := slices.Index(call.Args, m.operand); i >= 0 && types.IsInterface(paramType(info, call, i)) {
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

// paramType returns the type of the parameter that takes argument i, or the invalid type.
func paramType(info *types.Info, call *ast.CallExpr, i int) types.Type {
	t := info.TypeOf(call.Fun)
	if t == nil {
		return types.Typ[types.Invalid]
	}
	sig, ok := t.Underlying().(*types.Signature)
	switch {
	case !ok: // a conversion
		return t
	case sig.Variadic() && i >= sig.Params().Len()-1:
		last := sig.Params().At(sig.Params().Len() - 1).Type()
		if s, ok := last.Underlying().(*types.Slice); ok && !call.Ellipsis.IsValid() {
			return s.Elem()
		}
		return last
	case i < sig.Params().Len():
		return sig.Params().At(i).Type()
	}
	return types.Typ[types.Invalid]
}

// lowerRange lowers range m.
func (w *wrapping) lowerRange(m *mention, r *ast.RangeStmt) *Refusal {
	if id, ok := r.Value.(*ast.Ident); ok {
		if pos := w.variableWritten(m, id); pos.IsValid() {
			return w.refuse(Footprint, pos, "an element is changed in place, which the lock of a generated type would not guard", "store a changed copy, or use --form lock")
		}
	}
	accessor := "Snapshot"
	if atLeast(m.pkg.GoVersion, 23) && atLeast(w.wrapper.GoVersion, 23) && (m.file.Syntax.GoVersion == "" || atLeast(strings.TrimPrefix(m.file.Syntax.GoVersion, "go"), 23)) {
		accessor = "All"
	}
	w.add(m, m.operand, Lowering{Shape: ShapeRange, Accessor: accessor})
	m.node = r
	return nil
}

// atLeast reports whether version is 1.minor or later.
func atLeast(version string, minor int) bool {
	parts := strings.Split(version, ".")
	if len(parts) < 2 || parts[0] != "1" {
		return false
	}
	n, err := strconv.Atoi(leadingDigits(parts[1]))
	return err == nil && n >= minor
}

func leadingDigits(s string) string {
	if i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		return s[:i]
	}
	return s
}

// lowerReplace lowers the assignment of a new map.
func (w *wrapping) lowerReplace(m *mention, p *ast.AssignStmt) *Refusal {
	if len(p.Lhs) != 1 || len(p.Rhs) != 1 {
		return w.refuse(Unlowered, m.id.Pos(), "several variables are assigned at once", "assign them one by one")
	}
	if _, comm := m.parentOf(p).(*ast.CommClause); comm {
		return w.refuse(Unlowered, m.id.Pos(), "a case of a select assigns the map", "receive into a variable")
	}
	if !w.isNew(m.pkg.Info, p.Rhs[0]) {
		return w.refuse(AliasWritten, p.Rhs[0].Pos(), "the map that is assigned may be kept elsewhere", "assign a map that is made in the same statement, or use --form lock")
	}
	m.writes = true
	w.add(m, p, Lowering{Shape: ShapeReplace, Accessor: "Replace", Args: []Span{w.d.span(m.file, p.Rhs[0])}})
	return nil
}

// isNew reports whether e is a map that nobody else has: made on the spot, or nil.
func (w *wrapping) isNew(info *types.Info, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		id, ok := ast.Unparen(e.Fun).(*ast.Ident)
		return ok && id.Name == "make" && info.Types[e.Fun].IsBuiltin()
	case *ast.Ident:
		return info.Types[e].IsNil()
	}
	return false
}

// lowerLiteral lowers the key of a struct literal.
func (w *wrapping) lowerLiteral(m *mention, kv *ast.KeyValueExpr) *Refusal {
	info := m.pkg.Info
	if !w.isNew(info, kv.Value) {
		return w.refuse(AliasWritten, kv.Value.Pos(), "the map in the literal may be kept elsewhere", "make the map in the literal, or use --form lock")
	}
	if pos := w.effectIn(m, kv.Value, token.NoPos); pos.IsValid() && isEmpty(kv.Value) {
		return w.refuse(Unlowered, pos, "the size of the map in the literal comes from a call", "leave the size out")
	}
	l := Lowering{Shape: ShapeLiteral}
	outer, ok := m.parentOf(kv).(*ast.CompositeLit)
	if !ok {
		return w.refuse(Unlowered, kv.Pos(), "the map is an element of something else than a struct literal", "use --form lock")
	}
	if lit := entries(kv.Value); lit != nil || hasComment(m.file, outer, kv) {
		typ, why := w.wrapperAt(m, kv)
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

// isEmpty reports whether e, a new map, has no entries.
func isEmpty(e ast.Expr) bool { return entries(e) == nil }

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

// wrapperAt writes the generated type as the type of the field in the literal around kv.
func (w *wrapping) wrapperAt(m *mention, kv ast.Node) (text, why string) {
	if m.pkg != w.c.decl.pkg {
		return "", "a literal with entries, or with a comment, stands in another package"
	}
	lit, ok := m.parentOf(kv).(*ast.CompositeLit)
	if !ok || w.wrapper.TypeArgs != "" && len(typeArgs(m.pkg.Info.TypeOf(lit))) == 0 {
		return "", "the literal's type cannot be named there"
	}
	if w.wrapper.TypeArgs == "" {
		return w.wrapper.Name, ""
	}
	var args []string
	for _, t := range typeArgs(m.pkg.Info.TypeOf(lit)) {
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
	if w.c.decl.owner == nil {
		return nil
	}
	for _, pkg := range w.d.prog.Packages {
		if pkg.Info == nil || pkg.Broken {
			continue
		}
		for _, file := range pkg.Files {
			var found ast.Node
			ast.Inspect(file.Syntax, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if ok && len(lit.Elts) > 0 && w.hasField(pkg.Info.TypeOf(lit)) {
					if _, keyed := lit.Elts[0].(*ast.KeyValueExpr); !keyed {
						found = lit
					}
				}
				return found == nil
			})
			if found != nil {
				return w.refuse(Unlowered, found.Pos(), "a literal of the owner gives the fields by position", "name the fields")
			}
		}
	}
	return nil
}

// hasField reports whether t is a struct type with the field itself.
func (w *wrapping) hasField(t types.Type) bool {
	if t == nil {
		return false
	}
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

// lowerDeclaration lowers the declaration itself.
func (w *wrapping) lowerDeclaration() *Refusal {
	decl := w.c.decl
	l := Lowering{Shape: ShapeField, Type: w.wrapper.Name + w.wrapper.TypeArgs}
	switch node := decl.node.(type) {
	case *ast.Field:
		l.Args = []Span{w.d.span(decl.file, node.Type)}
	case *ast.ValueSpec:
		l.Shape = ShapeVar
		if len(node.Names) != 1 || len(node.Values) > 1 {
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
	if !w.isNew(decl.pkg.Info, e) {
		return w.refuse(AliasWritten, e.Pos(), "the map that the variable begins with may be kept elsewhere", "begin with a literal, or use --form lock")
	}
	if lit := entries(e); lit != nil {
		l.Args = []Span{w.d.span(decl.file, lit)}
		return nil
	}
	m := &mention{pkg: decl.pkg, file: decl.file}
	if pos := w.effectIn(m, e, token.NoPos); pos.IsValid() {
		return w.refuse(Unlowered, pos, "the size of the map comes from a call", "leave the size out")
	}
	return nil
}

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
			if (p.Op == token.LAND || p.Op == token.LOR) && p.X == child {
				child = n
				continue
			}
		case *ast.FuncLit, *ast.BlockStmt, *ast.CaseClause, *ast.IfStmt, *ast.ForStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.RangeStmt, *ast.CommClause, *ast.LabeledStmt, *ast.File, *ast.GenDecl:
			return nil
		}
		if pos := w.effectIn(m, n, child.End()); pos.IsValid() {
			return w.refuse(Unlowered, pos, "a call after the use of the map in one statement runs before it", "use the map in a statement of its own")
		}
		child = n
	}
	return nil
}

// effectIn returns the place of a call or receive in n, from a position on, that may change something or
// wait. The calls around that position are not meant, and what function literals do later is not either.
func (w *wrapping) effectIn(m *mention, n ast.Node, from token.Pos) (pos token.Pos) {
	ast.Inspect(n, func(n ast.Node) bool {
		if pos.IsValid() || n == nil {
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
			if e.Pos() >= from && !isHarmless(m.pkg.Info, e) {
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
	if !ok || !model.Pure(access.ObjectKey(callee)) {
		return false
	}
	return !slices.ContainsFunc(call.Args, func(arg ast.Expr) bool {
		_, isFunc := info.TypeOf(arg).Underlying().(*types.Signature)
		return isFunc
	})
}
