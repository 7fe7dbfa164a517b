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
	return w.inOwners(func(pkg *load.Package, n ast.Node, stack []ast.Node) *Refusal {
		for _, f := range flowsAt(pkg.Info, n, stack) {
			t := pkg.Info.TypeOf(f.value)
			if t == nil || f.to == nil || !types.IsInterface(f.to) {
				continue
			}
			reads := f.callee != nil && model.ReadsAll(access.ObjectKey(f.callee))
			if types.IsInterface(t) {
				if reads && w.mayBeOwner(t) {
					return w.refuse(Reflected, f.value.Pos(), "a value that may be the owner is given to "+f.callee.Name(), "give it a part of the owner, or use --form lock")
				}
				continue
			}
			if empty := f.to.Underlying().(*types.Interface).NumMethods() == 0; (empty || reads) && !isTypeParam(f.to) && w.leadsTo(t) {
				return w.refuse(Reflected, f.value.Pos(), "the owner, or what leads to it, becomes an interface that reflection may look at", "give it a part of the owner, or use --form lock")
			}
		}
		return nil
	})
}

func isTypeParam(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.TypeParam)
	return ok
}

// mayBeOwner reports whether a value of the interface type t, which has methods, may be the owner.
func (w *wrapping) mayBeOwner(t types.Type) bool {
	iface := t.Underlying().(*types.Interface)
	tn, ok := w.c.decl.pkg.Info.Defs[w.c.decl.typ.Name].(*types.TypeName)
	if !ok || iface.NumMethods() == 0 {
		return false // an empty interface was refused where the owner became one
	}
	return types.Implements(types.NewPointer(tn.Type()), iface)
}

// flow is a value that becomes one of type to.
type flow struct {
	value  ast.Expr
	to     types.Type
	callee *types.Func // that is given the value, if it is known
}

// flowsAt returns the values that n converts, in so many words or by the way.
func flowsAt(info *types.Info, n ast.Node, stack []ast.Node) []flow {
	var out []flow
	add := func(value ast.Expr, to types.Type) { out = append(out, flow{value: value, to: to}) }
	switch n := n.(type) {
	case *ast.CallExpr:
		if info.Types[n.Fun].IsBuiltin() {
			if s, ok := info.TypeOf(n).Underlying().(*types.Slice); ok && types.ExprString(n.Fun) == "append" {
				for _, arg := range n.Args[1:] {
					add(arg, s.Elem())
				}
			}
			if types.ExprString(n.Fun) == "panic" {
				add(n.Args[0], types.NewInterfaceType(nil, nil))
			}
			return out
		}
		callee, _ := typeutil.Callee(info, n).(*types.Func)
		for i, arg := range n.Args {
			out = append(out, flow{arg, paramType(info, n, i), callee})
		}
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE && len(n.Lhs) == len(n.Rhs) {
			for i, lhs := range n.Lhs {
				add(n.Rhs[i], info.TypeOf(lhs))
			}
		}
	case *ast.ValueSpec:
		if n.Type != nil {
			for _, v := range n.Values {
				add(v, info.TypeOf(n.Type))
			}
		}
	case *ast.SendStmt:
		if ch, ok := info.TypeOf(n.Chan).Underlying().(*types.Chan); ok {
			add(n.Value, ch.Elem())
		}
	case *ast.ReturnStmt:
		if results := resultsOf(info, stack); results != nil && results.Len() == len(n.Results) {
			for i, e := range n.Results {
				add(e, results.At(i).Type())
			}
		}
	case *ast.CompositeLit:
		out = append(out, literalFlows(info, n)...)
	}
	return out
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

func literalFlows(info *types.Info, lit *ast.CompositeLit) []flow {
	t := info.TypeOf(lit)
	if t == nil {
		return nil
	}
	u := t.Underlying()
	if p, ok := u.(*types.Pointer); ok {
		u = p.Elem().Underlying()
	}
	var out []flow
	for i, e := range lit.Elts {
		kv, keyed := e.(*ast.KeyValueExpr)
		value := e
		if keyed {
			value = kv.Value
		}
		switch u := u.(type) {
		case *types.Struct:
			if keyed {
				out = append(out, flow{value: value, to: info.TypeOf(kv.Key)})
			} else if i < u.NumFields() {
				out = append(out, flow{value: value, to: u.Field(i).Type()})
			}
		case *types.Map:
			out = append(out, flow{value: value, to: u.Elem()})
			if keyed {
				out = append(out, flow{value: kv.Key, to: u.Key()})
			}
		case *types.Slice:
			out = append(out, flow{value: value, to: u.Elem()})
		case *types.Array:
			out = append(out, flow{value: value, to: u.Elem()})
		}
	}
	return out
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
