package access

import "go/types"

// This file tells types of one struct apart from the type that declares it:
//
//	type View Store // the fields of a View are those of a Store
//
// A pointer to one can be converted to a pointer to the other, so that a field is the same variable in both.

// Owners finds the types that declare structs, as one package sees them. It is not safe for concurrent use.
type Owners struct {
	pkg      *types.Package
	declared map[*types.Package]map[*types.Struct]*types.Named
}

// NewOwners returns the owners that pkg sees.
func NewOwners(pkg *types.Package) *Owners {
	return &Owners{pkg, make(map[*types.Package]map[*types.Struct]*types.Named)}
}

// Declared returns the type whose declaration spells out st, the struct of t; t itself when that is not found. Of the
// types of other packages it takes each that is declared where its fields are for the one.
func (o *Owners) Declared(t *types.Named, st *types.Struct) *types.Named {
	if st.NumFields() == 0 {
		return t
	}
	pkg := st.Field(0).Pkg()
	if pkg == nil || pkg == t.Obj().Pkg() && pkg != o.pkg {
		return t
	}
	if o.declared[pkg] == nil {
		o.declared[pkg] = declared(pkg)
	}
	if d := o.declared[pkg][st]; d != nil {
		return d
	}
	return t
}

// declared returns the types of pkg by the structs that they are. Of several that are the same struct it is the one
// that stands last before the first field.
func declared(pkg *types.Package) map[*types.Struct]*types.Named {
	out := make(map[*types.Struct]*types.Named)
	for _, name := range pkg.Scope().Names() {
		tn, ok := pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok || tn.IsAlias() {
			continue
		}
		named, _ := tn.Type().(*types.Named)
		st, ok := tn.Type().Underlying().(*types.Struct)
		if named == nil || !ok || st.NumFields() == 0 || st.Field(0).Pos() < tn.Pos() {
			continue
		}
		if d := out[st]; d == nil || d.Obj().Pos() < tn.Pos() {
			out[st] = named
		}
	}
	return out
}
