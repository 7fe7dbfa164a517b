package region

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"
)

// This file takes the use of a map out of the head of a statement that itself may not run while the lock is held:
//
//	if v, ok := s.m[k]; ok {     s.mu.Lock()
//		send(v)                  v, ok := s.m[k]
//	}                            s.mu.Unlock()
//	                             if ok {
//	                                 send(v)
//	                             }
//
//	return newLease(s.m[k])      s.mu.Lock()
//	                             v := s.m[k]
//	                             s.mu.Unlock()
//	                             return newLease(v)
//
//	for _, v := range s.m {      s.mu.Lock()
//	    send(v)                  m := maps.Clone(s.m)
//	}                            s.mu.Unlock()
//	                             for _, v := range m {
//
// What is taken out must be what the statement does first, and always, and once.

// hoisted returns the section for uses that all stand in the head of stmt, which is one of list.
func (p *planner) hoisted(stmt ast.Stmt, uses []Use) (s Section, ok bool) {
	writes := slices.ContainsFunc(uses, func(u Use) bool { return u.Writes })
	s = Section{First: stmt, Last: stmt, Writes: writes}
	if init := initOf(stmt); init != nil {
		if !within(init, uses) || !p.mayMove(stmt, init) || p.bracketHazard([]ast.Stmt{init}, uses) != nil {
			return Section{}, false
		}
		s.Hoist = init
		return s, true
	}
	if len(uses) != 1 || writes || p.hasGoto() {
		return Section{}, false
	}
	if loop := loopOver(stmt); loop != nil && p.isMapAt(loop.X, uses[0].Pos) {
		name, ok := p.effects.Copies(loop)
		if !ok || p.isTaken(name, stmt.Pos()) {
			return Section{}, false
		}
		s.Hoist, s.Name, s.Clone = loop.X, name, true
		return s, true
	}
	e := p.firstOperand(stmt, uses[0].Pos)
	if e == nil || p.bracketHazard([]ast.Stmt{&ast.ExprStmt{X: e}}, uses) != nil {
		return Section{}, false
	}
	if s.Name = p.freeName(e, stmt.Pos()); s.Name == "" {
		return Section{}, false
	}
	s.Hoist = e
	return s, true
}

// initOf returns the initialiser of stmt, if it is one that runs once.
func initOf(stmt ast.Stmt) ast.Stmt {
	switch stmt := stmt.(type) {
	case *ast.IfStmt:
		return stmt.Init
	case *ast.SwitchStmt:
		return stmt.Init
	case *ast.TypeSwitchStmt:
		return stmt.Init
	}
	return nil
}

func within(n ast.Node, uses []Use) bool {
	return !slices.ContainsFunc(uses, func(u Use) bool { return u.Pos < n.Pos() || n.End() <= u.Pos })
}

// mayMove reports whether init may stand in front of stmt: what it declares is then in scope to the end of the block.
func (p *planner) mayMove(stmt, init ast.Stmt) bool {
	assign, ok := init.(*ast.AssignStmt)
	if !ok || p.hasGoto() { // a goto may not jump over a declaration
		return false
	}
	if assign.Tok != token.DEFINE {
		return true
	}
	inner := p.fn.Info.Scopes[stmt]
	if inner == nil {
		return false
	}
	for _, lhs := range assign.Lhs {
		id, ok := lhs.(*ast.Ident)
		if !ok {
			return false
		}
		if id.Name != "_" && (inner.Parent().Lookup(id.Name) != nil || p.meansAnother(id.Name, stmt)) {
			return false
		}
	}
	return true
}

// meansAnother reports whether name, somewhere behind stmt, means what is declared in front of it or further out.
func (p *planner) meansAnother(name string, stmt ast.Stmt) (found bool) {
	ast.Inspect(p.fn.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || id.Name != name || id.Pos() < stmt.End() {
			return true
		}
		if obj := p.fn.Info.Uses[id]; obj != nil && obj.Parent() != nil && obj.Pos() < stmt.End() {
			found = true
		}
		return true
	})
	return found
}

// hasGoto reports whether the function jumps to a label.
func (p *planner) hasGoto() bool {
	if p.jumps == nil {
		found := false
		ast.Inspect(p.fn.Body, func(n ast.Node) bool {
			b, ok := n.(*ast.BranchStmt)
			found = found || ok && b.Tok == token.GOTO
			return !found
		})
		p.jumps = &found
	}
	return *p.jumps
}

// firstOperand returns the element or the length of the map that is used at pos, if stmt evaluates it once and in any case, and
// calls nothing else before it is used: the compiler reads a map after all calls that it is no operand of.
func (p *planner) firstOperand(stmt ast.Stmt, pos token.Pos) (e ast.Expr) {
	all := heads(stmt)
	if assign, ok := stmt.(*ast.AssignStmt); ok {
		if assign.Tok != token.ASSIGN && assign.Tok != token.DEFINE || slices.ContainsFunc(assign.Lhs, func(lhs ast.Expr) bool { return within(lhs, []Use{{Pos: pos}}) }) {
			return nil
		}
		all = slices.Concat(assign.Lhs, assign.Rhs)
	}
	for _, head := range all {
		if head.Pos() <= pos && pos < head.End() {
			e = p.operandIn(head, pos)
		}
	}
	if e == nil || slices.ContainsFunc(all, func(head ast.Expr) bool { return p.callsBeside(head, e) }) {
		return nil
	}
	return e
}

// heads returns the expressions that stmt, if it is no assignment, evaluates first, in order.
func heads(stmt ast.Stmt) []ast.Expr {
	switch stmt := stmt.(type) {
	case *ast.LabeledStmt:
		if r, ok := stmt.Stmt.(*ast.RangeStmt); ok {
			return []ast.Expr{r.X}
		}
	case *ast.IfStmt:
		return []ast.Expr{stmt.Cond}
	case *ast.SwitchStmt:
		if stmt.Tag != nil {
			return []ast.Expr{stmt.Tag}
		}
	case *ast.RangeStmt:
		return []ast.Expr{stmt.X}
	case *ast.ReturnStmt:
		return stmt.Results
	case *ast.ExprStmt:
		return []ast.Expr{stmt.X}
	case *ast.SendStmt:
		return []ast.Expr{stmt.Chan, stmt.Value}
	case *ast.GoStmt:
		return []ast.Expr{stmt.Call}
	case *ast.DeferStmt:
		return []ast.Expr{stmt.Call}
	}
	return nil
}

// operandIn returns the element or length in head whose map is named at pos.
func (p *planner) operandIn(head ast.Expr, pos token.Pos) (e ast.Expr) {
	ast.PreorderStack(head, nil, func(n ast.Node, stack []ast.Node) bool {
		if pos < n.Pos() || n.End() <= pos {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BinaryExpr:
			if (n.Op == token.LAND || n.Op == token.LOR) && n.Y.Pos() <= pos {
				return false
			}
		case *ast.IndexExpr:
			if p.isMapAt(n.X, pos) {
				e = p.element(n, stack)
			}
		case *ast.CallExpr:
			if b, ok := ast.Unparen(n.Fun).(*ast.Ident); ok && b.Name == "len" && p.fn.Info.Types[n.Fun].IsBuiltin() && p.isMapAt(n.Args[0], pos) {
				e = n
			}
		}
		return e == nil
	})
	return e
}

// isMapAt reports whether e is a map that is named at pos.
func (p *planner) isMapAt(e ast.Expr, pos token.Pos) bool {
	if t := p.fn.Info.TypeOf(e); t == nil || !isMapType(t) {
		return false
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return e.Pos() == pos
	case *ast.SelectorExpr:
		return e.Sel.Pos() == pos
	}
	return false
}

func isMapType(t types.Type) bool {
	_, ok := t.Underlying().(*types.Map)
	return ok
}

// element returns index, an element of a map, or the field of it that is all that is asked for. It returns nil where a variable of that
// type would be something else than the element.
func (p *planner) element(index *ast.IndexExpr, stack []ast.Node) ast.Expr {
	if _, pair := p.fn.Info.TypeOf(index).(*types.Tuple); pair {
		return nil
	}
	var e ast.Expr = index
	for i := len(stack) - 1; i >= 0; i-- {
		sel, ok := stack[i].(*ast.SelectorExpr)
		if _, isStruct := p.fn.Info.TypeOf(e).Underlying().(*types.Struct); !ok || !isStruct || p.fn.Info.Selections[sel] == nil || p.fn.Info.Selections[sel].Kind() != types.FieldVal {
			break
		}
		e = sel
	}
	if isMapType(p.fn.Info.TypeOf(e)) {
		return nil // what it holds is used outside
	}
	return e
}

// callsBeside reports whether something in head may change anything, or wait, that e is no operand of: a call or a receive. A nil e is
// no operand of anything.
func (p *planner) callsBeside(head ast.Node, e ast.Expr) (found bool) {
	ast.Inspect(head, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW && (e == nil || !holds(n, e))
		case *ast.CallExpr:
			found = found || (e == nil || !holds(n, e)) && p.mayDo(n)
		}
		return true
	})
	return found
}

// mayDo reports whether call may do more than compute a value.
func (p *planner) mayDo(call *ast.CallExpr) bool {
	tv := p.fn.Info.Types[call.Fun]
	b, _ := ast.Unparen(call.Fun).(*ast.Ident)
	callee, _ := typeutil.Callee(p.fn.Info, call).(*types.Func)
	return !tv.IsType() && !(tv.IsBuiltin() && b != nil && (b.Name == "len" || b.Name == "cap")) && !(callee != nil && p.effects.Total(callee))
}

// loopOver returns the range statement that stmt is, with or without a label.
func loopOver(stmt ast.Stmt) *ast.RangeStmt {
	if l, ok := stmt.(*ast.LabeledStmt); ok {
		stmt = l.Stmt
	}
	loop, _ := stmt.(*ast.RangeStmt)
	return loop
}

// freeName returns a name for e that stands nowhere in the function around pos, or "".
func (p *planner) freeName(e ast.Expr, pos token.Pos) string {
	names := []string{"v", "value", "entry"}
	if _, length := e.(*ast.CallExpr); length {
		names = []string{"n", "size", "count"}
	}
	for _, name := range names {
		if !p.isTaken(name, pos) {
			return name
		}
	}
	return ""
}

// isTaken reports whether name stands somewhere in the function around pos, but as the name of a field or method.
func (p *planner) isTaken(name string, pos token.Pos) (taken bool) {
	for _, decl := range p.fn.File.Decls {
		if pos < decl.Pos() || decl.End() <= pos {
			continue
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == name {
				obj := p.fn.Info.ObjectOf(id)
				taken = taken || obj == nil || obj.Parent() != nil
			}
			return true
		})
	}
	return taken
}
