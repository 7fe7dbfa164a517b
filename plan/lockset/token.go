package lockset

import (
	"go/token"
	"go/types"
	"maps"
	"slices"
	"sync"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file knows the locks that a package makes of something else, a channel with room for one value or a number that
// is changed atomically:
//
//	s.sema <- struct{}{}
//	defer func() { <-s.sema }()
//
//	if s.busy.CompareAndSwap(false, true) {
//		defer s.busy.Store(false)
//
// A field or package variable is one when nothing else is done with it, and whoever takes it also gives it back, in the
// same function or by one that only does that. A channel by which goroutines wake or count each other is none.

// tokens is which fields and package variables are locks, and whether taking one is a receive, and which are claims, see
// claim.go. It is not safe for concurrent use.
type tokens struct {
	locks  map[access.Var]bool
	claims map[access.Var]bool
}

// tokenUses is what is done with those that may be one.
type tokenUses map[access.Var]*tokenUse

// tokenUse is what the functions of a package do with a channel or an atomic variable. Closures count as the function that
// they stand in.
type tokenUse struct {
	channel bool
	made    map[*ssa.Function]bool // who makes a channel for it
	sends   map[*ssa.Function]bool // who sends on it, or sets the variable from zero to something else
	takes   map[*ssa.Function]bool // who receives, or sets the variable to zero
	other   bool                   // it is used in another way
	leaves  bool                   // some function makes the variable something else than zero, and is told whether it did
	again   bool                   // it may become zero again
}

// tokensOf returns the locks that fns make of something else.
func tokensOf(fns []*ssa.Function) tokens {
	uses := make(tokenUses)
	for _, fn := range fns {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				uses.instr(outermost(fn), instr)
			}
		}
	}
	found := tokens{make(map[access.Var]bool), make(map[access.Var]bool)}
	callers := sync.OnceValue(func() map[*ssa.Function][]*ssa.Function { return callersOf(fns) })
	for class, u := range uses {
		if lock, filled := u.isLock(callers); lock && !token.IsExported(class.Field) {
			found.locks[class] = filled
		}
		if u.isClaim(class) {
			found.claims[class] = true
		}
	}
	return found
}

// outermost returns the function of the program that fn is, or stands in.
func outermost(fn *ssa.Function) *ssa.Function {
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	return fn
}

// of returns what is done with class.
func (t tokenUses) of(class access.Var) *tokenUse {
	if t[class] == nil {
		set := func() map[*ssa.Function]bool { return make(map[*ssa.Function]bool) }
		t[class] = &tokenUse{made: set(), sends: set(), takes: set()}
	}
	return t[class]
}

func (t tokenUses) instr(fn *ssa.Function, instr ssa.Instruction) {
	switch instr := instr.(type) {
	case *ssa.FieldAddr:
		class, typ := access.FieldVar(instr.X.Type(), instr.Field)
		if isTokenType(typ) && !class.IsZero() {
			for _, ref := range *instr.Referrers() {
				t.usedBy(fn, class, instr, ref)
			}
		}
		return
	case *ssa.Field:
		if class, typ := access.FieldVar(instr.X.Type(), instr.Field); isTokenType(typ) && !class.IsZero() {
			t.of(class).anything() // of a copy
		}
	case *ssa.Store:
		t.overwrites(instr)
	}
	for _, op := range instr.Operands(nil) {
		if g, ok := (*op).(*ssa.Global); ok && isTokenType(g.Type().Underlying().(*types.Pointer).Elem()) {
			t.usedBy(fn, access.GlobalVar(g), g, instr)
		}
	}
}

// isTokenType reports whether what is of type t can be a lock: a channel, or what is changed atomically.
func isTokenType(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Chan:
		return u.Dir() == types.SendRecv && access.PointsNowhere(u.Elem())
	case *types.Basic:
		return u.Info()&types.IsInteger != 0
	}
	return model.IsAtomic(typeName(t))
}

// overwrites notes that st overwrites a struct as a whole, with what in it may be a lock.
func (t tokenUses) overwrites(st *ssa.Store) {
	s, ok := st.Val.Type().Underlying().(*types.Struct)
	if _, isNew := st.Addr.(*ssa.Alloc); !ok || isNew {
		return
	}
	for i := range s.NumFields() {
		if class, typ := access.FieldVar(st.Val.Type(), i); isTokenType(typ) && !class.IsZero() {
			t.of(class).anything()
		}
	}
}

// usedBy notes that instr, in fn, uses class at addr.
func (t tokenUses) usedBy(fn *ssa.Function, class access.Var, addr ssa.Value, instr ssa.Instruction) {
	u := t.of(class)
	switch instr := instr.(type) {
	case *ssa.DebugRef:
		return
	case *ssa.Store:
		if ch, ok := instr.Val.(*ssa.MakeChan); ok && instr.Addr == addr && isInt(ch.Size, 1) {
			u.channel, u.made[fn] = true, true
			for _, ref := range *ch.Referrers() {
				switch ref := ref.(type) {
				case *ssa.DebugRef:
				case *ssa.Send:
					u.sends[fn] = true
				default:
					u.other = u.other || ref != instr
				}
			}
			return
		}
	case *ssa.UnOp:
		if _, ok := instr.Type().Underlying().(*types.Chan); ok && instr.Op == token.MUL {
			u.loaded(fn, instr)
			return
		}
	case ssa.CallInstruction:
		c := instr.Common()
		callee := c.StaticCallee()
		if callee == nil || len(c.Args) == 0 || c.Args[0] != addr {
			break
		}
		key := access.FuncKey(callee)
		u.leaves = u.leaves || leavesZero(key, c)
		u.again = u.again || !staysClaimed(key, c, addr)
		switch op := model.Atomic(key); {
		case op == model.AtomicLoad:
			return
		case op == model.AtomicSwap && isZeroConst(c.Args[1]) && isOtherConst(c.Args[2]):
			u.sends[fn] = true
			return
		case op == model.AtomicStore && isZeroConst(c.Args[1]):
			u.takes[fn] = true
			return
		case op != 0:
			u.other = true
			return
		}
	}
	u.anything()
}

// anything notes that anything may become of it.
func (u *tokenUse) anything() { u.other, u.again = true, true }

// loaded notes what becomes of ch, a channel that fn loads.
func (u *tokenUse) loaded(fn *ssa.Function, ch *ssa.UnOp) {
	for _, ref := range *ch.Referrers() {
		switch ref := ref.(type) {
		case *ssa.DebugRef:
		case *ssa.Send:
			u.sends[fn] = true
		case *ssa.UnOp:
			u.takes[fn] = true
			u.other = u.other || ref.Op != token.ARROW || ref.CommaOk
		case *ssa.Select:
			for _, st := range ref.States {
				switch {
				case st.Chan != ch:
				case st.Dir == types.SendOnly:
					u.sends[fn] = true
				default:
					u.takes[fn] = true
				}
			}
		case *ssa.Call:
			b, ok := ref.Call.Value.(*ssa.Builtin)
			u.other = u.other || !ok || b.Name() == "close"
		default:
			u.other = true
		}
	}
}

// isZeroConst reports whether v is the constant 0 or false.
func isZeroConst(v ssa.Value) bool { return isInt(v, 0) || isFalse(v) }

// isOtherConst reports whether v is another constant.
func isOtherConst(v ssa.Value) bool {
	_, ok := v.(*ssa.Const)
	return ok && !isZeroConst(v)
}

// isLock reports whether fns use it as a lock, and whether it is taken by what gives a channel its value back: one that is
// filled where it is made.
func (u *tokenUse) isLock(callers func() map[*ssa.Function][]*ssa.Function) (lock, filled bool) {
	full := 0
	for fn := range u.made {
		if u.takes[fn] {
			u.other = true
		}
		if u.sends[fn] {
			full++
			delete(u.sends, fn)
		}
	}
	filled = full > 0
	if u.other || filled && full < len(u.made) || u.channel != (len(u.made) > 0) {
		return false, false
	}
	return len(u.sends) > 0 && len(u.takes) > 0 && !u.isNamed() && u.balanced(callers), filled
}

// isNamed reports whether it is the inside of a type with the methods of a lock, which is taken at its name.
func (u *tokenUse) isNamed() bool {
	for _, does := range []map[*ssa.Function]bool{u.sends, u.takes} {
		for fn := range does {
			if fn.Signature.Recv() != nil && !model.Lock(fn.Name()).IsZero() {
				return true
			}
		}
	}
	return false
}

// balanced reports whether each function that does one of the two things, by itself or by one that does nothing else, also
// does the other one, or is handed the lock.
func (u *tokenUse) balanced(callers func() map[*ssa.Function][]*ssa.Function) bool {
	some, others := u.sends, u.takes
	half := func(fn *ssa.Function) bool { return some[fn] != others[fn] }
	seen := make(map[*ssa.Function]bool)
	for {
		ready := make(map[*ssa.Function]bool) // that call none which is not seen yet
		for _, does := range []map[*ssa.Function]bool{some, others} {
			for fn := range does {
				ready[fn] = ready[fn] || half(fn) && !seen[fn]
			}
		}
		for callee, is := range maps.Clone(ready) {
			for _, fn := range callers()[callee] {
				ready[fn] = ready[fn] && !is
			}
		}
		maps.DeleteFunc(ready, func(_ *ssa.Function, is bool) bool { return !is })
		if len(ready) == 0 {
			break
		}
		for callee := range ready {
			seen[callee] = true
			does := some
			if others[callee] {
				does = others
			}
			for _, fn := range callers()[callee] {
				does[fn] = true
			}
		}
	}
	for _, does := range []map[*ssa.Function]bool{some, others} {
		for fn := range does {
			if half(fn) && !u.isHelper(fn) && !u.isHanded(fn, half, callers()[fn]) {
				return false
			}
		}
	}
	return true
}

// isHanded reports whether fn, which sets the variable to zero, is only called, or started, by callers that take the lock
// for it:
//
//	if c.busy.CompareAndSwap(false, true) {
//		go c.refresh() // with defer c.busy.Store(false)
//	}
//
// Of a channel that would be what wakes a goroutine just as well.
func (u *tokenUse) isHanded(fn *ssa.Function, half func(*ssa.Function) bool, callers []*ssa.Function) bool {
	return !u.channel && u.takes[fn] && len(callers) > 0 && !token.IsExported(fn.Name()) && !slices.ContainsFunc(callers, half)
}

// callersOf returns those of fns that call another function, or mention it, by that. Closures count as the function that they
// stand in.
func callersOf(fns []*ssa.Function) map[*ssa.Function][]*ssa.Function {
	out := make(map[*ssa.Function][]*ssa.Function)
	for _, fn := range fns {
		from := outermost(fn)
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				for _, op := range instr.Operands(nil) {
					if to, ok := (*op).(*ssa.Function); ok && methodOf(to) != from {
						out[methodOf(to)] = append(out[methodOf(to)], from)
					}
				}
			}
		}
	}
	return out
}

// methodOf returns the function of the program that fn is, stands in, or calls with a receiver that it was given.
func methodOf(fn *ssa.Function) *ssa.Function {
	if m, ok := fn.Object().(*types.Func); ok && fn.Synthetic != "" {
		if method := fn.Prog.FuncValue(m); method != nil {
			return method
		}
	}
	return outermost(fn)
}

// isHelper reports whether fn uses no map and changes nothing that is not its own, so that it may be there to take the lock,
// or to give it back.
func (u *tokenUse) isHelper(fn *ssa.Function) bool {
	if fn.Signature.Recv() == nil && (fn.Name() == "main" || fn.Name() == "init") {
		return false // nobody calls it who could do the rest
	}
	if slices.ContainsFunc(fn.AnonFuncs, func(inner *ssa.Function) bool { return !u.isHelper(inner) }) {
		return false
	}
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			if slices.ContainsFunc(instr.Operands(nil), func(op *ssa.Value) bool { return *op != nil && access.IsMap((*op).Type()) }) {
				return false
			}
			switch instr := instr.(type) {
			case *ssa.Go:
				return false
			case *ssa.Store:
				if _, local := instr.Addr.(*ssa.Alloc); !local {
					return false
				}
			}
			if u.channel && InLoop(b, nil) {
				return false // it waits again and again: for what others do, and not for its turn
			}
		}
	}
	return true
}
