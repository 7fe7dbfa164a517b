package lockset

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file gathers what a finished analysis of one function leaves behind. All methods of a nil
// recorder do nothing, so that the transfer function need not know whether it is the last pass.

type recorder struct {
	a      *analysis
	body   *Body
	effect *Effect
	visit  func(instr ssa.Instruction, s View)
	loops  []bool // by index of the block: control may come to it again
	spins  []*spin

	returned []alternative
	results  []access.Ref
	disagree []bool
	facts    [][]fact // per returned alternative: what is known of each result
	ways     int      // how many returns were seen
}

// fact is what is known of one result at one return.
type fact struct {
	known, isNil, is bool
}

// View is what a visitor may ask about the moment before an instruction.
type View struct {
	Points []Point  // the alternatives
	After  []string // goroutines that may run
	a      *analysis
	s      *state
}

// Owned reports whether no other goroutine can reach what p leads to yet: it was made in this
// function and has not been made visible.
func (v View) Owned(p access.Path) bool {
	return v.a.owned(p.Root, v.s) && !v.a.holdsForeign(p, v.s)
}

// holdsForeign reports whether something that is not owned is stored on the way to p, so that what lies
// behind it need not be owned either.
func (a *analysis) holdsForeign(p access.Path, s *state) bool {
	return slices.ContainsFunc(a.into[p.Root], func(in stored) bool {
		return access.Path{Root: p.Root, Sel: in.sel}.Above(p) && a.comesFromOutside(in.from, s)
	})
}

func (r *recorder) instr(instr ssa.Instruction, s *state) {
	r.renames(instr)
	r.effect.Deeds |= r.a.deeds(instr)
	for _, sp := range r.spins {
		if sp.in[instr.Block().Index] {
			sp.passes(s)
		}
	}
	switch instr := instr.(type) {
	case *ssa.Defer, *ssa.RunDefers:
		return // seen when they run
	case *ssa.Send:
		r.awaits("a channel send", s)
	case *ssa.Select:
		if instr.Blocking {
			r.awaits("a select", s)
		}
	case *ssa.UnOp:
		if instr.Op == token.ARROW {
			r.awaits("a channel receive", s)
		}
	case *ssa.ChangeType:
		r.becomes(instr, s)
	case *ssa.Store:
		r.storesFunc(instr, s)
		if _, local := instr.Addr.(*ssa.Alloc); !local {
			r.given(instr.Val, r.a.owned(r.a.names.Place(instr.Addr).Root, s), instr, s)
		}
	case *ssa.MakeInterface:
		r.converts(instr, s)
		r.given(instr.X, false, instr, s)
	case *ssa.MapUpdate:
		r.given(instr.Value, r.a.owned(r.a.names.Ref(instr.Map).Path.Root, s), instr, s)
	case *ssa.Return:
		for _, v := range instr.Results {
			if r.body.Exported || !isOnlyResult(instr, v) {
				r.given(v, false, instr, s)
			}
		}
		r.returns(instr, s)
	}
	r.visit(instr, View{s.points(), sites(s.after), r.a, s})
}

// isOnlyResult reports whether v is what a call returns in any case, so that callers know which function it is.
func isOnlyResult(ret *ssa.Return, v ssa.Value) bool {
	if _, merged := v.(*ssa.Phi); merged {
		return false
	}
	return !slices.ContainsFunc(ret.Parent().Blocks, func(b *ssa.BasicBlock) bool {
		other, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return)
		return ok && other != ret
	})
}

// renames notes a lock that gets another name: a pointer to it is stored, or its Lock becomes a function.
func (r *recorder) renames(instr ssa.Instruction) {
	var lock ssa.Value
	switch instr := instr.(type) {
	case *ssa.Store:
		if _, local := instr.Addr.(*ssa.Alloc); local {
			return
		}
		lock = instr.Val
		if i, ok := lock.(*ssa.MakeInterface); ok {
			lock = i.X
		}
		if !isLockPointer(lock.Type()) {
			return
		}
	case *ssa.MakeClosure:
		fn := instr.Fn.(*ssa.Function)
		m, ok := fn.Object().(*types.Func)
		if !ok || m.Pkg() == nil || m.Pkg().Path() != "sync" || !model.Lock(m.Name()).Acquire || len(instr.Bindings) != 1 {
			return
		}
		lock = instr.Bindings[0]
	default:
		return
	}
	if class := r.a.names.Ref(lock).Var; !class.IsZero() {
		if u := (Under{Class: class, Type: Renamed}); !slices.Contains(r.body.Under, u) {
			r.body.Under = append(r.body.Under, u)
		}
	}
}

func isLockPointer(t types.Type) bool {
	p, ok := t.Underlying().(*types.Pointer)
	if !ok {
		return false
	}
	n, ok := types.Unalias(p.Elem()).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "sync" && (n.Obj().Name() == "Mutex" || n.Obj().Name() == "RWMutex")
}

// deferred reports a deferred call at the moment it runs.
func (r *recorder) deferred(instr *ssa.Defer, s *state) {
	r.visit(instr, View{s.points(), sites(s.after), r.a, s})
}

// given notes that a function value was put where it cannot be followed. Something owned is not yet a
// place where others can call it.
func (r *recorder) given(v ssa.Value, owned bool, instr ssa.Instruction, s *state) {
	if isFuncType(v.Type()) {
		r.a.keep([]access.Ref{r.a.names.Ref(v)}, owned, instr, s)
	}
}

func (r *recorder) edge(a *analysis, e Edge, instr ssa.Instruction, s *state) {
	if r == nil {
		return
	}
	e.After = sites(s.after)
	for _, p := range s.points() {
		e.At = p
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

func (r *recorder) edgeAt(a *analysis, e Edge, instr ssa.Instruction, s *state) {
	if r != nil {
		r.body.Calls = append(r.body.Calls, r.complete(a, e, instr, s))
	}
}

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
	}
	e.Loop = r.loops[instr.Block().Index]
	refs := slices.Concat(e.Params, e.Free)
	e.Copies = a.copies(refs, instr)
	for _, c := range e.Copies {
		refs = append(refs, access.Ref{Path: c.From})
	}
	for _, root := range rootsOf(refs) {
		if e.Start == "" && !e.Stored && a.owned(root, s) && !slices.Contains(e.Owned, root) {
			e.Owned = append(slices.Clip(e.Owned), root)
			for _, in := range a.into[root] {
				if p := (access.Path{Root: root, Sel: in.sel}); a.comesFromOutside(in.from, s) && !slices.Contains(e.Foreign, p) {
					e.Foreign = append(slices.Clip(e.Foreign), p)
				}
			}
		}
		if v, ok := a.names.Made(root).(ssa.Instruction); ok && e.Loop && !slices.Contains(e.Each, root) && !inLoop(instr.Block(), v.Block()) {
			e.Each = append(slices.Clip(e.Each), root)
		}
	}
	return e
}

// dispatches notes a call through an interface.
func (r *recorder) dispatches(instr ssa.CallInstruction, t target, s *state) {
	if r == nil {
		return
	}
	iface := typeName(instr.Common().Value.Type())
	if iface == "" {
		return
	}
	for _, p := range s.points() {
		e := r.complete(r.a, Edge{Pos: posOf(instr), Params: t.params, At: p, After: sites(s.after)}, instr, s)
		r.body.Dispatches = append(r.body.Dispatches, Dispatch{iface, t.invoke.Name(), e})
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
	if c, ok := call.Common().Value.(*ssa.MakeClosure); ok {
		e.Free = a.detached(e.Free, c.Bindings, instr)
	}
}

// detached returns refs, which vs are bound to, without the maps and slices that were taken out of their
// variables. An object that a pointer leads to may be known elsewhere.
func (a *analysis) detached(refs []access.Ref, vs []ssa.Value, instr ssa.Instruction) []access.Ref {
	if len(refs) != len(vs) {
		return refs
	}
	for i, v := range vs {
		if _, pointer := v.Type().Underlying().(*types.Pointer); !pointer && refs[i].Read.IsValid() && a.names.Detached(v, instr) {
			refs = slices.Clone(refs)
			refs[i] = access.Ref{}
		}
	}
	return refs
}

// rootsOf returns the roots of refs and of what is known to be stored in them.
func rootsOf(refs []access.Ref) []access.Root {
	var out []access.Root
	for _, ref := range refs {
		out = append(out, ref.Path.Root)
		for _, p := range ref.Parts {
			out = append(out, rootsOf([]access.Ref{p.Ref})...)
		}
	}
	return out
}

func (r *recorder) invoke(i Invoke) {
	if r == nil {
		return
	}
	if k := i.Func.Root.Kind; k != access.Param && k != access.Free {
		return
	}
	const most = 16
	if len(r.effect.Invokes) < most {
		r.effect.Invokes = append(r.effect.Invokes, i)
	}
}

func (r *recorder) acquires(op model.LockOp, lock Held, s *state) {
	if r == nil || !op.Acquire {
		return
	}
	r.effect.Acquires = addVar(r.effect.Acquires, lock.Class)
	if lock.Mode == Write {
		r.effect.Writes = addVar(r.effect.Writes, lock.Class)
	}
	for _, p := range s.points() {
		for _, h := range p.Held {
			o := Order{h.Class, lock.Class, h.Mode == Write || lock.Mode == Write}
			if !h.Once && !op.Try && !slices.Contains(r.body.Orders, o) {
				r.body.Orders = append(r.body.Orders, o)
			}
		}
	}
}

// gives notes that the function gives back a lock that it does not hold.
func (r *recorder) gives(lock access.Var) {
	if r != nil {
		r.body.Gives = addVar(r.body.Gives, lock)
	}
}

// awaits notes that the function waits for another goroutine, with the locks of s held.
func (r *recorder) awaits(why string, s *state) {
	r.blocks(why)
	r.mayCall(Waiting, s)
}

// spinning notes a loop at pos that may wait for another goroutine, with the locks of s held.
func (r *recorder) spinning(pos token.Pos, why string, s *state) {
	r.body.Spins = append(r.body.Spins, pos)
	r.awaits(why, s)
}

// sends notes that the function may send on the channel at p.
func (r *recorder) sends(p access.Path) {
	if r != nil && isOutside(p.Root) {
		r.effect.Sends = addPath(r.effect.Sends, p)
	}
}

func (r *recorder) blocks(why string) {
	if r != nil && r.effect.Blocks == "" {
		r.effect.Blocks = why
	}
}

func (r *recorder) unknown(why string) {
	if r != nil && r.effect.Unknown == "" {
		r.effect.Unknown = why
	}
}

// maxDynamic bounds how much one effect names.
const maxDynamic = 32

// mayCall notes that what t stands for may be called; nothing may when it is empty.
func (r *recorder) mayCall(t string, s *state) {
	if r != nil && t != "" {
		r.effect.Dynamic = addDynamic(r.effect.Dynamic, t)
		r.under([]string{t}, s)
	}
}

// under notes which locks are held while function values of types ts may be called.
func (r *recorder) under(ts []string, s *state) {
	for _, p := range s.points() {
		for _, h := range p.Held {
			for _, t := range ts {
				if u := (Under{h.Class, h.Indirect, t}); !slices.Contains(r.body.Under, u) {
					r.body.Under = append(r.body.Under, u)
				}
			}
		}
	}
}

// addDynamic adds t to ts. Of more than can be listed only the types of the function values are, and then nothing.
func addDynamic(ts []string, t string) []string {
	switch {
	case slices.Contains(ts, t) || slices.Equal(ts, anything):
		return ts
	case len(ts) < maxDynamic:
		return append(slices.Clip(ts), t)
	}
	var out []string
	for _, t := range append(slices.Clip(ts), t) {
		if t = ofType(t); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	if len(out) > maxDynamic {
		return anything
	}
	return out
}

func (r *recorder) external(key string, methods bool) {
	switch {
	case model.Blocking(key):
		r.blocks("a call of " + access.ShortCall(key))
	case model.Pure(key) && methods:
		r.unknown("a call of " + access.ShortCall(key) + ", which may call methods of what it is given")
	case !model.Pure(key):
		r.unknown("a call of " + access.ShortCall(key))
	}
}

// serving returns what is known about who calls the function key for each request; nil when nothing is.
func (r *recorder) serving(key string) *Serving {
	if e := r.a.effect(key); e != nil {
		return e.Serves
	}
	return nil
}

// inherit takes over from a callee what a call of it may do on the way; dynamic is what it may call without a name.
func (r *recorder) inherit(e *Effect, dynamic []string, s *state) {
	if r == nil {
		return
	}
	for _, d := range dynamic {
		r.effect.Dynamic = addDynamic(r.effect.Dynamic, d)
	}
	r.under(dynamic, s)
	for _, c := range e.Acquires {
		r.effect.Acquires = addVar(r.effect.Acquires, c)
	}
	for _, c := range e.Writes {
		r.effect.Writes = addVar(r.effect.Writes, c)
	}
	r.blocks(e.Blocks)
	r.unknown(e.Unknown)
}

func (r *recorder) returns(instr *ssa.Return, s *state) {
	e := r.effect
	for _, st := range s.after {
		e.Starts = addStarted(e.Starts, st)
	}
	waited, ends := outside(s.waited), outside(s.ends())
	if r.ways > 0 {
		waited, ends = both(e.Waits, waited), both(e.Ends, ends)
	}
	e.Waits, e.Ends = waited, ends
	r.ways++
	for _, root := range r.a.numbers.all(s.escaped) {
		if isGiven(root) && !slices.Contains(e.Shares, root) {
			e.Shares = append(e.Shares, root)
		}
	}
	for i, v := range instr.Results {
		r.result(i, len(instr.Results), v, instr, s)
		if isPointer(v.Type()) && !slices.Contains(e.Nils, i) && r.a.isNil(v, nil) {
			e.Nils = append(e.Nils, i)
		}
	}
	for _, alt := range s.alts {
		var facts []fact
		for _, v := range instr.Results {
			facts = append(facts, alt.factOf(v))
		}
		r.returned = append(r.returned, alt)
		r.facts = append(r.facts, facts)
	}
}

// isGiven reports whether r is something that the caller gave.
func isGiven(r access.Root) bool { return r.Kind == access.Param || r.Kind == access.Free }

// isOutside reports whether r is something that callers have a name for.
func isOutside(r access.Root) bool { return isGiven(r) || r.Kind == access.Global }

// outside returns those of sigs that callers have a name for.
func outside(sigs []Signal) []Signal {
	return slices.DeleteFunc(slices.Clone(sigs), func(sig Signal) bool { return !isOutside(sig.Path.Root) })
}

// result notes what result i refers to at one return.
func (r *recorder) result(i, n int, v ssa.Value, at ssa.Instruction, s *state) {
	if r.results == nil {
		r.results, r.disagree = make([]access.Ref, n), make([]bool, n)
	}
	if c, ok := v.(*ssa.Const); ok && (c.IsNil() || c.Value != nil) {
		return
	}
	ref := r.a.names.Ref(v)
	root := ref.Path.Root
	ref = r.a.detached([]access.Ref{ref}, []ssa.Value{v}, at)[0]
	if root.Kind == access.Local && ref.Func == nil {
		ref = access.Ref{}
	}
	ref = r.stillOwned(ref, s)
	switch have := r.results[i]; {
	case !ref.Path.Known(), have.Path.Known() && have.Path != ref.Path:
		r.disagree[i] = true
	case have.Path.Known():
		r.results[i] = r.stillOwned(have, s)
	default:
		r.results[i] = ref
	}
}

// stillOwned returns ref, and what is stored in it, as fresh only as far as it is owned.
func (r *recorder) stillOwned(ref access.Ref, s *state) access.Ref {
	ref.Fresh = ref.Fresh && r.a.unshared(ref.Path.Root, s)
	parts := ref.Parts
	ref.Parts = nil
	for _, p := range parts {
		ref.Parts = append(ref.Parts, access.Part{Sel: p.Sel, Ref: r.stillOwned(p.Ref, s)})
	}
	return ref
}

func (a alternative) factOf(v ssa.Value) fact {
	switch v := v.(type) {
	case *ssa.Const:
		if v.IsNil() {
			return fact{known: true, isNil: true, is: true}
		}
		if v.Value != nil && v.Value.Kind() == constant.Bool {
			return fact{known: true, is: constant.BoolVal(v.Value)}
		}
		return fact{}
	case *ssa.MakeInterface, *ssa.Alloc, *ssa.MakeMap, *ssa.MakeClosure:
		return fact{known: true, isNil: true, is: false}
	}
	if b, ok := v.Type().Underlying().(*types.Basic); ok && b.Info()&types.IsBoolean != 0 {
		if c, negated, ok := conditionOf(v); ok {
			if is, ok := a.known(c); ok {
				return fact{known: true, is: is != negated}
			}
		}
		return fact{}
	}
	x, index := component(v)
	if is, ok := a.known(condition{x: x, index: index, y: "nil", op: token.EQL}); ok {
		return fact{known: true, isNil: true, is: is}
	}
	return fact{}
}

// finish completes the effect after the last block.
func (r *recorder) finish() {
	for _, sp := range r.spins {
		if sp.reached {
			r.spinning(sp.pos, "a loop that may wait for another goroutine", &state{alts: []alternative{{Point: Point{Held: sp.held}}}})
		}
	}
	for i, ref := range r.results {
		if r.disagree[i] {
			r.results[i] = access.Ref{Func: nil}
		} else {
			r.results[i] = ref
		}
	}
	r.effect.Results = r.results
	r.effect.Into = r.into()
	r.effect.Outcomes = outcomes(r.returned, r.facts)
}

// outcomes groups the ways to return by what they do to locks, and finds the result that tells the
// groups apart.
func outcomes(returned []alternative, facts [][]fact) []Outcome {
	type group struct {
		at    Point
		facts []fact
	}
	var groups []group
	for i, alt := range returned {
		alt.Point = alt.Point.outside()
		returned[i] = alt
		j := slices.IndexFunc(groups, func(g group) bool { return g.at.equal(alt.Point) })
		if j < 0 {
			groups = append(groups, group{alt.Point, slices.Clone(facts[i])})
			continue
		}
		for k, f := range facts[i] {
			if groups[j].facts[k] != f {
				groups[j].facts[k] = fact{}
			}
		}
	}
	const most = 4
	if len(groups) > most {
		one := collapse(returned)
		groups = []group{{one.Point, nil}}
	}
	if len(groups) == 0 || len(groups) == 1 && groups[0].at.equal(Point{}) {
		return nil
	}
	tells := -1
	if len(groups) == 2 {
		for k := range groups[0].facts {
			f, g := groups[0].facts[k], groups[1].facts[k]
			if f.known && g.known && f.isNil == g.isNil && f.is != g.is {
				tells = k
				break
			}
		}
	}
	var out []Outcome
	for _, g := range groups {
		o := Outcome{Acquired: g.at.Held, Released: g.at.Released, Maybe: g.at.Maybe}
		if tells >= 0 {
			f := g.facts[tells]
			o.When = &When{Result: tells, Nil: f.isNil, Is: f.is}
		}
		out = append(out, o)
	}
	return out
}
