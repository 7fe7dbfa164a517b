package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"mapmend/plan/load"
	"mapmend/plan/region"
)

// This file sees that a map which several owners have is under the same mutex in all of them, since both are put there together:
//
//	func (c *Context) prepare() {
//		if c.Global {
//			c.cache, c.mu = cache, &mu
//		} else {
//			c.cache, c.mu = make(map[key]copier), new(sync.RWMutex)
//		}
//	}

// pairs looks at how a map and the pointer to its mutex, two fields of one owner, are set.
type pairs struct {
	maps, locks map[*types.Var]bool
	lockOf      map[*types.Var]*types.Var // of the package variables that were put in the field of the map: which lock always is with it
}

// isPaired reports whether the guard of c is a pointer beside the map, and all owners that have the same map have the same guard. A
// map that is not new is one of a package variable, and comes with the address of one mutex.
func (d *decider) isPaired(c *candidate) bool {
	decl, ok := d.decls[toVar(c.guard.class)]
	if !ok || decl.object() == nil || c.guard.class.Owner != c.finding.Owner || c.guard.class.Package != c.finding.Package {
		return false
	}
	if _, pointer := decl.object().Type().Underlying().(*types.Pointer); !pointer {
		return false
	}
	of, lock := &wrapping{d: d, c: c}, &wrapping{d: d, c: &candidate{decl: decl}}
	lock.c.finding.Var = toVar(c.guard.class)
	of.findObjects()
	lock.findObjects()
	p := &pairs{of.objs, lock.objs, make(map[*types.Var]*types.Var)}
	for _, pkg := range of.pkgs {
		for _, file := range pkg.Files {
			if file.Syntax != nil && !p.areSetTogether(pkg, file.Syntax) {
				return false
			}
		}
	}
	return true
}

// areSetTogether reports whether file sets the two fields together wherever the map is not a new one.
func (p *pairs) areSetTogether(pkg *load.Package, file *ast.File) bool {
	together := true
	ast.PreorderStack(file, nil, func(n ast.Node, stack []ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			together = together && p.literal(pkg.Info, n)
		case *ast.UnaryExpr:
			sel, ok := ast.Unparen(n.X).(*ast.SelectorExpr)
			if _, compared := stack[len(stack)-1].(*ast.BinaryExpr); !compared && ok && n.Op == token.AND {
				// whoever has the address may set it
				together = together && !isOneOf(pkg.Info, sel.Sel, p.maps) && !isOneOf(pkg.Info, sel.Sel, p.locks)
			}
		case *ast.BlockStmt:
			together = together && p.list(pkg.Info, n.List)
		case *ast.CaseClause:
			together = together && p.list(pkg.Info, n.Body)
		case *ast.CommClause:
			together = together && p.list(pkg.Info, n.Body)
		case *ast.AssignStmt:
			listed := slices.Contains(region.ListOf(stack[len(stack)-1]), ast.Stmt(n))
			together = together && (listed || !slices.ContainsFunc(n.Lhs, func(e ast.Expr) bool { return p.isField(pkg.Info, e) }))
		case *ast.RangeStmt:
			together = together && !p.isField(pkg.Info, n.Key) && !p.isField(pkg.Info, n.Value)
		}
		return together
	})
	return together
}

// isField reports whether e, which may be nil, is one of the two fields.
func (p *pairs) isField(info *types.Info, e ast.Expr) bool {
	sel, ok := unparen(e).(*ast.SelectorExpr)
	return ok && (isOneOf(info, sel.Sel, p.maps) || isOneOf(info, sel.Sel, p.locks))
}

// literal is areSetTogether of one literal.
func (p *pairs) literal(info *types.Info, lit *ast.CompositeLit) bool {
	var m, lock ast.Expr
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			st, isStruct := info.TypeOf(lit).Underlying().(*types.Struct)
			return !isStruct || !p.has(st)
		}
		if id, ok := kv.Key.(*ast.Ident); ok {
			switch {
			case isOneOf(info, id, p.maps):
				m = kv.Value
			case isOneOf(info, id, p.locks):
				lock = kv.Value
			}
		}
	}
	return m == nil || p.note(info, m, lock)
}

func (p *pairs) has(st *types.Struct) bool {
	for f := range st.Fields() {
		if p.maps[f.Origin()] {
			return true
		}
	}
	return false
}

// list is areSetTogether of the assignments in one list of statements.
func (p *pairs) list(info *types.Info, list []ast.Stmt) bool {
	maps, locks := make(map[string]ast.Expr), make(map[string]ast.Expr) // by owner
	for _, stmt := range list {
		assign, ok := stmt.(*ast.AssignStmt)
		if !ok {
			continue
		}
		for i, lhs := range assign.Lhs {
			sel, ok := ast.Unparen(lhs).(*ast.SelectorExpr)
			if !ok {
				continue
			}
			owner, set := types.ExprString(sel.X), maps
			switch {
			case isOneOf(info, sel.Sel, p.locks):
				set = locks
			case !isOneOf(info, sel.Sel, p.maps):
				continue
			}
			if set[owner] != nil || len(assign.Lhs) != len(assign.Rhs) {
				return false
			}
			set[owner] = assign.Rhs[i]
		}
	}
	for owner, m := range maps {
		if !p.note(info, m, locks[owner]) {
			return false
		}
	}
	for owner := range locks {
		if maps[owner] == nil {
			return false // the map stays, and has another mutex
		}
	}
	return true
}

// note notes that m and lock, which may be nil, are put in one owner. It reports false when others may have the map with another
// lock.
func (p *pairs) note(info *types.Info, m, lock ast.Expr) bool {
	if isNewMap(info, m) {
		return true
	}
	shared, with := packageVar(info, m), (*types.Var)(nil)
	if addr, ok := unparen(lock).(*ast.UnaryExpr); ok && addr.Op == token.AND {
		with = packageVar(info, addr.X)
	}
	if shared == nil || with == nil || p.lockOf[shared] != nil && p.lockOf[shared] != with {
		return false
	}
	p.lockOf[shared] = with
	return true
}

func unparen(e ast.Expr) ast.Expr {
	if e == nil {
		return nil
	}
	return ast.Unparen(e)
}

// isNewMap reports whether e is a map that is made there, or nil.
func isNewMap(info *types.Info, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		return isBuiltin(info, e, "make")
	case *ast.Ident:
		return info.Types[e].IsNil()
	}
	return false
}

// packageVar returns the package variable that e names, or nil.
func packageVar(info *types.Info, e ast.Expr) *types.Var {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if sel, isSel := ast.Unparen(e).(*ast.SelectorExpr); isSel {
		id, ok = sel.Sel, true
	}
	if !ok {
		return nil
	}
	v, ok := info.Uses[id].(*types.Var)
	if !ok || v.IsField() || v.Pkg() == nil || v.Parent() != v.Pkg().Scope() {
		return nil
	}
	return v
}
