package share

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
	"mapmend/plan/model"
)

// This file judges the entries of one map variable in pairs.

// Grade is how strong the evidence for a pair is. A greater Grade is stronger.
type Grade uint8

const (
	None     Grade = iota // not a problem
	Possible              // shared only if callers outside the program share it
	Likely                // the program shows the sharing, or the intent to guard
)

// Verdict is what is known about one map variable that has a problem.
type Verdict struct {
	Var      access.Var
	Grade    Grade
	Evidence []string  // why the grade, one sentence each, sorted
	Guard    *Lock     // the lock that most uses hold; nil when none does
	Uses     []Judged  // every use that was entered, by position and function
	Pair     [2]*Entry // one pair that shows the problem
	Replaced bool      // all writes that conflict assign the variable
}

// Judged is one place where the variable is used.
type Judged struct {
	Func    string    // key of the function
	Pos     token.Pos // of the identifier that names the variable
	Op      mapuse.Op
	At      lockset.Point // the locks there, in terms of Func
	Entries []*Entry
	Problem bool // takes part in a pair and does not hold the guard as it must
	RLocked bool // a write that holds the guard in read mode
	Wrong   bool // holds another lock, and not the guard
}

// Judge judges all map variables of the world. The verdicts are sorted by variable. Of a variable
// without a problem there is one, of Grade None, if keep says so.
func (w *World) Judge(keep func(access.Var) bool) []Verdict {
	uses, passed := w.byVariable(keep)
	vars := make([]access.Var, 0, len(uses))
	for v := range uses {
		vars = append(vars, v)
	}
	slices.SortFunc(vars, compareVars)
	var out []Verdict
	for i, v := range vars {
		if i > 0 && v.Owner != vars[i-1].Owner {
			clear(w.walked) // Inv: searches are shared between the fields of one owner only
		}
		entries := passed[v]
		for _, u := range uses[v] {
			for _, e := range w.Entries(u) {
				if !e.beforeStart() {
					entries = append(entries, &e)
				}
			}
		}
		if verdict, ok := w.judge(v, entries); ok || keep(v) {
			out = append(out, verdict)
		}
	}
	return out
}

// byVariable groups the uses that may matter by variable. Uses of a parameter are followed to where
// they get a variable: passed has the entries of those.
func (w *World) byVariable(keep func(access.Var) bool) (uses map[access.Var][]*mapuse.Use, passed map[access.Var][]*Entry) {
	uses, passed = make(map[access.Var][]*mapuse.Use), make(map[access.Var][]*Entry)
	skip := w.neverWritten()
	for i := range w.Uses {
		u := &w.Uses[i]
		if v := u.Ref.Var; !v.IsZero() {
			if !skip[v] || keep(v) {
				uses[v] = append(uses[v], u)
			}
			continue
		}
		for _, e := range w.Entries(u) {
			if v := e.Ref.Var; !v.IsZero() && !skip[v] && !e.beforeStart() {
				passed[v] = append(passed[v], &e)
				uses[v] = uses[v][:len(uses[v]):len(uses[v])] // the key must be there
			}
		}
	}
	return uses, passed
}

func compareVars(a, b access.Var) int {
	return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Field, b.Field))
}

// initializes reports whether all that happens at j is that a new, empty map is put in the variable,
// as a method Start or Init does before the object is shared.
func (j Judged) initializes() bool {
	return j.Op == mapuse.Replace && !slices.ContainsFunc(j.Entries, func(e *Entry) bool { return !e.Use.Fresh })
}

// neverWritten returns the variables that nothing writes after they were made, as far as the uses
// name them: their entries need not be looked for. A write through a parameter names no variable, so
// such variables are kept when they are passed on at all.
func (w *World) neverWritten() map[access.Var]bool {
	skip := make(map[access.Var]bool)
	for i := range w.Uses {
		skip[w.Uses[i].Ref.Var] = true
	}
	for i := range w.Uses {
		if w.Uses[i].Op.Writes() {
			skip[w.Uses[i].Ref.Var] = false
		}
	}
	for _, b := range w.Bodies {
		for _, e := range b.Calls {
			for _, r := range slices.Concat(e.Params, e.Free) {
				if !r.Var.IsZero() {
					skip[r.Var] = false
				}
			}
		}
	}
	skip[access.Var{}] = false
	return skip
}

// beforeStart reports whether e happens before any goroutine of the program runs.
func (e *Entry) beforeStart() bool {
	return len(e.Sites) == 0 && (e.Root == Start || e.Root == Main && len(e.After) == 0)
}

func (w *World) judge(v access.Var, entries []*Entry) (Verdict, bool) {
	test := slices.DeleteFunc(slices.Clone(entries), func(e *Entry) bool { return e.Root != Test })
	entries = slices.DeleteFunc(slices.Clone(entries), func(e *Entry) bool { return e.Root == Test })
	if len(entries) == 0 { // a variable of test code
		entries = test
	}
	verdict := Verdict{Var: v, Guard: w.guard(entries)}
	problem := make(map[*Entry]bool)
	evidence := make(map[string]bool)
	conflictsOnlyReplace := true
	sure, some := make(map[int]bool), make(map[int]bool)
	classes := w.classify(entries)
	if len(classes) > maxClasses {
		classes = classes[:maxClasses]
	}
	guarded := make([]bool, len(classes))
	for i, c := range classes {
		guarded[i] = verdict.Guard != nil && c[0].Holds(*verdict.Guard, c[0].Use.Op.Writes())
	}
	for i, ca := range classes {
		for j, cb := range classes[i:] {
			a, b := ca[0], cb[0]
			if guarded[i] && guarded[i+j] || !a.Use.Op.Writes() && !b.Use.Op.Writes() {
				continue
			}
			grade, why, unsure := w.pair(a, b, verdict.Guard)
			if grade == None {
				continue
			}
			if !unsure {
				sure[i], sure[i+j] = true, true
			}
			some[i], some[i+j] = true, true
			if a.Use.Op.Part() == mapuse.Entries {
				conflictsOnlyReplace = false
			}
			if grade > verdict.Grade {
				verdict.Grade, verdict.Pair = grade, [2]*Entry{a, b}
				clear(evidence)
			}
			if grade == verdict.Grade {
				evidence[why] = true
			}
		}
	}
	if verdict.Grade == None {
		verdict.Uses = w.judged(entries, problem, verdict)
		return verdict, false
	}
	for why := range evidence {
		verdict.Evidence = append(verdict.Evidence, why)
	}
	slices.Sort(verdict.Evidence)
	verdict.Replaced = conflictsOnlyReplace
	for i, c := range classes {
		if sure[i] || some[i] && (verdict.Grade < Likely || verdict.Guard == nil) {
			for _, e := range c {
				problem[e] = true
			}
		}
	}
	verdict.Uses = w.judged(entries, problem, verdict)
	if !slices.ContainsFunc(verdict.Uses, func(j Judged) bool { return j.Problem }) {
		return verdict, false
	}
	if verdict.Guard != nil && verdict.Grade == Likely && !w.built[v] && !slices.ContainsFunc(verdict.Uses, func(j Judged) bool { return j.Problem && !j.initializes() }) {
		verdict.Grade = Possible
		verdict.Evidence = []string{"only the making of the map is without " + verdict.Guard.Name() + ": it may come before the object is shared"}
	}
	return verdict, true
}

// classify groups the entries that every pair treats alike.
func (w *World) classify(entries []*Entry) [][]*Entry {
	index := make(map[string]int)
	var out [][]*Entry
	for _, e := range entries {
		key := w.class(e)
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], e)
	}
	return out
}

// class identifies what a pair looks at. Of a function that others call it does not matter which it
// is, only whose method.
func (w *World) class(e *Entry) string {
	r := e.Ref.Path.Root
	var b strings.Builder
	fmt.Fprint(&b, e.Use.Op.Part(), e.Use.Op.Writes(), e.Root, len(e.At.Maybe) > 0, e.Unsure != "", e.Kept, e.Ref.Depth, " ")
	called := e.Root == Exported || e.Root == Interface || e.Root == Serving || e.Root == Closed
	if !called || len(e.Sites) > 0 || len(e.After) > 0 || r.Kind != access.Param {
		b.WriteString(e.state())
		b.WriteString(e.Frames[0].Func)
		if e.Root == Exported && r.Kind == access.Global && e.Ref.Path.Sel == "" {
			fmt.Fprint(&b, e.Use.Pos) // see lazyCache
		}
		return b.String()
	}
	body := w.Bodies[e.Func]
	fmt.Fprint(&b, model.Package(body.Key), body.Method, r.Index == 0, e.Ref.Path.Sel)
	for _, l := range e.locks() {
		fmt.Fprint(&b, "|", l.Relation, l.ID, l.Mode, l.Indirect, l.Class, l.vague())
	}
	return b.String()
}

// maxClasses bounds how many kinds of entries of one variable are compared with each other. What comes
// after is not judged: such a variable is reached in so many ways that its finding, if it has one,
// shows long before.
const maxClasses = 400

// pair judges two entries, which may be the same one.
func (w *World) pair(a, b *Entry, guard *Lock) (grade Grade, why string, unsure bool) {
	if !a.Use.Op.Conflicts(b.Use.Op) || a.Ref.Depth != b.Ref.Depth {
		return None, "", false
	}
	if a.Root == Dead && len(a.Sites) == 0 || b.Root == Dead && len(b.Sites) == 0 {
		return None, "", false
	}
	together := parallel(a, b)
	if together == never || !mayMeet(a, b) {
		return None, "", false
	}
	la, lb := a.locks(), b.locks()
	unsure = w.unsure(a, lb) || w.unsure(b, la) || len(a.At.Maybe) > 0 || len(b.At.Maybe) > 0
	for _, x := range la {
		for _, y := range lb {
			if excludes(x, y, a.Use.Op.Writes(), b.Use.Op.Writes()) {
				return None, "", false
			}
			if mayBeSame(x, y) {
				unsure = true
			}
		}
	}
	for _, e := range []*Entry{a, b} {
		if e.Root == Interface && len(e.Sites) == 0 && !slices.ContainsFunc(slices.Concat(la, lb), func(l Lock) bool { return l.Relation == Own }) {
			unsure = true // whoever calls through the interface may hold the lock
		}
	}
	grade, why = w.grade(a, b, la, lb, guard, together)
	if unsure {
		grade = min(grade, Possible)
	}
	return grade, why, unsure
}

// unsure reports whether e may hold one of locks although its way does not show it. A function value
// that is kept runs with a lock held only if something calls unknown function values of its type
// while it holds that lock.
func (w *World) unsure(e *Entry, locks []Lock) bool {
	if e.Unsure == "" || e.Kept == "" {
		return e.Unsure != ""
	}
	if under := w.under[anyLock]; len(locks) > 0 && (under[e.Kept] || under[lockset.AnyType]) {
		return true
	}
	for _, l := range locks {
		if under := w.under[l.Class]; under[e.Kept] || under[lockset.AnyType] || isExported(l.Class.Field) {
			return true
		}
	}
	return len(locks) == 0
}

// parallel reports whether a and b may run at the same time.
func parallel(a, b *Entry) overlap {
	if a.ownInstance() && b.ownInstance() { // one activation made it: what runs around that does not matter
		a, b = a.inner(), b.inner()
	}
	n := 0
	for n < len(a.Sites) && n < len(b.Sites) && a.Sites[n] == b.Sites[n] {
		n++
	}
	ra, rb := a.Sites[n:], b.Sites[n:]
	if a.Func != b.Func || a.Root != b.Root {
		// Two activations that nothing orders. What main does can only meet what outlives or was started by it.
		return apart
	}
	within := false
	switch {
	case len(ra) > 0 && len(rb) > 0:
		within = true
	case len(ra) > 0:
		within = slices.Contains(b.After, ra[0]) || n > 0 && a.Many
	case len(rb) > 0:
		within = slices.Contains(a.After, rb[0]) || n > 0 && b.Many
	case n > 0:
		within = a.Many || b.Many
	}
	switch {
	case within:
		return inside
	case selfParallel(a):
		return apart
	}
	return never
}

// overlap is how two uses come to run at the same time.
type overlap uint8

const (
	never  overlap = iota
	apart          // in two activations of functions that others call
	inside         // in goroutines that one activation started
)

// selfParallel reports whether the root of e may run several times at once on one instance.
func selfParallel(e *Entry) bool {
	switch e.Root {
	case Exported, Serving, Interface, Closed:
		return !e.ownInstance()
	}
	return false
}

// ownInstance reports whether the map belongs to something that each activation of the root makes anew.
func (e *Entry) ownInstance() bool { return e.Ref.Path.Root.Kind == access.Made }

// mayMeet reports whether a and b may be on the same instance.
func mayMeet(a, b *Entry) bool {
	ga, gb := a.Ref.Path.Root.Kind == access.Global, b.Ref.Path.Root.Kind == access.Global
	if ga && gb {
		return a.Ref.Path == b.Ref.Path
	}
	if a.ownInstance() && b.ownInstance() {
		return a.Func == b.Func && a.Ref.Path == b.Ref.Path && slices.Equal(a.Sites[:a.Outer], b.Sites[:b.Outer])
	}
	return true
}

// inner returns e without the starts that lie outside the activation that made its instance.
func (e *Entry) inner() *Entry {
	in := *e
	in.Sites = e.Sites[e.Outer:]
	return &in
}

// grade says how strong the evidence is that a and b meet.
func (w *World) grade(a, b *Entry, la, lb []Lock, guard *Lock, together overlap) (Grade, string) {
	for i, l := range slices.Concat(la, lb) {
		other := b
		if i >= len(la) {
			other = a
		}
		if guard == nil || l.Relation != guard.Relation || l.ID != guard.ID {
			continue
		}
		switch {
		case l.Relation == Own:
			return Likely, "one side holds " + l.Name() + " of the owner"
		case l.Relation == Up && strings.HasSuffix(OwnerPath(other.Ref).Sel, l.Rest):
			return Likely, "one side holds " + l.Name() + ", from which the owner is reached"
		case l.Relation == Package:
			return Likely, "one side holds " + l.Name() + " of the package"
		case l.Relation == Same:
			return Likely, "one side holds " + l.Name()
		}
	}
	if together == apart && (w.private(a) || w.private(b)) {
		return None, ""
	}
	switch {
	case !w.sameInstance(a, b):
	case together == inside && a.Kept == "" && b.Kept == "", started(a) && started(b):
		return Likely, "both sides run in goroutines that the program starts, on the same instance"
	case a.Root == Serving && b.Root == Serving, a.Root == Serving && started(b), started(a) && b.Root == Serving:
		return Likely, "a server calls it from many goroutines"
	}
	if w.lazyCache(a) && w.lazyCache(b) {
		return Likely, "a package-level cache that importers of the package fill on demand"
	}
	return Possible, "callers outside the program may share it"
}

// private reports whether the map of e belongs to an argument of the root function, other than a
// receiver: a request, say. Nothing shows that two calls share it.
func (w *World) private(e *Entry) bool {
	r := e.Ref.Path.Root
	return r.Kind == access.Param && (r.Index > 0 || w.Bodies[e.Func].Method == "")
}

func packageOf(l Lock) string {
	id := l.Path.Root.Name
	return id[:len(id)-len(id[lastDot(id):])]
}

func lastDot(s string) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '.' {
			return i
		}
	}
	return 0
}

// started reports whether e runs in a goroutine that the program starts, or in main beside one.
func started(e *Entry) bool {
	return len(e.Sites) > 0 && e.Unsure == "" || e.Root == Main
}

// sameInstance reports whether a and b are seen to be on the same instance: of a package variable, of
// what one activation made or was given, or of the receiver of methods of one type.
func (w *World) sameInstance(a, b *Entry) bool {
	if a.Ref.Path.Sel != b.Ref.Path.Sel {
		return false
	}
	ra, rb := a.Ref.Path.Root, b.Ref.Path.Root
	switch {
	case ra.Kind == access.Global, a.Func == b.Func && ra.Kind != access.Local:
		return ra == rb
	case ra.Kind == access.Param && ra == rb && ra.Index == 0:
		fa, fb := w.Bodies[a.Func], w.Bodies[b.Func]
		return fa.Method != "" && fa.Method == fb.Method && model.Package(fa.Key) == model.Package(fb.Key)
	}
	return false
}

// lazyCache reports whether e is on a package variable that an importable package's API fills on
// demand: the function that uses it, or one on the way, both looks the map up and stores in it.
func (w *World) lazyCache(e *Entry) bool {
	if e.Root != Exported || e.Ref.Path.Root.Kind != access.Global || e.Ref.Path.Sel != "" {
		return false
	}
	for _, f := range e.Frames {
		reads, writes := false, false
		for i := range w.Uses {
			u := &w.Uses[i]
			if u.Func == f.Func && u.Ref.Var == e.Use.Ref.Var {
				reads = reads || u.Op == mapuse.Index
				writes = writes || u.Op == mapuse.Store
			}
		}
		if reads && writes {
			return true
		}
	}
	return false
}

// guard returns the lock that most uses hold, writes first; nil when no use holds one that stands
// around the map.
func (w *World) guard(entries []*Entry) *Lock {
	type support struct {
		lock          Lock
		writes, reads map[token.Pos]bool
	}
	found := make(map[string]*support)
	for _, e := range entries {
		for _, l := range e.locks() {
			if l.Once || l.Relation == Other || l.Relation == Package && packageOf(l) != e.Ref.Var.Package {
				continue
			}
			id := string(rune('0'+l.Relation)) + l.ID
			s := found[id]
			if s == nil {
				s = &support{lock: l, writes: map[token.Pos]bool{}, reads: map[token.Pos]bool{}}
				found[id] = s
			}
			if e.Use.Op.Writes() && l.Mode == lockset.Write {
				s.writes[e.Use.Pos] = true
			} else {
				s.reads[e.Use.Pos] = true
			}
		}
	}
	ids := make([]string, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(x, y string) int {
		a, b := found[x], found[y]
		return cmp.Or(
			cmp.Compare(len(b.writes), len(a.writes)),
			cmp.Compare(len(b.reads)+len(b.writes), len(a.reads)+len(a.writes)),
			cmp.Compare(a.lock.Relation, b.lock.Relation),
			cmp.Compare(x, y))
	})
	if len(ids) == 0 {
		return nil
	}
	best := found[ids[0]]
	if len(best.writes) == 0 && 2*len(best.reads) < places(entries, false) {
		return nil // held for something else
	}
	if best.lock.Relation == Package && entries[0].Ref.Var.Owner != "" && 2*(len(best.reads)+len(best.writes)) <= places(entries, true) {
		return nil // one lock of the package around some uses of a field
	}
	return &best.lock
}

// places returns at how many places entries only read, or with writes, read or write.
func places(entries []*Entry, writes bool) int {
	seen := make(map[token.Pos]bool)
	for _, e := range entries {
		seen[e.Use.Pos] = true
	}
	for _, e := range entries {
		if !writes && e.Use.Op.Writes() {
			delete(seen, e.Use.Pos)
		}
	}
	return len(seen)
}

// judged groups the entries by place and says which are to change.
func (w *World) judged(entries []*Entry, problem map[*Entry]bool, v Verdict) []Judged {
	type place struct {
		pos token.Pos
		fn  string
		op  mapuse.Op
	}
	byPlace := make(map[place]*Judged)
	var order []place
	for _, e := range entries {
		fn, pos := e.Place()
		p := place{pos, fn, e.Use.Op}
		j := byPlace[p]
		if j == nil {
			j = &Judged{Func: fn, Pos: pos, Op: e.Use.Op, At: e.atPlace(fn)}
			byPlace[p] = j
			order = append(order, p)
		}
		j.Entries = append(j.Entries, e)
		if !problem[e] || v.Guard != nil && e.Holds(*v.Guard, e.Use.Op.Writes()) {
			continue
		}
		j.Problem = true
		if v.Guard != nil {
			if e.Holds(*v.Guard, false) {
				j.RLocked = true
			} else if slices.ContainsFunc(e.At.Held, func(h lockset.Held) bool { return !h.Once }) {
				j.Wrong = true
			}
		}
	}
	slices.SortFunc(order, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(a.fn, b.fn), cmp.Compare(a.op, b.op))
	})
	out := make([]Judged, len(order))
	for i, p := range order {
		out[i] = *byPlace[p]
	}
	return out
}

// atPlace returns the locks at the place in the function fn, one of e.Frames.
func (e *Entry) atPlace(fn string) lockset.Point {
	for _, f := range e.Frames {
		if f.Func == fn && f.Edge != nil {
			return f.Edge.At
		}
	}
	return e.Use.At
}

// Holds reports whether e holds lock, in write mode if write.
func (e *Entry) Holds(lock Lock, write bool) bool {
	for _, l := range e.locks() {
		if l.Relation == lock.Relation && l.ID == lock.ID && (!write || l.Mode == lockset.Write) {
			return true
		}
	}
	return false
}
