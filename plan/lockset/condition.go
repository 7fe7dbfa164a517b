package lockset

import (
	"go/constant"
	"go/token"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// This file keeps what a path assumed about conditions, so that two tests of one condition go the
// same way.

// condition identifies a test whose outcome does not change while its operands keep their values.
type condition struct {
	x     ssa.Value // the boolean, or the left operand of a comparison
	y     any       // the right operand: an ssa.Value or a constant's text; nil for a boolean
	op    token.Token
	index int // of a tuple's component, -1 for a whole value
}

type assumption struct {
	cond condition
	is   bool
}

// conditionOf returns the test that v makes, and whether v is its negation. ok is false for a constant.
func conditionOf(v ssa.Value) (c condition, negated, ok bool) {
	switch v := v.(type) {
	case *ssa.Const:
		return condition{}, false, false
	case *ssa.UnOp:
		if v.Op == token.NOT {
			c, negated, ok = conditionOf(v.X)
			return c, !negated, ok
		}
	case *ssa.Extract:
		return condition{x: v.Tuple, index: v.Index}, false, true
	case *ssa.BinOp:
		var y any = v.Y
		if k, isConst := v.Y.(*ssa.Const); isConst {
			y = constantText(k)
		}
		x, index := component(v.X)
		switch v.Op {
		case token.EQL:
			return condition{x: x, index: index, y: y, op: token.EQL}, false, true
		case token.NEQ:
			return condition{x: x, index: index, y: y, op: token.EQL}, true, true
		case token.LSS, token.GTR, token.LEQ, token.GEQ:
			return condition{x: x, index: index, y: y, op: v.Op}, false, true
		}
	}
	return condition{x: v, index: -1}, false, true
}

// component names component i of a tuple apart from the Extract that reads it.
func component(v ssa.Value) (ssa.Value, int) {
	if e, ok := v.(*ssa.Extract); ok {
		return e.Tuple, e.Index
	}
	return v, -1
}

// resultCondition is the test of result i of call: of the boolean itself, or of being nil.
func resultCondition(call ssa.Value, i, results int, isNil bool) condition {
	index := i
	if results == 1 {
		index = -1
	}
	c := condition{x: call, index: index}
	if isNil {
		c.y, c.op = "nil", token.EQL
	}
	return c
}

func constantText(k *ssa.Const) string {
	if k.IsNil() {
		return "nil"
	}
	return k.String()
}

func (a alternative) known(c condition) (is, ok bool) {
	for _, s := range a.assumed {
		if s.cond == c {
			return s.is, true
		}
	}
	return false, false
}

// maxAssumptions bounds what one alternative remembers; the oldest are forgotten.
const maxAssumptions = 12

func (a alternative) assume(c condition, is bool) alternative {
	if _, ok := a.known(c); ok {
		return a
	}
	as := a.assumed
	if len(as) == maxAssumptions {
		as = as[1:]
	}
	a.assumed = append(slices.Clip(as), assumption{c, is})
	return a
}

// assumes reports whether a assumes something about v.
func (a alternative) assumes(v ssa.Value) bool {
	for _, s := range a.assumed {
		if s.isAbout(v) {
			return true
		}
	}
	return false
}

// forget returns a without what it assumed about v, which is about to get a new value.
func (a alternative) forget(v ssa.Value) alternative {
	if a.assumes(v) {
		a.assumed = slices.DeleteFunc(slices.Clone(a.assumed), func(s assumption) bool { return s.isAbout(v) })
	}
	return a
}

func (s assumption) isAbout(v ssa.Value) bool { return s.cond.x == v || s.cond.y == any(v) }

func commonAssumptions(a, b []assumption) []assumption {
	var out []assumption
	for _, s := range a {
		if slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

// branch returns what of a goes on where v is is; ok is false when a rules that out.
func (a alternative) branch(v ssa.Value, is bool) (out alternative, ok bool) {
	if k, isConst := v.(*ssa.Const); isConst && k.Value != nil && k.Value.Kind() == constant.Bool {
		return a, constant.BoolVal(k.Value) == is
	}
	c, negated, ok := conditionOf(v)
	if !ok {
		return a, true
	}
	if negated {
		is = !is
	}
	if known, ok := a.known(c); ok {
		return a, known == is
	}
	return a.assume(c, is), true
}

// through returns a after control entered block by its predecessor number edge: a boolean that a
// phi takes from there is as good as tested.
func (a alternative) through(block *ssa.BasicBlock, edge int) alternative {
	var learned []assumption
	for _, instr := range block.Instrs {
		phi, ok := instr.(*ssa.Phi)
		if !ok {
			break
		}
		v := phi.Edges[edge]
		if k, isConst := v.(*ssa.Const); isConst {
			if k.Value != nil && k.Value.Kind() == constant.Bool {
				learned = append(learned, assumption{condition{x: phi, index: -1}, constant.BoolVal(k.Value)})
			}
			continue
		}
		if c, negated, ok := conditionOf(v); ok {
			if is, known := a.known(c); known {
				learned = append(learned, assumption{condition{x: phi, index: -1}, is != negated})
			}
		}
	}
	for _, instr := range block.Instrs {
		phi, ok := instr.(*ssa.Phi)
		if !ok {
			break
		}
		a = a.forget(phi)
	}
	for _, s := range learned {
		a = a.assume(s.cond, s.is)
	}
	return a
}
