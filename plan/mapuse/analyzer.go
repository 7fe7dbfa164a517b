package mapuse

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/model"
)

// This file turns instructions into uses.

// Collector gathers the uses of one package. Its Visit method is for lockset.Config.
type Collector struct {
	Mentions *Mentions
	Uses     []Use
	Built    []Built
	Brought  []Brought
	Passed   map[Passed]token.Pos // where; to be made by the caller

	fresh   bool            // the map that is being stored was made in the function
	empties bool            // the map that is being stored is nil
	valued  bool            // the value that is being looked up goes somewhere
	given   bool            // the value that is being stored was given to the function
	removed bool            // the owner of the map was removed from where it was found
	instr   ssa.Instruction // the one being visited

	locked   map[*types.Struct]bool // see hasLock
	sections sections               // of the function at hand
	check    token.Pos              // the look-up in an earlier section that the store at hand goes by
	twins    []twin                 // second owners filled in twinFn, see twin.go
	twinFn   *ssa.Function
	carriers []carrier // what is filled with maps in carryFn, see carry.go
	carryFn  *ssa.Function
	reads    map[ssa.Value]lockset.Set // the locks that are held where carryFn reads a map
}

// Built is an assignment of a map variable while only one goroutine could reach its owner.
type Built struct {
	Var access.Var
	Pos token.Pos
}

// Visit adds the uses that instr makes.
func (c *Collector) Visit(fn *lockset.Func, instr ssa.Instruction, at lockset.View) {
	c.instr = instr
	c.puts(fn, instr, at)
	c.carries(fn, instr, at)
	switch instr := instr.(type) {
	case *ssa.Lookup:
		if access.IsMap(instr.X.Type()) {
			c.valued = hasValue(instr)
			c.add(fn, instr.X, Index, c.Mentions.Operand(instr.Pos()), at)
			c.valued = false
		}
	case *ssa.MapUpdate:
		c.bringsElement(fn, instr)
		c.given = isGiven(fn, instr.Value)
		c.check = c.checked(fn, instr, at)
		defer func() { c.given, c.check = false, token.NoPos }()
		c.add(fn, instr.Map, Store, c.Mentions.Operand(instr.Pos()), at)
	case *ssa.Range:
		if access.IsMap(instr.X.Type()) {
			c.add(fn, instr.X, Range, c.Mentions.Operand(instr.Pos()), at)
		}
	case *ssa.Next:
		if r, ok := instr.Iter.(*ssa.Range); ok && access.IsMap(r.X.Type()) {
			c.add(fn, r.X, Range, c.Mentions.Operand(r.Pos()), at)
		}
	case *ssa.UnOp:
		switch {
		case instr.Op != token.MUL:
		case access.IsMap(instr.Type()):
			c.load(fn, instr, at)
		default:
			c.element(fn, instr.X, ReadElement, at)
		}
	case *ssa.Field:
		if access.IsMap(instr.Type()) {
			c.add(fn, instr, Load, instr.Pos(), at)
		}
	case *ssa.Store:
		c.brings(fn, instr)
		if access.IsMap(instr.Val.Type()) {
			c.fills(fn, instr, at)
			c.replace(fn, instr, at)
		} else {
			c.assigned(fn, instr, at)
			c.element(fn, instr.Addr, WriteElement, at)
		}
	case *ssa.Return:
		c.returns(fn, instr, at)
		c.leaves(fn, instr, at)
	case *ssa.Send:
		c.sends(fn, instr.X, at)
	case *ssa.Select:
		for _, st := range instr.States {
			if st.Send != nil {
				c.sends(fn, st.Send, at)
			}
		}
	case *ssa.Go:
		c.goes(instr)
	case ssa.CallInstruction:
		c.hands(fn, instr)
		c.call(fn, instr, at)
	}
}

// goes adds what a builtin that a goroutine runs does to a map.
func (c *Collector) goes(instr *ssa.Go) {
	key := lockset.GoBuiltin(instr)
	if key == "" {
		return
	}
	op := Delete
	if instr.Call.Value.Name() == "clear" {
		op = Clear
	}
	m := access.Ref{Path: access.Path{Root: access.Root{Kind: access.Param}}}
	c.Uses = append(c.Uses, Use{Func: key, Ref: m, Op: op, Pos: c.Mentions.Operand(instr.Call.Pos())})
}

// hasValue reports whether the value that instr looks up goes somewhere: it does not when only its
// presence is asked for.
func hasValue(instr *ssa.Lookup) bool {
	values := []ssa.Value{instr}
	if instr.CommaOk {
		values = nil
		for _, ref := range *instr.Referrers() {
			if e, ok := ref.(*ssa.Extract); ok && e.Index == 0 {
				values = append(values, e)
			}
		}
	}
	for _, v := range values {
		for _, ref := range *v.Referrers() {
			if cmp, ok := ref.(*ssa.BinOp); !ok || cmp.Op != token.EQL && cmp.Op != token.NEQ {
				return true
			}
		}
	}
	return false
}

// load adds the read of a variable. What a local variable holds was read before:
//
//	defer s.mu.Unlock()
//	return s.m // go/ssa keeps it in a local until the deferred calls have run
func (c *Collector) load(fn *lockset.Func, instr *ssa.UnOp, at lockset.View) {
	if _, local := instr.X.(*ssa.Alloc); local && fn.Names.Ref(instr.X).Read.IsValid() {
		return
	}
	if pos := fn.Names.ReadPos(instr); pos.IsValid() {
		c.addRef(fn, fn.Names.Ref(instr.X), Load, pos, at)
	}
}

// replace adds the assignment of a variable that is not a local of the function.
func (c *Collector) replace(fn *lockset.Func, instr *ssa.Store, at lockset.View) {
	pos := instr.Pos()
	switch addr := instr.Addr.(type) {
	case *ssa.FieldAddr:
		pos = addr.Pos()
	case *ssa.Alloc:
		return // the declaration, or a new map for a local
	case *ssa.IndexAddr:
		if fn.Names.Place(addr) != fn.Names.Ref(addr).Path {
			return // an element of a literal
		}
	}
	if ref := fn.Names.Ref(instr.Addr); at.Owned(ref.Path) && !ref.Var.IsZero() {
		c.Built = append(c.Built, Built{ref.Var, pos})
	}
	c.fresh, c.empties = at.Owned(fn.Names.Ref(instr.Val).Path), empties(instr)
	added := len(c.Uses)
	c.addRef(fn, fn.Names.Ref(instr.Addr), Replace, pos, at)
	for i := range c.Uses[added:] {
		c.Uses[added+i].Nil = at.IsNil(instr.Val)
	}
	c.fresh, c.empties = false, false
}

// empties reports whether instr, whatever way the function goes, sets a map to nil.
func empties(instr *ssa.Store) bool {
	if k, ok := instr.Val.(*ssa.Const); !ok || !k.IsNil() {
		return false
	}
	for _, b := range instr.Parent().Blocks {
		if _, returns := b.Instrs[len(b.Instrs)-1].(*ssa.Return); returns && !instr.Block().Dominates(b) {
			return false
		}
	}
	return true
}

func (c *Collector) call(fn *lockset.Func, call ssa.CallInstruction, at lockset.View) {
	common := call.Common()
	if b, ok := common.Value.(*ssa.Builtin); ok {
		c.builtin(fn, b.Name(), common, at)
		return
	}
	c.iterate(fn, common, at)
	if fn.HasBody(call) {
		for _, l := range fn.Looks(call) {
			c.looked(fn, l.Key, common, l.Param, at)
		}
		return
	}
	key := ""
	if callee := common.StaticCallee(); callee != nil {
		key = access.FuncKey(callee)
	}
	c.external(fn, key, common, at)
	for i, arg := range common.Args {
		pos := c.Mentions.Argument(common.Pos(), common, i)
		switch {
		case access.IsMap(arg.Type()):
			c.argument(fn, arg, model.MapUse(key, i), pos, at)
		case model.Fills(key):
			c.filled(fn, arg, pos, at)
		case model.ReadsAll(key):
			c.looked(fn, key, common, i, at)
		}
	}
}

// argument adds what a function without a body does with a map.
func (c *Collector) argument(fn *lockset.Func, arg ssa.Value, does model.MapArg, pos token.Pos, at lockset.View) {
	switch does {
	case model.Writes:
		c.add(fn, arg, Write, pos, at)
	case model.Aliases: // whoever runs the iterator reads
	default:
		c.add(fn, arg, Read, pos, at)
	}
}

// iterate adds the read of a map through an iterator over it: f(yield), slices.Collect(f). The iterator may come from a
// function that returns it.
func (c *Collector) iterate(fn *lockset.Func, call *ssa.CallCommon, at lockset.View) {
	for i, v := range append([]ssa.Value{call.Value}, call.Args...) {
		if src, ok := iteratorOver(v); ok {
			pos := c.Mentions.Operand(src.Pos())
			c.add(fn, src.Call.Args[0], Range, pos, at)
			continue
		}
		if made, ok := v.(*ssa.Call); ok && isIterator(v.Type()) && fn.HasBody(made) {
			pos := made.Pos()
			if i > 0 {
				pos = c.Mentions.Argument(call.Pos(), call, i-1)
			}
			c.add(fn, v, Range, pos, at)
		}
	}
}

func iteratorOver(v ssa.Value) (*ssa.Call, bool) {
	call, ok := v.(*ssa.Call)
	if !ok {
		if ct, isChange := v.(*ssa.ChangeType); isChange {
			return iteratorOver(ct.X)
		}
		return nil, false
	}
	callee := call.Call.StaticCallee()
	if callee == nil || model.MapUse(access.FuncKey(callee), 0) != model.Aliases {
		return nil, false
	}
	return call, true
}

// variadic returns the values that go/ssa packed in the slice v for a variadic call, or v itself.
func variadic(v ssa.Value) []ssa.Value {
	if slice, ok := v.(*ssa.Slice); ok {
		if _, own := slice.X.(*ssa.Alloc); own {
			return access.Packed(slice)
		}
	}
	return []ssa.Value{v}
}

func isPointerToMap(t types.Type) bool {
	p, ok := t.Underlying().(*types.Pointer)
	return ok && access.IsMap(p.Elem())
}

func (c *Collector) builtin(fn *lockset.Func, name string, call *ssa.CallCommon, at lockset.View) {
	if len(call.Args) == 0 {
		return
	}
	if !access.IsMap(call.Args[0].Type()) {
		c.slice(fn, name, call, at)
		return
	}
	pos := c.Mentions.Operand(call.Pos())
	switch name {
	case "delete":
		c.add(fn, call.Args[0], Delete, pos, at)
	case "clear":
		c.add(fn, call.Args[0], Clear, pos, at)
	case "len":
		c.add(fn, call.Args[0], Len, pos, at)
	}
}

func (c *Collector) add(fn *lockset.Func, m ssa.Value, op Op, pos token.Pos, at lockset.View) {
	if op.Part() == Entries && fn.Names.Detached(m, c.instr) {
		return
	}
	c.removed = fn.Names.OwnerDetached(m, c.instr)
	defer func() { c.removed = false }()
	c.addRef(fn, fn.Names.Ref(m), op, pos, at.Reaching(m))
	if in := published(fn, m, c.instr); op.Part() == Entries && !in.Var.IsZero() {
		c.addRef(fn, in, op, pos, at)
	}
}

func (c *Collector) addRef(fn *lockset.Func, ref access.Ref, op Op, pos token.Pos, at lockset.View) {
	if at.Owned(ref.Path) || pos == token.NoPos {
		return
	}
	bare := ref.Var.IsZero() && ref.Path.Root.Kind != access.Param && ref.Path.Root.Kind != access.Free
	if bare || op.Part() == Header && ref.Var.IsZero() {
		return // no variable that another function could name
	}
	ref, points := at.Known(ref)
	for _, p := range points {
		c.Uses = append(c.Uses, Use{Func: fn.Key, Ref: ref, Op: op, At: p, After: at.After(), Alone: at.Confided(ref.Path), Pos: pos, Fresh: c.fresh, Empties: c.empties, Checked: c.check, Valued: c.valued, Given: c.given, Removed: c.removed})
	}
}
