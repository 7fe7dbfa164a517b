package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/mapuse"
)

// This file tells maps apart by their types, where it is not known which variable they are of.

// changes returns where the map of v may be changed, as [share.World.Changes] does. A map that a function is given is not that of v
// if it has keys or elements of other types.
func (d *decider) changes(v access.Var) []token.Pos {
	var typ types.Type
	if decl, ok := d.decls[toVar(v)]; ok && decl.object() != nil {
		typ = decl.object().Type()
	}
	return d.world.Changes(v, func(u *mapuse.Use) bool { return d.mayBeOf(typ, u) })
}

// mayBeOf reports whether the map of u, whose variable is not known, may be that of a variable of type t; nil is any.
func (d *decider) mayBeOf(t types.Type, u *mapuse.Use) bool {
	fn, ok := d.functionAt(u.Func)
	if !ok || u.Ref.Depth > 0 || strings.Contains(u.Ref.Path.Sel, "[]") { // an element of what is mentioned
		return true
	}
	may := true
	ast.Inspect(fn.node, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Pos() == u.Pos {
			may = mayBeOneMap(t, fn.pkg.Info.TypeOf(id))
		}
		return n != nil && n.Pos() <= u.Pos && u.Pos < n.End()
	})
	return may
}

// mayBeOneMap reports whether a map of type a may be one of type b, or what that points to: a conversion does not make another map.
func mayBeOneMap(a, b types.Type) bool {
	if a == nil || b == nil {
		return true
	}
	x, ok := a.Underlying().(*types.Map)
	y, isMap := pointee(b).Underlying().(*types.Map)
	return !ok || !isMap || mayBeOneType(x.Key(), y.Key()) && mayBeOneType(x.Elem(), y.Elem())
}

// mayBeOneType reports whether a and b may be identical. Types of one name in one package are, although they may have been loaded twice;
// what is spelled out may be, and a type parameter.
func mayBeOneType(a, b types.Type) bool {
	a, b = types.Unalias(a), types.Unalias(b)
	if isTypeParam(a) || isTypeParam(b) {
		return true
	}
	switch x := a.(type) {
	case *types.Basic:
		y, ok := b.(*types.Basic)
		return ok && x.Kind() == y.Kind()
	case *types.Named:
		y, ok := b.(*types.Named)
		return ok && namesOne(x.Obj(), y.Obj())
	case *types.Pointer:
		y, ok := b.(*types.Pointer)
		return ok && mayBeOneType(x.Elem(), y.Elem())
	case *types.Slice:
		y, ok := b.(*types.Slice)
		return ok && mayBeOneType(x.Elem(), y.Elem())
	case *types.Map:
		y, ok := b.(*types.Map)
		return ok && mayBeOneType(x.Key(), y.Key()) && mayBeOneType(x.Elem(), y.Elem())
	}
	switch b.(type) {
	case *types.Basic, *types.Named, *types.Pointer, *types.Slice, *types.Map:
		return false
	}
	return true
}

// namesOne reports whether a and b are declared by one declaration.
func namesOne(a, b *types.TypeName) bool {
	same := a.Name() == b.Name() && (a.Pkg() == nil) == (b.Pkg() == nil)
	return same && (a.Pkg() == nil || a.Pkg().Path() == b.Pkg().Path())
}
