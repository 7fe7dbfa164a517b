package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/load"
)

// This file looks at the bodies of methods whose receivers are to become pointers. They have a copy of the owner to
// themselves, as it was when they were called, and must do nothing by which that is told from the owner itself:
//
//	func (s Store) sorted() []string {
//		s.less = byName // of the copy
//	}
//
//	defer s.flush() // the copy is made here
//	s.name = "new"

// checkBodies refuses methods that keep or change their copy, and finds what they read, lock and call of it. What
// methods they call on it, which may have pointer receivers, do too.
func (g *changing) checkBodies() *Refusal {
	seen := make(map[*method]bool)
	todo := g.changed()
	for len(todo) > 0 {
		m := todo[0]
		todo = todo[1:]
		if seen[m] {
			continue
		}
		seen[m] = true
		m.reads = make(map[string]bool)
		if m.decl.Body == nil {
			return g.no(m.decl.Name.Pos(), "the method "+m.name+", which is called on a copy, has no body in Go")
		}
		if recv := m.receiver(g.c.decl.pkg.Info); recv != nil {
			if r := g.checkBody(m, recv); r != nil {
				return r
			}
		}
		todo = append(todo, m.calls...)
	}
	return nil
}

// checkBody is checkBodies of one method, whose receiver is recv.
func (g *changing) checkBody(m *method, recv types.Object) (r *Refusal) {
	info := g.c.decl.pkg.Info
	ast.PreorderStack(m.decl.Body, nil, func(n ast.Node, stack []ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && r == nil && info.Uses[id] == recv {
			r = g.checkReceiver(m, id, stack)
		}
		return r == nil
	})
	return r
}

// checkReceiver looks at one mention of the receiver of m.
func (g *changing) checkReceiver(m *method, id *ast.Ident, stack []ast.Node) *Refusal {
	info := g.c.decl.pkg.Info
	sel, ok := stack[len(stack)-1].(*ast.SelectorExpr)
	if !ok || sel.X != id {
		return g.no(id.Pos(), "the method "+m.name+" has a copy of "+g.c.finding.Owner+", and uses "+id.Name+" as a whole")
	}
	stack = stack[:len(stack)-1]
	selection := info.Selections[sel]
	if selection.Kind() == types.FieldVal {
		if name, byValue := g.fieldIn(selection); name != "" {
			m.reads[name] = true
			if !byValue {
				return nil
			}
		}
		how, call := touched(info, stack, sel)
		switch {
		case call != nil:
			lock := ast.Unparen(call.Fun).(*ast.SelectorExpr)
			m.locks = append(m.locks, ownLock{call, withoutRoot(lock.X), lock.Sel.Name})
		case how != "":
			return g.no(id.Pos(), "the method "+m.name+" "+how+" "+types.ExprString(sel)+", which is a copy")
		}
		return nil
	}
	fn := selection.Obj().(*types.Func)
	call, called := parentOf(stack).(*ast.CallExpr)
	called = called && ast.Unparen(call.Fun) == sel
	if o := g.methodOf(fn); o != nil && len(selection.Index()) == 1 {
		if !called {
			return g.no(id.Pos(), "the method "+m.name+" keeps the method "+o.name+" of a copy")
		}
		m.calls = append(m.calls, o)
		return nil
	}
	name, byValue := g.fieldIn(selection)
	m.reads[name] = true
	_, pointer := types.Unalias(fn.Signature().Recv().Type()).(*types.Pointer)
	switch {
	case !byValue || !pointer: // of what the field leads to, or of a copy of the field
		return nil
	case called && isMutexCall(fn) && len(selection.Index()) == 2:
		m.locks = append(m.locks, ownLock{call, name, sel.Sel.Name})
		return nil
	}
	return g.no(id.Pos(), "the method "+m.name+" calls "+types.ExprString(sel)+" of a copy")
}

// parentOf returns what stands around the innermost node of stack, parentheses aside; nil when nothing does.
func parentOf(stack []ast.Node) ast.Node {
	for _, n := range slices.Backward(stack) {
		if _, ok := n.(*ast.ParenExpr); !ok {
			return n
		}
	}
	return nil
}

// withoutRoot writes e, a path of selectors, without its first name: "mu" of s.mu. It is empty if e is none.
func withoutRoot(e ast.Expr) string {
	if !IsPath(e) {
		return ""
	}
	_, rest, _ := strings.Cut(types.ExprString(e), ".")
	return rest
}

// fieldIn returns the field of the owner that a selection goes through, if any, and whether all that follows it stands in the
// owner, too.
func (g *changing) fieldIn(selection *types.Selection) (name string, byValue bool) {
	at := selection.Recv()
	steps := selection.Index()
	if selection.Kind() != types.FieldVal {
		steps = steps[:len(steps)-1]
	}
	for _, i := range steps {
		if _, pointer := at.Underlying().(*types.Pointer); pointer && name != "" {
			return name, false
		}
		field := fieldOf(at, i)
		if g.isOwner(pointee(at)) {
			name = field.Name()
		}
		at = field.Type()
	}
	if _, pointer := at.Underlying().(*types.Pointer); pointer && selection.Kind() != types.FieldVal {
		return name, false
	}
	return name, true
}

// touched says what becomes of e, a part of a struct that has it for itself, other than that it is read: empty if
// nothing does. If a mutex in it is locked or unlocked, call is that.
func touched(info *types.Info, stack []ast.Node, e ast.Expr) (how string, call *ast.CallExpr) {
	for i := len(stack) - 1; i >= 0; i-- {
		switch p := stack[i].(type) {
		case *ast.ParenExpr:
			e = p
			continue
		case *ast.IndexExpr:
			if _, array := info.TypeOf(e).Underlying().(*types.Array); array && p.X == e {
				e = p
				continue
			}
		case *ast.SelectorExpr:
			if isReference(info.TypeOf(e)) {
				return "", nil
			}
			selection := info.Selections[p]
			fn, isMethod := selection.Obj().(*types.Func)
			switch {
			case !isMethod && !selection.Indirect():
				e = p
				continue
			case !isMethod || passesPointer(selection):
				return "", nil
			}
			recv := fn.Signature().Recv().Type()
			if _, pointer := types.Unalias(recv).(*types.Pointer); !pointer {
				return "", nil
			}
			if c, ok := parentOf(stack[:i]).(*ast.CallExpr); ok && ast.Unparen(c.Fun) == p && isMutexCall(fn) {
				return "", c
			}
			return "changes, by a call of " + fn.Name() + ",", nil
		case *ast.AssignStmt:
			if slices.Contains(p.Lhs, e) {
				return "assigns", nil
			}
		case *ast.IncDecStmt:
			return "changes", nil
		case *ast.UnaryExpr:
			if p.Op == token.AND {
				return "takes the address of", nil
			}
		case *ast.RangeStmt:
			if p.Key == e || p.Value == e {
				return "assigns", nil
			}
		case *ast.SliceExpr:
			if _, array := info.TypeOf(e).Underlying().(*types.Array); array && p.X == e {
				return "slices", nil
			}
		}
		return "", nil
	}
	return "", nil
}

// passesPointer reports whether a method is selected by way of a pointer that is a field.
func passesPointer(selection *types.Selection) bool {
	at := selection.Recv()
	for _, i := range selection.Index()[:len(selection.Index())-1] {
		at = fieldOf(at, i).Type()
		if isReference(at) {
			return true
		}
	}
	return isReference(at)
}

// checkSnapshots refuses methods that may see the fields of the owner change where they had a copy.
func (g *changing) checkSnapshots() *Refusal {
	assigned := g.assignedFields()
	for _, m := range g.changed() {
		pos := token.NoPos
		for _, field := range slices.Sorted(maps.Keys(g.readBy(m, make(map[*method]bool)))) {
			if at, ok := assigned[field]; ok {
				pos = at
				break
			}
		}
		switch {
		case !pos.IsValid():
		case g.delayed[m.name]:
			return g.no(pos, "what "+m.name+" reads of a copy is assigned here, and "+m.name+" is called later than the copy is made")
		case !g.isQuick(m, make(map[*method]bool)):
			return g.no(pos, "what "+m.name+" reads of a copy is assigned here, which may happen while "+m.name+" runs")
		}
	}
	return nil
}

// readBy returns the fields that m, and what it calls of its receiver, read.
func (g *changing) readBy(m *method, seen map[*method]bool) map[string]bool {
	out := make(map[string]bool)
	if seen[m] {
		return out
	}
	seen[m] = true
	maps.Copy(out, m.reads)
	for _, o := range m.calls {
		maps.Copy(out, g.readBy(o, seen))
	}
	return out
}

// assignedFields returns the fields of the owner that are assigned, in part or as a whole, or may be by their address,
// and where. Literals of the owner do not count: nobody has what they make.
func (g *changing) assignedFields() map[string]token.Pos {
	out := make(map[string]token.Pos)
	for _, f := range g.d.shows() { // json.Unmarshal(data, &s)
		if g.isOwner(pointee(f.from)) {
			g.open(out, pointee(f.from), f.value.Pos())
		}
	}
	g.w.inOwners(func(pkg *load.Package, n ast.Node, stack []ast.Node) *Refusal {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return nil
		}
		selection := pkg.Info.Selections[sel]
		if selection == nil {
			return nil
		}
		name, byValue := g.fieldIn(selection)
		if name == "" || !byValue {
			return nil
		}
		how := ""
		if selection.Kind() == types.FieldVal {
			how, _ = touched(pkg.Info, stack, sel)
		} else if fn := selection.Obj().(*types.Func); g.methodOf(fn) == nil && !isMutexCall(fn) {
			if _, pointer := types.Unalias(fn.Signature().Recv().Type()).(*types.Pointer); pointer {
				how = "changes"
			}
		}
		if _, known := out[name]; how != "" && !known {
			out[name] = sel.Sel.Pos()
		}
		return nil
	})
	return out
}

// open adds to out the fields of t that reflection may assign.
func (g *changing) open(out map[string]token.Pos, t types.Type, pos token.Pos) {
	if st, ok := t.Underlying().(*types.Struct); ok {
		for f := range st.Fields() {
			if f.Exported() || f.Embedded() {
				out[f.Name()] = pos
			}
		}
	}
}

// isQuick reports whether nothing else happens in the goroutine while m runs, so that its receiver stays as it is.
func (g *changing) isQuick(m *method, seen map[*method]bool) bool {
	if seen[m] {
		return true
	}
	seen[m] = true
	info := g.c.decl.pkg.Info
	quick := true
	ast.Inspect(m.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt, *ast.SendStmt, *ast.SelectStmt:
			quick = false
		case *ast.UnaryExpr:
			quick = quick && n.Op != token.ARROW
		case *ast.RangeStmt:
			switch info.TypeOf(n.X).Underlying().(type) {
			case *types.Chan, *types.Signature:
				quick = false
			}
		case *ast.CallExpr:
			if tv := info.Types[n.Fun]; tv.IsType() || tv.IsBuiltin() {
				return quick
			}
			callee, ok := typeutil.Callee(info, n).(*types.Func)
			if !ok {
				quick = false
				return false
			}
			if o := g.methodOf(callee); o != nil && slices.Contains(m.calls, o) {
				quick = quick && g.isQuick(o, seen)
			} else {
				quick = quick && (isPure(callee) || slices.ContainsFunc(m.locks, func(l ownLock) bool { return l.call == n }))
			}
		}
		return quick
	})
	return quick
}
