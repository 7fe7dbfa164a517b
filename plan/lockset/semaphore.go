package lockset

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file notices a channel that is used as a lock: one operation takes a token, the other puts it back.
//
//	<-s.sema
//	defer func() { s.sema <- struct{}{} }()
//
// Where the package shows that it is one, see token.go, that is what it is. Otherwise it may be held, and no more: how many
// tokens there are is not known. Of a channel that is made where it is seen, that is known: with more than one, it only
// limits how many goroutines run at a time.

// token notes that instr does something to ch, a send or a receive, which may be the first or the second of a pair.
func (a *analysis) token(instr ssa.Instruction, ch ssa.Value, sends bool, s *state) {
	if ref := a.names.Ref(ch); a.isToken(ref.Var) {
		op := model.LockOp{Acquire: true}
		if a.tokens.locks[ref.Var] == sends {
			op = model.LockOp{Release: true}
		}
		a.changesLock(instr, op, Held{Path: ref.Path, Class: ref.Var, Mode: Write}, condition{}, s)
		return
	}
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

func (a *analysis) isToken(class access.Var) bool {
	_, ok := a.tokens.locks[class]
	return ok
}

// swaps handles that call takes a lock that is a variable which is changed atomically, or gives it back, if it does.
func (a *analysis) swaps(call ssa.CallInstruction, t target, s *state) {
	atomic := model.Atomic(t.key)
	if atomic == 0 || atomic == model.AtomicLoad || !a.isToken(t.params[0].Var) {
		return
	}
	op := model.LockOp{Release: true}
	var took condition
	if atomic == model.AtomicSwap {
		if call.Value() == nil {
			return
		}
		op, took = model.LockOp{Acquire: true, Try: true}, resultCondition(call.Value(), 0, 1, false)
	}
	a.changesLock(call, op, Held{Path: t.params[0].Path, Class: t.params[0].Var, Mode: Write}, took, s)
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
