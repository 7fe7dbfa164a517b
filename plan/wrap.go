package plan

import (
	"cmp"
	"go/ast"
	"go/build"
	"go/build/constraint"
	"go/token"
	"go/types"
	"io"
	"path"
	"slices"
	"strings"

	"mapmend/plan/load"
)

// This file plans the form rwmutex: whether the variable can become one of a generated type, and what
// that type is called.

// wrapping is the plan of one variable to be wrapped.
type wrapping struct {
	d        *decider
	c        *candidate
	m        *types.Map
	objs     map[*types.Var]bool // the variable, as each package knows it
	mentions []*mention
	wrapper  Wrapper
	lowered  []Lowering
	olds     map[ast.Node]bool  // elements that a statement reads to renew them
	shared   map[token.Pos]bool // mentions at which another goroutine may reach the map
}

// wrapSteps is the order in which a wrapper is worked out. Each returns nil or why it cannot be.
var wrapSteps = []func(*wrapping) *Refusal{
	(*wrapping).checkDeclaration,
	(*wrapping).checkGuard,
	(*wrapping).checkUnseen,
	(*wrapping).nameType,
	(*wrapping).lowerDeclaration,
	(*wrapping).lowerMentions,
	(*wrapping).checkRanges,
	(*wrapping).checkTogether,
	(*wrapping).checkCopies,
	(*wrapping).checkReflection,
}

// wrap returns the mend that gives the variable of c a generated type, or why there is none.
func (d *decider) wrap(c *candidate) (*Mend, *Refusal) {
	if r := d.checkFile(c); r != nil {
		return nil, r
	}
	w := &wrapping{d: d, c: c, olds: make(map[ast.Node]bool), shared: make(map[token.Pos]bool)}
	for i := range d.world.Uses {
		w.shared[d.world.Uses[i].Pos] = true
	}
	for _, step := range wrapSteps {
		if r := step(w); r != nil {
			return nil, r
		}
	}
	slices.SortFunc(w.lowered, func(a, b Lowering) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	for _, l := range w.lowered {
		if l.Accessor != "" && !slices.Contains(w.wrapper.Accessors, l.Accessor) {
			w.wrapper.Accessors = append(w.wrapper.Accessors, l.Accessor)
		}
	}
	slices.Sort(w.wrapper.Accessors)
	d.names[w.wrapper.File] = true
	d.names[c.decl.pkg.Path+"."+w.wrapper.Name] = true
	return &Mend{
		Var:     c.finding.Var,
		Form:    RWMutex,
		Finding: c.finding.ID,
		Decl:    d.span(c.decl.file, c.decl.extent()),
		Wrapper: &w.wrapper,
		Lowered: w.lowered,
	}, nil
}

func (w *wrapping) refuse(code Code, pos token.Pos, message, todo string) *Refusal {
	return &Refusal{Code: code, Pos: w.d.at(pos), Message: message, Todo: todo}
}

// checkDeclaration refuses variables whose declaration cannot name another type.
func (w *wrapping) checkDeclaration() *Refusal {
	decl := w.c.decl
	obj := decl.object()
	if obj == nil {
		return w.refuse(Unlowered, decl.name.Pos(), "the declaration has no type", "use --form lock")
	}
	m, ok := obj.Type().Underlying().(*types.Map)
	switch field, isField := decl.node.(*ast.Field); {
	case !ok:
		return w.refuse(Unlowered, decl.name.Pos(), "the map is the type of a type parameter", "use --form lock")
	case decl.owner == nil && decl.outer == nil:
		return w.refuse(CapturedLocal, decl.name.Pos(), "the variable is a local of "+w.c.finding.Owner, "declare a mutex beside it and lock it in the goroutines")
	case isField && (decl.typ == nil || strings.Contains(w.c.finding.Field, ".")):
		return w.refuse(Unlowered, decl.name.Pos(), "the variable is a field of an anonymous struct", "give the struct a name, or use --form lock")
	case isField && len(field.Names) == 0:
		return w.refuse(Unlowered, decl.name.Pos(), "the map is embedded, so its methods are promoted", "give the field a name, or use --form lock")
	case isField && field.Tag != nil:
		return w.refuse(Reflected, field.Tag.Pos(), "the field has a tag, which only reflection reads", "use --form lock")
	case isField && len(field.Names) > 1:
		return w.refuse(Unlowered, decl.name.Pos(), "other fields are declared together with it", "declare it on a line of its own")
	case token.IsExported(decl.name.Name) && importable(decl):
		return w.refuse(ExportedField, decl.name.Pos(), decl.name.Name+" is API of the package "+decl.pkg.Path, "unexport it, or use --form lock")
	}
	w.m = m
	if _, inner := m.Elem().Underlying().(*types.Map); inner {
		return w.refuse(Footprint, decl.name.Pos(), "its elements are maps, which the lock of a generated type would not guard", "use --form lock")
	}
	if !unconstrained(decl.file) {
		return w.refuse(OutOfScope, decl.name.Pos(), decl.file.Name+" is built on some platforms only", "move the declaration to a file without build constraints, or use --form lock")
	}
	w.objs = map[*types.Var]bool{obj: true}
	for _, pkg := range w.d.prog.Packages {
		if pkg.Types == nil {
			continue
		}
		if known := importedPackage(pkg.Types, decl.pkg.Types.Path(), make(map[*types.Package]bool)); known != nil {
			if v := lookUp(known, w.c.finding.Var); v != nil {
				w.objs[v] = true
			}
		}
	}
	return nil
}

// importable reports whether packages outside the program can mention what decl declares.
func importable(decl declaration) bool {
	return decl.pkg.Name != "main" && !decl.pkg.External && !decl.file.Test && !slices.Contains(strings.Split(decl.pkg.Path, "/"), "internal")
}

// unconstrained reports whether file is built whatever the platform and tags.
func unconstrained(file *load.File) bool {
	for _, group := range file.Syntax.Comments {
		for _, c := range group.List {
			if c.Pos() < file.Syntax.Package && (constraint.IsGoBuild(c.Text) || constraint.IsPlusBuild(c.Text)) {
				return false
			}
		}
	}
	ctx := build.Context{GOOS: "none", GOARCH: "none", Compiler: "gc"}
	ctx.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("package p\n")), nil }
	matches, err := ctx.MatchFile(".", path.Base(file.Name))
	return err == nil && matches
}

// importedPackage returns the package at path as pkg knows it, or nil.
func importedPackage(pkg *types.Package, path string, seen map[*types.Package]bool) *types.Package {
	if seen[pkg] {
		return nil
	}
	seen[pkg] = true
	if pkg.Path() == path {
		return pkg
	}
	for _, imp := range pkg.Imports() {
		if found := importedPackage(imp, path, seen); found != nil {
			return found
		}
	}
	return nil
}

// lookUp returns the object of v in pkg, or nil.
func lookUp(pkg *types.Package, v Var) *types.Var {
	if v.Owner == "" {
		obj, _ := pkg.Scope().Lookup(v.Field).(*types.Var)
		return obj
	}
	tn, ok := pkg.Scope().Lookup(v.Owner).(*types.TypeName)
	if !ok {
		return nil
	}
	st, ok := tn.Type().Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	for f := range st.Fields() {
		if f.Name() == v.Field {
			return f.Origin()
		}
	}
	return nil
}

// checkGuard refuses variables that are used under some lock already:
//
//	s.mu.Lock()
//	s.m[k] = v
//	s.n++
//	s.mu.Unlock()
//
// With a lock of its own the map would change before or after n does.
func (w *wrapping) checkGuard() *Refusal {
	if g := w.c.verdict.Guard; g != nil {
		return w.refuse(Footprint, w.c.decl.name.Pos(), "the map has a guard, "+g.Name()+", whose sections may touch more than the map", "use --form lock")
	}
	for _, j := range w.c.verdict.Uses {
		for _, e := range j.Entries {
			for _, h := range e.At.Held {
				if !h.Once {
					return w.refuse(Footprint, e.Use.Pos, "the map is used while another lock is held, whose section may touch more than the map", "use --form lock")
				}
			}
		}
	}
	return nil
}

// predeclared are the names that the generated code relies on.
var predeclared = []string{"sync", "iter", "maps", "make", "len", "delete", "clear", "nil", "bool", "int", "true", "false", "comparable", "any"}

// nameType chooses the name of the type and its file, and writes its key and element types.
func (w *wrapping) nameType() *Refusal {
	decl := w.c.decl
	scope := decl.pkg.Types.Scope()
	for _, name := range predeclared {
		if scope.Lookup(name) != nil {
			return w.refuse(Unlowered, decl.name.Pos(), "the package declares the name "+name+", which the generated code needs", "rename it, or use --form lock")
		}
	}
	q := &qualifier{pkg: decl.pkg.Types, names: make(map[string]string)}
	w.wrapper = Wrapper{Package: decl.pkg.Name, GoVersion: decl.pkg.GoVersion}
	w.wrapper.Key, w.wrapper.Value = types.TypeString(w.m.Key(), q.qualify), types.TypeString(w.m.Elem(), q.qualify)
	if name := hidden(w.m, decl.pkg.Types); name != "" {
		return w.refuse(Unlowered, decl.name.Pos(), "the map's type mentions "+name+", which cannot be named in another file", "use --form lock")
	}
	if decl.typ != nil {
		w.typeParams(q)
	}
	w.wrapper.Imports = q.imports

	base := lowerFirst(decl.name.Name)
	file := strings.ToLower(decl.name.Name)
	if decl.typ != nil {
		base = lowerFirst(decl.typ.Name.Name) + strings.ToUpper(decl.name.Name[:1]) + decl.name.Name[1:]
		file = strings.ToLower(decl.typ.Name.Name) + "_" + file
	}
	if !strings.HasSuffix(strings.ToLower(base), "map") {
		base += "Map"
	}
	if !token.IsIdentifier(base) || w.mentionsName(base) || w.d.names[decl.pkg.Path+"."+base] {
		return w.refuse(Unlowered, decl.name.Pos(), "the name "+base+" of the type to generate is taken", "rename the other one, or use --form lock")
	}
	suffix := "_mapmend.go"
	if decl.file.Test {
		suffix = "_mapmend_test.go"
	}
	w.wrapper.Name = base
	w.wrapper.File = path.Join(path.Dir(decl.file.Name), strings.TrimLeft(file, "_")+suffix)
	if w.d.names[w.wrapper.File] || w.exists(w.wrapper.File) {
		return w.refuse(Unlowered, decl.name.Pos(), "the file "+w.wrapper.File+" to generate exists", "remove it, or use --form lock")
	}
	return nil
}

// typeParams writes the type parameters of a generic owner, which the generated type has too.
func (w *wrapping) typeParams(q *qualifier) {
	tn, _ := w.c.decl.pkg.Info.Defs[w.c.decl.typ.Name].(*types.TypeName)
	named, ok := tn.Type().(*types.Named)
	if !ok || named.TypeParams().Len() == 0 {
		return
	}
	var params, args []string
	for tp := range named.TypeParams().TypeParams() {
		args = append(args, tp.Obj().Name())
		params = append(params, tp.Obj().Name()+" "+types.TypeString(tp.Constraint(), q.qualify))
	}
	w.wrapper.TypeParams = "[" + strings.Join(params, ", ") + "]"
	w.wrapper.TypeArgs = "[" + strings.Join(args, ", ") + "]"
}

// qualifier names packages in the generated file and collects its imports.
type qualifier struct {
	pkg     *types.Package
	names   map[string]string // by path
	imports []Import
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
		return q.pkg.Scope().Lookup(name) != nil || slices.Contains(predeclared, name) && p.Path() != name
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
	case *types.Alias:
		if obj := t.Obj(); obj.Pkg() == nil || obj.Pkg() == pkg && obj.Parent() == pkg.Scope() || obj.Pkg() != pkg && obj.Exported() {
			return hiddenIn(t.TypeArgs(), pkg)
		}
		return t.Obj().Name()
	case *types.Named:
		if obj := t.Obj(); obj.Pkg() == nil || obj.Pkg() == pkg && obj.Parent() == pkg.Scope() || obj.Pkg() != pkg && obj.Exported() {
			return hiddenIn(t.TypeArgs(), pkg)
		}
		return t.Obj().Name()
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

// lowerFirst returns name with its first word in lower case: httpCache for HTTPCache.
func lowerFirst(name string) string {
	n := 0
	for n < len(name) && 'A' <= name[n] && name[n] <= 'Z' {
		n++
	}
	if n > 1 && n < len(name) {
		n--
	}
	return strings.ToLower(name[:n]) + name[n:]
}

// mentionsName reports whether an identifier of the package, wherever it stands, has that name: a
// local of it would hide the type.
func (w *wrapping) mentionsName(name string) bool {
	for _, pkg := range w.d.prog.Packages {
		if pkg.Dir != w.c.decl.pkg.Dir {
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
