// This file holds the invariant SameNames: where something was moved, each name means what it meant.

package verify

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"mapmend/plan"
	"mapmend/plan/load"
)

// sameNames: in a function where something was taken out of the head of a statement, or put into a function of its own, each name means what it meant: it was declared at
// the same place, counted in names, or outside.
func sameNames(p *proof) []failure {
	var failed []failure
	for _, c := range p.changes {
		pkg, before := find(p.before, c.File)
		nowPkg, after := find(p.after, c.File)
		if before == nil || after == nil {
			continue
		}
		offset := func(pos token.Pos) int { return p.before.Fset.PositionFor(pos, false).Offset }
		parsed, err := parseFile(c.Old)
		if err != nil {
			continue
		}
		lost := p.lowersIn(c.File)
		now := make(map[string]*ast.FuncDecl)
		for _, fn := range funcDecls(after) {
			now[declared(fn)] = fn
		}
		for _, fn := range funcDecls(before) {
			hoists := slices.DeleteFunc(p.movedIn(c.File), func(s plan.Section) bool { return s.Start < offset(fn.Pos()) || offset(fn.End()) <= s.Start })
			if len(hoists) == 0 {
				continue
			}
			var added []string
			for _, s := range hoists {
				added = append(added, s.Name)
			}
			was, is := identsIn(pkg.Info, fn, nil), identsIn(nowPkg.Info, now[declared(fn)], added)
			was = slices.DeleteFunc(was, func(n name) bool { return lost(offset(n.id.Pos())) })
			is = p.withoutAccessors(nowPkg.Info, now[declared(fn)], is)
			place := func(n name) int { // what is taken out comes before all of its statement
				o := offset(n.id.Pos())
				for _, s := range hoists {
					if s.Hoist && s.Start <= o && o < s.End {
						at, _ := parsed.headAt(s.Span)
						return 2*at - 1
					}
				}
				return 2 * o
			}
			slices.SortStableFunc(was, func(a, b name) int { return cmp.Compare(place(a), place(b)) })
			if i := firstDifference(meanings(was), meanings(is)); i >= 0 {
				at := fn.Name
				if i < len(was) {
					at = was[i].id
				}
				failed = append(failed, failure{was: position(p.before, c.File, offset(at.Pos())), pos: plan.Pos{File: c.File}, message: at.Name + " would mean something else than before"})
			}
		}
	}
	return failed
}

// declared names fn among the functions of a file.
func declared(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	return strings.TrimPrefix(types.ExprString(fn.Recv.List[0].Type), "*") + "." + fn.Name.Name
}

// funcDecls returns the functions that a file declares.
func funcDecls(file *load.File) []*ast.FuncDecl {
	var list []*ast.FuncDecl
	for _, d := range file.Syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			list = append(list, fn)
		}
	}
	return list
}

// A name is one identifier and what it means.
type name struct {
	id  *ast.Ident
	obj types.Object
}

// identsIn returns the names in fn that mean a variable, constant, type or function, but for those that a mend adds: of lock calls, mutexes,
// copies, and variables called added.
func identsIn(info *types.Info, fn *ast.FuncDecl, added []string) []name {
	locks := lockIdents(info, fn)
	var list []name
	ast.Inspect(fn, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || locks[id] || id.Name == "_" || slices.Contains(added, id.Name) {
			return true
		}
		obj := info.ObjectOf(id)
		if _, isPackage := obj.(*types.PkgName); obj == nil || isPackage || obj.Parent() == nil || isMutexType(obj.Type()) || obj.Pkg() != nil && obj.Pkg().Path() == "maps" {
			return true
		}
		list = append(list, name{id, obj})
		return true
	})
	return list
}

// lockIdents returns the identifiers in the calls of mutexes that are statements of their own.
func lockIdents(info *types.Info, fn *ast.FuncDecl) map[*ast.Ident]bool {
	out := make(map[*ast.Ident]bool)
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ExprStmt:
			if lockCall(info, n.X) != nil {
				addIdents(out, n)
			}
		case *ast.DeferStmt:
			if lockCall(info, n.Call) != nil {
				addIdents(out, n)
			}
		}
		return true
	})
	return out
}

// meanings returns for each of names which of them declares what it means, or its own text if none does.
func meanings(names []name) []string {
	first := make(map[types.Object]int)
	var out []string
	for i, n := range names {
		if _, seen := first[n.obj]; !seen {
			first[n.obj] = i
		}
		at := first[n.obj]
		if names[at].id.Pos() != n.obj.Pos() {
			out = append(out, n.id.Name)
			continue
		}
		out = append(out, n.id.Name+" of "+names[at].id.Name+" "+strconv.Itoa(at))
	}
	return out
}

func firstDifference(a, b []string) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}
