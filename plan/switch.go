package plan

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan/load"
)

// This file plans that a variable which has a generated type gets one of another form. Only the generated file changes: the
// uses call the accessors, which all forms have.

// Switch is one variable whose generated type is to be of another form.
type Switch struct {
	Var
	File     string // the generated file
	From, To Form
	Old, New Wrapper // the type in the two forms; with tests if there are some, and New also if they are asked for
	Emit     bool    // they are asked for
}

// FindSwitches returns the variables of prog that have a generated type, as what would be done to leave them as they are, sorted by
// file. A generated type is known by the directive of its file:
//
//	//mapmend:form rwmutex example.com/app.Store.byID
func FindSwitches(prog *load.Program) []Switch {
	var found []Switch
	for _, pkg := range prog.Packages {
		for _, file := range pkg.Files {
			if s, ok := generatedIn(pkg, file); ok {
				found = append(found, s)
			}
		}
	}
	slices.SortFunc(found, func(a, b Switch) int { return strings.Compare(a.File, b.File) })
	return found
}

// generatedIn returns what the directive of file says, if it has one and a type below it.
func generatedIn(pkg *load.Package, file *load.File) (Switch, bool) {
	form, v, ok := directiveOf(pkg, file)
	if !ok || pkg.Broken {
		return Switch{}, false
	}
	named, m := wrapperIn(pkg, file)
	if m == nil {
		return Switch{}, false
	}
	w := spellTypes(m, named, pkg, form)
	w.Name, w.File, w.Accessors = named.Obj().Name(), file.Name, accessorsIn(file)
	if name := testsIn(pkg, v); name != "" {
		if w.Tests, _ = testsOf(m, named, "m", pkg, w); w.Tests != nil {
			w.Tests.File = name
		}
	}
	return Switch{Var: v, File: file.Name, From: form, To: form, Old: w, New: w}, true
}

// directiveOf returns the form and the variable that the directive of file names.
func directiveOf(pkg *load.Package, file *load.File) (form Form, v Var, ok bool) {
	for _, text := range directivesIn(file, "//mapmend:form ") {
		word := strings.Fields(text)
		if len(word) != 2 || wrapperFormOf(Form(word[0])) == nil {
			continue
		}
		name, is := strings.CutPrefix(word[1], pkg.Path+".")
		if !is {
			continue
		}
		v = Var{Package: pkg.Path, Field: name}
		if owner, field, cut := strings.Cut(name, "."); cut {
			v.Owner, v.Field = owner, field
		}
		return Form(word[0]), v, true
	}
	return "", Var{}, false
}

// testsIn returns the name of the file of pkg whose directive says that it has the tests of what is generated for v, or "".
//
//	//mapmend:tests example.com/app.Store.byID
func testsIn(pkg *load.Package, v Var) string {
	for _, file := range pkg.Files {
		if file.Test && slices.Contains(directivesIn(file, "//mapmend:tests "), v.String()) {
			return file.Name
		}
	}
	return ""
}

// directivesIn returns what stands behind prefix in the lines above the package clause of file, if that is generated.
func directivesIn(file *load.File, prefix string) (texts []string) {
	if !file.Generated || file.Syntax == nil {
		return nil
	}
	for _, group := range file.Syntax.Comments {
		for _, c := range group.List {
			if text, is := strings.CutPrefix(c.Text, prefix); is && c.Pos() < file.Syntax.Package {
				texts = append(texts, strings.TrimSpace(text))
			}
		}
	}
	return texts
}

// wrapperIn returns the first type that file declares and the type of its field m, which is nil unless it is a map.
func wrapperIn(pkg *load.Package, file *load.File) (*types.Named, *types.Map) {
	for _, d := range file.Syntax.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || len(gen.Specs) != 1 {
			continue
		}
		spec, ok := gen.Specs[0].(*ast.TypeSpec)
		if !ok {
			continue
		}
		tn, _ := pkg.Info.Defs[spec.Name].(*types.TypeName)
		if tn == nil {
			return nil, nil
		}
		named, _ := tn.Type().(*types.Named)
		st, _ := tn.Type().Underlying().(*types.Struct)
		if named == nil || st == nil {
			return nil, nil
		}
		for f := range st.Fields() {
			if m, ok := f.Type().(*types.Map); ok && f.Name() == "m" {
				return named, m
			}
		}
		return nil, nil
	}
	return nil, nil
}

// accessorsIn returns the names of the exported methods in file, sorted.
func accessorsIn(file *load.File) []string {
	var names []string
	for _, d := range file.Syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.IsExported() {
			names = append(names, fn.Name.Name)
		}
	}
	slices.Sort(names)
	return names
}

// In returns s with the first of forms that is feasible, or why the first of them is not. Of opt count AllAccessors, without which
// the type has those accessors that it has; EmitTests, without which it has tests if there are some; Platforms and Seen.
//
// Precondition: s is one of FindSwitches(prog), and each of forms generates a type.
func (s Switch) In(prog *load.Program, forms []Form, opt Options) (Switch, *Refusal) {
	s.Emit = opt.EmitTests
	var first *Refusal
	for _, form := range forms {
		to, r := s.in(prog, form, opt)
		if r == nil {
			return to, nil
		}
		if first == nil {
			first = r
		}
	}
	return s, first
}

func (s Switch) in(prog *load.Program, form Form, opt Options) (Switch, *Refusal) {
	w := &switching{d: &decider{prog: prog, opt: opt}}
	for _, pkg := range prog.Packages {
		for _, file := range pkg.Files {
			if file.Name == s.File {
				w.pkg, w.file = pkg, file
			}
		}
	}
	w.named, w.m = wrapperIn(w.pkg, w.file)
	s.To = form
	s.New = spellTypes(w.m, w.named, w.pkg, form)
	s.New.Name, s.New.File, s.New.Accessors = s.Old.Name, s.File, s.Old.Accessors
	if opt.AllAccessors {
		s.New.Accessors = accessorsFor(w.m.Elem(), s.New.GoVersion)
	}
	for _, step := range []func(*switching, Switch) *Refusal{(*switching).checkFile, (*switching).checkNeeds, (*switching).checkNames, (*switching).checkInside, (*switching).checkGiven, (*switching).checkUnseen} {
		if r := step(w, s); r != nil {
			r.Var = s.Var
			return s, r
		}
	}
	for _, step := range []func(*switching, *Switch) *Refusal{(*switching).planLibrary, (*switching).planTests} {
		if r := step(w, &s); r != nil {
			r.Var = s.Var
			return s, r
		}
	}
	return s, nil
}

// switching is the plan of one switch.
type switching struct {
	d     *decider
	pkg   *load.Package
	file  *load.File
	named *types.Named
	m     *types.Map
}

func (w *switching) refuse(code Code, n ast.Node, message, todo string) *Refusal {
	return &Refusal{Code: code, Pos: w.d.at(n.Pos()), Message: message, Todo: todo}
}

// checkFile refuses files that are not to be written for another reason than that they are generated.
func (w *switching) checkFile(Switch) *Refusal {
	file := *w.file
	file.Generated = false
	r := w.d.fileRefusal(w.pkg, &file)
	if r != nil {
		r.Pos = w.d.at(w.file.Syntax.Name.Pos())
	}
	return r
}

// checkNeeds refuses a form that the module's go is too old for.
func (w *switching) checkNeeds(s Switch) *Refusal {
	if why := tooOld(s.To, s.New); why != "" {
		return w.refuse(Unlowered, w.file.Syntax.Name, why, "raise the version in go.mod, or choose another form")
	}
	return nil
}

// checkNames refuses a form that needs a name which the package uses, unless that is in the file to be generated anew.
func (w *switching) checkNames(s Switch) *Refusal {
	taken := func(name string) bool {
		obj := w.pkg.Types.Scope().Lookup(name)
		return obj != nil && w.d.prog.File(obj.Pos()) != w.file || w.d.isDeclaredUnseen(w.pkg, name)
	}
	for _, name := range needed(s.To) {
		if taken(name) {
			return w.refuse(Unlowered, w.file.Syntax.Name, "the package declares the name "+name+", which the generated code needs", "rename it, or choose another form")
		}
	}
	for _, suffix := range s.To.Beside() {
		if taken(s.New.Name + suffix) {
			return w.refuse(Unlowered, w.file.Syntax.Name, "the name "+s.New.Name+suffix+" to generate beside the type is taken", "rename the other one, or choose another form")
		}
	}
	return nil
}

// planTests plans tests of the new type of s, if there are some of the old one or they are asked for.
func (w *switching) planTests(s *Switch) *Refusal {
	if s.Old.Tests == nil && !s.Emit {
		return nil
	}
	tests, why := testsOf(w.m, w.named, "m", w.pkg, s.New)
	if why != "" {
		return w.refuse(Unlowered, w.file.Syntax.Name, "there can be no tests: "+why, "leave out --emit-tests")
	}
	if s.Old.Tests != nil {
		tests.File = s.Old.Tests.File
	} else if why := w.d.testsTaken(w.pkg, s.New.Name, tests); why != "" {
		return w.refuse(Unlowered, w.file.Syntax.Name, why, "rename or remove that, or leave out --emit-tests")
	}
	s.New.Tests = tests
	return nil
}

// checkInside refuses a type that is used by more than its accessors and, in a literal, its field m:
//
//	s.hits.Lock()
//	s.hits.m[a], s.hits.m[b] = s.hits.m[b], s.hits.m[a]
//	s.hits.Unlock()
//
// No other form has such a lock, or one map to use under it.
func (w *switching) checkInside(s Switch) *Refusal {
	if s.From == s.To {
		return nil
	}
	for _, pkg := range w.d.prog.Packages {
		for _, file := range pkg.Files {
			if file == w.file || file.Syntax == nil || pkg.Broken {
				continue
			}
			var at *ast.SelectorExpr
			ast.Inspect(file.Syntax, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if ok && at == nil && w.isInside(pkg, sel) && !slices.Contains(s.Old.Accessors, sel.Sel.Name) {
					at = sel
				}
				return at == nil
			})
			if at != nil {
				return w.refuse(SplitRegion, at.Sel, fmt.Sprintf("%s is used here, which is part of the form %s: what is done under one lock cannot be parted", at.Sel.Name, s.From), "call accessors only, or keep the form")
			}
		}
	}
	return nil
}

// checkUnseen refuses a type that source outside this build uses by more than its accessors, as far as names tell.
func (w *switching) checkUnseen(s Switch) *Refusal {
	if s.From == s.To {
		return nil
	}
	for _, folder := range w.d.folders(w.pkg.Path) {
		if folder.Dir != w.pkg.Dir && !token.IsExported(s.Field) {
			continue
		}
		for _, name := range w.d.unseenFiles(folder.Dir) {
			if usesMore(name, s) {
				return w.refuse(OutOfScope, w.file.Syntax.Name, w.d.nameOf(name, w.pkg)+" may use the lock of the type, and is not part of this build", w.d.loadOr(name, "keep the form"))
			}
		}
	}
	return nil
}

// usesMore reports whether the named file, which has no types, selects of something with the name of the variable what is no
// accessor, or cannot be read.
func usesMore(name string, s Switch) (uses bool) {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		return true
	}
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return !uses
		}
		switch x := ast.Unparen(sel.X).(type) {
		case *ast.Ident:
			ok = x.Name == s.Field
		case *ast.SelectorExpr:
			ok = x.Sel.Name == s.Field
		default:
			ok = false
		}
		uses = uses || ok && !slices.Contains(s.Old.Accessors, sel.Sel.Name)
		return !uses
	})
	return uses
}

// checkGiven refuses a type with an accessor that is given a function which may use the map. It must not, and waits for ever in
// the form rwmutex, but in the others it may find what it needs without the lock that is held:
//
//	s.hits.Update(k, func(old int, _ bool) (int, bool) { return old + s.hits.Get("all"), true })
func (w *switching) checkGiven(s Switch) *Refusal {
	if s.From == s.To || s.From == RWMutex {
		return nil
	}
	accessors := make(map[string]bool)
	for _, d := range w.file.Syntax.Decls {
		accessors[declKey(w.pkg, w.file, d)] = true
	}
	for _, pkg := range w.d.prog.Packages {
		for _, file := range pkg.Files {
			if file == w.file || file.Syntax == nil || pkg.Broken {
				continue
			}
			if at := w.givenIn(pkg, file, accessors); at != nil {
				return w.refuse(CallInRegion, at, "an accessor is given a function here that may use the map, and would wait for ever in another form", "compute what it needs before, or keep the form")
			}
		}
	}
	return nil
}

// givenIn returns the first function in file that an accessor is given and that may call one, or an accessor that is a value,
// so that it is not known what it is given.
func (w *switching) givenIn(pkg *load.Package, file *load.File, accessors map[string]bool) (at ast.Node) {
	called := make(map[ast.Expr]bool)
	ast.Inspect(file.Syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr)
			if !ok || !w.isInside(pkg, sel) {
				break
			}
			called[sel] = true
			for _, arg := range n.Args {
				if _, isFunc := pkg.Info.TypeOf(arg).Underlying().(*types.Signature); isFunc && at == nil && w.mayCall(pkg, arg, accessors) {
					at = arg
				}
			}
		case *ast.SelectorExpr:
			if at == nil && !called[n] && w.isInside(pkg, n) {
				at = n
			}
		}
		return at == nil
	})
	return at
}

// mayCall reports whether the function that arg is may come to one of targets. It may if it is not written out, or calls a method
// through an interface, which may be that of a caller outside of the program.
func (w *switching) mayCall(pkg *load.Package, arg ast.Expr, targets map[string]bool) bool {
	lit, ok := ast.Unparen(arg).(*ast.FuncLit)
	if !ok {
		return true
	}
	g, c := w.d.calls(), &callees{methods: make(map[string]bool)}
	g.scan(pkg.Info, lit.Body, c)
	return len(c.methods) > 0 || g.reaches(c, targets)
}

// isInside reports whether sel selects something of the generated type.
func (w *switching) isInside(pkg *load.Package, sel *ast.SelectorExpr) bool {
	selection := pkg.Info.Selections[sel]
	if selection == nil {
		return false
	}
	t := types.Unalias(selection.Recv())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, ok := t.(*types.Named)
	obj := w.named.Obj()
	return ok && named.Obj().Name() == obj.Name() && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == obj.Pkg().Path()
}
