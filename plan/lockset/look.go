package lockset

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file knows functions that have a library look into what they are given:
//
//	func writeJSON(w io.Writer, v any) { json.NewEncoder(w).Encode(v) }

// looks notes that the function key of a library looks into arg, or into what is packed there.
func (r *recorder) looks(arg ssa.Value, key string) {
	if r == nil {
		return
	}
	values := []ssa.Value{arg}
	if slice, ok := arg.(*ssa.Slice); ok {
		values = access.Packed(slice)
	}
	for _, v := range values {
		if change, ok := v.(*ssa.ChangeInterface); ok {
			v = change.X
		}
		p, ok := v.(*ssa.Parameter)
		if !ok {
			continue
		}
		if l := (Looked{slices.Index(r.a.fn.Params, p), key}); !slices.Contains(r.effect.Looks, l) {
			r.effect.Looks = append(r.effect.Looks, l)
		}
	}
}

// looksThrough notes what a callee of the effect e looks into.
func (r *recorder) looksThrough(instr ssa.CallInstruction, e *Effect) {
	args := instr.Common().Args
	for _, l := range e.Looks {
		if l.Param < len(args) && !instr.Common().IsInvoke() {
			r.looks(args[l.Param], l.Key)
		}
	}
}

// Looks returns what the callee of call, a function of the program, looks into.
func (f *Func) Looks(call ssa.CallInstruction) []Looked {
	callee := call.Common().StaticCallee()
	if callee == nil {
		return nil
	}
	if e := f.effect(access.FuncKey(callee)); e != nil {
		return e.Looks
	}
	return nil
}
