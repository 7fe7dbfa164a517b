package lockset

import (
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

	ended    map[access.Path][]string // goroutines that ran when what is held, a lock or a sync.Once, was over
	remade   map[access.Root][]string // goroutines that may run when a root is made
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
	a *analysis
	s *state
}

// Points returns the alternatives.
func (v View) Points() []Point { return v.s.points() }

// After returns the sites of the goroutines that may run.
func (v View) After() []string { return sites(v.s.after) }

// Reaching returns v without the alternatives in which m, or the pointer that it is reached by, is nil: nothing is used
// there.
func (v View) Reaching(m ssa.Value) View {
	s := *v.s
	s.alts = slices.DeleteFunc(slices.Clone(s.alts), func(alt alternative) bool { return alt.isNil(m) })
	if len(s.alts) < len(v.s.alts) {
		v.s = &s
	}
	return v
}

// isNil reports whether v, or the pointer that it is loaded by, is known to be nil.
func (a alternative) isNil(v ssa.Value) bool {
	for {
		if f := a.factOf(v); f.known && f.isNil && f.is {
			return true
		}
		load, ok := v.(*ssa.UnOp)
		if !ok || load.Op != token.MUL {
			return false
		}
		field, ok := load.X.(*ssa.FieldAddr)
		if !ok {
			return false
		}
		v = field.X
	}
}

// Owned reports whether no other goroutine can reach what p leads to yet: it was made in this
// function and has not been made visible.
func (v View) Owned(p access.Path) bool {
	return v.a.owned(p.Root, v.s) && !v.a.holdsForeign(p, v.s)
}

// Confided reports whether only goroutines that the function started can reach what p leads to yet: it was made in this
// function and given to them only.
func (v View) Confided(p access.Path) bool {
	return v.a.confided(p.Root, v.s) && !v.a.holdsForeign(p, v.s)
}

func (a *analysis) confided(root access.Root, s *state) bool {
	n := a.numbers.of(root)
	return root.Kind == access.Made && a.names.Made(root) != nil && s.escaped.has(n) && !s.public.has(n) && !s.lent.has(n)
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
		r.given(instr.X, false, instr, s)
	case *ssa.Select:
		if instr.Blocking {
			r.awaits("a select", s)
		}
		for _, st := range instr.States {
			if st.Send != nil {
				r.given(st.Send, false, instr, s)
			}
		}
	case *ssa.UnOp:
		if instr.Op == token.ARROW {
			r.awaits("a channel receive", s)
		}
	case *ssa.ChangeType:
		r.becomes(instr, s)
	case *ssa.Store:
		r.assigns(instr)
		r.storesFunc(instr, s)
		if _, local := instr.Addr.(*ssa.Alloc); !local && !r.a.isListed(instr) {
			r.given(instr.Val, r.a.owned(r.a.names.Place(instr.Addr).Root, s), instr, s)
		}
	case *ssa.MakeClosure:
		r.losesBound(instr)
	case *ssa.MakeInterface:
		r.converts(instr, s)
		r.given(instr.X, false, instr, s)
	case *ssa.MapUpdate:
		r.given(instr.Value, r.a.owned(r.a.names.Ref(instr.Map).Path.Root, s), instr, s)
	case *ssa.Return:
		for _, v := range access.Results(instr) {
			if r.body.Exported || !isOnlyResult(instr, v) {
				r.given(v, false, instr, s)
			}
		}
		r.returns(instr, s)
	}
	r.visit(instr, View{r.a, s})
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
	r.visit(instr, View{r.a, s})
}

// given notes that a function value was put where it cannot be followed. Something owned is not yet a
// place where others can call it.
func (r *recorder) given(v ssa.Value, owned bool, instr ssa.Instruction, s *state) {
	if isFuncType(v.Type()) {
		r.a.keep([]access.Ref{r.a.names.Ref(v)}, keeping{owned: owned}, instr, s)
	}
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
	if !op.Try {
		r.order(lock, s)
	}
}

// locks notes that instr does op to lock.
func (r *recorder) locks(instr ssa.Instruction, op model.LockOp, lock Held) {
	if r == nil || !instr.Pos().IsValid() {
		return
	}
	_, deferred := instr.(*ssa.Defer)
	if call := (LockCall{lock.Path, lock.Class, instr.Pos(), op.Release, deferred}); !slices.Contains(r.body.Locks, call) {
		r.body.Locks = append(r.body.Locks, call)
	}
}

// order notes that lock is waited for while the locks of s are held.
func (r *recorder) order(lock Held, s *state) {
	for _, p := range s.points() {
		for _, h := range p.Held {
			o := Order{h.Class, lock.Class, h.Mode == Write || lock.Mode == Write}
			if h.Blocks() && !slices.Contains(r.body.Orders, o) {
				r.body.Orders = append(r.body.Orders, o)
			}
		}
	}
}

// runsOnce notes that a function of once runs, or is waited for.
func (r *recorder) runsOnce(once access.Ref, s *state) {
	if r != nil {
		r.effect.Onces = addVar(r.effect.Onces, once.Var)
		r.order(Held{Path: once.Path, Class: once.Var, Mode: Write}, s)
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
				if u := (Under{h.Class, h.Indirect, t, h.Mode == Read}); !slices.Contains(r.body.Under, u) {
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
	for _, c := range e.Onces {
		r.effect.Onces = addVar(r.effect.Onces, c)
	}
	r.blocks(e.Blocks)
	r.unknown(e.Unknown)
}

// assigns notes that st assigns a field or package variable through which people reach something.
func (r *recorder) assigns(st *ssa.Store) {
	if access.PointsNowhere(st.Val.Type()) {
		return
	}
	switch addr := st.Addr.(type) {
	case *ssa.Global:
		r.body.Assigns = addVar(r.body.Assigns, access.GlobalVar(addr))
	case *ssa.FieldAddr:
		if class, _ := access.FieldVar(addr.X.Type(), addr.Field); !class.IsZero() && !isNewObject(addr) {
			r.body.Assigns = addVar(r.body.Assigns, class)
		}
	}
}
