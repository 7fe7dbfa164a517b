package lockset

import (
	"go/token"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file knows which functions give a variable another map: what it held before belongs to who took it out.
//
//	old := s.m
//	s.reset() // s.m = make(map[string]int)

// Renews returns the map variables that call gives another map, in terms of the caller.
func (a *analysis) Renews(call ssa.CallInstruction) []access.Path {
	t := a.target(call)
	if t.effect == nil || len(t.effect.Renews) == 0 {
		return nil
	}
	return bindPaths(t.effect.Renews, t.binding())
}

// renewed returns the map variables of its callers that the function gives another map wherever it goes.
func (a *analysis) renewed() []access.Path {
	if a.fn.Recover != nil || len(a.rec.effect.Acquires) > 0 {
		return nil // a panic may end it before, or others may come before it gets the lock
	}
	var out []access.Path
	for _, b := range a.fn.Blocks {
		if !a.always(b) {
			continue
		}
		for _, instr := range b.Instrs {
			switch instr := instr.(type) {
			case *ssa.Store:
				if p := a.names.Ref(instr.Addr).Path; access.IsMap(instr.Val.Type()) && a.isNewMap(instr.Val) && isOutside(p.Root) && !a.reads(p) {
					out = addPath(out, p)
				}
			case *ssa.Call:
				for _, p := range a.Renews(instr) {
					if isOutside(p.Root) {
						out = addPath(out, p)
					}
				}
			}
		}
	}
	return out
}

// reads reports whether the function reads the map variable at p: it may put elsewhere what that held.
func (a *analysis) reads(p access.Path) bool {
	return slices.ContainsFunc(a.fn.Blocks, func(b *ssa.BasicBlock) bool {
		return slices.ContainsFunc(b.Instrs, func(instr ssa.Instruction) bool {
			load, ok := instr.(*ssa.UnOp)
			return ok && load.Op == token.MUL && access.IsMap(load.Type()) && a.names.Ref(load.X).Path == p
		})
	})
}

// isNewMap reports whether v is nil, or a map that the function makes.
func (a *analysis) isNewMap(v ssa.Value) bool {
	if c, ok := v.(*ssa.Const); ok {
		return c.IsNil()
	}
	return a.names.Ref(v).Fresh
}
