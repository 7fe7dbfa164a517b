package access

import (
	"go/token"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// This file names variables without the function that mentions them.

// GlobalVar returns the package variable g.
func GlobalVar(g *ssa.Global) Var { return Var{Package: path(g.Pkg.Pkg), Field: g.Name()} }

// OnlyStore returns the one assignment to v, in the function that declares it or in a closure that
// captures it; nil when there is none or another.
func OnlyStore(v *ssa.Alloc) *ssa.Store {
	stores, _ := storesTo(v, make(map[ssa.Value]bool))
	if len(stores) != 1 || written(v) {
		return nil
	}
	return stores[0]
}

// Results returns what ret returns, before what was deferred runs.
func Results(ret *ssa.Return) []ssa.Value {
	out := make([]ssa.Value, len(ret.Results))
	for i, v := range ret.Results {
		out[i] = beforeDefers(v)
	}
	return out
}

// beforeDefers returns the result v of a function that defers something, as it was before that ran: it is kept in a
// variable meanwhile.
func beforeDefers(v ssa.Value) ssa.Value {
	load, ok := v.(*ssa.UnOp)
	if !ok || load.Op != token.MUL {
		return v
	}
	kept, ok := load.X.(*ssa.Alloc)
	if !ok || slices.ContainsFunc(*kept.Referrers(), func(instr ssa.Instruction) bool { return !plainly(instr, kept) }) {
		return v
	}
	instrs := load.Block().Instrs
	for i := slices.Index(instrs, ssa.Instruction(load)) - 1; i >= 0; i-- {
		if st, ok := instrs[i].(*ssa.Store); ok && st.Addr == kept {
			return st.Val
		}
	}
	return v
}

// plainly reports whether instr assigns v, or reads it, and does nothing else with it.
func plainly(instr ssa.Instruction, v *ssa.Alloc) bool {
	switch instr := instr.(type) {
	case *ssa.Store:
		return instr.Addr == v && instr.Val != v
	case *ssa.UnOp:
		return instr.Op == token.MUL
	case *ssa.DebugRef:
		return true
	}
	return false
}

// Packed returns the values that are put in the elements of the array behind slice, as by go/ssa for a variadic call; nil
// when it is no array of the function's own.
func Packed(slice *ssa.Slice) []ssa.Value {
	array, ok := slice.X.(*ssa.Alloc)
	if !ok {
		return nil
	}
	var out []ssa.Value
	for _, ref := range *array.Referrers() {
		elem, ok := ref.(*ssa.IndexAddr)
		if !ok {
			continue
		}
		for _, ref := range *elem.Referrers() {
			if st, ok := ref.(*ssa.Store); ok && st.Addr == elem {
				out = append(out, st.Val)
			}
		}
	}
	return out
}
