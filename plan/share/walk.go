package share

import (
	"fmt"
	"go/token"
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
	maxStates = 400
)

type walker struct {
	w      *World
	seen   map[string]bool
	out    []Entry
	states int
}

// Entries returns the ways in which execution comes to u. Ways through test code have the Root Test.
func (w *World) Entries(u *mapuse.Use) []Entry {
	wk := &walker{w: w, seen: make(map[string]bool)}
	wk.up(Entry{Use: u, Ref: u.Ref, At: u.At, Func: u.Func, After: u.After, Frames: []Frame{{Func: u.Func}}})
	return wk.out
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
	if root := wk.w.root(b); root != NoRoot {
		out := e
		out.Root = root
		if b.RequiresLock && len(e.Sites) == 0 && (root == Exported || root == Closed || root == Dead || root == Interface) {
			out.Unsure = b.Name + " says that its callers hold a lock"
		}
		wk.out = append(wk.out, out)
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
	if slices.Contains(edge.Owned, next.Ref.Path.Root) {
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
		if made {
			next.Outer = e.Outer + 1
		}
		if edge.Stored {
			site = fmt.Sprintf("stored:%d", edge.Pos)
			if len(e.Sites) == 0 { // else the locks do not depend on who calls
				next.Unsure, next.Kept = "the function is kept and may run at any time", edge.Type
			}
		}
		next.Sites = append([]string{site}, e.Sites...)
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
	fmt.Fprint(&b, e.Func, e.Ref.Path, e.Ref.Var, e.Ref.Depth, e.Many, e.Unsure != "")
	for _, h := range e.At.Held {
		fmt.Fprint(&b, "|", h.Path, h.Mode)
	}
	for _, p := range e.At.Released {
		fmt.Fprint(&b, "-", p)
	}
	fmt.Fprint(&b, e.Sites, e.Outer, e.After)
	return b.String()
}

func union(a, b []string) []string {
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
		if f.Edge != nil && f.Edge.Start != "" {
			out = append(out, string(f.Edge.Start))
		}
	}
	return out
}
