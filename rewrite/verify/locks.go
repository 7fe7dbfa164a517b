// This file holds the invariants about locks that syntax and types show: NoNewBlocking and Footprint. LockOrder looks at
// the same regions.

package verify

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/plan/load"
)

// noNewBlocking: the statements of a section wait for nothing. They are the same before and after, so
// the program before is looked at: there the plan has their places.
func noNewBlocking(p *proof) []failure {
	var failed []failure
	for _, m := range p.plan.Mends {
		sections := slices.Clone(m.Sections)
		for _, t := range m.Twins { // all of the body is one
			sections = append(sections, plan.Section{Span: t.Span, Lock: t.Lock, Defer: true})
		}
		for _, s := range sections {
			pkg, file := find(p.before, s.File)
			if file == nil {
				continue
			}
			for _, stmt := range nodesOf(p.before.Fset, file, s) {
				inspectRun(stmt, s.Defer, func(n ast.Node) {
					if why := blocks(pkg.Info, n); why != "" {
						at := p.before.Fset.Position(n.Pos()).Offset
						failed = append(failed, failure{was: position(p.before, s.File, at), vars: []plan.Var{m.Var}, message: "the section of " + s.Lock + " holds " + why})
					}
				})
			}
		}
	}
	return failed
}

// blocks says how n may wait for another goroutine, or is empty.
func blocks(info *types.Info, n ast.Node) string {
	switch n := n.(type) {
	case *ast.SendStmt:
		return "a send"
	case *ast.SelectStmt:
		return "a select"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "a receive"
		}
	case *ast.RangeStmt:
		if t := info.TypeOf(n.X); t != nil {
			if _, ok := t.Underlying().(*types.Chan); ok {
				return "a range over a channel"
			}
		}
	case *ast.CallExpr:
		fn, ok := calleeOf(info, n).(*types.Func)
		if !ok || fn.Pkg() == nil {
			return ""
		}
		recv := fn.Signature().Recv()
		switch {
		case recv == nil && fn.Pkg().Path() == "time" && fn.Name() == "Sleep":
			return "a call of time.Sleep"
		case recv != nil && fn.Name() == "Wait" && (isNamed(recv.Type(), "sync", "WaitGroup") || isNamed(recv.Type(), "sync", "Cond")):
			return "a call of Wait"
		}
	}
	return ""
}

// inspectRun visits what runs when n does: not the bodies of function literals, unless they are called
// on the spot, or deferred to an end that the section reaches.
func inspectRun(n ast.Node, deferred bool, visit func(ast.Node)) {
	ast.PreorderStack(n, nil, func(n ast.Node, stack []ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok && !runsHere(lit, stack, deferred) {
			return false
		}
		visit(n)
		return true
	})
}

func runsHere(lit *ast.FuncLit, stack []ast.Node, deferred bool) bool {
	if len(stack) == 0 {
		return false
	}
	call, ok := stack[len(stack)-1].(*ast.CallExpr)
	if !ok || call.Fun != ast.Expr(lit) {
		return false
	}
	if len(stack) > 1 {
		switch stack[len(stack)-2].(type) {
		case *ast.GoStmt:
			return false
		case *ast.DeferStmt:
			return deferred
		}
	}
	return true
}

func calleeOf(info *types.Info, call *ast.CallExpr) types.Object {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return info.Uses[fun]
	case *ast.SelectorExpr:
		return info.Uses[fun.Sel]
	}
	return nil
}

// nodesOf returns what is in s: statements, or the expression that is to stand in front of its statement.
func nodesOf(fset *token.FileSet, file *load.File, s plan.Section) []ast.Node {
	var list []ast.Node
	for _, stmt := range statementsIn(fset, file, s.Span) {
		list = append(list, stmt)
	}
	if s.Name != "" {
		ast.Inspect(file.Syntax, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if ok && len(list) == 0 && fset.PositionFor(e.Pos(), false).Offset == s.Start && fset.PositionFor(e.End(), false).Offset == s.End {
				list = append(list, e)
			}
			return len(list) == 0
		})
	}
	return list
}

// statementsIn returns the outermost statements that lie in span.
func statementsIn(fset *token.FileSet, file *load.File, span plan.Span) []ast.Stmt {
	offset := func(p token.Pos) int { return fset.PositionFor(p, false).Offset }
	var list []ast.Stmt
	ast.Inspect(file.Syntax, func(n ast.Node) bool {
		s, ok := n.(ast.Stmt)
		if ok && span.Start <= offset(s.Pos()) && offset(s.End()) <= span.End {
			list = append(list, s)
			return false
		}
		return true
	})
	return list
}

// find returns the named file of prog and its package.
func find(prog *load.Program, name string) (*load.Package, *load.File) {
	for _, pkg := range prog.Packages {
		for _, f := range pkg.Files {
			if f.Name == name && f.Syntax != nil && pkg.Info != nil {
				return pkg, f
			}
		}
	}
	return nil, nil
}

// A region is what stands between a lock and its unlock in one statement list.
type region struct {
	lock
	function string
	stmts    []ast.Stmt
	deferred bool
}

// A lock is a call of a method of a mutex.
type lock struct {
	path   string // s.mu, as written
	class  string // type and field, or variable, that the mutex is
	method string
}

// regionsOf returns the regions of a file.
func regionsOf(info *types.Info, file *ast.File) []region {
	var list []region
	function := ""
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			function = n.Name.Name
			if n.Recv != nil {
				function = types.ExprString(n.Recv.List[0].Type) + "." + function
			}
		case *ast.GenDecl:
			if n.Tok != token.VAR {
				return n.Tok != token.IMPORT
			}
		}
		stmts := listOf(n)
		for i, s := range stmts {
			if e, ok := s.(*ast.ExprStmt); ok {
				if c := lockCall(info, e.X); c != nil && !isUnlock(c.method) {
					list = append(list, regionAfter(info, *c, function, stmts[i+1:]))
				}
			}
		}
		return true
	})
	return list
}

func listOf(n ast.Node) []ast.Stmt {
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

// regionAfter returns the region that begins with rest: to the unlock of the same path, or to the end.
func regionAfter(info *types.Info, c lock, function string, rest []ast.Stmt) region {
	r := region{lock: c, function: function}
	for _, s := range rest {
		switch s := s.(type) {
		case *ast.ExprStmt:
			if u := lockCall(info, s.X); u != nil && isUnlock(u.method) && u.path == c.path {
				return r
			}
		case *ast.DeferStmt:
			if u := lockCall(info, s.Call); u != nil && isUnlock(u.method) && u.path == c.path {
				r.deferred = true
				continue
			}
		}
		r.stmts = append(r.stmts, s)
	}
	return r
}

func isUnlock(method string) bool { return method == "Unlock" || method == "RUnlock" }

// lockCall returns the call of a method of a mutex that n is, or nil.
func lockCall(info *types.Info, n ast.Node) *lock {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	fn, ok := info.Uses[sel.Sel].(*types.Func)
	if !ok || fn.Signature().Recv() == nil || !isMutexType(fn.Signature().Recv().Type()) {
		return nil
	}
	return &lock{path: types.ExprString(sel.X), class: classOf(info, sel.X), method: fn.Name()}
}

// classOf names the type and field, or the variable, of a mutex expression.
func classOf(info *types.Info, e ast.Expr) string {
	switch e := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		if s := info.Selections[e]; s != nil {
			recv := s.Recv()
			if ptr, ok := recv.Underlying().(*types.Pointer); ok {
				recv = ptr.Elem()
			}
			if n, ok := types.Unalias(recv).(*types.Named); ok {
				recv = n.Origin()
			}
			return types.TypeString(recv, nil) + "." + e.Sel.Name
		}
		if obj := info.Uses[e.Sel]; obj != nil && obj.Pkg() != nil {
			return obj.Pkg().Path() + "." + obj.Name()
		}
	case *ast.Ident:
		obj := info.Uses[e]
		switch {
		case obj == nil || obj.Pkg() == nil:
		case obj.Parent() == obj.Pkg().Scope():
			return obj.Pkg().Path() + "." + obj.Name()
		case !isMutexType(obj.Type()): // the mutex is embedded
			return types.TypeString(obj.Type(), nil)
		}
	case *ast.StarExpr:
		return classOf(info, e.X)
	case *ast.IndexExpr:
		return classOf(info, e.X) + "[]"
	}
	return "local " + types.ExprString(e)
}

// footprint: what ran under a lock still does. Every call of a mutex that was there is there, in its
// order, and a read lock at most became a write lock; but for a guard that goes, at which FreedGuard looks.
func footprint(p *proof) []failure {
	var failed []failure
	for _, c := range p.changes {
		pkg, before := find(p.before, c.File)
		nowPkg, after := find(p.after, c.File)
		if before == nil || after == nil {
			continue
		}
		gone := func(pos token.Pos) bool { return p.freesAt(c.File, p.before.Fset.PositionFor(pos, false).Offset) }
		old, now := callsOf(pkg.Info, before.Syntax, gone), callsOf(nowPkg.Info, after.Syntax, nil)
		i := 0
		for _, l := range now {
			if i < len(old) && l.path == old[i].path && (l.method == old[i].method || l.method == strings.Replace(old[i].method, "R", "", 1)) {
				i++
			}
		}
		if i < len(old) {
			failed = append(failed, failure{pos: plan.Pos{File: c.File}, message: fmt.Sprintf("a call of %s.%s is gone", old[i].path, old[i].method)})
		}
	}
	return failed
}

// callsOf returns the calls of mutexes in a file in the order of the source, but for those at places that go; goes may be nil.
func callsOf(info *types.Info, file *ast.File, goes func(token.Pos) bool) []lock {
	type at struct {
		lock
		pos token.Pos
	}
	var found []at
	ast.Inspect(file, func(n ast.Node) bool {
		if l := lockCall(info, n); l != nil && (goes == nil || !goes(n.Pos())) {
			found = append(found, at{*l, n.Pos()})
		}
		return true
	})
	slices.SortStableFunc(found, func(a, b at) int { return cmp.Compare(a.pos, b.pos) })
	var list []lock
	for _, f := range found {
		list = append(list, f.lock)
	}
	return list
}
