package lockset

import (
	"go/token"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// This file finds loops that wait for another goroutine by looking again and again:
//
//	for !s.isDone() {
//		runtime.Gosched()
//	}
//
// What they wait for may be done by a goroutine that needs a lock which is held around the loop.
//
// A loop is taken for one when something that decides in it may only come from elsewhere, and nothing that the loop does
// itself ends it: a count, a walk along a list, what a call that changes something returns.

// spin is a loop that waits.
type spin struct {
	pos     token.Pos // of something in the loop
	in      []bool    // by index of the block
	reached bool
	held    Set // around the whole loop, in one alternative or other
}

// passes notes that control stands somewhere in the loop, with the locks of s held.
func (sp *spin) passes(s *state) {
	var held Set
	for _, p := range s.points() {
		held = Union(held, p.Held)
	}
	if sp.reached {
		held = Join(sp.held, held)
	}
	sp.held, sp.reached = held, true
}

// spinsOf returns the loops of the function that wait.
func (a *analysis) spinsOf() []*spin {
	var out []*spin
	for _, blocks := range nestedLoops(a.fn.Blocks) {
		l := a.cycleOf(blocks)
		if pos, ok := l.spins(); ok {
			sp := &spin{pos: pos, in: make([]bool, len(a.fn.Blocks))}
			for _, b := range blocks {
				sp.in[b.Index] = true
			}
			out = append(out, sp)
		}
	}
	if call := a.waitsAgain(); call != nil {
		sp := &spin{pos: call.Pos(), in: make([]bool, len(a.fn.Blocks))}
		sp.in[call.Block().Index] = true
		out = append(out, sp)
	}
	return out
}

// waitsAgain returns a call by which the function looks again for what another goroutine does:
//
//	func (s *S) wait() {
//		if !s.done.Load() {
//			s.wait()
//		}
//	}
func (a *analysis) waitsAgain() *ssa.Call {
	var again *ssa.Call
	for _, b := range a.fn.Blocks {
		for _, instr := range b.Instrs {
			if call, ok := instr.(*ssa.Call); ok && a.isAgain(call) {
				again = call
			}
		}
	}
	if again == nil {
		return nil
	}
	l := a.cycleOf(a.fn.Blocks)
	var waits cause
	for _, b := range l.blocks {
		if test, ok := b.Instrs[len(b.Instrs)-1].(*ssa.If); ok {
			waits |= l.cause(test.Cond)
		}
	}
	if changes, stores := l.changes(); changes || stores {
		waits &= asks
	}
	if waits&(asks|looks|asked) == 0 {
		return nil
	}
	return again
}

// isAgain reports whether call is of the function itself, with the arguments that it was called with.
func (a *analysis) isAgain(call *ssa.Call) bool {
	if call.Call.StaticCallee() != a.fn {
		return false
	}
	for i, arg := range call.Call.Args {
		if _, fixed := arg.(*ssa.Const); !fixed && arg != ssa.Value(a.fn.Params[i]) {
			return false
		}
	}
	return true
}

// nestedLoops returns the loops among blocks, the block where each begins first, and those in them.
func nestedLoops(blocks []*ssa.BasicBlock) [][]*ssa.BasicBlock {
	in := setOf(blocks)
	var out [][]*ssa.BasicBlock
	for _, scc := range components(blocks, func(b *ssa.BasicBlock) []*ssa.BasicBlock {
		return slices.DeleteFunc(slices.Clone(b.Succs), func(c *ssa.BasicBlock) bool { return !in[c] })
	}) {
		if len(scc) == 1 && !slices.Contains(scc[0].Succs, scc[0]) {
			continue
		}
		slices.SortFunc(scc, func(b, c *ssa.BasicBlock) int { return b.Index - c.Index })
		loop := setOf(scc)
		head := max(0, slices.IndexFunc(scc, func(b *ssa.BasicBlock) bool {
			return slices.ContainsFunc(b.Preds, func(p *ssa.BasicBlock) bool { return !loop[p] })
		}))
		scc[0], scc[head] = scc[head], scc[0]
		out = append(out, scc)
		out = append(out, nestedLoops(scc[1:])...)
	}
	return out
}

func setOf(blocks []*ssa.BasicBlock) map[*ssa.BasicBlock]bool {
	in := make(map[*ssa.BasicBlock]bool, len(blocks))
	for _, b := range blocks {
		in[b] = true
	}
	return in
}

// cycle is a loop, and what is known about the values in it.
type cycle struct {
	a      *analysis
	blocks []*ssa.BasicBlock // the first is where it begins
	in     map[*ssa.BasicBlock]bool
	own    map[ssa.Value]bool // phis that depend on themselves, by more than staying as they are
	stores map[any][]*ssa.Store
	memo   map[ssa.Value]cause
	tested map[ssa.Instruction]bool // calls of what is not known that decide
}

func (a *analysis) cycleOf(blocks []*ssa.BasicBlock) *cycle {
	l := &cycle{a: a, blocks: blocks, in: setOf(blocks), own: make(map[ssa.Value]bool), stores: make(map[any][]*ssa.Store), memo: make(map[ssa.Value]cause), tested: make(map[ssa.Instruction]bool)}
	var values []ssa.Value
	for _, b := range blocks {
		for _, instr := range b.Instrs {
			if v, ok := instr.(ssa.Value); ok {
				values = append(values, v)
			}
			if st, ok := instr.(*ssa.Store); ok {
				place := placeOf(st.Addr)
				l.stores[place] = append(l.stores[place], st)
			}
		}
	}
	for _, scc := range components(values, l.operands) {
		if slices.ContainsFunc(scc, func(v ssa.Value) bool { _, phi := v.(*ssa.Phi); return !phi }) && len(scc) > 1 {
			for _, v := range scc {
				l.own[v] = true
			}
		}
	}
	return l
}

// operands returns the values in the loop that v is made from.
func (l *cycle) operands(v ssa.Value) []ssa.Value {
	var out []ssa.Value
	for _, op := range v.(ssa.Instruction).Operands(nil) {
		if *op != nil && l.has(*op) {
			out = append(out, *op)
		}
	}
	return out
}

func (l *cycle) has(v ssa.Value) bool {
	instr, ok := v.(ssa.Instruction)
	return ok && l.in[instr.Block()]
}

// spins reports whether the loop waits, and where.
func (l *cycle) spins() (pos token.Pos, ok bool) {
	var waits cause
	exits := false
	for _, b := range l.blocks {
		test, ok := b.Instrs[len(b.Instrs)-1].(*ssa.If)
		if !ok {
			continue
		}
		c := l.cause(test.Cond)
		if !l.in[b.Succs[0]] || !l.in[b.Succs[1]] {
			exits = true
			if c&counts != 0 && c&asks == 0 && l.everyRound(b) {
				return 0, false
			}
		}
		if c&(counts|varies) != 0 {
			c &= asks
		}
		if now := c & (asks | looks | asked); now != 0 && !pos.IsValid() {
			pos = l.posIn(b)
		}
		waits |= c
	}
	changes, stores := l.changes()
	if changes {
		waits &= asks
	}
	if stores {
		waits &= asks | looks
	}
	return pos, exits && waits&(asks|looks|asked) != 0
}

// everyRound reports whether every round of the loop passes b.
func (l *cycle) everyRound(b *ssa.BasicBlock) bool {
	return !slices.ContainsFunc(l.blocks[0].Preds, func(p *ssa.BasicBlock) bool { return l.in[p] && !b.Dominates(p) })
}

// changes reports whether the loop changes something other than by a plain store, and whether it stores.
func (l *cycle) changes() (changes, stores bool) {
	for _, b := range l.blocks {
		for _, instr := range b.Instrs {
			switch instr := instr.(type) {
			case *ssa.Store:
				stores = stores || changesIn(instr.Addr) != 0
				continue
			case *ssa.MapUpdate:
				changes = true
			case *ssa.Call:
				if b, ok := instr.Call.Value.(*ssa.Builtin); ok && b.Name() == "append" {
					changes = true
				}
			}
			d := l.a.deeds(instr)
			changes = changes || d&Changes != 0 || d&Guesses != 0 && !l.tested[instr]
		}
	}
	return changes, stores
}

// posIn returns the place of something in the loop, in b if it can.
func (l *cycle) posIn(b *ssa.BasicBlock) token.Pos {
	for _, c := range append([]*ssa.BasicBlock{b}, l.blocks...) {
		for _, instr := range c.Instrs {
			switch instr.(type) {
			case *ssa.Phi, *ssa.Alloc:
				continue
			}
			if instr.Pos().IsValid() {
				return instr.Pos()
			}
		}
	}
	return token.NoPos
}
