package lockset

import (
	"cmp"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file follows what the function made to where others can reach it. What is stored where any goroutine
// may look is shared from then on, and so is what a library keeps there:
//
//	s := New()
//	sessions.Store(name, s) // a sync.Map
//	s.m["a"] = 1            // not ordered with who loads s

// share marks root, and what is stored in it anywhere in the function, as visible to other goroutines, whichever they are.
func (a *analysis) share(s *state, root access.Root) { a.show(s, root, true) }

// show marks root, and what is stored in it anywhere in the function, as visible to other goroutines: to any if public, and
// else only to those that the function starts, or that these start.
func (a *analysis) show(s *state, root access.Root, public bool) {
	if root.Kind == access.Unknown || root.Kind == access.Global {
		return
	}
	n := a.numbers.of(root)
	if s.public.has(n) || !public && s.escaped.has(n) {
		return
	}
	s.escaped = s.escaped.with(n)
	if public {
		s.public = s.public.with(n)
	}
	for _, in := range a.into[root] {
		a.show(s, in.from, public || root.Kind == access.Local || strings.Contains(in.sel, "[")) // what comes out of there has no name
	}
}

// shareRef marks what a value refers to, and what it captured if it is a closure.
func (a *analysis) shareRef(s *state, r access.Ref) { a.showRef(s, r, true) }

func (a *analysis) showRef(s *state, r access.Ref, public bool) {
	a.show(s, r.Path.Root, public)
	if r.Func != nil {
		for _, f := range slices.Concat(r.Func.Free, r.Func.Bound) {
			a.show(s, f.Path.Root, public)
		}
	}
}

// confide marks what a goroutine that runs t is given as visible to it, and to whom it shows that.
func (a *analysis) confide(s *state, t target) {
	public := func(kind access.RootKind, i int) bool {
		return t.effect == nil || t.effect.publishes(access.Root{Kind: kind, Index: i})
	}
	for i, p := range t.params {
		a.showRef(s, p, public(access.Param, i))
	}
	for i, f := range t.free {
		a.show(s, f.Path.Root, public(access.Free, i))
	}
}

// publishes reports whether others than goroutines that a call starts may see what root stands for afterwards.
func (e *Effect) publishes(root access.Root) bool {
	return slices.Contains(e.Shows, root) || slices.ContainsFunc(e.Into, func(in Into) bool { return in.From == root })
}

// stored is that something is kept in a field of something else.
type stored struct {
	from     access.Root
	sel      string // the path to it
	captured bool   // by a closure that is kept there
}

// store notes that v is stored at to.
func (a *analysis) store(s *state, v ssa.Value, to access.Path) {
	switch v.(type) {
	case *ssa.Const, *ssa.Global:
		return
	}
	if access.PointsNowhere(v.Type()) {
		return
	}
	if isPointer(v.Type()) {
		a.noteNamed(a.names.Ref(v), to)
	}
	a.put(s, a.names.Ref(v), to)
}

// put notes that from is stored at to.
func (a *analysis) put(s *state, from access.Ref, to access.Path) {
	if from.Path.Root == to.Root || from.Path.Root.Kind == access.Global {
		return
	}
	a.hold(from, to)
	if n := a.numbers.of(to.Root); to.Root.Kind == access.Global || to.Root.Kind == access.Unknown || s.escaped.has(n) {
		known := to.Root.Kind != access.Global && to.Root.Kind != access.Unknown
		a.showRef(s, from, !known || s.public.has(n))
		return
	}
	froms := []access.Ref{from}
	if orig, ok := a.names.CopiedFrom(from.Path.Root); ok {
		froms = append(froms, orig)
	}
	direct := len(froms)
	if from.Func != nil {
		froms = slices.Concat(froms, from.Func.Free, from.Func.Bound)
	}
	for i, f := range froms {
		if in := (stored{f.Path.Root, to.Sel, i >= direct}); f.Path.Known() && f.Path.Root != to.Root && !slices.Contains(a.into[to.Root], in) {
			a.into[to.Root] = append(a.into[to.Root], in)
		}
	}
	if from.Path.Sel != "" || from.Func != nil {
		return
	}
	switch {
	case isGiven(to.Root):
		a.lend(s, from.Path.Root, to)
	case s.lent.has(a.numbers.of(to.Root)):
		a.lend(s, from.Path.Root, a.lentAt[to.Root].Join(to.Sel))
	}
}

// comesFromOutside reports whether what root stands for, or something that was gathered there, may be known to others.
func (a *analysis) comesFromOutside(root access.Root, s *state) bool {
	return a.isFromOutside(root, s, make(map[access.Root]bool))
}

// isFromOutside is comesFromOutside; seen are the roots that were looked at.
func (a *analysis) isFromOutside(root access.Root, s *state, seen map[access.Root]bool) bool {
	switch {
	case seen[root], a.owned(root, s):
		return false
	case !a.gathered[root] || s.escaped.has(a.numbers.of(root)) || a.isLent(root, s):
		return true
	}
	seen[root] = true
	return slices.ContainsFunc(a.into[root], func(in stored) bool { return a.isFromOutside(in.from, s, seen) })
}

func (a *analysis) owned(r access.Root, s *state) bool {
	return a.unshared(r, s) && !a.isLent(r, s)
}

// unshared reports whether r was made in the function and not made visible to other goroutines, unless to those
// that can reach something that it was given.
func (a *analysis) unshared(r access.Root, s *state) bool {
	return r.Kind == access.Made && a.names.Made(r) != nil && !s.escaped.has(a.numbers.of(r))
}

// renew forgets that root was shared: the instruction that is about to run makes another one.
func (a *analysis) renew(s *state, root access.Root) {
	n := a.numbers.of(root)
	s.escaped, s.public, s.lent = s.escaped.without(n), s.public.without(n), s.lent.without(n)
}

// appended notes that a call of append keeps what it is given, in the array of the old slice or that of the new.
func (a *analysis) appended(call ssa.CallInstruction, s *state) {
	args := call.Common().Args
	for _, arg := range args[1:] {
		a.store(s, arg, a.names.Ref(args[0]).Path)
	}
	if v := call.Value(); v != nil {
		a.gather(s, args, v)
	}
}

// gather notes that v, a new slice or a choice, is or holds what is among vs, and nothing else.
func (a *analysis) gather(s *state, vs []ssa.Value, v ssa.Value) {
	to := a.names.Ref(v).Path
	global := func(v ssa.Value) bool { return a.names.Ref(v).Path.Root.Kind == access.Global }
	if only, seen := a.gathered[to.Root]; !seen || only {
		a.gathered[to.Root] = to.Root.Kind == access.Local && !slices.ContainsFunc(vs, global)
	}
	for _, v := range vs {
		a.store(s, v, to)
	}
}

// leaves notes where t, which the program has no body of, keeps its arguments: in what it returns, if anywhere,
// unless the model says that it puts them in its first one, or where anybody may get them.
func (a *analysis) leaves(instr ssa.CallInstruction, t target, s *state) {
	args := instr.Common().Args
	if len(args) == 0 {
		return
	}
	for _, v := range produced(instr) {
		r := a.names.Ref(v)
		if r.Path.Root.Kind != access.Local || r.Path.Sel != "" {
			continue
		}
		a.renew(s, r.Path.Root)
		for _, arg := range args {
			a.store(s, arg, r.Path)
		}
	}
	switch model.Keeps(t.key, instr.Common().Signature().Recv() != nil) {
	case model.InFirst:
		for _, arg := range args[1:] {
			a.store(s, arg, a.names.Ref(args[0]).Path.Elem())
		}
	case model.Anywhere:
		for _, arg := range args {
			if r := a.names.Ref(arg); r.Path.Sel == "" && !access.PointsNowhere(arg.Type()) {
				a.shareRef(s, r)
			}
		}
	}
}

// produced returns the results of instr that may refer to something.
func produced(instr ssa.CallInstruction) []ssa.Value {
	v := instr.Value()
	if v == nil {
		return nil
	}
	results := []ssa.Value{v}
	if _, several := v.Type().(*types.Tuple); several {
		results = nil
		for _, ref := range *v.Referrers() {
			if e, ok := ref.(*ssa.Extract); ok {
				results = append(results, e)
			}
		}
	}
	return slices.DeleteFunc(results, func(v ssa.Value) bool { return access.PointsNowhere(v.Type()) })
}

// into returns what is stored in what callers have a name for, or comes from there, by way of whatever.
func (r *recorder) into() []Into {
	returned := make(map[access.Root]bool)
	for _, ref := range r.results {
		ref.Each(func(ref access.Ref) { returned[ref.Path.Root] = true })
	}
	named := func(root access.Root) bool { return isGiven(root) || returned[root] }
	var out []Into
	for to := range r.a.into {
		if !named(to) {
			continue
		}
		seen := map[access.Root]bool{to: true}
		var add func(at access.Path, holder access.Root)
		add = func(at access.Path, holder access.Root) {
			for _, in := range r.a.into[holder] {
				if seen[in.from] {
					continue
				}
				seen[in.from] = true
				p := at.Join(in.sel)
				if named(in.from) && (isGiven(in.from) || isGiven(to)) {
					out = append(out, Into{in.from, p})
				}
				add(p, in.from)
			}
		}
		add(access.Path{Root: to}, to)
	}
	slices.SortFunc(out, func(a, b Into) int {
		return cmp.Or(compareRoots(a.From, b.From), comparePaths(a.To, b.To))
	})
	return out
}
