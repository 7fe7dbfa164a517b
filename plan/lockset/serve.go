package lockset

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file finds out what a library runs of what it is given: handlers by their parameters, functions by
// the type they become or the field they are stored in, methods by the interface a value becomes.

// Serving says that a function is called for each request of a server.
type Serving struct {
	By     string // who calls it
	Shared []int  // the parameters that are the same value for all requests
}

// requests returns what the parameters of fn say about who calls it; nil when they say nothing.
func requests(fn *ssa.Function) *Serving {
	for i, p := range fn.Params {
		r := model.Requests(typeName(p.Type()))
		if r.IsZero() || i == 0 && fn.Signature.Recv() != nil {
			continue
		}
		s := &Serving{By: r.By}
		for j, q := range fn.Params {
			if iface, ok := types.Unalias(q.Type()).(*types.Interface); ok && r.Shared && iface.Empty() {
				s.Shared = append(s.Shared, j)
			}
		}
		return s
	}
	return nil
}

// serves notes that handlers may run from now on, if a call of t lets them: those of a server until that is stopped.
func (a *analysis) serves(instr ssa.CallInstruction, t target, s *state) {
	if !a.library.Serves(t.key) {
		return
	}
	s.after = addStarted(s.after, Started{Site: ServeSite, Ends: a.serverOf(instr, t, s)})
}

// serverOf returns what tells that the handlers have ended that instr, a call of t, lets run: that the receiver is stopped,
// or the server that is returned, if the one which was made there before is not running.
func (a *analysis) serverOf(instr ssa.CallInstruction, t target, s *state) []Signal {
	call, isCall := instr.(*ssa.Call)
	switch sig := instr.Common().Signature(); {
	case instr.Common().IsInvoke():
	case sig.Recv() != nil && len(t.params) > 0:
		return addSignal(nil, Signal{t.params[0].Path, t.params[0].Var, Stopped})
	case isCall && sig.Results().Len() == 1 && isPointer(call.Type()):
		server := a.names.Ref(call)
		if !slices.ContainsFunc(s.after, func(st Started) bool { return st.tells(server.Path, Stopped) }) {
			return addSignal(nil, Signal{server.Path, server.Var, Stopped})
		}
	}
	return nil
}

// conversions returns the conversions to interfaces with methods in fn.
func conversions(fn *ssa.Function, library *model.Library) []Conversion {
	var out []Conversion
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			switch instr := instr.(type) {
			case *ssa.MakeInterface:
				if c := conversion(instr, library); len(c.Methods) > 0 {
					out = append(out, c)
				}
			case *ssa.ChangeInterface:
				if c := (Conversion{Interface: typeName(instr.Type()), From: typeName(instr.X.Type())}); c.Interface != "" && c.From != "" {
					out = append(out, c)
				}
			}
		}
	}
	return out
}

// conversion describes mi. It has no Methods when none can be called through the interface.
func conversion(mi *ssa.MakeInterface, library *model.Library) Conversion {
	c := Conversion{Interface: typeName(mi.Type())}
	if access.TypeName(mi.X.Type()) == "" {
		return c
	}
	iface := mi.Type().Underlying().(*types.Interface)
	runs, all := calledBy(mi, library)
	if iface.Empty() && !runs.IsZero() {
		for m := range types.NewMethodSet(mi.X.Type()).Methods() {
			if m.Obj().Exported() {
				c.add(mi.X.Type(), m.Obj(), runs, all)
			}
		}
	}
	for m := range iface.Methods() {
		c.add(mi.X.Type(), m, runs, all)
	}
	return c
}

// calledBy returns which methods a library calls of the interface value that mi makes, or that it calls all.
func calledBy(mi *ssa.MakeInterface, library *model.Library) (runs model.Interface, all bool) {
	if mi.Type().Underlying().(*types.Interface).Empty() {
		by := received(mi)
		return model.Interface{Runs: by}, !by.IsZero()
	}
	if by := registered(mi.Type()); !by.IsZero() {
		return model.Interface{Runs: by}, true
	}
	return library.Concurrent(typeName(mi.Type())), false
}

// add adds the method of t that m, a method of the interface, stands for.
func (c *Conversion) add(t types.Type, m types.Object, runs model.Interface, all bool) {
	obj, index, _ := types.LookupFieldOrMethod(t, true, m.Pkg(), m.Name())
	fn, ok := obj.(*types.Func)
	if !ok {
		return
	}
	method := Method{Key: access.ObjectKey(fn), Name: m.Name(), Index: index}
	if all || slices.Contains(runs.Methods, m.Name()) {
		method.Runs = runs.Runs
	}
	c.Methods = append(c.Methods, method)
}

// registered returns who calls all methods of the interface t, when its package has a function that
// registers one as a service.
func registered(t types.Type) model.Runs {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return model.Runs{}
	}
	for _, r := range model.Registrars() {
		fn, ok := named.Obj().Pkg().Scope().Lookup(r.Prefix + named.Obj().Name()).(*types.Func)
		if !ok || fn.Signature().Params().Len() < 2 {
			continue
		}
		params := fn.Signature().Params()
		if slices.Contains(r.Registry, typeName(params.At(0).Type())) && types.Identical(params.At(1).Type(), t) {
			return r.Runs
		}
	}
	return model.Runs{}
}

// received returns who calls all exported methods of mi, an argument of a function that is known for that.
func received(mi *ssa.MakeInterface) model.Runs {
	for _, instr := range *mi.Referrers() {
		call, ok := instr.(ssa.CallInstruction)
		if !ok || call.Common().StaticCallee() == nil {
			continue
		}
		arg, ok := model.Receives(access.FuncKey(call.Common().StaticCallee()))
		if ok && call.Common().Args[arg.Arg] == mi {
			return arg.Runs
		}
	}
	return model.Runs{}
}

// converts notes that a value becomes an interface whose methods a library calls.
func (r *recorder) converts(instr *ssa.MakeInterface, s *state) {
	for _, m := range conversion(instr, r.a.library).Methods {
		if m.Runs.IsZero() || !r.a.hasBody(m.Key) {
			continue
		}
		r.edge(r.a, Edge{Callee: m.Key, Pos: instr.Pos(), Params: []access.Ref{r.a.names.Receiver(instr.X, m.Index)}, Start: m.Runs.How, By: m.Runs.By, Site: r.a.served(m.Runs, instr), Many: m.Runs.Many()}, instr, s)
	}
}

// handOver makes what a function value captured visible to others, when a library runs it: as runs says, or since
// it is a handler of requests.
func (a *analysis) handOver(v ssa.Value, runs model.Runs, s *state) {
	if !isFuncType(v.Type()) {
		return
	}
	f := a.names.Ref(v)
	if f.Func == nil {
		return
	}
	if e := a.effect(f.Func.Key); !runs.IsZero() || e != nil && e.Serves != nil {
		a.shareRef(s, f)
	}
}

// becomes notes that a function value becomes one of a named type that a library runs.
func (r *recorder) becomes(instr *ssa.ChangeType, s *state) {
	if isFuncType(instr.Type()) {
		r.runs(instr.X, r.a.library.FuncType(typeName(instr.Type())), instr, s)
	}
}

// storesFunc notes that a function value is stored in a field that a library runs.
func (r *recorder) storesFunc(instr *ssa.Store, s *state) {
	if isFuncType(instr.Val.Type()) {
		r.runs(instr.Val, r.a.library.FuncField(fieldName(instr.Addr)), instr, s)
	}
}

// runs notes that f is run as by says.
func (r *recorder) runs(f ssa.Value, by model.Runs, instr ssa.Instruction, s *state) {
	if by.IsZero() {
		return
	}
	ref := r.a.names.Ref(f)
	if ref.Func == nil {
		r.invoke(Invoke{Func: ref.Path, Start: by.How, By: by.By, Site: r.a.served(by, instr), Many: by.Many(), After: sites(s.after)})
		return
	}
	if ct := r.a.funcTarget(ref.Func, nil); ct.effect != nil {
		r.edge(r.a, Edge{Callee: ct.key, Pos: posOf(instr), Params: ct.params, Free: ct.free, Start: by.How, By: by.By, Site: r.a.served(by, instr), Many: by.Many()}, instr, s)
	}
}

// served returns the start of what by runs of what instr gives it. All that many goroutines run at a time
// has one; what a library runs in one goroutine has another for each object that it is given.
func (a *analysis) served(by model.Runs, instr ssa.Instruction) string {
	if by.Many() {
		return ServeSite
	}
	if st, ok := instr.(*ssa.Store); ok {
		if field, ok := st.Addr.(*ssa.FieldAddr); ok {
			return ServeSite + " " + a.position(field.X.Pos())
		}
	}
	return ServeSite + " " + a.position(posOf(instr))
}

// fieldName returns the name of the struct field at addr: "path.Type.field", or "".
func fieldName(addr ssa.Value) string {
	f, ok := addr.(*ssa.FieldAddr)
	if !ok {
		return ""
	}
	st, ok := f.X.Type().Underlying().(*types.Pointer).Elem().Underlying().(*types.Struct)
	if owner := typeName(f.X.Type()); ok && owner != "" {
		return owner + "." + st.Field(f.Field).Name()
	}
	return ""
}

// typeName returns the name of the type that t is or points to: "path.Name", or "".
func typeName(t types.Type) string {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil {
		return access.Key(n.Obj().Pkg().Path(), n.Obj().Name())
	}
	return ""
}
