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

// This file finds the variables that get a map, or a pointer, which is not made for them: several may have it, and the
// mutex of one is not that of the others.
//
//	for range 4 { w := &worker{seen: seen}; go w.run() }

// Brought is that a variable gets what is not made for it.
type Brought struct {
	Var   access.Var // a field, a package variable, or, with "[]" at its end, the elements of one
	Pos   token.Pos
	Func  string // key
	Param int    // what it gets is this parameter of the function; -1: it comes from elsewhere
	Asked bool   // from a function value or an interface, which may well make another one each time
}

// Passed is that a call gives a function what others may have, too.
type Passed struct {
	Func  string // key
	Param int
}

// brings notes that st puts something in a variable that comes from elsewhere.
func (c *Collector) brings(fn *lockset.Func, st *ssa.Store) {
	var class access.Var
	switch addr := st.Addr.(type) {
	case *ssa.FieldAddr:
		class, _ = access.FieldVar(addr.X.Type(), addr.Field)
	case *ssa.Global:
		class = access.GlobalVar(addr)
	}
	pos := st.Pos()
	if !pos.IsValid() {
		pos = st.Addr.Pos()
	}
	c.brought(fn, class, st.Val, st, pos)
}

// bringsElement notes that put puts something in a map that comes from elsewhere.
func (c *Collector) bringsElement(fn *lockset.Func, put *ssa.MapUpdate) {
	class := fn.Names.Ref(put.Map).Var
	if !class.IsZero() {
		class.Field += "[]"
	}
	c.brought(fn, class, put.Value, put, put.Pos())
}

func (c *Collector) brought(fn *lockset.Func, class access.Var, v ssa.Value, by ssa.Instruction, pos token.Pos) {
	if class.IsZero() || !isHandle(v.Type()) {
		return
	}
	if p, ok := v.(*ssa.Parameter); ok && onlyFor(fn, v, by, nil) {
		c.Brought = append(c.Brought, Brought{Var: class, Pos: pos, Func: fn.Key, Param: slices.Index(fn.SSA.Params, p)})
	} else if isBrought(fn, v, by, make(map[ssa.Value]bool)) {
		c.Brought = append(c.Brought, Brought{Var: class, Pos: pos, Func: fn.Key, Param: -1, Asked: isAsked(fn, v) && onlyFor(fn, v, by, nil)})
	}
}

// isAsked reports whether v is a result of a function value or of a method of an interface.
func isAsked(fn *lockset.Func, v ssa.Value) bool {
	if e, ok := v.(*ssa.Extract); ok {
		v = e.Tuple
	}
	call, ok := v.(*ssa.Call)
	return ok && !fn.HasBody(call) && call.Call.StaticCallee() == nil
}

// hands notes the arguments of call that others may have, too.
func (c *Collector) hands(fn *lockset.Func, call ssa.CallInstruction) {
	callee := call.Common().StaticCallee()
	if callee == nil || !fn.HasBody(call) {
		return
	}
	for i, v := range call.Common().Args {
		if isReceiver := i == 0 && callee.Signature.Recv() != nil; !isReceiver && isHandle(v.Type()) && isBrought(fn, v, call, make(map[ssa.Value]bool)) {
			c.Passed[Passed{access.FuncKey(callee), i}] = call.Pos()
		}
	}
}

// isHandle reports whether values of type t may lead two who have one to the same map: a map, or a pointer to a struct.
func isHandle(t types.Type) bool { return access.IsMap(t) || isPointerToStruct(t) }

func isPointerToStruct(t types.Type) bool {
	p, ok := t.Underlying().(*types.Pointer)
	return ok && isStruct(p.Elem())
}

// isBrought reports whether somebody else than who gets v by the instruction by may have it, too. seen are the choices and
// conversions of v that were looked at.
func isBrought(fn *lockset.Func, v ssa.Value, by ssa.Instruction, seen map[ssa.Value]bool) bool {
	switch v := v.(type) {
	case *ssa.Const:
		return false
	case *ssa.MakeMap:
		return !onlyFor(fn, v, by, seen)
	case *ssa.Alloc:
		return !onlyFor(fn, v, by, seen)
	case *ssa.ChangeType:
		seen[v] = true
		return isBrought(fn, v.X, by, seen)
	case *ssa.Extract:
		if call, ok := v.Tuple.(*ssa.Call); ok {
			return !isNew(fn, call, v) || !onlyFor(fn, v, by, seen)
		}
	case *ssa.Call:
		return !isNew(fn, v, v) || !onlyFor(fn, v, by, seen)
	case *ssa.Phi:
		if seen[v] {
			return false
		}
		seen[v] = true
		return slices.ContainsFunc(v.Edges, func(e ssa.Value) bool { return isBrought(fn, e, by, seen) })
	}
	return true
}

// isNew reports whether v, a result of call, is something that nobody else has: what a function outside the program
// returns is taken to be.
func isNew(fn *lockset.Func, call *ssa.Call, v ssa.Value) bool {
	return fn.HasBody(call) && fn.Names.Ref(v).Fresh || !fn.HasBody(call) && call.Call.StaticCallee() != nil
}

// onlyFor reports whether the function makes v for by only: it gives it to nobody else, and by gets another one each time.
// through are the choices and conversions by which v gets there.
func onlyFor(fn *lockset.Func, v ssa.Value, by ssa.Instruction, through map[ssa.Value]bool) bool {
	if made, ok := v.(ssa.Instruction); ok && lockset.InLoop(by.Block(), made.Block()) {
		return false
	}
	return !slices.ContainsFunc(*v.Referrers(), func(instr ssa.Instruction) bool {
		if instr == by {
			return false
		}
		if to, ok := instr.(ssa.Value); ok && through[to] {
			return false
		}
		switch instr := instr.(type) {
		case *ssa.DebugRef, *ssa.FieldAddr, *ssa.UnOp, *ssa.BinOp, *ssa.Lookup, *ssa.Range:
			return false
		case *ssa.MapUpdate:
			return instr.Value == v || instr.Key == v
		case *ssa.Store:
			return instr.Val == v
		case *ssa.Call:
			return slices.ContainsFunc(argumentsOf(&instr.Call, v), func(i int) bool { return mayKeep(fn, instr, i) })
		}
		return true
	})
}

// argumentsOf returns the numbers of the arguments of call that are v.
func argumentsOf(call *ssa.CallCommon, v ssa.Value) []int {
	var out []int
	for i, arg := range call.Args {
		if arg == v {
			out = append(out, i)
		}
	}
	return out
}

// mayKeep reports whether argument number i of call may be to be had elsewhere once it has returned.
func mayKeep(fn *lockset.Func, call *ssa.Call, i int) bool {
	if _, builtin := call.Call.Value.(*ssa.Builtin); builtin {
		return false
	}
	callee := call.Call.StaticCallee()
	if callee == nil {
		return true
	}
	key := access.FuncKey(callee)
	if model.MapUse(key, i) != model.UnknownArg {
		return false
	}
	return fn.Keeps(key, i)
}
