package lockset

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file notices a channel that is used as a lock: one operation takes a token, the other puts it back.
//
//	<-s.sema
//	defer func() { s.sema <- struct{}{} }()
//
// How many tokens there are is not known, so that it may be held, and no more. Of a channel that is made where
// it is seen, that is known: with more than one, it only limits how many goroutines run at a time.

// token notes an operation on ch, the first or the second of a pair.
func (a *analysis) token(ch ssa.Value, s *state) {
	if !a.isSemaphore(ch) {
		return
	}
	p := a.names.Ref(ch).Path
	a.each(s, func(alt *alternative) {
		if hasPath(alt.Maybe, p) {
			alt.Maybe = dropPath(alt.Maybe, p)
		} else {
			alt.Maybe = addPath(alt.Maybe, p)
		}
	})
}

// isSemaphore reports whether the function, with its closures, both sends on ch and receives from it
// what says nothing.
func (a *analysis) isSemaphore(ch ssa.Value) bool {
	t, ok := ch.Type().Underlying().(*types.Chan)
	if !ok || !access.PointsNowhere(t.Elem()) {
		return false
	}
	if st, ok := t.Elem().Underlying().(*types.Struct); !ok || st.NumFields() > 0 {
		return false
	}
	made, class := origin(ch)
	if made == nil && class.IsZero() || made != nil && !isInt(made.Size, 1) {
		return false
	}
	var sends, receives bool
	for _, fn := range append([]*ssa.Function{a.fn}, a.fn.AnonFuncs...) {
		s, r := operations(fn, func(v ssa.Value) bool { m, c := origin(v); return m == made && c == class })
		sends, receives = sends || s, receives || r
	}
	return sends && receives
}

// operations reports whether fn sends on, and receives from, a channel of which is says so.
func operations(fn *ssa.Function, is func(ssa.Value) bool) (sends, receives bool) {
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			switch instr := instr.(type) {
			case *ssa.Send:
				sends = sends || is(instr.Chan)
			case *ssa.UnOp:
				receives = receives || instr.Op == token.ARROW && is(instr.X)
			case *ssa.Select:
				for _, st := range instr.States {
					sends = sends || st.Dir == types.SendOnly && is(st.Chan)
					receives = receives || st.Dir == types.RecvOnly && is(st.Chan)
				}
			}
		}
	}
	return sends, receives
}
