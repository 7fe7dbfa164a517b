package lockset

import (
	"go/constant"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file keeps what a place knows of the boolean parameters of its function, as in
//
//	func (s *Store) remove(k string, locked bool) {
//		if !locked {
//			s.mu.Lock()
//			defer s.mu.Unlock()
//		}
//
// so that a caller that passes a constant comes to the uses with the locks that go with it.

// Given is the value of a boolean parameter.
type Given struct {
	Param int
	Is    bool
}

// given returns what a assumes of parameters, in the order of the parameters.
func (a alternative) given() []Given {
	var out []Given
	for _, c := range a.ifs() {
		if c.Root.Kind == access.Param {
			out = append(out, Given{c.Root.Index, c.Is})
		}
	}
	return out
}

// ifs returns what a assumes of parameters and of captured variables that are local flags, sorted.
func (a alternative) ifs() []If {
	var out []If
	for _, s := range a.assumed {
		if s.cond.y != nil || s.cond.index != -1 {
			continue
		}
		if root, ok := givenRoot(s.cond.x); ok {
			out = append(out, If{root, s.is})
		}
	}
	slices.SortFunc(out, func(x, y If) int { return compareRoots(x.Root, y.Root) })
	return out
}

// givenRoot returns what stands for v, which the function was given.
func givenRoot(v ssa.Value) (access.Root, bool) {
	switch v := v.(type) {
	case *ssa.Parameter:
		i := slices.Index(v.Parent().Params, v)
		return access.Root{Kind: access.Param, Index: i}, i >= 0
	case *ssa.FreeVar:
		i := slices.Index(v.Parent().FreeVars, v)
		return access.Root{Kind: access.Free, Index: i}, i >= 0
	}
	return access.Root{}, false
}

// passedTo returns what instr gives its callee for root: of a variable that the callee captures, the variable.
func passedTo(instr ssa.CallInstruction, root access.Root) ssa.Value {
	c := instr.Common()
	switch mc, isClosure := c.Value.(*ssa.MakeClosure); {
	case c.IsInvoke():
	case root.Kind == access.Param && root.Index < len(c.Args) && (isClosure || c.StaticCallee() != nil):
		return c.Args[root.Index]
	case root.Kind == access.Free && isClosure && root.Index < len(mc.Bindings):
		return mc.Bindings[root.Index]
	}
	return nil
}

// allows returns alt as it goes on when the callee of instr returns in a way that it takes if ifs hold; ok is false when
// alt rules that out.
func (alt alternative) allows(instr ssa.CallInstruction, ifs []If) (out alternative, ok bool) {
	for _, c := range ifs {
		v := passedTo(instr, c.Root)
		if v == nil {
			continue
		}
		if alt, ok = alt.branch(v, c.Is); !ok {
			return alt, false
		}
	}
	return alt, true
}

// constants returns the boolean constants among the arguments of call.
func constants(call *ssa.CallCommon) []Given {
	var out []Given
	for i, arg := range call.Args {
		if k, ok := arg.(*ssa.Const); ok && k.Value != nil && k.Value.Kind() == constant.Bool {
			out = append(out, Given{i, constant.BoolVal(k.Value)})
		}
	}
	return out
}

// Allows reports whether control may come through e to p, a point of the callee.
func (e *Edge) Allows(p Point) bool {
	for _, g := range p.Given {
		if slices.Contains(e.Constants, Given{g.Param, !g.Is}) {
			return false
		}
		if own, ok := passedOn(g, e.Params); ok && slices.Contains(e.At.Given, Given{own.Param, !own.Is}) {
			return false
		}
	}
	return true
}

// passedOn returns g, of a callee, as what it says of the caller's own parameter.
func passedOn(g Given, params []access.Ref) (Given, bool) {
	if g.Param >= len(params) {
		return Given{}, false
	}
	p := params[g.Param].Path
	return Given{p.Root.Index, g.Is}, p.Root.Kind == access.Param && p.Sel == ""
}

// givenUnder returns what is known at caller, and of the callee's parameters that it only passes on.
func givenUnder(callee, caller []Given, params []access.Ref) []Given {
	out := slices.Clone(caller)
	for _, g := range callee {
		if own, ok := passedOn(g, params); ok && !slices.Contains(out, own) {
			out = append(out, own)
		}
	}
	slices.SortFunc(out, func(x, y Given) int { return x.Param - y.Param })
	return out
}
