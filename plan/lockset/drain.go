package lockset

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file counts: a loop that starts goroutines, each of which sends one value at its end, and one that
// receives as many values as the first has turns.
//
//	for _, x := range xs { go func() { errs <- do(x) }() }
//	for range xs { err := <-errs … } // then all have ended

// drained notes the receives of a loop that is over where control goes to successor number n of the block
// of test.
func (a *analysis) drained(test *ssa.If, n int, s *state) {
	if n != 1 || !slices.ContainsFunc(s.after, func(st Started) bool {
		return slices.ContainsFunc(st.Ends, func(e Signal) bool { return e.By == Sent })
	}) {
		return
	}
	l, ok := loopOf(test)
	if !ok {
		return
	}
	for _, recv := range a.receives() {
		if p := a.names.Ref(recv.X).Path; l.everyTurn(recv.Block()) && a.counts(p, s) {
			if l.turns.of == nil {
				s.receive(p, int(l.turns.n))
			}
			if a.asMany(p, l, s) {
				s.endSenders(p)
			}
		}
	}
}

// asMany reports whether all goroutines of s that send on the channel at p were started by one loop that
// has not more turns than l, each turn one.
func (a *analysis) asMany(p access.Path, l loop, s *state) bool {
	site := ""
	for _, st := range s.after {
		switch {
		case !st.tells(p, Sent):
		case site == "":
			site = st.Site
		case site != st.Site:
			return false
		}
	}
	start := a.starts[site]
	made := a.made(p.Root)
	if start == nil || made == nil {
		return false
	}
	for _, b := range a.fn.Blocks {
		test, ok := b.Instrs[len(b.Instrs)-1].(*ssa.If)
		if !ok || InLoop(start.Block(), b) || !InLoop(start.Block(), nil) {
			continue
		}
		first, ok := loopOf(test)
		if ok && first.has(start.Block()) && first.turns == l.turns && !Reaches(b.Succs[1], b, made.Block()) && !l.turns.changes(made) {
			return true
		}
	}
	return false
}

// receives returns the receives of the function.
func (a *analysis) receives() []*ssa.UnOp {
	if a.recvs == nil {
		a.recvs = []*ssa.UnOp{}
		for _, b := range a.fn.Blocks {
			for _, instr := range b.Instrs {
				if recv, ok := instr.(*ssa.UnOp); ok && recv.Op == token.ARROW {
					a.recvs = append(a.recvs, recv)
				}
			}
		}
	}
	return a.recvs
}

// loop is a loop that counts its turns from 0 up to a limit.
type loop struct {
	body, test *ssa.BasicBlock
	guard      bool // test comes before the loop, not at each turn
	turns      turns
}

// turns is how often a loop runs: n times if of is nil, else as often as of says.
type turns struct {
	n  int64
	of ssa.Value
	as string // "len" or "cap": of that
}

// loopOf returns the loop that ends at test when its condition is false. There are three shapes:
//
//	for i := 0; i < n; i++       // i < n before each turn
//	for i := range xs            // -1+1 < len(xs) before each turn
//	for i := range n             // 0 < n before the first, i+1 < n after each turn
func loopOf(test *ssa.If) (loop, bool) {
	cond, ok := test.Cond.(*ssa.BinOp)
	if !ok || cond.Op != token.LSS {
		return loop{}, false
	}
	l := loop{body: test.Block().Succs[0], test: test.Block(), turns: turnsOf(cond.Y)}
	switch x := cond.X.(type) {
	case *ssa.Const:
		l.guard = true
		return l, isInt(x, 0) && slices.ContainsFunc(l.body.Instrs, func(instr ssa.Instruction) bool {
			phi, ok := instr.(*ssa.Phi)
			return ok && countsFrom(phi, 0)
		})
	case *ssa.Phi:
		return l, x.Block() == l.test && countsFrom(x, 0)
	case *ssa.BinOp:
		phi, ok := x.X.(*ssa.Phi)
		if !ok || x.Op != token.ADD || !isInt(x.Y, 1) {
			return l, false
		}
		return l, phi.Block() == l.test && countsFrom(phi, -1) || phi.Block() == l.body && countsFrom(phi, 0)
	}
	return loop{}, false
}

// countsFrom reports whether phi is first, and one more each time control comes back to it.
func countsFrom(phi *ssa.Phi, first int64) bool {
	for _, e := range phi.Edges {
		next, ok := e.(*ssa.BinOp)
		if !isInt(e, first) && !(ok && next.Op == token.ADD && next.X == phi && isInt(next.Y, 1)) {
			return false
		}
	}
	return true
}

func isInt(v ssa.Value, n int64) bool {
	c, ok := v.(*ssa.Const)
	return ok && c.Value != nil && c.Value.Kind() == constant.Int && c.Int64() == n
}

// turnsOf returns what the limit v of a loop says. The length of a map is not the same at all times.
func turnsOf(v ssa.Value) turns { return turnsWithin(v, maxHolders) }

func turnsWithin(v ssa.Value, holders int) turns {
	v = heldBy(v)
	switch v := v.(type) {
	case *ssa.Const:
		if v.Value != nil && v.Value.Kind() == constant.Int {
			return turns{n: v.Int64()}
		}
	case *ssa.Call:
		b, ok := v.Call.Value.(*ssa.Builtin)
		if !ok || b.Name() != "len" && b.Name() != "cap" || holdsMap(v.Call.Args[0].Type()) {
			break
		}
		of := heldBy(v.Call.Args[0])
		if ch, ok := of.(*ssa.MakeChan); ok && b.Name() == "cap" && holders > 0 {
			return turnsWithin(ch.Size, holders-1)
		}
		if _, isChan := of.Type().Underlying().(*types.Chan); isChan && b.Name() == "len" {
			break // as many as are waiting there just now
		}
		return turns{of: of, as: b.Name()}
	}
	return turns{of: v}
}

// heldBy returns the value that v loads from a variable that is assigned once.
func heldBy(v ssa.Value) ssa.Value {
	for range maxHolders {
		load, ok := v.(*ssa.UnOp)
		if !ok || load.Op != token.MUL {
			return v
		}
		alloc, ok := load.X.(*ssa.Alloc)
		if !ok {
			return v
		}
		st := access.OnlyStore(alloc)
		if st == nil || st.Parent() != load.Parent() {
			return v
		}
		v = st.Val
	}
	return v
}

// changes reports whether t may be another number without that made makes another channel.
func (t turns) changes(made *ssa.MakeChan) bool {
	instr, ok := t.of.(ssa.Instruction)
	return ok && InLoop(instr.Block(), made.Block())
}

// has reports whether the turns of l pass through b.
func (l loop) has(b *ssa.BasicBlock) bool {
	return !l.guard && (l.body == b || l.body.Dominates(b)) && Reaches(b, l.test, nil)
}

// everyTurn reports whether each turn of l passes through b. Of a loop that is not entered all may be said.
func (l loop) everyTurn(b *ssa.BasicBlock) bool {
	return l.guard || (l.body == b || l.body.Dominates(b)) && !Reaches(l.body, l.test, b)
}
