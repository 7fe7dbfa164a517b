package lockset

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file finds the calls that are not made for what a caller has just made, because a field of it is not set:
//
//	func (c *CA) Provision(ctx Context) {
//		if c.StorageRaw != nil {
//			ctx.LoadModule(c, "StorageRaw")
//		}
//
//	ca := new(CA)
//	ca.Provision(ctx)

// fieldTest is where control goes only if a field of a parameter is not nil, or true.
type fieldTest struct {
	then  *ssa.BasicBlock
	field access.Path
}

// needs returns the fields of parameters that must have been set before the call of the function for control to come to
// instr.
func (a *analysis) needs(instr ssa.Instruction) []access.Path {
	var out []access.Path
	for _, t := range a.fieldTests() {
		if t.then.Dominates(instr.Block()) {
			out = addPath(out, t.field)
		}
	}
	return out
}

// fieldTests returns the tests of fields that the function itself did not set before.
func (a *analysis) fieldTests() []fieldTest {
	if a.tests != nil {
		return a.tests
	}
	a.tests = []fieldTest{}
	for _, b := range a.fn.Blocks {
		test, ok := b.Instrs[len(b.Instrs)-1].(*ssa.If)
		if !ok {
			continue
		}
		load, n := setTest(test.Cond)
		if load == nil || len(b.Succs[n].Preds) != 1 {
			continue
		}
		if p := a.names.Ref(load.X).Path; p.Root.Kind == access.Param && access.CountSteps(p.Sel) == 1 && p.Sel[0] == '.' && !a.mayBeSet(p, load) {
			a.tests = append(a.tests, fieldTest{b.Succs[n], p})
		}
	}
	return a.tests
}

// setTest returns the field that cond looks at, and the number of the successor where that is not nil, not empty or true;
// nil when cond is no such test.
func setTest(cond ssa.Value) (load *ssa.UnOp, succ int) {
	var v ssa.Value
	switch c := cond.(type) {
	case *ssa.UnOp:
		if c.Op == token.NOT {
			load, succ = setTest(c.X)
			return load, 1 - succ
		}
		v = c
	case *ssa.BinOp:
		k, ok := c.Y.(*ssa.Const)
		switch {
		case !ok:
			return nil, 0
		case k.IsNil() && (c.Op == token.NEQ || c.Op == token.EQL):
			v = c.X
		case isZero(k) && (c.Op == token.NEQ || c.Op == token.EQL || c.Op == token.GTR):
			length, ok := c.X.(*ssa.Call)
			if !ok {
				return nil, 0
			}
			if b, ok := length.Call.Value.(*ssa.Builtin); !ok || b.Name() != "len" {
				return nil, 0
			}
			v = length.Call.Args[0]
		default:
			return nil, 0
		}
		if c.Op == token.EQL {
			succ = 1
		}
	}
	load, ok := v.(*ssa.UnOp)
	if !ok || load.Op != token.MUL {
		return nil, 0
	}
	if _, ok := load.X.(*ssa.FieldAddr); !ok || !hasUnset(load.Type()) {
		return nil, 0
	}
	return load, succ
}

func isZero(k *ssa.Const) bool {
	return k.Value != nil && k.Value.Kind() == constant.Int && constant.Sign(k.Value) == 0
}

// hasUnset reports whether t has a value that says of a field of that type that it was not set: nil, or false.
func hasUnset(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Map, *types.Chan, *types.Signature, *types.Interface:
		return true
	case *types.Basic:
		return t.Kind() == types.Bool
	}
	return false
}

// mayBeSet reports whether the function may set p, a field of a parameter, before load, or let others have the parameter.
func (a *analysis) mayBeSet(p access.Path, load *ssa.UnOp) bool {
	owner := access.Path{Root: p.Root}
	for _, b := range a.fn.Blocks {
		for _, instr := range b.Instrs {
			switch instr := instr.(type) {
			case *ssa.FieldAddr, *ssa.UnOp, *ssa.BinOp, *ssa.Phi, *ssa.DebugRef:
				continue
			case *ssa.Store:
				if _, local := instr.Addr.(*ssa.Alloc); local && a.names.Ref(instr.Val).Path == owner {
					continue // the parameter gets a place of its own
				}
			}
			for _, op := range instr.Operands(nil) {
				if *op == nil {
					continue
				}
				if q := a.names.Ref(*op).Path; (q == owner || q == p) && !isLoad(*op) && mayPrecede(instr, load) {
					return true
				}
			}
		}
	}
	return false
}

// isLoad reports whether v is what a field held, which does not change it.
func isLoad(v ssa.Value) bool {
	load, ok := v.(*ssa.UnOp)
	if !ok {
		return false
	}
	_, field := load.X.(*ssa.FieldAddr)
	return field
}

// mayPrecede reports whether control may come from instr to at.
func mayPrecede(instr, at ssa.Instruction) bool {
	if instr.Block() == at.Block() {
		return access.ComesBefore(instr, at) || InLoop(at.Block(), nil)
	}
	return Reaches(instr.Block(), at.Block(), nil)
}

// unset returns the fields of parameters of the callee of call that are nil or false when it begins, because the caller
// has just made what they belong to and did not set them.
func unset(call ssa.CallInstruction) []access.Path {
	var out []access.Path
	for i, arg := range call.Common().Args {
		made, ok := arg.(*ssa.Alloc)
		if !ok || InLoop(call.Block(), made.Block()) {
			continue
		}
		st, ok := made.Type().Underlying().(*types.Pointer).Elem().Underlying().(*types.Struct)
		if !ok {
			continue
		}
		set, ok := fieldsSet(made, call)
		for f := range st.NumFields() {
			if ok && hasUnset(st.Field(f).Type()) && !slices.Contains(set, f) {
				out = append(out, access.Path{Root: access.Root{Kind: access.Param, Index: i}}.Field(st.Field(f).Name()))
			}
		}
	}
	return out
}

// fieldsSet returns the fields of the new struct made that are set in the function, by their numbers. ok is false when
// they may also be set elsewhere before call.
func fieldsSet(made *ssa.Alloc, call ssa.CallInstruction) (set []int, ok bool) {
	for _, instr := range *made.Referrers() {
		switch instr := instr.(type) {
		case *ssa.DebugRef:
		case *ssa.FieldAddr:
			if slices.ContainsFunc(*instr.Referrers(), func(use ssa.Instruction) bool {
				load, ok := use.(*ssa.UnOp)
				return !ok || load.Op != token.MUL
			}) {
				set = append(set, instr.Field)
			}
		default:
			if instr != ssa.Instruction(call) && mayPrecede(instr, call) {
				return nil, false
			}
		}
	}
	return set, true
}
