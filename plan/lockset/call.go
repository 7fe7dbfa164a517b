package lockset

import (
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file is the transfer function of calls.

// target is what a call calls.
type target struct {
	key     string       // empty: not known
	params  []access.Ref // what its parameters are bound to
	free    []access.Ref // what its captured variables are bound to
	effect  *Effect      // nil when the program has no body of it
	value   access.Path  // of the called function value, when key is empty
	invoke  *types.Func  // the interface method, for a call through an interface
	builtin string
	recv    ssa.Value // the first argument of a static call, or the interface
}

func (a *analysis) target(call ssa.CallInstruction) target {
	c := call.Common()
	if c.IsInvoke() {
		return target{invoke: c.Method, params: append([]access.Ref{a.names.Ref(c.Value)}, a.names.Refs(c.Args)...), recv: c.Value}
	}
	switch v := c.Value.(type) {
	case *ssa.Builtin:
		return target{builtin: v.Name()}
	case *ssa.Function:
		t := target{key: access.FuncKey(v), params: a.names.Refs(c.Args)}
		if len(c.Args) > 0 {
			t.recv = c.Args[0]
		}
		t.effect = a.bodyOf(t.key)
		return t
	}
	ref := a.names.Ref(c.Value)
	if ref.Func == nil {
		return target{value: ref.Path, params: a.names.Refs(c.Args)}
	}
	t := a.funcTarget(ref.Func, a.names.Refs(c.Args))
	if mc, ok := c.Value.(*ssa.MakeClosure); ok && len(ref.Func.Bound) > 0 {
		t.recv = mc.Bindings[0]
	}
	return t
}

func (a *analysis) funcTarget(f *access.FuncRef, args []access.Ref) target {
	t := target{key: f.Key, params: slices.Concat(f.Bound, args), free: f.Free}
	t.effect = a.bodyOf(t.key)
	return t
}

// bodyOf returns the effect of the function key, unless the model says what it does: the bodies of
// package sync, seen when the standard library itself is analysed, show atomics and not locks.
func (a *analysis) bodyOf(key string) *Effect {
	if model.Knows(key) {
		return nil
	}
	return a.effect(key)
}

// results returns what the results of call refer to.
func (a *analysis) results(call ssa.CallInstruction) []access.Ref {
	t := a.target(call)
	if t.key == model.Locker && len(t.params) == 1 {
		return []access.Ref{t.params[0]}
	}
	if model.MapUse(t.key, 0) == model.Aliases && len(t.params) == 1 {
		return []access.Ref{t.params[0]}
	}
	if t.effect == nil {
		return nil
	}
	return access.SubstAll(t.effect.Results, t.params, t.free)
}

// lockOp returns what the call does to the lock it is a method of.
//
// A method of the program that is named Lock but takes no lock that we know (a spin lock, a
// semaphore) is taken at its name, and so is one of another module.
func (a *analysis) lockOp(t target) (op model.LockOp, method string) {
	if t.invoke != nil {
		sig := t.invoke.Signature()
		if op := model.Lock(t.invoke.Name()); sig.Params().Len() == 0 && sig.Results().Len() == boolResults(op) {
			return op, t.invoke.Name()
		}
		return model.LockOp{}, ""
	}
	if len(t.params) != 1 || t.key == "" {
		return model.LockOp{}, ""
	}
	method = t.key[strings.LastIndexByte(t.key, '.')+1:]
	op = model.Lock(method)
	if op.IsZero() {
		return op, ""
	}
	if t.effect != nil && (len(t.effect.Outcomes) > 0 || len(t.effect.Acquires) > 0) {
		return model.LockOp{}, ""
	}
	return op, method
}

func boolResults(op model.LockOp) int {
	if op.Try {
		return 1
	}
	return 0
}

// call applies the effect of a call to s. It also tells the recorder, if there is one, which
// functions of the program the call runs.
func (a *analysis) call(instr ssa.CallInstruction, s *state) {
	t := a.target(instr)
	if t.builtin != "" {
		if ch, ok := closed(instr); ok {
			a.closes(ch, s)
		}
		if t.builtin == "append" {
			args := instr.Common().Args
			for _, arg := range args[1:] {
				a.put(s, a.names.Ref(arg), a.names.Ref(args[0]).Path)
			}
		}
		return
	}
	if op, _ := a.lockOp(t); !op.IsZero() {
		a.lock(instr, t, op, s)
		return
	}
	for _, r := range a.freshResults(t) {
		a.renew(s, r)
	}
	switch {
	case t.effect != nil:
		a.rec.edge(a, Edge{Callee: t.key, Pos: posOf(instr), Params: t.params, Free: t.free}, instr, s)
		a.apply(instr, t, s)
	case t.key != "":
		a.external(instr, t, s)
	case t.invoke != nil:
		a.giveAway(t.params, instr, s)
		a.rec.unknown("a call of the interface method " + t.invoke.Name())
		a.rec.mayCall(MethodType(t.invoke.Name()), s)
	default:
		a.value(instr, t, s)
	}
}

// freshResults returns what the callee makes and returns: each call makes another one.
func (a *analysis) freshResults(t target) []access.Root {
	if t.effect == nil {
		return nil
	}
	var out []access.Root
	for _, r := range t.effect.Results {
		if r.Fresh && r.Path.Root.Kind == access.Made {
			out = append(out, r.Path.Root)
		}
	}
	return out
}

func (a *analysis) lock(instr ssa.CallInstruction, t target, op model.LockOp, s *state) {
	ref := t.params[0]
	h := Held{Path: ref.Path, Class: ref.Var, Mode: Write, Indirect: isIndirect(t.recv)}
	if op.Read || isRLocker(t.recv) {
		h.Mode = Read
	}
	a.rec.acquires(op, h.Class, s)
	var alts []alternative
	for _, alt := range s.alts {
		switch {
		case op.Try:
			cond := resultCondition(instr.Value(), 0, 1, false)
			with := alt
			with.Held = with.Held.With(h)
			alts = merge(alts, with.assume(cond, true))
			alts = merge(alts, alt.assume(cond, false))
		case op.Acquire:
			alt.Held = alt.Held.With(h)
			alt.Maybe = dropPath(alt.Maybe, h.Path)
			alts = merge(alts, alt)
		default:
			if _, mine := alt.Held.Find(h.Path); mine {
				alt.Held = alt.Held.Without(h.Path)
			} else if n := len(alt.Maybe); n > 0 && len(dropPath(alt.Maybe, h.Path)) < n {
				alt.Maybe = dropPath(alt.Maybe, h.Path)
			} else {
				alt.Released = addPath(alt.Released, h.Path)
			}
			alts = merge(alts, alt)
		}
	}
	s.alts = alts
}

// isIndirect reports whether the lock v is reached through a pointer or an interface that is itself
// stored somewhere, so that two paths may lead to it.
func isIndirect(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.UnOp:
		switch v.X.(type) {
		case *ssa.FieldAddr, *ssa.Global:
			return true
		}
	case *ssa.Field, *ssa.Lookup, *ssa.Extract:
		return true
	case *ssa.MakeInterface:
		return isIndirect(v.X)
	}
	return false
}

func isRLocker(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Call:
		callee := v.Call.StaticCallee()
		return callee != nil && access.FuncKey(callee) == model.Locker
	case *ssa.UnOp:
		if alloc, ok := v.X.(*ssa.Alloc); ok {
			for _, ref := range *alloc.Referrers() {
				if st, ok := ref.(*ssa.Store); ok && st.Addr == alloc && isRLocker(st.Val) {
					return true
				}
			}
		}
	}
	return false
}

// apply applies the effect of a function of the program.
func (a *analysis) apply(instr ssa.CallInstruction, t target, s *state) {
	e := t.effect
	a.rec.inherit(e, t, s)
	for _, r := range e.Shares {
		if b := a.bound(r, t); b != nil {
			a.shareRef(s, *b)
		} else {
			a.share(s, r)
		}
	}
	for _, p := range e.Into {
		from, to := a.bound(p[0], t), a.bound(p[1], t)
		switch {
		case from != nil && to != nil:
			a.put(s, *from, to.Path)
		case from != nil:
			a.put(s, *from, access.Path{Root: p[1]})
		case to != nil:
			a.put(s, access.Ref{Path: access.Path{Root: p[0]}}, to.Path)
		}
	}
	for _, inv := range e.Invokes {
		a.invoke(instr, inv, t, s)
	}
	for _, w := range e.Waits {
		a.wait(access.SubstPath(w, t.params, t.free), s)
	}
	for _, st := range e.Starts {
		s.after = addStarted(s.after, Started{st.Site, access.SubstPath(st.Done, t.params, t.free)})
	}
	if len(e.Outcomes) == 0 {
		return
	}
	var alts []alternative
	for _, alt := range s.alts {
		for _, o := range e.Outcomes {
			next := alt
			at := Point{Held: o.Acquired, Released: o.Released, Maybe: o.Maybe}.Under(alt.Point, t.params, t.free)
			next.Point = at
			if o.When != nil && instr.Value() != nil {
				c := resultCondition(instr.Value(), o.When.Result, instr.Common().Signature().Results().Len(), o.When.Nil)
				if known, ok := next.known(c); ok && known != o.When.Is {
					continue
				}
				next = next.assume(c, o.When.Is)
			}
			alts = merge(alts, next)
		}
	}
	s.alts = alts
}

func (a *analysis) bound(r access.Root, t target) *access.Ref {
	switch {
	case r.Kind == access.Param && r.Index < len(t.params):
		return &t.params[r.Index]
	case r.Kind == access.Free && r.Index < len(t.free):
		return &t.free[r.Index]
	}
	return nil
}

// invoke handles that the callee t runs a function that it was given.
func (a *analysis) invoke(instr ssa.CallInstruction, inv Invoke, t target, s *state) {
	ref := access.Ref{Path: inv.Func}.Subst(t.params, t.free)
	params := access.SubstAll(inv.Params, t.params, t.free)
	if ref.Func == nil {
		for _, p := range s.points() {
			next := inv
			next.Func, next.Params = ref.Path, params
			next.At = inv.At.Under(p, t.params, t.free)
			next.After = union(inv.After, sites(s.after))
			a.rec.invoke(next)
		}
		return
	}
	ct := a.funcTarget(ref.Func, params)
	if ct.effect == nil {
		return
	}
	if inv.Start != "" || inv.Stored {
		a.shareRef(s, ref)
	}
	if a.rec != nil {
		for _, p := range s.points() {
			e := Edge{Callee: ct.key, Pos: posOf(instr), At: inv.At.Under(p, t.params, t.free), Params: ct.params, Free: ct.free,
				After: union(inv.After, sites(s.after)), Start: inv.Start, Site: inv.Site, Many: inv.Many, Stored: inv.Stored}
			a.rec.edgeAt(a, e, instr, s)
		}
	}
	if inv.Start == "" && !inv.Stored {
		a.calledBack(ct, s)
	}
}

// calledBack applies what a function that runs during a call leaves behind, except for locks: those
// it takes it is assumed to give back.
func (a *analysis) calledBack(t target, s *state) {
	for _, r := range t.effect.Shares {
		if b := a.bound(r, t); b != nil {
			a.shareRef(s, *b)
		}
	}
	for _, st := range t.effect.Starts {
		s.after = addStarted(s.after, Started{st.Site, access.SubstPath(st.Done, t.params, t.free)})
	}
	a.rec.inherit(t.effect, t, s)
}

// value handles a call of a function value that is not known here: it may be the caller's.
func (a *analysis) value(instr ssa.CallInstruction, t target, s *state) {
	if k := t.value.Root.Kind; k == access.Param || k == access.Free {
		for _, p := range s.points() {
			a.rec.invoke(Invoke{Func: t.value, At: p, After: sites(s.after), Params: t.params})
		}
	} else {
		a.rec.mayCall(Outside, s)
	}
	a.giveAway(t.params, instr, s)
	a.rec.dynamic(access.FuncType(instr.Common().Value.Type()), s)
}

// external handles a call of a function that the program has no body of.
func (a *analysis) external(instr ssa.CallInstruction, t target, s *state) {
	arg, how := model.Starts(t.key)
	for i, p := range t.params {
		switch {
		case i == arg:
			a.start(instr, p, how, t, s)
		case p.Func == nil && !a.isFunc(p):
		case model.Synchronous(t.key):
			a.synchronous(instr, p, t, s)
		default:
			a.giveAway([]access.Ref{p}, instr, s)
		}
	}
	if arg < 0 && !model.Synchronous(t.key) {
		for i, v := range instr.Common().Args {
			if isFuncType(v.Type()) && i < len(t.params) && t.params[i].Func == nil {
				a.giveAway(t.params[i:i+1], instr, s)
			}
		}
	}
	switch {
	case model.Joins(t.key):
		a.rec.waits(t.params[0].Path)
		a.wait(t.params[0].Path, s)
	case t.key == model.Done:
		a.rec.done(t.params[0].Path)
	case model.Serves(t.key):
		s.after = addStarted(s.after, Started{Site: ServeSite})
	case t.key == model.Once:
		for i := range s.alts {
			s.alts = slices.Clone(s.alts)
			s.alts[i].Held = s.alts[i].Held.With(Held{Path: t.params[0].Path, Class: t.params[0].Var, Mode: Read, Once: true})
		}
	}
	if a.rec != nil {
		methods := looksInto(instr.Common())
		a.rec.external(t.key, methods)
		if methods {
			a.rec.mayCall(AnyMethod, s)
		}
	}
}

// looksInto reports whether the callee may call methods of what it is given as an interface.
func looksInto(c *ssa.CallCommon) bool {
	var args []ssa.Value
	for _, arg := range c.Args {
		if slice, ok := arg.(*ssa.Slice); ok {
			args = append(args, packed(slice)...)
		}
		args = append(args, arg)
	}
	for _, arg := range args {
		if !types.IsInterface(arg.Type()) {
			continue
		}
		if k, ok := arg.(*ssa.Const); ok && k.IsNil() {
			continue
		}
		if mi, ok := arg.(*ssa.MakeInterface); !ok || !access.IsPlain(mi.X.Type()) {
			return true
		}
	}
	return false
}

// packed returns the values that go/ssa put in the array behind slice for a variadic call.
func packed(slice *ssa.Slice) []ssa.Value {
	array, ok := slice.X.(*ssa.Alloc)
	if !ok {
		return nil
	}
	var out []ssa.Value
	for _, ref := range *array.Referrers() {
		elem, ok := ref.(*ssa.IndexAddr)
		if !ok {
			continue
		}
		for _, ref := range *elem.Referrers() {
			if st, ok := ref.(*ssa.Store); ok && st.Addr == elem {
				out = append(out, st.Val)
			}
		}
	}
	return out
}

// ServeSite is the start of every handler that was registered before a server began to serve.
const ServeSite = "serve"

func isFuncType(t types.Type) bool {
	_, ok := t.Underlying().(*types.Signature)
	return ok
}

// isFunc reports whether r may be a function the caller provides.
func (a *analysis) isFunc(r access.Ref) bool {
	k := r.Path.Root.Kind
	if k == access.Param && r.Path.Sel == "" && r.Path.Root.Index < len(a.fn.Params) {
		return isFuncType(a.fn.Params[r.Path.Root.Index].Type())
	}
	return false
}

// synchronous handles that an external function runs f before it returns.
func (a *analysis) synchronous(instr ssa.CallInstruction, f access.Ref, t target, s *state) {
	at := func(p Point) Point {
		if t.key == model.Once {
			p.Held = p.Held.With(Held{Path: t.params[0].Path, Class: t.params[0].Var, Mode: Write, Once: true})
		}
		return p
	}
	if f.Func == nil {
		for _, p := range s.points() {
			a.rec.invoke(Invoke{Func: f.Path, At: at(p), After: sites(s.after)})
		}
		return
	}
	ct := a.funcTarget(f.Func, nil)
	if ct.effect == nil {
		return
	}
	if a.rec != nil {
		for _, p := range s.points() {
			a.rec.edgeAt(a, Edge{Callee: ct.key, Pos: posOf(instr), At: at(p), Params: ct.params, Free: ct.free, After: sites(s.after)}, instr, s)
		}
	}
	a.calledBack(ct, s)
}

// goes handles a go statement.
func (a *analysis) goes(instr *ssa.Go, s *state) {
	t := a.target(instr)
	for _, p := range t.params {
		a.shareRef(s, p)
	}
	for _, f := range t.free {
		a.share(s, f.Path.Root)
	}
	site := a.site(instr)
	many := inLoop(instr.Block(), nil)
	switch {
	case t.effect != nil:
		a.begin(s, site, t)
		a.rec.edge(a, Edge{Callee: t.key, Pos: instr.Pos(), Params: t.params, Free: t.free, Start: model.Go, Site: site, Many: many}, instr, s)
		for _, inv := range t.effect.Invokes { // go run(f), with run calling f
			if inv.Start == "" {
				inv.Start, inv.Site, inv.Many = model.Go, site, many
			}
			a.invoke(instr, inv, t, s)
		}
	case t.key != "":
		if model.Serves(t.key) {
			s.after = addStarted(s.after, Started{Site: ServeSite})
		}
		a.external(instr, t, s)
	case t.invoke != nil:
		s.after = addStarted(s.after, Started{Site: site})
		a.giveAway(t.params, instr, s)
	case t.builtin == "":
		if k := t.value.Root.Kind; k == access.Param || k == access.Free {
			a.rec.invoke(Invoke{Func: t.value, Start: model.Go, Site: site, Many: many, After: sites(s.after), Params: t.params})
		}
		a.share(s, t.value.Root)
		s.after = addStarted(s.after, Started{Site: site})
	}
}

// begin notes that a goroutine running t was started at site.
func (a *analysis) begin(s *state, site string, t target) {
	if t.effect == nil {
		s.after = addStarted(s.after, Started{Site: site})
		return
	}
	var done access.Path
	for _, d := range t.effect.Dones {
		done = access.SubstPath(d, t.params, t.free)
	}
	s.after = addStarted(s.after, Started{site, done})
	for _, st := range t.effect.Starts {
		s.after = addStarted(s.after, Started{st.Site, access.SubstPath(st.Done, t.params, t.free)})
	}
}

// start handles that an external function runs f concurrently.
func (a *analysis) start(instr ssa.CallInstruction, f access.Ref, how model.Start, t target, s *state) {
	a.shareRef(s, f)
	site := a.site(instr)
	if how == model.Handler {
		site = ServeSite
	}
	many := how.Many() || inLoop(instr.Block(), nil)
	if f.Func == nil {
		a.rec.invoke(Invoke{Func: f.Path, Start: how, Site: site, Many: many, After: sites(s.after)})
		if how != model.Handler {
			s.after = addStarted(s.after, Started{Site: site, Done: t.params[0].Path})
		}
		return
	}
	ct := a.funcTarget(f.Func, nil)
	if how != model.Handler {
		a.begin(s, site, ct)
		if how == model.Go { // a group: waiting for it waits for this
			s.after = addStarted(slices.DeleteFunc(slices.Clone(s.after), func(x Started) bool { return x.Site == site }), Started{site, t.params[0].Path})
		}
	}
	if ct.effect != nil {
		a.rec.edge(a, Edge{Callee: ct.key, Pos: posOf(instr), Params: ct.params, Free: ct.free, Start: how, Site: site, Many: many}, instr, s)
	}
}

// giveAway handles function values that end where we cannot follow them: they may run at any time.
func (a *analysis) giveAway(refs []access.Ref, instr ssa.Instruction, s *state) {
	for _, f := range refs {
		if f.Func == nil {
			if a.isFunc(f) {
				a.rec.invoke(Invoke{Func: f.Path, Stored: true})
			}
			continue
		}
		ct := a.funcTarget(f.Func, nil)
		if ct.effect != nil && ct.effect.Yield {
			a.rec.edge(a, Edge{Callee: ct.key, Pos: posOf(instr), Free: ct.free}, instr, s)
			a.calledBack(ct, s)
			continue
		}
		a.shareRef(s, f)
		if ct.effect != nil && a.rec != nil {
			e := Edge{Callee: ct.key, Pos: posOf(instr), Params: ct.params, Free: ct.free, Stored: true, Type: f.Func.Type, After: sites(s.after)}
			if a.rec.handler(f.Func.Key) {
				e.Start, e.Site, e.Many, e.Stored = model.Handler, ServeSite, true, false
			}
			a.rec.edgeAt(a, e, instr, s)
		}
	}
}

// wait removes the goroutines that end before a wait for the group at p returns.
func (a *analysis) wait(p access.Path, s *state) {
	if p.Known() {
		s.after = slices.DeleteFunc(slices.Clone(s.after), func(x Started) bool { return x.Done == p })
	}
}

func (a *analysis) site(instr ssa.Instruction) string { return a.position(posOf(instr)) }

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
