// This file knows the names that go and come where uses become calls of accessors.

package verify

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"mapmend/plan"
)

// lowersIn returns a function that reports whether what stands at an offset of a file as it was goes with a use that becomes a call
// of an accessor: the delete of delete(m, k), but not k.
func (p *proof) lowersIn(file string) (goes func(offset int) bool) {
	r := rules{words: make(map[string]bool), tokens: make(map[token.Token]bool)}
	for _, m := range p.plan.Mends {
		for _, l := range m.Lowered {
			if l.File == file {
				r.lower(l)
			}
		}
	}
	return func(offset int) bool { return r.mayGo(tok{offset: offset, tok: token.IDENT}) }
}

// withoutAccessors returns names, which are those in fn, without those that came with calls of accessors: what leads to a generated
// type, and what the function that Update is given has but for the operand of before:
//
//	s.m.Update(k, func(old int, _ bool) (int, bool) { return old + v, true })
func (p *proof) withoutAccessors(info *types.Info, fn *ast.FuncDecl, names []name) []name {
	came := make(map[*ast.Ident]bool)
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if p.generates(info.TypeOf(n)) {
				addIdents(came, n.Type)
			}
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || len(n.Args) != 2 || sel.Sel.Name != "Update" || !p.generates(info.TypeOf(sel.X)) {
				break
			}
			lit, ok := n.Args[1].(*ast.FuncLit)
			if !ok {
				break
			}
			addIdents(came, lit.Type)
			scope := info.Scopes[lit.Type]
			ast.Inspect(lit.Body, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if ok && scope != nil && scope.Lookup(id.Name) != nil && scope.Lookup(id.Name) == info.Uses[id] {
					came[id] = true
				}
				return true
			})
			if ret, ok := lit.Body.List[len(lit.Body.List)-1].(*ast.ReturnStmt); ok && len(ret.Results) == 2 {
				addIdents(came, ret.Results[1])
			}
		}
		return true
	})
	return slices.DeleteFunc(names, func(n name) bool { return came[n.id] })
}

// generates reports whether t is a type that a mend generates.
func (p *proof) generates(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return false
	}
	return slices.ContainsFunc(p.plan.Mends, func(m plan.Mend) bool {
		return m.Wrapper != nil && m.Wrapper.Name == named.Obj().Name() && m.Package == named.Obj().Pkg().Path()
	})
}

// addIdents adds the identifiers in n to set.
func addIdents(set map[*ast.Ident]bool, n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			set[id] = true
		}
		return true
	})
}
