package plan

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/types"
	"go/version"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"mapmend/plan/load"
	"mapmend/plan/region"
)

// This file names the generated type and its file, and writes its key and element types as that file can.

// predeclared are the names that the generated code relies on whatever the form.
var predeclared = []string{"sync", "iter", "maps", "make", "len", "delete", "clear", "nil", "bool", "int", "true", "false", "comparable", "any"}

// nameType chooses the name of the type and its file, and writes its key and element types.
func (w *wrapping) nameType() *Refusal {
	decl := w.c.decl
	scope := decl.pkg.Types.Scope()
	for _, name := range needed(w.form) {
		if scope.Lookup(name) != nil || w.d.isDeclaredUnseen(decl.pkg, name) {
			return w.refuse(Unlowered, decl.name.Pos(), "the package declares the name "+name+", which the generated code needs", "rename it, or use --form lock")
		}
	}
	if name := hidden(w.m, decl.pkg.Types); name != "" {
		return w.refuse(Unlowered, decl.name.Pos(), "the map's type mentions "+name+", which cannot be named in another file", "use --form lock")
	}
	w.wrapper = spellTypes(w.m, w.owner(), decl.pkg, w.form)
	if why := tooOld(w.form, w.wrapper); why != "" {
		return w.refuse(Unlowered, decl.name.Pos(), why, "raise the version in go.mod, or use --form rwmutex")
	}

	base := lowerFirst(decl.name.Name)
	file := strings.ToLower(decl.name.Name)
	if decl.typ != nil {
		base = lowerFirst(decl.typ.Name.Name) + upperFirst(decl.name.Name)
		file = strings.ToLower(decl.typ.Name.Name) + "_" + file
	}
	switch {
	case !strings.HasSuffix(strings.ToLower(base), "map"):
		base += "Map"
	case base == decl.name.Name:
		base = "guarded" + upperFirst(base)
	}
	w.wrapper.Name = base
	for i, name := range w.declared() {
		if w.d.mentionsName(decl.pkg.Dir, name) || w.d.isDeclaredUnseen(decl.pkg, name) || w.d.names[decl.pkg.Path+"."+name] {
			what := "of the type to generate"
			if i > 0 {
				what = "to generate beside the type"
			}
			return w.refuse(Unlowered, decl.name.Pos(), "the name "+name+" "+what+" is taken", "rename the other one, or use --form lock")
		}
	}
	suffix := "_mapmend.go"
	if decl.file.Test {
		suffix = "_mapmend_test.go"
	}
	w.wrapper.File = path.Join(path.Dir(decl.file.Name), strings.TrimLeft(file, "_")+suffix)
	if w.d.names[w.wrapper.File] || w.d.exists(w.wrapper.File) {
		return w.refuse(Unlowered, decl.name.Pos(), "the file "+w.wrapper.File+" to generate exists", "remove it, or use --form lock")
	}
	return nil
}

// owner returns the type that has the variable as a field, or nil.
func (w *wrapping) owner() *types.Named {
	if w.c.decl.typ == nil {
		return nil
	}
	tn, _ := w.c.decl.pkg.Info.Defs[w.c.decl.typ.Name].(*types.TypeName)
	named, _ := tn.Type().(*types.Named)
	return named
}

// declared returns the names that are to be declared: the type's, and those beside it.
func (w *wrapping) declared() []string {
	names := []string{w.wrapper.Name}
	for _, suffix := range w.form.Beside() {
		names = append(names, w.wrapper.Name+suffix)
	}
	return names
}

// spellTypes writes the key and element types of m, and the type parameters of generic, which may be nil, as a file of pkg can
// that form generates. The names are for others to choose.
func spellTypes(m *types.Map, generic *types.Named, pkg *load.Package, form Form) Wrapper {
	q := &qualifier{pkg: pkg.Types, reserved: needed(form), known: importedAs, names: make(map[string]string)}
	w := Wrapper{Package: pkg.Name, GoVersion: pkg.GoVersion, KeyKind: keyKind(m.Key()),
		StrictKey: region.IsStrict(m.Key()), StrictVal: region.IsStrict(m.Elem()), Reflexive: region.IsReflexive(m.Key())}
	w.Key, w.Value = types.TypeString(m.Key(), q.qualify), types.TypeString(m.Elem(), q.qualify)
	if generic != nil && generic.TypeParams().Len() > 0 {
		var params, args []string
		for tp := range generic.TypeParams().TypeParams() {
			args = append(args, tp.Obj().Name())
			params = append(params, tp.Obj().Name()+" "+types.TypeString(tp.Constraint(), q.qualify))
		}
		w.TypeParams = "[" + strings.Join(params, ", ") + "]"
		w.TypeArgs = "[" + strings.Join(args, ", ") + "]"
	}
	w.Imports = q.imports
	return w
}

// needed returns the names that the code which form generates relies on.
func needed(form Form) []string {
	return append(slices.Clone(predeclared), wrapperFormOf(form).names...)
}

// importedAs are the paths of the packages that are among the names which generated code relies on.
var importedAs = map[string]string{"sync": "sync", "iter": "iter", "maps": "maps", "atomic": "sync/atomic", "maphash": "hash/maphash", "bits": "math/bits", "xsync": xsyncLibrary.Path}

// tooOld returns why form cannot be had for w in a module of its go version, or "".
func tooOld(form Form, w Wrapper) string {
	needs := form.Needs(w.KeyKind)
	if needs == 0 || version.Compare("go"+w.GoVersion, fmt.Sprintf("go1.%d", needs)) >= 0 {
		return ""
	}
	keys := ""
	if w.KeyKind == "" {
		keys = " for keys of type " + w.Key
	}
	return fmt.Sprintf("the form %s needs go 1.%d%s, and the module is of go %s", form, needs, keys, w.GoVersion)
}

// lowerFirst returns name with its first word in lower case: httpCache for HTTPCache.
func lowerFirst(name string) string {
	n := 0
	for n < len(name) && 'A' <= name[n] && name[n] <= 'Z' {
		n++
	}
	if n > 1 && n < len(name) && 'a' <= name[n] {
		n-- // of the second word
	}
	return strings.ToLower(name[:n]) + name[n:]
}

// upperFirst returns name with its first letter in upper case.
func upperFirst(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[size:]
}

// mentionsName reports whether an identifier of the packages in dir, wherever it stands, has that name: a
// local of it would hide the type.
func (d *decider) mentionsName(dir, name string) bool {
	for _, pkg := range d.prog.Packages {
		if pkg.Dir != dir {
			continue
		}
		for _, file := range pkg.Files {
			found := false
			ast.Inspect(file.Syntax, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				found = found || ok && id.Name == name
				return !found
			})
			if found {
				return true
			}
		}
	}
	return false
}

// exists reports whether there is a file of that name, relative to the root, or one that differs in case.
func (d *decider) exists(name string) bool {
	for _, pkg := range d.prog.Packages {
		for _, file := range pkg.Files {
			if strings.EqualFold(file.Name, name) {
				return true
			}
		}
	}
	_, err := os.Lstat(filepath.Join(d.prog.Root, filepath.FromSlash(name)))
	return err == nil
}

// qualifier names packages in the generated file and collects its imports.
type qualifier struct {
	pkg      *types.Package
	reserved []string          // names that mean something else
	known    map[string]string // the paths of the packages among them
	names    map[string]string // by path
	imports  []Import
}

func (q *qualifier) qualify(p *types.Package) string {
	if p == q.pkg {
		return ""
	}
	if name, ok := q.names[p.Path()]; ok {
		return name
	}
	imp := Import{Path: p.Path()}
	name := p.Name()
	taken := func(name string) bool {
		for _, other := range q.names {
			if other == name {
				return true
			}
		}
		return q.pkg.Scope().Lookup(name) != nil || slices.Contains(q.reserved, name) && q.known[name] != p.Path()
	}
	for taken(name) {
		name += "pkg"
		imp.Name = name
	}
	q.names[p.Path()] = name
	q.imports = append(q.imports, imp)
	slices.SortFunc(q.imports, func(a, b Import) int { return strings.Compare(a.Path, b.Path) })
	return name
}

// hidden returns the name in t that a file of pkg cannot write, or "".
func hidden(t types.Type, pkg *types.Package) string {
	switch t := t.(type) {
	case interface { // *types.Alias, *types.Named
		Obj() *types.TypeName
		TypeArgs() *types.TypeList
	}:
		switch obj := t.Obj(); obj.Pkg() {
		case nil: // predeclared
		case pkg:
			if obj.Parent() != pkg.Scope() {
				return obj.Name()
			}
		default:
			if !obj.Exported() {
				return obj.Name()
			}
		}
		return hiddenIn(t.TypeArgs(), pkg)
	case *types.Pointer:
		return hidden(t.Elem(), pkg)
	case *types.Slice:
		return hidden(t.Elem(), pkg)
	case *types.Array:
		return hidden(t.Elem(), pkg)
	case *types.Chan:
		return hidden(t.Elem(), pkg)
	case *types.Map:
		return cmp.Or(hidden(t.Key(), pkg), hidden(t.Elem(), pkg))
	case *types.Signature:
		return cmp.Or(hidden(t.Params(), pkg), hidden(t.Results(), pkg))
	case *types.Tuple:
		for v := range t.Variables() {
			if name := hidden(v.Type(), pkg); name != "" {
				return name
			}
		}
	case *types.Struct:
		for f := range t.Fields() {
			if name := hidden(f.Type(), pkg); name != "" {
				return name
			}
			if !f.Exported() && f.Pkg() != pkg {
				return f.Name()
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			if name := hidden(m.Type(), pkg); name != "" {
				return name
			}
			if !m.Exported() && m.Pkg() != pkg {
				return m.Name()
			}
		}
	}
	return ""
}

func hiddenIn(args *types.TypeList, pkg *types.Package) string {
	for t := range args.Types() {
		if name := hidden(t, pkg); name != "" {
			return name
		}
	}
	return ""
}
