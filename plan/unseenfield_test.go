package plan

import "testing"

var unseenFieldRows = []struct {
	name, src string // in p_plan9.go, or a txtar of more
	want      Code
	mutex     string
}{
	{"nothing", "func g() {}", "", "mu"},
	{"a use", "func (s *S) g() { s.m[\"b\"] = 1 }", OutOfScope, ""},
	{"made", "func g() *S { s := new(S); s = &S{m: nil}; return &S{} }", "", "mu"},
	{"a field", "type T struct { s *S }\n\nfunc (t *T) g() *S { return t.s }", "", "mu"},
	{"unkeyed", "func g() *S { return &S{map[string]V{}} }", OutOfScope, ""},
	{"unkeyed in a list", "var l = []*S{{nil}}", OutOfScope, ""},
	{"unkeyed in a map of lists", "var l = map[string][]*S{\"a\": {{nil}}}", OutOfScope, ""},
	{"a type of lists", "type l []*S", OutOfScope, ""},
	{"a list without values", "func g(l []*S) []*S { return l }", "", "mu"},
	{"a value", "func g(s S) {}", OutOfScope, ""},
	{"a value receiver", "func (s S) g() {}", OutOfScope, ""},
	{"a variable", "var s = S{m: nil}", OutOfScope, ""},
	{"a conversion", "func g(t struct{ m map[string]V }) { s := S(t); _ = s }", OutOfScope, ""},
	{"a copy", "func (s *S) g() { t := *s; _ = t }", OutOfScope, ""},
	{"assigned as a whole", "type T struct { s *S }\n\nfunc (t *T) g(s *S) { *s = *t.s }", OutOfScope, ""},
	{"another pointer", "func (s *S) g(n *int) int { return *n }", "", "mu"},
	{"embedded", "type T struct { S }", OutOfScope, ""},
	{"a pointer embedded", "type T struct { *S }", OutOfScope, ""},
	{"the method mu", "func (s *S) mu() {}", "", "mMu"},
	{"the method mu of another type", "type T int\n\nfunc (t *T) mu() {}", "", "mu"},
	{"both names", "func (s *S) mu() {}\n\nfunc (s *S) mMu() {}", UnknownGuard, ""},
	{"does not parse", "func (", OutOfScope, ""},
	{"another package that does not parse", "-- tool.go --\n//go:build ignore\n\npackage main\n\nfunc (", "", "mu"},
	{"another package", "-- tool.go --\n//go:build ignore\n\npackage main\n\ntype S struct{ a int }\n\nvar s = S{1}", "", "mu"},
	{"in no build", "-- _p.go --\npackage p\n\nvar s = S{nil}\n", "", "mu"},
	{"a field that becomes ambiguous", "-- q.go --\npackage p\n\nimport \"sync\"\n\ntype T struct { *S; *U }\n\ntype U struct { mu sync.Mutex }\n-- p_plan9.go --\npackage p\n\nfunc (t *T) g() { t.mu.Lock() }\n", "", "mMu"},
	{"a field of another type", "type T struct { mu int }\n\nfunc (t *T) g() { t.mu++ }", "", "mu"},
	{"a broken package", "-- q/q.go --\npackage q\n\nimport \"example.com/m\"\n\nvar s p.S = undefined\n", LoadError, ""},
	{"a broken package that is about something else", "-- q/q.go --\npackage q\n\ntype S int\n\nvar s S = undefined\n", "", "mu"},
	{"a test of another package name", "-- p_plan9_test.go --\npackage p_test\n\nimport p \"example.com/m\"\n\nvar s p.S\n", OutOfScope, ""},
	{"not exported", "-- p_plan9_test.go --\npackage p_test\n\ntype S int\n\nvar s S\n", "", "mu"},
}

// A file that is not part of the build may rely on the fields of a struct.
func TestAddFieldUnseen(t *testing.T) {
	for _, tt := range unseenFieldRows {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := unseenFiles("p_plan9.go", "package p\n\n"+tt.src+"\n")
			if tt.src[0] == '-' {
				files = unseenFiles("", "-- p.go --\n"+shared+"type V int\n"+tt.src)
			}
			p := makePlan(t, loadFiles(t, files, true), Lock)
			var code Code
			if len(p.Refusals) == 1 {
				code = p.Refusals[0].Code
			}
			var mutex string
			if len(p.Mends) == 1 {
				mutex = p.Mends[0].Mutex.Name
			}
			if code != tt.want || mutex != tt.mutex || len(p.Mends)+len(p.Refusals) != 1 {
				t.Errorf("mutex %q, refusals %v; want %q, %q", mutex, p.Refusals, tt.mutex, tt.want)
			}
		})
	}
}

// A package variable's mutex is called as nothing in such a file.
func TestAddVariableUnseen(t *testing.T) {
	for name, want := range map[string]Code{"mMu": UnknownGuard, "mu": ""} {
		p := makePlan(t, loadFiles(t, map[string]string{
			"p.go":       global + "var m = map[string]int{}\n",
			"p_plan9.go": "package p\n\nvar " + name + " int\n",
		}, true), Lock)
		var code Code
		if len(p.Refusals) == 1 {
			code = p.Refusals[0].Code
		}
		if code != want {
			t.Errorf("with %s: %v, want %q", name, p.Refusals, want)
		}
	}
}
