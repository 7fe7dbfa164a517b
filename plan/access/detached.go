package access

import (
	"go/constant"
	"go/token"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// This file tells what was taken out of its variable from what only left the section that it was read in:
//
//	s.mu.Lock()
//	old := s.m
//	s.m = nil
//	s.mu.Unlock()
//	for k := range old { ... } // nobody else can reach it

// Detached reports whether v, a map or an element of one, was taken out of where it was read from before
// the instruction at, or when at is nil, wherever the function ends.
func (n *Names) Detached(v ssa.Value, at ssa.Instruction) bool {
	d := detaching{n, make(map[ssa.Value]bool), false}
	return d.detached(v, at)
}

// OwnerDetached reports whether the owner of the map v was an element of a map, and was removed there in the section that it
// was found in before the instruction at: whoever did that is the only one who has it.
//
//	s.mu.Lock()
//	c := s.conns[addr]
//	delete(s.conns, addr)
//	s.mu.Unlock()
//	clear(c.streams)
func (n *Names) OwnerDetached(v ssa.Value, at ssa.Instruction) bool {
	load, ok := v.(*ssa.UnOp)
	if !ok || load.Op != token.MUL {
		return false
	}
	field, ok := load.X.(*ssa.FieldAddr)
	if !ok {
		return false
	}
	d := detaching{n, make(map[ssa.Value]bool), true}
	return d.detached(field.X, at)
}

// detaching is the question whether something was taken out.
type detaching struct {
	*Names
	seen       map[ssa.Value]bool // the locals and choices on the way to it: one may be what it holds already
	oneSection bool               // no lock is given back before
}

// detached is Detached, or OwnerDetached.
func (d *detaching) detached(v ssa.Value, at ssa.Instruction) bool {
	switch v := v.(type) {
	case *ssa.UnOp:
		if v.Op != token.MUL {
			return false
		}
		if local, ok := v.X.(*ssa.Alloc); ok {
			return d.detached(local, at)
		}
		return d.replaced(v, at)
	case *ssa.Alloc:
		if d.seen[v] {
			return false
		}
		d.seen[v] = true
		stores, _ := storesTo(v, make(map[ssa.Value]bool))
		return len(stores) == 1 && stores[0].Parent() == d.fn && d.detached(stores[0].Val, at)
	case *ssa.Phi: // taken out in some cases, and nothing in the others
		if d.seen[v] {
			return true
		}
		d.seen[v] = true
		some := false
		for i, edge := range v.Edges {
			if k, ok := edge.(*ssa.Const); ok && k.IsNil() {
				continue
			}
			some = true
			from := v.Block().Preds[i].Instrs
			if !d.detached(edge, from[len(from)-1]) {
				return false
			}
		}
		return some
	case *ssa.Slice:
		return d.detached(v.X, at)
	case *ssa.ChangeType:
		return d.detached(v.X, at)
	case *ssa.Lookup:
		return d.removed(v, v.X, v.Index, at)
	case *ssa.Extract:
		switch t := v.Tuple.(type) {
		case *ssa.Lookup:
			return v.Index == 0 && d.removed(v, t.X, t.Index, at)
		case *ssa.Next:
			r, ok := t.Iter.(*ssa.Range)
			return ok && v.Index == 2 && d.removed(v, r.X, keyOf(t), at)
		}
	}
	return false
}

// replaced reports whether the map variable that load reads is assigned between load and at.
func (n *Names) replaced(load *ssa.UnOp, at ssa.Instruction) bool {
	if isKept(load, make(map[ssa.Value]bool)) {
		return false
	}
	for _, instr := range n.taking() {
		if call, ok := instr.(*ssa.Call); ok && ComesBefore(load, call) && (at == nil || ComesBefore(call, at)) && slices.Contains(n.callees.Renews(call), n.Ref(load.X).Path) && !n.Unlocked(load, call) {
			return true
		}
		st, ok := instr.(*ssa.Store)
		if !ok {
			continue
		}
		if _, local := st.Addr.(*ssa.Alloc); local && st.Addr != load.X {
			continue // a local variable gets the map
		}
		if ComesBefore(load, st) && (at == nil || ComesBefore(st, at)) && n.Place(st.Addr) == n.Ref(load.X).Path && !n.Unlocked(load, st) {
			return true
		}
	}
	return false
}

// isKept reports whether the map v is also put in a field of something that is there already, or in a package variable.
// seen are the local variables and choices that were looked at, by which it may get there.
func isKept(v ssa.Value, seen map[ssa.Value]bool) bool {
	return slices.ContainsFunc(*v.Referrers(), func(instr ssa.Instruction) bool {
		if phi, ok := instr.(*ssa.Phi); ok && !seen[phi] {
			seen[phi] = true
			return isKept(phi, seen)
		}
		st, ok := instr.(*ssa.Store)
		if !ok || st.Val != v {
			return false
		}
		switch addr := st.Addr.(type) {
		case *ssa.Alloc:
			if seen[addr] {
				return false
			}
			seen[addr] = true
			return slices.ContainsFunc(*addr.Referrers(), func(instr ssa.Instruction) bool {
				load, ok := instr.(*ssa.UnOp)
				return ok && load.Op == token.MUL && isKept(load, seen)
			})
		case *ssa.FieldAddr:
			return !isNew(addr.X)
		case *ssa.Global:
			return true
		}
		return false
	})
}

// Unlocked reports whether a lock is given back between from and to: whoever takes it meanwhile finds what from found.
func (n *Names) Unlocked(from, to ssa.Instruction) bool {
	if n.unlocks == nil {
		n.unlocks = make([]*ssa.Call, 0)
		for _, b := range n.fn.Blocks {
			for _, instr := range b.Instrs {
				if call, ok := instr.(*ssa.Call); ok && isUnlock(call) {
					n.unlocks = append(n.unlocks, call)
				}
			}
		}
	}
	return slices.ContainsFunc(n.unlocks, func(call *ssa.Call) bool { return ComesBefore(from, call) && ComesBefore(call, to) })
}

func isUnlock(call *ssa.Call) bool {
	name := ""
	if c := call.Common(); c.IsInvoke() {
		name = c.Method.Name()
	} else if fn := c.StaticCallee(); fn != nil {
		name = fn.Name()
	}
	return name == "Unlock" || name == "RUnlock"
}

// removed reports whether what v read from m at key has gone from m before the instruction at, or m itself
// was taken out of its variable.
func (d *detaching) removed(v ssa.Value, m, key ssa.Value, at ssa.Instruction) bool {
	if d.detached(m, at) {
		return true
	}
	for _, instr := range d.taking() {
		gone := func() bool {
			from := v.(ssa.Instruction)
			return ComesBefore(from, instr) && (at == nil || ComesBefore(instr, at)) && !(d.oneSection && d.Unlocked(from, instr))
		}
		switch instr := instr.(type) {
		case *ssa.MapUpdate:
			if d.Ref(instr.Map).Path == d.Ref(m).Path && d.SameKey(instr.Key, key) && !partOf(instr.Value, v) && gone() {
				return true
			}
		case *ssa.Call:
			args := instr.Call.Args
			if _, ok := instr.Call.Value.(*ssa.Builtin); !ok {
				continue
			}
			if d.Ref(args[0]).Path == d.Ref(m).Path && (len(args) == 1 || d.SameKey(args[1], key)) && gone() {
				return true
			}
		}
	}
	return false
}

// taking returns the instructions that assign a map variable or an element of a map, or remove one, and the calls that
// lead to what gives a variable another map.
func (n *Names) taking() []ssa.Instruction {
	if n.taken != nil {
		return n.taken
	}
	n.taken = []ssa.Instruction{}
	for _, b := range n.fn.Blocks {
		for _, instr := range b.Instrs {
			switch i := instr.(type) {
			case *ssa.Store:
				if IsMap(i.Val.Type()) {
					n.taken = append(n.taken, instr)
				}
			case *ssa.MapUpdate:
				n.taken = append(n.taken, instr)
			case *ssa.Call:
				b, ok := i.Call.Value.(*ssa.Builtin)
				if ok && (b.Name() == "delete" || b.Name() == "clear" && IsMap(i.Call.Args[0].Type())) || len(n.callees.Renews(i)) > 0 {
					n.taken = append(n.taken, instr)
				}
			}
		}
	}
	return n.taken
}

// keyOf returns the key that next produces, or nil when nobody looks at it.
func keyOf(next *ssa.Next) ssa.Value {
	for _, instr := range *next.Referrers() {
		if e, ok := instr.(*ssa.Extract); ok && e.Index == 1 {
			return e
		}
	}
	return nil
}

// SameKey reports whether x and y are seen to be one key.
func (n *Names) SameKey(x, y ssa.Value) bool {
	if x == nil || y == nil {
		return false
	}
	if x == y {
		return true
	}
	a, aConst := x.(*ssa.Const)
	b, bConst := y.(*ssa.Const)
	if aConst || bConst {
		return aConst && bConst && a.Value != nil && b.Value != nil && constant.Compare(a.Value, token.EQL, b.Value)
	}
	p, q := n.Ref(x).Path, n.Ref(y).Path
	return p == q && p.Sel != ""
}

// partOf reports whether v is made of what the slice whole is made of: append(whole[:i], whole[i+1:]...).
func partOf(v, whole ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Slice:
		return v.X == whole || partOf(v.X, whole)
	case *ssa.Call:
		for _, arg := range v.Call.Args {
			if arg == whole || partOf(arg, whole) {
				return true
			}
		}
	}
	return v == whole
}

// ComesBefore reports whether every execution that comes to b has come to a.
func ComesBefore(a, b ssa.Instruction) bool {
	if a.Block() != b.Block() {
		return a.Block().Dominates(b.Block())
	}
	for _, instr := range a.Block().Instrs {
		if instr == a {
			return true
		}
		if instr == b {
			return false
		}
	}
	return false
}
