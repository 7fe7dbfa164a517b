package mapuse

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file finds where a map gets into a second owner of its type, which has locks of its own:
//
//	return &Deduper{next: next, seen: d.seen} // with another mtx
//
// From there on, whoever holds the lock of one owner does not exclude who holds the other's. A lock behind
// a pointer that goes along is one lock still.

// Twin says of a Load that it puts the map in another owner as well.
type Twin struct {
	Along []string // the references of the owner that are put there too, as Sels
}

// twin is a second owner that is being filled.
type twin struct {
	uses  []Use
	owner access.Path
}

// fills notes that instr puts a map in a second owner, which is looked for among what the function leaves
// behind.
func (c *Collector) fills(fn *lockset.Func, instr *ssa.Store, at lockset.View) {
	if c.twinFn != fn.SSA {
		c.twinFn, c.twins = fn.SSA, nil
	}
	load, ok := instr.Val.(*ssa.UnOp)
	if !ok || load.Op != token.MUL || instr.Pos() == token.NoPos {
		return
	}
	to, from := fn.Names.Ref(instr.Addr), fn.Names.Ref(load.X)
	if to.Path.Root == from.Path.Root || to.Var != from.Var || to.Var.Owner == "" || !outlives(fn, from.Path) || c.moves(fn, load, instr) {
		return
	}
	t := twin{}
	t.owner, _ = to.Path.Parent()
	source, _ := from.Path.Parent()
	addr, ok := instr.Addr.(*ssa.FieldAddr)
	if !ok {
		return
	}
	pos := instr.Pos()
	if f, ok := load.X.(*ssa.FieldAddr); ok {
		pos = f.Pos()
	}
	for _, p := range at.Points() {
		t.uses = append(t.uses, Use{Func: fn.Key, Ref: from, Op: Load, At: p, After: at.After(), Pos: pos, Twin: &Twin{along(fn, addr.X.Type(), t.owner, source)}})
	}
	if !at.Owned(t.owner) {
		c.Uses = append(c.Uses, t.uses...)
		return
	}
	c.twins = append(c.twins, t)
}

// outlives reports whether what p leads to is there before fn and after it: a part of a receiver or of a package
// variable. Of another argument it is not known whether the caller goes on with it.
func outlives(fn *lockset.Func, p access.Path) bool {
	r := p.Root
	return r.Kind == access.Global || r.Kind == access.Param && r.Index == 0 && fn.Method != ""
}

// moves reports whether the map that load takes from one owner for st to put in another leaves the first,
// or does not stay in the second.
func (c *Collector) moves(fn *lockset.Func, load *ssa.UnOp, st *ssa.Store) bool {
	for _, other := range mapStores(fn.SSA) {
		p := fn.Names.Ref(other.Addr).Path
		if other != st && (p == fn.Names.Ref(load.X).Path || p == fn.Names.Ref(st.Addr).Path) {
			return true
		}
	}
	return false
}

// along returns the pointers and interfaces among the fields of owner, a struct of type t, of which it does not
// have another than source: fn puts that there, or none. A lock that is nil nobody takes.
func along(fn *lockset.Func, t types.Type, owner, source access.Path) []string {
	st, ok := t.Underlying().(*types.Pointer).Elem().Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	other := make(map[int]bool)
	for _, b := range fn.SSA.Blocks {
		for _, instr := range b.Instrs {
			store, ok := instr.(*ssa.Store)
			if !ok {
				continue
			}
			if to, ok := store.Addr.(*ssa.FieldAddr); ok && fn.Names.Ref(to.X).Path == owner && !isField(fn, store.Val, to.Field, source) {
				other[to.Field] = true
			}
		}
	}
	var out []string
	for i := range st.NumFields() {
		switch st.Field(i).Type().Underlying().(type) {
		case *types.Pointer, *types.Interface:
			if !other[i] {
				out = append(out, "."+st.Field(i).Name())
			}
		}
	}
	return out
}

// isField reports whether v is what field i of source holds.
func isField(fn *lockset.Func, v ssa.Value, i int, source access.Path) bool {
	load, ok := v.(*ssa.UnOp)
	if !ok || load.Op != token.MUL {
		return false
	}
	from, ok := load.X.(*ssa.FieldAddr)
	return ok && from.Field == i && fn.Names.Ref(from.X).Path == source
}

// leaves adds the twins that are returned by instr, or that others can reach by then.
func (c *Collector) leaves(fn *lockset.Func, instr *ssa.Return, at lockset.View) {
	if c.twinFn != fn.SSA {
		return
	}
	var rest []twin
	for _, t := range c.twins {
		left := !at.Owned(t.owner)
		for _, v := range access.Results(instr) {
			left = left || fn.Names.Ref(v).Path.Root == t.owner.Root
		}
		if left {
			c.Uses = append(c.Uses, t.uses...)
		} else {
			rest = append(rest, t)
		}
	}
	c.twins = rest
}

// mapStores returns the assignments of maps in fn.
func mapStores(fn *ssa.Function) []*ssa.Store {
	var out []*ssa.Store
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			if st, ok := instr.(*ssa.Store); ok && access.IsMap(st.Val.Type()) {
				out = append(out, st)
			}
		}
	}
	return out
}
