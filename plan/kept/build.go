package kept

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file reads the flows off instructions.

type builder struct {
	cfg   Config
	graph *graph
	seen  map[types.Type]bool // see bare
	facts Facts
}

// hasBody reports whether the calls of the function key are followed to its parameters.
func (b *builder) hasBody(key string) bool {
	return !model.Knows(key) && b.cfg.HasBody(key)
}

// node returns the group of v; ok is false when v leads to no function.
func (b *builder) node(v ssa.Value) (n int, ok bool) {
	if !carries(v.Type()) {
		return 0, false
	}
	if n, ok = b.graph.ids[v]; ok {
		return n, true
	}
	switch v := v.(type) {
	case *ssa.Const:
		return 0, false // nil
	case *ssa.Global:
		n = b.graph.place(globalOf(access.GlobalVar(v)))
	case *ssa.Builtin:
		return 0, false
	default:
		if f, ok := known(v); ok {
			n = b.graph.place(f)
		} else {
			n = b.graph.add()
		}
	}
	b.graph.ids[v] = n
	return n, true
}

// copies notes that from becomes to.
func (b *builder) copies(from, to ssa.Value) {
	if m, ok := b.node(from); ok {
		if n, ok := b.node(to); ok {
			b.link(m, n, from.Type())
		}
	}
}

// link notes that what is at m, of type t, becomes n.
func (b *builder) link(m, n int, t types.Type) {
	if isFunc(t) {
		b.graph.flow(m, n)
	} else {
		b.graph.merge(m, n)
	}
}

// keeps notes that v is kept at p.
func (b *builder) keeps(v ssa.Value, p Place) {
	if n, ok := b.node(v); ok {
		b.both(n, b.graph.place(p), v.Type())
	}
}

// holds notes that v comes from p.
func (b *builder) holds(v ssa.Value, p Place) {
	if n, ok := b.node(v); ok {
		b.both(b.graph.place(p), n, v.Type())
	}
}

// both is link for places that are not to become one group with others.
func (b *builder) both(m, n int, t types.Type) {
	b.graph.flow(m, n)
	if !isFunc(t) {
		b.graph.flow(n, m)
	}
}

// is notes that v is the place p, or its address.
func (b *builder) is(v ssa.Value, p Place) {
	if n, ok := b.node(v); ok {
		b.graph.merge(b.graph.place(p), n)
	}
}

func (b *builder) function(fn *ssa.Function) {
	key := access.FuncKey(fn)
	sig := Signature{Key: key}
	for i, p := range fn.Params {
		if !carries(p.Type()) {
			continue
		}
		b.is(p, paramOf(key, i))
		sig.Places = append(sig.Places, Typed{Place: paramOf(key, i), Type: typeOf(p.Type()), Receiver: i == 0 && fn.Signature.Recv() != nil, Both: !isFunc(p.Type())})
	}
	results := fn.Signature.Results()
	for i := range results.Len() {
		if t := results.At(i).Type(); carries(t) {
			sig.Places = append(sig.Places, Typed{Place: resultOf(key, i), Type: typeOf(t), Result: true, Both: !isFunc(t)})
		}
	}
	if len(sig.Places) > 0 {
		b.facts.Signatures = append(b.facts.Signatures, sig)
	}
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			b.instr(key, instr)
		}
	}
}

func (b *builder) instr(key string, instr ssa.Instruction) {
	switch instr := instr.(type) {
	case ssa.CallInstruction:
		b.call(instr)
	case *ssa.Store:
		b.copies(instr.Val, instr.Addr)
	case *ssa.MapUpdate:
		b.copies(instr.Key, instr.Map)
		b.copies(instr.Value, instr.Map)
	case *ssa.Send:
		b.copies(instr.X, instr.Chan)
	case *ssa.Return:
		for i, v := range instr.Results {
			b.keeps(v, resultOf(key, i))
		}
	case *ssa.MakeClosure:
		b.closure(instr)
	case *ssa.MakeInterface:
		b.bare(instr.X.Type())
		b.keeps(instr.X, Outside)
	case *ssa.Select:
		for _, st := range instr.States {
			if st.Send != nil {
				b.copies(st.Send, st.Chan)
			}
		}
	case *ssa.ChangeType:
		b.copies(instr.X, instr)
		b.converts(instr.X.Type(), instr.Type())
	case *ssa.Extract:
		b.extract(instr)
	case ssa.Value:
		b.value(instr)
	}
}

// value notes where v comes from.
func (b *builder) value(v ssa.Value) {
	if !carries(v.Type()) {
		return
	}
	switch v := v.(type) {
	case *ssa.Alloc, *ssa.MakeMap, *ssa.MakeChan, *ssa.MakeSlice:
	case *ssa.FieldAddr:
		b.is(v, fieldPlace(v.X.Type(), v.Field))
	case *ssa.Field:
		b.holds(v, fieldPlace(v.X.Type(), v.Field))
	case *ssa.UnOp:
		b.copies(v.X, v) // *p, <-c
	case *ssa.IndexAddr:
		b.copies(v.X, v)
	case *ssa.Index:
		b.elements(v.X, v)
	case *ssa.Lookup:
		b.elements(v.X, v)
	case *ssa.Slice:
		b.copies(v.X, v)
	case *ssa.SliceToArrayPointer:
		b.copies(v.X, v)
	case *ssa.Convert:
		b.converted(v.X, v)
	case *ssa.MultiConvert:
		b.converted(v.X, v)
	case *ssa.Phi:
		for _, e := range v.Edges {
			b.copies(e, v)
		}
	case *ssa.Range, *ssa.Next, *ssa.ChangeInterface: // see extract
	case *ssa.TypeAssert:
		if !v.CommaOk {
			b.holds(v, Outside)
		}
	default:
		b.holds(v, Outside)
		b.keeps(v, Outside)
	}
}

// elements notes that v is an element of the container from.
func (b *builder) elements(from, v ssa.Value) {
	m, ok := b.node(from)
	if n, is := b.node(v); ok && is {
		b.link(m, n, v.Type())
	}
}

// converted notes that a value becomes another in a way that types do not show.
func (b *builder) converted(from, to ssa.Value) {
	b.copies(from, to)
	b.keeps(from, Outside)
	b.holds(to, Outside)
}

// converts notes that the fields of one struct become those of another, or are seen as those.
func (b *builder) converts(from, to types.Type) {
	x, y := structOf(from), structOf(to)
	if x == nil || y == nil || x.NumFields() != y.NumFields() {
		return
	}
	for i := range x.NumFields() {
		if carries(x.Field(i).Type()) {
			m, n := b.graph.place(fieldPlace(from, i)), b.graph.place(fieldPlace(to, i))
			b.graph.flow(m, n)
			b.graph.flow(n, m)
		}
	}
}

// closure notes what v captures.
func (b *builder) closure(v *ssa.MakeClosure) {
	fn := v.Fn.(*ssa.Function)
	for i, x := range v.Bindings {
		switch {
		case access.IsBound(fn):
			b.argument(x, access.FuncKey(fn), 0)
		case i < len(fn.FreeVars):
			b.copies(x, fn.FreeVars[i])
		}
	}
}

// extract notes where one value of several comes from.
func (b *builder) extract(v *ssa.Extract) {
	switch t := v.Tuple.(type) {
	case *ssa.Call:
		b.result(t, v, v.Index)
	case *ssa.Lookup:
		if v.Index == 0 {
			b.elements(t.X, v)
		}
	case *ssa.UnOp:
		if v.Index == 0 {
			b.elements(t.X, v)
		}
	case *ssa.Next:
		if r, ok := t.Iter.(*ssa.Range); ok {
			b.elements(r.X, v)
		}
	case *ssa.TypeAssert:
		if v.Index == 0 {
			b.holds(v, Outside)
		}
	case *ssa.Select:
		for _, st := range t.States {
			if st.Dir == types.RecvOnly {
				b.elements(st.Chan, v)
			}
		}
	default:
		b.holds(v, Outside)
	}
}
