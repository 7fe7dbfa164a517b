package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/model"
	"mapmend/plan/region"
	"mapmend/plan/share"
)

// This file takes away the guard of a contended variable that is to have a lock in its type. The guard protects nothing else if each of
// its sections uses the map once and touches besides that only what belongs to the function that runs it:
//
//	c.mu.Lock()
//	defer c.mu.Unlock()
//	c.hits[k]++
//
// Two uses in one section are one step, which two accessors would not be; and what else a section touches, the guard may guard.

// freed is one section of a guard that goes.
type freed struct {
	take, give *mention // of the guard
	stmts      []ast.Stmt
	path       string // what the guard is a field of, as written
}

// freeGuard plans that the guard goes, or refuses.
func (w *wrapping) freeGuard() *Refusal {
	if !w.c.relieved {
		return nil
	}
	field, r := w.freeField()
	if r != nil {
		return r
	}
	sections, r := w.guardSections(field)
	if r != nil {
		return r
	}
	out := &Freed{Class: toVar(w.c.verdict.Guard.Class), Decl: w.d.span(w.c.decl.file, field)}
	if field.Comment != nil {
		out.Comment = string(w.c.decl.file.Src[offsetIn(w.c.decl.file, field.Comment.Pos()):offsetIn(w.c.decl.file, field.Comment.End())])
	}
	w.sections = make(map[*mention]int)
	for i, s := range sections {
		if r := w.checkAlone(s, i); r != nil {
			return r
		}
		for _, m := range []*mention{s.take, s.give} {
			if r := w.d.fileRefusal(m.pkg, m.file); r != nil {
				r.Pos = w.d.at(m.id.Pos())
				return r
			}
			out.Calls = append(out.Calls, w.d.span(m.file, m.stmt()))
		}
	}
	slices.SortFunc(out.Calls, compareSpans)
	w.freed = out
	return nil
}

// freeField returns the field that is the guard.
func (w *wrapping) freeField() (*ast.Field, *Refusal) {
	l, decl := w.c.verdict.Guard, w.c.decl
	no := func(why string) (*ast.Field, *Refusal) {
		return nil, w.refuse(Footprint, decl.name.Pos(), "the guard "+l.Name()+" cannot go: "+why, "use one lock for each map, or --form lock")
	}
	guard, ok := w.d.decls[toVar(l.Class)]
	switch {
	case w.d.world.Declared(w.c.verdict.Var):
		return no("a directive says that it guards the map")
	case l.Relation != share.Own || !ok || guard.owner == nil || guard.owner != decl.owner || guard.object() == nil:
		return no("it is not a field beside the map")
	case guard.file != decl.file || !isMutex(guard.object().Type()):
		return no("it is no sync.Mutex or sync.RWMutex")
	}
	field := guard.node.(*ast.Field)
	switch {
	case len(field.Names) == 0:
		return no("it is embedded, and others may take it")
	case guard.object().Exported():
		return no("it is exported, and others may take it")
	case len(field.Names) > 1:
		return no("other fields are declared together with it")
	case field.Doc != nil:
		return no("it has a comment, which would be lost")
	case field.Tag != nil:
		return no("it has a tag")
	}
	return field, nil
}

func isMutex(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "sync" && (n.Obj().Name() == "Mutex" || n.Obj().Name() == "RWMutex")
}

// guardSections returns the sections of the guard, which is declared by field, if all that is done with it are these.
func (w *wrapping) guardSections(field *ast.Field) ([]freed, *Refusal) {
	g := &wrapping{d: w.d, c: &candidate{decl: w.d.decls[toVar(w.c.verdict.Guard.Class)]}}
	g.c.finding.Var = toVar(w.c.verdict.Guard.Class)
	g.findObjects()
	g.findMentions()
	if r := g.checkUnseen(); r != nil {
		return nil, r
	}
	at := make(map[ast.Stmt]*mention)
	for _, m := range g.mentions {
		s := m.stmt()
		if s == nil {
			return nil, w.refuse(Footprint, m.id.Pos(), field.Names[0].Name+" cannot go: here something else is done with it than to take it or give it back", "use --form lock")
		}
		at[s] = m
	}
	var out []freed
	given := make(map[*mention]bool)
	for _, m := range g.mentions {
		if m.op().Release {
			continue
		}
		s := sectionOf(m, at)
		if s.give == nil {
			return nil, w.refuse(Footprint, m.id.Pos(), field.Names[0].Name+" cannot go: it is not seen where it is given back that is taken here", "use --form lock")
		}
		given[s.give] = true
		out = append(out, s)
	}
	for _, m := range g.mentions {
		if m.op().Release && !given[m] {
			return nil, w.refuse(Footprint, m.id.Pos(), field.Names[0].Name+" cannot go: it is given back here on one of several ways", "use --form lock")
		}
	}
	return out, nil
}

// op returns what is done with the lock that m mentions; nothing if it is no call of a method of a lock.
func (m *mention) op() model.LockOp {
	if sel, ok := m.parent(0).(*ast.SelectorExpr); ok {
		return model.Lock(sel.Sel.Name)
	}
	return model.LockOp{}
}

// stmt returns the statement that does nothing but call a method of the lock that m mentions, perhaps later, or nil.
func (m *mention) stmt() ast.Stmt {
	call, ok := m.parent(1).(*ast.CallExpr)
	if !ok || m.op().IsZero() || call.Fun != m.parent(0) {
		return nil
	}
	switch s := m.parent(2).(type) {
	case *ast.ExprStmt:
		return s
	case *ast.DeferStmt:
		if m.op().Release {
			return s
		}
	}
	return nil
}

// sectionOf returns the section that begins where m takes the guard. Its end is not known if give is nil.
func sectionOf(m *mention, at map[ast.Stmt]*mention) freed {
	s := freed{take: m, path: m.path()}
	list := region.ListOf(m.parent(3))
	i := slices.Index(list, m.stmt())
	if i < 0 {
		return s
	}
	gives := func(stmt ast.Stmt) *mention {
		if give := at[stmt]; give != nil && give.op().Release && give.op().Read == m.op().Read && give.path() == s.path {
			return give
		}
		return nil
	}
	rest := list[i+1:]
	if len(rest) > 0 {
		if _, deferred := rest[0].(*ast.DeferStmt); deferred && isBody(m.parent(4)) {
			s.give, s.stmts = gives(rest[0]), rest[1:]
			return s
		}
	}
	for j, stmt := range rest {
		if _, deferred := stmt.(*ast.DeferStmt); !deferred && gives(stmt) != nil && !region.Leaves(rest[:j]) {
			s.give, s.stmts = gives(stmt), rest[:j]
			return s
		}
	}
	return s
}

// isBody reports whether the block in n is the body of a function.
func isBody(n ast.Node) bool {
	switch n.(type) {
	case *ast.FuncDecl, *ast.FuncLit:
		return true
	}
	return false
}

// path returns what m is a field of, as written; nothing if it is no selector.
func (m *mention) path() string {
	if sel, ok := ast.Unparen(m.operand).(*ast.SelectorExpr); ok {
		return types.ExprString(sel.X)
	}
	return ""
}

// checkAlone refuses s, section i, unless it uses the map once and touches nothing else that others may.
func (w *wrapping) checkAlone(s freed, i int) *Refusal {
	guard := w.c.verdict.Guard.Name()
	no := func(pos token.Pos, why string) *Refusal {
		return w.refuse(Footprint, pos, guard+" cannot go: "+why, "use --form lock")
	}
	var uses []*mention
	for _, m := range w.mentions {
		in := func(stmt ast.Stmt) bool { return stmt.Pos() <= m.id.Pos() && m.id.Pos() < stmt.End() }
		k := slices.IndexFunc(s.stmts, in)
		if k < 0 {
			continue
		}
		if m.path() != s.path {
			return no(m.id.Pos(), "the map is used by another name than the lock in its section")
		}
		if loop := w.loopIn(m, s.stmts[k]); loop.IsValid() {
			return no(loop, "the loop in its section uses the map several times, which is one step")
		}
		for _, other := range uses {
			if !exclusive(other, m) {
				return w.refuse(SplitRegion, m.id.Pos(), "the map is used twice in one section of "+guard+", which is one step", "use --form lock")
			}
		}
		uses = append(uses, m)
		w.sections[m] = i
	}
	if len(uses) == 0 {
		return no(s.take.id.Pos(), "its section here does not use the map, so that it guards something else")
	}
	scan := &ownScan{w: w, in: s.take, uses: uses}
	for _, stmt := range s.stmts {
		if scan.look(stmt); scan.why != "" {
			return no(scan.pos, scan.why)
		}
	}
	return nil
}

// loopIn returns a loop in stmt that runs m more than once.
func (w *wrapping) loopIn(m *mention, stmt ast.Stmt) token.Pos {
	for i, n := range m.stack {
		if n.Pos() < stmt.Pos() {
			continue
		}
		switch n := n.(type) {
		case *ast.ForStmt:
			return n.Pos()
		case *ast.RangeStmt:
			if i+1 < len(m.stack) || n.X != m.operand {
				return n.Pos()
			}
		}
	}
	return token.NoPos
}

// ownScan looks at what a section does besides using the map.
type ownScan struct {
	w    *wrapping
	in   *mention   // of the guard, where it is taken
	uses []*mention // of the map

	pos token.Pos // of the first thing that others may touch
	why string
}

func (s *ownScan) fail(n ast.Node, why string) {
	if s.why == "" {
		s.pos, s.why = n.Pos(), why
	}
}

const touches = "its section touches more than the map"

func (s *ownScan) look(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		if n == nil || s.why != "" || s.w.olds[n] || slices.ContainsFunc(s.uses, func(m *mention) bool { return n == ast.Node(m.operand) }) {
			return false
		}
		if e, ok := n.(ast.Expr); ok && s.in.pkg.Info.Types[e].IsType() {
			return false
		}
		return s.node(n)
	})
}

// node looks at n, and reports whether to look at what is in it.
func (s *ownScan) node(n ast.Node) bool {
	info := s.in.pkg.Info
	switch n := n.(type) {
	case *ast.FuncLit, *ast.GoStmt, *ast.DeferStmt, *ast.SendStmt, *ast.SelectStmt, *ast.LabeledStmt, *ast.StarExpr:
		s.fail(n, touches)
	case *ast.BranchStmt:
		if n.Tok == token.GOTO {
			s.fail(n, touches)
		}
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			s.fail(n, touches)
		}
	case *ast.IndexExpr:
		if t := info.TypeOf(n.X); !s.isUse(n.X) && t != nil && !isString(t) && !isArrayType(t) {
			s.fail(n, touches)
		}
	case *ast.RangeStmt:
		if t := info.TypeOf(n.X); !s.isUse(n.X) && !isString(t) && !isInteger(t) {
			s.fail(n, touches)
		}
	case *ast.CallExpr:
		s.call(n)
	case *ast.SelectorExpr:
		return s.selector(n)
	case *ast.KeyValueExpr: // the key may name a field
		if id, ok := n.Key.(*ast.Ident); ok {
			if v, ok := info.Uses[id].(*types.Var); ok && v.IsField() {
				s.look(n.Value)
				return false
			}
		}
	case *ast.Ident:
		if v, ok := info.ObjectOf(n).(*types.Var); ok && n.Name != "_" && !s.isOwn(v) {
			s.fail(n, touches)
		}
	}
	return true
}

// isUse reports whether e is a use of the map.
func (s *ownScan) isUse(e ast.Expr) bool {
	return slices.ContainsFunc(s.uses, func(m *mention) bool { return e == m.operand })
}

// call looks at what is called: a conversion, a builtin function that looks at values only, what the lowering replaces, or a library
// function that computes something from values without pointers.
func (s *ownScan) call(n *ast.CallExpr) {
	info := s.in.pkg.Info
	if slices.ContainsFunc(s.uses, func(m *mention) bool {
		return m.node.Pos() <= n.Pos() && n.End() <= m.node.End() && m.shape != ShapeRange
	}) && info.Types[n.Fun].IsBuiltin() {
		return
	}
	if info.Types[n.Fun].IsType() {
		return
	}
	switch callee := typeutil.Callee(info, n).(type) {
	case *types.Builtin:
		if slices.Contains([]string{"len", "cap", "min", "max", "make", "new", "real", "imag", "complex"}, callee.Name()) {
			return
		}
		if callee.Name() == "append" && s.isFresh(n.Args[0]) {
			return
		}
	case *types.Func:
		plain := !slices.ContainsFunc(n.Args, func(e ast.Expr) bool {
			_, basic := info.TypeOf(e).Underlying().(*types.Basic)
			return !basic
		})
		if s.w.d.world.Effects[access.ObjectKey(callee)] == nil && model.Pure(access.ObjectKey(callee)) && plain {
			return
		}
	}
	s.fail(n, "its section calls "+types.ExprString(n.Fun)+", which may touch more than the map")
}

// isFresh reports whether e is a slice of the function's own: a local that nothing is ever assigned to but what is made on the spot, and
// what is appended to itself.
func (s *ownScan) isFresh(e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return false
	}
	info := s.in.pkg.Info
	v, ok := info.Uses[id].(*types.Var)
	if !ok || !s.isOwn(v) || v.Kind() != types.LocalVar {
		return false
	}
	fresh := true
	isNew := func(e ast.Expr) bool {
		call, ok := ast.Unparen(e).(*ast.CallExpr)
		if ok && info.Types[call.Fun].IsBuiltin() {
			switch name := ast.Unparen(call.Fun).(*ast.Ident).Name; name {
			case "make":
				return true
			case "append":
				to, ok := ast.Unparen(call.Args[0]).(*ast.Ident)
				return ok && info.Uses[to] == v
			}
		}
		_, lit := ast.Unparen(e).(*ast.CompositeLit)
		return lit || info.Types[e].IsNil()
	}
	ast.Inspect(s.function(), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, lhs := range n.Lhs {
				if to, ok := lhs.(*ast.Ident); ok && info.ObjectOf(to) == v {
					fresh = fresh && len(n.Lhs) == len(n.Rhs) && isNew(n.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if info.Defs[name] == v && len(n.Values) > 0 {
					fresh = fresh && len(n.Names) == len(n.Values) && isNew(n.Values[i])
				}
			}
		case *ast.RangeStmt:
			for _, lhs := range []ast.Expr{n.Key, n.Value} {
				if to, ok := lhs.(*ast.Ident); ok && info.ObjectOf(to) == v {
					fresh = false
				}
			}
		}
		return fresh
	})
	return fresh
}

// selector looks at a.b: what a package declares, or a field of a value that is the function's own.
func (s *ownScan) selector(n *ast.SelectorExpr) bool {
	info := s.in.pkg.Info
	if sel := info.Selections[n]; sel != nil {
		if sel.Kind() != types.FieldVal || sel.Indirect() {
			s.fail(n, touches)
		}
		s.look(n.X)
		return false
	}
	return true // of a package
}

// function returns the innermost function that the section is in.
func (s *ownScan) function() ast.Node {
	for _, n := range slices.Backward(s.in.stack) {
		if isBody(n) {
			return n
		}
	}
	return s.in.file.Syntax
}

// isOwn reports whether v is a variable of the function, of which no function literal knows and of which the address is not taken.
func (s *ownScan) isOwn(v *types.Var) bool {
	fn := s.function()
	if v.IsField() || v.Parent() == nil || v.Parent() == v.Pkg().Scope() || v.Pos() < fn.Pos() || fn.End() <= v.Pos() {
		return false
	}
	info, own := s.in.pkg.Info, true
	is := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && info.ObjectOf(id) == v
	}
	ast.PreorderStack(fn, nil, func(n ast.Node, stack []ast.Node) bool {
		switch n := n.(type) {
		case *ast.UnaryExpr:
			own = own && !(n.Op == token.AND && is(root(n.X)))
		case *ast.SliceExpr:
			own = own && !(isArrayType(info.TypeOf(n.X)) && is(root(n.X)))
		case *ast.SelectorExpr: // a method with a pointer receiver takes the address
			if sel := info.Selections[n]; sel != nil && sel.Kind() == types.MethodVal && is(root(n.X)) {
				_, pointer := v.Type().Underlying().(*types.Pointer)
				own = own && (pointer || types.IsInterface(v.Type()))
			}
		case *ast.Ident:
			if info.ObjectOf(n) == v && slices.ContainsFunc(stack[1:], func(around ast.Node) bool { _, lit := around.(*ast.FuncLit); return lit }) {
				own = false
			}
		case *ast.RangeStmt: // the body of one over a function is one of its own
			if t := info.TypeOf(n.X); t != nil {
				if _, fn := t.Underlying().(*types.Signature); fn {
					own = false
				}
			}
		}
		return own
	})
	return own
}

// root returns the operand that the fields and elements of e are of.
func root(e ast.Expr) ast.Expr {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		default:
			return x
		}
	}
}

func isArrayType(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Array)
	return ok
}

func isString(t types.Type) bool { return isBasic(t, types.IsString) }

func isInteger(t types.Type) bool { return isBasic(t, types.IsInteger) }

func isBasic(t types.Type, is types.BasicInfo) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&is != 0
}
