// This file carries out the forms that generate a type: the map becomes one of that, and each mention of it a call of
// an accessor. The calls are the same in each form.

package rewrite

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/dave/dst"
	"github.com/dave/dst/dstutil"

	"mapmend/plan"
	"mapmend/templates"
)

// carryWrapper asks for the steps of a mend that gives the variable a generated type.
func carryWrapper(e *editor, m plan.Mend) error {
	w := m.Wrapper
	if w == nil {
		return refuse(plan.NotProved, m.Decl.File, m.Decl.Start, "the plan has no type for the variable")
	}
	src, err := render(m.Form, m.Var, *w)
	if err != nil {
		return refuse(plan.Unlowered, m.Decl.File, m.Decl.Start, "the type cannot be generated: %v", err)
	}
	if err := e.create(m, w.File, src); err != nil {
		return err
	}
	if w.Tests != nil {
		src, err := renderTests(m.Var, *w)
		if err != nil {
			r := refuse(plan.Unlowered, m.Decl.File, m.Decl.Start, "the tests cannot be generated: %v", err)
			r.todo = "rename it, or leave out --emit-tests"
			return r
		}
		if err := e.create(m, w.Tests.File, src); err != nil {
			return err
		}
	}
	if w.Requires != nil {
		e.required = append(e.required, *w.Requires)
	}
	for _, l := range m.Lowered {
		if err := addLowering(e, l); err != nil {
			return err
		}
	}
	return freeGuard(e, m.Freed)
}

// create asks for the new file of that name, unless there is one.
func (e *editor) create(m plan.Mend, name string, src []byte) error {
	if e.found[name] != nil || e.creates(name) {
		return refuse(plan.Unlowered, m.Decl.File, m.Decl.Start, "the file %s to generate exists", name)
	}
	e.created = append(e.created, Change{File: name, New: src, Create: true})
	return nil
}

// render returns the file that form generates for v.
func render(form plan.Form, v plan.Var, w plan.Wrapper) ([]byte, error) {
	typ := templates.Type{
		Variable: v.String(), Package: w.Package, Name: w.Name, TypeParams: w.TypeParams, TypeArgs: w.TypeArgs,
		Key: w.Key, Value: w.Value, KeyKind: w.KeyKind, StrictKey: w.StrictKey, StrictValue: w.StrictVal, Reflexive: w.Reflexive, Imports: imports(w.Imports), Accessors: w.Accessors, GoVersion: w.GoVersion,
	}
	return templates.Render(string(form), typ)
}

// renderTests returns the file with the tests of what is generated for v, whatever the form.
//
// Precondition: w has tests.
func renderTests(v plan.Var, w plan.Wrapper) ([]byte, error) {
	t := w.Tests
	tests := templates.Tests{
		Type: templates.Type{
			Variable: v.String(), Package: w.Package, Name: w.Name, TypeArgs: t.Args,
			Key: t.Key, Value: t.Value, Imports: imports(t.Imports), Accessors: w.Accessors, GoVersion: w.GoVersion,
		},
		MakeKey: t.MakeKey, Keys: t.Keys, FuzzKey: t.FuzzKey, MakeValue: t.MakeVal, Values: t.Values,
		Path: t.Path, Same: string(t.Same), Func: t.Func, Call: t.Call,
	}
	for _, d := range t.Doubles {
		tests.Doubles = append(tests.Doubles, templates.Double(d))
	}
	return templates.RenderTests(tests)
}

func imports(list []plan.Import) (out []templates.Import) {
	for _, i := range list {
		out = append(out, templates.Import(i))
	}
	return out
}

// creates reports whether a mend before creates the named file.
func (e *editor) creates(name string) bool {
	return slices.ContainsFunc(e.created, func(c Change) bool { return c.File == name })
}

// lowerings lists for each shape the node that its span must take up, and what is done to it.
var lowerings = map[plan.Shape]struct {
	is func(ast.Node) bool
	do func(*syntax, lowering)
}{
	plan.ShapeField:    {is[*ast.Field], lowerField},
	plan.ShapeVar:      {is[*ast.ValueSpec], lowerVar},
	plan.ShapeLiteral:  {is[*ast.KeyValueExpr], lowerLiteral},
	plan.ShapeIndex:    {is[*ast.IndexExpr], lowerExpr},
	plan.ShapeLen:      {is[*ast.CallExpr], lowerExpr},
	plan.ShapeDelete:   {is[*ast.CallExpr], lowerExpr},
	plan.ShapeClear:    {is[*ast.CallExpr], lowerExpr},
	plan.ShapeRange:    {isExpr, lowerExpr},
	plan.ShapeStore:    {is[*ast.AssignStmt], lowerStmt},
	plan.ShapeReplace:  {is[*ast.AssignStmt], lowerStmt},
	plan.ShapeOpAssign: {isAssignment, lowerUpdate},
	plan.ShapeRenew:    {is[*ast.AssignStmt], lowerUpdate},
}

func is[N ast.Node](n ast.Node) bool {
	_, ok := n.(N)
	return ok
}

func isExpr(n ast.Node) bool { return is[ast.Expr](n) }

func isAssignment(n ast.Node) bool { return is[*ast.AssignStmt](n) || is[*ast.IncDecStmt](n) }

// A lowering is a planned lowering with the nodes of its places.
type lowering struct {
	plan.Lowering
	node    ast.Node // what is replaced or changed
	around  ast.Node // what node stands in
	operand ast.Expr // the map; nil for a declaration or literal
	args    []ast.Expr
	old     ast.Expr // nil unless an element is renewed
}

// addLowering asks for what becomes of one mention.
func addLowering(e *editor, p plan.Lowering) error {
	f, err := e.open(p.File, p.Start)
	if err != nil {
		return err
	}
	row, ok := lowerings[p.Shape]
	if !ok {
		return refuse(plan.NotProved, f.name, p.Start, "no rewrite for a mention of shape %q", p.Shape)
	}
	l := lowering{Lowering: p}
	if l.node, l.around = f.nodeAt(p.Span, row.is); l.node == nil {
		return refuse(plan.NotProved, f.name, p.Start, "the planned place is not of shape %q", p.Shape)
	}
	l.operand, l.args = l.parts()
	asPlanned := l.operand == nil || f.covers(l.operand, p.Map)
	if l.Accessor == "" && len(p.Args) == 0 {
		l.args = nil // a map without entries
	}
	asPlanned = asPlanned && len(l.args) == len(p.Args) && (l.operand != nil) == (p.Accessor != "")
	for i := 0; asPlanned && i < len(p.Args); i++ {
		asPlanned = f.covers(l.args[i], p.Args[i])
	}
	if p.Shape == plan.ShapeRenew && asPlanned {
		old, _ := f.nodeAt(p.Old, is[*ast.IndexExpr])
		l.old, asPlanned = old.(*ast.IndexExpr)
		asPlanned = asPlanned && l.args[1].Pos() <= l.old.Pos() && l.old.End() <= l.args[1].End()
	}
	if !asPlanned {
		return refuse(plan.NotProved, f.name, p.Start, "the planned operands of a mention of shape %q are not there", p.Shape)
	}
	f.drop(l)
	f.step(p.Start, fmt.Sprintf("lower %d %d", p.Start, p.End), func(t *syntax) { row.do(t, l) })
	return nil
}

// parts returns the map operand of the node and the operands that stay, or the entries of a declaration or
// literal. The operand is nil where there is none, and where the node is not of its shape.
func (l lowering) parts() (operand ast.Expr, args []ast.Expr) {
	switch n := l.node.(type) {
	case *ast.Field:
		return nil, []ast.Expr{n.Type}
	case *ast.ValueSpec:
		if len(n.Values) == 1 {
			return nil, []ast.Expr{ast.Unparen(n.Values[0])}
		}
	case *ast.KeyValueExpr:
		return nil, []ast.Expr{ast.Unparen(n.Value)}
	case *ast.AssignStmt:
		if len(n.Lhs) != 1 || len(n.Rhs) != 1 || n.Tok == token.DEFINE || (n.Tok == token.ASSIGN) == (l.Shape == plan.ShapeOpAssign) {
			return nil, nil
		}
		if l.Shape == plan.ShapeReplace {
			return n.Lhs[0], n.Rhs
		}
		if ix, ok := ast.Unparen(n.Lhs[0]).(*ast.IndexExpr); ok {
			return ix.X, []ast.Expr{ix.Index, n.Rhs[0]}
		}
	case *ast.IncDecStmt:
		if ix, ok := ast.Unparen(n.X).(*ast.IndexExpr); ok {
			return ix.X, []ast.Expr{ix.Index}
		}
	case *ast.CallExpr:
		if l.Shape != plan.ShapeRange && types.ExprString(ast.Unparen(n.Fun)) == string(l.Shape) && len(n.Args) > 0 {
			return n.Args[0], n.Args[1:]
		}
	case *ast.IndexExpr:
		if l.Shape == plan.ShapeIndex {
			return n.X, []ast.Expr{n.Index}
		}
	}
	if r, ok := l.around.(*ast.RangeStmt); ok && l.Shape == plan.ShapeRange && r.X == l.node {
		return r.X, nil
	}
	return nil, nil
}

// nodeAt returns the outermost node that takes up span exactly and is as wanted, and what it stands in.
func (t *syntax) nodeAt(span plan.Span, wanted func(ast.Node) bool) (found, around ast.Node) {
	t.inspect(func(n ast.Node, stack []ast.Node) {
		if found == nil && t.covers(n, span) && wanted(n) {
			found, around = n, stack[len(stack)-1]
		}
	})
	return found, around
}

// replace puts a new node in the place of that of old.
func (t *syntax) replace(old ast.Node, node dst.Node) {
	was, done := t.nodes[old], false
	dstutil.Apply(t.dst, func(c *dstutil.Cursor) bool {
		if c.Node() == was && !done {
			c.Replace(node)
			done = true
		}
		return !done // what was replaced may be part of the new node
	}, nil)
	if !done {
		panic("rewrite: a node to replace is not in the tree")
	}
	t.nodes[old] = node
}

func (t *syntax) expr(e ast.Expr) dst.Expr { return t.nodes[e].(dst.Expr) }

// accessorCall returns the call of the accessor. The operands leave the tree with the node that they are
// part of, which the call is about to replace.
func (l lowering) accessorCall(t *syntax) *dst.CallExpr {
	call := &dst.CallExpr{Fun: &dst.SelectorExpr{X: t.expr(l.operand), Sel: dst.NewIdent(l.Accessor)}}
	for _, a := range l.args {
		call.Args = append(call.Args, t.expr(a))
	}
	return call
}

func lowerExpr(t *syntax, l lowering) {
	was := t.nodes[l.node].Decorations()
	call := l.accessorCall(t)
	call.Decs.Before, call.Decs.After, call.Decs.Start, call.Decs.End = was.Before, was.After, was.Start, was.End
	if l.Shape == plan.ShapeRange {
		*was = dst.NodeDecs{} // the operand goes on as a part of the call
	}
	t.replace(l.node, call)
}

func lowerStmt(t *syntax, l lowering) {
	stmt := &dst.ExprStmt{X: l.accessorCall(t)}
	stmt.Decs.NodeDecs = *t.nodes[l.node].Decorations()
	t.replace(l.node, stmt)
}

// lowerUpdate turns m[k] += v into m.Update(k, func(old V, _ bool) (V, bool) { return old + v, true }).
func lowerUpdate(t *syntax, l lowering) {
	var value dst.Expr
	old := dst.NewIdent(l.Name)
	switch stmt := l.node.(type) {
	case *ast.IncDecStmt:
		op := token.ADD
		if stmt.Tok == token.DEC {
			op = token.SUB
		}
		value = &dst.BinaryExpr{X: old, Op: op, Y: &dst.BasicLit{Kind: token.INT, Value: "1"}}
	case *ast.AssignStmt:
		if l.old != nil {
			t.replace(l.old, old)
			value = t.expr(l.args[1])
			break
		}
		operand := t.expr(l.args[1])
		if _, binary := operand.(*dst.BinaryExpr); binary {
			operand = &dst.ParenExpr{X: operand}
		}
		value = &dst.BinaryExpr{X: old, Op: binaryOf(stmt.Tok), Y: operand}
	}
	typ := func() dst.Expr { return typeOf(l.Type) }
	fn := &dst.FuncLit{
		Type: &dst.FuncType{
			Func: true,
			Params: &dst.FieldList{Opening: true, Closing: true, List: []*dst.Field{
				{Names: []*dst.Ident{dst.NewIdent(l.Name)}, Type: typ()},
				{Names: []*dst.Ident{dst.NewIdent("_")}, Type: dst.NewIdent("bool")},
			}},
			Results: &dst.FieldList{Opening: true, Closing: true, List: []*dst.Field{{Type: typ()}, {Type: dst.NewIdent("bool")}}},
		},
		Body: &dst.BlockStmt{List: []dst.Stmt{&dst.ReturnStmt{Results: []dst.Expr{value, dst.NewIdent("true")}}}},
	}
	l.args = l.args[:1]
	call := l.accessorCall(t)
	call.Args = append(call.Args, fn)
	stmt := &dst.ExprStmt{X: call}
	stmt.Decs.NodeDecs = *t.nodes[l.node].Decorations()
	t.replace(l.node, stmt)
}

// binaryOf returns + for += and so on.
func binaryOf(assign token.Token) token.Token { return assign - token.ADD_ASSIGN + token.ADD }

// typeOf returns the type that text spells.
func typeOf(text string) dst.Expr {
	t := must(parse([]byte("package p\n\nvar _ " + text + "\n")))
	typ := t.dst.Decls[0].(*dst.GenDecl).Specs[0].(*dst.ValueSpec).Type
	*typ.Decorations() = dst.NodeDecs{}
	return dst.Clone(typ).(dst.Expr)
}

func lowerField(t *syntax, l lowering) {
	t.nodes[l.node].(*dst.Field).Type = typeOf(l.Type)
}

func lowerVar(t *syntax, l lowering) {
	spec := t.nodes[l.node].(*dst.ValueSpec)
	spec.Type, spec.Values = typeOf(l.Type), nil
	if len(l.args) > 0 {
		spec.Type, spec.Values = nil, []dst.Expr{l.filled(t)}
	}
}

// filled returns the literal T{m: entries}.
func (l lowering) filled(t *syntax) dst.Expr {
	lit := &dst.CompositeLit{Type: typeOf(l.Type)}
	for _, a := range l.args {
		lit.Elts = append(lit.Elts, &dst.KeyValueExpr{Key: dst.NewIdent("m"), Value: t.expr(a)})
	}
	return lit
}

func lowerLiteral(t *syntax, l lowering) {
	kv := t.nodes[l.node].(*dst.KeyValueExpr)
	if l.Type != "" {
		kv.Value = l.filled(t)
		return
	}
	lit := t.nodes[l.around].(*dst.CompositeLit)
	lit.Elts = slices.DeleteFunc(lit.Elts, func(e dst.Expr) bool { return e == dst.Expr(kv) })
}

// drop notes the bytes that the lowering takes out of the file for good: an import that is mentioned
// nowhere else goes with them.
func (f *file) drop(l lowering) {
	keep := []plan.Span{l.Map}
	switch l.Shape {
	case plan.ShapeField:
	case plan.ShapeVar, plan.ShapeLiteral:
		keep = append(keep, l.Args...)
	default:
		if l.Type != "" {
			f.qualifiers = append(f.qualifiers, qualifiersIn(l.Type)...)
		}
		if l.Shape == plan.ShapeRenew {
			f.dropped = append(f.dropped, l.Old)
		}
		return
	}
	slices.SortFunc(keep, func(a, b plan.Span) int { return cmp.Compare(a.Start, b.Start) })
	at := l.Start
	for _, k := range keep {
		f.dropped = append(f.dropped, plan.Span{File: f.name, Start: at, End: k.Start})
		at = k.End
	}
	f.dropped = append(f.dropped, plan.Span{File: f.name, Start: at, End: l.End})
}

// qualifiersIn returns the names of packages in the type that text spells.
func qualifiersIn(text string) []string {
	var names []string
	t := must(parse([]byte("package p\n\nvar _ " + text + "\n")))
	ast.Inspect(t.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				names = append(names, id.Name)
			}
		}
		return true
	})
	return names
}

// unusedImports returns the edits that take out the imports which only dropped bytes mention.
func (f *file) unusedImports() []insert {
	if len(f.dropped) == 0 {
		return nil
	}
	unused := f.onlyDropped()
	var edits []insert
	for _, d := range f.ast.Decls {
		d, ok := d.(*ast.GenDecl)
		if !ok || d.Tok != token.IMPORT {
			continue
		}
		gone := 0
		for _, s := range d.Specs {
			if unused[importPath(s.(*ast.ImportSpec))] {
				gone++
			}
		}
		if gone == 0 {
			continue
		}
		if gone == len(d.Specs) {
			start, end := f.wholeLines(f.offset(d.Pos()), f.offset(d.End()))
			if strings.HasPrefix(string(f.src[end:]), "\n") {
				end++
			}
			edits = append(edits, insert{start: start, end: end})
			continue
		}
		for _, s := range d.Specs {
			if unused[importPath(s.(*ast.ImportSpec))] {
				start, end := f.wholeLines(f.offset(s.Pos()), f.offset(s.End()))
				edits = append(edits, insert{start: start, end: end})
			}
		}
	}
	return edits
}

// wholeLines widens a range of bytes to its lines, unless something else stands on them.
func (f *file) wholeLines(start, end int) (int, int) {
	from := strings.LastIndexByte(string(f.src[:start]), '\n') + 1
	to := lineEnd(f.src, end)
	if strings.TrimSpace(string(f.src[from:start])) != "" || strings.TrimSpace(string(f.src[end:to])) != "" {
		return start, end
	}
	return from, min(to+1, len(f.src))
}

// onlyDropped returns the import paths of f whose every mention, and there is one, is in dropped bytes.
func (f *file) onlyDropped() map[string]bool {
	kept, gone := make(map[string]bool), make(map[string]bool)
	imports := make(map[string]string) // path by name
	for _, s := range f.ast.Imports {
		name := f.nameOf(importPath(s))
		if s.Name != nil {
			name = s.Name.Name
		}
		imports[name] = importPath(s)
	}
	for _, name := range f.qualifiers {
		kept[imports[name]] = true
	}
	// A name that hides an import is counted as a mention of it, which keeps the import.
	f.inspect(func(n ast.Node, _ []ast.Node) {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok || imports[id.Name] == "" {
			return
		}
		at := f.offset(id.Pos())
		if slices.ContainsFunc(f.dropped, func(s plan.Span) bool { return s.Start <= at && at < s.End }) {
			gone[imports[id.Name]] = true
		} else {
			kept[imports[id.Name]] = true
		}
	})
	for path := range kept {
		delete(gone, path)
	}
	return gone
}
