package access

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// This file finds the Path of each value of one function.

// Names resolves the values of one function to Refs. It is not safe for concurrent use.
type Names struct {
	fn      *ssa.Function
	key     string
	owner   string // what a local of the function has as Var.Owner
	memo    map[ssa.Value]Ref
	locals  int
	made    map[Root]ssa.Value // what was made here, or by a callee that returned it
	copies  map[Root]*copied   // see copy.go
	callees Callees
	calls   map[*ssa.Call]result
	changes map[*types.Var]bool // see changed; nil until it is asked for
	source  Source
	taken   []ssa.Instruction // see taking; nil until it is asked for
}

// Callees tells what the callees of a function do, in terms of that function.
type Callees interface {
	// Results returns what the results of call refer to, or nil when that is not known.
	Results(call ssa.CallInstruction) []Ref
	// Renews returns the map variables that call gives another map, which nobody else has, whatever happens in it.
	Renews(call ssa.CallInstruction) []Path
}

// Source tells what the source of a package shows that its SSA does not.
type Source interface {
	// Naming returns the name of the variable that a map is assigned to, or "": one that is made at pos, or
	// result number index of a call there.
	Naming(pos token.Pos, index int) string
	// Operand returns the position of the identifier that names the first map operand of the instruction
	// at pos, or pos itself.
	Operand(pos token.Pos) token.Pos
	// Argument returns the position of the identifier that names argument number i of the call at pos.
	Argument(pos token.Pos, call *ssa.CallCommon, i int) token.Pos
	// Declared returns the type whose declaration spells out st, the struct of t.
	Declared(t *types.Named, st *types.Struct) *types.Named
}

// NewNames returns the names of fn.
func NewNames(fn *ssa.Function, callees Callees, source Source) *Names {
	outer := fn
	for outer.Parent() != nil {
		outer = outer.Parent()
	}
	return &Names{fn: fn, key: FuncKey(fn), owner: ShortKey(FuncKey(outer)), memo: make(map[ssa.Value]Ref), made: make(map[Root]ssa.Value), copies: make(map[Root]*copied), calls: make(map[*ssa.Call]result), callees: callees, source: source}
}

// Ref returns what v refers to. The Path of a value that nothing is known about is a Local.
func (n *Names) Ref(v ssa.Value) Ref {
	if r, ok := n.memo[v]; ok {
		return r
	}
	n.memo[v] = n.local() // what a cycle through v sees
	r := n.resolve(v)
	n.memo[v] = r
	if r.Fresh && r.Path.Sel == "" {
		if _, ok := n.made[r.Path.Root]; !ok {
			n.made[r.Path.Root] = v
		}
		if alloc, ok := v.(*ssa.Alloc); ok && n.made[r.Path.Root] == v && isStruct(alloc) {
			r.Parts = n.parts(alloc, "", isReference) // after memo[v] is set: they may lead back to v
			r.Maps = n.parts(alloc, "", isMap)
			n.memo[v] = r
		}
	}
	return r
}

func isStruct(v *ssa.Alloc) bool {
	_, ok := v.Type().Underlying().(*types.Pointer).Elem().Underlying().(*types.Struct)
	return ok
}

// Place returns where addr is, as a part of what holds it: the field b.a and not what is stored there.
func (n *Names) Place(addr ssa.Value) Path {
	switch addr := addr.(type) {
	case *ssa.FieldAddr:
		if _, st := ownerOf(addr.X.Type()); st != nil {
			return n.Place(addr.X).Field(st.Field(addr.Field).Name())
		}
	case *ssa.IndexAddr:
		return n.Place(addr.X).Elem()
	}
	return n.Ref(addr).Path
}

// Made returns the value that made what root stands for in the function, or nil when it was not made there.
func (n *Names) Made(root Root) ssa.Value { return n.made[root] }

// Refs returns what each of vs refers to.
func (n *Names) Refs(vs []ssa.Value) []Ref {
	out := make([]Ref, len(vs))
	for i, v := range vs {
		out[i] = n.Ref(v)
	}
	return out
}

func (n *Names) local() Ref {
	n.locals++
	return Ref{Path: Path{Root: Root{Kind: Local, Index: n.locals, Name: n.key}}}
}

func (n *Names) fresh() Ref {
	n.locals++
	return Ref{Path: Path{Root: Root{Kind: Made, Index: n.locals, Name: n.key}}, Fresh: true}
}

func (n *Names) resolve(v ssa.Value) Ref {
	switch v := v.(type) {
	case *ssa.Parameter:
		for i, p := range n.fn.Params {
			if p == v {
				return Ref{Path: Path{Root: Root{Kind: Param, Index: i}}}
			}
		}
	case *ssa.FreeVar:
		for i, f := range n.fn.FreeVars {
			if f == v {
				return Ref{Path: Path{Root: Root{Kind: Free, Index: i}}}
			}
		}
	case *ssa.Global:
		path := ""
		if v.Pkg != nil {
			path = v.Pkg.Pkg.Path()
		}
		return Ref{Path: Path{Root: Root{Kind: Global, Name: path + "." + v.Name()}}, Var: Var{Package: path, Field: v.Name()}}
	case *ssa.Function:
		r := n.local()
		r.Func = &FuncRef{Key: FuncKey(v)}
		return r
	case *ssa.MakeClosure:
		return n.closure(v)
	case *ssa.Alloc:
		return n.alloc(v)
	case *ssa.MakeMap:
		return n.named(n.fresh(), v, v.Pos(), 0)
	case *ssa.MakeChan, *ssa.MakeSlice:
		return n.fresh()
	case *ssa.FieldAddr:
		return n.field(v.X, v.Field)
	case *ssa.Field:
		return readAt(n.field(v.X, v.Field), v.Type(), v.Pos())
	case *ssa.UnOp:
		if v.Op == token.MUL {
			return n.read(v)
		}
	case *ssa.IndexAddr:
		return n.elem(v.X)
	case *ssa.Index:
		return n.elem(v.X)
	case *ssa.Lookup:
		return n.lookup(v, v.Type())
	case *ssa.Slice:
		return n.Ref(v.X)
	case *ssa.ChangeType:
		return n.Ref(v.X)
	case *ssa.ChangeInterface:
		return n.Ref(v.X)
	case *ssa.MakeInterface:
		return n.boxed(v)
	case *ssa.Convert:
		return n.Ref(v.X)
	case *ssa.TypeAssert:
		return n.Ref(v.X)
	case *ssa.Phi:
		return n.phi(v)
	case *ssa.Call:
		return n.resultOf(v, v, 0)
	case *ssa.Extract:
		return n.extract(v)
	}
	return n.local()
}

// result is what a call returns.
type result struct {
	refs []Ref
	made []Renamed
}

// MadeBy returns the names that the function has for what the callee of call made and returned.
func (n *Names) MadeBy(call *ssa.Call) []Renamed { return n.resultsOf(call).made }

// MakesToo returns the name that the function has for what the callee of call made and calls root, which is none of its
// results.
func (n *Names) MakesToo(call *ssa.Call, root Root) Root {
	r := n.resultsOf(call)
	if known := (Binding{Made: r.made}).Root(root); known != root {
		return known
	}
	to := n.fresh().Path.Root
	r.made = append(r.made, Renamed{root, to})
	n.calls[call] = r
	return to
}

// Results returns what the results of call refer to, as far as that is known.
func (n *Names) Results(call *ssa.Call) []Ref { return n.resultsOf(call).refs }

// resultsOf returns what the results of call refer to. Two calls of one constructor make two objects.
func (n *Names) resultsOf(call *ssa.Call) result {
	if r, ok := n.calls[call]; ok {
		return r
	}
	n.calls[call] = result{} // what a cycle through call sees
	out := result{refs: n.callees.Results(call)}
	rename := func(r Ref) {
		root := r.Path.Root
		if root.Kind == Made && root.Name != n.key && (Binding{Made: out.made}).Root(root) == root {
			out.made = append(out.made, Renamed{root, n.fresh().Path.Root})
		}
	}
	for _, r := range out.refs {
		r.Each(rename)
	}
	out.refs = renamed(out.refs, out.made)
	for _, r := range out.refs {
		for _, p := range r.Parts {
			p.Ref.Each(func(r Ref) {
				if _, known := n.made[r.Path.Root]; r.Fresh && r.Path.Sel == "" && !known {
					n.made[r.Path.Root] = call
				}
			})
		}
	}
	n.calls[call] = out
	return out
}

// resultOf names v, result number i of call.
func (n *Names) resultOf(v ssa.Value, call *ssa.Call, i int) Ref {
	r := n.local()
	if rs := n.resultsOf(call).refs; i < len(rs) && rs[i].Path.Known() {
		r = rs[i]
	}
	return n.named(r, v, call.Pos(), i)
}

// named returns r with the local variable that source assigns it to, when v is a map that is no part
// of anything else. It was made at pos, or is result number i of a call there.
func (n *Names) named(r Ref, v ssa.Value, pos token.Pos, i int) Ref {
	if _, isMap := v.Type().Underlying().(*types.Map); !isMap || !r.Var.IsZero() || r.Path.Sel != "" {
		return r
	}
	if k := r.Path.Root.Kind; k != Made && k != Local {
		return r
	}
	name := n.source.Naming(pos, i)
	if name == "" {
		return r
	}
	if r.Path.Root.Kind == Local { // nothing shows that another activation gets the same map
		r.Path = n.fresh().Path
	}
	r.Var = Var{Package: n.pkg(), Owner: n.owner, Field: name}
	n.made[r.Path.Root] = v
	return r
}

func (n *Names) extract(v *ssa.Extract) Ref {
	switch t := v.Tuple.(type) {
	case *ssa.Call:
		return n.resultOf(v, t, v.Index)
	case *ssa.Lookup:
		if v.Index == 0 {
			return n.lookup(t, v.Type())
		}
	case *ssa.TypeAssert:
		if v.Index == 0 {
			return n.Ref(t.X)
		}
	case *ssa.Next:
		if r, ok := t.Iter.(*ssa.Range); ok && v.Index == 2 {
			return readAt(n.elem(r.X), v.Type(), n.source.Operand(r.Pos()))
		}
	}
	return n.local()
}

// phi returns what all edges agree on. A nil constant agrees with everything: what is reached through nil
// is not reached. So does what is made and put in the same place:
//
//	in := s.m[k]
//	if in == nil {
//		in = make(map[string]int)
//		s.m[k] = in
//	}
func (n *Names) phi(v *ssa.Phi) Ref {
	var agreed Ref
	var made []ssa.Value
	for _, e := range v.Edges {
		if e == v {
			continue
		}
		if c, ok := e.(*ssa.Const); ok && c.IsNil() {
			continue
		}
		if _, ok := e.(*ssa.Phi); ok {
			if _, seen := n.memo[e]; seen && n.memo[e].Path == n.memo[v].Path {
				continue
			}
		}
		r := n.Ref(e)
		if r.Fresh && r.Path.Sel == "" {
			made = append(made, e)
			continue
		}
		if agreed.Path.Known() && agreed.Path != r.Path {
			return n.local()
		}
		agreed = r
	}
	for _, e := range made {
		r := n.Ref(e)
		switch {
		case !agreed.Path.Known():
			agreed = r
		case agreed.Path != r.Path && !isGivenMap(v, agreed) && (hasLock(v.Type()) || !n.isPut(e, agreed.Path)):
			return n.local()
		}
	}
	if !agreed.Path.Known() {
		return n.local()
	}
	return agreed
}

// isGivenMap reports whether r is a map that the function got from outside. Where it may also be one that
// the function makes, only the former matters to others:
//
//	if m == nil {
//		m = make(map[string]int)
//	}
func isGivenMap(v *ssa.Phi, r Ref) bool {
	_, isMap := v.Type().Underlying().(*types.Map)
	k := r.Path.Root.Kind
	return isMap && (k == Param || k == Free || k == Global)
}

// isPut reports whether the function stores v at p.
func (n *Names) isPut(v ssa.Value, p Path) bool {
	for _, instr := range *v.Referrers() {
		switch instr := instr.(type) {
		case *ssa.MapUpdate:
			if instr.Value == v && n.Ref(instr.Map).Path.Elem() == p {
				return true
			}
		case *ssa.Store:
			if instr.Val == v && n.Ref(instr.Addr).Path == p {
				return true
			}
		}
	}
	return false
}

// hasLock reports whether t is a lock, or has one embedded: made apart, it is another lock for each.
func hasLock(t types.Type) bool {
	m, _, _ := types.LookupFieldOrMethod(t, true, nil, "Lock")
	_, ok := m.(*types.Func)
	return ok
}

func (n *Names) closure(v *ssa.MakeClosure) Ref {
	fn := v.Fn.(*ssa.Function)
	r := n.fresh()
	r.Func = &FuncRef{Key: FuncKey(fn)}
	if IsBound(fn) {
		r.Func.Bound = n.Refs(v.Bindings)
	} else {
		r.Func.Free = n.Refs(v.Bindings)
	}
	return r
}

// IsBound reports whether fn is the wrapper that go/ssa makes for a method value x.M.
func IsBound(fn *ssa.Function) bool {
	return fn.Parent() == nil && fn.Object() != nil && len(fn.FreeVars) == 1 && fn.Synthetic != ""
}

// boxed names a value that becomes an interface: itself, or when the interface is one of a lock and
// the value has its Lock method from an embedded field, that field.
func (n *Names) boxed(v *ssa.MakeInterface) Ref {
	r := n.Ref(v.X)
	iface := v.Type().Underlying().(*types.Interface)
	if m, _, _ := types.LookupFieldOrMethod(iface, false, nil, "Lock"); m == nil {
		return r
	}
	sel := types.NewMethodSet(v.X.Type()).Lookup(nil, "Lock")
	if sel == nil {
		return r
	}
	return n.embedded(r, v.X.Type(), sel.Index())
}

// Receiver returns what a method of v is called on that is reached by index, the path of fields to an
// embedded value and the number of the method there.
func (n *Names) Receiver(v ssa.Value, index []int) Ref { return n.embedded(n.Ref(v), v.Type(), index) }

// embedded follows all but the last step of index from r, whose type is t.
func (n *Names) embedded(r Ref, t types.Type, index []int) Ref {
	for _, i := range index[:len(index)-1] {
		_, st := ownerOf(t)
		r = n.fieldOf(r, t, i)
		t = st.Field(i).Type()
	}
	return r
}

// field names field i of x, a struct or a pointer to one.
func (n *Names) field(x ssa.Value, i int) Ref {
	return n.fieldOf(n.Ref(x), x.Type(), i)
}

// fieldOf names field i of base, whose type is t.
func (n *Names) fieldOf(base Ref, t types.Type, i int) Ref {
	owner, st := ownerOf(t)
	if st == nil {
		return n.local()
	}
	f := st.Field(i)
	r := base.To("." + f.Name())
	if r.Func != nil { // perhaps assigned again elsewhere: a call of it stays one of an unknown function
		r = Ref{Path: base.Path.Field(f.Name())}
	}
	switch {
	case owner != nil:
		owner = n.source.Declared(owner, st)
		r.Var = Var{Package: path(owner.Obj().Pkg()), Owner: owner.Obj().Name(), Field: f.Name()}
	case !base.Var.IsZero() && base.Depth == 0: // a field of an anonymous struct
		r.Var = base.Var
		r.Var.Field += "." + f.Name()
	}
	if !r.Path.Known() {
		r.Path = n.local().Path
	}
	return r
}

// FieldVar returns field i of the struct that t is or points to, and its type. The Var is zero when the struct has no name.
func FieldVar(t types.Type, i int) (Var, types.Type) {
	owner, st := ownerOf(t)
	if st == nil {
		return Var{}, types.Typ[types.Invalid]
	}
	if owner == nil {
		return Var{}, st.Field(i).Type()
	}
	return Var{Package: path(owner.Obj().Pkg()), Owner: owner.Obj().Name(), Field: st.Field(i).Name()}, st.Field(i).Type()
}

func path(p *types.Package) string {
	if p == nil {
		return ""
	}
	return p.Path()
}

// ownerOf returns the struct that t is or points to, and its name if it has one.
func ownerOf(t types.Type) (*types.Named, *types.Struct) {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	st, _ := t.Underlying().(*types.Struct)
	named, _ := types.Unalias(t).(*types.Named)
	if named != nil {
		named = named.Origin()
	}
	return named, st
}

func (n *Names) elem(x ssa.Value) Ref {
	if r, ok := n.listed(x); ok {
		return r
	}
	base := n.Ref(x)
	r := Ref{Path: base.Path.Elem(), Var: base.Var, Depth: base.Depth + 1, Read: base.Read}
	if !r.Path.Known() {
		r.Path = n.local().Path
	}
	return r
}

// listed names the elements of an array or slice literal: the one value that it lists, or if it lists
// several that the function did not all make, something unknown.
func (n *Names) listed(x ssa.Value) (Ref, bool) {
	if slice, ok := x.(*ssa.Slice); ok {
		x = slice.X
	}
	array, ok := x.(*ssa.Alloc)
	if !ok {
		return Ref{}, false
	}
	if _, ok := array.Type().Underlying().(*types.Pointer).Elem().Underlying().(*types.Array); !ok {
		return Ref{}, false
	}
	var one Ref
	for _, instr := range *array.Referrers() {
		elem, ok := instr.(*ssa.IndexAddr)
		if !ok {
			continue
		}
		for _, instr := range *elem.Referrers() {
			st, ok := instr.(*ssa.Store)
			if !ok || st.Addr != elem {
				continue
			}
			switch r := n.Ref(st.Val); {
			case !one.Path.Known():
				one = r
			case one.Path != r.Path:
				return n.local(), true
			}
		}
	}
	return one, one.Path.Known()
}

func (n *Names) pkg() string {
	for fn := n.fn; fn != nil; fn = fn.Parent() {
		if fn.Pkg != nil {
			return fn.Pkg.Pkg.Path()
		}
	}
	return ""
}

// alloc names a variable that lives in memory. One that is assigned a single value is that value:
//
//	mu := &s.mu                      // captured below, so an Alloc
//	defer func() { mu.Unlock() }()   // unlocks s.mu
//
// A map variable that a closure captures and that is not another name of a field is itself a
// variable that goroutines may share.
func (n *Names) alloc(v *ssa.Alloc) Ref {
	stores, captured := storesTo(v, make(map[ssa.Value]bool))
	elem := v.Type().Underlying().(*types.Pointer).Elem()
	_, isMap := elem.Underlying().(*types.Map)
	_, isStruct := elem.Underlying().(*types.Struct)
	if len(stores) == 1 && !written(v) && !isStruct && stores[0].Parent() == n.fn {
		r := n.Ref(stores[0].Val)
		if !isMap || !r.Fresh || !r.Var.IsZero() {
			return r
		}
	}
	if !isStruct && !(isMap && captured) && len(stores) > 0 {
		return n.local() // one of several values
	}
	r := n.fresh()
	_, named := types.Unalias(elem).(*types.Named)
	if captured && (isMap || isStruct && !named) {
		r.Var = Var{Package: n.pkg(), Owner: n.owner, Field: v.Comment}
	}
	if isStruct && len(stores) == 1 && !written(v) && stores[0].Parent() == n.fn {
		n.copy(r.Path.Root, v, stores[0].Val)
	}
	return r
}

// storesTo returns the assignments to the variable at addr, in the function that declares it and in
// the closures that capture it, and reports whether one does.
func storesTo(addr ssa.Value, seen map[ssa.Value]bool) (stores []*ssa.Store, captured bool) {
	if seen[addr] || addr.Referrers() == nil {
		return nil, false
	}
	seen[addr] = true
	for _, instr := range *addr.Referrers() {
		switch instr := instr.(type) {
		case *ssa.Store:
			if instr.Addr == addr {
				stores = append(stores, instr)
			}
		case *ssa.MakeClosure:
			fn := instr.Fn.(*ssa.Function)
			for i, b := range instr.Bindings {
				if b == addr && i < len(fn.FreeVars) {
					captured = true
					more, _ := storesTo(fn.FreeVars[i], seen)
					stores = append(stores, more...)
				}
			}
		}
	}
	return stores, captured
}

// written reports whether parts of the variable v are assigned or its address is passed on, so that
// its single whole assignment does not say what it holds.
func written(v *ssa.Alloc) bool {
	for _, instr := range *v.Referrers() {
		if instr, ok := instr.(*ssa.Store); ok && instr.Val == v {
			return true
		}
	}
	return false
}
