package region

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// This file says what may panic: after a panic that is recovered the lock of a section that is not
// deferred stays held. It follows the run-time panics of the language specification. What ends the program
// whatever recovers, such as a stack or a memory that is used up, is not among them; nor is what a section
// never holds, such as a send.

// panics says where and why n itself may panic, if it may.
func (p *planner) panics(n ast.Node, uses []Use) (pos token.Pos, why string) {
	switch n := n.(type) {
	case *ast.CallExpr:
		return n.Pos(), p.callPanics(n)
	case *ast.TypeAssertExpr:
		if n.Type != nil && !p.isCommaOK(n) {
			return n.Pos(), "a type assertion in the section may panic, and the lock would stay held"
		}
	case *ast.IndexExpr:
		return n.Pos(), p.indexPanics(n)
	case *ast.StarExpr:
		if tv := p.fn.Info.Types[n]; !tv.IsType() {
			return n.Pos(), nilPointer
		}
	case *ast.SelectorExpr:
		if p.mayBeNil(n) {
			return n.Pos(), nilPointer
		}
	case *ast.AssignStmt:
		if i := slices.IndexFunc(n.Lhs, func(lhs ast.Expr) bool { return p.storesInNil(lhs, uses) }); i >= 0 {
			return n.Lhs[i].Pos(), nilMap
		}
		if n.Tok != token.ASSIGN && n.Tok != token.DEFINE {
			return n.Pos(), p.operatorPanics(n.Tok, n.Lhs[0], n.Rhs[0])
		}
	case *ast.IncDecStmt:
		if p.storesInNil(n.X, uses) {
			return n.Pos(), nilMap
		}
	case *ast.RangeStmt:
		return n.Pos(), p.rangePanics(n, uses)
	case *ast.SliceExpr:
		return n.Pos(), "slicing in the section may panic, and the lock would stay held"
	case *ast.BinaryExpr:
		return n.Pos(), p.operatorPanics(n.Op, n.X, n.Y)
	case *ast.SwitchStmt:
		return p.switchPanics(n)
	case *ast.CompositeLit:
		return n.Pos(), p.literalPanics(n)
	}
	return token.NoPos, ""
}

const (
	nilPointer   = "a pointer in the section may be nil, and the lock would stay held after the panic"
	nilMap       = "the map may be nil, and the lock would stay held after the panic"
	comparison   = "a comparison of interfaces in the section may panic, and the lock would stay held"
	interfaceKey = "a key that is an interface may not be comparable, and the lock would stay held after the panic"
)

// callPanics says why a call or a conversion may panic.
func (p *planner) callPanics(call *ast.CallExpr) string {
	switch tv := p.fn.Info.Types[call.Fun]; {
	case tv.IsType():
		if len(call.Args) == 1 && p.shortensSlice(tv.Type, p.fn.Info.TypeOf(call.Args[0])) {
			return "a conversion of a slice to an array in the section may panic, and the lock would stay held"
		}
		return ""
	case tv.IsBuiltin():
		if b, ok := typeutil.Callee(p.fn.Info, call).(*types.Builtin); ok {
			return p.builtinPanics(b.Name(), call.Args)
		}
	}
	if p.isTotal(call) {
		return ""
	}
	return "a call in the section may panic, and the lock would stay held"
}

// builtinPanics says why a call of the predeclared function name, or that of package unsafe, may panic.
func (p *planner) builtinPanics(name string, args []ast.Expr) string {
	switch name {
	case "panic", "Slice", "String":
		return "a call in the section may panic, and the lock would stay held"
	case "close":
		return "closing a channel in the section may panic, and the lock would stay held"
	case "make":
		if !p.isMakeable(args[1:]) {
			return "the size in a make in the section may be out of range, and the lock would stay held after the panic"
		}
	case "delete":
		if !every(p.fn.Info.TypeOf(args[0]), func(t types.Type) bool { return p.mayIndex(t, args[1]) }) {
			return interfaceKey
		}
	}
	return ""
}

// shortensSlice reports whether converting from one type to another asks for the length of a slice.
func (p *planner) shortensSlice(to, from types.Type) bool {
	if every(from, func(t types.Type) bool { _, ok := t.Underlying().(*types.Slice); return !ok }) {
		return false
	}
	return !every(to, func(t types.Type) bool {
		if ptr, ok := t.Underlying().(*types.Pointer); ok {
			t = ptr.Elem()
		}
		_, ok := t.Underlying().(*types.Array)
		return !ok
	})
}

// isMakeable reports whether the length and capacity in sizes are in range. A capacity is only when the
// length is 0 or both are constants, which the compiler compares.
func (p *planner) isMakeable(sizes []ast.Expr) bool {
	if !slices.ContainsFunc(sizes, func(e ast.Expr) bool { return p.fn.Info.Types[e].Value == nil }) {
		return true
	}
	if len(sizes) > 1 && !p.isZero(sizes[0]) {
		return false
	}
	return !slices.ContainsFunc(sizes, func(e ast.Expr) bool { return !p.isLength(e) })
}

func (p *planner) isZero(e ast.Expr) bool {
	v := p.fn.Info.Types[e].Value
	return v != nil && constant.Sign(v) == 0
}

// isLength reports whether e is the length of something, or a sum of lengths and constants: not negative
// and no more than what is in memory already.
func (p *planner) isLength(e ast.Expr) bool {
	e = ast.Unparen(e)
	if v := p.fn.Info.Types[e].Value; v != nil {
		return constant.Sign(v) >= 0
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return e.Op == token.ADD && p.isLength(e.X) && p.isLength(e.Y)
	case *ast.CallExpr:
		b, ok := typeutil.Callee(p.fn.Info, e).(*types.Builtin)
		return ok && (b.Name() == "len" || b.Name() == "cap")
	}
	return false
}

// operatorPanics says why the operator op, or the assignment with it, may panic.
func (p *planner) operatorPanics(op token.Token, x, y ast.Expr) string {
	switch op {
	case token.QUO, token.REM, token.QUO_ASSIGN, token.REM_ASSIGN:
		if p.fn.Info.Types[y].Value == nil && !every(p.fn.Info.TypeOf(x), func(t types.Type) bool { return !isBasic(t, types.IsInteger) }) {
			return "a division in the section may panic, and the lock would stay held"
		}
	case token.SHL, token.SHR, token.SHL_ASSIGN, token.SHR_ASSIGN:
		if !p.isLength(y) && !every(p.fn.Info.TypeOf(y), func(t types.Type) bool { return isBasic(t, types.IsUnsigned) }) {
			return "a shift in the section may panic, and the lock would stay held"
		}
	case token.EQL, token.NEQ:
		if p.mayNotEqual(x, y) {
			return comparison
		}
	}
	return ""
}

func isBasic(t types.Type, is types.BasicInfo) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&is != 0
}

// mayNotEqual reports whether x == y may panic: both are interfaces, which may hold slices, or hold
// interfaces.
func (p *planner) mayNotEqual(x, y ast.Expr) bool {
	if p.isPlain(x) || p.isPlain(y) {
		return false
	}
	tx, ty := p.fn.Info.TypeOf(x), p.fn.Info.TypeOf(y)
	switch {
	case isInterface(tx) && !isInterface(ty): // only a value of the type ty is compared
		return mayNotCompare(ty)
	case isInterface(ty) && !isInterface(tx):
		return mayNotCompare(tx)
	}
	return mayNotCompare(tx) || mayNotCompare(ty)
}

// isPlain reports whether e is nil or a constant, with which everything can be compared.
func (p *planner) isPlain(e ast.Expr) bool {
	tv := p.fn.Info.Types[e]
	return tv.IsNil() || tv.Value != nil
}

// switchPanics says why one of the comparisons in n may panic.
func (p *planner) switchPanics(n *ast.SwitchStmt) (token.Pos, string) {
	if n.Tag == nil {
		return token.NoPos, ""
	}
	for _, clause := range n.Body.List {
		for _, e := range clause.(*ast.CaseClause).List {
			if p.mayNotEqual(n.Tag, e) {
				return e.Pos(), comparison
			}
		}
	}
	return token.NoPos, ""
}

// literalPanics says why a literal may panic: a map is filled with keys.
func (p *planner) literalPanics(lit *ast.CompositeLit) string {
	t := p.fn.Info.TypeOf(lit)
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if m, ok := t.Underlying().(*types.Map); ok && p.mayNotHash(m.Key(), kv.Key) {
				return interfaceKey
			}
		}
	}
	return ""
}

// rangePanics says why a loop may panic: it stores in a nil map, or reads through a nil pointer.
func (p *planner) rangePanics(n *ast.RangeStmt, uses []Use) string {
	if n.Tok == token.ASSIGN && (p.storesInNil(n.Key, uses) || n.Value != nil && p.storesInNil(n.Value, uses)) {
		return nilMap
	}
	if n.Value != nil && !every(p.fn.Info.TypeOf(n.X), func(t types.Type) bool { _, ok := t.Underlying().(*types.Pointer); return !ok }) {
		return nilPointer
	}
	return ""
}

// mayBeNil reports whether selecting sel may dereference a nil pointer, or take a method of a nil
// interface. What leads to the lock was dereferenced to take it.
func (p *planner) mayBeNil(sel *ast.SelectorExpr) bool {
	s := p.fn.Info.Selections[sel]
	switch {
	case s == nil || s.Kind() == types.MethodExpr:
		return false
	case s.Kind() == types.MethodVal && types.IsInterface(s.Recv()):
		return true
	}
	last, derefs := 0, false // the last pointer that is dereferenced leads to field last of the path
	t := s.Recv()
	for i, k := range s.Index() {
		ptr, ok := t.Underlying().(*types.Pointer)
		if ok {
			t = ptr.Elem()
		}
		end := i == len(s.Index())-1
		if ok && !(end && takesPointer(s.Obj())) {
			last, derefs = i, true
		}
		if st, ok := t.Underlying().(*types.Struct); ok && !end {
			t = st.Field(k).Type()
		}
	}
	return derefs && !p.lockLeadsBy(sel, s, last) && !(last == 0 && p.wentBehind(sel))
}

// takesPointer reports whether obj is a method that is given its receiver as a pointer.
func takesPointer(obj types.Object) bool {
	fn, ok := obj.(*types.Func)
	if !ok {
		return false
	}
	_, ptr := fn.Signature().Recv().Type().Underlying().(*types.Pointer)
	return ptr
}

// lockLeadsBy reports whether the lock is reached from sel.X by the first n fields of the path of sel too.
func (p *planner) lockLeadsBy(sel *ast.SelectorExpr, s *types.Selection, n int) bool {
	lock, x := types.ExprString(p.lock.Expr), types.ExprString(sel.X)
	rest, ok := strings.CutPrefix(lock, x+".")
	if n == 0 || !ok {
		return ok || n == 0 && lock == x
	}
	var path []int
	t := s.Recv()
	for name := range strings.SplitSeq(rest, ".") {
		obj, index, _ := types.LookupFieldOrMethod(t, true, s.Obj().Pkg(), name)
		if obj == nil { // a mutex that is about to be declared beside the map
			return slices.ContainsFunc(p.uses, func(u Use) bool { return u.Pos == sel.Sel.Pos() })
		}
		path = append(path, index...)
		t = obj.Type()
	}
	return len(path) > n && slices.Equal(path[:n], s.Index()[:n])
}

// storesInNil reports whether lhs is an entry of a map that may be nil.
func (p *planner) storesInNil(lhs ast.Expr, uses []Use) bool {
	index, ok := ast.Unparen(lhs).(*ast.IndexExpr)
	if !ok {
		return false
	}
	if every(p.fn.Info.TypeOf(index.X), func(t types.Type) bool { _, ok := t.Underlying().(*types.Map); return !ok }) {
		return false
	}
	name, ok := ast.Unparen(index.X).(*ast.Ident)
	if sel, selected := ast.Unparen(index.X).(*ast.SelectorExpr); selected {
		name, ok = sel.Sel, true
	}
	for _, u := range uses {
		if ok && name.Pos() == u.Pos {
			return u.MayBeNil
		}
	}
	return true
}

// isTotal reports whether call is of a function that never panics.
func (p *planner) isTotal(call *ast.CallExpr) bool {
	callee, ok := typeutil.Callee(p.fn.Info, call).(*types.Func)
	return ok && p.effects.Total(callee)
}

func (p *planner) isCommaOK(e ast.Expr) bool {
	_, ok := p.fn.Info.TypeOf(e).(*types.Tuple)
	return ok
}

// indexPanics says why an index may panic: out of range, or a key that cannot be compared.
func (p *planner) indexPanics(n *ast.IndexExpr) string {
	tv := p.fn.Info.Types[n.X]
	if _, fn := tv.Type.Underlying().(*types.Signature); fn || tv.IsType() { // a type argument
		return ""
	}
	if every(tv.Type, func(t types.Type) bool { return p.mayIndex(t, n.Index) }) {
		return ""
	}
	if _, ok := tv.Type.Underlying().(*types.Map); ok {
		return interfaceKey
	}
	if p.isWithin(n) {
		return ""
	}
	return "an index in the section may panic, and the lock would stay held"
}

// mayIndex reports whether a value of type t, which is no type parameter, has an element for every index.
func (p *planner) mayIndex(t types.Type, index ast.Expr) bool {
	switch t := t.Underlying().(type) {
	case *types.Map:
		return !p.mayNotHash(t.Key(), index)
	case *types.Array:
		return p.fn.Info.Types[index].Value != nil
	}
	return false
}

// mayNotHash reports whether finding the value e among keys of type key may panic.
func (p *planner) mayNotHash(key types.Type, e ast.Expr) bool {
	t := p.fn.Info.TypeOf(e)
	switch {
	case p.isPlain(e) || !mayNotCompare(key):
		return false
	case t != nil && isInterface(key) && !isInterface(t):
		return !types.Comparable(t) || mayNotCompare(t)
	}
	return true
}

// isInterface reports whether t is an interface, and no type parameter.
func isInterface(t types.Type) bool {
	_, param := types.Unalias(t).(*types.TypeParam)
	return types.IsInterface(t) && !param
}

// IsStrict reports whether values of t can be compared and that never panics: none of them is or holds an interface. Of a type
// parameter it is so if it is of every type that this may stand for.
func IsStrict(t types.Type) bool { return types.Comparable(t) && !mayNotCompare(t) }

// IsReflexive reports whether every value of t is equal to itself: none of them is or holds a float, which may be NaN, or an
// interface, in which one may be. Of a type parameter it is so if it is of every type that this may stand for.
func IsReflexive(t types.Type) bool {
	return every(t, func(t types.Type) bool {
		switch t := t.Underlying().(type) {
		case *types.Basic:
			return t.Info()&(types.IsFloat|types.IsComplex) == 0
		case *types.Interface:
			return false
		case *types.Struct:
			for f := range t.Fields() {
				if !IsReflexive(f.Type()) {
					return false
				}
			}
		case *types.Array:
			return IsReflexive(t.Elem())
		}
		return true
	})
}

// mayNotCompare reports whether comparing values of t may panic.
func mayNotCompare(t types.Type) bool {
	return !every(t, func(t types.Type) bool {
		switch t := t.Underlying().(type) {
		case *types.Interface:
			return false
		case *types.Struct:
			for f := range t.Fields() {
				if mayNotCompare(f.Type()) {
					return false
				}
			}
		case *types.Array:
			return !mayNotCompare(t.Elem())
		}
		return true
	})
}

// every reports whether is holds for t or, when t is a type parameter, for every type that it may stand
// for. When those are not listed it does not.
func every(t types.Type, is func(types.Type) bool) bool {
	if param, ok := types.Unalias(t).(*types.TypeParam); ok {
		return everyIn(param.Constraint(), is)
	}
	return is(t)
}

// everyIn reports whether is holds for every type in the set of constraint, part of a constraint, or a type.
func everyIn(constraint types.Type, is func(types.Type) bool) bool {
	if union, ok := constraint.(*types.Union); ok {
		for term := range union.Terms() {
			if !everyIn(term.Type(), is) {
				return false
			}
		}
		return true
	}
	iface, ok := constraint.Underlying().(*types.Interface)
	if !ok {
		return is(constraint)
	}
	for part := range iface.EmbeddedTypes() { // the set is what they have in common
		if everyIn(part, is) {
			return true
		}
	}
	return false
}
