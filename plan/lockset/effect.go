package lockset

import (
	"cmp"
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file is the fact about a function: what a call of it does, in terms of its parameters.

// Effect is what a call of a function does to locks, goroutines and its arguments. It is plain data.
// The zero Effect does nothing.
type Effect struct {
	Pending  bool          // it calls itself, and was not looked at yet: nothing is known of it
	Outcomes []Outcome     // how a call can return; empty means: without a change, or never
	Results  []access.Ref  // what each result refers to; an unknown Path where nothing is known
	Nils     []int         // results that may be nil
	Invokes  []Invoke      // functions among the arguments that it calls or starts
	Looks    []Looked      // what it looks into, or has a library look into, before it returns
	Lists    []int         // parameters that are slices of functions, of which it only calls or starts the elements
	Starts   []Started     // goroutines that may still run when it returns
	Waits    []Signal      // what it was certainly told when it returns
	Ends     []Signal      // what it certainly told last when it returns
	Sends    []access.Path // channels that it, or what it starts, may send on
	Renews   []access.Path // map variables that it gives another map, which nobody else has
	Shares   []access.Root // parameters that other goroutines may see afterwards
	Shows    []access.Root // those of them that others may see than goroutines which it started
	Into     []Into        // what it stores in its parameters, or in what it made and returns

	Ending model.Ending // how it never returns

	Acquires []access.Var // locks it, or what it calls, ever takes; zero for a lock that is a parameter
	Writes   []access.Var // those of them that it takes for writing
	Onces    []access.Var // the sync.Onces that it, or what it calls, runs a function of
	Yield    bool         // the body of a loop over a function: it runs while the loop does
	Serves   *Serving     // it is called for each request; nil when its parameters do not say so
	Deeds    Deeds        // what it, or what it calls, does that a loop around it may go by
	Blocks   string       // why it may wait for something other than a lock; empty when it does not
	Dynamic  []string     // what it, or what it calls, calls without knowing it: see ValueAt
	Unknown  string       // a call in it, or in what it calls, whose effect is not known; empty when there is none
}

// Running returns the goroutines that may still run when a call returns.
func (e *Effect) Running() []string { return sites(e.Starts) }

// Into is that what From stands for is stored at To.
type Into struct {
	From access.Root
	To   access.Path
}

// Looked is that what a parameter holds is given to a function of a library which looks into it.
type Looked struct {
	Param int    // a parameter that is an interface, or a list of such
	Key   string // of the function: see [model.Looks]
}

// Outcome is one way a call can return.
type Outcome struct {
	Acquired Set           // held at return and not before
	Released []access.Path // held by a caller before, and not at return
	Maybe    []access.Path
	When     []When // what the results say
	If       []If   // what it goes by of what it was given
}

// If is a condition on what a function was given: the boolean parameter, or captured variable, that Root stands for is Is.
type If struct {
	Root access.Root
	Is   bool
}

// When is a condition on a result: the boolean Result is Is, or being nil is Is.
type When struct {
	Result int
	Nil    bool
	Is     bool
}

// Invoke is a call of a function value that the caller provides.
type Invoke struct {
	Func   access.Path // the value, rooted in a parameter or captured variable
	At     Point       // the locks at the call
	Start  model.Start // how it is started; empty for a plain call
	By     string      // the library that starts it; empty when the program does
	Site   string      // of the start
	Many   bool        // may be running several times at once
	Loop   bool        // may be called again in the same activation
	Stored bool        // not called here but kept: it may run at any time, with any locks
	Owned  bool        // kept in something that nobody else can reach yet
	AtOnce bool        // given to code that is not known, which may call it at once
	Within bool        // the goroutine that calls it was started before: At is what that holds
	After  []string    // goroutines started before
	Params []access.Ref
}

func addVar(vs []access.Var, v access.Var) []access.Var {
	i, ok := slices.BinarySearchFunc(vs, v, compareVars)
	if ok {
		return vs
	}
	return slices.Insert(vs, i, v)
}

func compareVars(a, b access.Var) int {
	return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Field, b.Field))
}

// bind translates h from terms of a callee to terms of its caller. The zero Held has no known path.
func (h Held) bind(b access.Binding) Held {
	if h.Class.IsZero() {
		at := h.Path
		if h.Copied {
			at = h.Origin
		}
		h.Class = b.Ref(access.Ref{Path: at}).Var
	}
	h.Path, h.Origin = b.Path(h.Path), b.Path(h.Origin)
	return h
}

// In returns h, in terms of the function that e calls, in terms of its caller.
func (h Held) In(e *Edge) Held { return h.bind(e.Binding()) }

// bind translates s from terms of a callee to terms of its caller; what cannot be expressed there is left out.
func (s Set) bind(b access.Binding) Set {
	var out Set
	for _, h := range s {
		out = out.With(h.bind(b))
	}
	return out
}

func bindPaths(ps []access.Path, b access.Binding) []access.Path {
	var out []access.Path
	for _, p := range ps {
		out = addPath(out, b.Path(p))
	}
	return out
}

// Under returns what is held at p, a point of a callee, when the call stands at caller: the caller's
// locks stay held except for those that the callee gave back.
func (p Point) Under(caller Point, b access.Binding) Point {
	out := Point{
		Held:     p.Held.bind(b),
		Released: caller.Released,
		Maybe:    bindPaths(p.Maybe, b),
		Given:    givenUnder(p.Given, caller.Given, b.Params),
	}
	released := bindPaths(p.Released, b)
	around := caller.Held
	if slices.ContainsFunc(p.Held, func(h Held) bool { return !h.Once }) {
		around = around.afterLock()
	}
	for _, h := range around {
		if _, gone := slices.BinarySearchFunc(released, h.Path, comparePaths); !gone {
			out.Held = out.Held.With(h)
		}
	}
	for _, r := range released {
		if _, mine := caller.Held.Find(r); !mine {
			out.Released = addPath(out.Released, r)
		}
	}
	for _, m := range caller.Maybe {
		out.Maybe = addPath(out.Maybe, m)
	}
	return out
}
