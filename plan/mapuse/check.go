package mapuse

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/model"
)

// This file finds stores that go by what a look-up said in an earlier section of the same lock:
//
//	s.mu.RLock()
//	c, ok := s.conns[addr]
//	s.mu.RUnlock()
//	if ok {
//		return c
//	}
//	c = dial(addr)
//	s.mu.Lock()
//	s.conns[addr] = c // another goroutine may have stored its own meanwhile, which is lost
//	s.mu.Unlock()
//
// A store that is preceded by another look-up in its own section is right, and so is one of a value that is
// as good as any other.

// sections are the look-ups in maps and the takings of locks in one function.
type sections struct {
	fn      *ssa.Function
	lookups []*ssa.Lookup
	locks   []*ssa.Call
}

func sectionsOf(fn *ssa.Function) sections {
	s := sections{fn: fn}
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			switch instr := instr.(type) {
			case *ssa.Lookup:
				if access.IsMap(instr.X.Type()) {
					s.lookups = append(s.lookups, instr)
				}
			case *ssa.Call:
				if m := instr.Call.StaticCallee(); m != nil && len(instr.Call.Args) == 1 && model.Lock(m.Name()).Acquire {
					s.locks = append(s.locks, instr)
				}
			}
		}
	}
	return s
}

// checked returns where the entry that st stores was looked up in an earlier section, or NoPos.
func (c *Collector) checked(fn *lockset.Func, st *ssa.MapUpdate, at lockset.View) token.Pos {
	if !c.matters(fn, st.Value) {
		return token.NoPos
	}
	if c.sections.fn != fn.SSA {
		c.sections = sectionsOf(fn.SSA)
	}
	for _, check := range c.sections.lookups {
		if access.ComesBefore(check, st) && sameEntry(fn, check, st) && decides(check, st) && c.parted(fn, check, st, at) {
			return c.Mentions.Operand(check.Pos())
		}
	}
	return token.NoPos
}

// sameEntry reports whether check looks up what st stores.
func sameEntry(fn *lockset.Func, check *ssa.Lookup, st *ssa.MapUpdate) bool {
	return fn.Names.Ref(check.X).Path == fn.Names.Ref(st.Map).Path && fn.Names.SameKey(check.Index, st.Key)
}

// parted reports whether a lock that is held at check and at st is given back between them, and nothing
// after that looks the entry up again.
func (c *Collector) parted(fn *lockset.Func, check *ssa.Lookup, st *ssa.MapUpdate, at lockset.View) bool {
	for _, again := range c.sections.locks {
		lock := fn.Names.Ref(again.Call.Args[0]).Path
		if !access.ComesBefore(check, again) || !access.ComesBefore(again, st) || !heldAt(at, lock) || !c.takenBefore(fn, lock, check) {
			continue
		}
		for _, l := range c.sections.lookups {
			if access.ComesBefore(again, l) && access.ComesBefore(l, st) && sameEntry(fn, l, st) {
				return false
			}
		}
		return !callsBetween(fn, again, st)
	}
	return false
}

func heldAt(at lockset.View, lock access.Path) bool {
	for _, p := range at.Points() {
		if _, ok := p.Held.Find(lock); !ok {
			return false
		}
	}
	return true
}

func (c *Collector) takenBefore(fn *lockset.Func, lock access.Path, check *ssa.Lookup) bool {
	for _, l := range c.sections.locks {
		if access.ComesBefore(l, check) && fn.Names.Ref(l.Call.Args[0]).Path == lock {
			return true
		}
	}
	return false
}

// callsBetween reports whether between from and to there is a call of a function of the program, which may
// look the entry up.
func callsBetween(fn *lockset.Func, from, to ssa.Instruction) bool {
	for _, b := range fn.SSA.Blocks {
		for _, instr := range b.Instrs {
			call, ok := instr.(*ssa.Call)
			if ok && access.ComesBefore(from, call) && access.ComesBefore(call, to) && fn.HasBody(call) {
				return true
			}
		}
	}
	return false
}

// matters reports whether it makes a difference whose v is stored: it has an identity, or a call that made
// it may have an effect.
func (c *Collector) matters(fn *lockset.Func, v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Const:
		return false
	case *ssa.Call:
		callee := v.Call.StaticCallee()
		if callee != nil && model.Pure(access.FuncKey(callee)) {
			return false
		}
		_, builtin := v.Call.Value.(*ssa.Builtin)
		return !builtin
	case *ssa.Extract:
		call, ok := v.Tuple.(*ssa.Call)
		return ok && c.matters(fn, call)
	case *ssa.MakeInterface:
		return c.matters(fn, v.X)
	}
	switch v.Type().Underlying().(type) {
	case *types.Pointer, *types.Chan, *types.Map:
		return fn.Names.Ref(v).Path.Root.Kind != access.Param // given by a caller, who wants it there
	}
	return false
}

// decides reports whether what check says decides if control comes to st.
func decides(check *ssa.Lookup, st *ssa.MapUpdate) bool {
	for _, cond := range tests(check) {
		for _, instr := range *cond.Referrers() {
			branch, ok := instr.(*ssa.If)
			if !ok || !access.ComesBefore(branch, st) {
				continue
			}
			for _, succ := range branch.Block().Succs {
				if !lockset.Reaches(succ, st.Block(), nil) {
					return true
				}
			}
		}
	}
	return false
}

// tests returns the conditions that check answers: whether there is an entry.
func tests(check *ssa.Lookup) []ssa.Value {
	var out []ssa.Value
	for _, instr := range *check.Referrers() {
		switch v := instr.(type) {
		case *ssa.Extract:
			if v.Index == 1 {
				out = append(out, v)
			} else {
				out = append(out, comparisons(v)...)
			}
		}
	}
	return append(out, comparisons(check)...)
}

func comparisons(v ssa.Value) []ssa.Value {
	var out []ssa.Value
	for _, instr := range *v.Referrers() {
		if cmp, ok := instr.(*ssa.BinOp); ok && (cmp.Op == token.EQL || cmp.Op == token.NEQ) {
			out = append(out, cmp)
		}
	}
	return out
}
