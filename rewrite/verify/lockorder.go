// This file holds the invariant LockOrder.

package verify

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/plan/load"
)

// lockOrder: no section takes its lock again, and no order in which two locks are taken is new that
// closes a cycle. The text of each function is looked at, where it is seen which lock is the same, and the
// summaries of the analysis, in which locks are seen through calls.
func lockOrder(p *proof) []failure { return append(ordersInText(p), ordersThroughCalls(p)...) }

// ordersThroughCalls compares the orders of the plans of the program before and after.
func ordersThroughCalls(p *proof) []failure {
	graph := make(map[plan.Var][]plan.Var)
	for _, o := range p.again.Orders {
		graph[o.Held] = append(graph[o.Held], o.Taken)
	}
	var failed []failure
	for _, o := range p.again.Orders {
		switch {
		case slices.Contains(p.plan.Orders, o):
		case o.Held == o.Taken:
			failed = append(failed, failure{vars: p.guardedBy(o.Held), message: fmt.Sprintf("%s is taken in what is called while one is held", o.Taken)})
		case reaches(graph, o.Taken, o.Held):
			failed = append(failed, failure{vars: append(p.guardedBy(o.Held), p.guardedBy(o.Taken)...), message: fmt.Sprintf("%s is taken under %s, and elsewhere the other way round", o.Taken, o.Held)})
		}
	}
	return failed
}

// guardedBy returns the variables whose mend may take lock.
func (p *proof) guardedBy(lock plan.Var) []plan.Var {
	var vars []plan.Var
	for _, m := range p.plan.Mends {
		if m.Class == lock {
			vars = append(vars, m.Var)
		}
	}
	return vars
}

func ordersInText(p *proof) []failure {
	known := make(map[edge]int)
	for _, e := range edgesOf(p.before) {
		known[e.edge]++
	}
	now := edgesOf(p.after)
	graph := make(map[string][]string)
	for _, e := range now {
		graph[e.from] = append(graph[e.from], e.to)
	}
	var failed []failure
	for _, e := range now {
		if known[e.edge]--; known[e.edge] >= 0 {
			continue
		}
		switch {
		case e.same:
			failed = append(failed, failure{pos: e.pos, message: e.path + " is taken while it is held"})
		case e.from == e.to:
			failed = append(failed, failure{pos: e.pos, message: fmt.Sprintf("two locks %s are held at a time", e.to)})
		case reaches(graph, e.to, e.from):
			failed = append(failed, failure{pos: e.pos, message: fmt.Sprintf("%s is taken under %s, and elsewhere the other way round", e.to, e.from)})
		}
	}
	return failed
}

// An edge says that in a function one lock is taken while another is held, both by type and field.
type edge struct {
	file, function string
	from, to       string
	same           bool // also the same expression
}

// A seenEdge is an edge with its place.
type seenEdge struct {
	edge
	path string // of the lock that is taken
	pos  plan.Pos
}

func reaches[T comparable](graph map[T][]T, from, to T) bool {
	seen := make(map[T]bool)
	var walk func(T) bool
	walk = func(n T) bool {
		if n == to {
			return true
		}
		if seen[n] {
			return false
		}
		seen[n] = true
		return slices.ContainsFunc(graph[n], walk)
	}
	return walk(from)
}

// edgesOf returns every lock that is taken inside a section of another.
func edgesOf(prog *load.Program) []seenEdge {
	var list []seenEdge
	for _, pkg := range prog.Packages {
		if pkg.Info == nil {
			continue
		}
		for _, f := range pkg.Files {
			for _, r := range regionsOf(pkg.Info, f.Syntax) {
				for _, stmt := range r.stmts {
					inspectRun(stmt, r.deferred, func(n ast.Node) {
						c := lockCall(pkg.Info, n)
						if c == nil || !strings.HasSuffix(c.method, "Lock") || strings.HasPrefix(c.method, "Try") || isUnlock(c.method) {
							return
						}
						if !r.deferred && givenBack(pkg.Info, stmt, n, r.path) {
							return
						}
						posn := prog.Position(n.Pos())
						list = append(list, seenEdge{
							edge: edge{f.Name, r.function, r.class, c.class, r.path == c.path},
							path: c.path,
							pos:  plan.Pos{File: f.Name, Line: posn.Line, Column: posn.Column},
						})
					})
				}
			}
		}
	}
	return list
}

// givenBack reports whether what stmt does with the lock path on the way to n, last before n, is to give it back:
//
//	if s.closed {
//		s.mu.Unlock()
//		return s.report() // n
//	}
func givenBack(info *types.Info, stmt ast.Stmt, n ast.Node, path string) (back bool) {
	ast.PreorderStack(stmt, nil, func(m ast.Node, stack []ast.Node) bool {
		for _, s := range listOf(m) {
			if s.Pos() > n.Pos() || n.End() <= s.End() { // n itself, or what is around it
				continue
			}
			if e, ok := s.(*ast.ExprStmt); ok {
				if c := lockCall(info, e.X); c != nil && c.path == path {
					back = isUnlock(c.method)
				}
			}
		}
		return m.Pos() <= n.Pos() && n.End() <= m.End()
	})
	return back
}
