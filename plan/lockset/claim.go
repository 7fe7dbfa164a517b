package lockset

import (
	"go/token"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file knows claims, variables that leave zero once, atomically: who sees that he did it is the only one, for good.
//
//	if !s.started.CompareAndSwap(false, true) {
//		return
//	}
//	s.m = load()
//
// It is told like a sync.Once that is never over: who claimed it holds it for writing, and nobody ever comes after that.

// claims notes that call may claim something, and that its result tells.
func (a *analysis) claims(call ssa.CallInstruction, t target, s *state) {
	result, isCall := call.(*ssa.Call)
	if !isCall || !leavesZero(t.key, call.Common()) || !a.tokens.claims[t.params[0].Var] {
		return
	}
	conds := claimed(t.key, result)
	var alts []alternative
	for _, alt := range s.alts {
		with := alt
		with.Held = with.Held.With(Held{Path: t.params[0].Path, Class: t.params[0].Var, Mode: Write, Once: true})
		for _, c := range conds {
			with, alt = with.assume(c.cond, c.is), alt.assume(c.cond, !c.is)
		}
		alts = merge(merge(alts, with), alt)
	}
	s.alts = alts
}

// leavesZero reports whether c, a call of the function key of package sync/atomic, makes a variable something else that may
// be zero, and its result tells whether it was.
func leavesZero(key string, c *ssa.CallCommon) bool {
	switch model.Atomic(key) {
	case model.AtomicSwap:
		return isZeroConst(c.Args[1]) && isOtherConst(c.Args[2])
	case model.AtomicExchange:
		return isOtherConst(c.Args[1])
	case model.AtomicAdd:
		return isInt(c.Args[1], 1)
	}
	return false
}

// claimed returns what the result of a call of key, by which the variable left zero, is when it was this call.
func claimed(key string, result *ssa.Call) []assumption {
	is := func(op token.Token, n string, is bool) assumption {
		return assumption{condition{x: result, index: -1, y: n + ":" + result.Type().String(), op: op}, is}
	}
	switch op := model.Atomic(key); {
	case op == model.AtomicSwap:
		return []assumption{{condition{x: result, index: -1}, true}}
	case op == model.AtomicExchange && isBool(result.Type()):
		return []assumption{{condition{x: result, index: -1}, false}}
	case op == model.AtomicExchange:
		return []assumption{is(token.EQL, "0", true), is(token.GTR, "0", false)}
	}
	return []assumption{is(token.EQL, "1", true), is(token.GTR, "1", false)}
}

// staysClaimed reports whether a variable that has left zero can not become zero by c, a call of the function key of
// package sync/atomic that is given addr.
func staysClaimed(key string, c *ssa.CallCommon, addr ssa.Value) bool {
	switch model.Atomic(key) {
	case model.AtomicLoad:
		return true
	case model.AtomicStore:
		return isOtherConst(c.Args[1]) || isZeroConst(c.Args[1]) && isNewObject(addr)
	case model.AtomicSwap:
		return isOtherConst(c.Args[2])
	}
	return leavesZero(key, c)
}

// isClaim reports whether some function makes the variable leave zero, and none makes it zero again.
func (u *tokenUse) isClaim(class access.Var) bool {
	return u.leaves && !u.again && !class.IsZero() && !token.IsExported(class.Field)
}
