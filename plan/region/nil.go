package region

import (
	"go/ast"
	"go/token"
	"go/types"
)

// This file keeps the lock from being the first thing that dereferences a nil owner:
//
//	if s != nil && s.m[k] > 0 { ... }
//
// A section that begins before this statement locks s.mu even when s is nil.

// toleratesNil returns where the function, or a method of the owner's type in the file, compares the
// owner with anything: it may be nil then. It returns no position when nothing does, or when the
// owner is no pointer.
func (p *planner) toleratesNil(root *ast.Ident, obj types.Object) (pos token.Pos) {
	if _, pointer := obj.Type().Underlying().(*types.Pointer); !pointer {
		return token.NoPos
	}
	if pos := compares(p.fn.Body, obj, p.fn.Info); pos.IsValid() {
		return pos
	}
	for _, file := range p.fn.Package {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Body == nil || len(fn.Recv.List[0].Names) == 0 {
				continue
			}
			recv := p.fn.Info.Defs[fn.Recv.List[0].Names[0]]
			if recv != nil && types.Identical(recv.Type(), obj.Type()) {
				if pos := compares(fn.Body, recv, p.fn.Info); pos.IsValid() {
					return pos
				}
			}
		}
	}
	return token.NoPos
}

// compares returns where n compares obj with anything by == or !=.
func compares(n ast.Node, obj types.Object, info *types.Info) (pos token.Pos) {
	ast.Inspect(n, func(n ast.Node) bool {
		if b, ok := n.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) && (isVar(b.X, obj, info) || isVar(b.Y, obj, info)) {
			pos = b.Pos()
		}
		return true
	})
	return pos
}

func isVar(e ast.Expr, obj types.Object, info *types.Info) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && info.Uses[id] == obj
}

// isChecked reports whether one of stmts leaves the function when obj is nil, or uses a field of it.
func (p *planner) isChecked(stmts []ast.Stmt, obj types.Object) bool {
	for _, s := range stmts {
		if test, ok := s.(*ast.IfStmt); ok && test.Init == nil && test.Else == nil {
			cond, ok := ast.Unparen(test.Cond).(*ast.BinaryExpr)
			if ok && cond.Op == token.EQL && isVar(cond.X, obj, p.fn.Info) && p.fn.Info.Types[cond.Y].IsNil() && ends(test.Body) {
				return true
			}
		}
		if p.certain(s, obj) {
			return true
		}
	}
	return false
}

func ends(b *ast.BlockStmt) bool {
	if len(b.List) == 0 {
		return false
	}
	_, ok := b.List[len(b.List)-1].(*ast.ReturnStmt)
	return ok
}

// certain reports whether s, whatever way it goes, selects a field of obj.
func (p *planner) certain(s ast.Stmt, obj types.Object) bool {
	switch s := s.(type) {
	case *ast.IfStmt:
		return s.Init != nil && p.selects(s.Init, obj) || p.selects(s.Cond, obj)
	case *ast.ForStmt:
		return s.Init != nil && p.selects(s.Init, obj) || s.Cond != nil && p.selects(s.Cond, obj)
	case *ast.RangeStmt:
		return p.selects(s.X, obj)
	case *ast.SwitchStmt:
		return s.Init != nil && p.selects(s.Init, obj) || s.Tag != nil && p.selects(s.Tag, obj)
	case *ast.AssignStmt, *ast.ExprStmt, *ast.ReturnStmt, *ast.IncDecStmt, *ast.DeclStmt, *ast.SendStmt:
		return p.selects(s, obj)
	}
	return false
}

// selects reports whether evaluating n always selects a field of obj: not in a function literal, not
// behind && or ||.
func (p *planner) selects(n ast.Node, obj types.Object) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				found = found || p.selects(n.X, obj)
				return false
			}
		case *ast.SelectorExpr:
			if s := p.fn.Info.Selections[n]; s != nil && s.Kind() == types.FieldVal && isVar(n.X, obj, p.fn.Info) {
				found = true
			}
		}
		return !found
	})
	return found
}
