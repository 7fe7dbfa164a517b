package access

import (
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// This file names the fields and elements of what has a name.

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
	for _, p := range base.Parts {
		if p.Sel == "[]" { // see gathered.go
			return p.Ref
		}
	}
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
