package lockset

import (
	"cmp"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file finds the methods that may be called without being named. Any method of a value that became an
// interface may, whichever interface that was, since it may be asserted to another one later:
//
//	var v any = node{s}
//	v.(interface{ Seen() int }).Seen()

// Boxed is a method that may be called without being named.
type Boxed struct {
	Key     string
	Name    string
	Sought  bool     // a library may look for it in any value that it is given
	Stream  bool     // of a reader, writer or file system
	Foreign []string // results of model.Callers: whose code may, since the value became an interface of theirs
}

// boxed returns the methods of what becomes an interface in fns, or stands for a type parameter.
func boxed(fns []*ssa.Function, cfg Config) []Boxed {
	b := &boxes{cfg: cfg, seen: make(map[[2]types.Type]bool), methods: make(map[string]Boxed)}
	for _, fn := range fns {
		for _, block := range fn.Blocks {
			for _, instr := range block.Instrs {
				switch instr := instr.(type) {
				case *ssa.MakeInterface:
					b.add(instr.X.Type(), instr.Type())
				case *ssa.ChangeInterface:
					b.add(instr.X.Type(), instr.Type())
				}
			}
		}
	}
	for _, t := range cfg.Args {
		b.addArg(t)
	}
	var out []Boxed
	for _, m := range b.methods {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Boxed) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// boxes collects methods.
type boxes struct {
	cfg     Config
	seen    map[[2]types.Type]bool
	methods map[string]Boxed // by key
	sets    typeutil.MethodSetCache
}

// add notes that a value of type t becomes the interface iface, which may be nil.
func (b *boxes) add(t, iface types.Type) {
	if iface != nil && iface.Underlying().(*types.Interface).NumMethods() == 0 {
		iface = nil // nobody calls a method through it
	}
	if b.seen[[2]types.Type{t, iface}] {
		return
	}
	b.seen[[2]types.Type{t, iface}] = true
	set := b.sets.MethodSet(t)
	stream := slices.ContainsFunc(slices.Collect(set.Methods()), func(sel *types.Selection) bool { return model.IsStream(sel.Obj().Name()) })
	for sel := range set.Methods() {
		fn := sel.Obj().(*types.Func)
		m := Boxed{Key: access.ObjectKey(fn), Name: fn.Name(), Stream: stream}
		m.Sought = model.Sought(m.Key) && mayPrint(fn)
		m.Foreign = b.methods[m.Key].Foreign
		if iface != nil {
			if by, ok := b.givenAway(iface, fn); ok && !slices.Contains(m.Foreign, by) {
				m.Foreign = append(m.Foreign, by)
			}
		}
		b.methods[m.Key] = m
	}
}

// mayPrint reports whether fn, if it is named like a method that printers look for, is of the type that they look for.
func mayPrint(fn *types.Func) bool {
	switch fn.Name() {
	case "String", "Error", "GoString":
		sig := fn.Signature()
		return sig.Params().Len() == 0 && sig.Results().Len() == 1 && types.Identical(sig.Results().At(0).Type(), types.Typ[types.String])
	}
	return true
}

// isStream reports whether t is an interface to read, write or open something.
func isStream(t types.Type) bool {
	iface, ok := t.Underlying().(*types.Interface)
	if !ok {
		return false
	}
	for m := range iface.Methods() {
		if model.IsStream(m.Name()) {
			return true
		}
	}
	return false
}

// givenAway returns who may call fn, a method of the interface iface; ok is false when code outside the program does
// not know iface.
func (b *boxes) givenAway(iface types.Type, fn *types.Func) (by string, ok bool) {
	path := ""
	if n, ok := types.Unalias(iface).(*types.Named); ok && n.Obj().Pkg() != nil {
		path = n.Obj().Pkg().Path()
	}
	if path != "" && b.cfg.Own(path) || !b.cfg.Library.Concurrent(typeName(iface)).CalledAtOnce() {
		return "", false
	}
	obj, _, _ := types.LookupFieldOrMethod(iface, false, fn.Pkg(), fn.Name())
	return model.Callers(path), obj != nil
}

// addArg notes that t stands for a type parameter, and so does what it is made of: whoever has a []T has a T.
func (b *boxes) addArg(t types.Type) {
	b.add(t, nil)
	b.add(types.NewPointer(t), nil)
	switch t := types.Unalias(t).(type) {
	case *types.Map:
		b.addArg(t.Key())
		b.addArg(t.Elem())
	case interface{ Elem() types.Type }: // a pointer, slice, array or channel
		b.addArg(t.Elem())
	}
}

// callsBack notes what code outside the program, the function key that c calls, may call in turn: methods of the
// interfaces that it has as parameters, and of what it was given before.
func (r *recorder) callsBack(c *ssa.CallCommon, key string, methods bool, s *state) {
	r.asks(c, methods, s)
	if model.CallsByName(key) {
		r.mayCall(ByName, s)
	}
	if model.Pulls(key) {
		r.pulls(c.Args[0].Type())
	}
	r.handsBack(c, key, s)
	if !model.Quiet(key) {
		r.mayCall(MayWait, s)
		if methods {
			r.mayCall(AnyMethod, s)
		}
	}
}

// asked notes what a method of an interface from outside the program, which c calls, may call in turn if it is not one of
// the program.
func (r *recorder) asked(c *ssa.CallCommon, key string, s *state) {
	if r == nil {
		return
	}
	methods := looksInto(c)
	r.asks(c, methods, s)
	if model.CallsBack(key) {
		r.mayCall(ForeignOf(model.Code(access.PackageOf(key))), s)
	}
	if !model.Quiet(key) {
		r.mayCall(MayWait, s)
		if methods {
			r.mayCall(AnyMethod, s)
		}
	}
}

// asks notes that the callee of c may call methods of what it is given: those of the interfaces that are its parameters,
// and others that it looks for.
func (r *recorder) asks(c *ssa.CallCommon, methods bool, s *state) {
	for _, arg := range c.Args {
		iface, ok := arg.Type().Underlying().(*types.Interface)
		if !ok {
			continue
		}
		if k, ok := arg.(*ssa.Const); ok && k.IsNil() || model.Reports(typeName(unboxed(arg).Type())) {
			continue
		}
		for m := range iface.Methods() {
			r.mayCall(MethodType(m.Name()), s)
		}
	}
	if !methods {
		return
	}
	r.mayCall(Sought, s)
	for _, arg := range given(c) {
		if isStream(arg.Type()) {
			r.mayCall(Streams, s)
		}
	}
}

// handsBack notes that the function key, which c calls, may call what it, or something that it knows, was given before.
func (r *recorder) handsBack(c *ssa.CallCommon, key string, s *state) {
	back := model.CallsBack(key)
	if back {
		r.mayCall(Foreign, s)
	}
	if back || model.Makes(key) || slices.ContainsFunc(c.Args, func(v ssa.Value) bool { return isFuncType(v.Type()) }) {
		r.mayCall(ForeignOf(model.Code(access.PackageOf(key))), s)
	}
}

// pulls notes that an iterator of type seq is run step by step.
func (r *recorder) pulls(seq types.Type) {
	yield := AnyType
	if sig, ok := seq.Underlying().(*types.Signature); ok && sig.Params().Len() == 1 && !access.IsGeneric(seq) {
		yield = access.FuncType(sig.Params().At(0).Type())
	}
	if !slices.Contains(r.body.Pulls, yield) {
		r.body.Pulls = append(r.body.Pulls, yield)
	}
}

// isForeign reports whether m is a method of an interface that the program does not declare.
func (a *analysis) isForeign(m *types.Func) bool {
	return m.Pkg() == nil || !a.own(m.Pkg().Path())
}
