package plan

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"

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
	decl := g.c.decl
	for _, pkg := range g.d.prog.Packages {
		unsound := pkg.Unchecked
		if pkg.Broken {
			unsound = pkg.Files
		}
		for _, file := range unsound {
			parsed, _ := parser.ParseFile(token.NewFileSet(), file.Name, file.Src, parser.SkipObjectResolution)
			if parsed == nil || g.mentions(parsed) != "" {
				return &Refusal{Code: LoadError, Pos: Pos{File: file.Name, Line: 1, Column: 1}, Message: file.Name + " may use values of " + g.c.finding.Owner + ", and its package does not compile", Todo: "make the package compile"}
			}
		}
	}
	seen := make(map[string]bool)
	for _, knows := range g.w.pkgs {
		for _, pkg := range g.d.folders(knows.Path) {
			for _, name := range g.d.unseenFiles(pkg.Dir) {
				base := filepath.Base(name)
				file, _ := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
				switch {
				case seen[name] || base[0] == '_' || base[0] == '.' || file == nil || file.Name == nil: // in no build
					continue
				case pkg.Dir != knows.Dir && !imports(file, knows.Path):
					continue
				}
				seen[name] = true
				if found := g.mentions(file); found != "" {
					return &Refusal{Code: OutOfScope, Message: g.d.nameOf(name, decl.pkg) + " mentions " + found + ", may use values of " + g.c.finding.Owner + ", and is not part of this build", Todo: g.d.loadOr(name, "give the methods pointer receivers by hand")}
				}
			}
		}
	}
	return nil
}

// imports reports whether file imports the package of that path, or one whose path cannot be told.
func imports(file *ast.File, path string) bool {
	return slices.ContainsFunc(file.Imports, func(spec *ast.ImportSpec) bool {
		got, err := strconv.Unquote(spec.Path.Value)
		return err != nil || got == path
	})
}

// names returns the names by which source may get at a value of the owner, or use its methods: what it has to select, and
// what it may mention in any other way, too.
func (g *changing) names() (selected, bare []string) {
	bare = append(bare, g.c.finding.Owner)
	for _, m := range g.changed() {
		selected = append(selected, m.name)
	}
	for _, pkg := range g.w.pkgs {
		for id, obj := range pkg.Info.Defs {
			switch obj := obj.(type) {
			case *types.Var:
				switch {
				case !g.w.leadsTo(obj.Type()):
				case obj.IsField():
					selected = append(selected, id.Name)
				case obj.Parent() == pkg.Types.Scope():
					bare = append(bare, id.Name)
				}
			case *types.Func:
				for v := range obj.Signature().Results().Variables() {
					if g.w.leadsTo(v.Type()) {
						bare = append(bare, id.Name)
					}
				}
			}
		}
	}
	slices.Sort(selected)
	slices.Sort(bare)
	return slices.Compact(selected), slices.Compact(bare)
}

// mentions returns by what name file may get at a value of the owner or use its methods; empty when it does not.
func (g *changing) mentions(file *ast.File) string {
	selected, bare := g.names()
	body := &ast.File{Name: ast.NewIdent("_"), Decls: file.Decls} // the package may have the name of the owner
	return cmp.Or(mentioned(body, selected, false), mentioned(body, bare, true))
}
