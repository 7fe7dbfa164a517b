package lockset

import (
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file knows locks that are taken only if their owner was made to be shared:
//
//	if s.shared {
//		s.mu.Lock()
//		defer s.mu.Unlock()
//	}
//
// Where the lock is not taken, nobody else should have the owner. That is not shown, so that there it may be held, and no
// more.

// It also knows locks that a loop takes of all elements: where there are none, there is nothing to hold.

// settings is which bool fields change after their owner was made, or after it was set up. It is not safe for concurrent
// use.
type settings map[access.Var]bool

// settingsOf returns what fns do with bool fields.
func settingsOf(fns []*ssa.Function) settings {
	changes := make(settings)
	for _, fn := range fns {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				st, ok := instr.(*ssa.Store)
				if !ok || !isBool(st.Val.Type()) {
					continue
				}
				if field, ok := st.Addr.(*ssa.FieldAddr); ok && !isNewObject(field) && !isSetter(fn) {
					changes[funcVar(field)] = true
				}
			}
		}
	}
	return changes
}

// isSetter reports whether fn calls nothing, so that it only sets something up.
func isSetter(fn *ssa.Function) bool {
	return !slices.ContainsFunc(fn.Blocks, func(b *ssa.BasicBlock) bool {
		return slices.ContainsFunc(b.Instrs, func(instr ssa.Instruction) bool {
			call, ok := instr.(ssa.CallInstruction)
			if !ok {
				return false
			}
			_, builtin := call.Common().Value.(*ssa.Builtin)
			return !builtin
		})
	})
}

// optional notes what going to successor number n of the block that ends in test tells of a lock that is taken by the other
// one, because of what its owner was made to be.
func (a *analysis) optional(test *ssa.If, n int, s *state) {
	load, _ := setTest(test.Cond)
	if load == nil {
		return
	}
	field := load.X.(*ssa.FieldAddr)
	at := a.names.Ref(field)
	if isBool(load.Type()) && (a.settings[at.Var] || at.Var.IsZero()) {
		return
	}
	lock, ok := a.takenFirst(test.Block().Succs[1-n])
	owner, _ := at.Path.Parent()
	beside, _ := lock.Parent()
	if !ok || !at.Path.Known() || beside != owner || !isBool(load.Type()) && lock != at.Path {
		return
	}
	a.each(s, func(alt *alternative) { alt.Maybe = addPath(alt.Maybe, lock) })
}

// takenFirst returns the lock that b takes before it calls anything else.
func (a *analysis) takenFirst(b *ssa.BasicBlock) (access.Path, bool) {
	if len(b.Preds) != 1 {
		return access.Path{}, false
	}
	for _, instr := range b.Instrs {
		call, ok := instr.(*ssa.Call)
		if !ok {
			continue
		}
		t := a.target(call)
		op, _ := a.lockOp(t)
		if len(t.params) == 0 || !op.Acquire || op.Try {
			return access.Path{}, false
		}
		return t.params[0].Path, true
	}
	return access.Path{}, false
}

// lockedAll notes what it tells to leave, by successor number n of the block that ends in test, a loop in which the locks of
// elements are taken and kept: without an element nothing is used.
//
//	for _, s := range shards {
//		s.mu.Lock()
//	}
func (a *analysis) lockedAll(test *ssa.If, n int, s *state) {
	locks := a.keptByLoop()[test.Block()]
	if len(locks) == 0 || Reaches(test.Block().Succs[n], test.Block(), nil) {
		return
	}
	a.each(s, func(alt *alternative) {
		for _, p := range locks {
			if _, held := alt.Held.Find(p); !held {
				alt.Maybe = addPath(alt.Maybe, p)
			}
		}
	})
}

// keptByLoop returns the locks of elements that each loop takes and does not give back, by the blocks of the loop.
func (a *analysis) keptByLoop() map[*ssa.BasicBlock][]access.Path {
	if a.looped != nil {
		return a.looped
	}
	a.looped = make(map[*ssa.BasicBlock][]access.Path)
	for _, loop := range nestedLoops(a.fn.Blocks) {
		var taken, given []access.Path
		for _, b := range loop {
			for _, instr := range b.Instrs {
				call, ok := instr.(*ssa.Call)
				if !ok {
					continue
				}
				t := a.target(call)
				switch op, _ := a.lockOp(t); {
				case op.IsZero() || !strings.Contains(t.params[0].Path.Sel, "[]"):
				case op.Release:
					given = addPath(given, t.params[0].Path)
				case !op.Try:
					taken = addPath(taken, t.params[0].Path)
				}
			}
		}
		taken = slices.DeleteFunc(taken, func(p access.Path) bool { return hasPath(given, p) })
		for _, b := range loop {
			for _, p := range taken {
				a.looped[b] = addPath(a.looped[b], p)
			}
		}
	}
	return a.looped
}
