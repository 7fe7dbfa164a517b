package plan

import (
	"cmp"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"mapmend/plan/load"
)

// shared begins a file with a map that many goroutines use: S.m, which has a value type of V.
const shared = `package p

import "net/http"

type S struct {
	m map[string]V
}

func (s *S) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.put(r.URL.Path) }

func (s *S) put(k string) {
	var v V
	s.m[k] = v
}

func Handler() http.Handler { return &S{} }

`

const global = `package p

import "net/http"

func init() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { m[r.URL.Path] = 1 })
}

`

// A wrapRow is a package.
type wrapRow struct {
	name string
	src  string // one file, or a txtar; FOLDER in it stands for the import path
	want Code   // empty: it is wrapped
	at   string // text at the place of the refusal; of a wrapper what loweredAs or named says, or nothing
}

// What is refused has beside it what is alike and is not.
var wrapRows = []wrapRow{
	{"plain", shared + "type V int\n", "", ""},
	{"guard", strings.Replace(shared, "m map", "mu sync.Mutex\n\tm map", 1) + "type V int\n\nfunc (s *S) a() { s.mu.Lock(); s.m[\"a\"] = 1; s.mu.Unlock() }\n\nfunc (s *S) b() { s.mu.Lock(); s.m[\"a\"] = 1; s.mu.Unlock() }\n", Footprint, "m map"},
	{"another lock", shared + "type V int\n\nvar mu sync.Mutex\n\nvar n int\n\nfunc (s *S) a() { mu.Lock(); s.m[\"a\"] = 1; n++; mu.Unlock() }\n", Footprint, "m map"},
	{"the lock of a parameter", shared + "type V int\n\nvar n int\n\nfunc (s *S) a(mu *sync.Mutex) { mu.Lock(); s.m[\"a\"] = 1; n++; mu.Unlock() }\n", Footprint, "m[\"a\"]"},
	{"another lock of a caller", shared + "type V int\n\nvar mu sync.Mutex\n\nvar n int\n\nfunc (s *S) a() { mu.Lock(); s.b(); n++; mu.Unlock() }\n\nfunc (s *S) b() { s.m[\"a\"] = 1 }\n", Footprint, "m map"},
	{"another lock elsewhere", shared + "type V int\n\nvar mu sync.Mutex\n\nfunc (s *S) a() { mu.Lock(); println(); mu.Unlock(); s.m[\"a\"] = 1 }\n", "", ""},
	{"map of maps", shared + "type V = map[string]int\n", Footprint, "m map"},
	{"slice of maps", shared + "type V = []map[string]int\n", "", ""},
	{"tag", strings.Replace(shared, "map[string]V", "map[string]V `json:\"m\"`", 1) + "type V int\n", Reflected, "`json"},
	{"two names", strings.Replace(shared, "m map", "n, m map", 1) + "type V int\n", Unlowered, "m map"},
	{"embedded", strings.ReplaceAll(strings.Replace(shared, "m map[string]V", "M", 1), "s.m", "s.M") + "type V int\n\ntype M map[string]V\n", Unlowered, "M\n}"},
	{"named", strings.Replace(shared, "map[string]V", "M", 1) + "type V int\n\ntype M map[string]V\n\nfunc (s *S) get() V { return s.m[\"a\"] }\n", "", ""},
	{"method of the map", strings.Replace(shared, "map[string]V", "M", 1) + "type V int\n\ntype M map[string]V\n\nfunc (m M) size() int { return len(m) }\n\nfunc (s *S) f() int { return s.m.size() }\n", Unlowered, "m.size"},
	{"exported", strings.NewReplacer("m map", "M map", "s.m", "s.M").Replace(shared) + "type V int\n", ExportedField, "M map"},
	{"internal/exported", strings.NewReplacer("m map", "M map", "s.m", "s.M").Replace(shared) + "type V int\n", "", ""},
	{"build constraint", "//go:build !never\n\n" + shared + "type V int\n", OutOfScope, "m map"},
	{"taken name", shared + "type V int\n\nfunc f() { sMMap := 1; _ = sMMap }\n", Unlowered, "m map"},
	{"own len", shared + "type V int\n\nfunc len(int) int { return 0 }\n", Unlowered, "m map"},

	{"compared", shared + "type V int\n\nfunc (s *S) f() bool { return s.m == nil }\n", NilObserved, "m == nil"},
	{"length compared", shared + "type V int\n\nfunc (s *S) f() bool { return len(s.m) == 0 }\n", "", ""},
	{"returned", shared + "type V int\n\nfunc (s *S) f() map[string]V { return s.m }\n", AliasWritten, "m }"},
	{"passed", shared + "type V int\n\nfunc g(map[string]V) {}\n\nfunc (s *S) f() { g(s.m) }\n", AliasWritten, "m) }"},
	{"assigned away", shared + "type V int\n\nfunc (s *S) f() { x := s.m; x[\"a\"] = 1 }\n", AliasWritten, "m; x"},
	{"address", shared + "type V int\n\nfunc (s *S) f() *map[string]V { return &s.m }\n", AliasWritten, "m }"},
	{"assigned from outside", shared + "type V int\n\nfunc (s *S) f(x map[string]V) { s.m = x }\n", AliasWritten, "x }"},
	{"assigned new", shared + "type V int\n\nfunc (s *S) f(x map[string]V) { s.m = make(map[string]V, len(x)) }\n", "", ""},
	{"assigned with another", shared + "type V int\n\nfunc (s *S) f(k string) { s.m, k = nil, \"\" }\n", Unlowered, "m, k"},
	{"received as a whole", shared + "type V int\n\nfunc (s *S) f(c chan map[string]V) { select { case s.m = <-c: } }\n", Unlowered, "m = <-c"},
	{"appended itself", shared + "type V int\n\nfunc (s *S) f(l []map[string]V) []map[string]V { return append(l, s.m) }\n", Unlowered, "m) }"},
	{"assigned nil", shared + "type V int\n\nfunc (s *S) f() { s.m = nil }\n", NilObserved, "nil }"},
	{"literal from outside", shared + "type V int\n\nfunc f(x map[string]V) *S { return &S{m: x} }\n", AliasWritten, "x} }"},
	{"literal", shared + "type V int\n\nfunc f() *S { return &S{m: map[string]V{}} }\n", "", ""},
	{"literal with entries", shared + "type V int\n\nfunc f() *S { return &S{m: map[string]V{\"a\": 1}} }\n", "", ""},
	{"literal with a size from a call", shared + "type V int\n\nfunc size() int { return 1 }\n\nfunc f() *S { return &S{m: make(map[string]V, size())} }\n", Unlowered, "size())}"},
	{"unkeyed", shared + "type V int\n\nfunc f() *S { return &S{nil} }\n", Unlowered, "S{nil}"},
	{"as an interface", shared + "type V int\n\nfunc (s *S) f() { fmt.Println(s.m) }\n", Reflected, "m) }"},

	{"owner printed", shared + "type V int\n\nfunc (s *S) f() { fmt.Println(s) }\n", Reflected, "s) }"},
	{"part printed", shared + "type V int\n\nfunc (s *S) f() { fmt.Println(len(s.m)) }\n", "", ""},
	{"owner of the owner printed", shared + "type V int\n\ntype app struct{ all []*S }\n\nfunc f(a app) { fmt.Println(a) }\n", Reflected, "a) }"},
	{"owner as any", shared + "type V int\n\nvar x any = &S{}\n", Reflected, "&S{}\n"},
	{"owner in a literal of any", shared + "type V int\n\nvar x = []any{new(S)}\n", Reflected, "new(S)}"},
	{"owner returned as any", shared + "type V int\n\nfunc f(s *S) any { return s }\n", Reflected, "s }\n"},
	{"printed as what it implements", shared + "type V int\n\nfunc (s *S) unique() {}\n\nfunc f(h interface{ unique() }) { fmt.Println(h) }\n", Reflected, "h) }"},
	{"printed as what it does not implement", shared + "type V int\n\nfunc f(h error) { fmt.Println(h) }\n", "", ""},

	{"value receiver", shared + "type V int\n\nfunc (s S) f() {}\n", OwnerCopied, "func (s S)"},
	{"parameter", shared + "type V int\n\nfunc f(s S) {}\n", OwnerCopied, "func f(s S)"},
	{"pointer parameter", shared + "type V int\n\nfunc f(s *S) {}\n", "", ""},
	{"result", shared + "type V int\n\nfunc f() S { return S{} }\n", OwnerCopied, "func f()"},
	{"dereferenced", shared + "type V int\n\nfunc f(s *S) { t := *s; _ = &t }\n", OwnerCopied, "*s; _"},
	{"new value", shared + "type V int\n\nfunc f() { t := S{}; _ = &t }\n", "", ""},
	{"overwritten", shared + "type V int\n\nfunc f(s *S) { *s = S{} }\n", OwnerCopied, "*s = S"},
	{"range value", shared + "type V int\n\nfunc f(l []S) { for _, s := range l { _ = &s } }\n", OwnerCopied, "for _, s"},
	{"range index", shared + "type V int\n\nfunc f(l []S) { for i := range l { l[i].put(\"a\") } }\n", "", ""},
	{"element of a map", shared + "type V int\n\nfunc f(l map[int]S) int { return len(l[1].m) }\n", OwnerCopied, "l[1]"},
	{"appended", shared + "type V int\n\nfunc f(l []S) []S { return append(l, S{}) }\n", OwnerCopied, "append"},
	{"appended pointers", shared + "type V int\n\nfunc f(l []*S) []*S { return append(l, &S{}) }\n", "", ""},
	{"sent", shared + "type V int\n\nfunc f(c chan S, s *S) { c <- *s }\n", OwnerCopied, "*s }"},
	{"holder copied", shared + "type V int\n\ntype app struct{ s S }\n\nfunc f(a *app) { b := *a; _ = &b }\n", OwnerCopied, "*a; _"},
	{"type argument", shared + "type V int\n\ntype box[T any] struct{ x T }\n\nvar x box[S]\n", OwnerCopied, "box[S]"},

	{"check then act", shared + "type V int\n\nfunc (s *S) f(k string) { if _, ok := s.m[k]; !ok { s.m[k] = 1 } }\n", SplitRegion, "m[k] = 1"},
	{"branches", shared + "type V int\n\nfunc (s *S) f(k string, b bool) { if b { s.m[k] = 2 } else { delete(s.m, k) } }\n", "", ""},
	{"cases", shared + "type V int\n\nfunc (s *S) f(k string, i int) { switch i { case 1: s.m[k] = 2; case 2: delete(s.m, k) } }\n", "", ""},
	{"cases that fall through", shared + "type V int\n\nfunc (s *S) f(k string, i int) { switch i { case 1: s.m[k] = 2; fallthrough; case 2: delete(s.m, k) } }\n", SplitRegion, "m, k)"},
	{"length and store", shared + "type V int\n\nfunc (s *S) f(k string) { if len(s.m) < 3 { s.m[k] = 1 } }\n", SplitRegion, "m[k] = 1"},
	{"two keys", shared + "type V int\n\nfunc (s *S) f() V { return s.m[\"a\"] + s.m[\"b\"] }\n", "", ""},
	{"two writes", shared + "type V int\n\nfunc (s *S) f() { s.m[\"a\"] = 1; s.m[\"b\"] = 2 }\n", SplitRegion, "m[\"b\"]"},
	{"length and delete", shared + "type V int\n\nfunc (s *S) f() int { delete(s.m, \"a\"); return len(s.m) }\n", SplitRegion, "m) }"},
	{"length and clear", shared + "type V int\n\nfunc (s *S) f() int { clear(s.m); return len(s.m) }\n", SplitRegion, "m) }"},
	{"length and increment", shared + "type V int\n\nfunc (s *S) f() int { s.m[\"a\"]++; return len(s.m) }\n", SplitRegion, "m) }"},
	{"length and sum", shared + "type V int\n\nfunc (s *S) f() int { s.m[\"a\"] += 1; return len(s.m) }\n", SplitRegion, "m) }"},
	{"length and replacement", shared + "type V int\n\nfunc (s *S) f() int { s.m = make(map[string]V); return len(s.m) }\n", SplitRegion, "m) }"},
	{"length and range", shared + "type V int\n\nfunc (s *S) f() int { for range s.m { }; return len(s.m) }\n", SplitRegion, "m) }"},
	{"length and load", shared + "type V int\n\nfunc (s *S) f() int { _, ok := s.m[\"a\"]; _ = ok; return len(s.m) }\n", SplitRegion, "m) }"},
	{"global length and delete", global + "var m = make(map[string]int)\n\nfunc f() int { delete(m, \"a\"); return len(m) }\n", SplitRegion, "m) }"},
	{"global length and clear", global + "var m = make(map[string]int)\n\nfunc f() int { clear(m); return len(m) }\n", SplitRegion, "m) }"},
	{"global length and increment", global + "var m = make(map[string]int)\n\nfunc f() int { m[\"a\"]++; return len(m) }\n", SplitRegion, "m) }"},
	{"global length and sum", global + "var m = make(map[string]int)\n\nfunc f() int { m[\"a\"] += 1; return len(m) }\n", SplitRegion, "m) }"},
	{"global length and replacement", global + "var m = make(map[string]int)\n\nfunc f() int { m = make(map[string]int); return len(m) }\n", SplitRegion, "m) }"},
	{"global length and range", global + "var m = make(map[string]int)\n\nfunc f() int { for range m { }; return len(m) }\n", SplitRegion, "m) }"},
	{"global length and load", global + "var m = make(map[string]int)\n\nfunc f() int { _, ok := m[\"a\"]; _ = ok; return len(m) }\n", SplitRegion, "m) }"},
	{"goroutine", shared + "type V int\n\nfunc (s *S) f() { go func() { s.m[\"a\"] = 1 }(); s.m[\"b\"] = 2 }\n", "", ""},
	{"fresh", shared + "type V int\n\nfunc f() *S { s := &S{m: map[string]V{}}; s.m[\"a\"] = 1; s.m[\"b\"] = 2; return s }\n", "", ""},

	{"range that deletes", shared + "type V int\n\nfunc (s *S) f() { for k := range s.m { delete(s.m, k) } }\n", RangeMutates, "m, k)"},
	{"range that calls what deletes", shared + "type V int\n\nfunc (s *S) f() { for k := range s.m { s.put(k) } }\n", RangeMutates, "for k"},
	{"range that calls what calls what deletes", shared + "type V int\n\nfunc (s *S) g(k string) { func() { s.put(k) }() }\n\nfunc (s *S) f() { for k := range s.m { s.g(k) } }\n", RangeMutates, "for k"},
	{"range that calls a function value", shared + "type V int\n\nvar g = func(s *S) { s.put(\"a\") }\n\nfunc (s *S) f(h func(*S)) { for range s.m { h(s) } }\n", RangeMutates, "for range"},
	{"range that calls an interface", shared + "type V int\n\nfunc (s *S) f(h http.Handler) { for range s.m { h.ServeHTTP(nil, nil) } }\n", RangeMutates, "for range"},
	{"range that calls another interface", shared + "type V int\n\nfunc (s *S) f(e error) { for range s.m { _ = e.Error() } }\n", "", ""},
	{"range that prints", shared + "type V int\n\nfunc (s *S) f() { for k, v := range s.m { fmt.Println(k, v) } }\n", "", ""},
	{"range that prints what deletes", shared + "type V int\n\nvar all S\n\nfunc (V) String() string { all.put(\"a\"); return \"\" }\n\nfunc (s *S) f() { for k, v := range s.m { fmt.Println(k, v) } }\n", RangeMutates, "for k"},

	{"call after", shared + "type V int\n\nfunc g() V { return 1 }\n\nfunc (s *S) f(k string) V { return s.m[k] + g() }\n", Unlowered, "g() }\n"},
	{"call before", shared + "type V int\n\nfunc g() V { return 1 }\n\nfunc (s *S) f(k string) V { return g() + s.m[k] }\n", "", ""},
	{"call around", shared + "type V int\n\nfunc g(V) V { return 1 }\n\nfunc (s *S) f(k string) V { return g(s.m[k]) }\n", "", ""},
	{"call in the key", shared + "type V int\n\nfunc g() string { return \"\" }\n\nfunc (s *S) f() V { return s.m[g()] }\n", "", ""},
	{"call if it is so", shared + "type V bool\n\nfunc g() V { return true }\n\nfunc (s *S) f(k string) V { return s.m[k] && g() }\n", "", ""},
	{"harmless call after", shared + "type V int\n\nfunc (s *S) f(k string) V { return s.m[k] + V(len(k)) }\n", "", ""},
	{"receive after", shared + "type V int\n\nfunc (s *S) f(k string, c chan V) V { return s.m[k] + <-c }\n", Unlowered, "<-c }"},
	{"call on the left", shared + "type V int\n\nfunc g() *V { return nil }\n\nfunc (s *S) f(k string) { *g() = s.m[k] }\n", "", ""},
	{"call on the right", shared + "type V int\n\nfunc g() V { return 0 }\n\nfunc (s *S) f(k string, x []V) { x[s.m[k]] = g() }\n", Unlowered, "g() }\n"},
	{"two on the left", shared + "type V int\n\nfunc (s *S) f(k string) { s.m[k], k = 1, \"\" }\n", Unlowered, "m[k], k"},
	{"select", shared + "type V int\n\nfunc (s *S) f(c chan V) { select { case c <- s.m[\"a\"]: } }\n", Unlowered, "m[\"a\"]:"},
	{"received", shared + "type V int\n\nfunc (s *S) f(c chan V) { select { case s.m[\"a\"] = <-c: } }\n", Unlowered, "m[\"a\"] ="},
	{"range variable", shared + "type V int\n\nfunc (s *S) f(c []V) { for _, s.m[\"a\"] = range c { } }\n", Unlowered, "m[\"a\"] ="},
	{"deferred", shared + "type V int\n\nfunc (s *S) f() { defer delete(s.m, \"a\") }\n", "", ""},
	{"deferred and replaced", shared + "type V int\n\nfunc (s *S) f() { defer delete(s.m, \"a\") }\n\nfunc (s *S) g() { s.m = make(map[string]V) }\n", Unlowered, "m, \"a\")"},

	{"added to", shared + "type V int\n\nfunc (s *S) f(v V) { s.m[\"a\"] += v }\n", "", ""},
	{"added to by a call", shared + "type V int\n\nfunc g() V { return 1 }\n\nfunc (s *S) f(v V) { s.m[\"a\"] += g() }\n", CallInRegion, "g() }\n"},
	{"added to from a map", shared + "type V int\n\nfunc (s *S) f(x map[int]V) { s.m[\"a\"] += x[1] }\n", SplitRegion, "x[1]"},
	{"appended to", shared + "type V = []int\n\nfunc (s *S) f() { s.m[\"a\"] = append(s.m[\"a\"], 1) }\n", "", ""},
	{"appended to with a call in the key", shared + "type V = []int\n\nfunc g() string { return \"\" }\n\nfunc (s *S) f() { s.m[g()] = append(s.m[g()], 1) }\n", Footprint, "s.m[g()], 1"},
	{"appended to by a call", shared + "type V = []int\n\nfunc g() int { return 1 }\n\nfunc (s *S) f() { s.m[\"a\"] = append(s.m[\"a\"], g()) }\n", CallInRegion, "g()) }"},
	{"true hidden", shared + "type V int\n\nfunc (s *S) f(true V) { s.m[\"a\"] += true }\n", Unlowered, "m[\"a\"] +="},
	{"element type hidden", shared + "type V int\n\nfunc (s *S) f() { type V int; s.m[\"a\"]++ }\n", Unlowered, "m[\"a\"]++"},

	{"changed in place", shared + "type V = *int\n\nfunc (s *S) f() { *s.m[\"a\"] = 1 }\n", Footprint, "*s.m"},
	{"changed in place later", shared + "type V = *struct{ n int }\n\nfunc (s *S) f() { e, ok := s.m[\"a\"]; if ok { e.n++ } }\n", Footprint, "e.n++"},
	{"changed in a range", shared + "type V = *struct{ n int }\n\nfunc (s *S) f() { for _, e := range s.m { e.n++ } }\n", Footprint, "e.n++"},
	{"own copy changed", shared + "type V = struct{ n int }\n\nfunc (s *S) f() { e := s.m[\"a\"]; e.n++ }\n", "", ""},
	{"read through", shared + "type V = *struct{ n int }\n\nfunc (s *S) f() int { e := s.m[\"a\"]; return e.n }\n", "", ""},

	{"local", "package p\n\nimport \"net/http\"\n\nfunc f() {\n\tm := make(map[string]int)\n\thttp.HandleFunc(\"/\", func(w http.ResponseWriter, r *http.Request) { m[r.URL.Path] = 1 })\n}\n", CapturedLocal, "m := make"},
	{"anonymous struct", strings.ReplaceAll(global, "m[", "s.m[") + "var s struct {\n\tm map[string]int\n}\n", Unlowered, "m map"},
	{"map of a type parameter", strings.NewReplacer("type S struct", "type S[M ~map[string]V] struct", "m map[string]V", "m M", "(s *S)", "(s *S[M])", "&S{}", "&S[map[string]V]{}").Replace(shared) + "type V int\n", Unlowered, "m M"},
	{"hidden type", strings.Replace(global, "import", "import \"example.com/m/hidden\"\nimport", 1) + "var m = make(hidden.M)\n", Unlowered, "m = make"},
	{"package variable", global + "var m = make(map[string]int)\n", "", ""},
	{"package variable with entries", global + "var m = map[string]int{\"a\": 1}\n", "", ""},
	{"package variable from a call", global + "func g() map[string]int { return nil }\n\nvar m = g()\n", AliasWritten, "g()\n"},
	{"package variables", global + "var m, n = make(map[string]int), 1\n", Unlowered, "m, n"},
	{"package variable with a size from a call", global + "func g() int { return 1 }\n\nvar m = make(map[string]int, g())\n", Unlowered, "g())\n"},
}

func TestUnconstrained(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      bool
	}{
		{"p.go", "package p\n", true},
		{"a/p_mapmend.go", "package p\n", true},
		{"p_linux.go", "package p\n", false},
		{"a/p_plan9_arm64.go", "package p\n", false},
		{"p_linux_x.go", "package p\n", true},
		{"p.go", "//go:build linux\n\npackage p\n", false},
		{"p.go", "// +build linux\n\npackage p\n", false},
		{"p.go", "// Package p is built everywhere.\npackage p\n", true},
		{"p.go", "package p\n\n//go:build linux\n", true},
	} {
		syntax, err := parser.ParseFile(token.NewFileSet(), tt.name, tt.src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if got := unconstrained(&load.File{Name: tt.name, Syntax: syntax}); got != tt.want {
			t.Errorf("%s: %v, want %v:\n%s", tt.name, got, tt.want, tt.src)
		}
	}
}

// loweredAs tells what becomes of the mentions in m, in order, the field itself aside: accessors and shapes.
func loweredAs(m Mend) string {
	var words []string
	for _, l := range m.Lowered {
		word := cmp.Or(l.Accessor, string(l.Shape))
		switch {
		case l.Shape == ShapeField:
			continue
		case l.Accessor == "Update":
			word += fmt.Sprintf("/%d[%s %s]", len(l.Args), l.Type, l.Name)
		case l.Shape == ShapeLiteral && l.Type != "":
			word += "[" + l.Type + "]"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// named tells how the generated type of m is declared.
func named(m Mend) string {
	w := m.Wrapper
	text := fmt.Sprintf("= %s %s map[%s]%s", w.Name, path.Base(w.File), w.Key, w.Value)
	for _, imp := range w.Imports {
		if imp.Name != "" {
			text += " import " + imp.Name
		}
	}
	return text
}

// rowFolder is the folder of the package of row i.
func rowFolder(i int, name string) string {
	if strings.HasPrefix(name, "internal/") {
		return fmt.Sprintf("internal/r%d", i)
	}
	return fmt.Sprintf("r%d", i)
}

// rowFiles returns the files of the module of all rows.
func rowFiles(rows []wrapRow) map[string]string {
	files := map[string]string{"hidden/hidden.go": "package hidden\n\ntype n int\n\ntype M map[string]n\n"}
	for i, row := range rows {
		folder := rowFolder(i, row.name)
		archive := txtar.Parse([]byte(strings.ReplaceAll(row.src, "FOLDER", "example.com/m/"+folder)))
		if len(archive.Files) == 0 {
			archive.Files = []txtar.File{{Name: "p.go", Data: archive.Comment}}
		}
		for _, f := range archive.Files {
			src := string(f.Data)
			for _, imp := range []string{"errors", "fmt", "slices", "strings", "sync", "sync/atomic", "time"} {
				if strings.Contains(src, path.Base(imp)+".") {
					src = strings.Replace(src, "import \"net/http\"", "import \"net/http\"\nimport \""+imp+"\"", 1)
				}
			}
			files[folder+"/"+f.Name] = src
		}
	}
	return files
}

// loadFiles writes a module and loads it. Without a go.mod among files it is example.com/m.
func loadFiles(t *testing.T, files map[string]string, tests bool) *load.Program {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.com/m\n\ngo 1.26\n")
	for name, text := range files {
		write(name, text)
	}
	prog, err := load.Load(load.Config{Dir: dir, Tests: tests, Env: append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")})
	if err != nil {
		t.Fatal(err)
	}
	return prog
}

// makePlan is Make, for forms.
func makePlan(t *testing.T, prog *load.Program, forms ...Form) *Plan {
	t.Helper()
	p, err := Make(prog, Options{Forms: forms})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWrap(t *testing.T) {
	rows := slices.Concat(wrapRows, guardRows)
	prog := loadFiles(t, rowFiles(rows), true)
	for _, e := range prog.Errors {
		t.Fatal(e)
	}
	p := makePlan(t, prog, RWMutex)
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			folder := rowFolder(i, row.name)
			found := "nothing was found"
			for _, m := range p.Mends {
				if m.Package == "example.com/m/"+folder && (m.Owner == "S" || m.Owner == "" || m.Owner == "f") {
					found = ""
					if got := loweredAs(m); row.want == "" && row.at != "" && row.at != got && row.at != named(m) {
						t.Errorf("lowered as %q, named %q, want %q", got, named(m), row.at)
					}
				}
			}
			for _, r := range p.Refusals {
				if r.Package != "example.com/m/"+folder || r.Owner != "S" && r.Owner != "" && r.Owner != "f" {
					continue
				}
				found = string(r.Code)
				src, err := os.ReadFile(filepath.Join(prog.Root, filepath.FromSlash(r.Pos.File)))
				if err != nil {
					t.Fatal(err)
				}
				line := strings.Split(string(src), "\n")[r.Pos.Line-1] + "\n"
				if text := line[min(r.Pos.Column-1, len(line)):]; row.want != "" && !strings.HasPrefix(text, strings.Split(row.at, "\n")[0]) {
					t.Errorf("refused at %q, want %q: %s", text, row.at, r.Message)
				} else if row.want == "" {
					t.Log(r.Message)
				}
			}
			if found != string(row.want) {
				t.Errorf("got %q, want %q:\n%s", found, row.want, row.src)
			}
		})
	}
}

// A list of forms is tried in order; without one, a wrapper is for what a section cannot hold.
func TestForms(t *testing.T) {
	const calls = shared + "type V int\n\nfunc (s *S) f(g func(V) bool, k string) bool { return k != \"\" && g(s.m[k]) }\n"
	const together = shared + "type V int\n\nfunc (s *S) f(k string) { if _, ok := s.m[k]; !ok { s.m[k] = 1 } }\n"
	const neither = shared + "type V int\n\nfunc (s *S) f(g func(V), k string) { g(s.m[k]); s.m[k] = 1 }\n"
	for _, tt := range []struct {
		name, src string
		forms     []Form
		want      Form
		code      Code
	}{
		{"auto", shared + "type V int\n", nil, Lock, ""},
		{"auto with a call in the section", calls, nil, RWMutex, ""},
		{"auto with uses that belong together", together, nil, Lock, ""},
		{"auto with both", neither, nil, "", CallInRegion},
		{"lock", calls, []Form{Lock}, "", CallInRegion},
		{"rwmutex", together, []Form{RWMutex}, "", SplitRegion},
		{"lock, then rwmutex", calls, []Form{Lock, RWMutex}, RWMutex, ""},
		{"rwmutex, then lock", calls, []Form{RWMutex, Lock}, RWMutex, ""},
		{"rwmutex, then lock for what belongs together", together, []Form{RWMutex, Lock}, Lock, ""},
		{"rwmutex, then lock with both", neither, []Form{RWMutex, Lock}, "", SplitRegion},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := makePlan(t, loadFiles(t, map[string]string{"p.go": tt.src}, false), tt.forms...)
			var form Form
			var code Code
			if len(p.Mends) == 1 {
				form = p.Mends[0].Form
			}
			if len(p.Refusals) == 1 {
				code = p.Refusals[0].Code
			}
			if form != tt.want || code != tt.code || len(p.Mends)+len(p.Refusals) != 1 {
				t.Errorf("form %q, refusals %v; want %q, %q", form, p.Refusals, tt.want, tt.code)
			}
		})
	}
}

// A form that needs a newer go than the module has is refused, and the next one of the list is tried.
func TestFormNeedsGo(t *testing.T) {
	const owner = "package p\n\nimport \"net/http\"\n\ntype K KEY\n\ntype S struct{ m map[K]int }\n\nfunc (s *S) ServeHTTP(http.ResponseWriter, *http.Request) { s.f() }\n\n" +
		"func (s *S) f() { var k K; s.m[k]++ }\n\nvar _ http.Handler = new(S)\n\nfunc H() http.Handler { return &S{m: make(map[K]int)} }\n"
	for _, tt := range []struct {
		version, key string
		forms        []Form
		want         Form
		message      string
	}{
		{"1.24", "struct{ a int }", []Form{Sharded}, Sharded, ""},
		{"1.23", "struct{ a int }", []Form{Sharded}, "", "the form sharded needs go 1.24 for keys of type K, and the module is of go 1.23"},
		{"1.23.4", "float64", []Form{Sharded, Snapshot}, Snapshot, ""},
		{"1.19", "string", []Form{Sharded}, Sharded, ""},
		{"1.19", "uint8", []Form{Sharded}, Sharded, ""},
		{"1.18", "uint8", []Form{Sharded}, "", "the form sharded needs go 1.19, and the module is of go 1.18"},
		{"1.20", "string", []Form{SyncMap}, SyncMap, ""},
		{"1.19", "string", []Form{SyncMap}, "", "the form syncmap needs go 1.20, and the module is of go 1.19"},
		{"1.19", "string", []Form{Snapshot}, Snapshot, ""},
		{"1.18", "string", []Form{Snapshot}, "", "the form snapshot needs go 1.19, and the module is of go 1.18"},
		{"1.24", "float64", []Form{XSync}, XSync, ""},
		{"1.23", "string", []Form{XSync}, "", "the form xsync needs go 1.24, and the module is of go 1.23"},
		{"1.23", "bool", []Form{XSync}, "", "the form xsync needs go 1.24 for keys of type K, and the module is of go 1.23"},
		{"1.18", "string", []Form{Snapshot, RWMutex}, RWMutex, ""},
	} {
		t.Run(tt.version+" "+tt.key, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"go.mod": "module example.com/m\n\ngo " + tt.version + "\n", "p.go": strings.Replace(owner, "KEY", tt.key, 1)}
			p := makePlan(t, loadFiles(t, files, false), tt.forms...)
			var form Form
			var message string
			if len(p.Mends) == 1 {
				form = p.Mends[0].Form
			}
			if len(p.Refusals) == 1 {
				message = p.Refusals[0].Message
			}
			if form != tt.want || message != tt.message || len(p.Mends)+len(p.Refusals) != 1 {
				t.Errorf("form %q, refusals %+v; want %q, %q", form, p.Refusals, tt.want, tt.message)
			}
		})
	}
}

// Before go 1.23 there is nothing to range over but a copy: the generated file is as old as the module,
// even if the file that ranges is newer.
func TestOlderGo(t *testing.T) {
	files := map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.22\n",
		"p.go":   in("int", "", "for range s.m {}"),
		"q.go":   "//go:build go1.23\n\npackage p\n\nfunc (s *S) g() { for range s.m {} }\n",
	}
	p := makePlan(t, loadFiles(t, files, false), RWMutex)
	if len(p.Mends) != 1 || loweredAs(p.Mends[0]) != "Store Snapshot Snapshot" {
		t.Errorf("%+v", p)
	}
}
