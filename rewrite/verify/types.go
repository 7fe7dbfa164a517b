// This file holds the invariants about types: TypeChecks, SameAPI, NoCopiedLock.

package verify

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/copylock"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"mapmend/plan"
	"mapmend/plan/load"
)

// place matches the places that the type checker's messages name: "method S.f already declared at /m/p.go:3:9",
// "cannot infer T (declared at p.go:3:9)", "p.go:3:9: S refers to".
var place = regexp.MustCompile(` \((first|declared) at .*?:\d+:\d+\)| at .*?:\d+:\d+|\S*\d+:\d+: `)

// typeChecks: no package has an error that it did not have before. Lines move, so an error is known by
// its file and text, without the places that the text names.
func typeChecks(p *proof) []failure {
	known := make(map[string]int)
	text := func(e load.Error) string { return place.ReplaceAllString(e.Msg, "") }
	key := func(e load.Error) string { return e.File + "\x00" + text(e) }
	for _, e := range p.before.Errors {
		known[key(e)]++
	}
	var failed []failure
	for _, e := range p.after.Errors {
		if known[key(e)]--; known[key(e)] < 0 {
			failed = append(failed, failure{pos: plan.Pos{File: e.File, Line: e.Line, Column: e.Col}, message: text(e)})
		}
	}
	for _, pkg := range p.before.Packages {
		now := p.after.Package(pkg.Path)
		if len(failed) == 0 && (now == nil || now.Broken && !pkg.Broken || len(now.Unchecked) > len(pkg.Unchecked)) {
			failed = append(failed, failure{message: fmt.Sprintf("package %s does not load any more", pkg.Path)})
		}
	}
	return failed
}

// sameAPI: what a package exports is the same.
func sameAPI(p *proof) []failure {
	var failed []failure
	for _, pkg := range p.before.Packages {
		now := p.after.Package(pkg.Path)
		if pkg.Types == nil || now == nil || now.Types == nil || pkg.Broken {
			continue
		}
		before, after := exported(pkg.Types), exported(now.Types)
		for _, name := range sortedKeys(before, after) {
			if before[name] != after[name] && !p.planned(pkg.Path, name) && !p.pointed(pkg, now, name) && !p.tested(now, name) {
				failed = append(failed, failure{pos: p.declared(now, name), message: fmt.Sprintf("the exported %s.%s changed", pkg.Path, name)})
			}
		}
	}
	return failed
}

// planned reports whether the plan gives an exported variable, or an exported field of the named type,
// another type. It does so only where no package outside the program can see it.
func (p *proof) planned(path, name string) bool {
	return slices.ContainsFunc(p.plan.Mends, func(m plan.Mend) bool {
		return m.Wrapper != nil && m.Package == path && token.IsExported(m.Field) && (m.Owner == name || m.Owner == "" && m.Field == name)
	})
}

// tested reports whether name is declared in now by tests that are generated, and so is no API.
func (p *proof) tested(now *load.Package, name string) bool {
	file := p.declared(now, name).File
	return slices.ContainsFunc(p.plan.Mends, func(m plan.Mend) bool {
		return m.Wrapper != nil && m.Wrapper.Tests != nil && m.Wrapper.Tests.File == file
	})
}

// pointed reports whether nothing changes of what is exported as name but that values of the type have fewer methods, since
// the receivers of a type become pointers which it is or has embedded. It does so only where no package outside the program
// can see it.
func (p *proof) pointed(before, after *load.Package, name string) bool {
	was, ok := before.Types.Scope().Lookup(name).(*types.TypeName)
	now, also := after.Types.Scope().Lookup(name).(*types.TypeName)
	if !ok || !also || isImportable(before) && !p.inTest(was) || !slices.ContainsFunc(p.plan.Mends, func(m plan.Mend) bool { return len(m.Receivers) > 0 && holdsType(was.Type(), m.Package, m.Owner) }) {
		return false
	}
	return typeText(was.Type().Underlying()) == typeText(now.Type().Underlying()) && methodsText(types.NewPointer(was.Type())) == methodsText(types.NewPointer(now.Type()))
}

// inTest reports whether obj is declared in a test of the program before.
func (p *proof) inTest(obj types.Object) bool {
	f := p.before.File(obj.Pos())
	return f != nil && f.Test
}

// isImportable reports whether packages outside the program can import pkg.
func isImportable(pkg *load.Package) bool {
	return pkg.Name != "main" && !pkg.External && !slices.Contains(strings.Split(pkg.Path, "/"), "internal")
}

// holdsType reports whether t is the named type, or has it embedded by value.
func holdsType(t types.Type, path, name string) bool {
	if _, pointer := types.Unalias(t).(*types.Pointer); !pointer && isNamed(t, path, name) {
		return true
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range st.Fields() {
		if f.Embedded() && holdsType(f.Type(), path, name) {
			return true
		}
	}
	return false
}

// declared returns where name is declared in pkg.
func (p *proof) declared(pkg *load.Package, name string) plan.Pos {
	obj := pkg.Types.Scope().Lookup(name)
	if obj == nil {
		return plan.Pos{}
	}
	posn := p.after.Position(obj.Pos())
	return plan.Pos{File: posn.Filename, Line: posn.Line, Column: posn.Column}
}

// exported returns for each exported name of pkg what an importer can see of it.
func exported(pkg *types.Package) map[string]string {
	api := make(map[string]string)
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		text := fmt.Sprintf("%T %s", obj, typeText(obj.Type()))
		if c, ok := obj.(*types.Const); ok {
			text += " = " + c.Val().ExactString()
		}
		if t, ok := obj.(*types.TypeName); ok {
			text += " " + typeText(obj.Type().Underlying()) + methodText(t)
			if named, ok := types.Unalias(t.Type()).(*types.Named); ok {
				for tp := range named.TypeParams().TypeParams() {
					text += " " + tp.String() + " " + typeText(tp.Constraint())
				}
			}
		}
		api[name] = text
	}
	return api
}

// methodText lists the exported methods of a pointer to the type, promoted ones too: a mutex must not
// become one of them.
func methodText(t *types.TypeName) string {
	return methodsText(t.Type()) + methodsText(types.NewPointer(t.Type()))
}

// methodsText lists the exported methods of t.
func methodsText(t types.Type) string {
	var b strings.Builder
	set := types.NewMethodSet(t)
	for sel := range set.Methods() {
		if sel.Obj().Exported() {
			fmt.Fprintf(&b, "; %s %s", sel.Obj().Name(), typeText(sel.Type()))
		}
	}
	return b.String()
}

func typeText(t types.Type) string { return types.TypeString(visible(t), (*types.Package).Path) }

// visible returns t without the unexported fields of structs in it: those an importer cannot name.
func visible(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.Struct:
		var fields []*types.Var
		var tags []string
		for i := range t.NumFields() {
			if f := t.Field(i); f.Exported() || f.Embedded() {
				fields = append(fields, types.NewField(f.Pos(), f.Pkg(), f.Name(), visible(f.Type()), f.Embedded()))
				tags = append(tags, t.Tag(i))
			}
		}
		return types.NewStruct(fields, tags)
	case *types.Pointer:
		return types.NewPointer(visible(t.Elem()))
	case *types.Slice:
		return types.NewSlice(visible(t.Elem()))
	case *types.Array:
		return types.NewArray(visible(t.Elem()), t.Len())
	case *types.Map:
		return types.NewMap(visible(t.Key()), visible(t.Elem()))
	}
	return t
}

func sortedKeys(a, b map[string]string) []string {
	var keys []string
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// noCopiedLock: no value that gained a lock is copied. Only a plan that adds a mutex can make one so.
func noCopiedLock(p *proof) []failure {
	if !slices.ContainsFunc(p.plan.Mends, func(m plan.Mend) bool { return m.Mutex != nil || m.Wrapper != nil }) {
		return nil
	}
	key := func(f failure) string { return f.pos.File + "\x00" + f.message }
	known := make(map[string]int)
	for _, f := range p.copies(p.before) {
		known[key(f)]++
	}
	var failed []failure
	for _, f := range p.copies(p.after) {
		if known[key(f)]--; known[key(f)] < 0 {
			f.vars = p.gained(f.message)
			failed = append(failed, f)
		}
	}
	return failed
}

// gained returns the mended variables whose owner a message of copylock names: "T contains sync.RWMutex".
func (p *proof) gained(message string) []plan.Var {
	var vars []plan.Var
	for _, m := range p.plan.Mends {
		if (m.Mutex != nil || m.Wrapper != nil) && names(message, m) {
			vars = append(vars, m.Var)
		}
	}
	return vars
}

// names reports whether a message of copylock names the owner of m.
func names(message string, m plan.Mend) bool {
	owner := m.Package + "." + m.Owner
	_, rest, found := strings.Cut(message, owner)
	return found && m.Owner != "" && (rest == "" || strings.IndexByte(" [.;", rest[0]) >= 0)
}

// copies returns every copy of a lock in prog: what vet's copylocks reports, and sends.
func (p *proof) copies(prog *load.Program) []failure {
	var found []failure
	for _, pkg := range prog.Packages {
		if pkg.Broken || pkg.Types == nil {
			continue
		}
		var files []*ast.File
		for _, f := range pkg.Files {
			files = append(files, f.Syntax)
		}
		report := func(d analysis.Diagnostic) {
			posn := prog.Position(d.Pos)
			found = append(found, failure{pos: plan.Pos{File: posn.Filename, Line: posn.Line, Column: posn.Column}, message: d.Message})
		}
		pass := &analysis.Pass{
			Analyzer:  copylock.Analyzer,
			Fset:      prog.Fset,
			Files:     files,
			Pkg:       pkg.Types,
			TypesInfo: pkg.Info,
			ResultOf:  map[*analysis.Analyzer]any{inspect.Analyzer: inspector.New(files)},
			Report:    report,
		}
		if _, err := copylock.Analyzer.Run(pass); err != nil {
			panic(fmt.Sprintf("verify: copylocks: %v", err))
		}
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SendStmt); ok && isVariable(s.Value) && holdsLock(pkg.Info.TypeOf(s.Value)) {
					report(analysis.Diagnostic{Pos: s.Value.Pos(), Message: "send copies lock value: " + types.TypeString(pkg.Info.TypeOf(s.Value), nil)})
				}
				return true
			})
		}
	}
	return found
}

// isVariable reports whether e is the value of something that stays: a literal or a call makes a new one.
func isVariable(e ast.Expr) bool {
	switch ast.Unparen(e).(type) {
	case *ast.CompositeLit, *ast.CallExpr:
		return false
	}
	return true
}

// holdsLock reports whether a value of type t contains a mutex.
func holdsLock(t types.Type) bool {
	if t == nil || isMutexType(t) {
		return t != nil
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if holdsLock(f.Type()) {
				return true
			}
		}
	case *types.Array:
		return holdsLock(u.Elem())
	}
	return false
}

// isMutexType reports whether t is sync.Mutex or sync.RWMutex.
func isMutexType(t types.Type) bool {
	return isNamed(t, "sync", "Mutex") || isNamed(t, "sync", "RWMutex")
}

// isNamed reports whether t, or what it points to, is the named type.
func isNamed(t types.Type, path, name string) bool {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == path && n.Obj().Name() == name
}
