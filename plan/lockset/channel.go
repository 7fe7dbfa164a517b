package lockset

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file orders what comes before the close of a channel and what comes after a receive from it:
//
//	go func() { s.m = load(); close(s.done) }()
//	<-s.done
//	use(s.m)
//
// It is told like a sync.Once: until it closes the channel, a function holds it for writing; whoever
// received from it holds it for reading. A receive from a channel that is also sent on tells less, see join.go.

// beforeClose returns the point at the start of the function: it holds the channels that it is going
// to close, once, wherever it goes.
func (a *analysis) beforeClose() Point {
	var p Point
	for _, b := range a.fn.Blocks {
		for _, instr := range b.Instrs {
			if ch, ok := closed(instr); ok && !InLoop(b, nil) && a.always(b) {
				if ref := a.names.Ref(ch); isOutside(ref.Path.Root) || ref.Path.Root.Kind == access.Made {
					p.Held = p.Held.With(Held{Path: ref.Path, Class: ref.Var, Mode: Write, Once: true})
				}
			}
		}
	}
	return p
}

// always reports whether whoever returns from the function has passed through b.
func (a *analysis) always(b *ssa.BasicBlock) bool {
	return !slices.ContainsFunc(a.fn.Blocks, func(ret *ssa.BasicBlock) bool {
		_, ok := ret.Instrs[len(ret.Instrs)-1].(*ssa.Return)
		return ok && ret != a.fn.Recover && !b.Dominates(ret)
	})
}

// closed returns the channel that instr closes, or will close when the function returns.
func closed(instr ssa.Instruction) (ssa.Value, bool) {
	call, ok := instr.(ssa.CallInstruction)
	if !ok {
		return nil, false
	}
	b, ok := call.Common().Value.(*ssa.Builtin)
	if !ok || b.Name() != "close" {
		return nil, false
	}
	return call.Common().Args[0], true
}

// closes ends the hold of a channel, and tells whoever receives from it.
func (a *analysis) closes(ch ssa.Value, s *state) {
	ref := a.names.Ref(ch)
	a.rec.over(ref.Path, s)
	a.each(s, func(alt *alternative) { alt.Held = alt.Held.Without(ref.Path) })
	s.tells = addSignal(s.tells, Signal{ref.Path, ref.Var, Closed})
}

// received notes a receive from a channel, at instr; isClosed says that it was seen to be closed.
func (a *analysis) received(instr ssa.Instruction, ch ssa.Value, isClosed bool, s *state) {
	ref := a.names.Ref(ch)
	w := Signal{ref.Path, ref.Var, Sent}
	if made, _ := origin(ch); isClosed || !a.channels.sentOn(w, made) {
		w.By = Closed
		a.each(s, func(alt *alternative) {
			alt.Held = alt.Held.With(Held{Path: ref.Path, Class: ref.Var, Mode: Read, Once: true})
		})
	}
	a.waits(w, s)
	if !isClosed {
		a.token(instr, ch, false, s)
	}
}

// told notes what going to successor number n of the block that ends in test tells: that a channel is
// closed, or that a value was received, or sent, in this case of a select.
//
//	for v := range ch { … }      // then ch is closed
//	select { case <-done: … }    // there, done is closed
func (a *analysis) told(test *ssa.If, n int, s *state) {
	switch cond := test.Cond.(type) {
	case *ssa.Extract:
		if recv, ok := cond.Tuple.(*ssa.UnOp); ok && recv.Op == token.ARROW && cond.Index == 1 && n == 1 {
			a.received(test, recv.X, true, s)
		}
	case *ssa.BinOp:
		switch st := selected(test, n); {
		case st == nil:
		case st.Dir == types.RecvOnly:
			a.received(test, st.Chan, false, s)
		default:
			a.token(test, st.Chan, true, s)
		}
	}
	a.drained(test, n, s)
}

// selected returns the case of a select that going to successor number n of the block that ends in test tells was taken;
// nil when it tells nothing of that kind.
func selected(test *ssa.If, n int) *ssa.SelectState {
	cond, ok := test.Cond.(*ssa.BinOp)
	if !ok || cond.Op != token.EQL || n != 0 {
		return nil
	}
	index, ok := cond.X.(*ssa.Extract)
	if !ok || index.Index != 0 {
		return nil
	}
	sel, ok := index.Tuple.(*ssa.Select)
	k, isConst := cond.Y.(*ssa.Const)
	if !ok || !isConst || k.Int64() < 0 || k.Int64() >= int64(len(sel.States)) {
		return nil
	}
	return sel.States[k.Int64()]
}

// each changes every alternative of s.
func (a *analysis) each(s *state, change func(*alternative)) {
	alts := slices.Clone(s.alts)
	s.alts = nil
	for _, alt := range alts {
		change(&alt)
		s.alts = merge(s.alts, alt)
	}
}
