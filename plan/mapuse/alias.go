package mapuse

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file finds where a map, or an iterator over one, goes to code that is not followed.

// returns adds the maps that a function returns to callers outside the program, a method to those that call it
// through an interface, or a closure to those that call its value. Other callers inside use what the result refers to, see
// access.Ref.
func (c *Collector) returns(fn *lockset.Func, instr *ssa.Return, at lockset.View) {
	if !fn.Exported && fn.Method == "" && !fn.Closure {
		return
	}
	for _, v := range access.Results(instr) {
		c.alias(fn, v, true, at)
	}
}

// sends adds a map that is sent to whoever receives it.
func (c *Collector) sends(fn *lockset.Func, v ssa.Value, at lockset.View) { c.alias(fn, v, false, at) }

// alias adds the use of v where it has left the function, without locks, unless it is handed over:
//
//	ch <- s.m
//	s.m = make(map[string]int)
//
// It leaves as a value of an interface, too.
func (c *Collector) alias(fn *lockset.Func, v ssa.Value, returned bool, at lockset.View) {
	v = unboxed(v)
	if !access.IsMap(v.Type()) && !isIterator(v.Type()) {
		return
	}
	ref := fn.Names.Ref(v)
	if !ref.Read.IsValid() || ref.Depth > 0 || ref.Var.IsZero() || at.Owned(ref.Path) || fn.Names.Detached(v, nil) {
		return
	}
	c.Uses = append(c.Uses, Use{Func: fn.Key, Ref: ref, Op: Alias, After: at.After(), Pos: ref.Read, Returned: returned})
	if returned && c.readFreely(fn, ref.Read) { // so that no section ends before what the caller does
		c.Uses = append(c.Uses, Use{Func: fn.Key, Ref: ref, Op: Read, After: at.After(), Pos: ref.Read, Returned: true})
	}
}

// readFreely reports whether fn reads the map variable at pos without a lock.
func (c *Collector) readFreely(fn *lockset.Func, pos token.Pos) bool {
	return slices.ContainsFunc(c.Uses, func(u Use) bool {
		return u.Func == fn.Key && u.Op == Load && u.Pos == pos && len(u.At.Held) == 0
	})
}

// isIterator reports whether t is a function that calls another for each entry of something.
func isIterator(t types.Type) bool {
	sig, ok := t.Underlying().(*types.Signature)
	if !ok || sig.Params().Len() != 1 || sig.Results().Len() != 0 {
		return false
	}
	yield, ok := sig.Params().At(0).Type().Underlying().(*types.Signature)
	return ok && yield.Results().Len() == 1
}
