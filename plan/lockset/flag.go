package lockset

import (
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file knows the flags of a package: a bool that is only ever set to true, or what is changed atomically and only
// ever set to one value that is not zero, after something was done with maps. What they order is in flagged.go.

// flags is what a package does with the boolean fields and variables of its types. It is not safe for concurrent use.
type flags struct {
	set   map[access.Var]bool   // some function sets them to true; those that order something
	value map[access.Var]string // what they are set to, as [constantText] says it
	fill  map[access.Var]bool   // and changes maps before, or some function changes maps once it has looked at them
	other map[access.Var]bool   // something else may become of them
	fills map[*ssa.Function]bool
}

// flagsOf returns what fns do with flags.
func flagsOf(fns []*ssa.Function) *flags {
	f := &flags{make(map[access.Var]bool), make(map[access.Var]string), make(map[access.Var]bool), make(map[access.Var]bool), fillers(fns)}
	for _, fn := range fns {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				switch instr := instr.(type) {
				case *ssa.FieldAddr:
					if class, t := access.FieldVar(instr.X.Type(), instr.Field); isFlag(t) {
						f.uses(class, instr)
					}
				case *ssa.Store:
					f.overwrites(instr)
					f.moves(instr)
				}
				for _, op := range instr.Operands(nil) {
					if g, ok := (*op).(*ssa.Global); ok && isFlag(g.Type().Underlying().(*types.Pointer).Elem()) {
						f.usedBy(access.GlobalVar(g), g, instr)
					}
				}
			}
		}
	}
	maps.DeleteFunc(f.set, func(class access.Var, set bool) bool { return !set || !f.fill[class] || f.other[class] })
	return f
}

// isFlag reports whether what is of type t can be a flag.
func isFlag(t types.Type) bool { return isBool(t) || isNumber(t) || model.IsAtomic(typeName(t)) }

// isNumber reports whether what is of type t can be given to the functions of package sync/atomic.
func isNumber(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0
}

func isBool(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.Bool
}

// uses notes all uses of addr, the address of the flag class.
func (f *flags) uses(class access.Var, addr *ssa.FieldAddr) {
	for _, instr := range *addr.Referrers() {
		f.usedBy(class, addr, instr)
	}
}

// usedBy notes that instr uses the flag class at addr.
func (f *flags) usedBy(class access.Var, addr ssa.Value, instr ssa.Instruction) {
	switch instr := instr.(type) {
	case *ssa.DebugRef:
		return
	case *ssa.UnOp:
		if instr.Op == token.MUL && isBool(instr.Type()) {
			f.looks(class, instr)
			return
		}
		if instr.Op == token.MUL && isNumber(instr.Type()) {
			return // under a lock that is held where it is set, perhaps
		}
	case *ssa.Store:
		if instr.Addr == addr && (isTrue(instr.Val) || isFalse(instr.Val) && isNewObject(addr)) {
			f.sets(class, instr, isTrue(instr.Val))
			return
		}
	case ssa.CallInstruction:
		c := instr.Common()
		fn := c.StaticCallee()
		if fn == nil || len(c.Args) == 0 || c.Args[0] != addr {
			break
		}
		switch key := access.FuncKey(fn); model.Atomic(key) {
		case model.AtomicLoad:
			return
		case model.AtomicStore:
			if f.oneValue(class, c.Args[1]) {
				f.sets(class, instr, true)
				return
			}
		case model.AtomicSwap:
			if isFalse(c.Args[1]) && isTrue(c.Args[2]) {
				return
			}
		}
	}
	f.other[class] = true
}

// oneValue reports whether v is a constant other than zero, and the flag class is never set to another one.
func (f *flags) oneValue(class access.Var, v ssa.Value) bool {
	if !isOtherConst(v) {
		return false
	}
	text := constantText(v.(*ssa.Const))
	have, ok := f.value[class]
	f.value[class] = text
	return !ok || have == text
}

// sets notes that instr sets the flag class, to true if on. One that nothing is done before orders nothing: most flags
// say that something is closed.
func (f *flags) sets(class access.Var, instr ssa.Instruction, on bool) {
	f.set[class] = f.set[class] || on
	if !on || f.fill[class] {
		return
	}
	_, deferred := instr.(*ssa.Defer)
	f.fill[class] = f.anyFill(instr.Parent(), func(fill ssa.Instruction) bool {
		return deferred || access.ComesBefore(fill, instr) || fill.Block() != instr.Block() && Reaches(fill.Block(), instr.Block(), nil)
	})
}

// looks notes that load looks at the flag class.
func (f *flags) looks(class access.Var, load *ssa.UnOp) {
	if f.fill[class] {
		return
	}
	f.fill[class] = f.anyFill(load.Parent(), func(fill ssa.Instruction) bool {
		return fill.Block() != load.Block() && load.Block().Dominates(fill.Block())
	})
}

// anyFill reports whether fn changes a map in a place for which where holds.
func (f *flags) anyFill(fn *ssa.Function, where func(ssa.Instruction) bool) bool {
	return slices.ContainsFunc(fn.Blocks, func(b *ssa.BasicBlock) bool {
		return slices.ContainsFunc(b.Instrs, func(instr ssa.Instruction) bool { return f.isFill(instr) && where(instr) })
	})
}

// fillers returns those of fns that change a map, or lead to one that does.
func fillers(fns []*ssa.Function) map[*ssa.Function]bool {
	f := &flags{fills: make(map[*ssa.Function]bool)}
	for _, scc := range calleesFirst(fns) {
		fills := slices.ContainsFunc(scc, func(fn *ssa.Function) bool {
			return slices.ContainsFunc(fn.Blocks, func(b *ssa.BasicBlock) bool { return slices.ContainsFunc(b.Instrs, f.isFill) })
		})
		for _, fn := range scc {
			f.fills[fn] = fills
		}
	}
	return f.fills
}

// isFill reports whether instr changes a map, or leads to something that does: a function of the package, or any that
// is given a map.
func (f *flags) isFill(instr ssa.Instruction) bool {
	switch instr := instr.(type) {
	case *ssa.MapUpdate:
		return true
	case *ssa.Store:
		if access.IsMap(instr.Val.Type()) {
			return true
		}
	case ssa.CallInstruction:
		b, ok := instr.Common().Value.(*ssa.Builtin)
		if isLen := ok && b.Name() == "len"; !isLen && slices.ContainsFunc(instr.Common().Args, func(v ssa.Value) bool { return access.IsMap(v.Type()) }) {
			return true
		}
	}
	for _, op := range instr.Operands(nil) {
		if fn, ok := (*op).(*ssa.Function); ok {
			if o := fn.Origin(); o != nil {
				fn = o
			}
			if f.fills[fn] {
				return true
			}
		}
	}
	return false
}

// isNewObject reports whether addr is a part of something that the function makes.
func isNewObject(addr ssa.Value) bool {
	switch v := origins(addr).(type) {
	case *ssa.Alloc:
		return true
	case *ssa.UnOp: // a captured variable that only ever holds that
		local, ok := v.X.(*ssa.Alloc)
		if !ok || v.Op != token.MUL {
			return false
		}
		st := access.OnlyStore(local)
		if st == nil {
			return false
		}
		_, made := st.Val.(*ssa.Alloc)
		return made
	}
	return false
}

// origins returns what addr is a part of.
func origins(addr ssa.Value) ssa.Value {
	for {
		field, ok := addr.(*ssa.FieldAddr)
		if !ok {
			return addr
		}
		addr = field.X
	}
}

// overwrites notes that st overwrites a struct as a whole, with the flags in it.
func (f *flags) overwrites(st *ssa.Store) {
	t, ok := st.Val.Type().Underlying().(*types.Struct)
	if _, isNew := st.Addr.(*ssa.Alloc); !ok || isNew {
		return
	}
	for i := range t.NumFields() {
		if class, field := access.FieldVar(st.Val.Type(), i); isFlag(field) {
			f.other[class] = true
		}
	}
}

func isTrue(v ssa.Value) bool  { return isConstant(v, true) }
func isFalse(v ssa.Value) bool { return isConstant(v, false) }

func isConstant(v ssa.Value, is bool) bool {
	c, ok := v.(*ssa.Const)
	return ok && c.Value != nil && c.Value.Kind() == constant.Bool && constant.BoolVal(c.Value) == is
}

// orders reports whether the flag class is set, and never reset. Of an exported one that is not known.
func (f *flags) orders(class access.Var) bool {
	return !class.IsZero() && !strings.Contains(class.Field, "$") && f.set[class] && !f.other[class] && !token.IsExported(class.Field)
}
