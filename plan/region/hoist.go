package region

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"unicode"
	"unicode/utf8"

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
// What is taken out must be what the statement does first, and always, and once. Where a name that an initialiser declares would be
// in the way behind the statement, or a goto, which may not jump over a declaration, the section and the statement become a block. Several elements are taken out one after the
// other, and of what may not be evaluated all that says whether it is:
//
//	if k != "" && s.m[k] > 0 {   s.mu.Lock()
//		send(k)                  ok := k != "" && s.m[k] > 0
//	}                            s.mu.Unlock()
//	                             if ok {

// A Hoist is what is taken out of the head of a statement.
type Hoist struct {
	Node  ast.Node // the initialiser or expression
	Name  string   // of the variable that stands for the expression from then on; empty for an initialiser
	Clone bool     // it is the map, and the variable has a copy
}

// hoisted returns the section for uses that all stand in the head of stmt, which is one of list.
func (p *planner) hoisted(list []ast.Stmt, stmt ast.Stmt, uses []Use) (s Section, ok bool) {
	writes := slices.ContainsFunc(uses, func(u Use) bool { return u.Writes })
	s = Section{First: stmt, Last: stmt, Writes: writes, list: list}
	if init := initOf(stmt); init != nil {
		if !within(init, uses) || p.bracketHazard([]ast.Stmt{init}, uses) != nil {
			return Section{}, false
		}
		assign, ok := init.(*ast.AssignStmt)
		if !ok {
			return Section{}, false
		}
		s.Hoists = []Hoist{{Node: init}}
		s.Block = !p.mayMove(list, stmt, assign)
		return s, true
	}
	if s.Block = p.hasGoto(); writes || s.Block && declares(stmt) {
		return Section{}, false
	}
	if loop := loopOver(stmt); loop != nil && len(uses) == 1 && p.isMapAt(loop.X, uses[0].Pos) {
		name, ok := p.effects.Copies(loop)
		if !ok {
			return Section{}, false
		}
		if name = p.freeName([]string{name, name + "Copy", name + "2"}, list, stmt.Pos()); name == "" {
			return Section{}, false
		}
		s.Hoists = []Hoist{{loop.X, name, true}}
		return s, true
	}
	for _, e := range p.firstOperands(stmt, uses) {
		name := p.freeName(p.namesFor(e), list, stmt.Pos(), s.Hoists...)
		if name == "" || p.bracketHazard([]ast.Stmt{&ast.ExprStmt{X: e}}, uses) != nil {
			return Section{}, false
		}
		s.Hoists = append(s.Hoists, Hoist{Node: e, Name: name})
	}
	return s, len(s.Hoists) > 0
}

// declares reports whether stmt declares what is in scope behind it: a variable or a label.
func declares(stmt ast.Stmt) bool {
	assign, ok := stmt.(*ast.AssignStmt)
	_, labeled := stmt.(*ast.LabeledStmt)
	return labeled || ok && assign.Tok == token.DEFINE
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

// mayMove reports whether init may stand in front of stmt, one of list: what it declares is then in scope to the end of that.
func (p *planner) mayMove(list []ast.Stmt, stmt ast.Stmt, init *ast.AssignStmt) bool {
	if init.Tok != token.DEFINE {
		return true
	}
	if p.hasGoto() {
		return false
	}
	inner := p.fn.Info.Scopes[stmt]
	if inner == nil {
		return false
	}
	for _, lhs := range init.Lhs {
		id, ok := lhs.(*ast.Ident)
		if !ok {
			return false
		}
		if id.Name != "_" && (inner.Parent().Lookup(id.Name) != nil || p.meansAnother(id.Name, stmt) || p.isDeclared(id.Name, list)) {
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

// firstOperands returns the expressions that are to be taken out of stmt so that all uses are: elements and lengths of maps, or one
// expression that has them. It returns none if stmt may not evaluate them, or more than once, or calls something else before: the
// compiler reads a map after all calls that it is no operand of.
func (p *planner) firstOperands(stmt ast.Stmt, uses []Use) (list []ast.Expr) {
	all := heads(stmt)
	if assign, ok := stmt.(*ast.AssignStmt); ok {
		if assign.Tok != token.ASSIGN && assign.Tok != token.DEFINE || slices.ContainsFunc(assign.Lhs, func(lhs ast.Expr) bool { return slices.ContainsFunc(uses, func(u Use) bool { return stands(u, lhs) }) }) {
			return nil
		}
		all = slices.Concat(assign.Lhs, assign.Rhs)
	}
	for _, u := range uses {
		i := slices.IndexFunc(all, func(head ast.Expr) bool { return stands(u, head) })
		if i < 0 {
			return nil
		}
		if len(list) > 0 && stands(u, list[len(list)-1]) {
			continue
		}
		e := p.operandIn(all[i], u.Pos)
		if e == nil {
			if e = p.wholeIn(all[i], uses); e == nil {
				return nil
			}
			list = nil // all of it is in this one
		}
		if slices.ContainsFunc(list, func(o ast.Expr) bool { return e.Pos() < o.End() }) {
			return nil
		}
		list = append(list, e)
	}
	for _, e := range list {
		if slices.ContainsFunc(all, func(head ast.Expr) bool { return p.callsBeside(head, e) }) {
			return nil
		}
	}
	return list
}

// wholeIn returns the smallest condition in head that has all uses, and is evaluated once and in any case. It returns nil if there is
// none of type bool.
func (p *planner) wholeIn(head ast.Expr, uses []Use) (e ast.Expr) {
	ast.Inspect(head, func(n ast.Node) bool {
		if n == nil || !within(n, uses) {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BinaryExpr:
			if b, ok := p.fn.Info.TypeOf(n).(*types.Basic); ok && b.Info()&types.IsBoolean != 0 {
				e = n
			}
			return n.Op != token.LAND && n.Op != token.LOR || within(n.X, uses)
		}
		return true
	})
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
	case *ast.TypeSwitchStmt:
		return []ast.Expr{switched(stmt)}
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

// switched returns the expression whose type stmt looks at.
func switched(stmt *ast.TypeSwitchStmt) ast.Expr {
	switch assign := stmt.Assign.(type) {
	case *ast.AssignStmt:
		return assign.Rhs[0].(*ast.TypeAssertExpr).X
	default:
		return assign.(*ast.ExprStmt).X.(*ast.TypeAssertExpr).X
	}
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

// namesFor returns names for the variable that is to stand for e.
func (p *planner) namesFor(e ast.Expr) []string {
	names := []string{"v", "value", "entry"}
	switch e.(type) {
	case *ast.CallExpr:
		names = []string{"n", "size", "count"}
	case *ast.BinaryExpr:
		names = []string{"ok", "found", "holds"}
	default:
		if name := p.typeNameOf(e); name != "" {
			names = append(names, name)
		}
	}
	for i := 2; i < 10; i++ {
		names = append(names, fmt.Sprint(names[0], i))
	}
	return names
}

// typeNameOf returns the name of the type of e, or of what it points to, as a variable may have it; empty if there is none.
//
//	*Writer // writer
func (p *planner) typeNameOf(e ast.Expr) string {
	t := p.fn.Info.TypeOf(e)
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		t = ptr.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	first, size := utf8.DecodeRuneInString(named.Obj().Name())
	name := string(unicode.ToLower(first)) + named.Obj().Name()[size:]
	if token.IsKeyword(name) || p.fn.Types.Scope().Lookup(name) != nil || types.Universe.Lookup(name) != nil {
		return ""
	}
	return name
}

// freeName returns the first of names that stands nowhere in the function around pos and is none of a variable that a section
// declares in list, around it or in it, or that one of hoists has; or "".
func (p *planner) freeName(names []string, list []ast.Stmt, pos token.Pos, hoists ...Hoist) string {
	for _, name := range names {
		if !p.isTaken(name, pos) && !p.isDeclared(name, list) && !slices.ContainsFunc(hoists, func(h Hoist) bool { return h.Name == name }) {
			return name
		}
	}
	return ""
}

// Parts returns s, or for each of several things that are taken out a section with that alone.
func (s Section) Parts() (parts []Section) {
	for i := range s.Hoists {
		part := s
		part.Hoists = s.Hoists[i : i+1]
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return []Section{s}
	}
	return parts
}

// A Declared is a name that a section declares, and the statement list in which it does.
type Declared struct {
	Name     string
	From, To token.Pos
}

// Declares returns what s declares in front of its statement.
func (s Section) Declares() (out []Declared) {
	for _, h := range s.Hoists {
		names := []string{h.Name}
		if init, ok := h.Node.(*ast.AssignStmt); ok {
			names = nil
			for _, lhs := range init.Lhs {
				if id, ok := lhs.(*ast.Ident); ok && init.Tok == token.DEFINE && !s.Block {
					names = append(names, id.Name)
				}
			}
		}
		for _, name := range names {
			out = append(out, Declared{name, s.list[0].Pos(), s.list[len(s.list)-1].End()})
		}
	}
	return out
}

// isDeclared reports whether a section that was placed before declares name in list, around it or in it.
func (p *planner) isDeclared(name string, list []ast.Stmt) bool {
	from, to := list[0].Pos(), list[len(list)-1].End()
	return slices.ContainsFunc(p.declared, func(d Declared) bool { return d.Name == name && d.From < to && from < d.To })
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
