package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"mapmend/plan/access"
	"mapmend/plan/load"
)

// This file finds where map variables are declared.

// declaration is where a map variable is declared.
type declaration struct {
	pkg   *load.Package
	file  *load.File
	name  *ast.Ident
	node  ast.Node        // *ast.Field, *ast.ValueSpec, or the *ast.Ident of a local
	outer *ast.GenDecl    // of a ValueSpec at package level
	owner *ast.StructType // of a field
	typ   *ast.TypeSpec   // the named owner of a field; nil for a field of an anonymous struct
	stmt  ast.Node        // of a local that is to be mended: the *ast.AssignStmt or *ast.ValueSpec that declares it
}

// isLocal reports whether the variable is a local of a function, or a part of one.
func (decl declaration) isLocal(v Var) bool {
	_, local := decl.node.(*ast.Ident)
	return local || decl.typ == nil && v.Owner != ""
}

func toVar(v access.Var) Var { return Var{Package: v.Package, Owner: v.Owner, Field: v.Field} }

// declarations returns the declarations of all fields, package variables and map locals in prog.
func declarations(prog *load.Program) map[Var]declaration {
	out := make(map[Var]declaration)
	for _, pkg := range prog.Packages {
		if pkg.Info == nil {
			continue
		}
		for _, file := range pkg.Files {
			if file.Syntax == nil {
				continue
			}
			d := declarer{out: out, pkg: pkg, file: file}
			for _, decl := range file.Syntax.Decls {
				d.decl(decl)
			}
		}
	}
	return out
}

type declarer struct {
	out  map[Var]declaration
	pkg  *load.Package
	file *load.File
}

func (d *declarer) add(v Var, name *ast.Ident, node ast.Node, outer *ast.GenDecl, owner *ast.StructType, typ *ast.TypeSpec) {
	v.Package = d.pkg.Path
	if _, ok := d.out[v]; !ok {
		d.out[v] = declaration{pkg: d.pkg, file: d.file, name: name, node: node, outer: outer, owner: owner, typ: typ}
	}
}

func (d *declarer) decl(decl ast.Decl) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		d.locals(decl)
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if st, ok := spec.Type.(*ast.StructType); ok {
					d.fields(Var{Owner: spec.Name.Name}, "", st, spec)
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					d.add(Var{Field: name.Name}, name, spec, decl, nil, nil)
					if st := structOf(spec); st != nil {
						d.fields(Var{}, name.Name+".", st, nil)
					}
				}
			}
		}
	}
}

// structOf returns the anonymous struct type that spec spells out, or nil.
func structOf(spec *ast.ValueSpec) *ast.StructType {
	if st, ok := spec.Type.(*ast.StructType); ok {
		return st
	}
	if len(spec.Values) == 1 {
		v := ast.Unparen(spec.Values[0])
		if u, ok := v.(*ast.UnaryExpr); ok && u.Op == token.AND {
			v = u.X
		}
		if lit, ok := v.(*ast.CompositeLit); ok {
			st, _ := lit.Type.(*ast.StructType)
			return st
		}
	}
	return nil
}

func (d *declarer) fields(owner Var, prefix string, st *ast.StructType, typ *ast.TypeSpec) {
	for _, f := range st.Fields.List {
		for _, name := range f.Names {
			v := owner
			v.Field = prefix + name.Name
			d.add(v, name, f, nil, st, typ)
			if inner, ok := f.Type.(*ast.StructType); ok {
				d.fields(owner, v.Field+".", inner, typ)
			}
		}
		if len(f.Names) == 0 {
			if name := embeddedName(f.Type); name != nil {
				v := owner
				v.Field = prefix + name.Name
				d.add(v, name, f, nil, st, typ)
			}
		}
	}
}

func embeddedName(t ast.Expr) *ast.Ident {
	switch t := t.(type) {
	case *ast.Ident:
		return t
	case *ast.StarExpr:
		return embeddedName(t.X)
	case *ast.SelectorExpr:
		return t.Sel
	case *ast.IndexExpr:
		return embeddedName(t.X)
	case *ast.IndexListExpr:
		return embeddedName(t.X)
	}
	return nil
}

func (d *declarer) locals(fn *ast.FuncDecl) {
	obj, _ := d.pkg.Info.Defs[fn.Name].(*types.Func)
	if obj == nil || fn.Body == nil {
		return
	}
	owner := access.ShortKey(access.ObjectKey(obj))
	add := func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == 1 {
			if st := structOf(spec); st != nil {
				d.fields(Var{Owner: owner}, spec.Names[0].Name+".", st, nil)
			}
		}
		if id, ok := n.(*ast.Ident); ok {
			if v, ok := d.pkg.Info.Defs[id].(*types.Var); ok && !v.IsField() {
				if _, isMap := v.Type().Underlying().(*types.Map); isMap {
					d.add(Var{Owner: owner, Field: id.Name}, id, id, nil, nil, nil)
				}
			}
		}
		return true
	}
	ast.Inspect(fn.Type, add)
	ast.Inspect(fn.Body, add)
}

// isMap reports whether decl declares a map itself, and not something that maps are reached through.
func (decl declaration) isMap() bool {
	v := decl.object()
	if v == nil {
		return false
	}
	_, ok := v.Type().Underlying().(*types.Map)
	return ok
}
