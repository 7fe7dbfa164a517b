package share

import (
	"cmp"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
	"mapmend/plan/model"
)

// This file says how strong the evidence is that two uses meet, as one ordered table.

// variable is what evidence may need to know of a map variable besides the two uses.
type variable struct {
	twin   *Entry          // see Verdict
	guard  *Lock           // that most uses hold; nil when none does
	claim  string          // what its author says about concurrent use, as a sentence; empty when nothing
	tested string          // the test that uses it from several goroutines; empty when none does
	users  map[string]bool // the functions that use it, or call one that does

	slots   bool // it is a slice or an array of maps
	partial bool // not all ways to its uses were followed
	sampled bool // not all pairs of these are looked at
}

// meeting is two uses that may run at the same time on the same map, without a common lock.
type meeting struct {
	a, b     *Entry
	together overlap
	*variable
}

// rules are the kinds of evidence, the strongest first. The first that applies to a meeting grades it;
// says returns it as a sentence, or "" when it does not apply.
//
// Inv: a rule that applies to a meeting applies to it with the two uses swapped.
var rules = []struct {
	grade Grade
	says  func(w *World, m *meeting) string
}{
	{Possible, (*World).onlyFresh},
	{Possible, (*World).notAsCalled},
	{Possible, (*World).onTerms},
	{Possible, (*World).ownRequest},
	{Possible, (*World).mayBeWrapped},
	{Likely, (*World).oneSideLocks},
	{None, (*World).ownArgument},
	{Possible, (*World).startedTwice},
	{Likely, (*World).bothStarted},
	{Likely, (*World).served},
	{Likely, (*World).foundByAll},
	{Likely, (*World).claimed},
	{Likely, (*World).locksSiblings},
	{Likely, (*World).filledOnDemand},
	{Possible, (*World).setBesideStart},
	{Possible, (*World).sharedByCallers},
}

// Evidence is why two uses are thought to meet. The zero Evidence is that they do not.
type Evidence struct {
	Grade Grade
	Why   string // one sentence

	rank  int  // of the rule: of evidence of one grade, the least is the strongest
	makes bool // one of the two makes the map, which may be before others have it
	same  bool // both run in goroutines that are started in one place, though others hold a guard
}

// compare orders evidence by strength.
func (e Evidence) compare(f Evidence) int {
	if e.Grade == f.Grade && e.makes != f.makes && f.Grade != None {
		if f.makes {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(e.Grade, f.Grade), cmp.Compare(f.rank, e.rank), differs(e)-differs(f))
}

// differs is 0 for evidence of two uses that are the same, as a meeting of something with its like shows less, and else 1.
func differs(e Evidence) int {
	if e.same {
		return 0
	}
	return 1
}

// place returns where the goroutine is started that e runs in; it is empty when none is.
func (e *Entry) place() string {
	if len(e.Sites) == 0 {
		return ""
	}
	return e.Sites[len(e.Sites)-1]
}

// evidence returns the strongest evidence that the two uses of m meet. Which of them comes first does not matter.
func (w *World) evidence(m *meeting) Evidence {
	for rank, rule := range rules {
		if why := rule.says(w, m); why != "" {
			swapped := *m
			swapped.a, swapped.b = m.b, m.a
			makes := m.a.Use.Op == mapuse.Replace && m.a.Use.Fresh || m.b.Use.Op == mapuse.Replace && m.b.Use.Fresh
			return Evidence{Grade: rule.grade, Why: min(why, rule.says(w, &swapped)), rank: rank, makes: makes, same: m.guard != nil && m.a.place() != "" && m.a.place() == m.b.place()}
		}
	}
	panic("share: Inv: the last rule applies to every meeting")
}

// onlyFresh: one side is a function that is given what the map belongs to, and all that the program gives it is new. Others
// may call it with something else.
func (w *World) onlyFresh(m *meeting) string {
	for _, e := range []*Entry{m.a, m.b} {
		if e.Root == Exported && len(e.Sites) == 0 && w.private(e) && w.ownedByAll(e) {
			return "all that the program calls " + w.Bodies[e.Func].Name + " with is new: nobody else has it"
		}
	}
	return ""
}

// ownedByAll reports whether code other than tests calls the root function of e, and always with something that nobody else
// can reach.
func (w *World) ownedByAll(e *Entry) bool {
	calls := 0
	for _, edge := range w.callers[e.Func] {
		if w.isTest(edge.Pos) {
			continue
		}
		if calls++; edge.Start != "" || edge.Stored || !owned(edge, edge.Binding().Ref(e.Ref).Path) {
			return false
		}
	}
	return calls > 0
}

// oneSideLocks: a lock of the owner, of what it is reached from or of the package is held at one side,
// and it is the one that most uses hold.
func (w *World) oneSideLocks(m *meeting) string {
	for _, side := range [][2]*Entry{{m.a, m.b}, {m.b, m.a}} {
		for _, l := range side[0].locks() {
			if m.guard == nil || l.Relation != m.guard.Relation || l.ID != m.guard.ID {
				continue
			}
			switch {
			case l.Copied:
				return "one side holds a copy of " + l.Name()
			case l.Relation == Own:
				return "one side holds " + l.Name() + " of the owner"
			case l.Relation == Up && m.partial:
				// a lock of something else that happens to be held on the ways that were followed
			case l.Relation == Up && strings.HasSuffix(OwnerPath(side[1].Ref).Sel, l.Rest):
				return "one side holds " + l.Name() + ", from which the owner is reached"
			case l.Relation == Package && m.together == apart && !(w.rooted(m.a) && w.rooted(m.b)):
				// what the package does under its lock says nothing of an object that comes from somewhere else
			case l.Relation == Package:
				return "one side holds " + l.Name() + " of the package"
			case l.Relation == Same:
				return "one side holds " + l.Name()
			}
		}
	}
	return ""
}

// ownArgument: the map belongs to an argument of a function that is called twice: a request, say. Nothing
// shows that the two calls share it.
func (w *World) ownArgument(m *meeting) string {
	if m.together == apart && (w.private(m.a) || w.private(m.b)) {
		return "each call has its own"
	}
	return ""
}

// ownRequest: the map belongs to what a server makes for each call. That there is a lock around it says that the server, or
// the handler, may use it in goroutines of its own.
func (w *World) ownRequest(m *meeting) string {
	if m.together != apart {
		return ""
	}
	for _, e := range []*Entry{m.a, m.b} {
		if e.Root == Serving && len(e.Sites) == 0 && w.private(e) {
			return "each call of " + w.Bodies[e.Func].Name + " has its own"
		}
	}
	return ""
}

// private reports whether the map of e belongs to an argument of the root function, other than a receiver
// and what a server passes to all.
func (w *World) private(e *Entry) bool {
	r := e.Ref.Path.Root
	return r.Kind == access.Param && (r.Index > 0 || w.Bodies[e.Func].Method == "") && !w.toAll(e)
}

// rooted reports whether the map of e is reached from a package variable or a receiver.
func (w *World) rooted(e *Entry) bool {
	k := e.Ref.Path.Root.Kind
	return k == access.Global || k == access.Param && !w.private(e)
}

// toAll reports whether the map of e belongs to an argument that a server passes to all it calls.
func (w *World) toAll(e *Entry) bool {
	s := w.Effects[e.Func].Serves
	return e.Ref.Path.Root.Kind == access.Param && s != nil && slices.Contains(s.Shared, e.Ref.Path.Root.Index)
}

// startedTwice: the goroutine waits for events in a loop, and there are two of it only if whoever starts it is called
// twice on one object. Such a goroutine owns what it uses, mostly.
//
//	func (s *Server) Start() { go s.loop() }
func (w *World) startedTwice(m *meeting) string {
	a, b := m.a, m.b
	if m.together != apart || a.Root != Exported || a.Func != b.Func || !started(a) || !started(b) || a.Sites[0] != b.Sites[0] {
		return ""
	}
	for s := a.way; s.in != nil; s = s.in {
		if s.Edge.Start != "" {
			if body := w.Bodies[s.in.Func]; body != nil && body.Listens {
				return "the goroutine that " + w.Bodies[a.Func].Name + " starts meets another one only if that is called twice"
			}
			return ""
		}
	}
	return ""
}

// bothStarted: the loaded program starts both sides, on one instance.
func (w *World) bothStarted(m *meeting) string {
	if !w.sameInstance(m.a, m.b) || m.slots && m.together == inside {
		return "" // each of the goroutines may have an entry of its own
	}
	if m.together == inside && m.a.Kept == "" && m.b.Kept == "" || started(m.a) && started(m.b) {
		if by := m.a.by(); by != "" {
			return by
		}
		if by := m.b.by(); by != "" {
			return by
		}
		if len(m.a.Sites) == 0 || len(m.b.Sites) == 0 {
			return "a goroutine that the program starts meets what starts it, on the same instance"
		}
		return "both sides run in goroutines that the program starts, on the same instance"
	}
	return ""
}

// areSlots reports whether the variable of entries is no map, but a slice or an array of them: every use is of one of those.
// Where each goroutine has an index of its own, they do not meet:
//
//	for i, r := range rules {
//		go func() { g.seen[i] = r.eval() }()
//	}
func areSlots(entries []*Entry) bool {
	return !slices.ContainsFunc(entries, func(e *Entry) bool { return e.Ref.Depth == 0 })
}

// served: one side is called by a library from many goroutines, and the other side too, or it is started.
func (w *World) served(m *meeting) string {
	a, b := m.a, m.b
	if !w.sameInstance(a, b) {
		return ""
	}
	if a.Root == Serving && (b.Root == Serving || started(b)) {
		return w.server(a)
	}
	if b.Root == Serving && started(a) {
		return w.server(b)
	}
	return ""
}

// by returns which library starts e, as a sentence; it is empty when none does.
func (e *Entry) by() string {
	for s := e.way; s != nil; s = s.in {
		if s.Edge != nil && s.Edge.By != "" {
			return model.Runs{How: s.Edge.Start, By: s.Edge.By}.String()
		}
	}
	return ""
}

// server returns which library calls the root function of e.
func (w *World) server(e *Entry) string {
	runs := w.converted[e.Func]
	if s := w.Effects[e.Func].Serves; !runs.Many() && s != nil {
		runs = model.Runs{How: model.Handler, By: s.By}
	}
	return runs.String()
}

// claimed: the author says that the type or both functions are for concurrent use, or that a lock is missing; or
// a test uses it from several goroutines.
func (w *World) claimed(m *meeting) string {
	switch {
	case !w.sameInstance(m.a, m.b):
	case m.claim != "":
		return m.claim
	case w.safelyCalled(m.a) != "" && w.safelyCalled(m.b) != "":
		return w.safelyCalled(m.a)
	case m.tested != "":
		return m.tested + " uses it from several goroutines"
	}
	return ""
}

// safelyCalled returns what the author says of a function on the way of e that may be called concurrently; it is
// empty when nothing is said.
func (w *World) safelyCalled(e *Entry) string {
	for s := e.way; s != nil; s = s.in {
		if why := w.safe[s.Func]; why != "" {
			return why
		}
	}
	return ""
}

// maxTests bounds how many ways from tests are looked at.
const maxTests = 100

// tested returns the test among the roots of entries that uses the variable from several goroutines without
// a common lock; it is empty when none certainly does.
func (w *World) tested(entries []*Entry) string {
	_, entries = parted(entries, func(e *Entry) bool {
		return e.Unsure != "" || len(e.At.Maybe) > 0 || slices.ContainsFunc(e.Sites, func(site string) bool { return strings.HasPrefix(site, keptSite) })
	})
	entries = entries[:min(len(entries), maxTests)]
	about := &variable{slots: areSlots(entries)}
	for i, a := range entries {
		for _, b := range entries[i:] {
			if a.Func != b.Func || len(a.Sites) == 0 && len(b.Sites) == 0 || w.isTest(a.Use.Pos) || w.isTest(b.Use.Pos) {
				continue
			}
			if why, _ := w.pair(a, b, about); why.Grade == Likely {
				return w.Bodies[a.Func].Name
			}
		}
	}
	return ""
}

// locksSiblings: most methods of the owner that have to do with its other fields take a lock of the owner, so
// that it is made for concurrent use. A field that importers set, without a lock, is a setting.
func (w *World) locksSiblings(m *meeting) string {
	v := m.a.Ref.Var
	if !w.ofOwner(m.a) || !w.ofOwner(m.b) || w.open[v.Package] && isExported(v.Owner) && isExported(v.Field) {
		return ""
	}
	others, locking, example := 0, 0, ""
	for _, method := range w.methods[access.Var{Package: v.Package, Owner: v.Owner, Field: "*"}] {
		if m.users[method.Key] {
			continue
		}
		others++
		if lock := w.ownLock(method); lock != "" {
			locking++
			example = cmp.Or(example, method.Name+" and others take "+lock+" of the same type, which is made for concurrent use then")
		}
	}
	if locking < 2 || 2*locking <= others {
		return ""
	}
	return example
}

// ownLock returns a lock of the receiver's type that the exported method b takes; it is empty when it takes none.
func (w *World) ownLock(b *lockset.Body) string {
	for _, class := range w.Effects[b.Key].Acquires {
		if class.Owner == b.Method && class.Package == access.PackageOf(b.Key) {
			return class.Field
		}
	}
	return ""
}

// ofOwner reports whether e begins in a method of the owner that is called on the instance.
func (w *World) ofOwner(e *Entry) bool {
	b := w.Bodies[e.Func]
	r := OwnerPath(e.Ref)
	return b.Method == e.Ref.Var.Owner && access.PackageOf(b.Key) == e.Ref.Var.Package && r == access.Path{Root: access.Root{Kind: access.Param}}
}

// filledOnDemand: importers of the package fill a package variable when they look something up.
func (w *World) filledOnDemand(m *meeting) string {
	if w.lazyCache(m.a) && w.lazyCache(m.b) {
		return "a package-level cache that importers of the package fill on demand"
	}
	return ""
}

// lazyCache reports whether e is on a package variable that an importable package's API fills on demand:
// the function that uses it, or one on the way, both looks the map up for a value and stores in it. One that
// only asks whether the key is there may be a registry that is filled once:
//
//	if _, dup := drivers[name]; dup { panic("registered twice") }
//	drivers[name] = driver
func (w *World) lazyCache(e *Entry) bool {
	if e.Root != Exported || e.Ref.Path.Root.Kind != access.Global || e.Ref.Path.Sel != "" {
		return false
	}
	refs := e.Refs()
	for i, f := range e.Frames() {
		looks, fills := false, false
		for _, u := range w.usesOf[f.Func] {
			if u.Ref.Path == refs[i].Path {
				looks = looks || u.Op == mapuse.Index && u.Valued
				fills = fills || u.Op == mapuse.Store
			}
		}
		if looks && fills {
			return true
		}
	}
	return false
}

// setBesideStart: a goroutine that a method starts uses it, and so does another method; nothing shows that
// anybody calls that later.
func (w *World) setBesideStart(m *meeting) string {
	a, b := m.a, m.b
	if len(a.Sites) == 0 {
		a, b = b, a
	}
	if len(a.Sites) == 0 || len(b.Sites) > 0 || a.Root != Exported || b.Root != Exported || !w.sameInstance(a, b) {
		return ""
	}
	return "a goroutine that " + w.Bodies[a.Func].Name + " starts uses it; nothing shows that " + w.Bodies[b.Func].Name + " is called after that"
}

// sharedByCallers: nothing shows that the two meet, but for the callers.
func (w *World) sharedByCallers(m *meeting) string {
	for _, e := range []*Entry{m.a, m.b} {
		switch {
		case w.many[e.Kept]:
			return "a function that uses it is kept, and several goroutines call what is kept like that"
		case e.Kept != "":
			return "a function that uses it is kept, and may be called from another goroutine"
		case e.Root == Interface:
			return "it is called through an interface, and whoever calls that may share it"
		}
	}
	if m.a.Root != Exported && m.b.Root != Exported {
		return "it may be another object on each side, as far as the program shows"
	}
	return "callers outside the program may share it"
}

// started reports whether e runs in a goroutine that the program starts, or in main beside one.
func started(e *Entry) bool {
	return e.Unsure == "" && (len(e.Sites) > 0 || e.Root == Main)
}

// sameInstance reports whether a and b are seen to be on the same instance: of a package variable, of
// what one activation made or was given, of the receiver of methods of one type, or of that and what its constructor
// makes.
func (w *World) sameInstance(a, b *Entry) bool {
	if strings.Contains(OwnerPath(a.Ref).Sel, "[]") && !throughContainer(a, b) {
		return false // each of the goroutines may have an element of its own
	}
	return w.sameRoot(a, b)
}

// sameRoot reports whether a and b are seen to be reached from the same instance in the same way, through the same element
// of each container on it if there are any.
func (w *World) sameRoot(a, b *Entry) bool {
	if a.Ref.Path.Sel != b.Ref.Path.Sel {
		return false
	}
	ra, rb := a.Ref.Path.Root, b.Ref.Path.Root
	switch {
	case ra.Kind == access.Global, a.Func == b.Func && ra.Kind != access.Local:
		return ra == rb
	case w.toAll(a) && w.toAll(b):
		return true
	case ra.Kind == access.Param && ra == rb && ra.Index == 0:
		fa, fb := w.Bodies[a.Func], w.Bodies[b.Func]
		return fa.Method != "" && fa.Method == fb.Method && access.PackageOf(fa.Key) == access.PackageOf(fb.Key)
	}
	return w.madeFor(a, b) || w.madeFor(b, a)
}

// madeFor reports whether a is on what its root function makes and returns, and b on the receiver of a method of that:
//
//	func New() *Server { s := &Server{}; http.Handle("/", s.handler()); return s }
//	func (s *Server) Start() { go s.reload() }
func (w *World) madeFor(a, b *Entry) bool {
	r := b.Ref.Path.Root
	if !a.ownInstance() || !w.returns(a.Func, a.Ref.Path.Root) || r.Kind != access.Param || r.Index != 0 || OwnerPath(a.Ref).Sel != "" {
		return false
	}
	body := w.Bodies[b.Func]
	return body.Method == a.Ref.Var.Owner && access.PackageOf(body.Key) == a.Ref.Var.Package
}
