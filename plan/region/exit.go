package region

import (
	"go/ast"
	"go/token"
	"slices"
)

// This file gives the lock back on the ways out of a section:
//
//	s.mu.Lock()
//	if s.m[k] > limit {
//		s.mu.Unlock()
//		return errFull
//	}
//	s.m[k]++
//	s.mu.Unlock()
//
// What an exit does itself is done without the lock.

// exits returns the statements by which control leaves stmts, if the lock can be given back in front of each and behind stmts.
func (p *planner) exits(stmts []ast.Stmt, uses []Use) []ast.Stmt {
	found := exitsOf(stmts)
	held := *p
	held.left = found
	if held.hazard(stmts) != nil || held.keepsLock(stmts, uses) != nil || !mayEnd(stmts[len(stmts)-1]) {
		return nil
	}
	for _, exit := range found {
		if slices.ContainsFunc(p.uses, func(u Use) bool { return within(exit, []Use{u}) }) {
			return nil
		}
		if b, ok := exit.(*ast.BranchStmt); ok && b.Tok != token.BREAK && b.Tok != token.CONTINUE {
			return nil
		}
	}
	return found
}

// mayEnd reports whether control may come to what follows stmt, so that an unlock there is no dead code.
func mayEnd(stmt ast.Stmt) bool {
	switch stmt := stmt.(type) {
	case *ast.AssignStmt, *ast.IncDecStmt, *ast.RangeStmt, *ast.DeclStmt:
		return true
	case *ast.IfStmt:
		return stmt.Else == nil
	case *ast.ForStmt:
		return stmt.Cond != nil
	}
	return false
}
