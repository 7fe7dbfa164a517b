package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/model"
)

// This file looks at what uses methods whose receivers are to become pointers. Values of the owner lose the methods;
// only pointers to it have them from then on, and variables, whose address is taken for a call.

// checkInterfaces refuses owners that become interfaces as values, and those whose methods reflection may look for
// in a value that it gets at by what becomes an interface, or which it may overwrite there:
//
//	json.Marshal(server)  // the field server.Stats is given to its method MarshalJSON
//	sort.Slice(list, less) // list[0] is another one afterwards
func (g *changing) checkInterfaces() *Refusal {
	exported := slices.ContainsFunc(g.changed(), func(m *method) bool { return token.IsExported(m.name) })
	g.findAsserted()
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
			case g.isOwner(f.from) && g.address(pkg, f):
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

// address plans that a literal of the owner becomes an interface as a pointer, and reports whether it can:
//
//	var loader Loader = fileLoader{m: make(map[string]string)} // &fileLoader
//
// Who has the interface calls the methods, and nothing else: what is no pointer could be printed, or encoded, in another way.
func (g *changing) address(pkg *load.Package, f flow) bool {
	lit, ok := ast.Unparen(f.value).(*ast.CompositeLit)
	if !ok || lit.Type == nil || !g.isOwner(pkg.Info.TypeOf(lit.Type)) {
		return false
	}
	iface := f.to.Underlying().(*types.Interface)
	for m := range iface.Methods() {
		if model.Sought("x.T." + m.Name()) {
			return false
		}
	}
	file := g.d.prog.File(lit.Pos())
	if iface.NumMethods() == 0 || file == nil || g.d.fileRefusal(pkg, file) != nil || g.isPassedOn(f.to) {
		return false
	}
	g.w.pointed[lit] = true
	g.addressed = append(g.addressed, g.d.span(file, lit))
	return true
}

// findAsserted finds where an interface is asserted to be an owner, of which a field or method is selected at once: what is a pointer
// can be asserted to be one.
//
//	len(loader.(fileLoader).m) // loader.(*fileLoader)
func (g *changing) findAsserted() {
	g.w.pointed = make(map[ast.Expr]bool)
	for _, pkg := range g.w.pkgs {
		for _, file := range pkg.Files {
			ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
				assert, ok := n.(*ast.TypeAssertExpr)
				if !ok || assert.Type == nil || !g.isOwner(pkg.Info.TypeOf(assert.Type)) || g.d.fileRefusal(pkg, file) != nil {
					return true
				}
				sel, ok := stack[len(stack)-1].(*ast.SelectorExpr)
				if _, isName := assert.Type.(*ast.Ident); ok && isName && sel.X == assert && pkg.Info.Selections[sel] != nil && pkg.Info.Selections[sel].Kind() == types.FieldVal {
					g.w.pointed[assert] = true
					g.asserted = append(g.asserted, g.d.span(file, assert.Type))
				}
				return true
			})
		}
	}
}

// isPassedOn reports whether a value of the interface t, or what has one in it, becomes one of another, which may be looked into, in a
// package that knows the owner or what t is.
func (g *changing) isPassedOn(t types.Type) (is bool) {
	for _, pkg := range g.d.prog.Packages {
		for _, file := range pkg.Files {
			if file.Syntax == nil || pkg.Info == nil {
				continue
			}
			ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
				for _, f := range flowsAt(pkg.Info, n, stack) {
					is = is || f.to != nil && f.from != nil && types.IsInterface(f.to) && !types.Identical(f.from, f.to) && (sameNamed(f.from, t) || g.isShown(f, t))
				}
				if assert, ok := n.(*ast.TypeAssertExpr); ok && !is && !g.w.pointed[assert] {
					is = sameNamed(pkg.Info.TypeOf(assert.X), t)
				}
				return !is
			})
		}
	}
	return is
}

// isShown reports whether f gives what has a value of the interface t in it to what shows that: to a printer, to reflection, to a function
// of the program that takes anything, or in generic code.
//
//	type server struct{ cache Cache }
//	fmt.Println(s) // shows what is no pointer
func (g *changing) isShown(f flow, t types.Type) bool {
	if param := paramIn(f.from); param != nil {
		return !isTypeParam(f.to) && g.isGenericIn(param.Obj().Pkg().Path(), t)
	}
	if f.callee == nil || f.callee.Pkg() == nil {
		return false
	}
	shows := model.Prints(access.ObjectKey(f.callee)) || model.Reflects(f.callee.Pkg().Path()) || f.callee.Signature().Variadic() && g.d.isOurs(f.callee.Pkg())
	return shows && hasInside(pointee(f.from), t, make(map[types.Type]bool))
}

// isGenericIn reports whether generic code of the package path is used with t, or with what has one in it.
func (g *changing) isGenericIn(path string, t types.Type) bool {
	for _, pkg := range g.d.prog.Packages {
		if pkg.Info == nil {
			continue
		}
		for id, inst := range pkg.Info.Instances {
			generic := pkg.Info.Uses[id]
			if generic == nil || generic.Pkg() == nil || generic.Pkg().Path() != path {
				continue
			}
			for arg := range inst.TypeArgs.Types() {
				if hasInside(pointee(arg), t, make(map[types.Type]bool)) {
					return true
				}
			}
		}
	}
	return false
}

// hasInside reports whether a value of type in is one of the interface t, or has one in it that no pointer leads to.
func hasInside(in, t types.Type, seen map[types.Type]bool) bool {
	if in == nil || seen[in] {
		return false
	}
	seen[in] = true
	if sameNamed(in, t) {
		return true
	}
	switch u := in.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if hasInside(f.Type(), t, seen) {
				return true
			}
		}
	case *types.Map:
		return hasInside(u.Key(), t, seen) || hasInside(u.Elem(), t, seen)
	case *types.Slice:
		return hasInside(u.Elem(), t, seen)
	case *types.Array:
		return hasInside(u.Elem(), t, seen)
	}
	return false
}

// sameNamed reports whether a and b are one type, as two packages may know it.
func sameNamed(a, b types.Type) bool {
	x, ok := types.Unalias(a).(*types.Named)
	y, also := types.Unalias(b).(*types.Named)
	if !ok || !also {
		return a != nil && types.Identical(a, b)
	}
	return x.Obj().Name() == y.Obj().Name() && x.Obj().Pkg() != nil && y.Obj().Pkg() != nil && x.Obj().Pkg().Path() == y.Obj().Pkg().Path()
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
