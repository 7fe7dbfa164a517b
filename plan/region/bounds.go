package region

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// This file knows when an element is there, because something around it, or before it, says so:
//
//	if len(parts) >= 2 {
//		v := s.m[parts[1]]
//
//	if len(parts) < 2 {
//		return
//	}
//
//	for i := range keys {
//		s.m[keys[i]]++

// isWithin reports whether n, an element of a slice or string, is certain to be there. What has the element is a variable of the
// function that is never assigned once it is declared.
func (p *planner) isWithin(n *ast.IndexExpr) bool {
	id, ok := ast.Unparen(n.X).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := p.fn.Info.Uses[id].(*types.Var)
	decl := p.declAround()
	if !ok || decl == nil || v.Pos() < decl.Pos() || decl.End() <= v.Pos() || !hasLength(v.Type()) || p.hasGoto() || p.isAssigned(decl, v) {
		return false
	}
	need, least, within := int64(-1), int64(0), false
	if value := p.fn.Info.Types[n.Index].Value; value != nil {
		if i, exact := constant.Int64Val(constant.ToInt(value)); exact && i >= 0 {
			need = i
		}
	}
	ast.PreorderStack(decl, nil, func(at ast.Node, stack []ast.Node) bool {
		if at == ast.Node(n) {
			for i, around := range stack {
				inner := at
				if i+1 < len(stack) {
					inner = stack[i+1]
				}
				if need >= 0 {
					least = max(least, p.saidBy(around, inner, v))
				}
				within = within || p.isRound(around, inner, n.Index, v, decl)
			}
		}
		return at.Pos() <= n.Pos() && n.End() <= at.End()
	})
	return within || need >= 0 && need < least
}

// hasLength reports whether t is a slice or a string: a pointer to an array has a length even if it is nil.
func hasLength(t types.Type) bool {
	_, slice := t.Underlying().(*types.Slice)
	return slice || isBasic(t, types.IsString)
}

// declAround returns the declaration that the body stands in, or nil.
func (p *planner) declAround() ast.Node {
	for _, decl := range p.fn.File.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Pos() <= p.fn.Body.Pos() && p.fn.Body.End() <= fn.End() {
			return fn
		}
	}
	return nil
}

// isAssigned reports whether something in decl assigns v, or takes its address, after it is declared.
func (p *planner) isAssigned(decl ast.Node, v *types.Var) (found bool) {
	is := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && p.fn.Info.Uses[id] == v
	}
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				found = found || is(lhs)
			}
		case *ast.IncDecStmt:
			found = found || is(n.X)
		case *ast.RangeStmt:
			found = found || n.Key != nil && is(n.Key) || n.Value != nil && is(n.Value)
		case *ast.UnaryExpr:
			found = found || n.Op == token.AND && is(n.X)
		case *ast.SelectorExpr:
			s := p.fn.Info.Selections[n]
			found = found || s != nil && is(n.X) && takesPointer(s.Obj())
		}
		return !found
	})
	return found
}

// saidBy returns how long v is at least in inner, a part of around, because of what else is in that.
func (p *planner) saidBy(around, inner ast.Node, v *types.Var) (least int64) {
	switch around := around.(type) {
	case *ast.IfStmt:
		if inner == ast.Node(around.Body) {
			return p.leastIf(around.Cond, v, token.LAND, false)
		}
	case *ast.BinaryExpr:
		if around.Op == token.LAND && inner == ast.Node(around.Y) {
			return p.leastIf(around.X, v, token.LAND, false)
		}
	}
	for _, stmt := range ListOf(around) {
		if stmt == inner {
			break
		}
		if cond, ok := stmt.(*ast.IfStmt); ok && cond.Else == nil && endsPath(cond.Body) {
			least = max(least, p.leastIf(cond.Cond, v, token.LOR, true))
		}
	}
	return least
}

// endsPath reports whether control does not come to the end of body.
func endsPath(body *ast.BlockStmt) bool {
	if len(body.List) == 0 {
		return false
	}
	switch last := body.List[len(body.List)-1].(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return last.Tok == token.CONTINUE || last.Tok == token.BREAK
	}
	return false
}

// leastIf returns how long v is at least if cond, or one of the parts that op joins, is true or, with not, false.
func (p *planner) leastIf(cond ast.Expr, v *types.Var, op token.Token, not bool) int64 {
	b, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok {
		return 0
	}
	if b.Op == op {
		return max(p.leastIf(b.X, v, op, not), p.leastIf(b.Y, v, op, not))
	}
	rel := b.Op
	size, bound := b.X, b.Y
	if p.fn.Info.Types[size].Value != nil {
		size, bound = bound, size
		rel = mirrored[rel]
	}
	if not {
		rel = negated[rel]
	}
	value := p.fn.Info.Types[bound].Value
	if value == nil || !p.isLenOf(size, v) {
		return 0
	}
	k, exact := constant.Int64Val(constant.ToInt(value))
	switch {
	case !exact:
	case rel == token.GTR:
		return k + 1
	case rel == token.GEQ || rel == token.EQL:
		return k
	case rel == token.NEQ && k == 0:
		return 1
	}
	return 0
}

// mirrored are the relations with the operands the other way round.
var mirrored = map[token.Token]token.Token{
	token.GTR: token.LSS, token.GEQ: token.LEQ, token.LSS: token.GTR, token.LEQ: token.GEQ, token.EQL: token.EQL, token.NEQ: token.NEQ,
}

// negated are the relations that hold when the others do not.
var negated = map[token.Token]token.Token{
	token.GTR: token.LEQ, token.GEQ: token.LSS, token.LSS: token.GEQ, token.LEQ: token.GTR, token.EQL: token.NEQ, token.NEQ: token.EQL,
}

// isLenOf reports whether e is len(v).
func (p *planner) isLenOf(e ast.Expr, v *types.Var) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return false
	}
	b, ok := typeutil.Callee(p.fn.Info, call).(*types.Builtin)
	id, isName := ast.Unparen(call.Args[0]).(*ast.Ident)
	return ok && b.Name() == "len" && isName && p.fn.Info.Uses[id] == v
}

// isRound reports whether around is a loop over v whose body is inner, and index its number of the round.
func (p *planner) isRound(around, inner ast.Node, index ast.Expr, v *types.Var, decl ast.Node) bool {
	loop, ok := around.(*ast.RangeStmt)
	if !ok || inner != ast.Node(loop.Body) || loop.Tok != token.DEFINE || loop.Key == nil {
		return false
	}
	key, ok := loop.Key.(*ast.Ident)
	over, isName := ast.Unparen(loop.X).(*ast.Ident)
	id, isIndex := ast.Unparen(index).(*ast.Ident)
	if !ok || !isName || !isIndex || p.fn.Info.Uses[over] != v {
		return false
	}
	i, ok := p.fn.Info.Defs[key].(*types.Var)
	return ok && p.fn.Info.Uses[id] == i && !p.isAssigned(decl, i)
}
