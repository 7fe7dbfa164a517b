package kept

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file follows function values through calls: of functions with a body to their parameters and from their results, of
// others to unknown code, unless package model knows better. Calls of function values move them to and from whatever is kept
// where the value comes from, those through interfaces by type.

// call notes what the arguments of instr become, and where its result comes from.
func (b *builder) call(instr ssa.CallInstruction) {
	c := instr.Common()
	if builtin, ok := c.Value.(*ssa.Builtin); ok {
		b.builtin(builtin.Name(), instr)
		return
	}
	callee := c.StaticCallee()
	if call, ok := instr.(*ssa.Call); ok && callee != nil && model.OnceFunc(access.FuncKey(callee)) {
		b.copies(c.Args[0], call) // its result calls that, and nothing else
		return
	}
	if call, ok := instr.(*ssa.Call); ok {
		if _, tuple := call.Type().(*types.Tuple); !tuple {
			b.result(call, call, 0)
		}
	}
	switch {
	case c.IsInvoke():
		for _, arg := range c.Args {
			b.moves(arg)
			b.keeps(arg, Outside)
		}
	case callee == nil:
		for i, arg := range c.Args {
			b.passed(arg, i, c.Value)
		}
	default:
		b.static(callee, c)
	}
}

// static notes what the arguments of a call of callee become.
func (b *builder) static(callee *ssa.Function, c *ssa.CallCommon) {
	key := access.FuncKey(callee)
	has := b.hasBody(key)
	for i, arg := range c.Args {
		if access.IsBound(callee) {
			i++ // for its receiver see closure
		}
		if has {
			b.argument(arg, key, i)
		}
		if !has || b.cfg.Library.Extended(key) {
			b.given(arg, key, i, c.Signature())
		}
	}
}

// argument notes that v becomes a parameter.
func (b *builder) argument(v ssa.Value, key string, i int) {
	if n, ok := b.node(v); ok {
		if !b.hasBody(key) {
			b.keeps(v, Outside)
			return
		}
		b.both(n, b.graph.place(paramOf(key, i)), v.Type())
	}
}

// given notes that v is given to a library as argument i of the function key.
func (b *builder) given(v ssa.Value, key string, i int, sig *types.Signature) {
	b.bare(v.Type())
	if isFunc(v.Type()) && !carries(sig.Results()) {
		if arg, starts := b.cfg.Library.Starts(key); starts && arg.Arg == i || b.cfg.Library.Synchronous(key) {
			b.keeps(v, Lent)
			return
		}
	}
	b.keeps(v, Outside)
}

// moves notes that v is an argument of a call through an interface.
func (b *builder) moves(v ssa.Value) {
	if n, ok := b.node(v); ok {
		in, out := movedBy(v.Type())
		b.graph.flow(n, b.graph.place(in))
		if !isFunc(v.Type()) {
			b.graph.flow(b.graph.place(out), n)
		}
	}
}

// arrives notes that v is the result of a call through an interface.
func (b *builder) arrives(v ssa.Value) {
	if n, ok := b.node(v); ok {
		in, out := movedBy(v.Type())
		b.graph.flow(b.graph.place(out), n)
		if !isFunc(v.Type()) {
			b.graph.flow(n, b.graph.place(in))
		}
	}
}

// movedBy returns where what has the type t goes to, and comes from, when a call through an interface moves it.
func movedBy(t types.Type) (in, out Place) {
	if access.IsGeneric(t) {
		return movedIn, movedOut
	}
	p := movedAs(access.TypeString(t))
	return p, p
}

// passed notes that v is argument i of a call of whatever f is.
func (b *builder) passed(v ssa.Value, i int, f ssa.Value) {
	n, ok := b.node(v)
	m, called := b.node(f)
	if !ok || !called {
		return
	}
	arg := b.graph.place(argumentAt(i))
	b.graph.flowIf(n, arg, m)
	if !isFunc(v.Type()) {
		b.graph.flowIf(arg, n, m)
	}
}

// answered notes that v is result i of a call of whatever f is.
func (b *builder) answered(v ssa.Value, i int, f ssa.Value) {
	n, ok := b.node(v)
	m, called := b.node(f)
	if !ok || !called {
		return
	}
	answer := b.graph.place(answerAt(i))
	b.graph.flowIf(answer, n, m)
	if !isFunc(v.Type()) {
		b.graph.flowIf(n, answer, m)
	}
}

// result notes that v is result i of call.
func (b *builder) result(call *ssa.Call, v ssa.Value, i int) {
	c := call.Common()
	callee := c.StaticCallee()
	switch {
	case callee != nil && b.hasBody(access.FuncKey(callee)):
		b.holds(v, resultOf(access.FuncKey(callee), i))
	case callee == nil && !c.IsInvoke():
		b.answered(v, i, c.Value)
	case c.IsInvoke():
		b.arrives(v)
		b.holds(v, Outside)
	default:
		b.holds(v, Outside)
	}
}

func (b *builder) builtin(name string, instr ssa.CallInstruction) {
	c := instr.Common()
	switch name {
	case "append", "copy":
		if len(c.Args) > 1 {
			b.copies(c.Args[1], c.Args[0])
		}
		if v, ok := instr.(*ssa.Call); ok {
			b.copies(c.Args[0], v)
		}
	case "ssa:wrapnilchk":
		if v, ok := instr.(*ssa.Call); ok {
			b.copies(c.Args[0], v)
		}
	case "len", "cap", "delete", "clear", "close", "print", "println", "panic", "recover":
	default: // of package unsafe
		for _, arg := range c.Args {
			b.keeps(arg, Outside)
		}
		if v, ok := instr.(*ssa.Call); ok {
			b.holds(v, Outside)
			b.keeps(v, Outside)
		}
	}
}
