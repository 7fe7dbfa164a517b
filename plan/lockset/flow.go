package lockset

import (
	"go/token"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file runs the forward analysis of one function to its fixed point.

// state is what is known before an instruction. States are never changed in place, except by the
// transfer function that owns a copy.
type state struct {
	alts    []alternative // empty: not reached
	escaped rootSet       // made here and visible to other goroutines on some path
	public  rootSet       // those of escaped that others may see than goroutines which the function started
	lent    rootSet       // made here and on some path kept in something that the function was given
	after   []Started     // goroutines that may run
	waited  []Signal      // what the function was told, on every way
	tells   []Signal      // what it told, on every way, and did nothing since
	sent    []access.Path // channels that it may have sent on, for the first time
	senders []access.Path // channels on which what is sent may tell no end
	owed    Set           // what callers hold until the function gives it back, once that is known
}

func joinStates(s, t state) (out state, changed bool) {
	if len(s.alts) == 0 {
		return t, len(t.alts) > 0
	}
	out = s
	for _, a := range t.alts {
		out.alts = merge(out.alts, a)
	}
	var more, public, lent bool
	out.escaped, more = s.escaped.union(t.escaped)
	out.public, public = s.public.union(t.public)
	out.lent, lent = s.lent.union(t.lent)
	for _, a := range t.after {
		out.after = addStarted(out.after, a)
	}
	out.waited, out.tells = both(s.waited, t.waited), both(s.tells, t.tells)
	out.sent, out.senders = addPaths(s.sent, t.sent), addPaths(s.senders, t.senders)
	changed = more || public || lent || len(out.after) != len(s.after) || !sameAlternatives(out.alts, s.alts) ||
		len(out.waited) != len(s.waited) || len(out.tells) != len(s.tells) || len(out.sent) != len(s.sent) || len(out.senders) != len(s.senders)
	return out, changed
}

func addPaths(ps, qs []access.Path) []access.Path {
	for _, q := range qs {
		ps = addPath(ps, q)
	}
	return ps
}

func sameAlternatives(as, bs []alternative) bool {
	return slices.EqualFunc(as, bs, func(a, b alternative) bool {
		return a.equal(b.Point) && slices.Equal(a.defers, b.defers) && slices.Equal(a.assumed, b.assumed)
	})
}

// renewed drops what the alternatives of s assumed about v, which is about to get a new value.
func (s *state) renewed(v ssa.Value) {
	cloned := false
	for i, alt := range s.alts {
		if !alt.assumes(v) {
			continue
		}
		if !cloned {
			s.alts, cloned = slices.Clone(s.alts), true
		}
		s.alts[i] = alt.forget(v)
	}
}

// points returns the distinct visible points of s.
func (s *state) points() []Point {
	var out []Point
	for _, a := range s.alts {
		a.Held = withOwed(a.Point, s.owed)
		given := a.given()
		if i := slices.IndexFunc(out, a.equal); i >= 0 {
			out[i].Given = slices.DeleteFunc(out[i].Given, func(g Given) bool { return !slices.Contains(given, g) })
			continue
		}
		p := a.Point
		p.Given = given
		out = append(out, p)
	}
	if len(out) == 1 {
		out[0].Given = nil // the locks do not depend on it
	}
	return out
}

// maxVisits is how often a block is looked at before its alternatives collapse.
const maxVisits = 6

// run computes the state at the entry of each block.
func (a *analysis) run() []state {
	in := make([]state, len(a.fn.Blocks))
	in[0] = state{alts: []alternative{{Point: a.beforeFlags(a.beforeClose())}}}
	work := []int{0}
	queued := make([]bool, len(in))
	visits := make([]int, len(in))
	for len(work) > 0 {
		i := work[0]
		work = work[1:]
		queued[i] = false
		b := a.fn.Blocks[i]
		out := a.block(b, in[i])
		if visits[i]++; visits[i] > maxVisits && len(out.alts) > 0 { // Inv: the domain is finite; this only bounds the time
			out.alts = []alternative{collapse(out.alts)}
			out.alts[0].assumed = nil
		}
		for n, succ := range b.Succs {
			next, ok := a.edge(b, n, out)
			if !ok {
				continue
			}
			joined, changed := joinStates(in[succ.Index], next)
			if changed {
				in[succ.Index] = joined
				if !queued[succ.Index] {
					queued[succ.Index] = true
					work = append(work, succ.Index)
					slices.Sort(work) // low indices first: close to reverse postorder
				}
			}
		}
	}
	return in
}

// edge returns what of out flows to successor number n of b.
func (a *analysis) edge(b *ssa.BasicBlock, n int, out state) (state, bool) {
	succ := b.Succs[n]
	pred := 0
	for i, p := range succ.Preds {
		if p == b {
			pred = i
			if len(b.Succs) == 2 && b.Succs[0] == b.Succs[1] && n == 1 && i+1 < len(succ.Preds) && succ.Preds[i+1] == b {
				pred = i + 1
			}
			break
		}
	}
	next := out
	next.alts = nil
	var tested ssa.Value
	test, _ := b.Instrs[len(b.Instrs)-1].(*ssa.If)
	if test != nil {
		tested = a.tested(test)
	}
	for _, alt := range out.alts {
		ok := true
		if test != nil {
			alt, ok = alt.branch(tested, n == 0)
		}
		if ok {
			next.alts = merge(next.alts, alt.through(succ, pred))
		}
	}
	if test != nil && len(next.alts) > 0 {
		a.told(test, n, &next)
		a.unset(test, n, &next)
		a.optional(test, n, &next)
		a.lockedAll(test, n, &next)
	}
	if test != nil && len(a.flagSets()) > 0 {
		a.first(succ, &next)
	}
	return next, len(next.alts) > 0
}

// block runs s through b. While the analysis records, it reports each instruction on the way.
func (a *analysis) block(b *ssa.BasicBlock, s state) state {
	for _, instr := range b.Instrs {
		if a.rec != nil {
			a.rec.instr(instr, &s)
		}
		a.instr(instr, &s)
		if how := endingOf(instr, a.bodyOf); how != model.Returns {
			if how == model.Unwinds {
				a.runDefers(b, &s)
			}
			s.alts = nil
			break
		}
	}
	return s
}

func (a *analysis) instr(instr ssa.Instruction, s *state) {
	if v, ok := instr.(ssa.Value); ok && !isPhi(v) { // what is assumed of a phi is of the way by which control came
		s.renewed(v)
	}
	if touches(instr) {
		s.tells = nil
	}
	switch instr := instr.(type) {
	case *ssa.Alloc, *ssa.MakeMap, *ssa.MakeChan, *ssa.MakeSlice, *ssa.MakeClosure:
		root := a.names.Ref(instr.(ssa.Value)).Path.Root
		a.renew(s, root)
		if a.names.Made(root) == instr.(ssa.Value) {
			a.rec.remakes(root, s)
			s.another(root)
		}
		switch instr := instr.(type) {
		case *ssa.MakeClosure:
			a.madeClosure(instr, s)
		case *ssa.Alloc:
			a.declaresLocal(instr, s)
		}
	case *ssa.MakeInterface:
		if runs, _ := calledBy(instr, a.library); !runs.IsZero() {
			a.shareRef(s, a.names.Ref(instr.X))
		}
	case *ssa.ChangeType:
		a.handOver(instr.X, a.library.FuncType(typeName(instr.Type())), s)
	case *ssa.Store:
		a.handOver(instr.Val, a.library.FuncField(fieldName(instr.Addr)), s)
		a.store(s, instr.Val, a.names.Place(instr.Addr))
		a.setsLocal(instr, s)
		a.assigned(instr, s)
		a.setting(instr, s)
	case *ssa.MapUpdate:
		to := a.names.Ref(instr.Map).Path.Elem()
		a.store(s, instr.Value, to)
		a.store(s, instr.Key, to)
	case *ssa.Phi:
		a.gather(s, instr.Edges, instr)
	case *ssa.Send:
		a.shareRef(s, a.names.Ref(instr.X))
		a.sends(a.names.Ref(instr.Chan), s)
		a.token(instr, instr.Chan, true, s)
	case *ssa.Select:
		for _, st := range instr.States {
			if st.Send != nil {
				a.shareRef(s, a.names.Ref(st.Send))
				a.maySend(a.names.Ref(st.Chan).Path, s)
			}
		}
	case *ssa.UnOp:
		if instr.Op == token.ARROW {
			a.received(instr, instr.X, false, s)
		}
		a.looking(instr, s)
		a.looksLocal(instr, s)
	case *ssa.Call:
		a.call(instr, s)
		a.stillUnset(instr.Block(), s)
	case *ssa.Go:
		a.goes(instr, s)
	case *ssa.Defer:
		for i, alt := range s.alts {
			if !slices.Contains(alt.defers, instr) {
				s.alts = slices.Clone(s.alts)
				s.alts[i].defers = append(slices.Clip(alt.defers), instr)
			}
		}
	case *ssa.RunDefers, *ssa.Panic:
		a.runDefers(instr.Block(), s)
	}
}

// runDefers runs the pending calls at the end of the block at, last in first out. Alternatives with different defers are run
// apart.
func (a *analysis) runDefers(at *ssa.BasicBlock, s *state) {
	out := *s
	out.alts = nil
	first := true
	for i := 0; i < len(s.alts); i++ {
		if slices.ContainsFunc(s.alts[:i], func(b alternative) bool { return slices.Equal(b.defers, s.alts[i].defers) }) {
			continue
		}
		sub := *s
		sub.alts = nil
		for _, b := range s.alts[i:] {
			if slices.Equal(b.defers, s.alts[i].defers) {
				b.defers = nil
				sub.alts = merge(sub.alts, b)
			}
		}
		pending := s.alts[i].defers
		for j := len(pending) - 1; j >= 0; j-- {
			if a.rec != nil {
				a.rec.deferred(pending[j], &sub)
			}
			a.call(pending[j], &sub)
			a.stillUnset(at, &sub)
		}
		if first {
			out, first = sub, false
		} else {
			out, _ = joinStates(out, sub)
		}
	}
	*s = out
}

func isPhi(v ssa.Value) bool {
	_, ok := v.(*ssa.Phi)
	return ok
}

func posOf(instr ssa.Instruction) token.Pos {
	if d, ok := instr.(*ssa.Defer); ok {
		return d.Call.Pos()
	}
	return instr.Pos()
}
