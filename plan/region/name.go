package region

import (
	"go/ast"
	"go/token"
	"slices"
)

// This file looks at what lies between the start of a section and its end: a name that changes its meaning, and a goto that
// takes only one of the two.

// redeclared returns an obstacle when one of stmts, a run of a statement list, declares a variable of the name that the lock begins
// with: behind them the name no longer leads to the lock.
//
//	s, ok := s.m[k]
func (p *planner) redeclared(stmts []ast.Stmt) *Obstacle {
	var found *ast.Ident
	root := rootIdent(p.lock.Expr)
	if root == nil {
		return nil
	}
	declares := func(e ast.Expr) {
		if id, ok := e.(*ast.Ident); ok && id.Name == root.Name && p.fn.Info.Defs[id] != nil {
			found = id
		}
	}
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.AssignStmt:
			for _, lhs := range s.Lhs {
				declares(lhs)
			}
		case *ast.DeclStmt:
			for _, spec := range s.Decl.(*ast.GenDecl).Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						declares(name)
					}
				case *ast.TypeSpec:
					declares(spec.Name)
				}
			}
		}
	}
	if found == nil {
		return nil
	}
	return &Obstacle{OwnerUnreachable, found.Pos(), found.Name + " is another variable where the section would end", "use another name for it"}
}

// isTarget reports whether a goto of the function leads to the label of that name.
func (p *planner) isTarget(label string) (found bool) {
	ast.Inspect(p.fn.Body, func(n ast.Node) bool {
		b, ok := n.(*ast.BranchStmt)
		found = found || ok && b.Tok == token.GOTO && b.Label.Name == label
		return !found
	})
	return found
}

// crossed returns an obstacle when a goto passes from, where a section would begin that runs to the end of the function:
// one that enters it would not take the lock, and one that goes back would take it twice.
func (p *planner) crossed(from token.Pos) *Obstacle {
	labels := make(map[string]token.Pos)
	var jumps []*ast.BranchStmt
	ast.Inspect(p.fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.LabeledStmt:
			labels[n.Label.Name] = n.Pos()
		case *ast.BranchStmt:
			if n.Tok == token.GOTO {
				jumps = append(jumps, n)
			}
		}
		return true
	})
	i := slices.IndexFunc(jumps, func(b *ast.BranchStmt) bool { return (b.Pos() < from) != (labels[b.Label.Name] < from) })
	if i < 0 {
		return nil
	}
	return &Obstacle{NotBracketable, jumps[i].Pos(), "a goto enters or leaves the section", "guard the uses by hand"}
}
