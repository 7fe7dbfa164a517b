package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"mapmend/plan/load"
	"mapmend/plan/model"
)

// This file finds where the owner of a map is copied. A copy of the owner shares the map today; with a
// generated type in it, it would copy the lock and share the map under two.

// holds reports whether a value of type t has the variable in it, not behind a pointer.
func (w *wrapping) holds(t types.Type) bool { return w.contains(t, false, make(map[types.Type]bool)) }

// leadsTo reports whether a value of type t has the variable in it, or leads to it by pointers, slices
// and maps.
func (w *wrapping) leadsTo(t types.Type) bool { return w.contains(t, true, make(map[types.Type]bool)) }

func (w *wrapping) contains(t types.Type, follow bool, seen map[types.Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if w.objs[f.Origin()] || w.contains(f.Type(), follow, seen) {
				return true
			}
		}
	case *types.Array:
		return w.contains(u.Elem(), follow, seen)
	case *types.Pointer:
		return follow && w.contains(u.Elem(), follow, seen)
	case *types.Slice:
		return follow && w.contains(u.Elem(), follow, seen)
	case *types.Chan:
		return follow && w.contains(u.Elem(), follow, seen)
	case *types.Map:
		return follow && (w.contains(u.Key(), follow, seen) || w.contains(u.Elem(), follow, seen))
	}
	return false
}

// inOwners visits each node of the program, if the variable is a field.
func (w *wrapping) inOwners(visit func(pkg *load.Package, n ast.Node, stack []ast.Node) *Refusal) (r *Refusal) {
	if w.c.decl.owner == nil {
		return nil // nobody holds a package variable
	}
	for _, pkg := range w.d.prog.Packages {
		if pkg.Info == nil || pkg.Broken {
			continue
		}
		for _, file := range pkg.Files {
			ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
				if r == nil {
					r = visit(pkg, n, stack)
				}
				return r == nil
			})
		}
	}
	return r
}

// checkCopies refuses owners that are copied by value.
func (w *wrapping) checkCopies() *Refusal {
	return w.inOwners(func(pkg *load.Package, n ast.Node, stack []ast.Node) *Refusal {
		what := ""
		switch n := n.(type) {
		case *ast.FuncType:
			for _, list := range []*ast.FieldList{n.Params, n.Results} {
				what = w.fieldCopies(pkg, list, what)
			}
		case *ast.FuncDecl:
			what = w.fieldCopies(pkg, n.Recv, "")
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if e != nil && w.holds(pkg.Info.TypeOf(e)) {
					what = "a range copies it"
				}
			}
		case *ast.Ident:
			if inst, ok := pkg.Info.Instances[n]; ok && w.instanceCopies(pkg, n, inst) {
				what = "it is a type argument, and what that does with values is not known"
			}
			what = w.exprCopies(pkg, n, stack, what)
		case ast.Expr:
			what = w.exprCopies(pkg, n, stack, what)
		}
		if what == "" {
			return nil
		}
		return w.refuse(OwnerCopied, n.Pos(), "the owner is copied: "+what, "use a pointer to it, or use --form lock")
	})
}

func (w *wrapping) fieldCopies(pkg *load.Package, list *ast.FieldList, what string) string {
	if list == nil {
		return what
	}
	for _, f := range list.List {
		t := pkg.Info.TypeOf(f.Type)
		if w.holds(t) {
			return "a function takes or returns it by value"
		}
		if _, variadic := f.Type.(*ast.Ellipsis); variadic && w.holds(t.Underlying().(*types.Slice).Elem()) {
			return "a function takes it by value"
		}
	}
	return what
}

// instanceCopies reports whether the generic function or type id is instantiated with a type that holds
// the variable. An atomic pointer does not touch what it points to.
func (w *wrapping) instanceCopies(pkg *load.Package, id *ast.Ident, inst types.Instance) bool {
	obj := pkg.Info.Uses[id]
	if obj != nil && obj.Pkg() != nil && model.Pure(obj.Pkg().Path()+".x") && obj.Name() == "Pointer" {
		return false
	}
	for t := range inst.TypeArgs.Types() {
		if w.holds(t) || isSliceOf(t, w.holds) {
			return true
		}
	}
	return false
}

func isSliceOf(t types.Type, holds func(types.Type) bool) bool {
	s, ok := t.Underlying().(*types.Slice)
	return ok && holds(s.Elem())
}

// exprCopies says how the value e, if it holds the variable, is copied where it stands; empty when it
// is not: a part of it is selected, its address is taken, or it is a new literal that goes to its place.
func (w *wrapping) exprCopies(pkg *load.Package, e ast.Expr, stack []ast.Node, what string) string {
	tv, ok := pkg.Info.Types[e]
	if call, isCall := e.(*ast.CallExpr); isCall && pkg.Info.Types[call.Fun].IsBuiltin() && len(call.Args) > 0 {
		// append and copy move the elements of a slice of owners.
		if name := types.ExprString(call.Fun); (name == "append" || name == "copy") && isSliceOf(pkg.Info.TypeOf(call.Args[0]), w.holds) {
			return name + " copies elements of a slice of it"
		}
	}
	if !ok || !tv.IsValue() || !w.holds(tv.Type) || len(stack) == 0 {
		return what
	}
	if _, ok := e.(*ast.ParenExpr); ok {
		return what // what is inside is looked at, with the parentheses as what is around
	}
	if ix, ok := e.(*ast.IndexExpr); ok {
		if t := pkg.Info.TypeOf(ix.X); t != nil {
			if _, isMap := t.Underlying().(*types.Map); isMap {
				return "it is an element of a map"
			}
		}
	}
	if _, ok := e.(*ast.TypeAssertExpr); ok {
		return "it is taken out of an interface"
	}
	i := len(stack) - 1
	var child ast.Expr = e
	for {
		p, ok := stack[i].(*ast.ParenExpr)
		if !ok || i == 0 {
			break
		}
		child, i = p, i-1
	}
	_, isNew := e.(*ast.CompositeLit)
	switch p := stack[i].(type) {
	case *ast.SelectorExpr:
		if p.X == child && !valueMethod(pkg.Info, p) {
			return what
		}
		if p.Sel == child {
			return what // the selector itself is looked at
		}
	case *ast.UnaryExpr:
		if p.Op == token.AND {
			return what
		}
	case *ast.IndexExpr:
		if p.X == child {
			return what // an array
		}
	case *ast.SliceExpr:
		return what // an array, of which the slice is a view
	case *ast.RangeStmt:
		if p.X == child && p.Value == nil {
			return what // for i := range array does not evaluate the array
		}
	case *ast.AssignStmt:
		if isNew && p.Tok == token.DEFINE && slices.Contains(p.Rhs, child) {
			return what
		}
		if slices.Contains(p.Lhs, child) {
			if id, ok := child.(*ast.Ident); ok && (id.Name == "_" || pkg.Info.Defs[id] != nil) {
				return what
			}
			return "it is overwritten as a whole"
		}
	case *ast.ValueSpec:
		if slices.Contains(p.Names, identOf(child)) {
			return what
		}
		if isNew && (p.Type == nil || !types.IsInterface(pkg.Info.TypeOf(p.Type))) {
			return what
		}
	case *ast.CompositeLit, *ast.KeyValueExpr:
		if isNew && !inMapOrInterface(pkg.Info, stack[:i+1], child) {
			return what
		}
		if kv, ok := p.(*ast.KeyValueExpr); ok && kv.Key == child {
			if v, ok := pkg.Info.Uses[identOf(child)].(*types.Var); ok && v.IsField() {
				return what
			}
		}
	case *ast.Field:
		return what // a parameter, looked at with its function
	}
	return "its value is used as a whole"
}

func identOf(e ast.Expr) *ast.Ident {
	id, _ := e.(*ast.Ident)
	return id
}

// valueMethod reports whether sel is a method that takes a copy of its receiver.
func valueMethod(info *types.Info, sel *ast.SelectorExpr) bool {
	fn, ok := info.Uses[sel.Sel].(*types.Func)
	if !ok || fn.Signature().Recv() == nil {
		return false
	}
	_, pointer := fn.Signature().Recv().Type().Underlying().(*types.Pointer)
	return !pointer && !types.IsInterface(fn.Signature().Recv().Type())
}

// inMapOrInterface reports whether a new value goes into a map literal or becomes an interface.
func inMapOrInterface(info *types.Info, stack []ast.Node, child ast.Expr) bool {
	for i := len(stack) - 1; i >= 0; i-- {
		lit, ok := stack[i].(*ast.CompositeLit)
		if !ok {
			continue
		}
		t := info.TypeOf(lit)
		if t == nil {
			return true
		}
		u := t.Underlying()
		if p, ok := u.(*types.Pointer); ok {
			u = p.Elem().Underlying()
		}
		switch u := u.(type) {
		case *types.Struct:
			for f := range u.Fields() {
				if types.IsInterface(f.Type()) && types.AssignableTo(info.TypeOf(child), f.Type()) {
					return true
				}
			}
			return false
		case *types.Array:
			return types.IsInterface(u.Elem())
		case *types.Slice:
			return types.IsInterface(u.Elem())
		}
		return true
	}
	return true
}
