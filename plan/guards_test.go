package plan

import (
	"go/token"
	"go/types"
	"strings"
	"testing"

	"mapmend/plan/load"
)

// This file has a case for each guard of the form rwmutex that the first rows of the table leave alone:
// take it out, and one of these fails.

// s returns a file with shared, the element type v, and code.
func s(v, code string) string { return shared + "type V " + v + "\n\n" + code + "\n" }

// in returns s with the method code of S, called f, that has those parameters and body.
func in(v, params, body string) string { return s(v, "func (s *S) f("+params+") { "+body+" }") }

// replaced returns the file src with each old text replaced by the new one after it.
func replaced(src string, oldnew ...string) string {
	return strings.NewReplacer(oldnew...).Replace(src)
}

const entry = "*struct{ n int; l []int }"

var generic = replaced(shared, "type S struct", "type S[T any] struct", "(s *S)", "(s *S[T])", "&S{}", "&S[int]{}")

// Rows as those of wrapRows.
var guardRows = []wrapRow{
	// Declarations and names.
	{"field of a nested struct", replaced(s("int", ""), "m map[string]V", "in struct {\n\t\tm map[string]V\n\t}", "s.m", "s.in.m"), Unlowered, "m map"},
	{"main", replaced(s("int", "func main() {}"), "package p", "package main", "m map", "M map", "s.m", "s.M"), "", "Store"},
	{"internal/variable", "-- p.go --\n" + replaced(global, "m[", "M[") + "var M = map[string]int{}\n-- q/q.go --\npackage q\n\nimport p \"FOLDER\"\n\nfunc Len() int { return len(p.M) }\n", "", "Store var Len"},
	{"beyond ASCII", replaced(s("int", ""), "m map", "été map", "s.m", "s.été"), "", "= sÉtéMap s_été_mapmend.go map[string]V"},
	{"a variable called map", replaced(global, "m[", "userMap[") + "var userMap = make(map[string]int)\n", "", "= guardedUserMap usermap_mapmend.go map[string]int"},
	{"one type name twice", s("int", "var sM = map[string]int{}\n\nfunc init() {\n\thttp.HandleFunc(\"/\", func(w http.ResponseWriter, r *http.Request) { sM[r.URL.Path] = 1 })\n}"), Unlowered, "m map"},
	{"one file name twice", replaced(s("int", "var s_a_b = map[string]int{}\n\nfunc init() {\n\thttp.HandleFunc(\"/\", func(w http.ResponseWriter, r *http.Request) { s_a_b[r.URL.Path] = 1 })\n}"), "m map", "a_b map", "s.m", "s.a_b"), Unlowered, "a_b map"},
	{"a file name in capitals", "-- p.go --\n" + s("int", "") + "-- S_M_mapmend.go --\npackage p\n", Unlowered, "m map"},
	{"two packages of one name", "-- p.go --\n" + replaced(s("int", ""), "map[string]V", "map[k.K]yk.K", "var v V", "var v yk.K", "put(k string)", "put(x string)", "s.m[k] = v", "s.m[k.K(x)] = v", "import \"net/http\"", "import \"net/http\"\n\nimport \"FOLDER/x/k\"\n\nimport yk \"FOLDER/y/k\"") + "-- x/k/k.go --\npackage k\n\ntype K string\n-- y/k/k.go --\npackage k\n\ntype K string\n", "", "= sMMap s_m_mapmend.go map[k.K]kpkg.K import kpkg"},
	{"a package called as a function", replaced(s("= tm.Time", "func time() {}"), "map[string]V", "map[string]tm.Time", "import \"net/http\"", "import \"net/http\"\n\nimport tm \"time\""), "", "= sMMap s_m_mapmend.go map[string]timepkg.Time import timepkg"},
	{"a package called sync", "-- p.go --\n" + replaced(s("= k.K", ""), "map[string]V", "map[string]k.K", "import \"net/http\"", "import \"net/http\"\n\nimport k \"FOLDER/sync\"") + "-- sync/sync.go --\npackage sync\n\ntype K string\n", "", "= sMMap s_m_mapmend.go map[string]syncpkg.K import syncpkg"},
	{"package sync", replaced(s("= *sync.WaitGroup", ""), "map[string]V", "map[string]*sync.WaitGroup"), "", "= sMMap s_m_mapmend.go map[string]*sync.WaitGroup"},

	// Shapes.
	{"compared unequal", in("int", "", "println(s.m != nil)"), NilObserved, "m != nil"},
	{"method of a variable", global + "type M map[string]int\n\nfunc (m M) size() int { return len(m) }\n\nvar m = M{}\n\nfunc f() int { return m.size() }\n", Unlowered, "m.size"},
	{"deleted, and replaced elsewhere", s("int", "func (s *S) f() { delete(s.m, \"a\") }\n\nfunc (s *S) g() { s.m = make(map[string]V) }"), "", "Store Delete Replace"},
	{"deleted by go", in("int", "", "go delete(s.m, \"a\")"), "", "Store Delete"},
	{"deleted by go and replaced", s("int", "func (s *S) f() { go delete(s.m, \"a\") }\n\nfunc (s *S) g() { s.m = make(map[string]V) }"), Unlowered, "m, \"a\""},
	{"cleared", in("int", "", "clear(s.m)"), "", "Store Clear"},
	{"ranged over in an older go", "-- p.go --\n" + s("int", "") + "-- q.go --\n//go:build go1.22\n\npackage p\n\nfunc (s *S) f() { for range s.m {} }\n", "", "Store Snapshot"},
	{"ranged over", in("int", "", "for range s.m {}"), "", "Store All"},

	// Elements.
	{"loaded", in("int", "", "v := s.m[\"a\"]; _ = v"), "", "Store Get"},
	{"loaded with ok", in("int", "", "v, ok := s.m[\"a\"]; _, _ = v, ok"), "", "Store Load"},
	{"loaded beside another", in("int", "", "v, w := s.m[\"a\"], 1; _, _ = v, w"), "", "Store Get"},
	{"declared", in("int", "", "var v = s.m[\"a\"]; _ = v"), "", "Store Get"},
	{"declared with ok", in("int", "", "var v, ok = s.m[\"a\"]; _, _ = v, ok"), "", "Store Load"},
	{"declared beside another", in("int", "", "var v, w = s.m[\"a\"], 1; _, _ = v, w"), "", "Store Get"},
	{"in the body of a case", in("int", "c chan V", "select { case <-c: _ = s.m[\"a\"] }"), "", "Store Get"},
	{"in a default", in("int", "c chan V", "select { case <-c: default: _ = s.m[\"a\"] }"), "", "Store Get"},
	{"stored from two results", s("int", "func g() (V, error) { return 0, nil }\n\nfunc (s *S) f() { var err error; s.m[\"a\"], err = g(); _ = err }"), Unlowered, "m[\"a\"], err"},
	{"stored from an element of a slice", in("int", "x []V", "s.m[\"a\"] = x[0]"), "", "Store Store"},
	{"appended to with a conversion in the key", in("= []int", "k []byte", "s.m[string(k)] = append(s.m[string(k)], 1)"), "", "Store Update/2[V old]"},
	{"added old", in("int", "old V", "s.m[\"a\"] += old"), "", "Store Update/2[V old2]"},
	{"counted", in("int", "", "s.m[\"a\"]++"), "", "Store Update/1[V old]"},
	{"appended maps of a type", in("= []map[string]int", "", "s.m[\"a\"] = append(s.m[\"a\"], []map[string]int{}...)"), "", "Store Update/2[V old]"},
	{"added from two maps", in("int", "x, y map[int]V", "s.m[\"a\"] += x[1] + y[1]"), SplitRegion, "x[1]"},
	{"appended a function", in("= []func(map[int]int)", "", "s.m[\"a\"] = append(s.m[\"a\"], func(x map[int]int) { _ = x[1] })"), "", "Store Update/2[V old]"},
	{"appended what a printer gives", in("= []string", "x S2", "s.m[\"a\"] = append(s.m[\"a\"], fmt.Sprint(x))") + "\ntype S2 int\n\nfunc (S2) String() string { return \"\" }\n", CallInRegion, "fmt.Sprint"},
	{"added by a printer", in("string", "x S2", "s.m[\"a\"] += V(fmt.Sprint(x))") + "\ntype S2 int\n\nfunc (S2) String() string { return \"\" }\n", CallInRegion, "fmt.Sprint"},
	{"added by a printer of a list", in("string", "x []any", "s.m[\"a\"] += V(fmt.Sprint(x...))"), CallInRegion, "fmt.Sprint"},
	{"added by a printer of a number", in("string", "x int", "s.m[\"a\"] += V(fmt.Sprint(x))"), "", "Store Update/2[V old]"},
	{"element type under another name", elsewhere("kk \"FOLDER/k\"", "var _ kk.K"), "", "Store Update/1[kk.K old]"},
	{"element type under another name, after others", elsewhere("\"fmt\"\n\nimport kk \"FOLDER/k\"", "var _ fmt.Stringer\n\nvar _ kk.K"), "", "Store Update/1[kk.K old]"},
	{"element type not imported", elsewhere("\"fmt\"", "var _ fmt.Stringer"), Unlowered, "m[\"a\"]++"},
	{"element type in the file's scope", elsewhere(". \"FOLDER/k\"", "var _ K"), "", "Store Update/1[K old]"},
	{"element type without a name", elsewhere("_ \"FOLDER/k\"", ""), Unlowered, "m[\"a\"]++"},
	{"element type imported twice", elsewhere("_ \"FOLDER/k\"\n\nimport \"FOLDER/k\"", "var _ k.K"), "", "Store Update/1[k.K old]"},
	{"element type hidden by one of it", in("int", "V V", "s.m[\"a\"]++"), Unlowered, "m[\"a\"]++"},

	// Changes in place.
	{"changed behind parentheses", in(entry, "", "(s.m[\"a\"]).n = 1"), Footprint, "(s.m"},
	{"entry changed", in("= []int", "", "s.m[\"a\"][0] = 1"), Footprint, "s.m[\"a\"][0]"},
	{"view changed", in("= []int", "", "s.m[\"a\"][1:][0] = 1"), Footprint, "s.m[\"a\"][1:]"},
	{"used as an index", in("int", "x []int", "x[s.m[\"a\"]] = 1"), "", "Store Get"},
	{"used as a bound", in("int", "x []int", "x[:s.m[\"a\"]][0] = 1"), "", "Store Get"},
	{"key of a range", in(entry, "", "for s.m[\"a\"].n = range 3 {}"), Footprint, "s.m[\"a\"].n"},
	{"value of a range", in(entry, "x []int", "for _, s.m[\"a\"].n = range x {}"), Footprint, "s.m[\"a\"].n"},
	{"part ranged over", in(entry, "", "for range s.m[\"a\"].l {}"), "", "Store Get"},
	{"address of a part", s(entry, "func (s *S) f() *int { return &s.m[\"a\"].n }"), Footprint, "s.m[\"a\"].n"},
	{"address of a copy", s(entry, "func (s *S) f() *V { e := s.m[\"a\"]; return &e }"), "", "Store Get"},
	{"negated", s(entry, "func (s *S) f() int { e := s.m[\"a\"]; return -e.n }"), "", "Store Get"},
	{"variable assigned anew", in(entry, "", "e := s.m[\"a\"]; e = nil; _ = e"), "", "Store Get"},
	{"variable assigned anew by a range", in(entry, "x []V", "e := s.m[\"a\"]; for _, e = range x {}; _ = e"), "", "Store Get"},
	{"part read", in(entry, "", "e := s.m[\"a\"]; x := e.n; _ = x"), "", "Store Get"},
	{"copied from", in("= []int", "x []int", "copy(x, s.m[\"a\"])"), "", "Store Get"},
	{"copied into", in("= []int", "x []int", "copy(s.m[\"a\"], x)"), Footprint, "s.m[\"a\"], x"},
	{"changed twice", in(entry, "", "e := s.m[\"a\"]; e.n = 1; e.n = 2"), Footprint, "e.n = 1"},
	{"declared and changed", in(entry, "", "var e = s.m[\"a\"]; e.n++"), Footprint, "e.n++"},
	{"declared with ok and changed", in(entry, "", "var e, ok = s.m[\"a\"]; if ok { e.n++ }"), Footprint, "e.n++"},
	{"in parentheses and changed", in(entry, "", "e := (s.m[\"a\"]); e.n++"), Footprint, "e.n++"},
	{"part of a literal", in("struct{ n int }", "", "e := s.m[\"a\"]; _ = struct{ v V }{v: e}"), "", "Store Get"},
	{"variable from an element", global + "var m = make(map[string]int)\n\nvar x = m[\"a\"]\n", "", "Store var Get"},

	// Where the map comes from.
	{"variables without values", global + "var m, n map[string]int\n", Unlowered, "m, n"},
	{"assigned from two results", s("int", "func g() (map[string]V, error) { return nil, nil }\n\nfunc (s *S) f() { var err error; s.m, err = g(); _ = err }"), Unlowered, "m, err"},
	{"made by another make", in("int", "", "make := func() map[string]V { return nil }; s.m = make()"), AliasWritten, "make()"},
	{"entries from a call", s("int", "func g() V { return 1 }\n\nfunc f() *S { return &S{m: map[string]V{\"a\": g()}} }"), "", "Store literal[sMMap]"},
	{"literal without comments", literal("return &S{\n\t\tm: map[string]V{},\n\t}"), "", "Store literal"},
	{"comment above", literal("return &S{\n\t\t// none yet\n\t\tm: map[string]V{},\n\t}"), "", "Store literal[sMMap]"},
	{"comment behind", literal("return &S{\n\t\tm: map[string]V{}, // none yet\n\t\tn: 1,\n\t}"), "", "Store literal[sMMap]"},
	{"comment inside", literal("return &S{\n\t\tm: map[string]V{ /* none */ },\n\t\tn: 1,\n\t}"), "", "Store literal[sMMap]"},
	{"comment below", literal("return &S{\n\t\tm: map[string]V{},\n\n\t\t// n is 0\n\t}"), "", "Store literal[sMMap]"},
	{"comment behind the one before", literal("return &S{\n\t\tn: 1, // one\n\t\tm: map[string]V{},\n\t}"), "", "Store literal"},
	{"comment above the one before", literal("return &S{\n\t\t// one\n\t\tn: 1,\n\t\tm: map[string]V{},\n\t}"), "", "Store literal"},
	{"comment above the one after", literal("return &S{\n\t\tm: map[string]V{},\n\t\t// one\n\t\tn: 1,\n\t}"), "", "Store literal"},
	{"comment around", literal("// before\n\tx := &S{m: map[string]V{}} // behind\n\t// after\n\treturn x"), "", "Store literal"},
	{"internal/entries in another package", "-- p.go --\n" + replaced(s("int", ""), "m map", "M map", "s.m", "s.M") + "-- q/q.go --\npackage q\n\nimport p \"FOLDER\"\n\nfunc f() *p.S { return &p.S{M: map[string]p.V{\"a\": 1}} }\n", Unlowered, "M: map"},
	{"generic", generic + "type V int\n\nfunc f() *S[string] { return &S[string]{m: map[string]V{\"a\": 1}} }\n", "", "Store literal[sMMap[string]]"},
	{"generic under another name", generic + "type V int\n\ntype U S[int]\n\nfunc f() *U { return &U{m: map[string]V{\"a\": 1}} }\n", Unlowered, "m: map"},
	{"generic with an argument not imported", "-- p.go --\n" + replaced(generic, "import \"net/http\"", "import \"net/http\"\n\nimport \"FOLDER/k\"") + "type V int\n\ntype A = S[k.K]\n-- q.go --\npackage p\n\nfunc f() *A { return &A{m: map[string]V{\"a\": 1}} }\n-- k/k.go --\npackage k\n\ntype K int\n", Unlowered, "m: map"},

	// The order of evaluation.
	{"function literal after", s("int", "func g(V, func()) {}\n\nfunc h() {}\n\nfunc (s *S) f() { g(s.m[\"a\"], func() { h() }) }"), "", "Store Get"},
	{"negation after", s("int", "func (s *S) f(v V) V { return s.m[\"a\"] + -v }"), "", "Store Get"},
	{"receive before", s("int", "func (s *S) f(c chan V) V { return <-c + s.m[\"a\"] }"), "", "Store Get"},
	{"recover after", s("int", "func (s *S) f() (V, any) { return s.m[\"a\"], recover() }"), Unlowered, "recover()"},
	{"two calls after", s("int", "func g() V { return 1 }\n\nfunc h() V { return 1 }\n\nfunc (s *S) f() V { return s.m[\"a\"] + g() + h() }"), Unlowered, "g() + h()"},
	{"two arguments after", s("int", "func g() V { return 1 }\n\nfunc h() V { return 1 }\n\nfunc k(V, V, V) {}\n\nfunc (s *S) f() { k(s.m[\"a\"], g(), h()) }"), Unlowered, "g(), h()"},
	{"function given after", s("int", "func (s *S) pred(rune) bool { return true }\n\nfunc (s *S) f() V { return s.m[\"a\"] + V(strings.IndexFunc(\"a\", s.pred)) }"), Unlowered, "strings"},
	{"value with methods given after", s("int", "func (s *S) f(x time.Time) V { return s.m[\"a\"] + V(time.Until(x)) }"), "", "Store Get"},
	{"printer after", s("string", "type T int\n\nfunc (T) String() string { return \"\" }\n\nfunc (s *S) f(x T) string { return string(s.m[\"a\"]) + fmt.Sprint(x) }"), Unlowered, "fmt.Sprint"},
	{"printer of a number after", s("string", "func (s *S) f(x int) string { return string(s.m[\"a\"]) + fmt.Sprint(x) }"), "", "Store Get"},

	// What belongs together.
	{"in a test", "-- p.go --\n" + s("int", "") + "-- p_test.go --\npackage p\n\nimport \"testing\"\n\nfunc TestS(t *testing.T) { s := Handler().(*S); go s.put(\"c\"); s.m[\"a\"] = 1; s.m[\"b\"] = 2 }\n", "", "Store Store Store"},
	{"in a literal of the package", global + "var m = map[string]int{}\n\nvar f = func() int { return m[\"a\"] + m[\"b\"] }\n", "", "Store var Get Get"},
	{"in literals of two files", "-- p.go --\n" + global + "var m = map[string]int{}\n\nvar f = func() { m[\"a\"] = 1 }\n-- q.go --\npackage p\n\nvar g = func() { m[\"b\"] = 2 }\n", SplitRegion, "m[\"b\"]"},
	{"store and load of another key", s("int", "func (s *S) f() V { s.m[\"a\"] = 1; return s.m[\"b\"] }"), SplitRegion, "m[\"b\"]"},
	{"one key twice", s("int", "func (s *S) f() V { return s.m[\"a\"] + s.m[\"a\"] }"), SplitRegion, "m[\"a\"] }"},
	{"deleted by an element", in("string", "", "delete(s.m, string(s.m[\"a\"]))"), SplitRegion, "m[\"a\"]"},
	{"condition and else", in("int", "k string", "if s.m[k] == 1 { println() } else { s.m[k] = 2 }"), SplitRegion, "m[k] = 2"},
	{"case and the next body", in("int", "k string, b bool", "switch { case s.m[k] == 1: case b: s.m[k] = 2 }"), SplitRegion, "m[k] = 2"},
	{"body and the next case", in("int", "k string, b bool", "switch { case b: s.m[k] = 2; case s.m[k] == 1: }"), "", "Store Store Get"},
	{"cases of a select", in("int", "c, d chan int", "select { case <-c: s.m[\"a\"] = 1; case <-d: s.m[\"b\"] = 2 }"), "", "Store Store Store"},
	{"started by a group", in("int", "wg *sync.WaitGroup", "wg.Go(func() { s.m[\"a\"] = 1 }); s.m[\"b\"] = 2"), "", "Store Store Store"},
	{"given to what go starts", s("int", "func run(f func()) { f() }\n\nfunc (s *S) f() { go run(func() { s.m[\"a\"] = 1 }); s.m[\"b\"] = 2 }"), SplitRegion, "m[\"b\"]"},
	{"given to a function", s("int", "func run(f func()) { f() }\n\nfunc (s *S) f() { run(func() { s.m[\"a\"] = 1 }); s.m[\"b\"] = 2 }"), SplitRegion, "m[\"b\"]"},

	// Ranges whose body may change the map. drop is what changes it.
	{"body that calls itself", s("int", "func (s *S) g(n int) { s.g(n) }\n\nfunc (s *S) f() { for range s.m { s.g(1) } }"), "", "Store All"},
	{"body that reads by a call", s("int", "func (s *S) get(k string) V { return s.m[k] }\n\nfunc (s *S) f() { for k := range s.m { s.get(k) } }"), "", "Store Get All"},
	{"body that reads", in("int", "", "for k := range s.m { println(s.m[k]) }"), SplitRegion, "m[k]"},
	{"body that calls a value that is taken", s("int", "func (s *S) g() func(string) { return s.put }\n\nfunc (s *S) f(h func(string)) { for k := range s.m { h(k) } }"), RangeMutates, "for k"},
	{"body that calls a value, and none is taken", in("int", "h func(string)", "for k := range s.m { h(k) }"), "", "Store All"},
	{"body that ranges over a value that is taken", s("int", "func (s *S) all(yield func(string) bool) { s.put(\"a\") }\n\nfunc (s *S) g() func(func(string) bool) { return s.all }\n\nfunc (s *S) f(h func(func(string) bool)) { for range s.m { for range h { } } }"), RangeMutates, "for range s.m"},
	{"body that converts", s("int", "func (s *S) g() func() { return func() { s.put(\"a\") } }\n\nfunc (s *S) f() { for k := range s.m { println(V(len(k))) } }"), "", "Store All"},
	{"body that calls its literal", s("int", "func (s *S) g() func() { return func() { s.put(\"a\") } }\n\nfunc (s *S) f() { for range s.m { func() {}() } }"), "", "Store All"},
	{"body that calls a method of that name", s("int", "type o struct{}\n\nfunc (o) put(string) {}\n\nfunc (s *S) f(x o) { for k := range s.m { x.put(k) } }"), "", "Store All"},
	{"body that calls an interface with a function of that name", s("int", "type c interface{ drop() }\n\nfunc drop(s *S) { s.put(\"a\") }\n\nfunc (s *S) f(x c) { for range s.m { x.drop() } }"), "", "Store All"},
	{"body that gives away a method", s("int", "func (s *S) shift(r rune) rune { s.put(\"a\"); return r }\n\nfunc (s *S) f() { for k := range s.m { strings.Map(s.shift, k) } }"), RangeMutates, "for k"},
	{"body that prints anything", s("int", "type T struct{ s *S }\n\nfunc (t T) String() string { t.s.put(\"a\"); return \"\" }\n\nfunc (s *S) f(x any) { for range s.m { fmt.Println(x) } }"), RangeMutates, "for range"},
	{"body that prints an interface", s("int", "type T struct{ s *S }\n\nfunc (t T) String() string { t.s.put(\"a\"); return \"\" }\n\nfunc (s *S) f(x interface{ other() }) { for range s.m { fmt.Println(x) } }"), RangeMutates, "for range"},
	{"body that prints a slice", s("int", "type I int\n\nvar global *S\n\nfunc (I) String() string { global.put(\"a\"); return \"\" }\n\nfunc (s *S) f(x []I) { for range s.m { fmt.Println(x) } }"), RangeMutates, "for range"},
	{"body that gives away a slice of any", s("int", "type T struct{ s *S }\n\nfunc (t T) String() string { t.s.put(\"a\"); return \"\" }\n\nfunc g([]any) {}\n\nfunc (s *S) f(x []any) { for range s.m { g(x) } }"), "", "Store All"},
	{"body that prints a list", s("int", "type T struct{ s *S }\n\nfunc (t T) String() string { t.s.put(\"a\"); return \"\" }\n\nfunc (s *S) f(x []any) { for range s.m { fmt.Println(x...) } }"), RangeMutates, "for range"},
	{"body that prints a name", s("int", "type I int\n\nvar global *S\n\nfunc (I) String() string { global.put(\"a\"); return \"\" }\n\nfunc (s *S) f(x string) { for range s.m { fmt.Println(x) } }"), "", "Store All"},

	// Copies of the owner.
	{"array parameter", s("int", "func f(a [2]S) {}"), OwnerCopied, "func f(a"},
	{"variadic parameter of something else", s("int", "func f(l ...int) {}"), "", "Store"},
	{"variadic parameter", s("int", "func f(l ...S) {}"), OwnerCopied, "func f(l"},
	{"atomic pointer", s("int", "var x atomic.Pointer[S]"), "", "Store"},
	{"own pointer", s("int", "type Pointer[T any] struct{ x T }\n\nvar x Pointer[S]"), OwnerCopied, "Pointer[S]"},
	{"slice cloned", s("int", "func f(l []S) { slices.Reverse(l) }"), OwnerCopied, "Reverse"},
	{"length of a slice", s("int", "func f(l []S) int { return len(l) }"), "", "Store"},
	{"elements copied", s("int", "func f(l, k []S) { copy(l, k) }"), OwnerCopied, "copy"},
	{"elements cleared", s("int", "func f(l []S) { clear(l) }"), OwnerCopied, "clear"},
	{"own copy", s("int", "func f(l []S, copy func([]S)) { copy(l) }"), "", "Store"},
	{"element of an array", s("int", "func f(a *[2]S) { b := [2]S{}; b[0].put(\"a\"); a[0].put(\"a\") }"), "", "Store"},
	{"view of an array", s("int", "func f() { b := [2]S{}; c := b[:]; c[0].put(\"a\") }"), "", "Store"},
	{"range over an array", s("int", "func f() { b := [2]S{}; for i := range b { b[i].put(\"a\") } }"), "", "Store"},
	{"new variable", s("int", "var x = S{}"), "", "Store"},
	{"new in parentheses", s("int", "func f() { t := (S{}); t.put(\"a\") }"), "", "Store"},
	{"new for nothing", s("int", "func f() { _ = S{} }"), "", "Store"},
	{"part of an assertion", s("int", "func f(x any) int { return len(x.(S).m) }"), OwnerCopied, "x.(S)"},
	{"new variable of a type", s("int", "var x S = S{}"), "", "Store"},
	{"new variable of any type", s("int", "var x any = S{}"), OwnerCopied, "S{}"},
	{"variable from another", s("int", "var x S\n\nvar y = x"), OwnerCopied, "x\n"},
	{"new in a slice", s("int", "var x = []S{S{}, {}}"), "", "Store"},
	{"new in a slice of any", s("int", "var x = []any{S{}}"), OwnerCopied, "S{}}"},
	{"new in an array of any", s("int", "var x = [1]any{S{}}"), OwnerCopied, "S{}}"},
	{"new in a map", s("int", "var x = map[int]S{1: {}}"), OwnerCopied, "{}}"},
	{"new in a field", s("int", "var x = struct{ e any; s S }{s: S{}}"), "", "Store"},
	{"new beside a field of any", s("int", "var x = struct{ e any; s S }{e: 1, s: S{}}"), "", "Store"},
	{"new in a field of any", s("int", "var x = struct{ e any }{e: S{}}"), OwnerCopied, "S{}}"},
	{"in a field", s("int", "func f(s *S) { x := struct{ s S }{s: *s}; _ = &x }"), OwnerCopied, "*s}"},
	{"new for any", s("int", "func f(x any) { x = S{} }"), OwnerCopied, "S{} }"},
	{"overwritten in a definition", s("int", "func f() { t := S{}; t.put(\"a\"); t, n := S{}, 1; println(n); t.put(\"a\") }"), OwnerCopied, "S{}, 1"},

	// Reflection.
	{"through an interface", s("int", "func (s *S) unique2() {}\n\nfunc g(any) {}\n\nfunc f(h interface{ unique2() }) { g(h) }"), Reflected, "h) }"},
	{"through an interface of another package", "-- p.go --\n" + replaced(s("int", "func (s *S) Unique(k.K) {}"), "import \"net/http\"", "import \"net/http\"\n\nimport \"FOLDER/k\"", "put(k string)", "put(x string)", "s.m[k]", "s.m[x]") + "-- q/q.go --\npackage q\n\nimport (\n\t\"fmt\"\n\n\t\"FOLDER/k\"\n)\n\nfunc f(h interface{ Unique(k.K) }) { fmt.Println(h) }\n-- k/k.go --\npackage k\n\ntype K int\n", Reflected, "h) }"},
	{"through a type parameter", s("int", "func g[T any](x T) { fmt.Println(x) }\n\nfunc f(s *S) { g(s) }"), Reflected, "x) }"},
	{"before a list of any", s("int", "func g(s *S, rest ...any) {}\n\nfunc f(s *S) { g(s, 1) }"), "", "Store"},
	{"type parameter of something else", s("int", "func g[T any](x T) { fmt.Println(x) }\n\nfunc f() { g(1) }"), "", "Store"},
	{"generic function of the library", s("int", "func f(l []*S, s *S) bool { return slices.Contains(l, s) }\n\nfunc g[T any](x T) { fmt.Println(x) }"), "", "Store"},
	{"to a comparison", s("int", "func (s *S) Error() string { return \"\" }\n\nfunc f(s *S) bool { return errors.Is(s, nil) }"), Reflected, "s, nil"},
	{"assigned to any", s("int", "func f(s *S) { var x any; x = s; _ = x }"), Reflected, "s; _"},
	{"declared as any beside another", s("int", "func f(s *S) { var x, y any = 1, s; _, _ = x, y }"), Reflected, "s; _"},
	{"two results assigned", s("int", "func g() (*S, int) { return nil, 1 }\n\nfunc f() { var x, y any; x, y = g(); _, _ = x, y }"), Reflected, "g(); _"},
	{"two results printed", s("int", "func g() (*S, int) { return nil, 1 }\n\nfunc f() { fmt.Println(g()) }"), Reflected, "g()) }"},
	{"two results returned", s("int", "func g() (*S, int) { return nil, 1 }\n\nfunc f() (any, int) { return g() }"), Reflected, "g() }"},
	{"result and ok", s("int", "func f(c chan *S) { var x any; var ok bool; x, ok = <-c; _, _ = x, ok }"), Reflected, "<-c; _"},
	{"ranged over into any", s("int", "func f(l []*S) { var x any; for _, x = range l { _ = x } }"), Reflected, "l { _"},
	{"ranged over", s("int", "func f(l []*S) { for _, x := range l { _ = x } }"), "", "Store"},
	{"sent as any", s("int", "func f(c chan any, s *S) { c <- s }"), Reflected, "s }"},
	{"appended to any", s("int", "func f(x []any, s *S) []any { return append(x, s) }"), Reflected, "s) }"},
	{"panic", s("int", "func f(s *S) { panic(s) }"), Reflected, "s) }"},
	{"returned by a literal", s("int", "func f(s *S) func() any { return func() any { return s } }"), Reflected, "s } }"},
	{"returned as it is by a literal", s("int", "func f(s *S) (func() *S, any) { return func() *S { return s }, nil }"), "", "Store"},
	{"field of any", s("int", "func f(s *S) { _ = struct{ x any }{x: s} }"), Reflected, "s} }"},
	{"first field of any", s("int", "func f(s *S) { _ = struct{ x any }{s} }"), Reflected, "s} }"},
	{"map of any", s("int", "func f(s *S) { _ = map[int]any{1: s} }"), Reflected, "s} }"},
	{"key of any", s("int", "func f(s *S) { _ = map[any]int{s: 1} }"), Reflected, "s: 1"},
	{"array of any", s("int", "func f(s *S) { _ = [1]any{0: s} }"), Reflected, "s} }"},
	{"second argument of a printer", s("int", "func f(w http.ResponseWriter, s *S) { fmt.Fprintln(w, s) }"), Reflected, "s) }"},
	{"map of owners printed", s("int", "func f(x map[int]*S) { fmt.Println(x) }"), Reflected, "x) }"},
	{"map by owner printed", s("int", "func f(x map[*S]int) { fmt.Println(x) }"), Reflected, "x) }"},
	{"list printed", s("int", "type list struct{ next *list }\n\nfunc f(x *list) { fmt.Println(x) }"), "", "Store"},
}

// elsewhere returns a package whose element type is of another one, and is counted in a file with its own imports.
func elsewhere(imports, use string) string {
	return "-- p.go --\n" + replaced(s("= k.K", ""), "map[string]V", "map[string]k.K", "put(k string)", "put(x string)", "s.m[k] = v", "s.m[x] = v", "var v V", "var v k.K", "import \"net/http\"", "import \"net/http\"\n\nimport \"FOLDER/k\"", "type V = k.K\n", "") +
		"-- q.go --\npackage p\n\nimport " + imports + "\n\n" + use + "\n\nfunc (s *S) f() { s.m[\"a\"]++ }\n-- k/k.go --\npackage k\n\ntype K int\n"
}

// literal returns a package with a function of that body, and a second field.
func literal(body string) string {
	return replaced(s("int", "func f() *S {\n\t"+body+"\n}"), "m map[string]V\n", "m map[string]V\n\tn int\n")
}

func TestImportable(t *testing.T) {
	for _, tt := range []struct {
		pkg  load.Package
		test bool
		want bool
	}{
		{load.Package{Path: "example.com/m/p", Name: "p"}, false, true},
		{load.Package{Path: "example.com/m/p", Name: "p"}, true, false},
		{load.Package{Path: "example.com/m/p", Name: "main"}, false, false},
		{load.Package{Path: "example.com/m/p", Name: "p_test", External: true}, false, false},
		{load.Package{Path: "example.com/internal/p", Name: "p"}, false, false},
		{load.Package{Path: "example.com/internals/p", Name: "p"}, false, true},
	} {
		if got := importable(declaration{pkg: &tt.pkg, file: &load.File{Test: tt.test}}); got != tt.want {
			t.Errorf("%s %s, test %v: %v, want %v", tt.pkg.Name, tt.pkg.Path, tt.test, got, tt.want)
		}
	}
}

func TestFirst(t *testing.T) {
	for name, want := range map[string]string{"HTTPCache": "httpCache", "S": "s", "URL": "url", "cache": "cache", "iD": "iD", "MapV2": "mapV2", "HTTP2": "http2", "HTTP2x": "http2x", "URL_a": "url_a", "A2B": "a2B", "URLé": "urLé", "Q_a": "q_a"} {
		if got := lowerFirst(name); got != want {
			t.Errorf("lowerFirst(%q) = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"m": "M", "byID": "ByID", "été": "Été", "X": "X"} {
		if got := upperFirst(name); got != want {
			t.Errorf("upperFirst(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestHasIterators(t *testing.T) {
	for v, want := range map[string]bool{"go1.22": false, "go1.22.9": false, "go1.23": true, "go1.23rc1": true, "go1.23.1": true, "go1.100": true, "go": false} {
		if got := hasIterators(v); got != want {
			t.Errorf("%s: %v, want %v", v, got, want)
		}
	}
}

func TestHidden(t *testing.T) {
	p, q := types.NewPackage("p", "p"), types.NewPackage("q", "q")
	declared := func(pkg *types.Package, name string) *types.TypeName {
		obj := types.NewTypeName(token.NoPos, pkg, name, nil)
		pkg.Scope().Insert(obj)
		types.NewNamed(obj, types.Typ[types.Int], nil)
		return obj
	}
	own, foreign, secret := declared(p, "own").Type(), declared(q, "Foreign").Type(), declared(q, "secret").Type()
	local := types.NewNamed(types.NewTypeName(token.NoPos, p, "Local", nil), types.Typ[types.Int], nil)
	field := func(pkg *types.Package, name string, t types.Type) *types.Struct {
		return types.NewStruct([]*types.Var{types.NewField(token.NoPos, pkg, name, t, false)}, nil)
	}
	method := func(pkg *types.Package, name string, sig *types.Signature) *types.Interface {
		return types.NewInterfaceType([]*types.Func{types.NewFunc(token.NoPos, pkg, name, sig)}, nil).Complete()
	}
	takes := func(t types.Type) *types.Signature {
		return types.NewSignatureType(nil, nil, nil, types.NewTuple(types.NewParam(token.NoPos, p, "", t)), nil, false)
	}
	gives := types.NewSignatureType(nil, nil, nil, nil, types.NewTuple(types.NewParam(token.NoPos, p, "", secret)), false)
	param := types.NewTypeParam(types.NewTypeName(token.NoPos, p, "T", nil), types.Universe.Lookup("any").Type())
	box := types.NewNamed(types.NewTypeName(token.NoPos, p, "box", nil), types.Typ[types.Int], nil)
	p.Scope().Insert(box.Obj())
	box.SetTypeParams([]*types.TypeParam{param})
	boxed := func(t types.Type) types.Type {
		inst, err := types.Instantiate(nil, box, []types.Type{t}, true)
		if err != nil {
			panic(err)
		}
		return inst
	}
	alias := func(pkg *types.Package, name string) types.Type {
		obj := types.NewTypeName(token.NoPos, pkg, name, nil)
		pkg.Scope().Insert(obj)
		return types.NewAlias(obj, types.Typ[types.Int])
	}
	for _, tt := range []struct {
		typ  types.Type
		want string
	}{
		{types.Typ[types.Int], ""}, {types.Universe.Lookup("error").Type(), ""}, {types.Universe.Lookup("any").Type(), ""},
		{own, ""}, {foreign, ""}, {secret, "secret"}, {local, "Local"},
		{alias(p, "ownAlias"), ""}, {alias(q, "Alias"), ""}, {alias(q, "secretAlias"), "secretAlias"},
		{boxed(own), ""}, {boxed(secret), "secret"}, {boxed(boxed(secret)), "secret"},
		{types.NewPointer(secret), "secret"}, {types.NewSlice(secret), "secret"}, {types.NewArray(secret, 2), "secret"}, {types.NewChan(types.SendRecv, secret), "secret"},
		{types.NewMap(secret, own), "secret"}, {types.NewMap(own, secret), "secret"}, {types.NewMap(own, foreign), ""},
		{takes(secret), "secret"}, {gives, "secret"}, {takes(own), ""},
		{field(p, "f", own), ""}, {field(p, "f", secret), "secret"}, {field(q, "f", own), "f"}, {field(q, "F", own), ""},
		{method(p, "f", takes(own)), ""}, {method(p, "f", gives), "secret"}, {method(q, "f", takes(own)), "f"}, {method(q, "F", takes(own)), ""},
		{param, ""},
	} {
		if got := hidden(tt.typ, p); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.typ, got, tt.want)
		}
	}
}
