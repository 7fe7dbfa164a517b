package sample_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"

	"mapmend/plan/sample"
)

const declared = `package p

import (
	"io"
	"net/netip"
	"sync"
	"time"
)

type (
	id     string
	small  int8
	item   struct{ n int }
	none   struct{ _ int }
	flags  struct {
		on  bool
		all [4]bool
	}
	wide   struct {
		on bool
		id id
		n  int
	}
	loop   struct {
		next []loop
		on   bool
	}
	inner  struct {
		m map[string]int
		s [][]string
	}
	call   struct {
		f func(int)
		c chan int
		b []byte
	}
	only   struct{ f func() (int, error) }
	closer interface{ io.Closer; number() }
	pair[K comparable, V any] struct {
		k K
		v V
	}
	table  map[string]int
	huge   [32 << 20]byte
	vast   [64 << 20]byte
	shape  interface {
		comparable
		area() int
	}
	square int
	areas[S shape, N ~uint8 | ~[]byte] struct{ m map[S]N }
	any2[A comparable, B any] struct{ m map[A]B }
	hashed[K interface { comparable; hash() }] struct{ m map[K]int }
	listed[S ~[]E, E any] struct{ m map[string]S }
)

func (square) area() int { return 1 }

var (
	_ netip.Addr
	_ sync.Mutex
	_ time.Time
)
`

// loaded returns the package that declared is.
func loaded(t *testing.T) *types.Package {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", declared, 0)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := conf.Check("p", fset, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// maker returns a maker for pkg.
func maker(pkg *types.Package) *sample.Maker {
	return &sample.Maker{
		Pkg: pkg,
		Qualify: func(p *types.Package) string {
			if p == pkg {
				return ""
			}
			return p.Name()
		},
		Knows:  func(p *types.Package) bool { return slices.Contains(pkg.Imports(), p) },
		Double: "double",
	}
}

func TestSample(t *testing.T) {
	pkg := loaded(t)
	for _, tt := range []struct {
		typ   string // an expression of the package
		make  string
		count int
		how   string // the path, the comparison and the call
	}{
		{"int", "i", sample.Many, "equal"},
		{"id", "id(strconv.Itoa(i))", sample.Many, "equal"},
		{"small", "small(i)", 128, "equal"},
		{"uint8", "uint8(i)", 256, "equal"},
		{"float32", "float32(i)", sample.Many, "equal"},
		{"complex64", "complex64(complex(float64(i), 0))", sample.Many, "equal"},
		{"bool", "i%2 == 1", 2, "equal"},
		{"struct{}", "*new(struct{})", 1, ""},
		{"none", "*new(none)", 1, ""},
		{"*none", "new(none)", sample.Many, "equal"},
		{"*struct{}", "*new(*struct{})", 1, ""},
		{"*[0]int", "*new(*[0]int)", 1, ""},
		{"[0]int", "*new([0]int)", 1, ""},
		{"[2]bool", "[2]bool{i%2 == 1}", 2, "equal"},
		{"flags", "flags{on: i%2 == 1}", 2, "equal"},
		{"wide", "wide{id: id(strconv.Itoa(i))}", sample.Many, "equal"},
		{"loop", "loop{next: make([]loop, i+1)}", 64, ".next length"},
		{"inner", "inner{s: [][]string{[]string{strconv.Itoa(i)}}}", sample.Many, ".s [] [] equal"},
		{"call", "call{c: make(chan int)}", sample.Many, ".c equal"},
		{"only", "only{f: func() (int, error) { panic(i) }}", sample.Many, ".f call func() (int, error)"},
		{"[]only", "[]only{only{f: func() (int, error) { panic(i) }}}", sample.Many, "[] .f call func() (int, error)"},
		{"func(string, ...id) error", "func(string, ...id) error { panic(i) }", sample.Many, "call func(string, ...id) error *new(string)"},
		{"func(i int, panic string)", "func(int, string) { panic(i) }", sample.Many, "call func(int, string) *new(int), *new(string)"},
		{"table", "*new(table)", 1, ""},
		{"[]table", "make([]table, i+1)", 64, "length"},
		{"[]struct{}", "make([]struct{}, i+1)", 64, "length"},
		{"any", "i", sample.Many, "equal"},
		{"error", "errors.New(strconv.Itoa(i))", sample.Many, "equal"},
		{"io.Reader", "double{number: i}", sample.Many, "equal"},
		{"closer", "*new(closer)", 1, ""}, // its method would be hidden
		{"<-chan int", "make(<-chan int)", sample.Many, "equal"},
		{"pair[string, []id]", "pair[string, []id]{k: strconv.Itoa(i)}", sample.Many, ".k equal"},
		{"time.Time", "time.Unix(int64(i), 0)", 256, "equal"},
		{"[]netip.Addr", "[]netip.Addr{netip.AddrFrom4([4]byte{3: byte(i)})}", 256, "[] equal"},
		{"sync.Mutex", "*new(sync.Mutex)", 1, ""},
		{"*sync.Mutex", "new(sync.Mutex)", sample.Many, "equal"},
		{"*huge", "new(huge)", 2, "equal"},
		{"*vast", "*new(*vast)", 1, ""},
		{"struct{ a int8; b id }", "struct{a int8; b id}{b: id(strconv.Itoa(i))}", sample.Many, "equal"},
	} {
		tv, err := types.Eval(token.NewFileSet(), pkg, scopePos(pkg), "*new("+tt.typ+")")
		if err != nil {
			t.Errorf("%s: %v", tt.typ, err)
			continue
		}
		got := maker(pkg).Sample(tv.Type)
		how := strings.Join(slices.DeleteFunc(append(slices.Clone(got.Path), string(got.Same), got.Func, got.Call), func(s string) bool { return s == "" }), " ")
		if got.Make != tt.make || got.Count != tt.count || how != tt.how {
			t.Errorf("%s: %s, %d values, by %q; want %s, %d, %q", tt.typ, got.Make, got.Count, how, tt.make, tt.count, tt.how)
		}
	}
}

// scopePos returns a place in pkg at which the imports of its file are in scope.
func scopePos(pkg *types.Package) token.Pos { return pkg.Scope().Lookup("item").Pos() }

// A package that the file may not import is not mentioned.
func TestSampleUnknown(t *testing.T) {
	pkg := loaded(t)
	m := maker(pkg)
	m.Knows = func(*types.Package) bool { return false }
	tv, err := types.Eval(token.NewFileSet(), pkg, scopePos(pkg), "*new(struct{ t time.Time; on bool })")
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Sample(tv.Type); got.Count != 1 {
		t.Errorf("%s, %d values, want one", got.Make, got.Count)
	}
}

func TestInstance(t *testing.T) {
	pkg := loaded(t)
	for name, want := range map[string]string{
		"item":   "p.item",
		"pair":   "p.pair[string, int]",
		"any2":   "p.any2[string, int]",
		"areas":  "p.areas[p.square, uint8]",
		"hashed": "no type is known to stand for the type parameter K",
		"listed": "no type is known to stand for the type parameter S",
	} {
		inst, err := sample.Instance(pkg.Scope().Lookup(name).Type().(*types.Named), pkg)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = inst.String()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
