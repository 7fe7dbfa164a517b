package lockset

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

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
// writing until then; whoever saw that it is set holds it for reading. A flag is an atomic.Bool, or a bool around
// whose uses a lock beside it is held, which is only ever set to true. Unlike a close, setting it does not show that
// what comes before happens once: the one that found it unset, and took no lock since, was the first.

// flags is what a package does with the boolean fields and variables of its types. It is not safe for concurrent use.
type flags struct {
	set   map[access.Var]bool // some function sets them to true, and changes maps before
	other map[access.Var]bool // something else may become of them
	fills map[*ssa.Function]bool
}

// FlagUse is a place where a flag is set, or seen to be set.
type FlagUse struct {
	Flag   access.Var
	Atomic bool
	Locks  []access.Var // locks beside the flag that are held, for writing where it is set; sorted
}

// flagsOf returns what fns do with flags.
func flagsOf(fns []*ssa.Function) *flags {
	f := &flags{make(map[access.Var]bool), make(map[access.Var]bool), fillers(fns)}
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
	return f
}

// isFlag reports whether what is of type t can be a flag.
func isFlag(t types.Type) bool { return isBool(t) || typeName(t) == model.AtomicBool }

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
			return
		}
	case *ssa.Store:
		if _, isNew := origins(addr).(*ssa.Alloc); instr.Addr == addr && (isTrue(instr.Val) || isNew && isFalse(instr.Val)) {
			f.sets(class, instr, isTrue(instr.Val))
			return
		}
	case ssa.CallInstruction:
		c := instr.Common()
		fn := c.StaticCallee()
		if fn == nil || len(c.Args) == 0 || c.Args[0] != addr {
			break
		}
		switch access.FuncKey(fn) {
		case model.FlagLoad:
			return
		case model.FlagStore:
			if isTrue(c.Args[1]) {
				f.sets(class, instr, true)
				return
			}
		case model.FlagSwap:
			if isFalse(c.Args[1]) && isTrue(c.Args[2]) {
				return
			}
		}
	}
	f.other[class] = true
}

// sets notes that instr sets the flag class, to true if on. One that nothing is done before orders nothing: most flags
// say that something is closed.
func (f *flags) sets(class access.Var, instr ssa.Instruction, on bool) {
	if !on || f.set[class] {
		return
	}
	for _, b := range instr.Parent().Blocks {
		for _, before := range b.Instrs {
			if f.isFill(before) && (access.ComesBefore(before, instr) || b != instr.Block() && reaches(b, instr.Block(), nil)) {
				f.set[class] = true
				return
			}
		}
	}
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
		if isMapType(instr.Val.Type()) {
			return true
		}
	case ssa.CallInstruction:
		b, ok := instr.Common().Value.(*ssa.Builtin)
		if isLen := ok && b.Name() == "len"; !isLen && slices.ContainsFunc(instr.Common().Args, func(v ssa.Value) bool { return isMapType(v.Type()) }) {
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

func isMapType(t types.Type) bool {
	_, ok := t.Underlying().(*types.Map)
	return ok
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
			if ref, ok := a.setsFlag(instr); ok && !inLoop(b, nil) {
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
		if c := instr.Common(); isCallOf(c, model.FlagStore) && isTrue(c.Args[1]) {
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
		if v.Op == token.MUL && isBool(v.Type()) {
			return a.flag(v.X)
		}
	case *ssa.Call:
		if isCallOf(v.Common(), model.FlagLoad) {
			return a.flag(v.Call.Args[0])
		}
	}
	return access.Ref{}, false
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
	seen := make(map[*ssa.BasicBlock]bool)
	stack := []*ssa.BasicBlock{from}
	for len(stack) > 0 {
		b := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch {
		case seen[b]:
			continue
		case sets[b]:
			reaches = true
			continue
		}
		seen[b] = true
		if _, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return); ok {
			return false
		}
		stack = append(stack, b.Succs...)
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
	cond := condition{x: v, index: -1}
	var alts []alternative
	for _, alt := range s.alts {
		with := alt
		with.Held = with.Held.With(Held{Path: ref.Path, Class: ref.Var, Mode: Read, Once: true, Flag: true})
		alts = merge(alts, with.assume(cond, true))
		alts = merge(alts, alt.assume(cond, false))
	}
	s.alts = alts
}

// unset notes what going to successor number n of the block that ends in test tells of a flag that is not set: a
// function that is now going to set it is the first.
func (a *analysis) unset(test *ssa.If, n int, s *state) {
	c, negated, ok := conditionOf(test.Cond)
	if !ok || c.op != token.ILLEGAL || (n == 0) != negated {
		return
	}
	ref, ok := a.looksAt(c.x)
	if !ok || !isOutside(ref.Path.Root) || !a.willSet(ref.Path, test.Block().Succs[n]) {
		return
	}
	a.each(s, func(alt *alternative) {
		alt.Held = alt.Held.Without(ref.Path).With(Held{Path: ref.Path, Class: ref.Var, Mode: Write, Once: true, Flag: true, First: true})
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
		r.body.Flags = append(r.body.Flags, FlagUse{Flag: flag.Var, Atomic: atomic, Locks: beside(flag, p.Held, mode)})
	}
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
