package lockset

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file is the transfer function of joins: what starts a goroutine that is told of, and what waits
// for that. All of it is certain: a wait on some ways only is none, and what a goroutine does after it
// has told its end runs on.

// begin notes that a goroutine running t was started at site; more tells its end besides.
func (a *analysis) begin(s *state, site string, t target, more ...Signal) {
	st := Started{Site: site, Many: running(s.after, site)}
	for _, sig := range more {
		st.Ends = addSignal(st.Ends, sig)
	}
	if t.effect == nil {
		a.joins(st.Ends, s)
		s.after = addStarted(s.after, st)
		return
	}
	if t.effect.Pending {
		return // it tells its end, perhaps: the next round knows
	}
	for _, sig := range substSignals(t.effect.Ends, t.binding()) {
		st.Ends = addSignal(st.Ends, sig)
		if made := a.made(sig.Path.Root); made != nil && sig.By == Closed && !a.channels.sentOn(sig, made) {
			sig.By = Only
			st.Ends = addSignal(st.Ends, sig)
		}
	}
	for _, p := range bindPaths(t.effect.Sends, t.binding()) {
		if st.tells(p, Sent) {
			a.rec.sends(p)
		} else {
			a.maySend(p, s)
		}
	}
	for _, w := range substSignals(t.effect.Waits, t.binding()) {
		s.after = behind(s.after, w, st.Ends)
	}
	a.joins(st.Ends, s)
	s.after = addStarted(s.after, st)
	for _, inner := range t.effect.Starts {
		s.after = addStarted(s.after, inner.subst(t.binding()))
	}
}

// waits notes that the function was told w.
func (a *analysis) waits(w Signal, s *state) {
	if w.By == Sent && !a.channels.sentOn(w, a.made(w.Path.Root)) {
		w.By = Closed // nothing is sent: what was received is that it is closed
	}
	s.waited = addSignal(s.waited, w)
	a.waitedFor(w, s)
	switch {
	case w.By != Sent:
		s.end(func(st Started) bool { return st.tells(w.Path, w.By) })
	case slices.ContainsFunc(s.after, func(st Started) bool { return st.tells(w.Path, Only) }):
		s.end(func(st Started) bool { return st.tells(w.Path, Only) })
	case a.counts(w.Path, s):
		s.receive(w.Path, 1)
	}
}

// receive notes that n values were received from the channel at p: when those are as many as there are
// goroutines that send one, all of them have sent.
func (s *state) receive(p access.Path, n int) {
	least, places := 0, make(map[string]bool)
	for _, st := range s.after {
		if !st.tells(p, Sent) {
			continue
		}
		if st.Many {
			return
		}
		if least = min(least, st.Got); len(places) == 0 {
			least = st.Got
		}
		places[st.Site] = true
	}
	if n += least; n >= len(places) {
		s.endSenders(p)
		return
	}
	var after []Started
	for _, st := range s.after {
		if st.tells(p, Sent) {
			st.Got = n
		}
		after = addStarted(after, st)
	}
	s.after = after
}

// endSenders notes that all have ended that send a value on the channel at p.
func (s *state) endSenders(p access.Path) {
	s.end(func(st Started) bool { return st.tells(p, Sent) || st.tells(p, Behind) }, p)
}

// end notes that the goroutines have ended of which over says so. A value that one of them sent, other
// than on those of received, may be received later in the place of another's.
func (s *state) end(over func(Started) bool, received ...access.Path) {
	var after []Started
	for _, st := range s.after {
		if !over(st) {
			after = append(after, st)
			continue
		}
		for _, e := range st.Ends {
			if e.By == Sent && !slices.Contains(received, e.Path) {
				s.senders = addPath(s.senders, e.Path)
			}
		}
	}
	s.after = after
}

// counts reports whether the values received from p are those that the goroutines of s send at their
// ends, and no others.
func (a *analysis) counts(p access.Path, s *state) bool {
	ch := a.made(p.Root)
	return p.Sel == "" && ch != nil && !a.channels.life(ch).escapes && !hasPath(s.sent, p) && !hasPath(s.senders, p)
}

// made returns the making of the channel that root stands for, or nil when it was not made here.
func (a *analysis) made(root access.Root) *ssa.MakeChan {
	if root.Kind != access.Made {
		return nil
	}
	ch, _ := a.names.Made(root).(*ssa.MakeChan)
	return ch
}

// sends notes that the function sends on the channel at p: the first time, that may be how it tells its end.
func (a *analysis) sends(ref access.Ref, s *state) {
	a.rec.sends(ref.Path)
	s.tells = nil
	if hasPath(s.sent, ref.Path) {
		s.senders = addPath(s.senders, ref.Path)
		return
	}
	s.sent = addPath(s.sent, ref.Path)
	s.tells = addSignal(s.tells, Signal{ref.Path, ref.Var, Sent})
}

// maySend notes that a value may be sent on the channel at p that tells no end.
func (a *analysis) maySend(p access.Path, s *state) {
	a.rec.sends(p)
	s.senders = addPath(s.senders, p)
}

// madeClosure notes that a closure may send, if it is not called or started at once: what it sends is
// then seen there.
func (a *analysis) madeClosure(mc *ssa.MakeClosure, s *state) {
	r := a.names.Ref(mc)
	if r.Func == nil || a.onlyRun(mc) {
		return
	}
	t := a.funcTarget(r.Func, nil)
	if t.effect == nil {
		return
	}
	for _, p := range bindPaths(t.effect.Sends, t.binding()) {
		a.maySend(p, s)
	}
}

// onlyRun reports whether all that becomes of the closure mc is that it is called, deferred or started here.
func (a *analysis) onlyRun(mc *ssa.MakeClosure) bool {
	for _, instr := range *mc.Referrers() {
		switch instr := instr.(type) {
		case *ssa.DebugRef:
		case ssa.CallInstruction:
			if instr.Common().Value == mc {
				continue
			}
			callee := instr.Common().StaticCallee()
			if callee == nil {
				return false
			}
			key := access.FuncKey(callee)
			if _, starts := a.library.Starts(key); !starts && !a.library.Synchronous(key) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// assigned notes that the channel or wait group at a place may be another from now on.
func (a *analysis) assigned(st *ssa.Store, s *state) {
	if _, local := st.Addr.(*ssa.Alloc); local {
		return
	}
	if to := a.names.Ref(st.Addr).Path; to.Sel != "" {
		s.forget(func(p access.Path) bool { return p == to || to.Above(p) })
	}
}

// touches reports whether instr, other than a call, may be the use of a map or lead to one.
func touches(instr ssa.Instruction) bool {
	switch instr := instr.(type) {
	case *ssa.MapUpdate, *ssa.Range, *ssa.Next:
		return true
	case *ssa.Lookup:
		return holdsMap(instr.X.Type())
	case *ssa.UnOp:
		return instr.Op == token.MUL && holdsMap(instr.Type())
	case *ssa.Field:
		return holdsMap(instr.Type())
	case *ssa.Store:
		return holdsMap(instr.Val.Type())
	}
	return false
}

// holdsMap reports whether a value of type t is or has a map, other than behind a pointer.
func holdsMap(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Map:
		return true
	case *types.Struct:
		for f := range t.Fields() {
			if holdsMap(f.Type()) {
				return true
			}
		}
	case *types.Array:
		return holdsMap(t.Elem())
	}
	return false
}

// ends returns what a function certainly told at its end, when it returns at s.
func (s *state) ends() []Signal {
	return slices.DeleteFunc(slices.Clone(s.tells), func(sig Signal) bool {
		return sig.By == Sent && hasPath(s.senders, sig.Path)
	})
}

// another notes that what root stands for is about to be made again: nobody can wait any more for what
// would tell of the one before.
func (s *state) another(root access.Root) {
	gone := func(p access.Path) bool { return p.Root == root }
	s.forget(gone)
	drop := func(ps []access.Path) []access.Path {
		if slices.ContainsFunc(ps, gone) {
			ps = slices.DeleteFunc(slices.Clone(ps), gone)
		}
		return ps
	}
	s.sent, s.senders = drop(s.sent), drop(s.senders)
}

// forget makes it unknown what the places hold of which gone says so.
func (s *state) forget(gone func(access.Path) bool) {
	about := func(sig Signal) bool { return gone(sig.Path) }
	if slices.ContainsFunc(s.after, func(st Started) bool { return slices.ContainsFunc(st.Ends, about) }) {
		var after []Started
		for _, st := range s.after {
			st.Ends = slices.DeleteFunc(slices.Clone(st.Ends), about)
			after = addStarted(after, st)
		}
		s.after = after
	}
	if slices.ContainsFunc(s.waited, about) {
		s.waited = slices.DeleteFunc(slices.Clone(s.waited), about)
	}
	if slices.ContainsFunc(s.tells, about) {
		s.tells = slices.DeleteFunc(slices.Clone(s.tells), about)
	}
}

func hasPath(ps []access.Path, p access.Path) bool {
	_, ok := slices.BinarySearchFunc(ps, p, comparePaths)
	return ok
}
