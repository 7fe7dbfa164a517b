package lockset

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file is the transfer function of calls that leave the program: the model says whether the callee
// runs the functions it is given, and when; any others may run at any time.

// external handles a call of a function that the program has no body of.
func (a *analysis) external(instr ssa.CallInstruction, t target, s *state) {
	if t.key != model.Done && !givesNothing(instr.Common()) {
		s.tells = nil
	}
	if t.key == model.Once {
		a.rec.runsOnce(t.params[0], s)
	}
	if how, ok := model.Looks(t.key); ok && how.Format == 0 {
		for _, arg := range instr.Common().Args {
			a.rec.looks(arg, t.key)
		}
	}
	a.arguments(instr, t, s)
	a.leaves(instr, t, s)
	a.serves(instr, t, s)
	_, apart := instr.(*ssa.Go)
	switch {
	case apart: // it waits, and tells, when it likes
	case model.Joins(t.key):
		a.rec.awaits("a wait for a group of goroutines", s)
		a.waits(Signal{t.params[0].Path, t.params[0].Var, Group}, s)
	case t.key == model.CondWait: // the lock is given back meanwhile
		a.each(s, func(alt *alternative) { *alt = a.afterWait(*alt, instr.Block()) })
	case t.key == model.Done:
		s.tells = addSignal(s.tells, Signal{t.params[0].Path, t.params[0].Var, Group})
	case model.Stops(t.key):
		a.rec.awaits("a wait for handlers", s)
		a.waits(Signal{t.params[0].Path, t.params[0].Var, Stopped}, s)
	case t.key == model.Once:
		for i := range s.alts {
			s.alts = slices.Clone(s.alts)
			s.alts[i].Held = s.alts[i].Held.With(Held{Path: t.params[0].Path, Class: t.params[0].Var, Mode: Read, Once: true})
		}
	}
	if a.rec != nil {
		methods := looksInto(instr.Common()) && !model.Incurious(t.key)
		a.rec.external(t.key, methods)
		if model.Watches(t.key) && a.rec.loops[instr.Block().Index] {
			a.rec.spinning(posOf(instr), "a loop with an atomic operation", s)
		}
		a.rec.callsBack(instr.Common(), t.key, methods, s)
	}
}

// arguments handles the functions that t, which the program has no body of, is given.
func (a *analysis) arguments(instr ssa.CallInstruction, t target, s *state) {
	arg, starts := a.library.Starts(t.key)
	for i, p := range t.params {
		switch {
		case starts && i == arg.Arg:
			a.start(instr, p, arg.Runs, t, s)
		case a.isKeptOnce(instr):
			a.keepOnce(p, instr, s)
		case p.Func == nil && !a.isFunc(p):
		case a.library.Synchronous(t.key):
			a.synchronous(instr, p, t, s)
			if c := instr.Common(); p.Func == nil {
				a.rec.mayCall(a.valueOf(c.Args[i+len(c.Args)-len(t.params)]), s)
			}
		default:
			a.giveAway([]access.Ref{p}, instr, s)
		}
	}
	if !starts && !a.library.Synchronous(t.key) {
		for i, v := range instr.Common().Args {
			i += len(t.params) - len(instr.Common().Args) // the receiver of a method of an interface is none of Args
			if isFuncType(v.Type()) && i < len(t.params) && t.params[i].Func == nil {
				a.giveAway(t.params[i:i+1], instr, s)
			}
		}
	}
}

// configured handles a call of t, of which a configuration says when it runs the functions it is given: what its
// body seems to do with them does not count.
func (a *analysis) configured(instr ssa.CallInstruction, t *target, s *state) {
	a.arguments(instr, *t, s)
	a.serves(instr, *t, s)
	e := *t.effect
	e.Invokes = nil
	t.effect = &e
}

// around returns the point at which t, an external function that is called at p, calls the functions it is given.
func (t *target) around(p Point) Point {
	if t.key == model.Once {
		p.Held = p.Held.With(Held{Path: t.params[0].Path, Class: t.params[0].Var, Mode: Write, Once: true})
	}
	return p
}

// synchronous handles that an external function runs f before it returns.
func (a *analysis) synchronous(instr ssa.CallInstruction, f access.Ref, t target, s *state) {
	if f.Func == nil {
		for _, p := range s.points() {
			a.rec.invoke(Invoke{Func: f.Path, At: t.around(p), Loop: t.key != model.Once || a.rec.loop(instr), After: sites(s.after)})
		}
		return
	}
	ct := a.funcTarget(f.Func, nil)
	if ct.effect == nil {
		return
	}
	loop := t.key != model.Once
	if loop { // so it stands each time but the first
		a.calledBack(ct, s)
	}
	if a.rec != nil {
		for _, p := range s.points() {
			a.rec.edgeAt(a, Edge{Callee: ct.key, Pos: posOf(instr), Loop: loop, At: t.around(p), Params: ct.params, Free: ct.free, After: sites(s.after), Outlive: ct.effect.Running()}, instr, s)
		}
	}
	if !loop {
		a.calledBack(ct, s)
	}
	around := s.alts
	a.each(s, func(alt *alternative) { alt.Point = t.around(alt.Point) })
	for _, inv := range ct.effect.Invokes { // what f captured
		inv.Loop = inv.Loop || loop
		a.invoke(instr, inv, ct, s)
	}
	s.alts = around
}

// giveAway handles function values that end where we cannot follow them: they may run at any time, or at once, with the locks
// that are held now.
//
//	s.mu.Lock()
//	s.reports.Range(func(k string, r *Report) bool { s.m[k]++; return true })
func (a *analysis) giveAway(refs []access.Ref, instr ssa.Instruction, s *state) {
	var held []access.Path
	_, started := instr.(*ssa.Go)
	if !started {
		for _, p := range s.points() {
			held = addPaths(held, heldOrMaybe(p))
		}
	}
	a.keep(refs, keeping{once: !started, held: held}, instr, s)
}

// heldOrMaybe returns the locks that are, or may be, held at p.
func heldOrMaybe(p Point) []access.Path {
	out := p.Maybe
	for _, h := range p.Held {
		if !h.Once {
			out = addPath(out, h.Path)
		}
	}
	return out
}

// maxCaptured bounds how many functions are looked through that each captured the next one.
const maxCaptured = 4

// keeping is how functions are kept.
type keeping struct {
	owned bool          // in something owned, and not who knows where
	once  bool          // by code that is not known, which may call them at once
	held  []access.Path // locks that may be held then
	depth int           // how many functions are around them that captured them
}

// keep handles that the functions among refs are kept, as how says. So are those that they captured and keep or call.
func (a *analysis) keep(refs []access.Ref, how keeping, instr ssa.Instruction, s *state) {
	for _, f := range refs {
		if f.Func == nil {
			if a.isFunc(f) {
				a.rec.invoke(Invoke{Func: f.Path, At: Point{Maybe: how.held}, Stored: true, AtOnce: how.once, Owned: how.owned})
			}
			continue
		}
		ct := a.funcTarget(f.Func, nil)
		if ct.effect != nil && ct.effect.Yield {
			a.calledBack(ct, s) // so it stands each time but the first
			a.rec.edge(a, Edge{Callee: ct.key, Pos: posOf(instr), Free: ct.free, Loop: true}, instr, s)
			continue
		}
		if !how.owned {
			a.shareRef(s, f)
		}
		if ct.effect != nil && a.rec != nil {
			e := Edge{Callee: ct.key, Pos: posOf(instr), Params: ct.params, Free: ct.free, At: Point{Maybe: how.held}, Stored: true, After: sites(s.after)}
			if by := a.rec.serving(f.Func.Key); by != nil {
				e.Start, e.By, e.Site, e.Many, e.Stored = model.Handler, by.By, ServeSite, true, false
			}
			a.rec.edgeAt(a, e, instr, s)
		}
		if ct.effect != nil && how.depth < maxCaptured {
			for _, inv := range ct.effect.Invokes {
				if inv.Func.Root.Kind == access.Free {
					a.keep([]access.Ref{ct.binding().Ref(access.Ref{Path: inv.Func})}, keeping{once: how.once, held: how.held, depth: how.depth + 1}, instr, s)
				}
			}
		}
	}
}

func isFuncType(t types.Type) bool {
	_, ok := t.Underlying().(*types.Signature)
	return ok
}

// isFunc reports whether r may be a function that the caller provides, or the function around this one.
func (a *analysis) isFunc(r access.Ref) bool {
	if r.Path.Sel != "" {
		return false
	}
	switch i := r.Path.Root.Index; {
	case r.Path.Root.Kind == access.Param && i < len(a.fn.Params):
		return isFuncType(a.fn.Params[i].Type())
	case r.Path.Root.Kind == access.Free && i < len(a.fn.FreeVars):
		t := a.fn.FreeVars[i].Type()
		if p, ok := t.Underlying().(*types.Pointer); ok { // the variable that holds it
			t = p.Elem()
		}
		return isFuncType(t)
	}
	return false
}

// givesNothing reports whether nothing can be reached through the arguments of c.
func givesNothing(c *ssa.CallCommon) bool {
	for _, v := range given(c) {
		v = unboxed(v)
		if _, ok := v.(*ssa.Const); !ok && !access.PointsNowhere(v.Type()) {
			return false
		}
	}
	return true
}

// given returns the arguments of c, the variadic ones each.
func given(c *ssa.CallCommon) []ssa.Value {
	var args []ssa.Value
	for _, arg := range c.Args {
		if slice, ok := arg.(*ssa.Slice); ok {
			if each := access.Packed(slice); len(each) > 0 {
				args = append(args, each...)
				continue
			}
		}
		args = append(args, arg)
	}
	return args
}

// unboxed returns the value that v holds as an interface, or as another interface, as far as is seen.
func unboxed(v ssa.Value) ssa.Value {
	for {
		switch i := v.(type) {
		case *ssa.MakeInterface:
			v = i.X
		case *ssa.ChangeInterface:
			v = i.X
		default:
			return v
		}
	}
}

// looksInto reports whether the callee may call methods of what it is given as an interface.
func looksInto(c *ssa.CallCommon) bool {
	for _, arg := range given(c) {
		if !types.IsInterface(arg.Type()) {
			continue
		}
		if k, ok := arg.(*ssa.Const); ok && k.IsNil() {
			continue
		}
		if t := unboxed(arg).Type(); !access.IsPlain(t) && !model.Reports(typeName(t)) {
			return true
		}
	}
	return false
}
