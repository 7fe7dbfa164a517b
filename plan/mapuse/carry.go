package mapuse

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file finds where a map leaves the section that it was read in inside of something else:
//
//	s.mu.Lock()
//	v := view{Rows: s.rows}
//	s.mu.Unlock()
//	json.Marshal(v)
//
// What is put in something that others have already has left at once. Something new carries it: to where that is
// used without the locks that were held.

// carrier is a struct or map that the function makes, and a map that it put there.
type carrier struct {
	made ssa.Value
	load ssa.Value // of the map
	held lockset.Set
}

// carries follows what instr does with maps that are put somewhere else.
func (c *Collector) carries(fn *lockset.Func, instr ssa.Instruction, at lockset.View) {
	if c.carryFn != fn.SSA {
		c.carryFn, c.carriers, c.reads = fn.SSA, nil, make(map[ssa.Value]lockset.Set)
	}
	switch instr := instr.(type) {
	case *ssa.DebugRef, *ssa.FieldAddr:
		return
	case *ssa.UnOp:
		if access.IsMap(instr.Type()) {
			c.reads[instr] = held(at)
		}
	case *ssa.Call:
		if access.IsMap(instr.Type()) {
			c.reads[instr] = held(at)
		}
	case *ssa.Store:
		if access.IsMap(instr.Val.Type()) && c.putIn(fn, instr.Addr, instr.Val, at) {
			return
		}
	case *ssa.MapUpdate:
		if v := unboxed(instr.Value); access.IsMap(v.Type()) && c.putIn(fn, instr.Map, v, at) {
			return
		}
	case *ssa.MakeInterface:
		if c.boxes(instr) {
			return
		}
	}
	c.leavesIn(fn, instr, at)
}

// held returns the locks that are held in any case.
func held(at lockset.View) lockset.Set {
	points := at.Points()
	if len(points) == 0 {
		return nil
	}
	out := points[0].Held
	for _, p := range points[1:] {
		out = lockset.Join(out, p.Held)
	}
	return slices.DeleteFunc(slices.Clone(out), func(h lockset.Held) bool { return h.Once })
}

// unboxed returns what v is before it becomes an interface.
func unboxed(v ssa.Value) ssa.Value {
	if box, ok := v.(*ssa.MakeInterface); ok {
		return box.X
	}
	return v
}

// putIn notes that the map v is put in what is at to. It reports whether it is one that was read in a section.
func (c *Collector) putIn(fn *lockset.Func, to, v ssa.Value, at lockset.View) bool {
	read, known := c.reads[v]
	from := fn.Names.Ref(v)
	if !known || !from.Read.IsValid() || from.Var.IsZero() || from.Depth > 0 {
		return false
	}
	var made ssa.Value
	switch addr := to.(type) {
	case *ssa.FieldAddr:
		if into := fn.Names.Ref(addr); into.Var == from.Var || into.Path.Root == from.Path.Root {
			return false // see twin.go
		}
		made = origin(addr)
	case *ssa.MakeMap:
		made = addr
	default:
		return false
	}
	switch made.(type) {
	case *ssa.Alloc, *ssa.MakeMap:
		c.carriers = append(c.carriers, carrier{made, v, read})
	default:
		if !at.Owned(fn.Names.Ref(made).Path) && !ofPackage(read) {
			c.alias(fn, v, false, at)
		}
	}
	return true
}

// ofPackage reports whether a lock of a package is among held: what two of its objects share is used under that.
func ofPackage(held lockset.Set) bool {
	return slices.ContainsFunc(held, func(h lockset.Held) bool { return h.Path.Root.Kind == access.Global })
}

// origin returns what addr is a field of.
func origin(addr *ssa.FieldAddr) ssa.Value {
	if outer, ok := addr.X.(*ssa.FieldAddr); ok {
		return origin(outer)
	}
	return addr.X
}

// boxes reports whether instr makes an interface of a map that is put in a carrier only.
func (c *Collector) boxes(instr *ssa.MakeInterface) bool {
	_, known := c.reads[instr.X]
	return known && !slices.ContainsFunc(*instr.Referrers(), func(ref ssa.Instruction) bool {
		_, put := ref.(*ssa.MapUpdate)
		return !put
	})
}

// leavesIn adds the maps that leave in what instr uses.
func (c *Collector) leavesIn(fn *lockset.Func, instr ssa.Instruction, at lockset.View) {
	if len(c.carriers) == 0 {
		return
	}
	var rest []carrier
	for _, k := range c.carriers {
		if st, ok := instr.(*ssa.Store); ok && isValueOf(st.Val, k.made) {
			if local, ok := st.Addr.(*ssa.Alloc); ok {
				rest = append(rest, k, carrier{local, k.load, k.held})
				continue
			}
		}
		if uses(instr, k.made) && !c.still(k, instr, at) {
			c.alias(fn, k.load, false, at)
			continue
		}
		rest = append(rest, k)
	}
	c.carriers = rest
}

// still reports whether all locks are held at instr that were held where the map of k was read.
func (c *Collector) still(k carrier, instr ssa.Instruction, at lockset.View) bool {
	now := held(at)
	if isReturn(instr) && len(k.held) == 0 {
		return true // the caller may hold what it likes
	}
	return len(k.held) > 0 && !slices.ContainsFunc(k.held, func(h lockset.Held) bool {
		_, ok := now.Find(h.Path)
		return !ok
	})
}

func isReturn(instr ssa.Instruction) bool {
	_, ok := instr.(*ssa.Return)
	return ok
}

// uses reports whether instr does something with made, or with its value: other than filling it.
func uses(instr ssa.Instruction, made ssa.Value) bool {
	if load, ok := instr.(*ssa.UnOp); ok && load.X == made {
		return false // see where the value goes
	}
	if put, ok := instr.(*ssa.MapUpdate); ok && put.Map == made {
		return put.Value == made
	}
	operands := instr.Operands(nil)
	if ret, ok := instr.(*ssa.Return); ok {
		for _, v := range access.Results(ret) {
			operands = append(operands, &v)
		}
	}
	return slices.ContainsFunc(operands, func(op *ssa.Value) bool { return isValueOf(*op, made) })
}

// isValueOf reports whether v is made, or the struct at that place.
func isValueOf(v, made ssa.Value) bool {
	if load, ok := v.(*ssa.UnOp); ok && load.Op == token.MUL && load.X == made {
		_, isStruct := load.Type().Underlying().(*types.Struct)
		return isStruct
	}
	return v == made
}
