package lockset

import (
	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file finds out which functions never return, and so where control does not come to:
//
//	if s.m == nil {
//		s.mu.Unlock()
//		log.Fatal("closed")
//	}
//	s.m[k] = v // with s.mu held

// endingOf returns how control never comes to what follows instr. Of a function of the program that is said in its effect.
func endingOf(instr ssa.Instruction, effect func(key string) *Effect) model.Ending {
	switch instr := instr.(type) {
	case *ssa.Select:
		if instr.Blocking && len(instr.States) == 0 {
			return model.Exits
		}
	case *ssa.Call:
		return endingOfCall(instr.Common(), effect)
	}
	return model.Returns
}

func endingOfCall(c *ssa.CallCommon, effect func(key string) *Effect) model.Ending {
	nothing := c.Signature().Results().Len() == 0
	if c.IsInvoke() {
		return model.EndingOf(access.ObjectKey(c.Method), nothing)
	}
	fn := c.StaticCallee()
	if fn == nil {
		return model.Returns
	}
	key := access.FuncKey(fn)
	if e := effect(key); e != nil {
		return e.Ending
	}
	return model.EndingOf(key, nothing)
}

// ending returns how fn never returns: no return can be reached without going through a call that does not.
func ending(fn *ssa.Function, effect func(key string) *Effect) model.Ending {
	unwinds := false
	seen := make([]bool, len(fn.Blocks))
	work := []*ssa.BasicBlock{fn.Blocks[0]}
blocks:
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		if seen[b.Index] {
			continue
		}
		seen[b.Index] = true
		for _, instr := range b.Instrs {
			switch instr.(type) {
			case *ssa.Return:
				return model.Returns
			case *ssa.Panic:
				unwinds = true
				continue blocks
			}
			switch endingOf(instr, effect) {
			case model.Unwinds:
				unwinds = true
				continue blocks
			case model.Exits:
				continue blocks
			}
		}
		work = append(work, b.Succs...)
	}
	switch {
	case !unwinds:
		return model.Exits
	case mayRecover(fn):
		return model.Returns
	}
	return model.Unwinds
}

// mayRecover reports whether what fn defers may stop a panic.
func mayRecover(fn *ssa.Function) bool {
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			d, ok := instr.(*ssa.Defer)
			if !ok {
				continue
			}
			if _, builtin := d.Call.Value.(*ssa.Builtin); builtin {
				continue
			}
			if callee := d.Call.StaticCallee(); callee == nil || callee.Pkg == nil || callee.Pkg.Pkg.Path() != "sync" {
				return true
			}
		}
	}
	return false
}
