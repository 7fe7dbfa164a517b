package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"mapmend/plan/access"
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
	name := "mu"
	if mentions(fn, name) {
		name = id.Name + "Mu"
	}
	if mentions(fn, name) {
		return no("the names mu and " + name + " are taken")
	}
	if len(definitions(c.decl.pkg.Info, fn, "sync")) > 0 {
		return no(c.finding.Owner + " has a variable named sync")
	}
	c.guard = guard{
		add:   &Mutex{Name: name, Type: "sync.Mutex"},
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
	c.guard = guard{lock: l, name: mu.Name(), class: l.Class, reads: hasMethod(mu.Type(), "RLock") && hasMethod(mu.Type(), "RUnlock"), local: mu}
	return nil
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
		for _, stmt := range statementsOf(n) {
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

// statementsOf returns the statement list that n holds.
func statementsOf(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
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
