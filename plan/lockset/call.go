package lockset

import (
	"fmt"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file is the transfer function of calls: what a call does to the locks, when the program has the
// body of what it calls.

// call applies the effect of a call to s. It also tells the recorder, if there is one, which
// functions of the program the call runs.
func (a *analysis) call(instr ssa.CallInstruction, s *state) {
	t := a.target(instr)
	if t.builtin != "" {
		if ch, ok := closed(instr); ok {
			a.closes(ch, s)
		} else if args := instr.Common().Args; len(args) > 0 && holdsMap(args[0].Type()) {
			s.tells = nil
		}
		switch t.builtin {
		case "append":
			a.appended(instr, s)
		case "copy":
			args := instr.Common().Args
			a.store(s, args[1], a.names.Ref(args[0]).Path)
		}
		return
	}
	if op, _ := a.lockOp(t); !op.IsZero() {
		a.lock(instr, t, op, s)
		return
	}
	if call, ok := instr.(*ssa.Call); ok {
		t.made = a.madeBy(call, t)
		for _, r := range t.made {
			a.renew(s, r.To)
			s.another(r.To)
		}
	}
	switch {
	case t.effect != nil:
		a.rec.edge(a, Edge{Callee: t.key, Pos: posOf(instr), Params: t.params, Free: t.free, Made: t.made}, instr, s)
		if a.library.Extended(t.key) {
			a.configured(instr, &t, s)
		}
		a.apply(instr, t, s)
		a.returnsParts(instr, s)
	case t.key != "":
		a.external(instr, t, s)
		a.setting(instr, s)
		a.swaps(instr, t, s)
		a.claims(instr, t, s)
		if call, ok := instr.(*ssa.Call); ok {
			a.looking(call, s)
		}
	case t.invoke != nil:
		s.tells = nil
		a.rec.dispatches(instr, t, Edge{}, s)
		t.key = access.ObjectKey(t.invoke)
		a.arguments(instr, t, s)
		a.serves(instr, t, s)
		if !model.Sealed(t.key) {
			a.rec.unknown("a call of the interface method " + t.invoke.Name())
		}
		a.rec.mayCall(MethodType(t.invoke.Name()), s)
		if a.isForeign(t.invoke) {
			a.rec.asked(instr.Common(), t.key, s)
		}
	default:
		s.tells = nil
		if ref, ok := a.once(instr.Common().Value); ok {
			a.runOnce(ref, s, func() { a.value(instr, t, s) })
			break
		}
		a.value(instr, t, s)
	}
}

// madeBy returns the names that the function has for what t, which call calls, makes and returns, or holds when it
// returns: a channel that it was told by.
func (a *analysis) madeBy(call *ssa.Call, t target) []access.Renamed {
	if t.effect != nil {
		for _, o := range t.effect.Outcomes {
			for _, h := range o.Acquired {
				if root := h.Path.Root; root.Kind == access.Made && root.Name != access.FuncKey(a.fn) {
					a.names.MakesToo(call, root)
				}
			}
		}
	}
	return a.names.MadeBy(call)
}

// apply applies the effect of a function of the program.
func (a *analysis) apply(instr ssa.CallInstruction, t target, s *state) {
	e := t.effect
	a.rec.inherit(e, a.passed(instr, t), s)
	a.rec.looksThrough(instr, e)
	for _, r := range e.Shares {
		public := slices.Contains(e.Shows, r)
		if b := a.bound(r, t); b != nil {
			a.showRef(s, *b, public)
		} else {
			a.show(s, r, public)
		}
	}
	for _, p := range e.Into {
		from := access.Ref{Path: t.binding().Path(access.Path{Root: p.From})}
		if b := a.bound(p.From, t); b != nil {
			from = *b
		}
		if args := instr.Common().Args; p.From.Kind == access.Param && p.From.Index < len(args) && len(args) == len(t.params) && isPointer(args[p.From.Index].Type()) {
			a.noteNamed(from, t.binding().Path(p.To))
		}
		a.put(s, from, t.binding().Path(p.To))
	}
	before := s.after
	for _, inv := range e.Invokes {
		a.invoke(instr, inv, t, s)
	}
	begun := slices.DeleteFunc(slices.Clone(s.after), func(st Started) bool {
		return slices.ContainsFunc(before, func(b Started) bool { return compareStarted(st, b) == 0 })
	})
	s.after = before
	for _, p := range bindPaths(e.Sends, t.binding()) {
		a.maySend(p, s)
	}
	for _, w := range substSignals(e.Waits, t.binding()) {
		a.waits(w, s)
	}
	for _, st := range e.Starts {
		st = st.subst(t.binding())
		if a.isOwnSite(st.Site) {
			st.Site = againSite(access.FuncKey(a.fn), st.Site)
		}
		begun = append(begun, st)
	}
	for _, st := range begun {
		a.joins(st.Ends, s)
		s.after = addStarted(s.after, st)
	}
	s.tells = substSignals(e.Ends, t.binding())
	if len(e.Outcomes) == 0 {
		return
	}
	copies := a.copies(slices.Concat(t.params, t.free), instr)
	lists := a.listsOf(instr)
	var alts []alternative
	for _, alt := range s.alts {
		for _, o := range e.Outcomes {
			next, ok := alt.allows(instr, o.If)
			if !ok {
				continue
			}
			at := Point{Held: o.Acquired, Released: o.Released, Maybe: o.Maybe}.Under(alt.Point, t.binding()).Settle(copies)
			next.Point = at.withElements(lists)
			for _, w := range o.When {
				if instr.Value() != nil {
					next = next.assume(resultCondition(instr.Value(), w.Result, instr.Common().Signature().Results().Len(), w.Nil), w.Is)
				}
			}
			alts = merge(alts, next)
		}
	}
	s.alts = alts
}

// passed returns what the callee of instr may call without a name, with the arguments for its parameters.
func (a *analysis) passed(instr ssa.CallInstruction, t target) []string {
	args := instr.Common().Args
	if a.rec == nil || len(args) != len(t.params) {
		return t.effect.Dynamic
	}
	var out []string
	for _, name := range t.effect.Dynamic {
		if p, _, ok := Value(name); ok {
			if key, i, ok := p.Param(); ok && key == t.key && i < len(args) && isFuncType(args[i].Type()) {
				name = a.valueOf(args[i])
			}
		}
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// returnsParts notes what is stored in what a call returned.
func (a *analysis) returnsParts(instr ssa.CallInstruction, s *state) {
	call, ok := instr.(*ssa.Call)
	if !ok {
		return
	}
	var put func(r access.Ref)
	put = func(r access.Ref) {
		for _, p := range r.Parts {
			a.put(s, p.Ref, r.Path.Join(p.Sel))
			put(p.Ref)
		}
	}
	for _, r := range a.names.Results(call) {
		put(r)
	}
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
	ref := t.binding().Ref(access.Ref{Path: inv.Func})
	if ref.Func == nil {
		if fs := a.listed(instr, inv, t); len(fs) > 0 {
			a.invokeEach(instr, inv, fs, t, s)
			return
		}
		params := t.binding().Refs(inv.Params)
		for _, p := range s.points() {
			next := inv
			next.Func, next.Params = ref.Path, params
			next.At = inv.under(p, t)
			next.After = union(inv.After, sites(s.after))
			next.Loop = inv.Loop || a.rec.loop(instr)
			a.rec.invoke(next)
		}
		return
	}
	a.invokes(instr, inv, listedFunc{ref: ref}, t, s)
}

// invokes handles that the callee t runs the function f. It returns the site at which that is started.
func (a *analysis) invokes(instr ssa.CallInstruction, inv Invoke, f listedFunc, t target, s *state) (site string) {
	ct := a.funcTarget(f.ref.Func, t.binding().Refs(inv.Params))
	if ct.effect == nil {
		return inv.Site
	}
	switch {
	case inv.Start.Runs():
		a.confide(s, ct)
	case inv.Start != "" || inv.Stored && !inv.Owned:
		a.shareRef(s, f.ref)
	}
	if inv.Start != "" && !inv.Start.Served() {
		a.startedAt(&inv, f.place, instr, t, s)
	}
	runs := inv.Start == "" && !inv.Stored
	if runs && inv.Loop { // so it stands each time but the first
		a.calledBack(ct, s)
	}
	if a.rec != nil {
		for _, p := range s.points() {
			e := Edge{Callee: ct.key, Pos: posOf(instr), At: inv.under(p, t), Params: ct.params, Free: ct.free,
				After: union(inv.After, sites(s.after)), Start: inv.Start, By: inv.By, Site: inv.Site, Many: inv.Many, Stored: inv.Stored, Within: inv.Within, Loop: inv.Loop, Each: a.madeWith(f, ct)}
			if inv.AtOnce {
				e.At.Maybe = heldOrMaybe(e.At)
			}
			if inv.Start == "" {
				e.Outlive = ct.effect.Running()
			}
			a.rec.edgeAt(a, e, instr, s)
		}
	}
	if runs && !inv.Loop {
		a.calledBack(ct, s)
	}
	return inv.Site
}

// under returns the locks around the call of inv when t is called at p. A goroutine does not hold what
// was held where it was started.
func (inv Invoke) under(p Point, t target) Point {
	if inv.Within {
		p = Point{}
	}
	return inv.At.Under(p, t.binding())
}

// startedAt makes inv, a goroutine that the callee starts, the one that the call instr leads to, if it still runs when the
// callee returns: each call starts another, and so does each place in a slice.
func (a *analysis) startedAt(inv *Invoke, place int, instr ssa.CallInstruction, t target, s *state) {
	i := slices.IndexFunc(t.effect.Starts, func(st Started) bool { return st.Site == inv.Site })
	switch {
	case place > 0:
		inv.Site += fmt.Sprintf(" #%d for %s", place, a.site(instr))
	case i >= 0:
		inv.Site += " for " + a.site(instr)
	}
	if i < 0 {
		return
	}
	inv.Many = inv.Many || running(s.after, inv.Site)
	st := t.effect.Starts[i].subst(t.binding())
	st.Site, st.Many = inv.Site, inv.Many
	s.after = addStarted(s.after, st)
}

// calledBack applies what a function that runs during a call leaves behind, except for locks: those
// it takes it is assumed to give back.
func (a *analysis) calledBack(t target, s *state) {
	for _, r := range t.effect.Shares {
		if b := a.bound(r, t); b != nil {
			a.showRef(s, *b, slices.Contains(t.effect.Shows, r))
		}
	}
	for _, st := range t.effect.Starts {
		s.after = addStarted(s.after, st.subst(t.binding()))
	}
	for _, p := range bindPaths(t.effect.Sends, t.binding()) {
		a.maySend(p, s)
	}
	a.rec.inherit(t.effect, t.effect.Dynamic, s)
}

// value handles a call of a function value that is not known here: it may be the caller's, or one of several.
func (a *analysis) value(instr ssa.CallInstruction, t target, s *state) {
	a.mayBe(access.Ref{Path: t.value}, instr, t, s)
	if phi, ok := instr.Common().Value.(*ssa.Phi); ok {
		for _, v := range choices(phi, make(map[ssa.Value]bool)) {
			a.mayBe(a.names.Ref(v), instr, t, s)
		}
	}
	a.rec.applies(Edge{Pos: posOf(instr), Params: t.params}, instr, s)
	a.giveAway(t.params, instr, s)
	a.rec.unknown("a call of a function value")
	a.rec.mayCall(a.valueOf(instr.Common().Value), s)
}

// mayBe notes that instr, a call of t, may call f.
func (a *analysis) mayBe(f access.Ref, instr ssa.CallInstruction, t target, s *state) {
	switch k := f.Path.Root.Kind; {
	case f.Func != nil:
		ct := a.funcTarget(f.Func, t.params)
		if ct.effect != nil {
			a.rec.edge(a, Edge{Callee: ct.key, Pos: posOf(instr), Params: ct.params, Free: ct.free}, instr, s)
			a.calledBack(ct, s)
		}
	case k == access.Param || k == access.Free:
		for _, p := range s.points() {
			a.rec.invoke(Invoke{Func: f.Path, At: p, Loop: a.rec.loop(instr), After: sites(s.after), Params: t.params})
		}
	}
}

// choices returns what v is one of: whatever is no choice itself. seen are the values that were looked at.
func choices(v ssa.Value, seen map[ssa.Value]bool) []ssa.Value {
	if seen[v] {
		return nil
	}
	seen[v] = true
	phi, ok := v.(*ssa.Phi)
	if !ok {
		return []ssa.Value{v}
	}
	var out []ssa.Value
	for _, e := range phi.Edges {
		out = append(out, choices(e, seen)...)
	}
	return out
}

// valueOf names the function values that v may be; it is empty when v is always nil.
func (a *analysis) valueOf(v ssa.Value) string {
	at := a.kept.Origin(v)
	if at == "" {
		return ""
	}
	t := AnyType
	if !access.IsGeneric(v.Type()) {
		t = access.FuncType(v.Type())
	}
	return ValueAt(at, t)
}
