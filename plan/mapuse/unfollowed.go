package mapuse

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/model"
)

// This file finds where a map, an iterator over one, or the address of a map variable is put where nobody
// follows it:
//
//	return View{s.m}          // what the methods of View do, they do to s.m
//	return maps.Keys(s.m)     // whoever runs it reads s.m
//	w := &writer{to: &s.m}    // (*w.to)[k] = v
//
// It makes no finding: nobody knows what happens there. But a lock around the other uses is not enough.

// puts adds the maps that instr puts somewhere.
func (c *Collector) puts(fn *lockset.Func, instr ssa.Instruction, at lockset.View) {
	switch instr := instr.(type) {
	case *ssa.Store:
		if fn.Names.Place(instr.Addr) != fn.Names.Ref(instr.Val).Path {
			c.unfollowed(fn, instr.Val)
		}
		if _, local := instr.Addr.(*ssa.Alloc); !local {
			c.putsWhole(fn, instr.Val, at)
		}
	case *ssa.MapUpdate:
		c.unfollowed(fn, instr.Value)
		c.putsWhole(fn, instr.Value, at)
	case *ssa.Phi:
		for _, v := range instr.Edges {
			if fn.Names.Ref(instr).Path != fn.Names.Ref(v).Path {
				c.unfollowed(fn, v)
			}
		}
	case *ssa.MakeInterface:
		if !c.isLookedAt(fn, instr) {
			c.unfollowed(fn, instr.X)
			c.putsWhole(fn, instr.X, at)
		}
	case *ssa.Return:
		for i, v := range access.Results(instr) {
			if isIterator(v.Type()) || isPointerToMap(v.Type()) && fn.Exported || access.IsMap(v.Type()) && returnsAnother(fn, i, v) {
				c.unfollowed(fn, v)
			}
		}
	case *ssa.Send:
		c.unfollowed(fn, instr.X)
		c.putsWhole(fn, instr.X, at)
	case ssa.CallInstruction:
		for i, v := range instr.Common().Args {
			if keeps(fn, instr, i, v) {
				c.unfollowed(fn, v)
			}
		}
	}
}

// returnsAnother reports whether fn returns something else than v as its result i on other ways: who calls it is not known
// to have v.
//
//	func (s *S) table(old bool) map[string]int { if old { return s.old }; return s.new }
func returnsAnother(fn *lockset.Func, i int, v ssa.Value) bool {
	return slices.ContainsFunc(fn.SSA.Blocks, func(b *ssa.BasicBlock) bool {
		ret, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return)
		if !ok {
			return false
		}
		other := access.Results(ret)[i]
		k, isConst := other.(*ssa.Const)
		return !(isConst && k.IsNil()) && fn.Names.Ref(other).Path != fn.Names.Ref(v).Path
	})
}

// keeps reports whether what call calls may put v, its argument number i, somewhere: a map that it has as a value of any
// type, or a map or the address of one in code outside the program that is not known.
func keeps(fn *lockset.Func, call ssa.CallInstruction, i int, v ssa.Value) bool {
	common := call.Common()
	if _, builtin := common.Value.(*ssa.Builtin); builtin {
		return false
	}
	callee := common.StaticCallee()
	switch {
	case fn.HasBody(call):
		if callee == nil || !access.IsMap(v.Type()) {
			return false
		}
		if origin := callee.Origin(); origin != nil {
			callee = origin
		}
		sig := callee.Signature
		if sig.Recv() != nil {
			i--
		}
		if i < 0 || i >= sig.Params().Len() {
			return false
		}
		t := sig.Params().At(i).Type()
		_, any := types.Unalias(t).(*types.TypeParam)
		return any && !access.IsMap(t)
	case isPointerToMap(v.Type()):
		return true
	case !access.IsMap(v.Type()):
		return false
	case callee == nil: // of an interface, or a function value: see whom that may call
		return false
	}
	isMethod := i == 0 && callee.Signature.Recv() != nil
	return !isMethod && model.MapUse(access.FuncKey(callee), i) == model.UnknownArg
}

// unfollowed adds v if it is the map of a variable, or its address, and does not leave that.
func (c *Collector) unfollowed(fn *lockset.Func, v ssa.Value) {
	ref := fn.Names.Ref(v)
	pos := ref.Read
	switch {
	case isPointerToMap(v.Type()):
		if pos = addressed(v); !pos.IsValid() {
			return
		}
	case !access.IsMap(v.Type()) && !isIterator(v.Type()) || fn.Names.Detached(v, nil):
		return
	}
	given := ref.Path.Root.Kind == access.Param && ref.Path.Sel == ""
	switch {
	case ref.Depth > 0:
		return
	case ref.Var.IsZero() && given:
		pos = v.Pos()
	case ref.Var.IsZero(), !pos.IsValid():
		return
	}
	c.Uses = append(c.Uses, Use{Func: fn.Key, Ref: ref, Op: Alias, Pos: pos, Unfollowed: true})
}

// addressed returns where v takes the address of a variable, if it does.
func addressed(v ssa.Value) token.Pos {
	switch v := v.(type) {
	case *ssa.FieldAddr:
		return v.Pos()
	case *ssa.Global:
		return v.Pos()
	}
	return token.NoPos
}

// isLookedAt reports whether what is given the interface that boxed makes only looks at it, or fills it, before it
// returns, as far as is known.
func (c *Collector) isLookedAt(fn *lockset.Func, boxed *ssa.MakeInterface) bool {
	_, pointer := boxed.X.Type().Underlying().(*types.Pointer)
	for _, ref := range *boxed.Referrers() {
		call := callOf(ref)
		switch {
		case call == nil:
			if _, compared := ref.(*ssa.BinOp); !compared {
				return false
			}
		case fn.HasBody(call):
			return false
		default:
			callee := call.Common().StaticCallee()
			if callee == nil || !model.LooksOnly(access.FuncKey(callee)) && !(pointer && model.Fills(access.FuncKey(callee))) {
				return false
			}
		}
	}
	return true
}

// callOf returns the call that instr is, or packs an argument for; nil when it is neither.
func callOf(instr ssa.Instruction) ssa.CallInstruction {
	if call, ok := instr.(ssa.CallInstruction); ok {
		return call
	}
	st, ok := instr.(*ssa.Store)
	if !ok {
		return nil
	}
	elem, ok := st.Addr.(*ssa.IndexAddr)
	if !ok {
		return nil
	}
	array, ok := elem.X.(*ssa.Alloc)
	if !ok {
		return nil
	}
	for _, ref := range *array.Referrers() {
		slice, ok := ref.(*ssa.Slice)
		if !ok {
			continue
		}
		for _, ref := range *slice.Referrers() {
			if call, ok := ref.(ssa.CallInstruction); ok {
				return call
			}
		}
	}
	return nil
}
