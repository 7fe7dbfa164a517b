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

// This file keeps receivers from becoming pointers where a nil pointer would get further than it does today: a method
// with a value receiver panics where it is called on one, or where a go or defer statement names it.
//
//	func (s Store) Put(k string) {
//		log.Println(k) // not for a nil pointer
//		s.m[k]++
//	}

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
		if !setsLocals(info, stmt) {
			return false
		}
	}
	return false
}

// setsLocals reports whether all that stmt does is to give values to variables of the function.
func setsLocals(info *types.Info, stmt ast.Stmt) bool {
	switch s := stmt.(type) {
	case *ast.DeclStmt:
		return true
	case *ast.AssignStmt:
		return !slices.ContainsFunc(s.Lhs, func(e ast.Expr) bool {
			id, ok := e.(*ast.Ident)
			v, _ := info.ObjectOf(id).(*types.Var)
			return !ok || id.Name != "_" && (v == nil || v.Parent() == v.Pkg().Scope())
		})
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
			if mayAct(info, n) {
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
			case isArray(info.TypeOf(n)): // len(s.last) is a constant
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
		if !mayAct(info, call) {
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

func isArray(t types.Type) bool {
	_, array := t.Underlying().(*types.Array)
	return array
}

// mayAct reports whether call may have an effect, or call something that has.
func mayAct(info *types.Info, call *ast.CallExpr) bool {
	if info.Types[call.Fun].IsType() || isBuiltin(info, call, "len", "cap", "make", "new", "min", "max") {
		return false
	}
	callee, ok := typeutil.Callee(info, call).(*types.Func)
	return !ok || !model.Total(access.ObjectKey(callee))
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
