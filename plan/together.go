package plan

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file finds uses of one map in one function that belong together: between two accessors another
// goroutine may run.
//
//	if _, ok := s.m[k]; !ok { // two goroutines may both come here
//		s.m[k] = open(k)
//	}

// checkTogether refuses a function with two uses unless they certainly do not belong together. Uses on
// an object that no other goroutine can reach yet, and those of tests, may stand side by side.
func (w *wrapping) checkTogether() *Refusal {
	byFunc := make(map[*ast.FuncDecl][]*mention)
	for _, m := range w.mentions {
		if m.file.Test || !w.shared[m.id.Pos()] {
			continue
		}
		fn := m.decl()
		for _, other := range byFunc[fn] {
			if !w.areParted(other, m) && !independent(other, m) {
				return w.refuse(SplitRegion, m.id.Pos(), "the map is used before in the same function, and the two uses may belong together", "use --form lock, which holds one lock around both")
			}
		}
		byFunc[fn] = append(byFunc[fn], m)
	}
	return nil
}

// areParted reports whether a and b stand in two sections of a guard that goes: between them another goroutine may run already.
func (w *wrapping) areParted(a, b *mention) bool {
	x, inX := w.sections[a]
	y, inY := w.sections[b]
	return inX && inY && x != y
}

// independent reports whether a, and b after it, may be parted by what another goroutine does.
func independent(a, b *mention) bool {
	if exclusive(a, b) {
		return true
	}
	x, y := started(a), started(b)
	if x != y {
		return true // one of them runs in a goroutine of its own
	}
	reads := a.shape == ShapeIndex && b.shape == ShapeIndex
	return reads && a.key != b.key
}

// exclusive reports whether a, and b after it, stand in two branches of one statement.
func exclusive(a, b *mention) bool {
	n, i := min(len(a.stack), len(b.stack)), 0
	for i < n && a.stack[i] == b.stack[i] {
		i++
	}
	if i == n { // one use is an operand of the other
		return false
	}
	switch branch := a.stack[i].(type) {
	case *ast.BlockStmt:
		_, ok := a.stack[i-1].(*ast.IfStmt)
		return ok // b is in the other
	case *ast.CaseClause: // b is in a later one, and that may be chosen only if this was not
		return a.id.Pos() > branch.Colon && !falls(branch)
	case *ast.CommClause:
		return true
	}
	return false
}

// falls reports whether c ends in a fallthrough, or another jump.
func falls(c *ast.CaseClause) bool {
	_, jump := c.Body[len(c.Body)-1].(*ast.BranchStmt)
	return jump
}

// started returns the innermost function literal around m that runs in a goroutine of its own, or nil:
// that of a go statement, or an argument of a function that starts it.
func started(m *mention) ast.Node {
	for i := len(m.stack) - 1; i > 0; i-- {
		lit, ok := m.stack[i].(*ast.FuncLit)
		if !ok {
			continue
		}
		call, ok := m.stack[i-1].(*ast.CallExpr)
		if !ok {
			continue
		}
		if call.Fun == ast.Expr(lit) {
			if _, ok := m.stack[i-2].(*ast.GoStmt); ok {
				return lit
			}
			continue
		}
		if callee, ok := typeutil.Callee(m.pkg.Info, call).(*types.Func); ok {
			arg, ok := (*model.Library)(nil).Starts(access.ObjectKey(callee)) // what a configuration adds is a refusal more
			if callee.Signature().Recv() != nil {
				arg.Arg--
			}
			if ok && arg.Arg == slices.Index(call.Args, ast.Expr(lit)) {
				return lit
			}
		}
	}
	return nil
}
