package lockset

import (
	"go/constant"
	"go/token"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file orders what comes before a flag is set and what comes after it was seen to be set:
//
//	s.m = load(); s.ready.Store(true)
//	if s.ready.Load() { use(s.m) }
//
// It is told like the close of a channel: a function that is going to set the flag, wherever it goes, holds it for
// writing until then; whoever saw that it is set holds it for reading. Around all uses of a flag that is a bool a lock
// beside it must be held. Unlike a close, setting a flag does not show that what comes before happens once: the one
// that found it unset, and took no lock since, was the first.

// FlagUse is a place where a flag is set, or seen to be set.
type FlagUse struct {
	Flag   access.Var
	Atomic bool
	Set    bool         // it is set here
	Locks  []access.Var // locks beside the flag that are held, for writing where it is set; sorted
}

// flagSet is an instruction that sets a flag.
type flagSet struct {
	ref   access.Ref
	block *ssa.BasicBlock
}

// flagSets returns the places at which the function sets flags, once.
func (a *analysis) flagSets() []flagSet {
	if a.sets != nil || len(a.flags.set) == 0 {
		return a.sets
	}
	a.sets = []flagSet{}
	for _, b := range a.fn.Blocks {
		for _, instr := range b.Instrs {
			if ref, ok := a.setsFlag(instr); ok && !InLoop(b, nil) {
				a.sets = append(a.sets, flagSet{ref, b})
			}
		}
	}
	return a.sets
}

// setsFlag returns the flag that instr sets.
func (a *analysis) setsFlag(instr ssa.Instruction) (access.Ref, bool) {
	var addr ssa.Value
	switch instr := instr.(type) {
	case *ssa.Store:
		if isTrue(instr.Val) {
			addr = instr.Addr
		}
	case ssa.CallInstruction:
		if c := instr.Common(); atomicOf(c) == model.AtomicStore && isOtherConst(c.Args[1]) {
			addr = c.Args[0]
		}
	}
	if addr == nil {
		return access.Ref{}, false
	}
	return a.flag(addr)
}

// looksAt returns the flag whose value v is.
func (a *analysis) looksAt(v ssa.Value) (access.Ref, bool) {
	switch v := v.(type) {
	case *ssa.UnOp:
		if v.Op == token.MUL && (isBool(v.Type()) || isNumber(v.Type())) {
			return a.flag(v.X)
		}
	case *ssa.Call:
		if atomicOf(v.Common()) == model.AtomicLoad {
			return a.flag(v.Call.Args[0])
		}
	}
	return access.Ref{}, false
}

// asks returns the flag that c is about, and what c is when that is set.
func (a *analysis) asks(c condition) (ref access.Ref, set, ok bool) {
	if c.index != -1 {
		return access.Ref{}, false, false
	}
	if ref, ok = a.looksAt(c.x); !ok {
		return ref, false, false
	}
	for _, s := range a.whenSet(c.x, ref) {
		if s.cond == c {
			return ref, s.is, true
		}
	}
	return ref, false, false
}

// whenSet returns what is known of v, the value of flag, when that is set; the opposite is known when it is not.
func (a *analysis) whenSet(v ssa.Value, flag access.Ref) []assumption {
	if isBool(v.Type()) {
		return []assumption{{condition{x: v, index: -1}, true}}
	}
	zero := constantText(ssa.NewConst(constant.MakeInt64(0), v.Type()))
	return []assumption{
		{condition{x: v, index: -1, y: zero, op: token.EQL}, false},
		{condition{x: v, index: -1, y: zero, op: token.GTR}, true},
		{condition{x: v, index: -1, y: a.flags.value[flag.Var], op: token.EQL}, true},
	}
}

// atomicOf returns what c does with a variable that is changed atomically.
func atomicOf(c *ssa.CallCommon) model.AtomicOp {
	fn := c.StaticCallee()
	if fn == nil || len(c.Args) == 0 {
		return 0
	}
	return model.Atomic(access.FuncKey(fn))
}

func isCallOf(c *ssa.CallCommon, key string) bool {
	fn := c.StaticCallee()
	return fn != nil && access.FuncKey(fn) == key && len(c.Args) > 0
}

// flag returns the flag at addr.
func (a *analysis) flag(addr ssa.Value) (access.Ref, bool) {
	switch addr.(type) {
	case *ssa.FieldAddr, *ssa.Global:
		ref := a.names.Ref(addr)
		return ref, a.flags.orders(ref.Var)
	}
	return access.Ref{}, false
}

// beforeFlags adds to p, the point at the start of the function, the flags that it is going to set wherever it goes.
func (a *analysis) beforeFlags(p Point) Point {
	for _, set := range a.flagSets() {
		if isOutside(set.ref.Path.Root) && a.willSet(set.ref.Path, a.fn.Blocks[0]) {
			p.Held = p.Held.With(Held{Path: set.ref.Path, Class: set.ref.Var, Mode: Write, Once: true, Flag: true})
		}
	}
	return p
}

// willSet reports whether whoever comes to the start of b and returns from the function sets the flag at path on the
// way.
func (a *analysis) willSet(path access.Path, from *ssa.BasicBlock) bool {
	sets := make(map[*ssa.BasicBlock]bool)
	for _, s := range a.flagSets() {
		if s.ref.Path == path {
			sets[s.block] = true
		}
	}
	reaches := false
	for b := range blocksFrom(from, func(b *ssa.BasicBlock) bool { return sets[b] }) {
		if sets[b] {
			reaches = true
		} else if _, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return); ok {
			return false
		}
	}
	return reaches
}

// setting handles that instr sets a flag, if it does.
func (a *analysis) setting(instr ssa.Instruction, s *state) {
	ref, ok := a.setsFlag(instr)
	if !ok {
		return
	}
	_, atomic := instr.(ssa.CallInstruction)
	a.rec.flagUse(ref, atomic, Write, s)
	a.rec.over(ref.Path, s)
	a.each(s, func(alt *alternative) {
		alt.Held = alt.Held.Without(ref.Path).With(Held{Path: ref.Path, Class: ref.Var, Mode: Read, Once: true, Flag: true})
	})
}

// looking handles that v is the value of a flag, if it is: where it turns out to be true, the flag is held for reading.
func (a *analysis) looking(v ssa.Value, s *state) {
	ref, ok := a.looksAt(v)
	if !ok {
		return
	}
	_, atomic := v.(*ssa.Call)
	if !atomic && !slices.ContainsFunc(s.alts, func(alt alternative) bool { return len(beside(ref, alt.Held, Read)) > 0 }) {
		return
	}
	a.rec.flagUse(ref, atomic, Read, s)
	var alts []alternative
	for _, alt := range s.alts {
		with := alt
		with.Held = with.Held.With(Held{Path: ref.Path, Class: ref.Var, Mode: Read, Once: true, Flag: true})
		for _, c := range a.whenSet(v, ref) {
			with, alt = with.assume(c.cond, c.is), alt.assume(c.cond, !c.is)
		}
		alts = merge(merge(alts, with), alt)
	}
	s.alts = alts
}

// unset notes what going to successor number n of the block that ends in test tells of a flag that is not set: a
// function that is now going to set it is the first, and so is one that may not, as long as it holds the lock without
// which nobody sets it.
func (a *analysis) unset(test *ssa.If, n int, s *state) {
	c, negated, ok := conditionOf(test.Cond)
	if !ok {
		return
	}
	ref, set, ok := a.asks(c)
	if !ok || set == ((n == 0) != negated) || !isOutside(ref.Path.Root) {
		return
	}
	_, atomic := c.x.(*ssa.Call)
	sets := a.willSet(ref.Path, test.Block().Succs[n])
	a.each(s, func(alt *alternative) {
		if sets || !atomic && len(beside(ref, alt.Held, Read)) > 0 {
			alt.Held = alt.Held.Without(ref.Path).With(Held{Path: ref.Path, Class: ref.Var, Mode: Write, Once: true, Flag: true, First: true})
		}
	})
}

// stillUnset forgets that flags were seen not to be set where the section has ended in which they were, before the end of
// b, which does not lead to where they are set.
func (a *analysis) stillUnset(b *ssa.BasicBlock, s *state) {
	gone := func(h Held, held Set) bool {
		return h.Flag && h.First && h.Mode == Write && len(beside(access.Ref{Path: h.Path, Var: h.Class}, held, Read)) == 0 && !a.willSet(h.Path, b)
	}
	if !slices.ContainsFunc(s.alts, func(alt alternative) bool {
		return slices.ContainsFunc(alt.Held, func(h Held) bool { return gone(h, alt.Held) })
	}) {
		return
	}
	a.each(s, func(alt *alternative) {
		held := alt.Held
		alt.Held = slices.DeleteFunc(slices.Clone(held), func(h Held) bool { return gone(h, held) })
	})
}

// dropFlags forgets the flags that were seen to be set on some of the ways to return only, where no result tells on
// which: most are tests of whether something is closed. facts are what is known of the results.
func dropFlags(returned []alternative, facts [][]fact) {
	dropped := make(map[access.Path]bool)
	for _, alt := range returned {
		for _, h := range alt.Held {
			if _, seen := dropped[h.Path]; h.Flag && !seen {
				dropped[h.Path] = !tells(h.Path, returned, facts)
			}
		}
	}
	for i := range returned {
		for path, drop := range dropped {
			if drop {
				returned[i].Held = returned[i].Held.Without(path)
			}
		}
	}
}

// tells reports whether the lock at path is held on all ways to return, or a result is one thing on those on which it
// is not, and something else, or unknown, on the others.
func tells(path access.Path, returned []alternative, facts [][]fact) bool {
	var without []fact
	lacks := false
	for i, alt := range returned {
		if _, held := alt.Held.Find(path); held {
			continue
		}
		if !lacks {
			without, lacks = slices.Clone(facts[i]), true
		}
		for k, f := range facts[i] {
			if without[k] != f {
				without[k] = fact{}
			}
		}
	}
	if !lacks {
		return true
	}
	for k, f := range without {
		if f.known && !alsoWith(path, k, f, returned, facts) {
			return true
		}
	}
	return false
}

// alsoWith reports whether result k is known to be f on one of the ways to return on which the lock at path is held.
func alsoWith(path access.Path, k int, f fact, returned []alternative, facts [][]fact) bool {
	for i, alt := range returned {
		if _, held := alt.Held.Find(path); held && facts[i][k] == f {
			return true
		}
	}
	return false
}

// first notes, where control comes to b and is now going to set a flag that was seen not to be set, and no lock was
// taken since, that nobody did before what comes before that:
//
//	if s.ready { return nil }
//	m, err := load()
//	if err != nil { return err }
//	s.m, s.ready = m, true
func (a *analysis) first(b *ssa.BasicBlock, s *state) {
	for _, set := range a.flagSets() {
		path := set.ref.Path
		if !isOutside(path.Root) || !a.willSet(path, b) {
			continue
		}
		a.each(s, func(alt *alternative) {
			if _, held := alt.Held.Find(path); !held && a.sawUnset(alt, path) {
				alt.Held = alt.Held.With(Held{Path: path, Class: set.ref.Var, Mode: Write, Once: true, Flag: true, First: true})
			}
		})
	}
}

// sawUnset reports whether alt goes by the flag at path not being set.
func (a *analysis) sawUnset(alt *alternative, path access.Path) bool {
	return slices.ContainsFunc(alt.assumed, func(s assumption) bool {
		ref, set, ok := a.asks(s.cond)
		return ok && s.is != set && ref.Path == path
	})
}

// forgetFlags returns as without what was seen of flags: it may have changed while a lock was waited for.
func (a *analysis) forgetFlags(as []assumption) []assumption {
	isFlag := func(s assumption) bool {
		_, set, ok := a.asks(s.cond)
		return ok && s.is != set
	}
	if len(a.flagSets()) == 0 || !slices.ContainsFunc(as, isFlag) {
		return as
	}
	return slices.DeleteFunc(slices.Clone(as), isFlag)
}

// beside returns the locks among held that stand beside flag and are held in mode, or a greater one.
func beside(flag access.Ref, held Set, mode Mode) []access.Var {
	owner, _ := flag.Path.Parent()
	var out []access.Var
	for _, h := range held {
		at, _ := h.Path.Parent()
		same := at == owner
		if flag.Path.Sel == "" {
			same = h.Path.Root.Kind == access.Global && h.Path.Sel == "" && h.Class.Package == flag.Var.Package
		}
		if same && !h.Once && !h.Copied && h.Mode >= mode {
			out = addVar(out, h.Class)
		}
	}
	return out
}

// flagUse notes that flag is set, or seen to be, with the locks beside it that are held in mode.
func (r *recorder) flagUse(flag access.Ref, atomic bool, mode Mode, s *state) {
	if r == nil {
		return
	}
	for _, p := range s.points() {
		r.body.Flags = append(r.body.Flags, FlagUse{Flag: flag.Var, Atomic: atomic, Set: mode == Write, Locks: beside(flag, p.Held, mode)})
	}
}

// afterWait returns alt as it stands after a wait at b that gave the lock back meanwhile: another may have set a flag that
// was not set before, and only where the function is going to set it, it goes on as before that.
func (a *analysis) afterWait(alt alternative, b *ssa.BasicBlock) alternative {
	alt.assumed = a.forgetFlags(alt.assumed)
	alt.Held = slices.DeleteFunc(slices.Clone(alt.Held), func(h Held) bool { return h.First && !a.willSet(h.Path, b) }).afterLock()
	return alt
}

// afterLock returns s as it stands after a lock was taken: while that was waited for, another may have set a flag that
// was not set before.
func (s Set) afterLock() Set {
	if !slices.ContainsFunc(s, func(h Held) bool { return h.First }) {
		return s
	}
	out := slices.Clone(s)
	for i := range out {
		out[i].First = false
	}
	return out
}
