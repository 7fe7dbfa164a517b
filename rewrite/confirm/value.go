package confirm

// This file makes up values.

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan/sample"
)

// maker makes up values as the source of one package, and notes what that imports.
type maker struct {
	pkg     *types.Package
	imports map[string]string // name by import path
	taken   map[string]bool   // names in the scope of the package
	object  types.Type        // what the variable name points to, once it is made; nil before
	name    string
	made    bool // from here on values may mention the variable
	used    bool // one does
}

func newMaker(pkg *types.Package) *maker {
	m := &maker{pkg: pkg, imports: make(map[string]string), taken: make(map[string]bool)}
	for _, name := range pkg.Scope().Names() {
		m.taken[name] = true
	}
	return m
}

// qualifier names the package p in the source.
func (m *maker) qualifier(p *types.Package) string {
	if p == m.pkg {
		return ""
	}
	return m.imported(p.Path(), p.Name())
}

// std names a package of the standard library whose path is one element.
func (m *maker) std(path string) string { return m.imported(path, path) }

func (m *maker) imported(path, name string) string {
	if m.imports[path] == "" {
		m.imports[path] = m.local(name)
		m.taken[m.imports[path]] = true
	}
	return m.imports[path]
}

// local returns name, or one like it that means nothing in the package.
func (m *maker) local(name string) string {
	for m.taken[name] {
		name += "_"
	}
	return name
}

func (m *maker) typeString(t types.Type) string { return types.TypeString(t, m.qualifier) }

// value returns an expression of the type t, and whether one is known that functions can be called with.
func (m *maker) value(t types.Type) (string, bool) { return m.nested(t, nil) }

// nested is value of a t in a value of the types in around.
func (m *maker) nested(t types.Type, around []types.Type) (string, bool) {
	if slices.ContainsFunc(around, func(u types.Type) bool { return types.Identical(t, u) }) || !m.canName(t) {
		return "", false
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok && m.made && types.Identical(p.Elem(), m.object) {
		m.used = true
		return m.name, true
	}
	around = append(slices.Clip(around), t)
	if n, ok := types.Unalias(t).(*types.Named); ok {
		if v, ok := m.known(n); ok {
			return v, true
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return m.basic(t, u)
	case *types.Pointer:
		if s, ok := u.Elem().Underlying().(*types.Struct); ok && m.zero(s) {
			return "new(" + m.typeString(u.Elem()) + ")", m.canName(u.Elem())
		}
	case *types.Struct:
		return m.typeString(t) + "{}", m.zero(u)
	case *types.Slice, *types.Array:
		return m.typeString(t) + "{}", true
	case *types.Map:
		return "make(" + m.typeString(t) + ")", true
	case *types.Chan:
		return "make(" + m.typeString(t) + ", 1000)", u.Dir() == types.SendRecv
	case *types.Signature:
		return m.function(u, around)
	case *types.Interface:
		if u.Empty() {
			return "1", true
		}
		if types.Identical(t, types.Universe.Lookup("error").Type()) {
			return "nil", true
		}
	}
	return "", false
}

// zero reports whether the zero value of s may be good to be called with: what s holds is no interface, function or channel, which a
// callee would use.
func (m *maker) zero(s *types.Struct) bool {
	for f := range s.Fields() {
		switch f.Type().Underlying().(type) {
		case *types.Interface, *types.Signature, *types.Chan:
			return false
		}
	}
	return true
}

// canName reports whether the package can write the type t.
func (m *maker) canName(t types.Type) bool {
	return sample.CanName(t, m.pkg, func(pkg *types.Package) bool { return !isHidden(pkg.Path(), m.pkg.Path()) })
}

// isHidden reports whether the package at path is internal to a tree that from is not in.
func isHidden(path, from string) bool {
	i := strings.LastIndex("/"+path+"/", "/internal/")
	return i >= 0 && !strings.HasPrefix(from+"/", path[:max(0, i-1)]+"/")
}

// known makes values of types of the standard library that the zero value would not do for.
func (m *maker) known(n *types.Named) (string, bool) {
	obj := n.Obj()
	if obj.Pkg() == nil {
		return "", false
	}
	name := func() string { return m.qualifier(obj.Pkg()) }
	switch obj.Pkg().Path() + "." + obj.Name() {
	case "context.Context":
		return name() + ".Background()", true
	case "time.Time":
		return name() + ".Now()", true
	case "time.Duration":
		return name() + ".Millisecond", true
	}
	return "", false
}

func (m *maker) basic(t types.Type, b *types.Basic) (string, bool) {
	v := ""
	switch {
	case b.Info()&types.IsString != 0:
		v = `"a"`
	case b.Info()&types.IsNumeric != 0:
		v = "1"
	case b.Info()&types.IsBoolean != 0:
		v = "true"
	default:
		return "", false
	}
	if types.Unalias(t) == types.Type(b) && b.Kind() != types.UnsafePointer && (b.Kind() == types.String || b.Kind() == types.Int || b.Kind() == types.Bool) {
		return v, true
	}
	return m.typeString(t) + "(" + v + ")", true
}

// function returns a function that does nothing.
func (m *maker) function(sig *types.Signature, around []types.Type) (string, bool) {
	var results []string
	for r := range sig.Results().Variables() {
		v, ok := m.nested(r.Type(), around)
		if !ok {
			return "", false
		}
		results = append(results, v)
	}
	var params []string
	for i, p := range slices.Collect(sig.Params().Variables()) {
		t := m.typeString(p.Type())
		if sig.Variadic() && i == sig.Params().Len()-1 {
			t = "..." + m.typeString(p.Type().(*types.Slice).Elem())
		}
		params = append(params, t)
	}
	var types []string
	for r := range sig.Results().Variables() {
		types = append(types, m.typeString(r.Type()))
	}
	body := ""
	if len(results) > 0 {
		body = "return " + strings.Join(results, ", ")
	}
	return fmt.Sprintf("func(%s) (%s) { %s }", strings.Join(params, ", "), strings.Join(types, ", "), body), true
}

// arguments returns a list of arguments for sig.
func (m *maker) arguments(sig *types.Signature) (string, bool) {
	var args []string
	for i, p := range slices.Collect(sig.Params().Variables()) {
		t := p.Type()
		if sig.Variadic() && i == sig.Params().Len()-1 {
			t = t.(*types.Slice).Elem()
			if v, ok := m.value(t); ok {
				args = append(args, v)
			}
			continue // none will do
		}
		v, ok := m.value(t)
		if !ok {
			return "", false
		}
		args = append(args, v)
	}
	return strings.Join(args, ", "), true
}
