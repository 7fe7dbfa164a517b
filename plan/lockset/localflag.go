package lockset

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// This file follows local flags, bools that stay variables because a closure looks at them:
//
//	locked := false
//	defer func() {
//		if locked {
//			s.mu.Unlock()
//		}
//	}()
//
// What one holds is assumed like what a condition was, with the variable in the place of the value. Only the function that
// declares a flag may set it; what runs while it does not stand still may see it change.

// asLocalFlag returns the local flag at addr, which in a closure is the captured variable; nil when there is none.
func (a *analysis) asLocalFlag(addr ssa.Value) ssa.Value {
	is, known := a.locals[addr]
	if !known {
		is = isLocalFlag(addr)
		a.locals[addr] = is
	}
	if !is {
		return nil
	}
	return addr
}

func isLocalFlag(addr ssa.Value) bool {
	switch v := addr.(type) {
	case *ssa.Alloc:
		return isBool(v.Type().Underlying().(*types.Pointer).Elem()) && onlySetHere(v)
	case *ssa.FreeVar:
		alloc, ok := captured(v).(*ssa.Alloc)
		return ok && isLocalFlag(alloc) && runsInTurn(v.Parent())
	}
	return false
}

// onlySetHere reports whether all that becomes of the variable v is that its function sets it and looks at it, and that
// closures look at it.
func onlySetHere(v *ssa.Alloc) bool {
	return !slices.ContainsFunc(*v.Referrers(), func(instr ssa.Instruction) bool {
		_, isStore := instr.(*ssa.Store)
		return !isStore && !onlyLooks(v, instr)
	})
}

// onlyLooks reports whether all that instr does with the variable at v is to look at it, or to make a closure that does
// no more.
func onlyLooks(v ssa.Value, instr ssa.Instruction) bool {
	switch instr := instr.(type) {
	case *ssa.DebugRef:
		return true
	case *ssa.UnOp:
		return instr.Op == token.MUL
	case *ssa.MakeClosure:
		fn := instr.Fn.(*ssa.Function)
		for i, b := range instr.Bindings {
			if b != v {
				continue
			}
			if i >= len(fn.FreeVars) || slices.ContainsFunc(*fn.FreeVars[i].Referrers(), func(instr ssa.Instruction) bool { return !onlyLooks(fn.FreeVars[i], instr) }) {
				return false
			}
		}
		return true
	}
	return false
}

// runsInTurn reports whether the closure fn, and each that it stands in up to a function with a name, is only called and
// deferred where it is made: the function that it stands in does not go on meanwhile.
func runsInTurn(fn *ssa.Function) bool {
	for ; fn.Parent() != nil; fn = fn.Parent() {
		for _, b := range fn.Parent().Blocks {
			for _, instr := range b.Instrs {
				if mc, ok := instr.(*ssa.MakeClosure); ok && mc.Fn == fn && slices.ContainsFunc(*mc.Referrers(), func(instr ssa.Instruction) bool { return !runsNow(mc, instr) }) {
					return false
				}
			}
		}
	}
	return true
}

// runsNow reports whether all that instr does with the closure mc is to call it, or to defer that.
func runsNow(mc *ssa.MakeClosure, instr ssa.Instruction) bool {
	switch instr := instr.(type) {
	case *ssa.DebugRef:
		return true
	case *ssa.Call:
		return instr.Call.Value == mc && !slices.Contains(instr.Call.Args, ssa.Value(mc))
	case *ssa.Defer:
		return instr.Call.Value == mc && !slices.Contains(instr.Call.Args, ssa.Value(mc))
	}
	return false
}

// flagIs is the condition that the local flag v is set.
func flagIs(v ssa.Value) condition { return condition{x: v, index: -1} }

// setsLocal handles that st sets a local flag, if it does.
func (a *analysis) setsLocal(st *ssa.Store, s *state) {
	flag := a.asLocalFlag(st.Addr)
	if flag == nil {
		return
	}
	a.each(s, func(alt *alternative) {
		is := alt.factOf(st.Val)
		*alt = alt.forget(flag)
		if is.known {
			*alt = alt.assume(flagIs(flag), is.is)
		}
	})
}

// declaresLocal handles that v declares a local flag, if it does: it is false.
func (a *analysis) declaresLocal(v *ssa.Alloc, s *state) {
	if a.asLocalFlag(v) != nil {
		a.each(s, func(alt *alternative) { *alt = alt.assume(flagIs(v), false) })
	}
}

// looksLocal handles that v is the value of a local flag, if it is.
func (a *analysis) looksLocal(v *ssa.UnOp, s *state) {
	flag := a.asLocalFlag(v.X)
	if v.Op != token.MUL || flag == nil {
		return
	}
	a.each(s, func(alt *alternative) {
		if is, known := alt.known(flagIs(flag)); known {
			*alt = alt.assume(flagIs(v), is)
		}
	})
}

// tested returns what the outcome of test is about: the local flag itself when it was just looked at, else the value.
func (a *analysis) tested(test *ssa.If) ssa.Value {
	load, ok := test.Cond.(*ssa.UnOp)
	if !ok || load.Op != token.MUL || load.Block() != test.Block() {
		return test.Cond
	}
	flag := a.asLocalFlag(load.X)
	if flag == nil {
		return test.Cond
	}
	at := slices.Index(load.Block().Instrs, ssa.Instruction(load))
	for _, instr := range load.Block().Instrs[at:] {
		if st, ok := instr.(*ssa.Store); ok && st.Addr == flag {
			return test.Cond
		}
	}
	return flag
}
