package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mapmend/plan/load"
)

// This file keeps a mutex from being added to a struct that source which was not loaded, for another
// platform say, copies, assigns as a whole or fills without field names:
//
//	//go:build windows
//
//	func New() *S { return &S{map[string]int{}} }
//
// Such source has no types, so that what it may do with the owner is told from how it names it.

// unseenSource is the source that was not loaded and knows the owner of a map.
type unseenSource struct {
	owner    string // the name of its type; empty for a struct without one
	embedded bool   // another struct has it embedded
	files    []*ast.File
}

// unseenOwners returns the source that was not loaded and knows the owner of c, or refuses owners that a
// field more may break there.
func (d *decider) unseenOwners(c *candidate) (*unseenSource, *Refusal) {
	decl := c.decl
	out := new(unseenSource)
	if decl.typ != nil {
		out.owner = decl.typ.Name.Name
		out.embedded = embedsIn(decl.pkg, out.owner)
	}
	names := strings.Split(c.finding.Field, ".")
	names = names[:len(names)-1] // of the anonymous structs on the way to the map
	add := func(pkg *load.Package, code Code, name string, src any) *Refusal {
		refuse := func(what string) *Refusal {
			return &Refusal{Code: code, Message: d.nameOf(name, decl.pkg) + what, Todo: d.loadOr(name, "add a mutex by hand")}
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
		switch {
		case err != nil && (file == nil || file.Name == nil || d.mayKnow(file, pkg, decl)):
			return refuse(" does not parse, and may rely on the fields of the owner")
		case err != nil || !d.mayKnow(file, pkg, decl):
			return nil
		case !d.opt.Seen[name] && relies(file, out.owner, names): // else the plan for the other platform is about that
			return refuse(" may rely on the fields of the owner, and is not part of this build")
		}
		out.files = append(out.files, file)
		return nil
	}
	for _, pkg := range d.prog.Packages {
		if !pkg.Broken {
			continue
		}
		for _, file := range pkg.Files {
			if r := add(pkg, LoadError, file.Abs, file.Src); r != nil {
				return nil, r
			}
		}
	}
	for _, pkg := range d.folders(decl.pkg.Path) {
		for _, name := range d.leftOut(pkg.Dir) {
			if base := filepath.Base(name); base[0] == '_' || base[0] == '.' {
				continue // in no build
			}
			src, err := os.ReadFile(name)
			if err != nil {
				continue // nothing to build
			}
			if r := add(pkg, OutOfScope, name, src); r != nil {
				return nil, r
			}
		}
	}
	return out, nil
}

// mayKnow reports whether file, which stands in the folder of pkg, is of the package of decl or imports it.
func (d *decider) mayKnow(file *ast.File, pkg *load.Package, decl declaration) bool {
	if pkg.Dir == decl.pkg.Dir && file.Name.Name == decl.pkg.Name {
		return true
	}
	if decl.typ != nil && !token.IsExported(decl.typ.Name.Name) {
		return false
	}
	return slices.ContainsFunc(file.Imports, func(spec *ast.ImportSpec) bool {
		path, err := strconv.Unquote(spec.Path.Value)
		return err != nil || path == decl.pkg.Path
	})
}

// embedsIn reports whether a struct of pkg has a field that is embedded and called name.
func embedsIn(pkg *load.Package, name string) bool {
	return slices.ContainsFunc(pkg.Files, func(f *load.File) bool { return embeds(f.Syntax, name) })
}

func embeds(file *ast.File, name string) bool {
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		if st, ok := n.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				id := embeddedName(f.Type)
				found = found || len(f.Names) == 0 && id != nil && id.Name == name
			}
		}
		return !found
	})
	return found
}

// takesName reports whether a mutex of that name in the owner may be in the way of a method or of another
// field, which the owner would hide or be as near as.
func (src *unseenSource) takesName(name string) bool {
	for _, file := range src.files {
		found := false
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv != nil && len(n.Recv.List) == 1 && n.Name.Name == name {
					id := embeddedName(n.Recv.List[0].Type)
					found = found || id == nil || id.Name == src.owner
				}
			case *ast.SelectorExpr:
				found = found || src.embedded && n.Sel.Name == name
			}
			return !found
		})
		if found {
			return true
		}
	}
	return false
}

// relies reports whether file may copy the owner, assign it as a whole, embed it, or write a literal of it
// without field names. It may only point to it and make it anew.
func relies(file *ast.File, owner string, names []string) bool {
	pointers := pointersTo(file, owner)
	found := false
	ast.PreorderStack(file, nil, func(n ast.Node, stack []ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			found = found || slices.Contains(names, n.Name) || owner != "" && n.Name == owner && !pointsOrMakes(n, stack)
		case *ast.StarExpr: // the copy *s, or what is assigned to it
			id, ok := ast.Unparen(n.X).(*ast.Ident)
			found = found || ok && pointers[id.Name]
		}
		return !found
	})
	return found
}

// pointersTo returns the names of receivers, parameters, results and fields of file that point to the owner.
func pointersTo(file *ast.File, owner string) map[string]bool {
	out := make(map[string]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok {
			if id := embeddedName(f.Type); id != nil && id.Name == owner {
				for _, name := range f.Names {
					out[name.Name] = true
				}
			}
		}
		return true
	})
	return out
}

// pointsOrMakes reports whether id, the name of the type of the owner, stands in *S, &S{a: b} or new(S).
func pointsOrMakes(id *ast.Ident, stack []ast.Node) bool {
	var whole ast.Node = id // p.S, S[T]
	for len(stack) > 0 {
		parent := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch parent := parent.(type) {
		case *ast.SelectorExpr:
			if parent.Sel != whole {
				return false
			}
		case *ast.IndexExpr:
			if parent.X != whole {
				return false
			}
		case *ast.IndexListExpr:
			if parent.X != whole {
				return false
			}
		case *ast.StarExpr:
			return !hasElided(stack)
		case *ast.CallExpr:
			fn, ok := parent.Fun.(*ast.Ident)
			return ok && fn.Name == "new" && parent.Fun != whole
		case *ast.CompositeLit:
			if parent.Type != whole || len(stack) == 0 {
				return false
			}
			if len(parent.Elts) > 0 {
				if _, keyed := parent.Elts[0].(*ast.KeyValueExpr); !keyed {
					return false
				}
			}
			address, ok := stack[len(stack)-1].(*ast.UnaryExpr)
			return ok && address.Op == token.AND
		default:
			return false
		}
		whole = parent
	}
	return false
}

// hasElided reports whether the type that a node below stack belongs to is that of a list literal, whose
// elements may leave out &S, or is embedded.
func hasElided(stack []ast.Node) bool {
	for i, n := range slices.Backward(stack) {
		switch n := n.(type) {
		case *ast.ArrayType, *ast.MapType:
		case *ast.CompositeLit:
			return true
		case *ast.Field:
			_, inStruct := stack[i-2].(*ast.StructType) // above it is a *ast.FieldList
			return inStruct && len(n.Names) == 0
		case *ast.TypeSpec: // type list []*S, of which there may be literals
			return true
		default:
			return false
		}
	}
	return false
}

// isDeclaredUnseen reports whether source of pkg that was not loaded declares name at package level.
func (d *decider) isDeclaredUnseen(pkg *load.Package, name string) bool {
	return d.declaredUnseen(pkg)[name]
}

// declaredUnseen returns what files of pkg declare that are not part of this build, as far as they can be read.
func (d *decider) declaredUnseen(pkg *load.Package) map[string]bool {
	names := make(map[string]bool)
	for _, abs := range d.leftOut(pkg.Dir) {
		file, _ := parser.ParseFile(token.NewFileSet(), abs, nil, 0)
		if file == nil || file.Name == nil || file.Name.Name != pkg.Name || file.Scope == nil {
			continue
		}
		for name := range file.Scope.Objects {
			names[name] = true
		}
	}
	return names
}
