package share

import (
	"fmt"
	"go/token"
	"slices"
	"strconv"
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
	Unsure string   // why the locks are not certain; empty when they are
	Kept   string   // type of the function value, when it is unsure because that is kept
	Frames []Frame  // from the root function to the one that makes the use

	related []Lock // see locks
}

// Frame is one function on the way to a use.
type Frame struct {
	Func string        // key
	Edge *lockset.Edge // the call of the next frame's function; nil for the last frame
}

// Bounds on the search from one use. Past them the use is unsure.
const (
	maxDepth  = 24
	maxStates = 300
	maxSites  = 2
)

type walker struct {
	w      *World
	seen   map[string]bool
	out    []Entry
	states int
}

// Entries returns the ways in which execution comes to u. Ways through test code have the Root Test.
//
// How execution comes to a place does not depend on which field of the owner is used there: uses of
// one owner in one function with the same locks share the search.
func (w *World) Entries(u *mapuse.Use) []Entry {
	base, rest := split(u.Ref)
	start := Entry{Use: u, Ref: base, At: u.At, Func: u.Func, After: u.After, Frames: []Frame{{Func: u.Func}}}
	key := start.state()
	found, ok := w.walked[key]
	if !ok {
		wk := &walker{w: w, seen: make(map[string]bool)}
		wk.up(start)
		found = wk.out
		w.walked[key] = found
	}
	out := slices.Clone(found)
	for i := range out {
		e := &out[i]
		e.Use = u
		e.Ref.Path = e.Ref.Path.Join(rest)
		if !u.Ref.Var.IsZero() {
			e.Ref.Var, e.Ref.Depth = u.Ref.Var, u.Ref.Depth
		}
	}
	return out
}

// anOwner stands for the variable while the way to an owner is looked for.
var anOwner = access.Var{Field: "*"}

// split parts r, a field of a named owner, into the owner and the rest of the path. Anything else is
// its own base.
func split(r access.Ref) (base access.Ref, rest string) {
	if r.Var.IsZero() {
		return r, ""
	}
	base = access.Ref{Path: r.Path, Var: anOwner}
	if r.Var.Owner != "" && r.Path.Sel != "" {
		base.Path = OwnerPath(r)
	}
	return base, r.Path.Sel[len(base.Path.Sel):]
}

func (wk *walker) up(e Entry) {
	key := e.state()
	if wk.seen[key] {
		return
	}
	wk.seen[key] = true
	wk.states++
	if len(e.Frames) > maxDepth || wk.states > maxStates {
		return
	}
	b := wk.w.Bodies[e.Func]
	if b == nil {
		return
	}
	root := wk.w.rootOf(b)
	private := e.Ref.Path.Root.Kind == access.Made && !wk.w.returns(e.Func, e.Ref.Path.Root)
	if private && root == NoRoot {
		root = Within
		if wk.w.isTest(b.Pos) {
			root = Test
		}
	}
	if root != NoRoot {
		out := e
		out.Root = root
		if b.RequiresLock && len(e.Sites) == 0 && (root == Exported || root == Closed || root == Dead || root == Interface) {
			out.Unsure = b.Name + " says that its callers hold a lock"
		}
		wk.out = append(wk.out, out)
	}
	if private {
		return // nothing outside can reach the instance by this path
	}
	for _, edge := range wk.w.callers[e.Func] {
		if slices.ContainsFunc(e.Frames[1:], func(f Frame) bool { return f.Func == edge.Caller }) {
			continue
		}
		if next, ok := e.through(edge); ok {
			wk.up(next)
		}
	}
}

// through returns e seen from the caller of edge; ok is false when the caller owns the object.
func (e Entry) through(edge *lockset.Edge) (Entry, bool) {
	next := e
	next.Func = edge.Caller
	next.Frames = append([]Frame{{edge.Caller, edge}}, e.Frames...)
	next.Ref = e.Ref.Subst(edge.Params, edge.Free)
	if len(e.Sites) == 0 && owned(edge, next.Ref.Path) {
		return Entry{}, false
	}
	if !next.Ref.Path.Known() {
		if edge.Stored || edge.Start != "" || e.Ref.Var.IsZero() {
			return Entry{}, false // the instance comes from whoever calls the stored function
		}
		next.Ref.Path = access.Path{Root: access.Root{Kind: access.Local, Name: edge.Caller}}
	}
	made := e.Ref.Path.Root.Kind == access.Made // each activation of the callee has its own
	each := made || slices.Contains(edge.Each, next.Ref.Path.Root)
	switch {
	case edge.Start != "" || edge.Stored:
		next.At = e.At.Under(onceOnly(edge.At), edge.Params, edge.Free)
		site := edge.Site
		if made && len(e.Sites) < maxSites {
			next.Outer = e.Outer + 1
		}
		if edge.Stored {
			site = fmt.Sprintf("stored:%d", edge.Pos)
			if len(e.Sites) == 0 { // else the locks do not depend on who calls
				next.Unsure, next.Kept = "the function is kept and may run at any time", edge.Type
			}
		}
		if next.Sites = append([]string{site}, e.Sites...); len(next.Sites) > maxSites {
			next.Sites = e.Sites // what is started further out has started these too
		}
		next.Many = e.Many || edge.Many && !each
	case len(e.Sites) > 0:
		next.At = e.At.Under(onceOnly(edge.At), edge.Params, edge.Free)
		next.Many = e.Many || edge.Loop && !each
	default:
		next.At = e.At.Under(edge.At, edge.Params, edge.Free)
		next.After = union(e.After, edge.After)
	}
	return next, true
}

// owned reports whether the caller of edge owns what p leads to.
func owned(edge *lockset.Edge, p access.Path) bool {
	if !slices.Contains(edge.Owned, p.Root) {
		return false
	}
	steps := access.Steps(p.Sel)
	return len(steps) < 2 || !slices.ContainsFunc(edge.Foreign, func(f access.Path) bool { return f.Root == p.Root && (f.Sel == steps[0] || f.Sel == "") })
}

// onceOnly returns what of p also holds in a goroutine that is started at p.
func onceOnly(p lockset.Point) lockset.Point {
	var out lockset.Point
	for _, h := range p.Held {
		if h.Once {
			out.Held = out.Held.With(h)
		}
	}
	return out
}

// state identifies what the rest of the way depends on.
func (e Entry) state() string {
	var b strings.Builder
	path := func(mark byte, p access.Path) {
		b.WriteByte(mark)
		b.WriteByte('0' + byte(p.Root.Kind))
		b.WriteString(strconv.Itoa(p.Root.Index))
		b.WriteString(p.Root.Name)
		b.WriteString(p.Sel)
	}
	b.WriteString(e.Func)
	path('=', e.Ref.Path)
	b.WriteString(e.Ref.Var.Package)
	b.WriteString(e.Ref.Var.Owner)
	b.WriteString(e.Ref.Var.Field)
	b.WriteString(strconv.Itoa(e.Ref.Depth))
	b.WriteString(strconv.Itoa(e.Outer))
	if e.Many {
		b.WriteByte('m')
	}
	if e.Unsure != "" {
		b.WriteByte('u')
	}
	for _, h := range e.At.Held {
		path('0'+byte(h.Mode), h.Path)
	}
	for _, p := range e.At.Released {
		path('-', p)
	}
	for _, s := range e.Sites {
		b.WriteByte('@')
		b.WriteString(s)
	}
	for _, s := range e.After {
		b.WriteByte('>')
		b.WriteString(s)
	}
	return b.String()
}

func union(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	if len(a) == 0 {
		return b
	}
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// Place returns the function in which the use names the variable, and where: the use itself, or the
// call that passes the map to a function that uses its parameter.
func (e *Entry) Place() (fn string, pos token.Pos) {
	refs := e.Refs()
	for i := len(e.Frames) - 1; i >= 0; i-- {
		if refs[i].Var.IsZero() && i > 0 {
			continue
		}
		edge := e.Frames[i].Edge
		if edge == nil {
			break
		}
		pos = edge.Pos
		if k := refs[i+1].Path.Root; k.Kind == access.Param && k.Index < len(edge.Mentions) && edge.Mentions[k.Index].IsValid() {
			pos = edge.Mentions[k.Index]
		}
		return e.Frames[i].Func, pos
	}
	return e.Use.Func, e.Use.Pos
}

// Refs returns the map as each of e.Frames names it.
func (e *Entry) Refs() []access.Ref {
	refs := make([]access.Ref, len(e.Frames))
	r := e.Use.Ref
	for i := len(e.Frames) - 1; i >= 0; i-- {
		if edge := e.Frames[i].Edge; edge != nil {
			r = r.Subst(edge.Params, edge.Free)
		}
		refs[i] = r
	}
	return refs
}

// Chain returns the functions from the root to the use, with "go" where a goroutine starts.
func (w *World) Chain(e Entry) []string {
	var out []string
	for _, f := range e.Frames {
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
