package lockset

import (
	"cmp"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/kept"
	"mapmend/plan/model"
)

// This file finds the function values that code outside the program is given, and so may call whenever the program
// calls it:
//
//	s.pool.New = func() any { return s.Len() } // by s.pool.Get

// Handed is a function value that code outside the program was given.
type Handed struct {
	Key string // of the function; empty where it is not known
	At  string // a result of ValueAt, then
	By  string // whose code may call it: a result of [model.Code], empty for everybody's, or a result of [MethodType]: whose ever method that is
}

// handed returns the functions that fns give to code outside the program, except for those that a library calls from
// goroutines of its own, or only before it returns.
func handed(fns []*ssa.Function, flows *kept.Flows, hasBody func(key string) bool, cfg Config) []Handed {
	h := &hands{cfg: cfg, flows: flows, hasBody: hasBody, all: make(map[Handed]bool)}
	for _, fn := range fns {
		for _, block := range fn.Blocks {
			for _, instr := range block.Instrs {
				h.instr(instr)
			}
		}
	}
	var out []Handed
	for f := range h.all {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Handed) int {
		return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(a.Key, b.Key), cmp.Compare(a.At, b.At))
	})
	return out
}

// hands collects what is given away.
type hands struct {
	cfg     Config
	flows   *kept.Flows
	hasBody func(key string) bool
	all     map[Handed]bool
}

func (h *hands) instr(instr ssa.Instruction) {
	switch instr := instr.(type) {
	case ssa.CallInstruction:
		h.call(instr.Common())
	case *ssa.Store:
		if h.cfg.Library.FuncField(fieldName(instr.Addr)).CalledAtOnce() {
			h.gives(instr.Val, h.placeOf(instr.Addr))
		}
	case *ssa.MapUpdate:
		h.gives(instr.Value, cmp.Or(h.packageOf(instr.Map.Type()), h.placeOf(instr.Map)))
	case *ssa.ChangeType:
		if name := typeName(instr.Type()); isFuncType(instr.Type()) && h.calledLater(name) && !h.onlyGiven(instr) {
			h.gives(instr.X, h.packageOf(instr.Type()))
		}
	}
}

// calledLater reports whether the values of the function type named may be called by those who have them: a server
// calls them from goroutines of its own.
func (h *hands) calledLater(name string) bool {
	arg, _ := h.cfg.Library.Starts(name)
	return h.cfg.Library.FuncType(name).CalledAtOnce() && arg.CalledAtOnce()
}

// onlyGiven reports whether v does nothing but become the argument of calls, of which each is looked at on its own.
func (h *hands) onlyGiven(v ssa.Value) bool {
	return !slices.ContainsFunc(*v.Referrers(), func(ref ssa.Instruction) bool {
		call, ok := ref.(ssa.CallInstruction)
		return !ok || !h.runsAtOnce(call.Common())
	})
}

// runsAtOnce reports whether it is known when the callee of c runs the functions that it is given, and that it does
// not keep them.
func (h *hands) runsAtOnce(c *ssa.CallCommon) bool {
	callee := c.StaticCallee()
	if callee == nil {
		return false
	}
	key := access.FuncKey(callee)
	_, starts := h.cfg.Library.Starts(key)
	return starts || h.cfg.Library.Synchronous(key)
}

// call notes the arguments of a call that leaves the program.
func (h *hands) call(c *ssa.CallCommon) {
	if h.runsAtOnce(c) {
		return
	}
	var by, pkg string
	switch callee := c.StaticCallee(); {
	case c.IsInvoke():
		key := access.ObjectKey(c.Method)
		by, pkg = h.outside(access.PackageOf(key)), access.PackageOf(key)
		if by == "" {
			by, pkg = MethodType(c.Method.Name()), ""
		}
		if _, starts := h.cfg.Library.Starts(key); starts || h.cfg.Library.Synchronous(key) {
			return
		}
	case callee == nil:
		return
	default:
		key := access.FuncKey(callee)
		if h.hasBody(key) {
			return
		}
		by, pkg = access.PackageOf(key), key
	}
	for _, arg := range given(c) {
		if isFuncType(arg.Type()) || pkg == "" || model.CallsBack(pkg) {
			h.gives(arg, by)
		}
	}
}

// placeOf returns the package outside the program that declares a field or variable on the way to v; it is empty when
// none does.
func (h *hands) placeOf(v ssa.Value) string {
	for {
		switch x := v.(type) {
		case *ssa.FieldAddr:
			if pkg := h.outside(pathOf(fieldOf(x.X.Type(), x.Field))); pkg != "" {
				return pkg
			}
			v = x.X
		case *ssa.Field:
			if pkg := h.outside(pathOf(fieldOf(x.X.Type(), x.Field))); pkg != "" {
				return pkg
			}
			v = x.X
		case *ssa.Global:
			return h.outside(x.Pkg.Pkg.Path())
		case *ssa.IndexAddr:
			v = x.X
		case *ssa.UnOp:
			v = x.X
		case *ssa.Slice:
			v = x.X
		default:
			return ""
		}
	}
}

func pathOf(v *types.Var) string {
	if v == nil || v.Pkg() == nil {
		return ""
	}
	return v.Pkg().Path()
}

// fieldOf returns field i of the struct that t is or points to.
func fieldOf(t types.Type, i int) *types.Var {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	if s, ok := t.Underlying().(*types.Struct); ok {
		return s.Field(i)
	}
	return nil
}

// packageOf returns the package outside the program that declares t; it is empty when none does.
func (h *hands) packageOf(t types.Type) string {
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil {
		return h.outside(n.Obj().Pkg().Path())
	}
	return ""
}

// outside returns path if that is not part of the program.
func (h *hands) outside(path string) string {
	if h.cfg.Own != nil && h.cfg.Own(path) {
		return ""
	}
	return path
}

// gives notes that v, or functions that it leads to, is given to the package pkg, or what [Handed] has for it.
func (h *hands) gives(v ssa.Value, pkg string) {
	if pkg == "" {
		return
	}
	by := pkg
	if _, ok := MethodName(pkg); !ok {
		by = model.FuncCallers(pkg)
	}
	h.value(v, by, make(map[ssa.Value]bool))
}

// value notes the functions that v may be, or lead to.
func (h *hands) value(v ssa.Value, by string, seen map[ssa.Value]bool) {
	if seen[v] {
		return
	}
	seen[v] = true
	switch x := v.(type) {
	case *ssa.Const:
		return
	case *ssa.Function:
		if !isServed(x) {
			h.all[Handed{Key: access.FuncKey(x), By: by}] = true
		}
		return
	case *ssa.MakeClosure:
		h.value(x.Fn, by, seen)
		return
	case *ssa.ChangeType:
		if isFuncType(x.Type()) && h.calledLater(typeName(x.Type())) {
			h.value(x.X, by, seen)
		}
		return
	case *ssa.MakeInterface:
		h.value(x.X, by, seen)
		return
	case *ssa.Phi:
		for _, edge := range x.Edges {
			h.value(edge, by, seen)
		}
		return
	}
	for _, t := range funcsIn(v.Type(), 0) {
		if sig := t.Underlying().(*types.Signature); !h.calledLater(typeName(t)) || !served(sig).IsZero() {
			continue
		}
		typ, at := AnyType, kept.Anywhere
		if !access.IsGeneric(t) {
			typ = access.FuncType(t)
		}
		if isFuncType(v.Type()) {
			at = h.flows.Origin(v)
		}
		if at != "" {
			h.all[Handed{At: ValueAt(at, typ), By: by}] = true
		}
	}
}

// isServed reports whether fn says by its parameters that it is called for each request.
func isServed(fn *ssa.Function) bool { return !served(fn.Signature).IsZero() }

func served(sig *types.Signature) model.Runs {
	for p := range sig.Params().Variables() {
		if r := model.Requests(typeName(p.Type())); !r.Runs.IsZero() {
			return r.Runs
		}
	}
	return model.Runs{}
}

// funcsIn returns the types of the functions that whoever has a value of type t has.
func funcsIn(t types.Type, depth int) []types.Type {
	if depth > 4 {
		return nil
	}
	switch u := t.Underlying().(type) {
	case *types.Signature:
		return []types.Type{t}
	case *types.Map:
		return append(funcsIn(u.Key(), depth+1), funcsIn(u.Elem(), depth+1)...)
	case interface{ Elem() types.Type }: // a pointer, slice, array or channel
		return funcsIn(u.Elem(), depth+1)
	}
	return nil
}
