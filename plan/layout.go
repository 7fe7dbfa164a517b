package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// This file finds where the program depends on how the owner of a map lies in memory. Both forms change that:
//
//	(*wire)(unsafe.Pointer(s)) // another type that lies as *s did
//	unsafe.Offsetof(s.n)

// layout is a place where unsafe code looks at how a value of type of lies in memory.
type layout struct {
	pos token.Pos
	of  types.Type
	in  string // path of the package
}

// checkLayout refuses owners that unsafe code looks at.
func (w *wrapping) checkLayout() *Refusal {
	if w.c.decl.owner == nil {
		return nil // a package variable lies by itself
	}
	for _, l := range w.d.layouts() {
		if w.liesIn(l.of) || w.isBehind(l) {
			return w.refuse(Reflected, l.pos, "unsafe code depends on how the owner lies in memory, which would change", "guard the uses by hand")
		}
	}
	return nil
}

// liesIn reports whether a value of type t has the variable in it or leads to it, or may, as that of a type
// parameter.
func (w *wrapping) liesIn(t types.Type) bool {
	if param := paramIn(t); param != nil {
		return w.isArgument(param.Obj().Pkg().Path())
	}
	return w.leadsTo(t)
}

// isBehind reports whether l looks at how an interface lies in memory that the owner, or a pointer to it, may stand in, and
// so gets at the owner. An empty interface counts if the package has the owner become one, or is given it as one.
func (w *wrapping) isBehind(l layout) bool {
	iface, ok := pointee(l.of).Underlying().(*types.Interface)
	switch {
	case !ok || isTypeParam(pointee(l.of)):
		return false
	case w.c.decl.typ == nil:
		return true // a struct without a name
	case iface.NumMethods() > 0:
		return types.Implements(types.NewPointer(w.c.decl.pkg.Info.Defs[w.c.decl.typ.Name].Type()), iface)
	}
	return slices.ContainsFunc(w.d.shows(), func(f flow) bool { return f.into() == l.in && w.mayShow(f.from) })
}

// layouts returns where unsafe code of the program looks at how values lie in memory.
func (d *decider) layouts() []layout {
	if d.laid != nil {
		return d.laid
	}
	d.laid = []layout{}
	for _, pkg := range d.prog.Packages {
		if pkg.Broken || !importsUnsafe(pkg.Types) {
			continue
		}
		for _, file := range pkg.Files {
			ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
				for _, t := range laidBare(pkg.Info, n, stack) {
					d.laid = append(d.laid, layout{n.Pos(), t, pkg.Path})
				}
				return true
			})
		}
	}
	return d.laid
}

func importsUnsafe(pkg *types.Package) bool {
	for _, imp := range pkg.Imports() {
		if imp == types.Unsafe {
			return true
		}
	}
	return false
}

// laidBare returns the types of which n, with what is in it, sees how they lie in memory.
func laidBare(info *types.Info, n ast.Node, stack []ast.Node) []types.Type {
	var out []types.Type
	for _, f := range flowsAt(info, n, stack) {
		if isUnsafePointer(f.to) || isUnsafePointer(f.from) {
			out = append(out, f.from, f.to)
		}
	}
	call, ok := n.(*ast.CallExpr)
	if !ok || !measures(info, call) {
		return out
	}
	for _, arg := range call.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok && info.TypeOf(e) != nil {
				out = append(out, info.TypeOf(e))
			}
			return true
		})
	}
	return out
}

// measures reports whether call is of a function of package unsafe.
func measures(info *types.Info, call *ast.CallExpr) bool {
	fun := ast.Unparen(call.Fun)
	if sel, ok := fun.(*ast.SelectorExpr); ok {
		fun = sel.Sel
	}
	id, ok := fun.(*ast.Ident)
	return ok && info.Types[call.Fun].IsBuiltin() && info.Uses[id] != nil && info.Uses[id].Pkg() == types.Unsafe
}

func isUnsafePointer(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.UnsafePointer
}
