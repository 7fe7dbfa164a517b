// This file makes statements a function literal that is called on the spot and gives a lock back by defer.

package rewrite

import (
	"slices"

	"github.com/dave/dst"

	"mapmend/plan"
)

// nestedClosures returns an obstacle when a section that becomes a function literal meets another, of another lock, and neither
// lies inside the other, or one inside it would be given back at the end of the function around it.
func (f *file) nestedClosures() error {
	for i, s := range f.sections {
		for j, r := range f.sections {
			if i == j || !s.closure || s.end <= r.start || r.end <= s.start || r.has(s) || s.has(r) && !(r.deferred && r.fn == s.fn) {
				continue
			}
			return refuse(plan.NotProved, f.name, s.start, "a section that is to be a function of its own meets another")
		}
	}
	return nil
}

// has reports whether s is applied before r, and r lies in it.
func (s section) has(r section) bool {
	return s.compare(r) < 0 && s.start <= r.start && r.end <= s.end
}

// applyClosure puts the statements of s into a function literal that holds the lock, and calls that.
func (s section) applyClosure(t *syntax) {
	list := t.listWith(t.nodes[s.stmts[s.i]].(dst.Stmt), s.list)
	first := slices.Index(*list, t.nodes[s.stmts[s.i]].(dst.Stmt))
	last := slices.Index(*list, t.nodes[s.stmts[s.j]].(dst.Stmt))
	inside := slices.Clone((*list)[first : last+1])
	lock, unlock := s.calls()
	acquire := &dst.ExprStmt{X: lock}
	release := &dst.DeferStmt{Call: unlock}
	body := &dst.BlockStmt{List: slices.Concat([]dst.Stmt{acquire, release}, inside)}
	t.literals = append(t.literals, body)
	call := &dst.ExprStmt{X: &dst.CallExpr{Fun: &dst.FuncLit{
		Type: &dst.FuncType{Func: true, Params: &dst.FieldList{Opening: true, Closing: true}},
		Body: body,
	}}}
	putBelow(&call.Decs.NodeDecs, inside[len(inside)-1].Decorations())
	call.Decs.Before, inside[0].Decorations().Before = inside[0].Decorations().Before, dst.NewLine
	for _, stmt := range body.List {
		ownLine(stmt.Decorations())
	}
	*list = slices.Replace(*list, first, last+1, dst.Stmt(call))
	for _, stmt := range *list {
		ownLine(stmt.Decorations())
	}
}
