package lockset

import (
	"go/token"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file knows that a context which is done has an error:
//
//	select {
//	case s.sema <- struct{}{}:
//		return nil
//	case <-ctx.Done():
//		return ctx.Err()
//	}

// isErrOfDone reports whether call asks for the error of a context, after it was seen to be done.
func isErrOfDone(call *ssa.Call) bool {
	ctx := contextOf(call, model.ContextErr)
	if ctx == nil {
		return false
	}
	return slices.ContainsFunc(call.Parent().Blocks, func(b *ssa.BasicBlock) bool {
		return slices.ContainsFunc(b.Instrs, func(instr ssa.Instruction) bool {
			switch instr := instr.(type) {
			case *ssa.UnOp:
				return instr.Op == token.ARROW && isDone(instr.X, ctx) && access.ComesBefore(instr, call)
			case *ssa.If:
				st := selected(instr, 0)
				return st != nil && isDone(st.Chan, ctx) && b.Succs[0].Dominates(call.Block()) && len(b.Succs[0].Preds) == 1
			}
			return false
		})
	})
}

// isDone reports whether ch is the channel that tells that ctx is done.
func isDone(ch, ctx ssa.Value) bool {
	call, ok := ch.(*ssa.Call)
	return ok && contextOf(call, model.ContextDone) == ctx
}

// contextOf returns the context that call calls the method key of, or passes to a function that is like it; nil when it
// does nothing of that kind.
func contextOf(call *ssa.Call, key func(string) bool) ssa.Value {
	switch fn := call.Call.StaticCallee(); {
	case call.Call.IsInvoke() && key(access.ObjectKey(call.Call.Method)):
		return call.Call.Value
	case fn != nil && len(call.Call.Args) == 1 && key(access.FuncKey(fn)):
		return call.Call.Args[0]
	}
	return nil
}
