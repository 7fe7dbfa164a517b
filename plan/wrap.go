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

// This file plans the forms that generate a type: the order of the steps, and whether the variable can become one of a
// generated type at all. The steps stand in files of their own.

// wrapping is the plan of one variable to be wrapped.
type wrapping struct {
	d        *decider
	c        *candidate
	form     Form
	m        *types.Map
	objs     map[*types.Var]bool // the variable, as each package knows it
	pkgs     []*load.Package     // that know it: the one that declares it, and what imports that
	mentions []*mention
	wrapper  Wrapper
	lowered  []Lowering
	olds     map[ast.Node]bool  // elements that a statement reads to renew them
	shared   map[token.Pos]bool // mentions at which another goroutine may reach the map
	moved    bool               // the methods of the owner do not copy it: they are to have pointer receivers
	pointed  map[ast.Expr]bool  // literals whose address is to be taken, and assertions that are to be to a pointer
	freed    *Freed             // the guard, if it goes
	sections map[*mention]int   // which of the sections of a guard that goes has it; those outside are left out
}

// wrapSteps is the order in which a wrapper is worked out. Each returns nil or why it cannot be.
var wrapSteps = []func(*wrapping) *Refusal{
	(*wrapping).checkDeclaration,
	(*wrapping).checkGuard,
	(*wrapping).checkUnseen,
	(*wrapping).nameType,
	(*wrapping).checkLibrary,
	(*wrapping).lowerDeclaration,
	(*wrapping).lowerMentions,
	(*wrapping).freeGuard,
	(*wrapping).checkRanges,
	(*wrapping).checkTogether,
	(*wrapping).checkCopies,
	(*wrapping).checkReflection,
	(*wrapping).checkLayout,
}

// wrap returns the mend that gives the variable of c the type that form generates, or why there is none. Its names are still free.
func (d *decider) wrap(c *candidate, form Form) (*Mend, *wrapping, *Refusal) {
	if r := d.checkFile(c); r != nil {
		return nil, nil, r
	}
	if r := d.checkCopies(c); r != nil {
		return nil, nil, r
	}
	w := &wrapping{d: d, c: c, form: form, olds: make(map[ast.Node]bool), shared: make(map[token.Pos]bool)}
	for i := range d.world.Uses {
		w.shared[d.world.Uses[i].Pos] = true
	}
	for _, step := range wrapSteps {
		if r := step(w); r != nil {
			return nil, nil, r
		}
	}
	if r := d.checkBrought(c); r != nil {
		return nil, nil, r
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
	if d.opt.AllAccessors {
		w.wrapper.Accessors = accessorsFor(w.m.Elem(), w.wrapper.GoVersion)
	}
	if d.opt.EmitTests {
		if r := w.planTests(); r != nil {
			return nil, nil, r
		}
	}
	f := wrapperFormOf(form)
	return &Mend{
		Var:     c.finding.Var,
		Form:    form,
		Finding: c.finding.reference(),
		Class:   Var{Package: c.decl.pkg.Path, Owner: w.wrapper.Name + f.lock, Field: f.field},
		Decl:    d.span(c.decl.file, c.decl.extent()),
		Wrapper: &w.wrapper,
		Lowered: w.lowered,
		Freed:   w.freed,
	}, w, nil
}

// takeNames keeps others from generating what is named like the type of w, or its file.
func (w *wrapping) takeNames() {
	w.d.names[w.wrapper.File] = true
	for _, name := range w.declared() {
		w.d.names[w.c.decl.pkg.Path+"."+name] = true
	}
	if t := w.wrapper.Tests; t != nil {
		w.d.names[t.File] = true
		for _, name := range t.Declared(w.wrapper.Name) {
			w.d.names[w.c.decl.pkg.Path+"."+name] = true
		}
	}
}

func (w *wrapping) refuse(code Code, pos token.Pos, message, todo string) *Refusal {
	return &Refusal{Code: code, Pos: w.d.at(pos), Message: message, Todo: todo}
}

// checkDeclaration refuses variables whose declaration cannot name another type.
func (w *wrapping) checkDeclaration() *Refusal {
	decl := w.c.decl
	obj := decl.object()
	m, ok := obj.Type().Underlying().(*types.Map)
	switch field, isField := decl.node.(*ast.Field); {
	case !ok:
		return w.refuse(Unlowered, decl.name.Pos(), "the map is the type of a type parameter", "use --form lock")
	case decl.owner == nil && decl.outer == nil:
		return w.refuse(CapturedLocal, decl.name.Pos(), "the variable is a local of "+w.c.finding.Owner, "declare a mutex beside it and lock it in the goroutines")
	case strings.Contains(w.c.finding.Field, "."):
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
	w.findObjects()
	return nil
}

// findObjects finds the packages that know the variable, and what it is to them.
func (w *wrapping) findObjects() {
	decl := w.c.decl
	w.objs = map[*types.Var]bool{decl.object(): true}
	for _, pkg := range w.d.prog.Packages {
		if pkg.Broken {
			continue
		}
		if as := w.d.known(pkg.Types)[decl.pkg.Types.Path()]; as != nil {
			w.pkgs = append(w.pkgs, pkg)
			if v := lookUp(as, w.c.finding.Var); v != nil {
				w.objs[v] = true
			}
		}
	}
}

// isOneOf reports whether id names one of vars, which findObjects found.
func isOneOf(info *types.Info, id *ast.Ident, vars map[*types.Var]bool) bool {
	v, ok := info.Uses[id].(*types.Var)
	return ok && vars[v.Origin()]
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
	matches, _ := ctx.MatchFile(".", path.Base(file.Name)) // a file that cannot be read does not match
	return matches
}

// known returns the packages that pkg, and what it imports, knows by their paths. Packages read their
// imports apart from each other, so one path may be another package to each.
func (d *decider) known(pkg *types.Package) map[string]*types.Package {
	if d.imports[pkg] != nil {
		return d.imports[pkg]
	}
	known := make(map[string]*types.Package)
	var add func(*types.Package)
	add = func(p *types.Package) {
		if known[p.Path()] == nil {
			known[p.Path()] = p
			for _, imp := range p.Imports() {
				add(imp)
			}
		}
	}
	add(pkg)
	d.imports[pkg] = known
	return known
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
// With a lock of its own the map would change before or after n does. Of one that is contended [wrapping.freeGuard] looks at the sections.
func (w *wrapping) checkGuard() *Refusal {
	if g := w.c.verdict.Guard; g != nil && !w.c.relieved {
		return w.refuse(Footprint, w.c.decl.name.Pos(), "the map has a guard, "+g.Name()+", whose sections may touch more than the map", "use --form lock")
	}
	return w.checkOtherLocks()
}

// checkOtherLocks refuses variables that are used while a lock is held that is not the guard of one that is contended.
func (w *wrapping) checkOtherLocks() *Refusal {
	for _, j := range w.c.verdict.Uses {
		for _, e := range j.Entries {
			for _, h := range e.At.Held {
				if !h.Once && !(w.c.relieved && h.Class == w.c.verdict.Guard.Class) {
					return w.refuse(Footprint, e.Use.Pos, "the map is used while another lock is held, whose section may touch more than the map", "use --form lock")
				}
			}
		}
	}
	return nil
}
