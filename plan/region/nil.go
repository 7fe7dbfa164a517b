package region

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// This file keeps the lock from being the first thing that dereferences a nil owner:
//
//	if s != nil && s.m[k] > 0 { ... }
//
// A section that begins before this statement locks s.mu even when s is nil.

// derefs returns the pointers that taking the lock dereferences, that which the variable root is aside, in full: t.S of
// t.mu when S is embedded.
func (p *planner) derefs(root *ast.Ident, obj types.Object) []string {
	var out []string
	spelled, name, t := root.Name, root.Name, obj.Type()
	follow := func(path []int) {
		for _, k := range path {
			if isPointer(t) && name != root.Name {
				out = append(out, name)
			}
			field := fieldOf(t, k)
			if field == nil {
				break
			}
			name, t = name+"."+field.Name(), field.Type()
		}
	}
	for _, step := range strings.Split(types.ExprString(p.lock.Expr), ".")[1:] {
		field, index, _ := types.LookupFieldOrMethod(t, true, p.fn.Types, step)
		if field == nil { // a mutex that is about to be declared beside the map
			follow(p.mapPath(spelled))
			break
		}
		follow(index)
		spelled += "." + step
	}
	return out
}

// mapPath returns the fields by which a use selects the map from the expression x, or the first field of x when none
// does.
func (p *planner) mapPath(x string) []int {
	if p.paths == nil {
		p.paths = make(map[string][]int)
		ast.Inspect(p.fn.Body, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && p.isUse(sel.Sel) {
				if s := p.fn.Info.Selections[sel]; s != nil {
					p.paths[types.ExprString(sel.X)] = s.Index()
				}
			}
			return true
		})
	}
	if index, ok := p.paths[x]; ok {
		return index
	}
	return []int{0}
}

// fieldOf returns field i of t, a struct or a pointer to one, or nil when there is none.
func fieldOf(t types.Type, i int) *types.Var {
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		t = ptr.Elem()
	}
	if st, ok := t.Underlying().(*types.Struct); ok && i < st.NumFields() {
		return st.Field(i)
	}
	return nil
}

// full writes e, a path, with the names of all that its fields are embedded by, or nothing when e is something else.
func (p *planner) full(e ast.Expr) string {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if s, x := p.fn.Info.Selections[e], p.full(e.X); s != nil && x != "" && s.Kind() == types.FieldVal {
			names := through(x, s)
			return names[len(names)-1] + "." + e.Sel.Name
		}
	}
	return ""
}

// through returns what s goes through, which selects from x: x, and what each field that s is promoted by leads to.
func through(x string, s *types.Selection) []string {
	out, t := []string{x}, s.Recv()
	for _, i := range s.Index()[:len(s.Index())-1] {
		field := fieldOf(t, i)
		x, t = x+"."+field.Name(), field.Type()
		out = append(out, x)
	}
	return out
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// isLock reports whether obj is the lock itself, a pointer to a mutex: whether that is set is not for here to say.
func (p *planner) isLock(obj types.Object) bool {
	if _, ok := p.lock.Expr.(*ast.Ident); !ok {
		return false
	}
	ptr, ok := obj.Type().Underlying().(*types.Pointer)
	if !ok {
		return false
	}
	named, ok := types.Unalias(ptr.Elem()).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "sync"
}

// toleratesNil reports whether the owner, a pointer, may be nil for all that is known: the function, or a method of
// the owner's type in the package, compares it with anything, a caller passes nil, or it is a variable that is no
// parameter and not always the object it was declared with.
func (p *planner) toleratesNil(obj types.Object) bool {
	if !isPointer(obj.Type()) {
		return false
	}
	tolerates, known := p.tolerant[obj]
	if !known {
		tolerates = p.fn.NilRoot || compares(p.fn.File, obj, p.fn.Info) || !p.isParam(obj) && !p.isMade(obj) || p.methodsCompare(obj.Type())
		p.tolerant[obj] = tolerates
	}
	return tolerates
}

// isParam reports whether obj is a parameter or receiver of a function in the file, and never assigned.
func (p *planner) isParam(obj types.Object) (param bool) {
	assigned := false
	ast.Inspect(p.fn.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			param = param || n.Recv != nil && p.declares(n.Recv, obj)
		case *ast.FuncType:
			param = param || p.declares(n.Params, obj)
		case ast.Stmt:
			assigned = assigned || p.sets(n, obj)
		}
		return true
	})
	return param && !assigned
}

func (p *planner) declares(list *ast.FieldList, obj types.Object) bool {
	return slices.ContainsFunc(list.List, func(f *ast.Field) bool {
		return slices.ContainsFunc(f.Names, func(id *ast.Ident) bool { return p.fn.Info.Defs[id] == obj })
	})
}

// sets reports whether stmt itself gives obj, which is declared before, another value.
func (p *planner) sets(stmt ast.Stmt, obj types.Object) bool {
	switch s := stmt.(type) {
	case *ast.AssignStmt:
		return slices.ContainsFunc(s.Lhs, func(e ast.Expr) bool { return isVar(e, obj, p.fn.Info) })
	case *ast.RangeStmt:
		return s.Key != nil && isVar(s.Key, obj, p.fn.Info) || s.Value != nil && isVar(s.Value, obj, p.fn.Info)
	}
	return false
}

// methodsCompare reports whether a method of the type t in the package compares its receiver with anything.
func (p *planner) methodsCompare(t types.Type) bool {
	for _, file := range p.fn.Package {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Body == nil || len(fn.Recv.List[0].Names) == 0 {
				continue
			}
			recv := p.fn.Info.Defs[fn.Recv.List[0].Names[0]]
			if recv != nil && types.Identical(recv.Type(), t) && compares(fn.Body, recv, p.fn.Info) {
				return true
			}
		}
	}
	return false
}

// isMade reports whether obj is given a new object where it is declared, and never another.
func (p *planner) isMade(obj types.Object) bool {
	made, assigned := false, false
	for _, file := range p.fn.Package {
		ast.Inspect(file, func(n ast.Node) bool {
			var names, values []ast.Expr
			switch n := n.(type) {
			case *ast.AssignStmt:
				names, values = n.Lhs, n.Rhs
			case *ast.ValueSpec:
				for _, id := range n.Names {
					names = append(names, id)
				}
				values = n.Values
			}
			if len(names) == len(values) {
				for i, e := range names {
					id, ok := e.(*ast.Ident)
					made = made || ok && p.fn.Info.Defs[id] == obj && isNew(p.fn.Info, values[i])
				}
			}
			if stmt, ok := n.(ast.Stmt); ok {
				assigned = assigned || p.sets(stmt, obj)
			}
			return true
		})
	}
	return made && !assigned
}

// isNew reports whether e is &x or new(T).
func isNew(info *types.Info, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		return e.Op == token.AND
	case *ast.CallExpr:
		b, ok := typeutil.Callee(info, e).(*types.Builtin)
		return ok && b.Name() == "new"
	}
	return false
}

// compares reports whether n compares obj with anything by == or !=.
func compares(n ast.Node, obj types.Object, info *types.Info) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if b, ok := n.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) && (isVar(b.X, obj, info) || isVar(b.Y, obj, info)) {
			found = true
		}
		return !found
	})
	return found
}

func isVar(e ast.Expr, obj types.Object, info *types.Info) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && info.Uses[id] == obj
}

// isSafe reports whether d is no nil pointer where first runs after before: one of these leaves the function when it
// is, or uses what it points to, or first does that in any case, and before all else that anyone could notice.
func (p *planner) isSafe(d string, obj types.Object, before []ast.Stmt, first ast.Stmt) bool {
	for _, s := range before {
		if test, ok := s.(*ast.IfStmt); ok && test.Init == nil && test.Else == nil {
			cond, ok := ast.Unparen(test.Cond).(*ast.BinaryExpr)
			if ok && cond.Op == token.EQL && p.is(d, obj, cond.X) && p.fn.Info.Types[cond.Y].IsNil() && ends(test.Body) {
				return true
			}
		}
		if p.certain(s, d, obj) {
			return true
		}
	}
	return p.certain(first, d, obj) && p.derefsFirst(first, d, obj)
}

// is reports whether e is the pointer d.
func (p *planner) is(d string, obj types.Object, e ast.Expr) bool {
	root := rootIdent(e)
	return root != nil && p.fn.Info.Uses[root] == obj && p.full(e) == d
}

func ends(b *ast.BlockStmt) bool {
	if len(b.List) == 0 {
		return false
	}
	_, ok := b.List[len(b.List)-1].(*ast.ReturnStmt)
	return ok
}

// certain reports whether s, whatever way it goes, dereferences d.
func (p *planner) certain(s ast.Stmt, d string, obj types.Object) bool {
	return slices.ContainsFunc(always(s), func(n ast.Node) bool { return p.selects(n, d, obj) != nil })
}

// always returns the parts of s that run whatever way it goes, in order.
func always(s ast.Stmt) (parts []ast.Node) {
	add := func(init ast.Stmt, e ast.Expr) {
		if init != nil {
			parts = append(parts, init)
		}
		if e != nil {
			parts = append(parts, e)
		}
	}
	switch s := s.(type) {
	case *ast.IfStmt:
		add(s.Init, s.Cond)
	case *ast.ForStmt:
		add(s.Init, s.Cond)
	case *ast.RangeStmt:
		add(nil, s.X)
	case *ast.SwitchStmt:
		add(s.Init, s.Tag)
	case *ast.AssignStmt, *ast.ExprStmt, *ast.ReturnStmt, *ast.IncDecStmt, *ast.DeclStmt, *ast.SendStmt:
		add(s, nil)
	}
	return parts
}

// selects returns what dereferences d whenever n is evaluated: not in a function literal, not behind && or ||. It returns nil when
// nothing does.
func (p *planner) selects(n ast.Node, d string, obj types.Object) (found *ast.SelectorExpr) {
	ast.Inspect(n, func(n ast.Node) bool {
		if found != nil {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				found = p.selects(n.X, d, obj)
				return false
			}
		case *ast.SelectorExpr:
			if p.goesBehind(n, d, obj) {
				found = n
			}
		}
		return found == nil
	})
	return found
}

// goesBehind reports whether sel selects, by what d points to, a field or a method that does not ask for nil.
func (p *planner) goesBehind(sel *ast.SelectorExpr, d string, obj types.Object) bool {
	s, root := p.fn.Info.Selections[sel], rootIdent(sel.X)
	if s == nil || root == nil || p.fn.Info.Uses[root] != obj {
		return false
	}
	x := p.full(sel.X)
	if x == "" || !slices.Contains(through(x, s), d) {
		return false
	}
	switch s.Kind() {
	case types.FieldVal:
		return true
	case types.MethodVal:
		return d != root.Name && !types.IsInterface(s.Recv()) && !p.methodsCompare(s.Obj().(*types.Func).Signature().Recv().Type())
	}
	return false
}
