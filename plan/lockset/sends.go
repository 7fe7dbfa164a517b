package lockset

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file knows on which channels the functions of a package send. A receive from a channel on which
// nothing is ever sent tells that it was closed.

// channels is what a package does with channels. It is not safe for concurrent use.
type channels struct {
	classes map[access.Var]bool // fields and package variables that are sent on
	types   map[string]bool     // element types of channels that are sent on and come from elsewhere
	elems   map[access.Var]string
	lives   map[*ssa.MakeChan]*life
}

// life is what becomes of the channels made at one place.
type life struct {
	sent    bool // somebody sends on them
	escapes bool // not all that becomes of them is seen
}

// channelsOf returns what fns do with channels.
func channelsOf(fns []*ssa.Function) *channels {
	c := &channels{make(map[access.Var]bool), make(map[string]bool), make(map[access.Var]string), make(map[*ssa.MakeChan]*life)}
	for _, fn := range fns {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				switch instr := instr.(type) {
				case *ssa.Send:
					c.send(instr.Chan)
				case *ssa.Select:
					for _, st := range instr.States {
						if st.Dir == types.SendOnly {
							c.send(st.Chan)
						} else {
							c.note(st.Chan)
						}
					}
				case *ssa.UnOp:
					if instr.Op == token.ARROW {
						c.note(instr.X)
					}
				}
			}
		}
	}
	return c
}

// send notes a send on ch.
func (c *channels) send(ch ssa.Value) {
	switch made, class := origin(ch); {
	case made != nil && !c.life(made).escapes:
	case !class.IsZero():
		c.classes[class] = true
	default:
		c.types[elemType(ch)] = true
	}
}

// note notes the element type of ch, if it is a field or package variable.
func (c *channels) note(ch ssa.Value) {
	if _, class := origin(ch); !class.IsZero() {
		c.elems[class] = elemType(ch)
	}
}

func elemType(ch ssa.Value) string {
	if t, ok := ch.Type().Underlying().(*types.Chan); ok {
		return t.Elem().String()
	}
	return ""
}

// origin returns where the channel ch comes from: the place where it is made, or the field or package
// variable that it is loaded from. Both are zero when that is not seen.
func origin(ch ssa.Value) (*ssa.MakeChan, access.Var) {
	return originWithin(ch, maxHolders)
}

// maxHolders bounds how many locals are looked through that hold what another one holds; one may hold what it holds itself:
//
//	ch = ch
const maxHolders = 8

func originWithin(ch ssa.Value, holders int) (*ssa.MakeChan, access.Var) {
	switch v := ch.(type) {
	case *ssa.MakeChan:
		return v, access.Var{}
	case *ssa.ChangeType:
		return originWithin(v.X, holders)
	case *ssa.Field:
		class, _ := access.FieldVar(v.X.Type(), v.Field)
		return nil, class
	case *ssa.UnOp:
		if v.Op != token.MUL {
			break
		}
		switch addr := v.X.(type) {
		case *ssa.FieldAddr:
			class, _ := access.FieldVar(addr.X.Type(), addr.Field)
			return nil, class
		case *ssa.Global:
			return nil, access.GlobalVar(addr)
		case *ssa.Alloc:
			return assigned(addr, holders)
		case *ssa.FreeVar:
			if alloc, ok := captured(addr).(*ssa.Alloc); ok {
				return assigned(alloc, holders)
			}
		}
	}
	return nil, access.Var{}
}

// assigned returns the origin of what the variable v always holds.
func assigned(v *ssa.Alloc, holders int) (*ssa.MakeChan, access.Var) {
	if st := access.OnlyStore(v); st != nil && holders > 0 {
		return originWithin(st.Val, holders-1)
	}
	return nil, access.Var{}
}

// captured returns what the closure captured as v, where it is first made; nil when that is not known.
func captured(v *ssa.FreeVar) ssa.Value {
	fn := v.Parent()
	if fn.Parent() == nil {
		return nil
	}
	for _, b := range fn.Parent().Blocks {
		for _, instr := range b.Instrs {
			mc, ok := instr.(*ssa.MakeClosure)
			if !ok || mc.Fn != fn {
				continue
			}
			for i, f := range fn.FreeVars {
				if f != v {
					continue
				}
				if outer, ok := mc.Bindings[i].(*ssa.FreeVar); ok {
					return captured(outer)
				}
				return mc.Bindings[i]
			}
		}
	}
	return nil
}

// sentOn reports whether something may be sent on the channel that w is about; made is where it is made,
// if that is in the function.
func (c *channels) sentOn(w Signal, made *ssa.MakeChan) bool {
	if made != nil {
		if l := c.life(made); !l.escapes || l.sent {
			return l.sent
		}
		return c.types[elemType(made)] || c.anyClass(elemType(made))
	}
	if w.Class.IsZero() || token.IsExported(w.Class.Field) {
		return true
	}
	elem, ok := c.elems[w.Class]
	return !ok || c.classes[w.Class] || c.types[elem]
}

// anyClass reports whether a field or package variable with elements of type elem is sent on.
func (c *channels) anyClass(elem string) bool {
	for class := range c.classes {
		if e, ok := c.elems[class]; !ok || e == elem {
			return true
		}
	}
	return false
}

// life returns what becomes of the channels made at made.
func (c *channels) life(made *ssa.MakeChan) *life {
	l, ok := c.lives[made]
	if !ok {
		l = new(life)
		c.lives[made] = l
		l.follow(made, make(map[ssa.Value]bool))
	}
	return l
}

// follow adds what becomes of the channel v, or of the variable at v that holds it.
func (l *life) follow(v ssa.Value, seen map[ssa.Value]bool) {
	if seen[v] || onlyReceives(v.Type()) {
		return
	}
	seen[v] = true
	if v.Referrers() == nil {
		l.escapes = true
		return
	}
	for _, instr := range *v.Referrers() {
		switch instr := instr.(type) {
		case *ssa.DebugRef, *ssa.BinOp:
		case *ssa.Send:
			l.sent = l.sent || instr.Chan == v
			l.escapes = l.escapes || instr.X == v
		case *ssa.Select:
			for _, st := range instr.States {
				l.sent = l.sent || st.Chan == v && st.Dir == types.SendOnly
				l.escapes = l.escapes || st.Send == v
			}
		case *ssa.UnOp:
			if instr.Op == token.MUL {
				l.follow(instr, seen)
			}
		case *ssa.ChangeType:
			l.follow(instr, seen)
		case *ssa.Store:
			l.stored(instr, v, seen)
		case *ssa.MakeClosure:
			l.bound(instr, v, seen)
		case ssa.CallInstruction:
			l.passed(instr.Common(), v, seen)
		default:
			l.escapes = true
		}
	}
}

// onlyReceives reports whether a channel of type t can be neither sent on nor closed.
func onlyReceives(t types.Type) bool {
	ch, ok := t.Underlying().(*types.Chan)
	return ok && ch.Dir() == types.RecvOnly
}

func (l *life) stored(st *ssa.Store, v ssa.Value, seen map[ssa.Value]bool) {
	alloc, ok := st.Addr.(*ssa.Alloc)
	switch {
	case st.Addr == v: // the making, or another channel: then nothing can be said of the variable
		l.escapes = l.escapes || !ok || access.OnlyStore(alloc) == nil
	case ok && access.OnlyStore(alloc) == st:
		l.follow(alloc, seen)
	default:
		l.escapes = true
	}
}

func (l *life) bound(mc *ssa.MakeClosure, v ssa.Value, seen map[ssa.Value]bool) {
	fn := mc.Fn.(*ssa.Function)
	for i, b := range mc.Bindings {
		switch {
		case b != v:
		case i >= len(fn.FreeVars):
			l.escapes = true
		default:
			l.follow(fn.FreeVars[i], seen)
		}
	}
}

func (l *life) passed(call *ssa.CallCommon, v ssa.Value, seen map[ssa.Value]bool) {
	if _, ok := call.Value.(*ssa.Builtin); ok {
		return // len, cap, close
	}
	fn := call.StaticCallee()
	for i, arg := range call.Args {
		switch {
		case arg != v:
		case fn == nil || call.IsInvoke():
			l.escapes = true
		default:
			if o := fn.Origin(); o != nil {
				fn = o
			}
			if len(fn.Blocks) == 0 || i >= len(fn.Params) {
				l.escapes = true
				return
			}
			l.follow(fn.Params[i], seen)
		}
	}
}
