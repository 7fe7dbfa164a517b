package region

import (
	"go/ast"
	"go/types"
)

// This file puts statements that may panic into a function of their own, which gives the lock back whatever happens:
//
//	func() {
//		s.mu.Lock()
//		defer s.mu.Unlock()
//		s.m[k] = parts[0]
//	}()

// enclosed reports whether list[i:j+1] may be the body of a function literal that is called on the spot: control does not leave
// it, it defers nothing, and what it declares is not used behind it.
func (p *planner) enclosed(list []ast.Stmt, i, j int) bool {
	stmts := list[i : j+1]
	if p.hazard(stmts) != nil || leaves(stmts).IsValid() {
		return false
	}
	fits := true
	declared := make(map[types.Object]bool)
	for _, s := range stmts {
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.DeferStmt:
				fits = false
			case *ast.LabeledStmt:
				fits = fits && !p.isTarget(n.Label.Name)
			case *ast.Ident:
				if n.Name == "recover" {
					fits = false
				}
				if obj := p.fn.Info.Defs[n]; obj != nil {
					declared[obj] = true
				}
			}
			return true
		})
	}
	for _, s := range list[j+1:] {
		ast.Inspect(s, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && declared[p.fn.Info.Uses[id]] {
				fits = false
			}
			return true
		})
	}
	return fits
}
