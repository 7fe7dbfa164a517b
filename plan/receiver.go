package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/model"
	"mapmend/plan/share"
)

// This file plans that the methods of an owner get pointer receivers, where each call copies the mutex in it, or one
// that is to be added to it. All methods with value receivers change together:
//
//	func (s Store) Get(k string) int { // func (s *Store) Get
//		s.mu.Lock()
//		defer s.mu.Unlock()
//		return s.m[k]
//	}
//
// What the methods do may not depend on the copy, which the file receiverbody.go looks at, and whoever calls them must
// have the owner itself, which the file receiveruse.go does.

// changing is the plan of pointer receivers for the methods of one owner.
type changing struct {
	d       *decider
	c       *candidate
	w       *wrapping          // of the map, to see where its owner is copied
	class   access.Var         // the guard, which may be about to be added
	methods map[string]*method // of the owner, by name
	delayed map[string]bool    // methods that run after their receiver was evaluated
	nilable map[string]bool    // methods that may be called on a pointer that is nil

	addressed []Span // literals of the owner that become interfaces, as pointers from then on
	asserted  []Span // types to which those interfaces are asserted
}

// method is a method of the owner.
type method struct {
	name  string
	decl  *ast.FuncDecl
	file  *load.File
	value bool            // has a value receiver
	reads map[string]bool // fields of the receiver that the body reads; set by checkBodies
	locks []ownLock       // calls on mutexes of the receiver; set by checkBodies
	calls []*method       // of the receiver; set by checkBodies
}

// ownLock is a call of a method of a mutex that stands in the receiver.
type ownLock struct {
	call *ast.CallExpr
	path string // from the receiver to the mutex: "mu"
	name string // of the method
}

// key returns the key of m.
func (m *method) key(pkg *load.Package) string {
	fn, _ := pkg.Info.Defs[m.decl.Name].(*types.Func)
	return access.ObjectKey(fn)
}

// receiver returns the variable that is the receiver in the body of m; nil if it has no name.
func (m *method) receiver(info *types.Info) types.Object {
	if names := m.decl.Recv.List[0].Names; len(names) == 1 && names[0].Name != "_" {
		return info.Defs[names[0]]
	}
	return nil
}

// receiverSteps is the order in which it is found out whether the methods can have pointer receivers.
var receiverSteps = []func(*changing) *Refusal{
	(*changing).checkFiles,
	(*changing).checkAPI,
	(*changing).checkInterfaces,
	(*changing).checkOwner,
	(*changing).checkCalls,
	(*changing).checkBodies,
	(*changing).checkSnapshots,
	(*changing).checkSections,
	(*changing).checkNil,
	(*changing).checkUnseen,
}

// changeReceivers plans pointer receivers for the owner of c, whose mutex class is or will be, or says why that cannot
// be. Without value receivers there is nothing to plan.
func (d *decider) changeReceivers(c *candidate, class access.Var) *Refusal {
	if c.receivers != nil || c.decl.typ == nil {
		return nil
	}
	g := &changing{d: d, c: c, class: class, methods: make(map[string]*method), delayed: make(map[string]bool), nilable: make(map[string]bool)}
	g.findMethods()
	if len(g.changed()) == 0 {
		return nil
	}
	g.w = &wrapping{d: d, c: c, moved: true}
	g.w.findObjects()
	for _, step := range receiverSteps {
		if r := step(g); r != nil {
			return r
		}
	}
	for _, m := range g.changed() {
		c.receivers = append(c.receivers, Receiver{d.span(m.file, m.decl.Recv.List[0].Type), m.name})
	}
	for _, name := range sortedKeys(g.methods) {
		if m := g.methods[name]; len(m.locks) > 0 {
			c.relocked = append(c.relocked, m.key(c.decl.pkg))
		}
	}
	if len(g.addressed) > 0 {
		c.addressed, c.asserted, c.pointed = inOrder(g.addressed), inOrder(g.asserted), g.w.pointed
	}
	slices.SortFunc(c.receivers, func(a, b Receiver) int { return compareSpans(a.Span, b.Span) })
	return nil
}

// inOrder returns spans sorted, each once.
func inOrder(spans []Span) []Span {
	slices.SortFunc(spans, compareSpans)
	return slices.Compact(spans)
}

// checkReceivers plans pointer receivers where a use that is a problem holds a copy of the guard that a method of the
// owner has.
func (d *decider) checkReceivers(c *candidate) *Refusal {
	if c.verdict.Guard == nil || !slices.ContainsFunc(c.verdict.Uses, func(j share.Judged) bool { return j.Problem && j.Copied }) {
		return nil
	}
	return d.changeOwnReceivers(c, c.verdict.Guard.Class)
}

// checkNeeds plans pointer receivers where a method of the owner is to take the guard, which would be a copy.
func (d *decider) checkNeeds(c *candidate) *Refusal {
	byValue := func(n need) bool {
		fn, ok := d.functionAt(n.fn)
		return ok && isValueMethod(fn.node)
	}
	if c.guard.lock == nil || !slices.ContainsFunc(c.needs, byValue) {
		return nil
	}
	return d.changeOwnReceivers(c, c.guard.class)
}

// changeOwnReceivers is changeReceivers for a mutex that stands in the owner itself and is copied with it.
func (d *decider) changeOwnReceivers(c *candidate, class access.Var) *Refusal {
	decl, ok := d.decls[toVar(class)]
	if !ok || decl.object() == nil || isReference(decl.object().Type()) || class.Package != c.finding.Package || class.Owner != c.finding.Owner {
		return nil
	}
	return d.changeReceivers(c, class)
}

// findMethods finds the methods that are declared for the owner.
func (g *changing) findMethods() {
	pkg := g.c.decl.pkg
	for _, file := range pkg.Files {
		for _, decl := range file.Syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || len(fn.Recv.List) != 1 {
				continue
			}
			obj, ok := pkg.Info.Defs[fn.Name].(*types.Func)
			if !ok || !g.isOwner(pointee(obj.Signature().Recv().Type())) {
				continue
			}
			_, pointer := types.Unalias(obj.Signature().Recv().Type()).(*types.Pointer)
			g.methods[fn.Name.Name] = &method{name: fn.Name.Name, decl: fn, file: file, value: !pointer}
		}
	}
}

// changed returns the methods with value receivers, sorted by name.
func (g *changing) changed() []*method {
	var out []*method
	for _, name := range sortedKeys(g.methods) {
		if m := g.methods[name]; m.value {
			out = append(out, m)
		}
	}
	return out
}

// isOwner reports whether t is the owner, as any package knows it.
func (g *changing) isOwner(t types.Type) bool {
	return isNamed(t, g.c.finding.Package, g.c.finding.Owner)
}

// methodOf returns the method of the owner that fn is, as any package knows it, or nil.
func (g *changing) methodOf(fn *types.Func) *method {
	if recv := fn.Signature().Recv(); recv == nil || !g.isOwner(pointee(recv.Type())) {
		return nil
	}
	return g.methods[fn.Name()]
}

func (g *changing) refuse(code Code, pos token.Pos, message, todo string) *Refusal {
	return &Refusal{Code: code, Pos: g.d.at(pos), Message: message, Todo: todo}
}

// no refuses because of what stands at pos.
func (g *changing) no(pos token.Pos, message string) *Refusal {
	return g.refuse(ValueReceiver, pos, message, "give the methods of "+g.c.finding.Owner+" pointer receivers by hand, or let it hold a pointer to its mutex")
}

// checkFiles refuses methods whose receivers cannot be rewritten.
func (g *changing) checkFiles() *Refusal {
	for _, m := range g.changed() {
		if r := g.d.fileRefusal(g.c.decl.pkg, m.file); r != nil {
			r.Pos = g.d.at(m.decl.Name.Pos())
			return r
		}
		if linked := g.linked(m); linked.IsValid() {
			return g.no(linked, "the method "+m.name+" is linked to by the name that it has with a value receiver")
		}
		if m.decl.Body == nil {
			return g.no(m.decl.Name.Pos(), "the method "+m.name+" has a value receiver and no body in Go")
		}
		t := m.decl.Recv.List[0].Type
		switch x := t.(type) {
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		}
		if id, ok := t.(*ast.Ident); !ok || id.Name != g.c.finding.Owner {
			return g.no(m.decl.Name.Pos(), "the receiver of "+m.name+" is not spelled "+g.c.finding.Owner)
		}
	}
	return nil
}

// linked returns a directive that names m as the linker does, which is another name with a pointer receiver:
//
//	//go:linkname put example.com/store.Store.Put
func (g *changing) linked(m *method) token.Pos {
	for _, pkg := range g.d.prog.Packages {
		for _, file := range pkg.Files {
			if file.Syntax == nil {
				continue
			}
			for _, group := range file.Syntax.Comments {
				for _, c := range group.List {
					if strings.HasPrefix(c.Text, "//go:linkname ") && strings.HasSuffix(strings.TrimSpace(c.Text), "."+g.c.finding.Owner+"."+m.name) {
						return c.Pos()
					}
				}
			}
		}
	}
	return token.NoPos
}

// checkOwner refuses owners that are copied, but for the receivers: a call on a copy would lock the mutex of the copy.
func (g *changing) checkOwner() *Refusal {
	return cmp.Or(g.w.checkCopies(), g.w.inOwners(func(pkg *load.Package, n ast.Node, stack []ast.Node) *Refusal {
		id, ok := n.(*ast.Ident)
		if !ok || len(stack) < 2 || pkg.Info.Defs[id] == nil || !g.w.holds(pkg.Info.Defs[id].Type()) {
			return nil
		}
		if loop, ok := stack[len(stack)-2].(*ast.ForStmt); ok && loop.Init == stack[len(stack)-1] {
			return g.refuse(OwnerCopied, n.Pos(), "the owner is copied: each turn of the loop has another "+id.Name, "declare it before the loop")
		}
		return nil
	}))
}

// checkSections refuses methods that lock a mutex of the receiver around what may not stand in a section: until now
// nobody waits for that mutex, since each call has another.
//
//	func (s Store) Each(f func(string)) {
//		s.mu.Lock()
//		defer s.mu.Unlock()
//		for k := range s.m {
//			f(k) // calls what locks s.mu
//		}
//	}
func (g *changing) checkSections() *Refusal {
	eff := &effects{d: g.d, guard: guard{name: g.class.Field, class: g.class}, orders: g.d.orders}
	for _, name := range sortedKeys(g.methods) {
		m := g.methods[name]
		if len(m.locks) == 0 {
			continue
		}
		if r := g.checkLocks(m); r != nil {
			return r
		}
		if pos := eff.Spins(m.decl.Body.Pos(), m.decl.Body.End()); pos.IsValid() {
			return g.no(pos, "the method "+name+" waits in a loop, and locks "+g.class.Field+", which is a copy until now")
		}
		var r *Refusal
		ast.Inspect(m.decl.Body, func(n ast.Node) bool {
			if what := g.hazard(m, eff, n); r == nil && what != "" {
				r = g.no(n.Pos(), "the method "+name+" locks "+g.class.Field+", which is a copy until now, and may hold it around "+what)
			}
			return r == nil
		})
		if r != nil {
			return r
		}
	}
	return nil
}

// checkLocks refuses methods that lock something else than the guard, or try to.
func (g *changing) checkLocks(m *method) *Refusal {
	for _, l := range m.locks {
		pos := l.call.Pos()
		if l.name == "TryLock" || l.name == "TryRLock" {
			return g.no(pos, "the method "+m.name+" calls "+l.name+" of a copy, which never fails")
		}
		if l.path != g.class.Field || g.c.verdict.Guard == nil {
			return g.no(pos, "the method "+m.name+" locks a copy of another mutex than the one that is to guard "+g.c.finding.Field)
		}
	}
	return nil
}

// hazard says what n may wait for or call that is not for the section of a lock; empty when it is nothing.
func (g *changing) hazard(m *method, eff *effects, n ast.Node) string {
	info := g.c.decl.pkg.Info
	switch n := n.(type) {
	case *ast.SendStmt, *ast.SelectStmt:
		return "a channel operation"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "a channel operation"
		}
	case *ast.RangeStmt:
		switch info.TypeOf(n.X).Underlying().(type) {
		case *types.Chan, *types.Signature:
			return "a range over something else than data"
		}
	case *ast.CallExpr:
		if tv := info.Types[n.Fun]; tv.IsType() || tv.IsBuiltin() || slices.ContainsFunc(m.locks, func(l ownLock) bool { return l.call == n }) {
			return ""
		}
		if _, lit := ast.Unparen(n.Fun).(*ast.FuncLit); lit {
			return "" // its body is looked at
		}
		callee, ok := typeutil.Callee(info, n).(*types.Func)
		if !ok {
			return "a call of a function value"
		}
		if other := g.methodOf(callee); other != nil && g.leadsToLock(other, make(map[*method]bool)) {
			return "a call of " + other.name + ", which locks it too"
		}
		if key := access.ObjectKey(callee); g.d.world.Effects[key] == nil && model.Quiet(key) && !model.CallsBack(key) && !takesValues(info, n) {
			return "" // it waits for nobody who may wait for the lock
		}
		_, why := eff.Hazard(callee)
		return why
	}
	return ""
}

// takesValues reports whether call is given something whose methods or functions it may call.
func takesValues(info *types.Info, call *ast.CallExpr) bool {
	return slices.ContainsFunc(call.Args, func(e ast.Expr) bool {
		t := info.TypeOf(e)
		return t == nil || !access.IsPlain(t)
	})
}

// leadsToLock reports whether m, or a method of the same receiver that it calls, locks a mutex of the receiver.
func (g *changing) leadsToLock(m *method, seen map[*method]bool) bool {
	if seen[m] {
		return false
	}
	seen[m] = true
	return len(m.locks) > 0 || slices.ContainsFunc(m.calls, func(o *method) bool { return g.leadsToLock(o, seen) })
}

// isMutexCall reports whether fn is a method of sync.Mutex or sync.RWMutex that locks or unlocks it.
func isMutexCall(fn *types.Func) bool {
	recv := fn.Signature().Recv()
	if recv == nil || model.Lock(fn.Name()).IsZero() {
		return false
	}
	t := pointee(recv.Type())
	return isNamed(t, "sync", "Mutex") || isNamed(t, "sync", "RWMutex")
}
