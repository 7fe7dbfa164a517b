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

// This file finds where the owner of a map meets reflection: where it becomes an interface that a printer,
// an encoder or a comparison looks into.

// checkReflection refuses owners that become an empty interface, or any interface that a printer, encoder
// or comparer is given: what looks at them by reflection would see the generated type, and read without
// its lock.
func (w *wrapping) checkReflection() *Refusal {
	if w.c.decl.owner == nil {
		return nil // nobody holds a package variable
	}
	for _, f := range w.d.shows() {
		if w.mayShow(f.from) {
			return w.refuse(Reflected, f.value.Pos(), "the owner, or what leads to it, becomes an interface that reflection may look at", "give it a part of the owner, or use --form lock")
		}
	}
	return nil
}

// checkNewField refuses owners that what counts their fields is given: with a mutex added the map is no more
// reflect.ValueOf(s).Elem().Field(0).
func (w *wrapping) checkNewField() *Refusal {
	const message, todo = "the owner, or what leads to it, is looked at by reflection, which would see a mutex added to it", "add a mutex by hand, or look at the fields by name"
	for _, f := range w.d.shows() {
		if w.d.mayCount(f) && w.mayShow(f.from) {
			return w.refuse(Reflected, f.value.Pos(), message, todo)
		}
		if w.isPrinted(f) {
			return w.refuse(Reflected, f.value.Pos(), "the owner is printed, which would show a mutex added to it", "add a mutex by hand, or print its fields")
		}
	}
	for _, pkg := range w.pkgs {
		for id, inst := range pkg.Info.Instances {
			if fn, ok := pkg.Info.Uses[id].(*types.Func); ok && model.CountsFields(access.ObjectKey(fn)) && slices.ContainsFunc(slices.Collect(inst.TypeArgs.Types()), w.mayShow) {
				return w.refuse(Reflected, w.c.decl.name.Pos(), message, todo)
			}
		}
	}
	return nil
}

// isPrinted reports whether f gives the owner to a printer, or to a function of the program that takes anything and
// may pass it to one, and the owner does not say itself how it is printed.
func (w *wrapping) isPrinted(f flow) bool {
	if f.callee == nil || !w.holds(pointee(f.from)) {
		return false
	}
	if !model.Prints(access.ObjectKey(f.callee)) && !(f.callee.Signature().Variadic() && w.d.isOurs(f.callee.Pkg())) {
		return false
	}
	for _, name := range []string{"String", "Error", "Format", "GoString"} {
		if obj, _, _ := types.LookupFieldOrMethod(f.from, true, w.c.decl.pkg.Types, name); obj != nil {
			return false
		}
	}
	return true
}

// isOurs reports whether pkg is a package of the program.
func (d *decider) isOurs(pkg *types.Package) bool {
	return pkg != nil && slices.ContainsFunc(d.prog.Packages, func(p *load.Package) bool { return p.Path == pkg.Path() })
}

// mayCount reports whether what becomes an interface in f may be given to what counts fields: in so many
// words, or by the package where it becomes one, which gives some interface to that:
//
//	func fields(x any) int { return reflect.TypeOf(x).NumField() }
func (d *decider) mayCount(f flow) bool {
	if f.callee != nil && model.CountsFields(access.ObjectKey(f.callee)) {
		return true
	}
	path := f.into()
	return slices.ContainsFunc(d.shows(), func(g flow) bool {
		return g.in.Path == path && g.callee != nil && types.IsInterface(g.from) && model.CountsFields(access.ObjectKey(g.callee))
	})
}

// into returns the path of the package whose code gets the value: that of the function that is called, or else where f is;
// empty for a method that every package has.
func (f flow) into() string {
	switch {
	case f.callee == nil:
		return f.in.Path
	case f.callee.Pkg() == nil:
		return ""
	}
	return f.callee.Pkg().Path()
}

// shows returns the flows of the program into what reflection may look at.
func (d *decider) shows() []flow {
	if d.shown != nil {
		return d.shown
	}
	d.shown = []flow{}
	for _, pkg := range d.prog.Packages {
		if pkg.Broken {
			continue
		}
		for _, file := range pkg.Files {
			ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
				for _, f := range flowsAt(pkg.Info, n, stack) {
					if !types.IsInterface(f.to) || isTypeParam(f.to) {
						continue
					}
					empty := f.to.Underlying().(*types.Interface).NumMethods() == 0
					if empty || f.callee != nil && model.ReadsAll(access.ObjectKey(f.callee)) {
						f.in = pkg
						d.shown = append(d.shown, f)
					}
				}
				return true
			})
		}
	}
	return d.shown
}

func isTypeParam(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.TypeParam)
	return ok
}

// mayShow reports whether a value of type t may be, or lead to, the owner.
func (w *wrapping) mayShow(t types.Type) bool {
	param := paramIn(t)
	switch {
	case param != nil:
		return w.isArgument(param.Obj().Pkg().Path())
	case types.IsInterface(t):
		return w.mayBeOwner(t)
	}
	return w.leadsTo(t)
}

// paramIn returns the type parameter that t is, or a pointer to, or a list of; nil when it is none.
func paramIn(t types.Type) *types.TypeParam {
	for {
		switch u := types.Unalias(t).(type) {
		case *types.TypeParam:
			return u
		case interface{ Elem() types.Type }:
			t = u.Elem()
		default:
			return nil
		}
	}
}

// isArgument reports whether generic code of the package path is given the owner, or what leads to it:
//
//	func show[T any](x T) { fmt.Println(x) }
//
// asked are the packages for which that is being found out.
func (w *wrapping) isArgument(path string, asked ...string) bool {
	if slices.Contains(asked, path) {
		return false
	}
	for _, pkg := range w.d.prog.Packages {
		if pkg.Broken {
			continue
		}
		for id, inst := range pkg.Info.Instances {
			if generic := pkg.Info.Uses[id].Pkg(); generic == nil || generic.Path() != path {
				continue
			}
			for t := range inst.TypeArgs.Types() {
				param := paramIn(t)
				if param == nil && w.leadsTo(t) || param != nil && w.isArgument(param.Obj().Pkg().Path(), append(asked, path)...) {
					return true
				}
			}
		}
	}
	return false
}

// mayBeOwner reports whether a value of the interface type t, which has methods, may be the owner. It goes
// by names: packages may know the types in a signature apart from each other.
func (w *wrapping) mayBeOwner(t types.Type) bool {
	iface := t.Underlying().(*types.Interface)
	if iface.NumMethods() == 0 {
		return false // an empty interface was refused where the owner became one
	}
	set := types.NewMethodSet(types.NewPointer(w.c.decl.pkg.Info.Defs[w.c.decl.typ.Name].Type()))
	for m := range iface.Methods() {
		if set.Lookup(m.Pkg(), m.Name()) == nil {
			return false
		}
	}
	return true
}

// flow is a value of type from that becomes one of type to.
type flow struct {
	value    ast.Expr // the value, or the call that has it among its results
	from, to types.Type
	callee   *types.Func   // that is given the value, if it is known
	in       *load.Package // where it stands; set by shows
}

// flows pairs values, or the results of a call that stands for them, with the types that they become.
func flows(info *types.Info, values []ast.Expr, to func(i int) types.Type, callee *types.Func) []flow {
	var out []flow
	for i, v := range values {
		if results, ok := info.TypeOf(v).(*types.Tuple); ok {
			for i := range results.Len() {
				out = append(out, flow{value: v, from: results.At(i).Type(), to: to(i), callee: callee})
			}
			continue
		}
		if from := info.TypeOf(v); from != nil { // x.(type) has none
			out = append(out, flow{value: v, from: from, to: to(i), callee: callee})
		}
	}
	return out
}

// flowsAt returns the values that n converts, in so many words or by the way.
func flowsAt(info *types.Info, n ast.Node, stack []ast.Node) []flow {
	switch n := n.(type) {
	case *ast.CallExpr:
		callee, _ := typeutil.Callee(info, n).(*types.Func)
		return flows(info, n.Args, func(i int) types.Type { return paramType(info, n, i) }, callee)
	case *ast.AssignStmt:
		return flows(info, n.Rhs, func(i int) types.Type { return typeOf(info, n.Lhs[i]) }, nil)
	case *ast.ValueSpec:
		return flows(info, n.Values, func(i int) types.Type { return typeOf(info, n.Names[i]) }, nil)
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN { // a part of what is ranged over is assigned
			from := info.TypeOf(n.X)
			return []flow{{value: n.X, from: from, to: typeOf(info, n.Key)}, {value: n.X, from: from, to: typeOf(info, n.Value)}}
		}
	case *ast.SendStmt:
		if ch, ok := info.TypeOf(n.Chan).Underlying().(*types.Chan); ok { // not one of a type parameter
			return flows(info, []ast.Expr{n.Value}, func(int) types.Type { return ch.Elem() }, nil)
		}
	case *ast.ReturnStmt:
		results := resultsOf(info, stack)
		return flows(info, n.Results, func(i int) types.Type { return results.At(i).Type() }, nil)
	case *ast.CompositeLit:
		return literalFlows(info, n)
	}
	return nil
}

// typeOf returns the type of what is assigned to; the invalid one for the blank identifier.
func typeOf(info *types.Info, e ast.Expr) types.Type {
	if t := info.TypeOf(e); t != nil {
		return t
	}
	return types.Typ[types.Invalid]
}

// resultsOf returns the results of the innermost function of stack, or nil.
func resultsOf(info *types.Info, stack []ast.Node) *types.Tuple {
	for _, n := range slices.Backward(stack) {
		switch n := n.(type) {
		case *ast.FuncLit:
			if sig, ok := info.TypeOf(n).(*types.Signature); ok {
				return sig.Results()
			}
		case *ast.FuncDecl:
			if fn, ok := info.Defs[n.Name].(*types.Func); ok {
				return fn.Signature().Results()
			}
		}
	}
	return nil
}

// literalFlows returns the flows into the elements of lit.
func literalFlows(info *types.Info, lit *ast.CompositeLit) []flow {
	u := info.TypeOf(lit).Underlying()
	if p, ok := u.(*types.Pointer); ok { // []*T{{...}}
		u = p.Elem().Underlying()
	}
	var out []flow
	add := func(value ast.Expr, to types.Type) {
		out = append(out, flow{value: value, from: info.TypeOf(value), to: to})
	}
	for i, e := range lit.Elts {
		kv, keyed := e.(*ast.KeyValueExpr)
		value := e
		if keyed {
			value = kv.Value
		}
		switch u := u.(type) {
		case *types.Struct:
			if keyed {
				add(value, info.TypeOf(kv.Key))
			} else {
				add(value, u.Field(i).Type())
			}
		case *types.Map:
			add(kv.Key, u.Key())
			add(value, u.Elem())
		case interface{ Elem() types.Type }: // *types.Slice, *types.Array
			add(value, u.Elem())
		}
	}
	return out
}

// paramType returns the type of the parameter that takes argument i.
func paramType(info *types.Info, call *ast.CallExpr, i int) types.Type {
	t := info.TypeOf(call.Fun)
	sig, ok := t.Underlying().(*types.Signature)
	switch {
	case !ok || info.Types[call.Fun].IsType(): // a conversion
		return t
	case sig.Variadic() && i >= sig.Params().Len()-1:
		last := sig.Params().At(sig.Params().Len() - 1).Type()
		if s, ok := last.Underlying().(*types.Slice); ok { // with f(list...) the elements go there too
			return s.Elem()
		}
		return last
	}
	return sig.Params().At(i).Type()
}
