// This file carries out the form lock: a mutex beside the map, sections that hold it, read locks
// that become write locks, functions that are split, copies that are let out of sections, and receivers that become pointers.

package rewrite

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/dave/dst"

	"mapmend/plan"
	"mapmend/plan/load"
)

// carryLock asks for the steps of a mend of form lock.
func carryLock(e *editor, m plan.Mend) error {
	if err := addMutex(e, m); err != nil {
		return err
	}
	for _, s := range m.Sections {
		if err := addSection(e, s); err != nil {
			return err
		}
	}
	for _, c := range m.Modes {
		if err := changeMode(e, c); err != nil {
			return err
		}
	}
	for _, t := range m.Twins {
		if err := splitFunction(e, m, t); err != nil {
			return err
		}
	}
	for _, c := range m.Copies {
		if err := letOutCopy(e, c); err != nil {
			return err
		}
	}
	for _, r := range m.Receivers {
		if err := pointReceiver(e, r); err != nil {
			return err
		}
	}
	if err := shareMutex(e, m); err != nil {
		return err
	}
	for _, s := range m.Asserted {
		if err := pointAssertion(e, s); err != nil {
			return err
		}
	}
	for _, s := range m.Addressed {
		if err := takeAddress(e, s); err != nil {
			return err
		}
	}
	return nil
}

// addMutex declares the mutex of m, if it has one, directly above the map.
func addMutex(e *editor, m plan.Mend) error {
	mu := m.Mutex
	if mu == nil {
		return nil
	}
	f, err := e.open(m.Decl.File, m.Decl.Start)
	if err != nil {
		return err
	}
	if !token.IsIdentifier(mu.Name) || strings.ContainsAny(mu.Comment, "\n\r") {
		return refuse(plan.NotProved, f.name, m.Decl.Start, "the planned mutex %q cannot be declared", mu.Name)
	}
	d, err := f.declarationAt(m.Decl)
	if err != nil {
		return err
	}
	if d.fields == nil && d.local == nil && e.declares(f.pkg, mu.Name) {
		return nil
	}
	typ, err := f.mutexType(mu.Type, m.Decl.Start)
	if err != nil {
		return err
	}
	switch {
	case d.fields != nil:
		f.addField(d, *mu, typ)
	case d.local != nil:
		f.addLocal(d, *mu, typ)
	case d.group.Lparen.IsValid():
		f.addSpec(d, *mu, typ)
	default:
		f.addVar(d, *mu, typ)
	}
	return nil
}

// mutexType returns the type expression for a mutex in f, which imports package sync if it did not.
func (f *file) mutexType(want string, offset int) (string, error) {
	name, ok := strings.CutPrefix(want, "sync.")
	if !ok || name != "Mutex" && name != "RWMutex" {
		return "", refuse(plan.NotProved, f.name, offset, "the planned mutex has the unknown type %q", want)
	}
	qualifier, err := f.importName("sync", offset)
	if err != nil || qualifier == "" {
		return name, err
	}
	return qualifier + "." + name, nil
}

// addField puts a field above the one that declares the map. A doc comment of the map stays with it;
// comments that a blank line parts from it stay on top.
func (f *file) addField(d declaration, mu plan.Mutex, typ string) {
	// Two maps of one struct under one new mutex need one field.
	key := fmt.Sprintf("mutex %d %s", f.offset(d.fields.Pos()), mu.Name)
	f.step(f.offset(d.node.Pos()), key, func(t *syntax) {
		below := t.nodes[d.node].(*dst.Field)
		above := &dst.Field{Names: []*dst.Ident{dst.NewIdent(mu.Name)}, Type: typeExpr(typ)}
		putAbove(&above.Decs.NodeDecs, &below.Decs.NodeDecs, mu.Comment)
		fields := t.nodes[d.fields].(*dst.FieldList)
		fields.List = slices.Insert(fields.List, slices.Index(fields.List, below), above)
		for _, f := range fields.List { // type T struct{ m map[K]V } was one line
			ownLine(&f.Decs.NodeDecs)
		}
	})
}

// addSpec puts a value spec above the one that declares the map in a group.
func (f *file) addSpec(d declaration, mu plan.Mutex, typ string) {
	f.step(f.offset(d.node.Pos()), packageMutex+mu.Name, func(t *syntax) {
		below := t.nodes[d.node].(*dst.ValueSpec)
		above := &dst.ValueSpec{Names: []*dst.Ident{dst.NewIdent(mu.Name)}, Type: typeExpr(typ)}
		putAbove(&above.Decs.NodeDecs, &below.Decs.NodeDecs, mu.Comment)
		group := t.nodes[d.group].(*dst.GenDecl)
		i := slices.Index(group.Specs, dst.Spec(below))
		group.Specs = slices.Insert(group.Specs, i, dst.Spec(above))
		for _, s := range group.Specs {
			ownLine(s.Decorations())
		}
	})
}

// addVar puts a declaration above a lone one. It is an insertion of bytes: the declaration of the map
// itself does not change.
func (f *file) addVar(d declaration, mu plan.Mutex, typ string) {
	at := f.offset(d.group.Pos())
	text := "var " + mu.Name + " " + typ + "\n"
	if mu.Comment != "" {
		text = "// " + mu.Comment + "\n" + text
	}
	if d.group.Doc != nil {
		at = f.offset(d.group.Doc.Pos())
		text += "\n"
	}
	f.insert(at, at, packageMutex+mu.Name, text)
}

// packageMutex begins the key of a step that declares a mutex in the scope of the package.
const packageMutex = "package mutex "

// declares reports whether a mend before, perhaps in another file, already declares the mutex name in
// the scope of pkg: one for two variables.
func (e *editor) declares(pkg *load.Package, name string) bool {
	for _, f := range e.files {
		if f.pkg == pkg && f.has(packageMutex+name) {
			return true
		}
	}
	return false
}

// addLocal puts a variable above the statement that declares the map in a function.
func (f *file) addLocal(d declaration, mu plan.Mutex, typ string) {
	at := f.offset(d.local.stmts[d.local.i].Pos())
	f.step(at, fmt.Sprintf("mutex %d %s", at, mu.Name), func(t *syntax) {
		below := t.nodes[d.local.stmts[d.local.i]].(dst.Stmt)
		spec := &dst.ValueSpec{Names: []*dst.Ident{dst.NewIdent(mu.Name)}, Type: typeExpr(typ)}
		above := &dst.DeclStmt{Decl: &dst.GenDecl{Tok: token.VAR, Specs: []dst.Spec{spec}}}
		putAbove(&above.Decs.NodeDecs, below.Decorations(), mu.Comment)
		insertStmts(t.stmtList(d.local.list), below, 0, above)
	})
}

// typeExpr returns sync.RWMutex or, under a dot import, RWMutex as an expression.
func typeExpr(typ string) dst.Expr {
	if qualifier, name, ok := strings.Cut(typ, "."); ok {
		return &dst.SelectorExpr{X: dst.NewIdent(qualifier), Sel: dst.NewIdent(name)}
	}
	return dst.NewIdent(typ)
}

// putAbove gives a new node the space before an old one, which follows it on the next line. Comments
// that a blank line parts from the old node stay above the new one.
//
//	// Caches.            above both
//
//	// byID is a cache.   stays with byID
//	byID map[string]T
func putAbove(above, below *dst.NodeDecs, comment string) {
	above.Before, below.Before = below.Before, dst.NewLine
	above.After = dst.NewLine
	lead := len(below.Start)
	for lead > 0 && !endsBlank(below.Start[:lead]) {
		lead--
	}
	above.Start = slices.Clone(below.Start[:lead])
	below.Start = slices.Clone(below.Start[lead:])
	if comment != "" {
		above.Start = append(above.Start, "// "+comment)
	}
}

// endsBlank reports whether decorations end with a blank line. The line end behind a // comment is not among them.
func endsBlank(decs dst.Decorations) bool {
	n := len(decs)
	return decs[n-1] == "\n" && (n == 1 || decs[n-2] == "\n" || strings.HasPrefix(decs[n-2], "//"))
}

// ownLine makes n begin and end a line.
func ownLine(n *dst.NodeDecs) {
	n.Before = max(n.Before, dst.NewLine)
	n.After = max(n.After, dst.NewLine)
}

// insertStmts puts stmts before at, or after it when after is 1. A body of one line becomes several.
func insertStmts(list *[]dst.Stmt, at dst.Stmt, after int, stmts ...dst.Stmt) {
	*list = slices.Insert(*list, slices.Index(*list, at)+after, stmts...)
	for _, s := range *list {
		ownLine(s.Decorations())
	}
}

// A section is a run of statements that is to hold a lock, with both ends of the run in bytes.
type section struct {
	stretch
	start, end int
	lock       string // as gofmt writes it
	expr       ast.Expr
	read       bool
	deferred   bool
	exits      []stretch // statements by which control leaves it, which unlock first
	closure    bool      // it becomes a function literal, called on the spot
	hoists     []hoist   // what alone is in the section, and is to stand in front of its statement; none when all of the run is
	block      bool      // that and the statement become a block
}

// addSection asks for the lock around a run of statements. It merges with a section of the same lock
// that it meets, whoever asked for that one.
func addSection(e *editor, p plan.Section) error {
	f, err := e.open(p.File, p.Start)
	if err != nil {
		return err
	}
	s := section{start: p.Start, end: p.End, read: p.Read, deferred: p.Defer, closure: p.Closure}
	if p.Hoist {
		s, err = f.hoistAt(p, s)
	} else {
		s.stretch, err = f.stretchAt(p.Span)
	}
	if err != nil {
		return err
	}
	for _, exit := range p.Exits {
		at, err := f.stretchAt(exit)
		if err != nil {
			return err
		}
		s.exits = append(s.exits, at)
	}
	s.expr, err = parser.ParseExpr(p.Lock)
	if err != nil || !plan.IsPath(s.expr) {
		return refuse(plan.NotProved, f.name, p.Start, "the planned lock %q is not a variable or field", p.Lock)
	}
	s.lock = types.ExprString(s.expr)
	if f.sections, err = f.merge(f.sections, s); err != nil {
		return err
	}
	return f.nestedClosures()
}

// merge returns sections with s, which takes in those of its lock that it overlaps or follows.
func (f *file) merge(sections []section, s section) ([]section, error) {
	for i, old := range sections {
		if old.lock != s.lock || !old.meets(s) {
			continue
		}
		if len(old.hoists) > 0 && len(s.hoists) > 0 && (old.block || s.block) && !slices.Equal(old.hoists, s.hoists) {
			return nil, refuse(plan.NotProved, f.name, s.start, "two parts of one statement are to be put in front of it")
		}
		if old.fn != s.fn {
			// func (s *S) f() { s.m[1] = 1; g(func() { s.n[2] = 2 }) }
			// With a section around all of it, one inside the literal waits for itself, unless the
			// literal is run by a go statement inside the outer section.
			if !old.spawns(s) && !s.spawns(old) {
				return nil, refuse(plan.NotProved, f.name, s.start, "a section of %s lies in a function literal inside another", s.lock)
			}
			continue
		}
		return f.merge(slices.Delete(slices.Clone(sections), i, i+1), f.union(old, s))
	}
	if err := f.check(s); err != nil {
		return nil, err
	}
	return append(sections, s), nil
}

// meets reports whether s and r overlap or one begins with the statement after the other.
func (s section) meets(r section) bool {
	if len(s.hoists) > 0 && len(r.hoists) > 0 {
		return s.list == r.list && s.i == r.i
	}
	return s.start < r.end && r.start < s.end || s.follows(r) || r.follows(s)
}

// follows reports whether s begins with the statement after the last of r.
func (s section) follows(r section) bool {
	return len(s.hoists) == 0 && len(r.hoists) == 0 && s.list == r.list && s.i == r.j+1
}

// spawns reports whether a go statement in s runs the function that holds r.
func (s section) spawns(r section) bool {
	return slices.ContainsFunc(r.spawn, func(lit ast.Node) bool {
		return s.stmts[s.i].Pos() <= lit.Pos() && lit.End() <= s.stmts[s.j].End()
	})
}

// union returns one section that holds a and b. Precondition: one function, one lock, and they meet.
// Runs of two lists that meet lie one inside the other.
func (f *file) union(a, b section) section {
	if len(b.hoists) > 0 && len(a.hoists) > 0 {
		a.read = a.read && b.read
		a.start, a.end = min(a.start, b.start), max(a.end, b.end)
		for _, h := range b.hoists {
			if !slices.Contains(a.hoists, h) {
				a.hoists = append(slices.Clip(a.hoists), h)
			}
		}
		slices.SortFunc(a.hoists, func(g, h hoist) int { return cmp.Compare(g.node.Pos(), h.node.Pos()) })
		return a
	}
	if len(b.hoists) > 0 { // all of its statement is in a
		a.read = a.read && b.read
		return a
	}
	if len(a.hoists) > 0 {
		return f.union(b, a)
	}
	if a.list != b.list {
		if b.start <= a.start && a.end <= b.end {
			a, b = b, a
		}
		a.read = a.read && b.read
		return a
	}
	a.i, a.j = min(a.i, b.i), max(a.j, b.j)
	a.start, a.end = min(a.start, b.start), max(a.end, b.end)
	a.read = a.read && b.read
	a.closure = a.closure || b.closure
	for _, exit := range b.exits {
		if !slices.ContainsFunc(a.exits, func(o stretch) bool { return o.list == exit.list && o.i == exit.i }) {
			a.exits = append(slices.Clip(a.exits), exit)
		}
	}
	if a.deferred = a.deferred || b.deferred; a.deferred {
		a.j = len(a.stmts) - 1
		a.end = f.offset(a.stmts[a.j].End())
	}
	return a
}

// compare orders sections as they must be applied: what begins first or reaches further is outside.
func (s section) compare(r section) int {
	return cmp.Or(cmp.Compare(s.start, r.start), cmp.Compare(r.end, s.end), cmp.Compare(s.lock, r.lock))
}

// check returns an obstacle when lock and unlock around s would not be reached in pairs.
func (f *file) check(s section) error {
	no := func(why string) error { return refuse(plan.NotProved, f.name, s.start, "%s", why) }
	if len(s.hoists) > 0 {
		return nil
	}
	jumps := jumpsOf(s)
	switch {
	case s.deferred && (s.list != ast.Node(s.body()) || s.j != len(s.stmts)-1):
		return no("a deferred section does not run to the end of the function body")
	case len(s.exits) > 0 && (s.deferred || s.closure || !s.leavesBy(jumps)):
		return no("control leaves the section in other places than planned")
	case !s.deferred && jumps.out && len(s.exits) == 0:
		return no("control leaves the section before the unlock")
	case jumps.across:
		return no("a goto enters or leaves the section")
	case !s.deferred && rebinds(s):
		return no(s.lock + " changes its meaning inside the section")
	}
	return nil
}

// apply puts the lock and unlock calls into the tree.
func (s section) apply(t *syntax) {
	if len(s.hoists) > 0 {
		s.applyHoist(t)
		return
	}
	if s.closure {
		s.applyClosure(t)
		return
	}
	first := t.nodes[s.stmts[s.i]].(dst.Stmt)
	list := t.listWith(first, s.list)
	last := t.nodes[s.stmts[s.j]].(dst.Stmt)
	lock, unlock := s.calls()
	if s.deferred {
		deferred := &dst.DeferStmt{Call: unlock}
		acquire := &dst.ExprStmt{X: lock}
		putAbove(&acquire.Decs.NodeDecs, first.Decorations(), "")
		if !s.isSingleLine(t) && !followsComment(first.Decorations().Start) {
			first.Decorations().Before = dst.EmptyLine
		}
		insertStmts(list, first, 0, acquire, deferred)
		return
	}
	acquire, release := &dst.ExprStmt{X: lock}, &dst.ExprStmt{X: unlock}
	putAbove(&acquire.Decs.NodeDecs, first.Decorations(), "")
	putBelow(&release.Decs.NodeDecs, last.Decorations())
	insertStmts(list, first, 0, acquire)
	insertStmts(list, last, 1, release)
	for _, exit := range s.exits {
		_, unlock := s.calls()
		early := &dst.ExprStmt{X: unlock}
		at := t.nodes[exit.stmts[exit.i]].(dst.Stmt)
		putAbove(&early.Decs.NodeDecs, at.Decorations(), "")
		insertStmts(t.listWith(at, exit.list), at, 0, early)
	}
}

// leavesBy reports whether the exits of s are all the places at which control leaves it.
func (s section) leavesBy(j jumps) bool {
	var planned []token.Pos
	for _, exit := range s.exits {
		planned = append(planned, exit.stmts[exit.i].Pos())
	}
	slices.Sort(planned)
	slices.Sort(j.exits)
	return slices.Equal(planned, j.exits)
}

// putBelow gives a new node the space after an old one, and the comments there that are on lines of
// their own.
func putBelow(below, above *dst.NodeDecs) {
	below.After, above.After = above.After, dst.NewLine
	below.Before = dst.NewLine
	same := onLine(above.End)
	if rest := above.End[same:]; len(rest) > 0 {
		below.End = slices.Clone(rest)
		if rest[0] != "\n" || same > 0 && strings.HasPrefix(above.End[same-1], "//") {
			below.End = slices.Insert(below.End, 0, "\n") // a // comment holds its line end
		}
		above.End = slices.Clone(above.End[:same])
	}
}

// isSingleLine reports whether s is one statement on one line without a comment above: after the
// deferred unlock it needs no blank line.
func (s section) isSingleLine(t *syntax) bool {
	stmt := s.stmts[s.i]
	return s.i == s.j && t.file.Line(stmt.Pos()) == t.file.Line(stmt.End()) && len(t.nodes[stmt].Decorations().Start) == 0
}

// followsComment reports whether a node with that start stands on the line of a comment. Below a blank line
// gofmt would part the two.
func followsComment(start dst.Decorations) bool {
	return len(start) > 0 && strings.HasPrefix(start[len(start)-1], "/*")
}

// calls returns the calls that begin and end s.
func (s section) calls() (lock, unlock *dst.CallExpr) {
	call := func(method string) *dst.CallExpr {
		return &dst.CallExpr{Fun: &dst.SelectorExpr{X: pathExpr(s.expr), Sel: dst.NewIdent(method)}}
	}
	if s.read {
		return call("RLock"), call("RUnlock")
	}
	return call("Lock"), call("Unlock")
}

// pathExpr returns e in dst form. Precondition: plan.IsPath(e).
func pathExpr(e ast.Expr) dst.Expr {
	switch e := e.(type) {
	case *ast.Ident:
		return dst.NewIdent(e.Name)
	case *ast.SelectorExpr:
		return &dst.SelectorExpr{X: pathExpr(e.X), Sel: dst.NewIdent(e.Sel.Name)}
	case *ast.ParenExpr:
		return &dst.ParenExpr{X: pathExpr(e.X)}
	}
	panic("rewrite: not a path")
}

// writeMode gives for each method that takes or gives back a read lock its partner.
var writeMode = map[string]string{"RLock": "Lock", "RUnlock": "Unlock", "TryRLock": "TryLock"}

// changeMode asks for the renaming of one call.
func changeMode(e *editor, c plan.ModeChange) error {
	f, err := e.open(c.File, c.Start)
	if err != nil {
		return err
	}
	id, err := f.identAt(c.Span)
	if err != nil {
		return err
	}
	if to := writeMode[id.Name]; to == "" || to != c.To {
		return refuse(plan.NotProved, f.name, c.Start, "%s cannot become %s", id.Name, c.To)
	}
	f.step(c.Start, fmt.Sprintf("mode %d", c.Start), func(t *syntax) {
		t.nodes[id].(*dst.Ident).Name = c.To
	})
	return nil
}
