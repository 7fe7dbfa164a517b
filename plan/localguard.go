package plan

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/region"
	"mapmend/plan/share"
)

// This file chooses the guard of a captured local: a mutex that is declared beside it, or the local one that other uses
// hold. No form changes the type of a local.

const localTodo = "declare a mutex beside it and lock it in the goroutines"

// localGuard chooses the guard of c, a local of a function.
func (d *decider) localGuard(c *candidate) *Refusal {
	no := func(why string) *Refusal {
		return &Refusal{Code: CapturedLocal, Message: why, Todo: localTodo}
	}
	id, ok := c.decl.node.(*ast.Ident)
	if !ok {
		return no("the variable is part of a local of " + c.finding.Owner)
	}
	fn := funcAround(c.decl.file.Syntax, id)
	if fn == nil || fn.Body == nil || id.Pos() < fn.Body.Pos() {
		return no("the variable is a parameter or result of " + c.finding.Owner + ", whose callers may have the map, too")
	}
	if c.decl.stmt = statementOf(fn.Body, id); c.decl.stmt == nil {
		return no("the variable is not declared by a statement of its own")
	}
	if len(definitions(c.decl.pkg.Info, fn, id.Name)) > 1 {
		return no(c.finding.Owner + " has two variables of the name " + id.Name)
	}
	if l := c.verdict.Guard; l != nil {
		return d.localLock(c, fn, l)
	}
	if pos := d.unguardedIn(c, fn); pos.IsValid() {
		r := no("what this function literal does with the map, and when, is not followed")
		r.Pos = d.at(pos)
		return r
	}
	name := "mu"
	if mentions(fn, name) || d.names[localName(fn, name)] {
		name = id.Name + "Mu"
	}
	if mentions(fn, name) || d.names[localName(fn, name)] {
		return no("the names mu and " + name + " are taken")
	}
	d.names[localName(fn, name)] = true
	if len(definitions(c.decl.pkg.Info, fn, "sync")) > 0 {
		return no(c.finding.Owner + " has a variable named sync")
	}
	c.guard = guard{
		add:   &Mutex{Name: name},
		name:  name,
		class: access.LocalLock(c.finding.Package, c.finding.Owner, name),
	}
	return nil
}

// localLock takes l, which other uses hold, for the guard of c in fn.
func (d *decider) localLock(c *candidate, fn *ast.FuncDecl, l *share.Lock) *Refusal {
	if l.Relation == share.Package {
		c.guard = guard{lock: l, name: l.Name(), class: l.Class, reads: true}
		if decl, ok := d.decls[toVar(l.Class)]; ok && decl.object() != nil {
			c.guard.reads = hasMethod(decl.object().Type(), "RLock")
		}
		return nil
	}
	found := localLocks(c.decl.pkg.Info, fn)
	if l.Relation != share.Same || len(found) != 1 {
		return &Refusal{Code: UnknownGuard, Message: "it is not known which lock guards it", Todo: "guard the uses by hand"}
	}
	mu := found[0]
	switch mu.Type().Underlying().(type) {
	case *types.Pointer, *types.Interface:
		return &Refusal{Code: UnknownGuard, Message: mu.Name() + " is a pointer or an interface, and may be another lock by now", Todo: "make it a mutex that is no pointer"}
	}
	if pos := cmp.Or(d.busyUnder(c, fn, mu), d.unguardedIn(c, fn)); pos.IsValid() {
		return &Refusal{Code: LockOrder, Pos: d.at(pos), Message: "the function that holds " + mu.Name() + " may wait here for what is to take it", Todo: "keep calls and waits out of the functions that hold " + mu.Name()}
	}
	c.guard = guard{lock: l, name: mu.Name(), class: l.Class, reads: hasMethod(mu.Type(), "RLock") && hasMethod(mu.Type(), "RUnlock"), local: mu}
	return nil
}

// localName is the key of d.names for a variable that fn gains.
func localName(fn *ast.FuncDecl, name string) string { return fmt.Sprintf("%d.%s", fn.Pos(), name) }

// busyUnder returns where a function in fn that locks mu may wait for another goroutine, or call a function that takes mu
// when c is mended. What stands before the lock is taken does not matter.
func (d *decider) busyUnder(c *candidate, fn *ast.FuncDecl, mu types.Object) token.Pos {
	info := c.decl.pkg.Info
	busy := token.NoPos
	for _, body := range bodiesIn(fn) {
		locked := token.NoPos
		inspectOwn(body, func(n ast.Node) {
			if id, ok := n.(*ast.Ident); ok && info.Uses[id] == mu && !locked.IsValid() {
				locked = id.Pos()
			}
		})
		if !locked.IsValid() {
			continue
		}
		inspectOwn(body, func(n ast.Node) {
			if n.End() > locked && !busy.IsValid() && d.mayWait(info, n, mu, c.verdict.Guard.Class) {
				busy = n.Pos()
			}
		})
	}
	return busy
}

// mayWait reports whether n itself may wait for another goroutine or run code that is not known.
func (d *decider) mayWait(info *types.Info, n ast.Node, mu types.Object, class access.Var) bool {
	switch n := n.(type) {
	case *ast.SendStmt, *ast.SelectStmt:
		return true
	case *ast.UnaryExpr:
		return n.Op == token.ARROW
	case *ast.ForStmt:
		return n.Post == nil
	case *ast.RangeStmt:
		switch info.TypeOf(n.X).Underlying().(type) {
		case *types.Chan, *types.Signature:
			return true
		}
	case *ast.CallExpr:
		if tv := info.Types[n.Fun]; tv.IsType() || tv.IsBuiltin() {
			return false
		}
		if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
			if x, ok := ast.Unparen(sel.X).(*ast.Ident); ok && info.Uses[x] == mu {
				return false
			}
		}
		callee, ok := typeutil.Callee(info, n).(*types.Func)
		if !ok {
			return true
		}
		if recv := callee.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
			return true
		}
		code, _ := (&effects{d: d, guard: guard{name: mu.Name(), class: class}, orders: d.orders.clone()}).Hazard(callee)
		return code != ""
	}
	return false
}

// unguardedIn returns where a function literal of fn, or the body of a range over a function, uses the map of c without being
// one of the uses that are to be guarded or that hold the guard: the analysis did not find when it runs.
func (d *decider) unguardedIn(c *candidate, fn *ast.FuncDecl) token.Pos {
	known := make(map[token.Pos]bool)
	for _, j := range c.verdict.Uses {
		if j.Problem || c.verdict.Guard != nil && j.Holds(*c.verdict.Guard) {
			known[j.Pos] = true
		}
	}
	info := c.decl.pkg.Info
	names := map[types.Object]bool{c.decl.object(): true}
	for more := true; more; { // other names of the map
		more = false
		ast.Inspect(fn, func(n ast.Node) bool {
			if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == len(a.Rhs) {
				for i, value := range a.Rhs {
					from, ok := ast.Unparen(value).(*ast.Ident)
					to, local := a.Lhs[i].(*ast.Ident)
					if ok && local && names[info.Uses[from]] && !names[info.ObjectOf(to)] {
						names[info.ObjectOf(to)], more = true, true
					}
				}
			}
			return true
		})
	}
	found := token.NoPos
	ast.PreorderStack(fn, nil, func(n ast.Node, stack []ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || found.IsValid() || !names[info.Uses[id]] || known[id.Pos()] {
			return true
		}
		for i, around := range stack {
			switch around := around.(type) {
			case *ast.FuncLit:
				found = id.Pos()
			case *ast.RangeStmt:
				_, isFunc := info.TypeOf(around.X).Underlying().(*types.Signature)
				if isFunc && i+1 < len(stack) && stack[i+1] == ast.Node(around.Body) {
					found = id.Pos()
				}
			}
		}
		return true
	})
	return found
}

// bodiesIn returns the body of fn and those of the function literals in it.
func bodiesIn(fn *ast.FuncDecl) []*ast.BlockStmt {
	out := []*ast.BlockStmt{fn.Body}
	ast.Inspect(fn, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok {
			out = append(out, lit.Body)
		}
		return true
	})
	return out
}

// inspectOwn visits what is in body, but for the function literals.
func inspectOwn(body *ast.BlockStmt, visit func(ast.Node)) {
	ast.Inspect(body, func(n ast.Node) bool {
		if _, lit := n.(*ast.FuncLit); lit || n == nil {
			return false
		}
		visit(n)
		return true
	})
}

// localLocks returns the variables of fn that are locks.
func localLocks(info *types.Info, fn *ast.FuncDecl) []*types.Var {
	var out []*types.Var
	ast.Inspect(fn, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v, ok := info.Defs[id].(*types.Var); ok && !v.IsField() && hasMethod(v.Type(), "Lock") && hasMethod(v.Type(), "Unlock") {
				out = append(out, v)
			}
		}
		return true
	})
	return out
}

// spellLocal writes the guard of c, a local, at pos in fn; nothing if it, or the map, is not what its name means there.
func (c *candidate) spellLocal(fn function, pos token.Pos) string {
	scope := fn.pkg.Types.Scope().Innermost(pos)
	if scope == nil {
		return ""
	}
	means := func(name string, v types.Object) bool {
		_, obj := scope.LookupParent(name, pos)
		return obj == v
	}
	if !means(c.decl.name.Name, c.decl.object()) || c.guard.local != nil && !means(c.guard.name, c.guard.local) {
		return ""
	}
	return c.guard.name
}

// isCaptured reports whether the map of c is a local that the function key can name at pos.
func (d *decider) isCaptured(c *candidate, key string, pos token.Pos) bool {
	if c.decl.stmt == nil {
		return false
	}
	fn, ok := d.functionAt(key)
	return ok && fn.node.Pos() <= pos && pos < fn.node.End() && c.spellLocal(fn, pos) != ""
}

// funcAround returns the function declaration of file that id stands in, or nil.
func funcAround(file *ast.File, id *ast.Ident) *ast.FuncDecl {
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Pos() <= id.Pos() && id.End() <= fn.End() {
			return fn
		}
	}
	return nil
}

// statementOf returns the definition or value spec that declares id, if that is a statement of a list, or nil.
func statementOf(body *ast.BlockStmt, id *ast.Ident) (found ast.Node) {
	ast.Inspect(body, func(n ast.Node) bool {
		for _, stmt := range region.ListOf(n) {
			switch stmt := stmt.(type) {
			case *ast.AssignStmt:
				if slices.Contains(stmt.Lhs, ast.Expr(id)) {
					found = stmt
				}
			case *ast.DeclStmt:
				for _, spec := range stmt.Decl.(*ast.GenDecl).Specs {
					if spec, ok := spec.(*ast.ValueSpec); ok && slices.Contains(spec.Names, id) {
						found = spec
					}
				}
			}
		}
		return found == nil
	})
	return found
}

// definitions returns the variables of that name that fn declares.
func definitions(info *types.Info, fn *ast.FuncDecl, name string) []*types.Var {
	var out []*types.Var
	ast.Inspect(fn, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name {
			if v, ok := info.Defs[id].(*types.Var); ok && !v.IsField() {
				out = append(out, v)
			}
		}
		return true
	})
	return out
}

// mentions reports whether name stands anywhere in fn.
func mentions(fn *ast.FuncDecl, name string) (found bool) {
	ast.Inspect(fn, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == name
		return !found
	})
	return found
}
