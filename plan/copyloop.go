package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"

	"mapmend/plan/region"
)

// This file plans the loop that makes a copy of the map before go 1.21, which brought maps.Clone.

// copyLoop returns the loop that makes the copy for expr, or nil if there can be none: where the map may be nil, of which maps.Clone makes
// nil again, and where the statement around expr does something else, too. stack is what stands around expr, outermost first.
func (d *decider) copyLoop(c *candidate, fn function, expr ast.Expr, stack []ast.Node) *CopyLoop {
	stmt, ok := stack[len(stack)-1].(ast.Stmt)
	around := outermost(stack)
	if !ok || around == nil || len(stack) < 2 || !slices.Contains(region.ListOf(stack[len(stack)-2]), stmt) || !IsPath(expr) || d.mayBeNil(c) {
		return nil
	}
	from, to := d.prog.Fset.Position(stmt.Pos()), d.prog.Fset.Position(stmt.End())
	typ := fn.pkg.Info.TypeOf(expr)
	text := d.typeText(fn.pkg, fn.file, expr.Pos(), typ)
	key, value := unmentioned(around, "k", "key"), unmentioned(around, "v", "value")
	if from.Line != to.Line || text == "" || key == "" || value == "" || elementLocks(typ) || !meansBuiltin(fn, expr.Pos(), "make", "len") {
		return nil
	}
	name := ""
	switch stmt := stmt.(type) {
	case *ast.ReturnStmt:
		if len(stmt.Results) == 1 {
			name = unmentioned(around, "m", "all", "copied")
		}
	case *ast.AssignStmt:
		id, ok := stmt.Lhs[0].(*ast.Ident)
		if ok && stmt.Tok == token.DEFINE && len(stmt.Lhs) == 1 && id.Name != "_" {
			name = id.Name
		}
	}
	if name == "" || mentionsAny(text, name, key, value) {
		return nil
	}
	return &CopyLoop{Span: d.span(fn.file, stmt), Type: text, Name: name, Key: key, Value: value}
}

// unmentioned returns the first of names that does not stand in fn, or "".
func unmentioned(fn *ast.FuncDecl, names ...string) string {
	for _, name := range names {
		if !mentions(fn, name) {
			return name
		}
	}
	return ""
}

// mentionsAny reports whether one of names stands in the source text.
func mentionsAny(text string, names ...string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(names, word) })
}

// meansBuiltin reports whether names mean at pos what the language says.
func meansBuiltin(fn function, pos token.Pos, names ...string) bool {
	scope := fn.pkg.Types.Scope().Innermost(pos)
	return scope != nil && !slices.ContainsFunc(names, func(name string) bool {
		_, obj := scope.LookupParent(name, pos)
		return obj != types.Universe.Lookup(name)
	})
}

// elementLocks reports whether the elements of the map type t have a lock in them: a loop copies it where go vet sees it.
func elementLocks(t types.Type) bool {
	m, ok := t.Underlying().(*types.Map)
	return !ok || hasLockIn(m.Elem())
}

func hasLockIn(t types.Type) bool {
	if _, ok := types.Unalias(t).(*types.Named); ok && !types.IsInterface(t) && hasMethod(t, "Lock") && hasMethod(t, "Unlock") {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if hasLockIn(f.Type()) {
				return true
			}
		}
	case *types.Array:
		return hasLockIn(u.Elem())
	}
	return false
}
