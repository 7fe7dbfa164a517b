package lockset

import (
	"strings"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file is the transfer function of the methods of locks.

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

func (a *analysis) lock(instr ssa.CallInstruction, t target, op model.LockOp, s *state) {
	ref := t.params[0]
	h := Held{Path: ref.Path, Class: ref.Var, Mode: Write, Indirect: isIndirect(t.recv)}
	if op.Read || isRLocker(t.recv, make(map[*ssa.Alloc]bool)) {
		h.Mode = Read
	}
	var took condition
	if op.Try {
		took = resultCondition(instr.Value(), 0, 1, false)
	}
	a.changesLock(instr, op, settled(h, a.copies(t.params, instr)), took, s)
}

// changesLock does what op says to the lock h, at instr; took is the condition on which an op that tries has taken it.
func (a *analysis) changesLock(instr ssa.Instruction, op model.LockOp, h Held, took condition, s *state) {
	a.rec.locks(instr, op, h)
	a.rec.acquires(op, h, s)
	var alts []alternative
	for _, alt := range s.alts {
		switch {
		case op.Try:
			with := alt
			with.Held = with.Held.afterLock().With(h)
			with.assumed = a.forgetFlags(with.assumed)
			alts = merge(alts, with.assume(took, true))
			alts = merge(alts, alt.assume(took, false))
		case op.Acquire:
			alt.Held = alt.Held.afterLock().With(h)
			alt.assumed = a.forgetFlags(alt.assumed)
			alt.Maybe = dropPath(alt.Maybe, h.Path)
			alts = merge(alts, alt)
		default:
			a.givesBack(instr, h, &alt)
			if _, mine := alt.Held.Find(h.Path); mine {
				a.rec.over(h.Path, s)
				alt.Held = alt.Held.Without(h.Path)
			} else if n := len(alt.Maybe); n > 0 && len(dropPath(alt.Maybe, h.Path)) < n {
				alt.Maybe = dropPath(alt.Maybe, h.Path)
			} else {
				alt.Released = addPath(alt.Released, h.Path)
				a.rec.gives(h.Class)
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

// isRLocker reports whether v is what RLocker returned, perhaps by way of local variables. seen are those that were
// looked at.
func isRLocker(v ssa.Value, seen map[*ssa.Alloc]bool) bool {
	switch v := v.(type) {
	case *ssa.Call:
		callee := v.Call.StaticCallee()
		return callee != nil && access.FuncKey(callee) == model.Locker
	case *ssa.UnOp:
		if alloc, ok := v.X.(*ssa.Alloc); ok && !seen[alloc] {
			seen[alloc] = true
			for _, ref := range *alloc.Referrers() {
				if st, ok := ref.(*ssa.Store); ok && st.Addr == alloc && isRLocker(st.Val, seen) {
					return true
				}
			}
		}
	}
	return false
}
