// This file makes statements a function literal that is called on the spot and gives a lock back by defer.

package rewrite

import (
	"slices"

	"github.com/dave/dst"

	"mapmend/plan"
)

// disjointClosures returns an obstacle when a section that becomes a function literal meets another: what is in the literal is not
// in the list any more in which the other was found.
func (f *file) disjointClosures() error {
	for i, s := range f.sections {
		for j, r := range f.sections {
			if i != j && s.closure && s.start < r.end && r.start < s.end {
				return refuse(plan.NotProved, f.name, s.start, "a section that is to be a function of its own meets another")
			}
		}
	}
	return nil
}

// applyClosure puts the statements of s into a function literal that holds the lock, and calls that.
func (s section) applyClosure(t *syntax) {
	list := t.stmtList(s.list)
	first := slices.Index(*list, t.nodes[s.stmts[s.i]].(dst.Stmt))
	last := slices.Index(*list, t.nodes[s.stmts[s.j]].(dst.Stmt))
	inside := slices.Clone((*list)[first : last+1])
	lock, unlock := s.calls()
	acquire := &dst.ExprStmt{X: lock}
	release := &dst.DeferStmt{Call: unlock}
	call := &dst.ExprStmt{X: &dst.CallExpr{Fun: &dst.FuncLit{
		Type: &dst.FuncType{Func: true, Params: &dst.FieldList{Opening: true, Closing: true}},
		Body: &dst.BlockStmt{List: slices.Concat([]dst.Stmt{acquire, release}, inside)},
	}}}
	call.Decs.Before, call.Decs.After = inside[0].Decorations().Before, inside[len(inside)-1].Decorations().After
	inside[0].Decorations().Before, inside[len(inside)-1].Decorations().After = dst.NewLine, dst.NewLine
	for _, stmt := range call.X.(*dst.CallExpr).Fun.(*dst.FuncLit).Body.List {
		ownLine(stmt.Decorations())
	}
	*list = slices.Replace(*list, first, last+1, dst.Stmt(call))
	for _, stmt := range *list {
		ownLine(stmt.Decorations())
	}
}
