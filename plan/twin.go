package plan

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/share"
)

// This file splits a function that is reached both with and without the guard. It keeps its name and takes the guard; its
// twin, for callers that hold the guard, has the body. That is planned only where the guard cannot be taken further out.

// twin is a function that is to be split.
type twin struct {
	key     string // of the function
	fn      function
	decl    *ast.FuncDecl
	name    string      // of the twin
	lock    string      // the guard as an expression of the function
	path    access.Path // the same, in terms of the function
	class   access.Var  // of the guard
	stores  bool        // a map that the guard is for is written
	writes  bool        // the guard must be held for writing
	instead *Refusal    // the refusal that there would be without it

	cases []*candidate    // that it is split for; see splitFunctions
	calls []Span          // its name in the calls that become calls of the twin
	joins []*lockset.Edge // of the calls that sections take in; see joinsAt
}

// twin returns what the function key is to be split into for c, or nil.
func (c *candidate) twin(key string) *twin {
	for _, t := range c.twins {
		if t.key == key {
			return t
		}
	}
	return nil
}

// splitInstead splits the first of functions that can be, which others call with the guard held, in place of the refusal r.
// The outermost is tried first: what it calls needs no twin then.
func (d *decider) splitInstead(c *candidate, functions []string, r *Refusal) *Refusal {
	var first *Refusal
	for _, key := range functions {
		refused := d.split(c, key, r)
		if refused == nil {
			return nil
		}
		if first == nil && refused != r {
			first = refused
		}
	}
	return cmp.Or(first, r)
}

// split plans a twin of the function key for c. If there can be none, it returns r with the reason.
func (d *decider) split(c *candidate, key string, r *Refusal) *Refusal {
	if c.guard.lock == nil || c.guard.local != nil || c.twin(key) != nil || d.world.RequiresLock(d.world.Bodies[key]) || d.locksItself(key, c.guard.class) {
		return r
	}
	fn, ok := d.functionAt(key)
	decl, isDecl := fn.node.(*ast.FuncDecl)
	if !ok || !isDecl {
		return r
	}
	if file := d.fileRefusal(fn.pkg, fn.file); file != nil {
		return r
	}
	t := &twin{key: key, fn: fn, decl: decl, class: c.guard.class, instead: r}
	why := firstReason(
		t.cannotForward,
		func() string { return d.findGuard(c, t) },
		func() string { return d.nameTwin(t) },
		func() string { return d.callsOtherwise(t) },
	)
	if why != "" {
		return t.refusal(why)
	}
	c.twins = append(c.twins, t)
	return nil
}

// refusal returns the refusal in the place of t, with the reason why that cannot be.
func (t *twin) refusal(why string) *Refusal {
	r := *t.instead
	r.Message += ", and " + t.decl.Name.Name + " cannot be split: " + why
	return &r
}

// firstReason returns the first reason that one of checks gives, or "".
func firstReason(checks ...func() string) string {
	for _, check := range checks {
		if why := check(); why != "" {
			return why
		}
	}
	return ""
}

// locksItself reports whether the function key, or what it calls, takes or gives back the guard: it is no function that
// only runs with or without it.
func (d *decider) locksItself(key string, guard access.Var) bool {
	eff := d.world.Effects[key]
	return eff == nil || eff.Pending || slices.Contains(eff.Acquires, guard) || slices.Contains(eff.Acquires, access.Var{}) ||
		slices.ContainsFunc(eff.Outcomes, func(o lockset.Outcome) bool {
			return len(o.Acquired) > 0 || len(o.Released) > 0 || len(o.Maybe) > 0
		})
}

// directive matches a comment above a function that is about exactly that function.
var directive = regexp.MustCompile(`^//(go:|export |extern |mapmend:|line )`)

// cannotForward says why no function of the same signature can call the twin with what it was given and be the same.
func (t *twin) cannotForward() string {
	name := t.decl.Name.Name
	switch {
	case t.decl.Recv == nil && (name == "main" || name == "init" || name == "_"):
		return "it is a function " + name
	case t.decl.Doc != nil && slices.ContainsFunc(t.decl.Doc.List, func(c *ast.Comment) bool { return directive.MatchString(c.Text) }):
		return "a directive stands above it"
	}
	for _, group := range t.fn.file.Syntax.Comments {
		if t.decl.Pos() < group.Pos() && group.Pos() < t.decl.Body.Pos() {
			return "a comment stands among its parameters"
		}
	}
	types := make(map[string]bool) // type parameters
	for _, field := range fieldsOf(t.decl.Type.TypeParams) {
		for _, id := range field.Names {
			if id.Name == "_" {
				return "a type parameter has no name"
			}
			types[id.Name] = true
		}
	}
	for _, field := range slices.Concat(fieldsOf(t.decl.Recv), fieldsOf(t.decl.Type.Params)) {
		if len(field.Names) == 0 {
			return "a parameter has no name"
		}
		for _, id := range field.Names {
			if id.Name == "_" || types[id.Name] {
				return "a parameter has no name of its own"
			}
		}
	}
	return t.looksAround()
}

func fieldsOf(list *ast.FieldList) []*ast.Field {
	if list == nil {
		return nil
	}
	return list.List
}

// looksAround says how the body sees by whom it is called, so that it would see another function.
func (t *twin) looksAround() (why string) {
	ast.Inspect(t.decl.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if b, ok := t.fn.pkg.Info.Uses[id].(*types.Builtin); ok && b.Name() == "recover" {
				why = "it calls recover"
			}
		}
		return why == ""
	})
	return why
}

// findGuard finds what the function of t calls the guard, and whether it changes what that guards.
func (d *decider) findGuard(c *candidate, t *twin) string {
	const unnamed = "the guard cannot be named by what it is given"
	for _, j := range c.verdict.Uses {
		for _, e := range j.Entries {
			refs := e.Refs()
			for i, frame := range e.Frames() {
				if frame.Func != t.key {
					continue
				}
				lock, path := d.guardIn(c, t, refs[i])
				switch {
				case lock == "":
					return unnamed
				case t.lock != "" && (lock != t.lock || path != t.path):
					return "it leads to several owners"
				}
				t.lock, t.path = lock, path
				t.stores = t.stores || j.Op.Writes()
			}
		}
	}
	if t.lock == "" {
		return unnamed
	}
	t.writes = t.stores || !c.guard.reads || !d.onlyReads(t.key, make(map[string]bool))
	return ""
}

// guardIn returns the guard as an expression that means it where the body of t begins, and in terms of the function. ref is
// the map there.
func (d *decider) guardIn(c *candidate, t *twin, ref access.Ref) (lock string, path access.Path) {
	start := need{fn: t.key, pos: t.decl.Body.Lbrace + 1}
	if l := c.guard.lock; l.Relation == share.Package {
		lock, path = d.spellGlobal(t.fn, l.ID), l.Path
		if path.Root.Kind != access.Global {
			return "", path
		}
	} else {
		suffix, rest, ok := c.guard.fromOwner()
		owner := share.OwnerPath(ref)
		sel, under := strings.CutSuffix(owner.Sel, rest)
		if !ok || !under || !owner.Known() {
			return "", path
		}
		path = access.Path{Root: owner.Root, Sel: sel}.Join(suffix)
		if c.decl.owner == nil {
			lock = d.spellGlobal(t.fn, access.Key(c.decl.pkg.Path, strings.TrimPrefix(suffix, ".")))
		} else {
			lock = d.spellByPath(c, t.fn, start, ref)
		}
	}
	if lock == "" || !d.isRoot(t, lock, path.Root) || !d.means(t.fn, start.pos, lock+".Lock") {
		return "", path
	}
	return lock, path
}

// isRoot reports whether the first name of lock is, where the body of t begins, the parameter or package variable root.
func (d *decider) isRoot(t *twin, lock string, root access.Root) bool {
	name, _, _ := strings.Cut(lock, ".")
	scope := t.fn.pkg.Info.Scopes[t.decl.Type]
	if scope == nil {
		return false
	}
	_, obj := scope.LookupParent(name, t.decl.Body.Lbrace)
	v, ok := obj.(*types.Var)
	if !ok {
		return false
	}
	switch root.Kind {
	case access.Global:
		return v.Parent() == t.fn.pkg.Types.Scope()
	case access.Param:
		return v.Parent() == scope && !d.isCopy(t, lock)
	}
	return false
}

// isCopy reports whether lock, which begins with a parameter of t, is a part of that parameter, and so a copy.
func (d *decider) isCopy(t *twin, lock string) bool {
	for {
		tv, err := types.Eval(d.prog.Fset, t.fn.pkg.Types, t.decl.Body.Lbrace+1, lock)
		if err != nil || isReference(tv.Type) {
			return false
		}
		i := strings.LastIndexByte(lock, '.')
		if i < 0 {
			return true
		}
		lock = lock[:i]
	}
}

// onlyReads reports whether the function key changes nothing but variables of its own.
func (d *decider) onlyReads(key string, seen map[string]bool) bool {
	if seen[key] {
		return true
	}
	seen[key] = true
	fn, ok := d.functionAt(key)
	if !ok {
		return false
	}
	own := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		if !ok {
			return false
		}
		obj := fn.pkg.Info.ObjectOf(id)
		return id.Name == "_" || obj != nil && obj.Parent() != fn.pkg.Types.Scope()
	}
	changes := false
	ast.Inspect(fn.body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			changes = changes || n.Tok != token.DEFINE && !every(n.Lhs, own)
		case *ast.IncDecStmt:
			changes = changes || !own(n.X)
		case *ast.RangeStmt:
			changes = changes || n.Tok == token.ASSIGN && !(own(n.Key) && (n.Value == nil || own(n.Value)))
		case *ast.GoStmt:
			changes = true
		case *ast.CallExpr:
			changes = changes || d.callChanges(fn, n, own, seen)
		}
		return !changes
	})
	return !changes
}

func every[T any](list []T, is func(T) bool) bool {
	return !slices.ContainsFunc(list, func(e T) bool { return !is(e) })
}

// callChanges reports whether call, in fn, may change something else than what own says to be a variable of fn.
func (d *decider) callChanges(fn function, call *ast.CallExpr, own func(ast.Expr) bool, seen map[string]bool) bool {
	if tv := fn.pkg.Info.Types[call.Fun]; tv.IsBuiltin() {
		switch ast.Unparen(call.Fun).(*ast.Ident).Name {
		case "append", "copy", "clear", "delete":
			return !own(call.Args[0])
		}
		return false
	}
	if callee := calleeIn(fn, call); callee != nil && d.world.Bodies[access.ObjectKey(callee)] != nil {
		return !d.onlyReads(access.ObjectKey(callee), seen)
	}
	if len(call.Args) > 0 && every(call.Args, own) { // sort.Strings(keys)
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && fn.pkg.Info.Selections[sel] == nil {
			return false
		}
	}
	return changesArgument(fn.pkg.Info, call)
}

// calleeIn returns the function or method that call, in fn, names, or nil.
func calleeIn(fn function, call *ast.CallExpr) *types.Func {
	id := calledName(call)
	if id == nil {
		return nil
	}
	callee, _ := fn.pkg.Info.Uses[id].(*types.Func)
	return callee
}

// calledName returns the name of what call calls, or nil: that of a function value is one, too.
func calledName(call *ast.CallExpr) *ast.Ident {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = ast.Unparen(f.X)
	case *ast.IndexListExpr:
		fun = ast.Unparen(f.X)
	}
	switch f := fun.(type) {
	case *ast.Ident:
		return f
	case *ast.SelectorExpr:
		return f.Sel
	}
	return nil
}

// nameTwin chooses the name of t.
func (d *decider) nameTwin(t *twin) string {
	t.name = lowerFirst(t.decl.Name.Name) + "Locked"
	if d.takesTwinName(t) {
		return "the name " + t.name + " is taken"
	}
	return ""
}

// takesTwinName reports whether the name of t may mean something else where it is declared or called. A method of another
// type may have it, unless that is promoted somewhere, or stands in an interface, which the type of t would implement.
func (d *decider) takesTwinName(t *twin) bool {
	dir, owner := t.fn.pkg.Dir, ""
	if recv := t.object().Signature().Recv(); recv != nil {
		owner = access.TypeName(recv.Type())
	}
	for _, pkg := range d.prog.Packages {
		if pkg.Dir != dir {
			continue
		}
		if pkg.Info == nil {
			return true
		}
		for _, imported := range pkg.Types.Imports() {
			if imported.Name() == t.name {
				return true
			}
		}
		for _, file := range pkg.Files {
			taken := false
			ast.Inspect(file.Syntax, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					s := pkg.Info.Selections[n]
					taken = taken || n.Sel.Name == t.name && (s == nil || len(s.Index()) > 1)
				case *ast.Ident:
					taken = taken || n.Name == t.name && (t.decl.Recv == nil || !isMethodOfOther(pkg.Info.ObjectOf(n), owner))
				}
				return !taken
			})
			if taken {
				return true
			}
		}
	}
	return slices.ContainsFunc(d.leftOut(dir), func(name string) bool {
		file, _ := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		return file == nil || mentioned(file, []string{t.name}, true) != ""
	})
}

// object returns the function of t.
func (t *twin) object() *types.Func {
	fn, _ := t.fn.pkg.Info.Defs[t.decl.Name].(*types.Func)
	return fn
}

// isMethodOfOther reports whether obj is a method of a type, which is no interface, other than the one named owner.
func isMethodOfOther(obj types.Object, owner string) bool {
	fn, ok := obj.(*types.Func)
	if !ok {
		return false
	}
	recv := fn.Signature().Recv()
	return recv != nil && !types.IsInterface(recv.Type()) && access.TypeName(recv.Type()) != owner
}

// callsOtherwise says how the function of t is called that cannot be followed: not by a call that was analysed.
func (d *decider) callsOtherwise(t *twin) (why string) {
	known := make(map[token.Pos]bool)
	for _, e := range d.world.Callers(t.key) {
		known[e.Pos] = true
		if strings.HasPrefix(e.Caller, t.key+"$") {
			return "a function literal in it calls it"
		}
	}
	for _, pkg := range d.prog.Packages {
		for _, file := range pkg.Files {
			if why != "" || pkg.Info == nil {
				return why
			}
			fn := function{pkg: pkg, file: file}
			ast.Inspect(file.Syntax, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					known[n.Call.Lparen] = known[n.Call.Lparen] || known[n.Go]
				case *ast.CallExpr:
					if callee := calleeIn(fn, n); callee != nil && access.ObjectKey(callee) == t.key && !known[n.Lparen] {
						why = "a call of it was not analysed"
					}
				}
				return why == ""
			})
		}
	}
	return why
}
