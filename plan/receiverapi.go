package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mapmend/plan/load"
)

// This file looks for who, outside of the source that was loaded, may need a method with a value receiver to be one of
// values: importers of the package, and source for another build.

// checkAPI refuses methods that packages outside of the program may need a value of the owner to have.
func (g *changing) checkAPI() *Refusal {
	decl := g.c.decl
	if !importable(decl) {
		return nil
	}
	const why = ", with which importers may use a value of "
	for _, m := range g.changed() {
		if (token.IsExported(m.name) || isInterfaceMethod(decl.pkg, m.name)) && (token.IsExported(g.c.finding.Owner) || g.isExposed()) {
			return g.no(m.decl.Name.Pos(), "the method "+m.name+" has a value receiver, and is API of the package "+decl.pkg.Path+why+g.c.finding.Owner)
		}
	}
	return nil
}

// isInterfaceMethod reports whether an interface of pkg has a method of that name.
func isInterfaceMethod(pkg *load.Package, name string) bool {
	for _, tv := range pkg.Info.Types {
		if iface, ok := tv.Type.(*types.Interface); ok && tv.IsType() {
			for m := range iface.Methods() {
				if m.Name() == name {
					return true
				}
			}
		}
	}
	return false
}

// isExposed reports whether importers can get a value of the owner, which has no exported name, from what the
// package exports.
func (g *changing) isExposed() bool {
	pkg := g.c.decl.pkg.Types
	seen := make(map[types.Type]bool)
	var exposes func(t types.Type) bool
	tuple := func(t *types.Tuple) bool {
		for v := range t.Variables() {
			if exposes(v.Type()) {
				return true
			}
		}
		return false
	}
	exposes = func(t types.Type) bool {
		t = types.Unalias(t)
		if g.isOwner(t) {
			return true
		}
		if seen[t] {
			return false
		}
		seen[t] = true
		if named, ok := t.(*types.Named); ok {
			if named.Obj().Pkg() != pkg {
				return slices.ContainsFunc(slices.Collect(named.TypeArgs().Types()), exposes)
			}
			for m := range named.Methods() {
				if m.Exported() && (tuple(m.Signature().Params()) || tuple(m.Signature().Results())) {
					return true
				}
			}
		}
		switch u := t.Underlying().(type) {
		case *types.Pointer:
			return !g.isOwner(types.Unalias(u.Elem())) && exposes(u.Elem())
		case *types.Struct:
			for f := range u.Fields() {
				if (f.Exported() || f.Embedded()) && exposes(f.Type()) {
					return true
				}
			}
		case *types.Signature:
			return tuple(u.Params()) || tuple(u.Results())
		case *types.Map:
			return exposes(u.Key()) || exposes(u.Elem())
		case *types.Interface:
			for m := range u.Methods() {
				if exposes(m.Type()) {
					return true
				}
			}
		case interface{ Elem() types.Type }:
			return exposes(u.Elem())
		}
		return false
	}
	for _, name := range pkg.Scope().Names() {
		if obj := pkg.Scope().Lookup(name); obj.Exported() && exposes(obj.Type()) {
			return true
		}
	}
	return false
}

// checkUnseen refuses owners that source which was not loaded, for another platform say, may use as values: it names
// the owner, one of the methods, or something by which one gets at a value.
func (g *changing) checkUnseen() *Refusal {
	names := g.names()
	decl := g.c.decl
	for _, pkg := range g.d.prog.Packages {
		unsound := pkg.Unchecked
		if pkg.Broken {
			unsound = pkg.Files
		}
		for _, file := range unsound {
			parsed, _ := parser.ParseFile(token.NewFileSet(), file.Name, file.Src, parser.SkipObjectResolution)
			if parsed == nil || mentioned(bodyOf(parsed), names, true) != "" {
				return &Refusal{Code: LoadError, Pos: Pos{File: file.Name, Line: 1, Column: 1}, Message: file.Name + " may use values of " + g.c.finding.Owner + ", and its package does not compile", Todo: "make the package compile"}
			}
		}
	}
	for _, pkg := range g.d.folders(decl.pkg.Path) {
		for _, name := range g.d.unseenFiles(pkg.Dir) {
			base := filepath.Base(name)
			file, _ := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if base[0] == '_' || base[0] == '.' || file == nil || file.Name == nil {
				continue // in no build
			}
			if own := pkg.Dir == decl.pkg.Dir && strings.TrimSuffix(file.Name.Name, "_test") == decl.pkg.Name; !own && !imports(file, decl.pkg.Path) {
				continue
			}
			if found := mentioned(bodyOf(file), names, true); found != "" {
				return &Refusal{Code: OutOfScope, Message: g.d.nameOf(name, decl.pkg) + " mentions " + found + ", may use values of " + g.c.finding.Owner + ", and is not part of this build", Todo: "load it with --tags or --tests, or give the methods pointer receivers by hand"}
			}
		}
	}
	return nil
}

// bodyOf returns file without its package clause, which may have the name of the owner.
func bodyOf(file *ast.File) *ast.File { return &ast.File{Name: ast.NewIdent("_"), Decls: file.Decls} }

// imports reports whether file imports the package of that path, or one whose path cannot be told.
func imports(file *ast.File, path string) bool {
	return slices.ContainsFunc(file.Imports, func(spec *ast.ImportSpec) bool {
		got, err := strconv.Unquote(spec.Path.Value)
		return err != nil || got == path
	})
}

// names returns the names by which source may get at a value of the owner, or use its methods.
func (g *changing) names() []string {
	out := []string{g.c.finding.Owner}
	for _, m := range g.changed() {
		out = append(out, m.name)
	}
	for _, pkg := range g.w.pkgs {
		for id, obj := range pkg.Info.Defs {
			switch obj := obj.(type) {
			case *types.Var:
				if (obj.IsField() || obj.Parent() == pkg.Types.Scope()) && g.w.leadsTo(obj.Type()) {
					out = append(out, id.Name)
				}
			case *types.Func:
				for v := range obj.Signature().Results().Variables() {
					if g.w.leadsTo(v.Type()) {
						out = append(out, id.Name)
					}
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
