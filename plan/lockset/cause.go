package lockset

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file finds what a value in a loop depends on: on what the loop does, or on what others do. It follows operands, and
// through a store in the loop what is loaded again; of the branches on the way it knows nothing, see spins.

// cause is what a value in a loop depends on.
type cause uint8

const (
	counts cause = 1 << iota // another one each round, by what the loop does
	varies                   // perhaps another one the next round, by what the loop does
	asks                     // what others do, whatever the loop does
	looks                    // a variable that the loop does not store to
	asked                    // a call of which it is not known what it goes by
)

// cause returns what v depends on.
func (l *cycle) cause(v ssa.Value) cause {
	if !l.has(v) {
		return 0
	}
	if c, ok := l.memo[v]; ok {
		return c
	}
	l.memo[v] = 0 // what v is made from may lead to v: that adds nothing
	c := l.causeOf(v)
	l.memo[v] = c
	return c
}

func (l *cycle) causeOf(v ssa.Value) cause {
	switch v := v.(type) {
	case *ssa.Phi:
		return l.merged(v)
	case *ssa.BinOp:
		if isOrder(v.Op) {
			return l.compared(v.X, v.Y) | l.compared(v.Y, v.X)
		}
	case *ssa.UnOp:
		switch v.Op {
		case token.ARROW:
			return counts
		case token.MUL:
			return l.loaded(v)
		}
	case *ssa.Lookup:
		if c := l.parts(v); c&(counts|varies) != 0 {
			return c
		}
		return l.parts(v) | looks
	case *ssa.Next:
		return counts
	case *ssa.Select:
		if v.Blocking || !l.in[defaultOf(v)] {
			return counts
		}
		return asks
	case *ssa.Call:
		return l.called(v)
	}
	return l.parts(v)
}

// merged returns what a phi depends on.
func (l *cycle) merged(v *ssa.Phi) cause {
	c := l.parts(v)
	switch head := v.Block() == l.blocks[0]; {
	case l.own[v] && head && !l.stays(v):
		c |= counts
	case l.own[v] || !head && c&counts != 0: // on one of the ways
		c = c&^counts | varies
	}
	return c
}

// parts returns what the operands of v depend on.
func (l *cycle) parts(v ssa.Value) (c cause) {
	for _, op := range l.operands(v) {
		c |= l.cause(op)
	}
	return c
}

// stays reports whether v may be the same in the next round.
func (l *cycle) stays(v *ssa.Phi) bool {
	seen := make(map[ssa.Value]bool)
	var is func(w ssa.Value) bool
	is = func(w ssa.Value) bool {
		phi, ok := w.(*ssa.Phi)
		if w == ssa.Value(v) || !ok || seen[w] || !l.has(w) {
			return w == ssa.Value(v)
		}
		seen[w] = true
		return slices.ContainsFunc(phi.Edges, is)
	}
	for i, p := range v.Block().Preds {
		if l.in[p] && is(v.Edges[i]) {
			return true
		}
	}
	return false
}

// most is up to where a loop may count and be over soon.
const most = 1 << 16

// compared returns what x depends on when it is compared with y: something that changes each round gets to any bound
// that is not too far away.
func (l *cycle) compared(x, y ssa.Value) cause {
	c := l.cause(x)
	if c&(asks|looks|asked) != 0 && l.cause(y)&(counts|varies) != 0 && l.cause(y)&asks == 0 {
		return c & (counts | varies)
	}
	if k, ok := y.(*ssa.Const); ok && k.Value != nil && k.Value.Kind() == constant.Int && constant.Compare(k.Value, token.GTR, constant.MakeInt64(most)) {
		return c &^ (counts | varies)
	}
	return c
}

func isOrder(op token.Token) bool {
	switch op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		return true
	}
	return false
}

// loaded returns what a load depends on.
func (l *cycle) loaded(v *ssa.UnOp) cause {
	c := l.cause(v.X)
	if c&(counts|varies) != 0 {
		return c
	}
	stores := l.stores[placeOf(v.X)]
	if len(stores) == 0 {
		return c | looks
	}
	for _, st := range stores {
		from := l.cause(st.Val)
		switch {
		case from&(asks|looks|asked) != 0:
			c |= from &^ counts
		case l.everyRound(st.Block()):
			c |= counts
		default:
			c |= varies
		}
	}
	return c
}

// placeOf tells apart what addresses lead to: fields of different names, variables.
func placeOf(addr ssa.Value) any {
	switch addr := addr.(type) {
	case *ssa.FieldAddr:
		if v, _ := access.FieldVar(addr.X.Type(), addr.Field); !v.IsZero() {
			return v
		}
		return types.TypeString(addr.Type(), nil)
	case *ssa.IndexAddr:
		return types.TypeString(addr.Type(), nil)
	}
	return addr
}

// called returns what the results of a call depend on.
func (l *cycle) called(call *ssa.Call) cause {
	d := l.a.deeds(call)
	args := l.parts(call)
	switch {
	case d&Changes != 0 && d&(Locks|Polls|Guesses) != 0:
		return varies
	case d&Changes != 0:
		return counts
	case d&Polls != 0:
		return asks
	case args&(counts|varies) != 0:
		return args
	case d&Locks != 0:
		return args | looks
	case d&Guesses != 0:
		l.tested[call] = true
		return args | asked
	case d&Reads != 0:
		return args | asked
	}
	return args
}

// defaultOf returns where control goes from a select that finds nothing ready.
func defaultOf(sel *ssa.Select) *ssa.BasicBlock {
	out := sel.Block()
	for _, ref := range *sel.Referrers() {
		index, ok := ref.(*ssa.Extract)
		if !ok || index.Index != 0 {
			continue
		}
		for _, ref := range *index.Referrers() {
			is, ok := ref.(*ssa.BinOp)
			if !ok {
				continue
			}
			if k, ok := is.Y.(*ssa.Const); ok && k.Int64() == int64(len(sel.States)-1) {
				for _, ref := range *is.Referrers() {
					if test, ok := ref.(*ssa.If); ok {
						out = test.Block().Succs[1]
					}
				}
			}
		}
	}
	return out
}
