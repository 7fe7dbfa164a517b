package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/load"
)

// This file keeps a guard that is a pointer or an interface from being taken while it is nil:
//
//	type Store struct {
//		mu *sync.Mutex // set by Start
//		m  map[string]int
//	}

// checkSet refuses the guard that decl declares, if it is a pointer or an interface, unless it is set wherever what
// it is part of is made, and is never assigned later.
func (d *decider) checkSet(c *candidate, decl declaration) *Refusal {
	switch decl.object().Type().Underlying().(type) {
	case *types.Pointer, *types.Interface:
	default:
		return nil
	}
	s := &setting{d: d, w: &wrapping{d: d, c: &candidate{decl: decl}}}
	s.w.c.finding.Var = toVar(c.guard.class)
	s.w.findObjects()
	if decl.owner == nil {
		if spec := decl.node.(*ast.ValueSpec); len(spec.Values) == 0 || s.isNil(decl.pkg, spec.Values[0]) {
			s.unset = decl.name.Pos()
		}
	}
	for _, pkg := range s.w.pkgs {
		for _, file := range pkg.Files {
			ast.Inspect(file.Syntax, func(n ast.Node) bool {
				if n != nil && !s.unset.IsValid() && s.leaves(pkg, n) {
					s.unset = n.Pos()
				}
				return !s.unset.IsValid()
			})
		}
	}
	if !s.unset.IsValid() {
		return nil
	}
	return &Refusal{Code: UnknownGuard, Pos: d.at(s.unset), Message: c.guard.name + " is a pointer or an interface, and is not certain to be set after this", Todo: "set it where its owner is made, or make it a mutex that is no pointer"}
}

// setting looks for places that leave a guard unset.
type setting struct {
	d     *decider
	w     *wrapping // of the guard
	unset token.Pos
}

// leaves reports whether n makes a value that has the guard in it without setting it, or assigns it.
func (s *setting) leaves(pkg *load.Package, n ast.Node) bool {
	info := pkg.Info
	switch n := n.(type) {
	case *ast.AssignStmt:
		return slices.ContainsFunc(n.Lhs, func(e ast.Expr) bool { return s.isGuard(info, e) })
	case *ast.UnaryExpr:
		return n.Op == token.AND && s.isGuard(info, n.X)
	case *ast.ValueSpec:
		return len(n.Values) == 0 && s.w.holds(info.TypeOf(n.Names[0]))
	case *ast.FuncType:
		return n.Results != nil && slices.ContainsFunc(n.Results.List, func(f *ast.Field) bool { return len(f.Names) > 0 && s.w.holds(info.TypeOf(f.Type)) })
	case *ast.MapType, *ast.ChanType, *ast.ArrayType:
		return s.hasZeros(info.TypeOf(n.(ast.Expr)))
	case *ast.Ident:
		inst, ok := info.Instances[n]
		return ok && s.w.instanceCopies(pkg, n, inst)
	case *ast.CallExpr:
		b, ok := typeutil.Callee(info, n).(*types.Builtin)
		return ok && (b.Name() == "new" && s.w.holds(info.TypeOf(n.Args[0])) || b.Name() == "make" && isSliceOf(info.TypeOf(n.Args[0]), s.w.holds))
	case *ast.CompositeLit:
		return !s.sets(pkg, n)
	}
	return false
}

// isGuard reports whether e names the guard.
func (s *setting) isGuard(info *types.Info, e ast.Expr) bool {
	e = ast.Unparen(e)
	if sel, ok := e.(*ast.SelectorExpr); ok {
		e = sel.Sel
	}
	id, ok := e.(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := info.Uses[id].(*types.Var)
	return ok && s.w.objs[v.Origin()]
}

// hasZeros reports whether what is taken out of a map, channel or array of type t may be a value that nobody made.
func (s *setting) hasZeros(t types.Type) bool {
	if t == nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Map:
		return s.w.holds(u.Elem())
	case *types.Chan:
		return s.w.holds(u.Elem())
	case *types.Array:
		return s.w.holds(u.Elem())
	}
	return false
}

// sets reports whether lit, if it is of a struct that has the guard in it, gives a value to it or to the part that has it.
func (s *setting) sets(pkg *load.Package, lit *ast.CompositeLit) bool {
	t := pkg.Info.TypeOf(lit)
	if p, ok := t.Underlying().(*types.Pointer); ok { // []*T{{}}
		t = p.Elem()
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return true
	}
	for i := range st.NumFields() {
		f := st.Field(i)
		if !s.w.objs[f.Origin()] && !s.w.holds(f.Type()) {
			continue
		}
		if value := valueOf(lit, f.Name(), i); value == nil || s.isNil(pkg, value) {
			return false
		}
	}
	return true
}

// valueOf returns what lit gives field number i, or nil.
func valueOf(lit *ast.CompositeLit, name string, i int) ast.Expr {
	for j, e := range lit.Elts {
		kv, keyed := e.(*ast.KeyValueExpr)
		if !keyed && j == i {
			return e
		}
		if keyed && kv.Key.(*ast.Ident).Name == name {
			return kv.Value
		}
	}
	return nil
}

func (s *setting) isNil(pkg *load.Package, e ast.Expr) bool { return pkg.Info.Types[e].IsNil() }
