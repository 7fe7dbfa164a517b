package plan

import (
	"bytes"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/model"
)

// This file follows a map through the source to whoever gets it from one expression, to see that nobody writes through it
// or keeps it, and that nobody changes the map itself before he looks at what he got: he would see that in the map, and not
// in a copy.

// holders follows one map.
type holders struct {
	d         *decider
	variables map[types.Object]bool // those that were followed
	functions map[types.Object]bool // those whose callers were
	changes   []token.Pos           // where the entries of the map are changed, or a function is called that does, sorted
}

// onlyRead reports whether whoever gets the map of v that e is, in pkg, only looks at it, and as it is there. stack is what
// stands around e, outermost first.
func (d *decider) onlyRead(v access.Var, pkg *load.Package, stack []ast.Node, e ast.Expr) bool {
	h := &holders{d: d, variables: make(map[types.Object]bool), functions: make(map[types.Object]bool), changes: d.changes(v)}
	return h.expr(pkg, stack, e)
}

// changed reports whether the map is changed between two places of one file, in the order in which they stand.
func (h *holders) changed(from, to token.Pos) bool {
	i, _ := slices.BinarySearch(h.changes, from)
	return i < len(h.changes) && h.changes[i] < to
}

// changedAfter reports whether the function around e may change the map after the variable e, which is obj, got it.
func (h *holders) changedAfter(info *types.Info, stack []ast.Node, e ast.Expr, obj types.Object) bool {
	from := e.Pos()
	for _, n := range stack {
		switch n := n.(type) {
		case *ast.ForStmt:
			if !isAnew(info, n.Body, obj) {
				from = min(from, n.Pos())
			}
		case *ast.RangeStmt:
			if !isAnew(info, n.Body, obj) {
				from = min(from, n.Pos())
			}
		}
	}
	fn := outermost(stack)
	return fn == nil || h.changed(from, fn.End()) || h.changedByDefer(fn) || waitsAfter(fn, from)
}

// isAnew reports whether each run of body, that of a loop, has a variable obj of its own, which no function literal has after it.
func isAnew(info *types.Info, body *ast.BlockStmt, obj types.Object) bool {
	anew := body.Pos() <= obj.Pos() && obj.Pos() < body.End()
	ast.PreorderStack(body, nil, func(n ast.Node, stack []ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && info.Uses[id] == obj {
			anew = anew && !slices.ContainsFunc(stack, func(n ast.Node) bool {
				lit, ok := n.(*ast.FuncLit)
				return ok && (obj.Pos() < lit.Pos() || lit.End() <= obj.Pos())
			})
		}
		return anew
	})
	return anew
}

// waitsAfter reports whether fn, from a place on, may wait for others, who may change the map meanwhile, or loops until
// something becomes true.
func waitsAfter(fn *ast.FuncDecl, from token.Pos) (waits bool) {
	ast.Inspect(fn, func(n ast.Node) bool {
		if n == nil || n.End() <= from {
			return false
		}
		switch n := n.(type) {
		case *ast.SendStmt, *ast.SelectStmt, *ast.ForStmt:
			waits = waits || n.Pos() >= from
		case *ast.UnaryExpr:
			waits = waits || n.Op == token.ARROW && n.Pos() >= from
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && n.Pos() >= from {
				waits = waits || sel.Sel.Name == "Sleep" || sel.Sel.Name == "Wait"
			}
		}
		return !waits
	})
	return waits
}

// changedByDefer reports whether a deferred call of fn may change the map.
func (h *holders) changedByDefer(fn *ast.FuncDecl) (changed bool) {
	ast.Inspect(fn, func(n ast.Node) bool {
		if n, ok := n.(*ast.DeferStmt); ok {
			changed = changed || h.changed(n.Pos(), n.End())
		}
		return !changed
	})
	return changed
}

// expr is onlyRead of one expression.
func (h *holders) expr(pkg *load.Package, stack []ast.Node, e ast.Expr) bool {
	info := pkg.Info
	n := len(stack) - 1
	if h.changedInStatement(stack, e) {
		return false
	}
	for n > 0 {
		p, ok := stack[n].(*ast.ParenExpr)
		if !ok {
			break
		}
		e, n = p, n-1
	}
	switch p := stack[n].(type) {
	case *ast.IndexExpr:
		return p.X != e || !isWritten(stack[:n], p)
	case *ast.RangeStmt:
		return p.X == e && !h.changed(p.Body.Pos(), p.Body.End())
	case *ast.BinaryExpr: // a comparison with nil
		return true
	case *ast.ExprStmt:
		return true
	case *ast.CallExpr:
		if n > 0 {
			switch stack[n-1].(type) {
			case *ast.DeferStmt, *ast.GoStmt: // it looks later
				return false
			}
		}
		return p.Fun != e && h.argument(info, p, slices.Index(p.Args, e))
	case *ast.AssignStmt:
		i := slices.Index(p.Rhs, e)
		if i < 0 { // the variable gets another map
			return true
		}
		return len(p.Lhs) == len(p.Rhs) && h.variable(pkg, stack, p.Lhs[i])
	case *ast.ValueSpec:
		i := slices.Index(p.Values, e)
		return i >= 0 && len(p.Names) == len(p.Values) && h.variable(pkg, stack, p.Names[i])
	case *ast.ReturnStmt:
		return h.result(pkg, stack, p)
	}
	return false
}

// changedInStatement reports whether the statement around e, its blocks aside, changes the map in another part.
func (h *holders) changedInStatement(stack []ast.Node, e ast.Expr) bool {
	for i := len(stack) - 1; i >= 0; i-- {
		switch p := stack[i].(type) {
		case *ast.RangeStmt:
			return false
		case *ast.IfStmt:
			return h.changed(p.Pos(), p.Body.Pos())
		case *ast.SwitchStmt:
			return h.changed(p.Pos(), p.Body.Pos())
		case *ast.ForStmt:
			return true // it looks again
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause, *ast.FuncLit:
			return false
		case ast.Stmt:
			return h.changed(p.Pos(), p.End())
		}
	}
	return false
}

// isWritten reports whether ix is stored to.
func isWritten(stack []ast.Node, ix ast.Expr) bool {
	for i := len(stack) - 1; i >= 0; i-- {
		switch p := stack[i].(type) {
		case *ast.ParenExpr:
			ix = p
		case *ast.AssignStmt:
			return slices.Contains(p.Lhs, ix)
		case *ast.IncDecStmt:
			return true
		case *ast.RangeStmt:
			return p.Key == ix || p.Value == ix
		default:
			return false
		}
	}
	return false
}

// argument reports whether call only looks at argument i.
func (h *holders) argument(info *types.Info, call *ast.CallExpr, i int) bool {
	switch {
	case i < 0 || info.Types[call.Fun].IsType():
		return false
	case info.Types[call.Fun].IsBuiltin():
		return isBuiltin(info, call, "len")
	}
	callee, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok {
		return false
	}
	key := access.ObjectKey(callee)
	return model.MapUse(key, i) == model.Reads || model.Prints(key) || model.Compares(key)
}

// variable reports whether the local variable that e names is only looked at, wherever it is used.
func (h *holders) variable(pkg *load.Package, stack []ast.Node, e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	if !ok {
		return false
	}
	if id.Name == "_" {
		return true
	}
	obj := pkg.Info.ObjectOf(id)
	fn := outermost(stack)
	if v, ok := obj.(*types.Var); !ok || v.IsField() || fn == nil || obj.Pos() < fn.Pos() || fn.End() <= obj.Pos() {
		return false
	}
	if h.variables[obj] {
		return true
	}
	h.variables[obj] = true
	if h.changedAfter(pkg.Info, stack, e, obj) {
		return false
	}
	if isNamedResult(pkg.Info, fn, obj) {
		return false // what a plain return returns, and a function literal may return others
	}
	only := true
	ast.PreorderStack(fn, nil, func(n ast.Node, stack []ast.Node) bool {
		if use, ok := n.(*ast.Ident); ok && pkg.Info.Uses[use] == obj && !h.expr(pkg, stack, use) {
			only = false
		}
		return only
	})
	return only
}

// outermost returns the function declaration of stack, or nil.
func outermost(stack []ast.Node) *ast.FuncDecl {
	for _, n := range stack {
		if fn, ok := n.(*ast.FuncDecl); ok {
			return fn
		}
	}
	return nil
}

// isNamedResult reports whether obj is a result of fn, or of a function literal in it.
func isNamedResult(info *types.Info, fn *ast.FuncDecl, obj types.Object) (is bool) {
	ast.Inspect(fn, func(n ast.Node) bool {
		if t, ok := n.(*ast.FuncType); ok && t.Results != nil {
			for _, f := range t.Results.List {
				is = is || slices.ContainsFunc(f.Names, func(id *ast.Ident) bool { return info.Defs[id] == obj })
			}
		}
		return !is
	})
	return is
}

// result reports whether all who call the function that ret returns from only look at the result, which is its one.
func (h *holders) result(pkg *load.Package, stack []ast.Node, ret *ast.ReturnStmt) bool {
	fn := outermost(stack)
	if fn == nil || len(ret.Results) != 1 || slices.ContainsFunc(stack, func(n ast.Node) bool { _, lit := n.(*ast.FuncLit); return lit }) {
		return false
	}
	obj, _ := pkg.Info.Defs[fn.Name].(*types.Func)
	if obj == nil || h.isMentionedUnseen(pkg, fn.Name.Name) || obj.Signature().Recv() != nil && h.d.isCalledUnnamed(pkg, obj) {
		return false
	}
	if h.functions[obj] {
		return true
	}
	h.functions[obj] = true
	if h.changedByDefer(fn) {
		return false
	}
	key := access.ObjectKey(obj)
	for _, user := range h.d.prog.Packages {
		if user.Info == nil {
			continue
		}
		for id, used := range user.Info.Uses {
			if f, ok := used.(*types.Func); ok && f.Name() == fn.Name.Name && access.ObjectKey(f) == key && !h.call(user, id) {
				return false
			}
		}
	}
	return true
}

// call reports whether id, which names a function, is called, and what is returned is only looked at.
func (h *holders) call(pkg *load.Package, id *ast.Ident) bool {
	for _, file := range pkg.Files {
		if file.Syntax == nil || id.Pos() < file.Syntax.FileStart || file.Syntax.FileEnd <= id.Pos() {
			continue
		}
		only := false
		ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
			if n != ast.Node(id) {
				return n.Pos() <= id.Pos() && id.Pos() < n.End()
			}
			var fun ast.Expr = id
			i := len(stack) - 1
			if sel, ok := stack[i].(*ast.SelectorExpr); ok && sel.Sel == id {
				fun, i = sel, i-1
			}
			if call, ok := stack[i].(*ast.CallExpr); ok && call.Fun == fun {
				only = h.expr(pkg, stack[:i], call)
			}
			return false
		})
		return only
	}
	return false
}

// isMentionedUnseen reports whether source that is not part of this build mentions name, in a folder where that may be
// what pkg declares.
func (h *holders) isMentionedUnseen(pkg *load.Package, name string) bool {
	for _, folder := range h.d.folders(pkg.Path) {
		for _, file := range h.d.unseenFiles(folder.Dir) {
			src, err := os.ReadFile(file)
			if err != nil || bytes.Contains(src, []byte(name)) {
				return true
			}
		}
	}
	return false
}

// isCalledUnnamed reports whether the method fn of pkg may be called without being named: through an interface, by a
// template, or by reflection.
func (d *decider) isCalledUnnamed(pkg *load.Package, fn *types.Func) bool {
	seen := make(map[*types.Package]bool)
	for _, user := range d.prog.Packages {
		if user.Types == nil || user.Info == nil {
			return true
		}
		if !fn.Exported() && user.Types != pkg.Types && user.Path != pkg.Path {
			continue
		}
		for _, file := range user.Files {
			if file.Syntax != nil && hasInterfaceWith(user.Info, file.Syntax, fn) {
				return true
			}
		}
		for _, imported := range user.Types.Imports() {
			if fn.Exported() && user.Types == pkg.Types && model.Reflects(imported.Path()) || declaresInterfaceWith(imported, fn, seen) {
				return true
			}
		}
	}
	return false
}

// hasInterfaceWith reports whether file spells out an interface with a method like fn.
func hasInterfaceWith(info *types.Info, file *ast.File, fn *types.Func) (has bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		if t, ok := n.(*ast.InterfaceType); ok {
			i, ok := info.TypeOf(t).(*types.Interface)
			has = has || !ok || hasMethodLike(i, fn)
		}
		return !has
	})
	return has
}

// declaresInterfaceWith reports whether pkg, or a package that it imports, declares an interface with a method like fn.
func declaresInterfaceWith(pkg *types.Package, fn *types.Func, seen map[*types.Package]bool) bool {
	if seen[pkg] || !fn.Exported() {
		return false
	}
	seen[pkg] = true
	for _, n := range pkg.Scope().Names() {
		if tn, ok := pkg.Scope().Lookup(n).(*types.TypeName); ok {
			if i, ok := tn.Type().Underlying().(*types.Interface); ok && hasMethodLike(i, fn) {
				return true
			}
		}
	}
	return slices.ContainsFunc(pkg.Imports(), func(p *types.Package) bool { return declaresInterfaceWith(p, fn, seen) })
}

// hasMethodLike reports whether i has a method of the name and type of fn, or of the name and a type that depends on type
// parameters.
func hasMethodLike(i *types.Interface, fn *types.Func) bool {
	text := func(f *types.Func) string {
		sig := f.Signature()
		return types.TypeString(types.NewSignatureType(nil, nil, nil, sig.Params(), sig.Results(), sig.Variadic()), nil)
	}
	for m := range i.ExplicitMethods() {
		if m.Name() == fn.Name() && (text(m) == text(fn) || isGenericSignature(m.Signature()) || isGenericSignature(fn.Signature())) {
			return true
		}
	}
	return false
}

// isGenericSignature reports whether a parameter or result of sig depends on a type parameter.
func isGenericSignature(sig *types.Signature) bool {
	for _, t := range []*types.Tuple{sig.Params(), sig.Results()} {
		for v := range t.Variables() {
			if dependsOnTypeParam(v.Type(), 0) {
				return true
			}
		}
	}
	return false
}

// dependsOnTypeParam reports whether t may mention a type parameter; what is nested deeper than depth 8 may.
func dependsOnTypeParam(t types.Type, depth int) bool {
	if depth > 8 {
		return true
	}
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		return true
	case *types.Pointer:
		return dependsOnTypeParam(t.Elem(), depth+1)
	case *types.Slice:
		return dependsOnTypeParam(t.Elem(), depth+1)
	case *types.Array:
		return dependsOnTypeParam(t.Elem(), depth+1)
	case *types.Chan:
		return dependsOnTypeParam(t.Elem(), depth+1)
	case *types.Map:
		return dependsOnTypeParam(t.Key(), depth+1) || dependsOnTypeParam(t.Elem(), depth+1)
	case *types.Signature:
		return isGenericSignature(t)
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			if dependsOnTypeParam(arg, depth+1) {
				return true
			}
		}
		return false
	case *types.Basic:
		return false
	}
	return true // of structs and interfaces that are spelled out nothing is known here
}
