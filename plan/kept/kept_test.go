package kept_test

import (
	"bytes"
	"encoding/gob"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"

	"mapmend/plan/access"
	"mapmend/plan/kept"
)

// Each row is a package with the functions a and b, of type func(), and a function use that calls one value. want is what the
// call may reach: functions of the package, and "?" when others may be kept there too.
var rows = []struct{ name, src, want string }{
	{"a field", `type S struct{ f, g func() }
		func set(s *S) { s.f, s.g = a, b }
		func use(s *S) { s.f() }`, "a"},
	{"a field of another type", `type S struct{ f func() }
		type T struct{ f func() }
		func set(s *S, t *T) { s.f, t.f = a, b }
		func use(s *S) { s.f() }`, "a"},
	{"a literal", `type S struct{ f func() }
		var s = S{f: a}
		var other = b
		func use() { s.f() }`, "a"},
	{"a setter", `type S struct{ f func() }
		func (s *S) on(f func()) { s.f = f }
		func set(s *S, other func(func())) { s.on(a); other(b) }
		func use(s *S) { s.f() }`, "a"},
	{"an exported setter", `type S struct{ f func() }
		func (s *S) On(f func()) { s.f = f }
		func set(s *S) { s.On(a) }
		func use(s *S) { s.f() }`, "a ?"},
	{"an exported setter, and what was given away", `type S struct{ f func() }
		func (s *S) On(f func()) { s.f = f }
		func set(s *S) { s.On(a) }
		func Get() func() { return b }
		func use(s *S) { s.f() }`, "a b ?"},
	{"an exported field", `type S struct{ F func() }
		func set(s *S) { s.F = a }
		func use(s *S) { s.F() }`, "a ?"},
	{"a slice", `type S struct{ f, g []func() }
		func set(s *S) { s.f = append(s.f, a); s.g = append(s.g, b) }
		func use(s *S) { for _, f := range s.f { f() } }`, "a"},
	{"a slice literal", `type S struct{ f []func() }
		func set() *S { return &S{f: []func(){a}} }
		func use(s *S) { s.f[0]() }`, "a"},
	{"a slice that was kept before it is filled", `type S struct{ f []func() }
		func set(s *S) { f := make([]func(), 1); s.f = f; f[0] = a }
		func use(s *S) { s.f[0]() }`, "a"},
	{"a variadic parameter", `type S struct{ f []func() }
		func (s *S) on(f ...func()) { s.f = append(s.f, f...) }
		func set(s *S) { s.on(a, b) }
		func use(s *S) { s.f[0]() }`, "a b"},
	{"a map", `type S struct{ f, g map[string]func() }
		func set(s *S) { s.f["x"] = a; s.g["x"] = b }
		func use(s *S) { for _, f := range s.f { f() } }`, "a"},
	{"a look-up", `type S struct{ f map[string]func() }
		func set(s *S) { s.f = map[string]func(){"x": a} }
		func use(s *S) { if f, ok := s.f["x"]; ok { f() } }`, "a"},
	{"a map that another name leads to", `type S struct{ f map[string]func() }
		func set(s *S) { m := s.f; m["x"] = a }
		func use(s *S) { s.f["x"]() }`, "a"},
	{"a channel", `type S struct{ f, g chan func() }
		func set(s *S) { s.f <- a; s.g <- b }
		func use(s *S) { (<-s.f)() }`, "a"},
	{"a select", `type S struct{ f, g chan func() }
		func set(s *S) { select { case s.f <- a: case s.g <- b: } }
		func use(s *S) { select { case f := <-s.f: f(); default: } }`, "a"},
	{"a variable", `var f, g = a, b
		func use() { f() }`, "a"},
	{"an exported variable", `var F = a
		func use() { F() }`, "a ?"},
	{"a local", `func use(x bool) { f := a; if x { f = b }; f() }`, "a b"},
	{"a captured local", `func use() { var f func(); set := func(x func()) { f = x }; set(a); f() }`, "a"},
	{"in a closure", `func set(f func()) func() { return func() { f() } }
		func call() { set(a)() }
		func use(f func()) { func() { f() }() }
		func others() { use(b) }`, "b"},
	{"a parameter", `func set() { use(a) }
		func others(f func(func())) { f(b) }
		func use(f func()) { f() }`, "a"},
	{"a parameter of a function that is a value", `func set(f func(func())) { f(a) }
		func others() { set(use) }
		func use(f func()) { f() }`, "a"},
	{"a parameter of a method value", `type T struct{}
		func (T) use(f func()) { f() }
		var g = T{}.use
		func set() { g(a) }`, "a"},
	{"a parameter of another value of the type", `func use(f func()) { f() }
		func other(f func()) {}
		var g, h = use, other
		func set() { g(a); h(b) }`, "a"},
	{"a parameter of a value that is given away", `func use(f func()) { f() }
		func set(f func()) { f() }
		func Get() func(func()) { return use }`, "?"},
	{"an argument for a value from outside", `type S struct{ F func(func()) }
		func set(s *S) { s.F(a) }
		func Use(f func()) { use(f) }
		func use(f func()) { f() }`, "a ?"},
	{"a parameter of a method that an interface calls", `type I interface{ use(func()) }
		type T struct{}
		func set(i I) { i.use(a) }
		func others() { set(T{}) }
		func (T) use(f func()) { f() }`, "a"},
	{"a result", `func get() func() { return a }
		func use() { get()() }`, "a"},
	{"one of the results", `func get() (func(), func()) { return a, b }
		func use() { _, f := get(); f() }`, "b"},
	{"a result of a call without a name", `func get() func() { return a }
		var g = get
		func use() { g()() }`, "a"},
	{"a function that runs another once", `func use() { f := sync.OnceFunc(a); f() }`, "a"},
	{"a result of a library", `func use() { f := http.ProxyURL(nil); f(nil) }`, "?"},
	{"copied to another field", `type S struct{ f func() }
		type T struct{ g func() }
		func set(s *S, t *T) { s.f = a; t.g = s.f }
		func use(t *T) { t.g() }`, "a"},
	{"a copied struct", `type S struct{ f func() }
		func set(s *S) { s.f = a }
		func use(s *S) { t := *s; t.f() }`, "a"},
	{"a converted struct", `type S struct{ f func() }
		type T struct{ f func() }
		func set(s *S) *T { s.f = a; return (*T)(s) }
		func use(t *T) { t.f() }`, "a"},
	{"a struct without a name", `var s = []struct{ f func() }{{a}}
		func use() { s[0].f() }`, "a ?"},
	{"an embedded struct", `type S struct{ f func() }
		type T struct{ S }
		func set(t *T) { t.f = a }
		func use(s *S) { s.f() }`, "a"},
	{"an option", `type S struct{ f func() }
		type option func(*S)
		func with(f func()) option { return func(s *S) { s.f = f } }
		func make(opts ...option) *S { s := new(S); for _, o := range opts { o(s) }; return s }
		func set() { make(with(a)) }
		func use(s *S) { s.f() }`, "a"},
	{"a pointer to a field", `type S struct{ f, g func() }
		func set(p *func(), f func()) { *p = f }
		func sets(s *S) { set(&s.f, a) }
		func use(s *S) { s.f() }`, "a"},
	{"a named type", `type hook func()
		type S struct{ f hook }
		func set(s *S) { s.f = a }
		func use(s *S) { s.f() }`, "a"},
	{"a method of a function", `type hook func()
		func (h hook) use() { h() }
		type I interface{ use() }
		var i I = hook(a)`, "a ?"},
	{"a method of a function that no interface has", `type hook func()
		func (h hook) use() { h() }
		func call() { hook(a).use() }`, "a"},
	{"a method of a list of functions", `type hooks []func()
		func (h hooks) use() { h[0]() }
		type S struct{ f hooks }
		func set(s *S) { s.f = append(s.f, a); s.f.use() }`, "a"},
	{"an interface", `var x any = a
		func use() { x.(func())() }`, "a ?"},
	{"a switch over types", `func set() { use(a) }
		func use(x any) { switch f := x.(type) { case func(): f() } }`, "a ?"},
	{"a method value", `type T struct{}
		func (T) m() {}
		type S struct{ f func() }
		func set(s *S, t T) { s.f = t.m }
		func use(s *S) { s.f() }`, "T.m"},
	{"a method expression", `type T struct{}
		func (T) m() {}
		type S struct{ f func(T) }
		func set(s *S) { s.f = T.m }
		func use(s *S) { s.f(T{}) }`, "T.m"},
	{"a closure", `type S struct{ f func() }
		func set(s *S) { s.f = func() {} }
		func use(s *S) { s.f() }`, "set$1"},
	{"a generic struct", `type S[T any] struct{ f T }
		func set(s *S[func()]) { s.f = a }
		func use(s *S[func()]) { s.f() }`, "a"},
	{"a generic setter", `type S[T any] struct{ f T }
		func (s *S[T]) on(f T) { s.f = f }
		func set(s *S[func()]) { s.on(a) }
		func use(s *S[func()]) { s.f() }`, "a"},
	{"a generic function", `func id[T any](x T) T { return x }
		func use() { id(a)() }`, "a"},
	{"a type parameter", `func use[F ~func()](f F) { f() }
		func set() { use(a) }`, "a"},
	{"a generic function that is a value", `func use[T any](f func(T)) { var t T; f(t) }
		var g func(func(int)) = use[int]
		func set() { g(c) }`, "c"},
	{"what a library is given", `type S struct{ f []func() }
		func set(s *S) { s.f = slices.Clone(s.f) }
		func other() { s := []func(){a}; slices.Reverse(s) }
		func use(s *S) { s.f[0]() }`, "a ?"},
	{"what a library calls and does not keep", `type S struct{ F func() }
		func set() { var o sync.Once; o.Do(a) }
		func use(s *S) { s.F() }`, "?"},
	{"what reflection sees", `type s struct{ F func() }
		func set(x s) { fmt.Println(x) }
		func use(x s) { x.F() }`, "?"},
	{"of a library", `func set(s *http.Server) { s.BaseContext = nil }
		func use(s *http.Server) { s.BaseContext(nil) }`, "?"},
	{"unsafe", `type S struct{ f func() }
		func set(s *S) { s.f = a; _ = unsafe.Sizeof(s) }
		func use(s *S) { s.f() }`, "a ?"},
	{"never set", `type S struct{ f func() }
		func use(s *S) { s.f() }`, ""},
	{"nil", `func use() { var f func(); f() }`, ""},
	{"another type, perhaps", `type S struct{ F func(int) }
		func Get[T any]() func(T) { return func(T) {} }
		func use(s *S) { s.F(1) }`, "Get$1 ?"},
	{"another type in generic code", `type S struct{ F func() }
		func Get[T any]() func(T) { return func(T) {} }
		func use(s *S) { s.F() }`, "?"},
	{"other results in generic code", `type S struct{ F func(func(int, bool), map[string]int) }
		func Get[T any]() func(a, b T) T { return func(a, b T) T { return a } }
		func use(s *S) { s.F(nil, nil) }`, "?"},
	{"another type", `type S struct{ F func() }
		func Get() func(int) { return c }
		func use(s *S) { s.F() }`, "?"},
}

func TestPlaces(t *testing.T) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			fns, pkg := build(t, row.src)
			flows := kept.Of(pkg.Pkg, fns, config(fns))
			world := kept.Solve([]kept.Facts{flows.Facts}, kept.Program{
				Own:  func(path string) bool { return path == "p" },
				Open: func(string) bool { return true },
				Boxed: func(key string) (is, foreign bool) {
					return strings.Contains(row.src, "interface") && strings.HasSuffix(key, ".use"), false
				},
			})
			call := callIn(t, fns)
			at := flows.Origin(call.Call.Value)
			typ := kept.AnyType
			if !access.IsGeneric(call.Call.Value.Type()) {
				typ = access.FuncType(call.Call.Value.Type())
			}
			var got []string
			if at != "" {
				for _, key := range world.At(at, typ) {
					got = append(got, strings.TrimPrefix(key, "p."))
					if !world.Has(at, typ, key) {
						t.Errorf("At has %s, and Has does not", key)
					}
				}
				if world.Open(at) {
					got = append(got, "?")
				}
			}
			if got := strings.Join(got, " "); got != row.want {
				t.Errorf("the call of %s may reach %q, want %q", at, got, row.want)
			}
		})
	}
}

// What is known of a package is plain data: the same after gob.
func TestFactsAreData(t *testing.T) {
	fns, pkg := build(t, `type S struct{ F func() }
		func (s *S) On(f func()) { s.F = f; fmt.Println(s) }`)
	facts := kept.Of(pkg.Pkg, fns, config(fns)).Facts
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(facts); err != nil {
		t.Fatal(err)
	}
	var again kept.Facts
	if err := gob.NewDecoder(&b).Decode(&again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(facts, again); diff != "" {
		t.Errorf("the facts do not survive gob (-made +read):\n%s", diff)
	}
}

// config is that of a package on its own.
func config(fns []*ssa.Function) kept.Config {
	return kept.Config{
		HasBody: func(key string) bool {
			return slices.ContainsFunc(fns, func(fn *ssa.Function) bool { return access.FuncKey(fn) == key })
		},
		Own: func(path string) bool { return path == "p" },
	}
}

// callIn returns the one call of a function value that stands in a function called use, or in a closure in it.
func callIn(t *testing.T, fns []*ssa.Function) (found *ssa.Call) {
	t.Helper()
	for _, fn := range fns {
		if !strings.HasPrefix(fn.Name(), "use") {
			continue
		}
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				call, ok := instr.(*ssa.Call)
				if ok && call.Call.StaticCallee() == nil && !call.Call.IsInvoke() {
					if _, builtin := call.Call.Value.(*ssa.Builtin); !builtin {
						found = call
					}
				}
			}
		}
	}
	if found == nil {
		t.Fatal("use calls no function value")
	}
	return found
}

// build returns the functions of a package with a, b and c and the declarations in src.
func build(t *testing.T, src string) ([]*ssa.Function, *ssa.Package) {
	t.Helper()
	text := "package p\n"
	for _, path := range []string{"fmt", "net/http", "slices", "sync", "unsafe"} {
		if strings.Contains(src, path[strings.LastIndexByte(path, '/')+1:]+".") {
			text += "import \"" + path + "\"\n"
		}
	}
	text += "func a() {}\nfunc b() {}\nfunc c(int) {}\n" + src
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg, _, err := ssautil.BuildPackage(&types.Config{Importer: importer.ForCompiler(fset, "source", nil)}, fset, types.NewPackage("p", "p"), []*ast.File{file}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var fns []*ssa.Function
	var add func(fn *ssa.Function)
	add = func(fn *ssa.Function) {
		fns = append(fns, fn)
		for _, anon := range fn.AnonFuncs {
			add(anon)
		}
	}
	var members []ssa.Member
	for _, m := range pkg.Members {
		members = append(members, m)
	}
	slices.SortFunc(members, func(x, y ssa.Member) int { return strings.Compare(x.Name(), y.Name()) })
	for _, m := range members {
		switch m := m.(type) {
		case *ssa.Function:
			add(m)
		case *ssa.Type:
			if named, ok := m.Type().(*types.Named); ok {
				for method := range named.Methods() {
					add(pkg.Prog.FuncValue(method))
				}
			}
		}
	}
	return fns, pkg
}
