package share

import (
	"fmt"
	"go/token"
	"math"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
)

// This file follows a use up the call graph.

// Entry is one way in which execution comes to a use: from a root, through calls and starts.
type Entry struct {
	Use    *mapuse.Use
	Ref    access.Ref    // the map in terms of the root function
	At     lockset.Point // the locks at the use, in terms of the root function
	Root   Root
	Func   string   // key of the root function
	Sites  []string // where the goroutines were started that lead to the use, outermost first; empty: the root's own goroutine
	Outer  int      // how many of Sites lie outside the activation that made the instance; it is not shared across those
	Many   bool     // several of the last of Sites may run at once on the same instance
	After  []string // goroutines that may run, started by the goroutine that makes the use
	Alone  bool     // nothing but what is in After can reach the instance yet
	Beside []string // goroutines that may have run when one of Sites was started, started by the one that started it
	Held   bool     // the map is reached through the container that its owner was put in
	Unsure string   // why the locks are not certain; empty when they are
	Kept   string   // key of the function, when it is unsure because that is kept

	Repeated bool          // the same use comes before the same flag in another way, or another time
	Several  *lockset.Edge // where the way leads to a map that several owners have; nil when it does not

	cut     bool    // there are more ways to the use than were followed
	way     *step   // from the root function to the one that makes the use
	related []Lock  // see locks
	numbers numbers // of At, Sites, After and Beside
}

// Frame is one function on the way to a use.
type Frame struct {
	Func string        // key
	Edge *lockset.Edge // the call of the next frame's function; nil for the last frame
}

// step is a Frame and the ones further in, which ways share.
type step struct {
	Frame
	in    *step
	depth int // how many frames there are from here on
}

// Frames returns the functions from the root function to the one that makes the use.
func (e *Entry) Frames() []Frame {
	var frames []Frame
	for s := e.way; s != nil; s = s.in {
		frames = append(frames, s.Frame)
	}
	return frames
}

// maxSites bounds how many starts of goroutines on one way are told apart.
const maxSites = 2

// bounds end a search.
type bounds struct {
	depth  int // functions on one way
	states int // from one use
	total  int // states from all uses
}

// The shortest ways show what there is to say of most variables. Of those with a problem more are followed, since a mend
// needs all of them; where these are too many, the first verdict stands.
var (
	nearby  = bounds{depth: 24, states: 300, total: math.MaxInt}
	farther = bounds{depth: 100, states: 5_000, total: 10_000}
)

// search looks for the ways to the uses of the variables of one owner. It is not safe for concurrent use.
type search struct {
	w      *World
	table  *table
	bounds bounds
	states int              // that were seen so far
	walked map[origin]found // searches done, by where they began
}

// origin is where a search began.
type origin struct {
	state
	way    *step // nil in the use's own function
	filter int32 // of the table
}

// found is what one search found.
type found struct {
	entries []Entry
	given   []Entry // when only names were looked for: ways to a function that was given the map without a name
	early   []Entry // the ways to before a flag is set on which nothing else can reach the map yet
	partial bool    // a bound ended it
}

// newSearch returns a search within b for ways for which r matters; nil means that everything may.
func newSearch(w *World, r *relevant, b bounds) *search {
	return &search{w: w, table: newTable(r), bounds: b, walked: make(map[origin]found)}
}

// atUse returns the way to u that begins in its own function.
func atUse(u *mapuse.Use) Entry {
	after := u.After
	if u.Ref.Path.Root.Kind == access.Made {
		after = notAgain(after, u.Func)
	}
	return Entry{Use: u, Ref: u.Ref, At: u.At, Func: u.Func, After: after, Alone: u.Alone, way: &step{Frame: Frame{Func: u.Func}, depth: 1}}
}

type walker struct {
	*search
	seen       map[state]bool
	next       []Entry // to go on with
	untilNamed bool    // stop where the map is a variable, and nowhere else
	found
}

// ways returns the ways in which execution comes to start. Ways through
// test code have the Root Test.
//
// How execution comes to a place does not depend on which field of the owner is used there: uses of
// one owner in one function with the same locks share the search.
func (s *search) ways(start *Entry) found {
	base, rest := s.split(start.Ref)
	from := *start
	from.Ref = base
	from.numbers = s.table.numbers(start)
	from.At, from.After = s.table.points[from.numbers.at], s.table.lists[from.numbers.after]
	key := origin{state: from.state(), filter: s.table.filter}
	if from.way.in != nil {
		key.way = from.way
	}
	done, ok := s.walked[key]
	if !ok {
		wk := &walker{search: s, seen: make(map[state]bool)}
		wk.from(from)
		done = wk.found
		s.walked[key] = done
	}
	done.entries, done.early = ofUse(start, done.entries, rest), ofUse(start, done.early, rest)
	done.entries = slices.DeleteFunc(done.entries, func(e Entry) bool { return e.Ref.Copied && e.ofCopy() })
	return done
}

// ofUse returns what was found for an owner as it is for the use at start, which leads on from the owner by rest.
func ofUse(start *Entry, found []Entry, rest string) []Entry {
	out := slices.Clone(found)
	for i := range out {
		e := &out[i]
		e.Use = start.Use
		e.Ref.Path = e.Ref.Path.Join(rest)
		if !start.Ref.Var.IsZero() {
			e.Ref.Var, e.Ref.Depth = start.Ref.Var, start.Ref.Depth
		}
		e.Ref.Copied = e.Ref.Copied || start.Ref.Copied
	}
	return out
}

// anOwner stands for the variable while the way to an owner is looked for.
var anOwner = access.Var{Field: "*"}

// split parts r, a field of a named owner, into the owner and the rest of the path. Anything else is
// its own base, and so is a map that several owners may have.
func (s *search) split(r access.Ref) (base access.Ref, rest string) {
	if r.Var.IsZero() || s.w.shared["."+r.Var.Field] {
		return r, ""
	}
	base = access.Ref{Path: r.Path, Var: anOwner}
	if r.Var.Owner != "" && r.Path.Sel != "" {
		base.Path = OwnerPath(r)
	}
	return base, r.Path.Sel[len(base.Path.Sel):]
}

// from follows the ways to e, the shortest first: where a bound ends the search, those are the ones that are known.
func (wk *walker) from(e Entry) {
	wk.queue(e)
	for len(wk.next) > 0 {
		e := wk.next[0]
		wk.next = wk.next[1:]
		wk.up(e)
	}
}

// queue notes that the way e is to be followed, unless one was that goes on in the same way.
func (wk *walker) queue(e Entry) {
	key := e.state()
	switch {
	case wk.seen[key]:
	case wk.ends(&e, len(wk.seen)):
		wk.partial = true
	default:
		wk.seen[key] = true
		wk.next = append(wk.next, e)
	}
}

// ends reports whether a search that saw so many states stops before e. It counts e when it does not.
func (s *search) ends(e *Entry, seen int) bool {
	if e.way.depth > s.bounds.depth || seen >= s.bounds.states || s.states >= s.bounds.total {
		return true
	}
	s.states++
	return false
}

func (wk *walker) up(e Entry) {
	if wk.untilNamed && !e.Ref.Var.IsZero() {
		wk.entries = append(wk.entries, e)
		return
	}
	b := wk.w.Bodies[e.Func]
	if b == nil {
		return
	}
	if wk.untilNamed && e.Ref.Path.Root.Kind == access.Param {
		wk.given = append(wk.given, e)
	}
	wk.held(&e, b)
	root, private := wk.rootAt(&e, b)
	if root != NoRoot && !wk.untilNamed {
		wk.entries = append(wk.entries, wk.fromOutside(&e, b, root))
	}
	if private {
		return
	}
	if e.before().Flag {
		wk.noteEarly(&e)
	}
	wk.callers(&e, wk.queue)
}

// callers calls up for e as each caller of its root function sees it.
func (s *search) callers(e *Entry, up func(Entry)) {
	for _, edge := range s.w.callers[e.Func] {
		if e.repeats(edge) {
			continue
		}
		if next, ok := s.through(e, edge); ok {
			up(next)
		}
	}
}

// rootAt returns how execution comes from outside to b, the root function of e, and whether the map
// belongs to something that b keeps to itself: nothing outside can reach it by this path.
func (s *search) rootAt(e *Entry, b *lockset.Body) (root Root, private bool) {
	root = s.w.roots[b]
	private = e.Ref.Path.Root.Kind == access.Made && !s.w.returns(e.Func, e.Ref.Path.Root)
	if private && root == NoRoot {
		root = Within
		if s.w.isTest(b.Pos) {
			root = Test
		}
	}
	return root, private
}

// repeats reports whether e, seen from the caller of edge, would come through that function twice in one
// goroutine: the way around says nothing new. A goroutine that a function starts may well call it again.
func (e *Entry) repeats(edge *lockset.Edge) bool {
	starts := func(e *lockset.Edge) bool { return e != nil && (e.Start != "" || e.Stored) }
	if starts(edge) {
		return false
	}
	for s := e.way; s.in != nil && !starts(s.Edge); s = s.in {
		if s.in.Func == edge.Caller {
			return true
		}
	}
	return false
}

// through returns e seen from the caller of edge; ok is false when the caller owns the object.
func (s *search) through(e *Entry, edge *lockset.Edge) (Entry, bool) {
	if !edge.Allows(e.At) || e.lacks(edge) {
		return Entry{}, false
	}
	next := *e
	next.numbers.needs = s.needs(edge)
	next.Func = edge.Caller
	next.way = &step{Frame: Frame{edge.Caller, edge}, in: e.way, depth: e.way.depth + 1}
	next.Ref, _ = edge.Through(edge.Binding().Ref(e.Ref), false)
	named := e.Ref.Var == anOwner
	if named {
		next.Ref.Path = edge.Named(next.Ref.Path)
	}
	if p := edge.Shares(next.Ref.Path); p != next.Ref.Path {
		next.Ref.Path, next.Several = p, edge
	}
	rebase := false
	if len(e.Sites) == 0 && owned(edge, next.Ref.Path) {
		if len(e.After) == 0 {
			return Entry{}, false
		}
		next.Alone = true // the callee has started something, with the object perhaps
	}
	next.Alone = next.Alone || len(e.Sites) == 0 && confided(edge, next.Ref.Path)
	known := next.Ref.Path.Known()
	if !known {
		switch {
		case edge.Start != "" || e.Ref.Var.IsZero():
			return Entry{}, false
		case edge.Applied && e.Ref.Path.Root.Kind == access.Free: // see where it was made
			return Entry{}, false
		case edge.Stored && s.w.applies[edge.Callee]: // the instance comes from who calls it
			return Entry{}, false
		}
	}
	if !known || next.Ref.Path.Far() {
		next.Ref.Path = access.Path{Root: somewhere(edge.Caller), Sel: e.Ref.Path.Sel}
		rebase = true
	}
	made := e.Ref.Path.Root.Kind == access.Made // each activation of the callee has its own
	each := made || slices.Contains(edge.Each, next.Ref.Path.Root)
	remade := slices.Contains(edge.Remade, next.Ref.Path.Root)
	switch {
	case edge.Start != "" || edge.Stored:
		next.Many = e.Many || edge.Many && !each && !e.Held || edge.Stored && s.w.many[edge.Callee]
		next.At, next.numbers.at = s.table.under(e, edge, within{started: true, each: each, remade: remade, named: named, starts: min(len(e.Sites)+1, maxSites), many: next.Many})
		site := edge.Site
		if made && len(e.Sites) < maxSites {
			next.Outer = e.Outer + 1
		}
		if edge.Stored {
			site = fmt.Sprintf("%s%d", keptSite, edge.Pos)
			if len(e.Sites) == 0 { // else the locks do not depend on who calls
				next.Unsure, next.Kept = "the function is kept and may run at any time", edge.Callee
			}
		}
		if len(e.Sites) < maxSites {
			next.Sites = append([]string{site}, e.Sites...)
			next.numbers.sites = s.table.list(next.Sites)
			next.Beside, next.numbers.beside = s.table.union(e.Beside, e.numbers.beside, edge, next.ownInstance())
		} else { // what is started further out has started these too
			next.Beside, next.numbers.beside = []string{anySite}, s.table.list([]string{anySite})
		}
	case len(e.Sites) > 0:
		next.Many = e.Many || !each && !e.Held && (runsAt(leftBy(edge, next.ownInstance()), e.Sites[0]) && !owned(edge, next.Ref.Path) || edge.Loop && isUntracked(e.Sites[0]))
		next.At, next.numbers.at = s.table.under(e, edge, within{started: true, each: each, remade: remade, named: named, starts: len(e.Sites), many: e.Many})
		next.Beside, next.numbers.beside = s.table.union(e.Beside, e.numbers.beside, edge, next.ownInstance())
	default:
		next.At, next.numbers.at = s.table.under(e, edge, within{each: each, remade: remade, named: named})
		next.After, next.numbers.after = s.table.union(e.After, e.numbers.after, edge, next.ownInstance())
	}
	if rebase {
		s.rebase(&next, e)
	} else {
		s.see(&next, e, edge)
	}
	return next, true
}

// Sites that no list of goroutines that may run names: a function value that is kept is started there;
// what is beside anySite may be beside everything.
const (
	keptSite = "stored:"
	anySite  = "*"
)

// isUntracked reports whether what is started at site may run at any time, whatever is waited for.
func isUntracked(site string) bool {
	return strings.HasPrefix(site, lockset.ServeSite) || strings.HasPrefix(site, keptSite)
}

// somewhere is where an object comes from that fn has no name for.
func somewhere(fn string) access.Root { return access.Root{Kind: access.Local, Index: -1, Name: fn} }

// rebase keeps in next, e seen from a caller that has no name for the object, the locks of e that belong
// to that object.
func (s *search) rebase(next, e *Entry) {
	at := next.At
	for _, h := range e.At.Held {
		if h.Path.Root == e.Ref.Path.Root {
			h.Path.Root = next.Ref.Path.Root
			at.Held = at.Held.With(h)
		}
	}
	next.numbers.at = s.table.point(at)
	next.At = s.table.points[next.numbers.at]
}

// owned reports whether the caller of edge owns what p leads to.
func owned(edge *lockset.Edge, p access.Path) bool {
	return slices.Contains(edge.Owned, p.Root) && !foreign(edge, p)
}

// confided reports whether only goroutines that the caller of edge started can reach what p leads to yet.
func confided(edge *lockset.Edge, p access.Path) bool {
	return slices.Contains(edge.Confided, p.Root) && !foreign(edge, p)
}

// foreign reports whether what p leads to may be something that was stored in what the caller of edge made.
func foreign(edge *lockset.Edge, p access.Path) bool {
	return slices.ContainsFunc(edge.Foreign, func(f access.Path) bool { return f.Above(p) })
}

// Place returns the function in which the use names the variable, and where: the use itself, or the
// call that passes the map to a function that uses its parameter. A closure calls a local that it captures
// by its name.
func (e *Entry) Place() (fn string, pos token.Pos) {
	refs, frames := e.Refs(), e.Frames()
	i := e.named(refs)
	edge := frames[i].Edge
	if edge == nil {
		return e.Use.Func, e.Use.Pos
	}
	pos = edge.Pos
	if k := refs[i+1].Path.Root; k.Kind == access.Param && k.Index < len(edge.Mentions) && edge.Mentions[k.Index].IsValid() {
		pos = edge.Mentions[k.Index]
	}
	return frames[i].Func, pos
}

// named returns the number of the innermost frame of e in which the map, of which refs are the names, is a
// variable; 0 when there is none.
func (e *Entry) named(refs []access.Ref) int {
	i := len(refs) - 1
	for i > 0 && refs[i].Var.IsZero() && !e.captured(refs[:i+1]) {
		i--
	}
	return i
}

// captured reports whether the last of refs, those of the outer frames of e, is a local variable that a
// closure captures.
func (e *Entry) captured(refs []access.Ref) bool {
	for i := len(refs) - 1; i >= 0; i-- {
		r := refs[i]
		switch {
		case !r.Var.IsZero():
			return r.Var.IsLocal(r.Path)
		case i == 0:
			return e.Ref.Var.IsLocal(e.Ref.Path) // a parameter
		case r.Path.Root.Kind != access.Free:
			return false
		}
	}
	return false
}

// Refs returns the map as each of the Frames of e names it.
func (e *Entry) Refs() []access.Ref {
	frames := e.Frames()
	refs := make([]access.Ref, len(frames))
	r := e.Use.Ref
	for i := len(frames) - 1; i >= 0; i-- {
		if edge := frames[i].Edge; edge != nil {
			r, _ = edge.Through(edge.Binding().Ref(r), false)
		}
		refs[i] = r
	}
	return refs
}

// Chain returns the functions from the root to the use, with "go" where a goroutine starts.
func (w *World) Chain(e Entry) []string {
	var out []string
	for _, f := range e.Frames() {
		name := f.Func
		if b := w.Bodies[f.Func]; b != nil {
			name = b.Name
		}
		out = append(out, name)
		switch {
		case f.Edge == nil:
		case f.Edge.Start != "":
			out = append(out, string(f.Edge.Start))
		case f.Edge.Stored:
			out = append(out, "kept")
		}
	}
	return out
}
