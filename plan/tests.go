package plan

import (
	"go/types"
	"path"
	"regexp"
	"slices"
	"strings"

	"mapmend/plan/load"
	"mapmend/plan/sample"
)

// This file plans the tests of a generated type.

// testsNeed are the names that the tests rely on, besides those of the packages that they import.
var testsNeed = []string{"append", "bool", "byte", "delete", "error", "false", "int", "int32", "int64", "len", "make", "new", "nil", "panic", "recover", "string", "true"}

// testsImport are the packages that the tests import, by the names that they have there.
var testsImport = map[string]string{"atomic": "sync/atomic", "errors": "errors", "fmt": "fmt", "rand": "math/rand", "runtime": "runtime", "strconv": "strconv", "sync": "sync", "testing": "testing"}

// testsLocals are the names of variables in the tests, which packages must not have there.
var testsLocals = strings.Fields("a all alone b bm calls computed deleted do each err f filled found g given goroutines got gotOK had i its j k keep key keys lost m n name none " +
	"now nowOK number ok old oldOK op ops own pb ready round seed snapshot some stored swapped t twice v values want wg x")

// Declared returns what the tests of the generated type name may declare: first what go test runs, then what helps.
func (t *Tests) Declared(name string) []string {
	title := upperFirst(name)
	names := []string{"Test" + title, "Test" + title + "Concurrent", "Fuzz" + title, "Benchmark" + title}
	for _, suffix := range []string{"Agrees", "Alone", "AtOnce", "Differs", "Filled", "Key", "Number", "Ops", "Same", "Samples", "Value", "Which"} {
		names = append(names, name+suffix)
	}
	for _, d := range t.Doubles {
		names = append(names, d.Name)
		if d.Alias != "" {
			names = append(names, d.Embed)
		}
	}
	return names
}

// Needs returns the names that tests rely on to mean what they mean everywhere.
func (*Tests) Needs() []string { return slices.Concat(testsNeed, sortedKeys(testsImport)) }

// Locals returns the names of the variables in tests.
func (*Tests) Locals() []string { return slices.Clone(testsLocals) }

// runByTest is how many of those that are declared go test runs.
const runByTest = 4

// planTests plans tests of the type of w, or says there why they are left out. It refuses w if what they would be called is taken.
func (w *wrapping) planTests() *Refusal {
	decl := w.c.decl
	tests, why := testsOf(w.m, w.owner(), decl.name.Name, decl.pkg, w.wrapper)
	if why != "" {
		w.wrapper.Untested = why
		return nil
	}
	if why := w.d.testsTaken(decl.pkg, w.wrapper.Name, tests); why != "" {
		return w.refuse(Unlowered, decl.name.Pos(), why, "rename or remove that, or leave out --emit-tests")
	}
	w.wrapper.Tests = tests
	return nil
}

// testsTaken returns what stands in the way of t, new tests of the type name, or "".
func (d *decider) testsTaken(pkg *load.Package, name string, t *Tests) string {
	unseen := d.declaredUnseen(pkg)
	for _, needs := range t.Needs() {
		if pkg.Types.Scope().Lookup(needs) != nil || unseen[needs] {
			return "the package declares the name " + needs + ", which the tests to generate need"
		}
	}
	other := &load.Package{Dir: pkg.Dir, Name: pkg.Name + "_test"} // in the same folder, with tests too
	if pkg.External {
		other.Name = strings.TrimSuffix(pkg.Name, "_test")
	}
	beside := d.declaredUnseen(other)
	for i, name := range t.Declared(name) {
		if d.mentionsName(pkg.Dir, name) || d.names[pkg.Path+"."+name] || unseen[name] || i < runByTest && beside[name] {
			return "the name " + name + " of the tests to generate is taken"
		}
	}
	if d.names[t.File] || d.exists(t.File) {
		return "the file " + t.File + " of the tests to generate exists"
	}
	return ""
}

// testsOf returns the tests of w, the generated type for maps m in pkg, or why there can be none. If the type is generic, m is
// the type of the field of owner, which has the same type parameters.
func testsOf(m *types.Map, owner *types.Named, field string, pkg *load.Package, w Wrapper) (*Tests, string) {
	q := &qualifier{pkg: pkg.Types, reserved: slices.Concat(sortedKeys(testsImport), testsLocals), known: testsImport, names: make(map[string]string)}
	t := &Tests{File: testsFile(w.File)}
	if owner != nil && owner.TypeParams().Len() > 0 {
		inst, err := sample.Instance(owner, pkg.Types)
		if err != nil {
			return nil, err.Error()
		}
		var args []string
		for arg := range inst.TypeArgs().Types() {
			args = append(args, types.TypeString(arg, q.qualify))
		}
		t.Args = "[" + strings.Join(args, ", ") + "]"
		m = fieldMap(inst, field)
	}
	maker := &sample.Maker{
		Pkg:     pkg.Types,
		Qualify: q.qualify,
		Knows: func(p *types.Package) bool {
			return slices.ContainsFunc(pkg.Types.Imports(), func(imp *types.Package) bool { return imp.Path() == p.Path() })
		},
		Double: w.Name + "Double",
	}
	key, value := maker.Sample(m.Key()), maker.Sample(m.Elem())
	t.Key, t.Value = maker.Type(m.Key()), maker.Type(m.Elem())
	t.MakeKey, t.Keys, t.FuzzKey = key.Make, key.Count, fuzzed(m.Key())
	t.MakeVal, t.Values, t.Same, t.Call = value.Make, value.Count, value.Same, value.Call
	t.Path, t.Func = value.Path, value.Func
	t.Doubles = slices.DeleteFunc(maker.Doubles, func(d sample.Double) bool { return !strings.Contains(t.MakeKey+t.MakeVal, d.Name+"{") })
	t.Imports = slices.DeleteFunc(q.imports, func(i Import) bool { return !t.mentions(q.names[i.Path]) })
	switch {
	case key.Count < 2:
		return nil, "no two keys of type " + t.Key + " are known to be made"
	case !observed(w.Accessors, value.Count > 1):
		return nil, "nothing of the type that is generated tells what is in the map; --accessors all generates more"
	}
	return t, ""
}

// mentions reports whether the package of that name stands in what t spells: values that were thought of may have needed others.
func (t *Tests) mentions(name string) bool {
	all := []string{t.Args, t.Key, t.Value, t.MakeKey, t.MakeVal, t.Func, t.Call}
	for _, d := range t.Doubles {
		all = append(all, d.Embed, d.Alias)
	}
	return regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\.`).MatchString(strings.Join(all, " "))
}

// fieldMap returns the type of the named field of the struct n, which is a map.
func fieldMap(n *types.Named, name string) *types.Map {
	st := n.Underlying().(*types.Struct)
	for f := range st.Fields() {
		if f.Name() == name {
			return f.Type().Underlying().(*types.Map)
		}
	}
	panic("plan: no field " + name + " in an instance of its owner")
}

// testsFile returns the name of the file for the tests of the type in file: t_m_mapmend_accessors_test.go.
func testsFile(file string) string {
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(file), ".go"), "_test")
	return path.Join(path.Dir(file), base+"_accessors_test.go")
}

// fuzzed returns the type that go test can fuzz of which keys of type t are made: strings and integers, which are hashed.
func fuzzed(t types.Type) string {
	b, ok := t.Underlying().(*types.Basic)
	if !ok || keyKind(t) == "" || b.Kind() == types.Uintptr {
		return ""
	}
	return types.Typ[b.Kind()].Name()
}

// observed reports whether one of accessors tells what is in the map. Get does only if values can be told apart.
func observed(accessors []string, apart bool) bool {
	return slices.ContainsFunc(accessors, func(a string) bool {
		switch a {
		case "Store", "Delete", "Clear", "Replace":
			return false
		case "Get":
			return apart
		}
		return true
	})
}
