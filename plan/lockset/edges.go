package lockset

import (
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file records which functions a function calls, starts or keeps, and how things stand there.

func (r *recorder) edge(a *analysis, e Edge, instr ssa.Instruction, s *state) {
	if r == nil {
		return
	}
	if e.After = sites(s.after); initializes(instr) {
		e.After = nil
	}
	for _, p := range s.points() {
		e.At = p
		e.At.Maybe = mayHold(p, s)
		r.edgeAt(a, e, instr, s)
	}
}

// initializes reports whether instr initialises a package that the function's imports. That happens once, before any package
// that imports it is initialised: what these start runs later, although their calls may stand before this one.
func initializes(instr ssa.Instruction) bool {
	call, ok := instr.(*ssa.Call)
	if !ok {
		return false
	}
	fn := call.Call.StaticCallee()
	return fn != nil && fn.Name() == "init" && fn.Synthetic != "" && fn.Parent() == nil && fn.Signature.Recv() == nil
}

// started notes e, the start of a goroutine that runs t and tells its end besides by ends.
func (r *recorder) started(a *analysis, e Edge, t target, ends []Signal, instr ssa.Instruction, s *state) {
	if r == nil {
		return
	}
	e.After, e.Outlive = sites(s.after), t.effect.Running()
	held := a.joined(t, ends)
	for _, p := range s.points() {
		e.At = p
		e.At.Held = Union(p.Held, held)
		e.At.Maybe = mayHold(p, s)
		r.edgeAt(a, e, instr, s)
	}
}

// mayHold returns the locks that may be held at p, one of the points of s, where others hold them: what is called may ask
// what the caller asked before it took the lock.
//
//	if addr.isUnix() {
//		mu.Lock()
//		defer mu.Unlock()
//	}
//	listen(addr) // uses the map if addr.isUnix()
func mayHold(p Point, s *state) []access.Path {
	maybe := p.Maybe
	for _, q := range s.points() {
		for _, h := range q.Held {
			if _, held := p.Held.Find(h.Path); !held && !h.Once {
				maybe = addPath(maybe, h.Path)
			}
		}
	}
	return maybe
}

// over notes that what is held at path, a lock or a sync.Once, is over: what still runs does not come before what follows.
func (r *recorder) over(path access.Path, s *state) {
	if r == nil {
		return
	}
	if r.ended == nil {
		r.ended = make(map[access.Path][]string)
	}
	r.ended[path] = union(r.ended[path], sites(s.after))
}

// outlived notes at the calls of the function what runs on when what is held there is over.
func (r *recorder) outlived() {
	var edges []*Edge
	for i := range r.body.Calls {
		edges = append(edges, &r.body.Calls[i])
	}
	for i := range r.body.Applies {
		edges = append(edges, &r.body.Applies[i].Edge)
	}
	for i := range r.body.Dispatches {
		edges = append(edges, &r.body.Dispatches[i].Edge)
	}
	for _, e := range edges {
		for _, h := range e.At.Held {
			if h.Once && h.Mode == Write {
				e.Outlive = union(e.Outlive, r.ended[h.Path])
			}
		}
		if e.Start.Runs() {
			r.lends(e)
		}
	}
}

// lends notes at the start e of a goroutine which of the locks that are held there are given back only when it has ended:
//
//	s.mu.Lock()
//	defer s.mu.Unlock()
//	go func() { defer close(done); s.m[k]++ }()
//	<-done
func (r *recorder) lends(e *Edge) {
	e.At.Held = slices.Clone(e.At.Held)
	for i, h := range e.At.Held {
		running, givenBack := r.ended[h.Path]
		e.At.Held[i].Lent = !h.Once && !h.Copied && givenBack && !slices.Contains(running, e.Site)
	}
}

// remakes notes that root is about to be made, perhaps once more.
func (r *recorder) remakes(root access.Root, s *state) {
	if r == nil || len(s.after) == 0 {
		return
	}
	if r.remade == nil {
		r.remade = make(map[access.Root][]string)
	}
	r.remade[root] = union(r.remade[root], sites(s.after))
}

// noteRemade notes at the starts of goroutines what is made anew while others of them run:
//
//	for _, batch := range batches {
//		var mu sync.Mutex
//		for _, x := range batch {
//			go func() { mu.Lock(); m[x]++; mu.Unlock() }()
func (r *recorder) noteRemade() {
	for i := range r.body.Calls {
		e := &r.body.Calls[i]
		for _, root := range rootsOf(slices.Concat(e.Params, e.Free)) {
			if e.Start != "" && slices.Contains(r.remade[root], e.Site) && !slices.Contains(e.Remade, root) {
				e.Remade = append(slices.Clip(e.Remade), root)
			}
		}
	}
}

func (r *recorder) edgeAt(a *analysis, e Edge, instr ssa.Instruction, s *state) {
	if r == nil {
		return
	}
	for _, each := range a.byElement(e, instr) {
		r.body.Calls = append(r.body.Calls, r.complete(a, each, instr, s))
	}
}

// loop reports whether control may come to instr again.
func (r *recorder) loop(instr ssa.Instruction) bool { return r != nil && r.loops[instr.Block().Index] }

// complete returns e, made by instr, with what can be told from where that stands.
func (r *recorder) complete(a *analysis, e Edge, instr ssa.Instruction, s *state) Edge {
	e.Caller = r.body.Key
	a.detach(&e, instr)
	if e.Start == "" && !e.Stored {
		a.move(&e, s)
	}
	if call, ok := instr.(ssa.CallInstruction); ok && len(e.Params) == len(call.Common().Args) {
		for i := range e.Params {
			e.Mentions = append(e.Mentions, a.source.Argument(call.Common().Pos(), call.Common(), i))
		}
		e.Constants, e.Nils = constants(call.Common()), a.nils(call.Common())
		if e.Start == "" && !e.Stored {
			e.Unset = unset(call)
		}
	}
	e.Needs = a.needs(instr)
	e.Loop = e.Loop || r.loop(instr)
	refs := slices.Concat(e.Params, e.Free)
	e.Copies = a.copies(refs, instr)
	for _, c := range e.Copies {
		refs = append(refs, access.Ref{Path: c.From})
	}
	for _, root := range rootsOf(refs) {
		if e.Start == "" && !e.Stored {
			a.noteOwned(&e, root, s)
		}
		if v, ok := a.names.Made(root).(ssa.Instruction); ok && r.loop(instr) && !slices.Contains(e.Each, root) && !InLoop(instr.Block(), v.Block()) {
			e.Each = append(slices.Clip(e.Each), root)
		}
	}
	a.noteElsewhere(&e, rootsOf(refs), s)
	e.Shared = a.sharedMaps(refs, e.Each, instr)
	return e
}

// noteOwned notes at the call e who can reach what root stands for.
func (a *analysis) noteOwned(e *Edge, root access.Root, s *state) {
	switch {
	case slices.Contains(e.Owned, root) || slices.Contains(e.Confided, root):
		return
	case a.owned(root, s):
		e.Owned = append(slices.Clip(e.Owned), root)
	case a.confided(root, s):
		e.Confided = append(slices.Clip(e.Confided), root)
	default:
		return
	}
	for _, in := range a.into[root] {
		if p := (access.Path{Root: root, Sel: in.sel}); a.comesFromOutside(in.from, s) && !slices.Contains(e.Foreign, p) {
			e.Foreign = append(slices.Clip(e.Foreign), p)
		}
	}
}

// sharedMaps returns the maps in those of refs that each round of the loop around instr makes anew, with each, which
// all rounds put there.
func (a *analysis) sharedMaps(refs []access.Ref, each []access.Root, instr ssa.Instruction) []SharedMap {
	var out []SharedMap
	for _, ref := range refs {
		if ref.Path.Sel != "" || !slices.Contains(each, ref.Path.Root) {
			continue
		}
		for _, p := range ref.Maps {
			if a.outlastsRound(p.Ref.Path, instr) {
				out = append(out, SharedMap{ref.Path.Join(p.Sel), p.Ref.Path})
			}
		}
	}
	return out
}

// outlastsRound reports whether p leads to one map in all rounds of the loop around instr.
func (a *analysis) outlastsRound(p access.Path, instr ssa.Instruction) bool {
	if strings.Contains(p.Sel, "[") {
		return false // one for each index, perhaps
	}
	if p.Root.Kind != access.Made {
		return p.Known()
	}
	var made ssa.Instruction
	switch v := a.names.Made(p.Root).(type) {
	case *ssa.Alloc:
		if st := access.OnlyStore(v); st != nil {
			made = st
		}
	case *ssa.MakeMap:
		made = v
	}
	return p.Sel == "" && made != nil && made.Parent() == instr.Parent() && InLoop(instr.Block(), made.Block())
}

// dispatches notes by, a call or start of a method through an interface.
func (r *recorder) dispatches(instr ssa.CallInstruction, t target, by Edge, s *state) {
	if r == nil {
		return
	}
	iface := typeName(instr.Common().Value.Type())
	if iface == "" {
		r.loses(t.invoke.Name())
		return
	}
	for _, p := range s.points() {
		e := by
		e.Pos, e.Params, e.At, e.After = posOf(instr), t.params, p, sites(s.after)
		r.body.Dispatches = append(r.body.Dispatches, Dispatch{iface, t.invoke.Name(), r.complete(r.a, e, instr, s)})
	}
}

// loses notes that a method of that name is called through an interface, and that it is not known of what type.
func (r *recorder) loses(name string) {
	if !slices.Contains(r.body.Lost, name) {
		r.body.Lost = append(r.body.Lost, name)
	}
}

// losesBound notes a method of an interface that becomes a function value: who calls that is not seen.
func (r *recorder) losesBound(mc *ssa.MakeClosure) {
	if m, ok := mc.Fn.(*ssa.Function).Object().(*types.Func); ok && len(mc.Bindings) == 1 && types.IsInterface(mc.Bindings[0].Type()) {
		r.loses(m.Name())
	}
}

// applies notes a call or start e of a function value.
func (r *recorder) applies(e Edge, instr ssa.CallInstruction, s *state) {
	if r == nil {
		return
	}
	value := r.a.valueOf(instr.Common().Value)
	if value == "" {
		return
	}
	e.After, e.Applied = sites(s.after), true
	for _, p := range s.points() {
		e.At = p
		r.body.Applies = append(r.body.Applies, Applied{value, r.complete(r.a, e, instr, s)})
	}
}

// detach makes the arguments and captured variables of e nothing that has a name, where what they held
// was taken out of its variable before: nobody else can reach it.
func (a *analysis) detach(e *Edge, instr ssa.Instruction) {
	call, ok := instr.(ssa.CallInstruction)
	if !ok {
		return
	}
	e.Params = a.detached(e.Params, call.Common().Args, instr)
	for _, v := range append([]ssa.Value{call.Common().Value}, call.Common().Args...) {
		if c, ok := v.(*ssa.MakeClosure); ok && access.FuncKey(c.Fn.(*ssa.Function)) == e.Callee {
			e.Free = a.detached(e.Free, c.Bindings, instr)
		}
	}
}

// detached returns refs, which vs are bound to, without the maps and slices that were taken out of their
// variables. An object that a pointer leads to may be known elsewhere.
func (a *analysis) detached(refs []access.Ref, vs []ssa.Value, instr ssa.Instruction) []access.Ref {
	if len(refs) != len(vs) {
		return refs
	}
	for i, v := range vs {
		t := v.Type()
		if local, ok := v.(*ssa.Alloc); ok { // captured
			t = local.Type().Underlying().(*types.Pointer).Elem()
		}
		if _, pointer := t.Underlying().(*types.Pointer); !pointer && refs[i].Read.IsValid() && a.names.Detached(v, instr) {
			refs = slices.Clone(refs)
			refs[i] = access.Ref{}
		}
	}
	return refs
}

// rootsOf returns the roots of refs and of what is known to be stored in them.
func rootsOf(refs []access.Ref) []access.Root {
	out := make([]access.Root, 0, len(refs))
	var add func(access.Ref)
	add = func(ref access.Ref) {
		out = append(out, ref.Path.Root)
		for _, p := range ref.Parts {
			add(p.Ref)
		}
	}
	for _, ref := range refs {
		add(ref)
	}
	return out
}
