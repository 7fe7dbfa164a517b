package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/model"
)

// This file finds whether a variable that nil is a value of is set wherever what it is part of is made. A guard that
// is a pointer is taken where it may be nil otherwise, and a store in a map panics with its guard held:
//
//	type Store struct {
//		mu *sync.Mutex // set by Start
//		m  map[string]int
//	}

// checkSet refuses a guard that is a pointer or an interface, unless it is set wherever what it is part of is made, and
// is never assigned later.
func (d *decider) checkSet(c *candidate) *Refusal {
	decl := d.decls[toVar(c.guard.class)]
	switch decl.object().Type().Underlying().(type) {
	case *types.Pointer, *types.Interface:
	default:
		return nil
	}
	pos := d.unset(toVar(c.guard.class), decl, true)
	if !pos.IsValid() {
		return nil
	}
	return &Refusal{Code: UnknownGuard, Pos: d.at(pos), Message: c.guard.name + " is a pointer or an interface, and is not certain to be set after this", Todo: "set it where its owner is made, or make it a mutex that is no pointer"}
}

// unset returns a place after which the variable v, which decl declares, may be nil: one that makes what it is part of
// and does not set it, or takes its address, or, if it is to be fixed, assigns it. There is none if the position is
// not valid.
func (d *decider) unset(v Var, decl declaration, fixed bool) token.Pos {
	s := &setting{d: d, w: &wrapping{d: d, c: &candidate{decl: decl}}, fixed: fixed}
	s.w.c.finding.Var = v
	s.w.findObjects()
	if spec, ok := decl.node.(*ast.ValueSpec); ok && decl.owner == nil {
		i := slices.Index(spec.Names, decl.name)
		s.late = len(spec.Values) == 0 && s.setByInit(decl.pkg)
		if !s.late && (i >= len(spec.Values) || !s.isSomething(decl.pkg, spec.Values[i], nil)) {
			return decl.name.Pos()
		}
	}
	pos := token.NoPos
	for _, pkg := range s.w.pkgs {
		for _, file := range pkg.Files {
			ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
				if !pos.IsValid() && s.leaves(pkg, n, stack) {
					pos = n.Pos()
				}
				return !pos.IsValid()
			})
		}
	}
	if !pos.IsValid() && decl.owner != nil {
		pos = s.filled()
	}
	return pos
}

// setting looks for places that leave a variable unset.
type setting struct {
	d     *decider
	w     *wrapping // of the variable
	fixed bool      // it may not be assigned
	late  bool      // but by an init function
}

// setByInit reports whether an init function of pkg gives the variable something as one of its own statements.
func (s *setting) setByInit(pkg *load.Package) bool {
	for _, file := range pkg.Files {
		for _, decl := range file.Syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || !isInit(fn) || fn.Body == nil {
				continue
			}
			for _, stmt := range fn.Body.List {
				if assign, ok := stmt.(*ast.AssignStmt); ok && s.assigns(pkg, assign) {
					return true
				}
			}
		}
	}
	return false
}

// assigns reports whether assign gives the variable something.
func (s *setting) assigns(pkg *load.Package, assign *ast.AssignStmt) bool {
	for i, lhs := range assign.Lhs {
		if s.isVariable(pkg.Info, lhs) {
			return len(assign.Lhs) == len(assign.Rhs) && s.isSomething(pkg, assign.Rhs[i], nil)
		}
	}
	return false
}

func isInit(fn *ast.FuncDecl) bool { return fn.Recv == nil && fn.Name.Name == "init" }

// leaves reports whether n makes a value that has the variable in it without setting it, or lets it be assigned.
func (s *setting) leaves(pkg *load.Package, n ast.Node, stack []ast.Node) bool {
	info := pkg.Info
	switch n := n.(type) {
	case *ast.AssignStmt:
		if !s.fixed || !slices.ContainsFunc(n.Lhs, func(e ast.Expr) bool { return s.isVariable(info, e) }) {
			return false
		}
		fn := declAround(stack)
		return !s.late || fn == nil || !isInit(fn) || !s.assigns(pkg, n)
	case *ast.UnaryExpr:
		return n.Op == token.AND && s.isVariable(info, n.X)
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
		return s.makes(info, n)
	case *ast.CompositeLit:
		return !s.sets(pkg, n, stack)
	}
	return false
}

// isVariable reports whether e names the variable.
func (s *setting) isVariable(info *types.Info, e ast.Expr) bool {
	e = ast.Unparen(e)
	if sel, ok := e.(*ast.SelectorExpr); ok {
		e = sel.Sel
	}
	id, ok := e.(*ast.Ident)
	if !ok {
		return false
	}
	return isOneOf(info, id, s.w.objs)
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

// makes reports whether call makes zero values that have the variable in them, or takes something else for one.
func (s *setting) makes(info *types.Info, call *ast.CallExpr) bool {
	if tv := info.Types[call.Fun]; tv.IsType() && len(call.Args) == 1 {
		return s.w.holds(pointee(tv.Type)) && !info.Types[call.Args[0]].IsNil() && !s.w.holds(pointee(info.TypeOf(call.Args[0])))
	}
	b, ok := typeutil.Callee(info, call).(*types.Builtin)
	if !ok || len(call.Args) == 0 {
		return false
	}
	t := info.TypeOf(call.Args[0])
	return b.Name() == "new" && s.w.holds(t) || b.Name() == "make" && isSliceOf(t, s.w.holds)
}

// pointee returns what t points to, or t when it is no pointer.
func pointee(t types.Type) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// sets reports whether lit, if it is of a struct that has the variable in it, gives a value to it or to the part that
// has it.
func (s *setting) sets(pkg *load.Package, lit *ast.CompositeLit, stack []ast.Node) bool {
	st, ok := pointee(pkg.Info.TypeOf(lit)).Underlying().(*types.Struct)
	if !ok {
		return true
	}
	for i := range st.NumFields() {
		f := st.Field(i)
		is := s.w.objs[f.Origin()]
		if !is && !s.w.holds(f.Type()) {
			continue
		}
		if value := valueOf(lit, f.Name(), i); value == nil || is && !s.isSomething(pkg, value, stack) {
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

// isSomething reports whether e, in the function that stack leads to, is certain not to be nil: something new, the
// variable of another owner, or a name for such a value.
func (s *setting) isSomething(pkg *load.Package, e ast.Expr, stack []ast.Node) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		return e.Op == token.AND
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		b, ok := typeutil.Callee(pkg.Info, e).(*types.Builtin)
		return ok && (b.Name() == "new" || b.Name() == "make")
	case *ast.SelectorExpr:
		return s.isVariable(pkg.Info, e)
	case *ast.Ident:
		fn := declAround(stack)
		obj, ok := pkg.Info.Uses[e].(*types.Var)
		return ok && fn != nil && (s.isParameter(pkg, fn, obj) || s.isLocal(pkg, fn, obj, stack))
	}
	return false
}

func declAround(stack []ast.Node) *ast.FuncDecl {
	for _, n := range stack {
		if fn, ok := n.(*ast.FuncDecl); ok {
			return fn
		}
	}
	return nil
}

// isParameter reports whether obj is a parameter of fn that the program never gives nil.
func (s *setting) isParameter(pkg *load.Package, fn *ast.FuncDecl, obj *types.Var) bool {
	def, ok := pkg.Info.Defs[fn.Name].(*types.Func)
	if !ok || fn.Body == nil || assignedIn(pkg.Info, fn.Body, obj) {
		return false
	}
	sig, first := def.Signature(), 0
	if sig.Recv() != nil {
		first = 1
	}
	for i := range sig.Params().Len() {
		if sig.Params().At(i) == obj {
			return !s.d.world.IsNil(access.ObjectKey(def), first+i)
		}
	}
	return false
}

// isLocal reports whether obj is a variable of fn that is given something where it is declared, and never assigned.
func (s *setting) isLocal(pkg *load.Package, fn *ast.FuncDecl, obj *types.Var, stack []ast.Node) (is bool) {
	if fn.Body == nil || assignedIn(pkg.Info, fn.Body, obj) {
		return false
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if assign, ok := n.(*ast.AssignStmt); ok && len(assign.Lhs) == len(assign.Rhs) {
			for i, lhs := range assign.Lhs {
				if id, ok := lhs.(*ast.Ident); ok && pkg.Info.Defs[id] == obj {
					is = s.isSomething(pkg, assign.Rhs[i], stack)
				}
			}
		}
		return true
	})
	return is
}

// assignedIn reports whether body assigns obj, or takes its address, after its declaration.
func assignedIn(info *types.Info, body ast.Node, obj types.Object) (found bool) {
	is := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && info.Uses[id] == obj
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			found = found || slices.ContainsFunc(n.Lhs, is)
		case *ast.RangeStmt:
			found = found || n.Key != nil && is(n.Key) || n.Value != nil && is(n.Value)
		case *ast.UnaryExpr:
			found = found || n.Op == token.AND && is(n.X)
		}
		return !found
	})
	return found
}

// filled returns where an owner is given to what may make or fill it by reflection: a decoder, say.
func (s *setting) filled() token.Pos {
	for _, f := range s.d.shows() {
		if f.callee == nil || isStruct(f.from) || !s.w.leadsTo(f.from) || !s.opens(f.from, make(map[types.Type]bool)) {
			continue
		}
		if key := access.ObjectKey(f.callee); model.Fills(key) || model.CountsFields(key) || !model.LooksOnly(key) {
			return f.value.Pos()
		}
	}
	return token.NoPos
}

// opens reports whether reflection gets from a value of type t to an owner that it may set: by exported fields.
func (s *setting) opens(t types.Type, seen map[types.Type]bool) bool {
	t = types.Unalias(t)
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Struct:
		if s.w.holds(t) {
			return true
		}
		for f := range u.Fields() {
			if (f.Exported() || f.Embedded()) && s.opens(f.Type(), seen) {
				return true
			}
		}
	case *types.Map:
		return s.opens(u.Key(), seen) || s.opens(u.Elem(), seen)
	case interface{ Elem() types.Type }:
		return s.opens(u.Elem(), seen)
	case *types.Interface, *types.Signature, *types.Tuple, *types.TypeParam:
		return s.w.leadsTo(t)
	}
	return false
}

func isStruct(t types.Type) bool {
	_, ok := t.Underlying().(*types.Struct)
	return ok
}
