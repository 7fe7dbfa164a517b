package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/model"
)

// This file looks at what uses methods whose receivers are to become pointers. Values of the owner lose the methods;
// only pointers to it have them from then on, and variables, whose address is taken for a call.

// checkAPI refuses methods that packages outside of the program may need a value of the owner to have.
func (g *changing) checkAPI() *Refusal {
	decl := g.c.decl
	if !importable(decl) {
		return nil
	}
	const why = ", with which importers may use a value of "
	for _, m := range g.changed() {
		api := token.IsExported(m.name) && (token.IsExported(g.c.finding.Owner) || g.isExposed())
		if api || token.IsExported(g.c.finding.Owner) && isInterfaceMethod(decl.pkg, m.name) {
			return g.no(m.decl.Name.Pos(), "the method "+m.name+" has a value receiver, and is API of the package "+decl.pkg.Path+why+g.c.finding.Owner)
		}
	}
	return nil
}

// isInterfaceMethod reports whether an interface of pkg has a method of that name.
func isInterfaceMethod(pkg *load.Package, name string) bool {
	for _, tv := range pkg.Info.Types {
		if iface, ok := tv.Type.(*types.Interface); ok && tv.IsType() {
			for m := range iface.Methods() {
				if m.Name() == name {
					return true
				}
			}
		}
	}
	return false
}

// isExposed reports whether importers can get a value of the owner, which has no exported name, from what the
// package exports.
func (g *changing) isExposed() bool {
	pkg := g.c.decl.pkg.Types
	seen := make(map[types.Type]bool)
	var exposes func(t types.Type) bool
	tuple := func(t *types.Tuple) bool {
		for v := range t.Variables() {
			if exposes(v.Type()) {
				return true
			}
		}
		return false
	}
	exposes = func(t types.Type) bool {
		t = types.Unalias(t)
		if g.isOwner(t) {
			return true
		}
		if seen[t] {
			return false
		}
		seen[t] = true
		if named, ok := t.(*types.Named); ok {
			if named.Obj().Pkg() != pkg {
				return slices.ContainsFunc(slices.Collect(named.TypeArgs().Types()), exposes)
			}
			for m := range named.Methods() {
				if m.Exported() && (tuple(m.Signature().Params()) || tuple(m.Signature().Results())) {
					return true
				}
			}
		}
		switch u := t.Underlying().(type) {
		case *types.Pointer:
			return !g.isOwner(types.Unalias(u.Elem())) && exposes(u.Elem())
		case *types.Struct:
			for f := range u.Fields() {
				if (f.Exported() || f.Embedded()) && exposes(f.Type()) {
					return true
				}
			}
		case *types.Signature:
			return tuple(u.Params()) || tuple(u.Results())
		case *types.Map:
			return exposes(u.Key()) || exposes(u.Elem())
		case *types.Interface:
			for m := range u.Methods() {
				if exposes(m.Type()) {
					return true
				}
			}
		case interface{ Elem() types.Type }:
			return exposes(u.Elem())
		}
		return false
	}
	for _, name := range pkg.Scope().Names() {
		if obj := pkg.Scope().Lookup(name); obj.Exported() && exposes(obj.Type()) {
			return true
		}
	}
	return false
}

// checkInterfaces refuses owners that become interfaces as values, and those whose methods reflection may look for
// in a value that it gets at by what becomes an interface, or which it may overwrite there:
//
//	json.Marshal(server)  // the field server.Stats is given to its method MarshalJSON
//	sort.Slice(list, less) // list[0] is another one afterwards
func (g *changing) checkInterfaces() *Refusal {
	exported := slices.ContainsFunc(g.changed(), func(m *method) bool { return token.IsExported(m.name) })
	return g.w.inOwners(func(pkg *load.Package, n ast.Node, stack []ast.Node) *Refusal {
		if clause, ok := n.(*ast.CaseClause); ok {
			for _, e := range clause.List {
				if tv := pkg.Info.Types[e]; tv.IsType() && g.w.holds(tv.Type) {
					return g.no(e.Pos(), "a value of "+g.c.finding.Owner+" is taken out of an interface here")
				}
			}
		}
		for _, f := range flowsAt(pkg.Info, n, stack) {
			if f.to == nil || !types.IsInterface(f.to) || isTypeParam(f.to) {
				continue
			}
			switch {
			case g.isOwner(f.from):
				return g.no(f.value.Pos(), "a value of "+g.c.finding.Owner+" becomes an interface here, and has no methods with pointer receivers")
			case exported && g.isUnwrapped(f):
				return g.refuse(Reflected, f.value.Pos(), "a pointer to a "+g.c.finding.Owner+" becomes an interface here, and reflection may look for methods of what it leads to", "give the methods pointer receivers by hand, or let it hold a pointer to its mutex")
			case !g.isOwner(pointee(f.from)) && g.shows(f.from, make(map[types.Type]bool)):
				return g.refuse(Reflected, f.value.Pos(), "what leads to values of "+g.c.finding.Owner+" becomes an interface here, and reflection may look for their methods, or overwrite them", "give the methods pointer receivers by hand, or let it hold a pointer to its mutex")
			}
		}
		return nil
	})
}

// isUnwrapped reports whether f gives a pointer to the owner, perhaps in another interface, to what may ask for the
// methods that values have. Printers and encoders ask for those of the pointer.
//
//	var target Failure
//	errors.As(err, &target) // panics unless values of Failure are errors
func (g *changing) isUnwrapped(f flow) bool {
	if f.to.Underlying().(*types.Interface).NumMethods() > 0 {
		return false
	}
	if !g.isOwner(pointee(f.from)) && (!types.IsInterface(f.from) || isTypeParam(f.from) || !g.w.mayBeOwner(f.from)) {
		return false
	}
	if f.callee == nil {
		return true
	}
	_, known := model.Looks(access.ObjectKey(f.callee))
	return !known
}

// shows reports whether reflection gets from a value of type t to a value of the owner whose methods it may call, or
// which it may overwrite: by exported fields.
func (g *changing) shows(t types.Type, seen map[types.Type]bool) bool {
	t = types.Unalias(t)
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	if param, ok := t.(*types.TypeParam); ok {
		return g.w.isArgument(param.Obj().Pkg().Path())
	}
	if g.isOwner(t) {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if (f.Exported() || f.Embedded()) && g.shows(f.Type(), seen) {
				return true
			}
		}
	case *types.Map:
		return g.shows(u.Key(), seen) || g.shows(u.Elem(), seen)
	case *types.Pointer:
		return !g.isOwner(u.Elem()) && g.shows(u.Elem(), seen)
	case interface{ Elem() types.Type }:
		return g.shows(u.Elem(), seen)
	}
	return false
}

// checkCalls refuses methods that are used on what has no address, or in a file that cannot be judged. It finds those
// that are called later than their receiver is evaluated, or on a pointer that may be nil.
func (g *changing) checkCalls() *Refusal {
	for _, m := range g.changed() {
		g.nilable[m.name] = token.IsExported(m.name)
	}
	for _, pkg := range g.w.pkgs {
		for _, m := range g.changed() {
			g.nilable[m.name] = g.nilable[m.name] || isInterfaceMethod(pkg, m.name)
		}
	}
	return g.w.inOwners(func(pkg *load.Package, n ast.Node, stack []ast.Node) *Refusal {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return nil
		}
		selection := pkg.Info.Selections[sel]
		if selection == nil {
			return nil
		}
		fn, ok := selection.Obj().(*types.Func)
		if !ok {
			return nil
		}
		m := g.methodOf(fn)
		if m == nil || !m.value {
			return nil
		}
		if file := g.d.prog.File(sel.Pos()); file != nil && file.Cgo {
			return g.refuse(Cgo, sel.Pos(), file.Name+` imports "C", and uses the method `+m.name, "give it a pointer receiver by hand")
		}
		_, pointer := selection.Recv().Underlying().(*types.Pointer)
		if selection.Kind() == types.MethodExpr {
			g.delayed[m.name], g.nilable[m.name] = true, true
			if !pointer {
				return g.no(sel.Pos(), "the method expression "+types.ExprString(sel)+" takes a value, and would take a pointer")
			}
			return nil
		}
		g.nilable[m.name] = g.nilable[m.name] || selection.Indirect()
		if !selection.Indirect() && !pkg.Info.Types[sel.X].Addressable() {
			return g.no(sel.Pos(), "the method "+m.name+" is called on a value that has no address")
		}
		if !isLater(sel, stack) {
			return nil
		}
		g.delayed[m.name] = true
		if selection.Indirect() && (throughPointer(selection) || !g.isSet(pkg, sel.X)) {
			return g.no(sel.Pos(), "a nil pointer "+types.ExprString(sel.X)+" would panic here, and with a pointer receiver not before "+m.name+" runs")
		}
		return nil
	})
}

// throughPointer reports whether a method is promoted by way of a pointer that is embedded.
func throughPointer(selection *types.Selection) bool {
	return len(selection.Index()) > 1 && passesPointer(selection)
}

// isLater reports whether the method that sel selects is not called where it is selected: in a go or defer statement, or
// as a value.
func isLater(sel *ast.SelectorExpr, stack []ast.Node) bool {
	call, ok := parentOf(stack).(*ast.CallExpr)
	if !ok || ast.Unparen(call.Fun) != sel {
		return true
	}
	i := slices.Index(stack, ast.Node(call))
	if i == 0 {
		return false
	}
	switch stack[i-1].(type) {
	case *ast.GoStmt, *ast.DeferStmt:
		return true
	}
	return false
}

// isSet reports whether e, a pointer, is a variable that is not nil: it gets a new value where it is declared, and no
// other.
//
//	s := &Store{}
//	go s.work()
func (g *changing) isSet(pkg *load.Package, e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return false
	}
	v := pkg.Info.Uses[id]
	file := g.d.prog.File(id.Pos())
	if v == nil || file == nil || v.Parent() == pkg.Types.Scope() && token.IsExported(v.Name()) {
		return false
	}
	set, changed := false, false
	for _, file := range pkg.Files {
		ast.Inspect(file.Syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i, lhs := range n.Lhs {
					if id, ok := lhs.(*ast.Ident); ok && pkg.Info.ObjectOf(id) == v {
						set = set || len(n.Lhs) == len(n.Rhs) && g.isNew(pkg, n.Rhs[i])
						changed = changed || pkg.Info.Defs[id] != v
					}
				}
			case *ast.ValueSpec:
				for i, id := range n.Names {
					if pkg.Info.Defs[id] == v {
						set = len(n.Names) == len(n.Values) && g.isNew(pkg, n.Values[i])
					}
				}
			case *ast.RangeStmt:
				for _, x := range []ast.Expr{n.Key, n.Value} {
					changed = changed || x != nil && isVariableOf(pkg.Info, v, x)
				}
			case *ast.UnaryExpr:
				changed = changed || n.Op == token.AND && isVariableOf(pkg.Info, v, n.X)
			}
			return true
		})
	}
	return set && !changed
}

// isNew reports whether e makes a pointer: it is the address of something, or the result of a function of the program
// that returns nothing else.
func (g *changing) isNew(pkg *load.Package, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		return e.Op == token.AND
	case *ast.CallExpr:
		if isBuiltin(pkg.Info, e, "new") {
			return true
		}
		callee, ok := typeutil.Callee(pkg.Info, e).(*types.Func)
		if !ok || callee.Signature().Results().Len() != 1 {
			return false
		}
		fn, ok := g.d.functionAt(access.ObjectKey(callee))
		return ok && returnsNew(fn)
	}
	return false
}

// returnsNew reports whether all that fn returns are addresses.
func returnsNew(fn function) bool {
	all := true
	ast.Inspect(fn.body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			address := false
			if len(n.Results) == 1 {
				u, ok := ast.Unparen(n.Results[0]).(*ast.UnaryExpr)
				address = ok && u.Op == token.AND
			}
			all = all && address
		}
		return true
	})
	return all
}

// checkNil refuses methods that may be called on a nil pointer, which the call notices today, and do not notice it
// before they do anything else.
func (g *changing) checkNil() *Refusal {
	for _, m := range g.changed() {
		if g.nilable[m.name] && !g.derefsFirst(m, make(map[*method]bool)) {
			return g.no(m.decl.Name.Pos(), "the method "+m.name+" may be called on a nil pointer, which panics at the call, and would do something else first if its receiver were a pointer")
		}
	}
	return nil
}

// derefsFirst reports whether m selects a field of its receiver before it does anything that others could see.
func (g *changing) derefsFirst(m *method, seen map[*method]bool) bool {
	info := g.c.decl.pkg.Info
	recv := m.receiver(info)
	if recv == nil || seen[m] {
		return false
	}
	seen[m] = true
	for _, stmt := range m.decl.Body.List {
		e := firstOf(stmt)
		if e == nil {
			return false
		}
		if first := g.first(info, recv, e, seen); first != nothing {
			return first == derefs
		}
		switch s := stmt.(type) {
		case *ast.DeclStmt:
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				return false
			}
		default:
			return false
		}
	}
	return false
}

// firstOf returns what stmt evaluates first, if that is known; nil otherwise.
func firstOf(stmt ast.Stmt) ast.Node {
	switch s := stmt.(type) {
	case *ast.IfStmt:
		if s.Init != nil {
			return firstOf(s.Init)
		}
		return s.Cond
	case *ast.SwitchStmt:
		if s.Init != nil {
			return firstOf(s.Init)
		}
		if s.Tag != nil {
			return s.Tag
		}
	case *ast.RangeStmt:
		return s.X
	case *ast.ExprStmt, *ast.AssignStmt, *ast.DeclStmt, *ast.IncDecStmt, *ast.ReturnStmt:
		return s
	}
	return nil
}

// order is what a part of a method does first.
type order int

const (
	nothing order = iota // that others could see
	derefs               // a field of the receiver is selected
	acts                 // something else
)

// first returns what n does first with the receiver recv.
func (g *changing) first(info *types.Info, recv types.Object, n ast.Node, seen map[*method]bool) order {
	out := nothing
	calls := 0
	ast.PreorderStack(n, nil, func(n ast.Node, stack []ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if tv := info.Types[n.Fun]; !tv.IsType() && !tv.IsBuiltin() {
				calls++
			}
		case *ast.BinaryExpr:
			switch n.Op {
			case token.LAND, token.LOR: // the right side may not be evaluated
				switch g.first(info, recv, n.X, seen) {
				case derefs:
					out = derefs
				case acts:
					calls += 2
				}
				return false
			case token.QUO, token.REM: // may panic before
				calls += 2
			}
		case *ast.IndexExpr, *ast.SliceExpr, *ast.StarExpr, *ast.TypeAssertExpr:
			if x, ok := operand(n.(ast.Expr)).(*ast.SelectorExpr); !ok || !isVariableOf(info, recv, x.X) {
				calls += 2 // may panic before
			}
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				calls += 2
			}
		case *ast.SelectorExpr:
			if !isVariableOf(info, recv, n.X) {
				break
			}
			switch selection := info.Selections[n]; {
			case selection.Kind() == types.FieldVal || isMutexCall(selection.Obj().(*types.Func)):
				out = derefs
			default:
				if o := g.methodOf(selection.Obj().(*types.Func)); o != nil && g.derefsFirst(o, seen) {
					out = derefs
				}
			}
		}
		return true
	})
	switch {
	case calls > 1:
		return acts
	case out == derefs && (calls == 0 || inFirstCall(info, recv, n)):
		return derefs
	case calls > 0:
		return acts
	}
	return nothing
}

// inFirstCall reports whether the one call in n selects something of recv to find what it calls or is given.
func inFirstCall(info *types.Info, recv types.Object, n ast.Node) (in bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if tv := info.Types[call.Fun]; tv.IsType() || tv.IsBuiltin() {
			return true
		}
		ast.Inspect(call, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			in = in || ok && isVariableOf(info, recv, sel.X)
			return !in
		})
		return false
	})
	return in
}

// operand returns what e indexes, slices, follows or asserts.
func operand(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.IndexExpr:
		return ast.Unparen(e.X)
	case *ast.SliceExpr:
		return ast.Unparen(e.X)
	case *ast.StarExpr:
		return ast.Unparen(e.X)
	case *ast.TypeAssertExpr:
		return ast.Unparen(e.X)
	}
	return nil
}

// isVariableOf reports whether e is the variable v.
func isVariableOf(info *types.Info, v types.Object, e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && info.Uses[id] == v
}

// checkUnseen refuses owners that source which was not loaded, for another platform say, may use as values: it names
// the owner, one of the methods, or something by which one gets at a value.
func (g *changing) checkUnseen() *Refusal {
	names := g.names()
	decl := g.c.decl
	for _, pkg := range g.d.prog.Packages {
		unsound := pkg.Unchecked
		if pkg.Broken {
			unsound = pkg.Files
		}
		for _, file := range unsound {
			parsed, _ := parser.ParseFile(token.NewFileSet(), file.Name, file.Src, parser.SkipObjectResolution)
			if parsed == nil || mentioned(bodyOf(parsed), names, true) != "" {
				return &Refusal{Code: LoadError, Pos: Pos{File: file.Name, Line: 1, Column: 1}, Message: file.Name + " may use values of " + g.c.finding.Owner + ", and its package does not compile", Todo: "make the package compile"}
			}
		}
	}
	for _, pkg := range g.d.folders(decl.pkg.Path) {
		for _, name := range g.d.unseenFiles(pkg.Dir) {
			base := filepath.Base(name)
			file, _ := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if base[0] == '_' || base[0] == '.' || file == nil || file.Name == nil {
				continue // in no build
			}
			if own := pkg.Dir == decl.pkg.Dir && strings.TrimSuffix(file.Name.Name, "_test") == decl.pkg.Name; !own && !imports(file, decl.pkg.Path) {
				continue
			}
			if found := mentioned(bodyOf(file), names, true); found != "" {
				return &Refusal{Code: OutOfScope, Message: g.d.nameOf(name, decl.pkg) + " mentions " + found + ", may use values of " + g.c.finding.Owner + ", and is not part of this build", Todo: "load it with --tags or --tests, or give the methods pointer receivers by hand"}
			}
		}
	}
	return nil
}

// bodyOf returns file without its package clause, which may have the name of the owner.
func bodyOf(file *ast.File) *ast.File { return &ast.File{Name: ast.NewIdent("_"), Decls: file.Decls} }

// imports reports whether file imports the package of that path, or one whose path cannot be told.
func imports(file *ast.File, path string) bool {
	return slices.ContainsFunc(file.Imports, func(spec *ast.ImportSpec) bool {
		got, err := strconv.Unquote(spec.Path.Value)
		return err != nil || got == path
	})
}

// names returns the names by which source may get at a value of the owner, or use its methods.
func (g *changing) names() []string {
	out := []string{g.c.finding.Owner}
	for _, m := range g.changed() {
		out = append(out, m.name)
	}
	for _, pkg := range g.w.pkgs {
		for id, obj := range pkg.Info.Defs {
			switch obj := obj.(type) {
			case *types.Var:
				if (obj.IsField() || obj.Parent() == pkg.Types.Scope()) && g.w.leadsTo(obj.Type()) {
					out = append(out, id.Name)
				}
			case *types.Func:
				for v := range obj.Signature().Results().Variables() {
					if g.w.leadsTo(v.Type()) {
						out = append(out, id.Name)
					}
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
