package verify

import (
	"strings"
	"testing"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
)

const old = `package p

import "fmt"

// S is documented.
type S struct {
	// m is documented.
	m map[string]int
}

//go:noinline
func (s *S) f() { s.m["a"], s.m["b"] = 1, len(s.m) } // remark

// other is not planned.
func other() { fmt.Println( /* inside */ 1) }

func A() int   { return 1 }
func Bcd() int { return 2 }
`

// now is what a rewrite makes of old.
var now = strings.NewReplacer(
	`import "fmt"`, "import (\n\t\"fmt\"\n\t\"sync\"\n)",
	"\t// m is", "\t// mu guards m.\n\tmu sync.Mutex\n\t// m is",
	`{ s.m["a"], s.m["b"] = 1, len(s.m) }`, "{\n\ts.mu.Lock()\n\ts.m[\"a\"], s.m[\"b\"] = 1, len(s.m)\n\ts.mu.Unlock()\n}",
).Replace(old)

// The invariants on bytes, against results that no rewrite of ours should make.
func TestBytes(t *testing.T) {
	span := func(text string) plan.Span {
		at := strings.Index(old, text)
		return plan.Span{File: "p.go", Start: at, End: at + len(text)}
	}
	m := plan.Mend{
		Form:     plan.Lock,
		Decl:     span("m map[string]int"),
		Mutex:    &plan.Mutex{Name: "mu", Type: "sync.Mutex", Comment: "mu guards m."},
		Sections: []plan.Section{{Span: span(`s.m["a"], s.m["b"] = 1, len(s.m)`), Lock: "s.mu"}},
	}
	tests := []struct {
		name     string
		from, to string // replaced in now
		want     string // invariants that fail
	}{
		{"fine", "", "", ""},
		{"spaces that align", "A() int   {", "A() int {", "Formatted"},
		{"not formatted", "{\n\ts.mu", "{\n  s.mu", "Formatted"},
		{"carried to another line", "{ return 1 }", "{\n\treturn 1\n}", "Formatted OnlyPlanned KeptLines"},
		{"no Go", "func A", "fun A", "RoundTrips Formatted OnlyPlanned EvalOrder KeptLines"},
		{"another constant", "return 2", "return 3", "OnlyPlanned EvalOrder KeptLines"},
		{"a declaration lost", "func A() int   { return 1 }\n", "", "OnlyPlanned EvalOrder KeptLines"},
		{"a declaration more", "func A", "func init() {}\n\nfunc A", "OnlyPlanned EvalOrder"},
		{"a variable that is no planned mutex", "func A", "var no sync.Mutex\n\nfunc A", "OnlyPlanned EvalOrder"},
		{"declarations swapped", "func A() int   { return 1 }\nfunc Bcd() int { return 2 }\n", "func Bcd() int { return 2 }\nfunc A() int   { return 1 }\n", "OnlyPlanned EvalOrder KeptLines"},
		{"a comment lost", " // remark", "", "OnlyPlanned"},
		{"a comment moved", "{\n\ts.mu.Lock()", "{\n\t// other is not planned.\n\ts.mu.Lock()", "OnlyPlanned"},
		{"a comment more", "{\n\ts.mu.Lock()", "{\n\t// New.\n\ts.mu.Lock()", "OnlyPlanned"},
		{"a directive lost", "//go:noinline\n", "", "OnlyPlanned KeptLines"},
		{"a comment in a body lost", " /* inside */ ", "", "OnlyPlanned KeptLines"},
		{"an import more", "\t\"fmt\"\n", "\t\"fmt\"\n\t_ \"os\"\n", "OnlyPlanned EvalOrder"},
		{"an import lost", "\t\"fmt\"\n", "", "OnlyPlanned EvalOrder"},
		{"another package", "package p", "package q", "OnlyPlanned EvalOrder KeptLines"},
		{"operations swapped", `s.m["a"], s.m["b"]`, `s.m["b"], s.m["a"]`, "EvalOrder"},
		{"an operation lost", "1, len(s.m)", "1, 2", "EvalOrder"},
		{"an operation more", "s.mu.Unlock()", "s.mu.Unlock()\n\tdelete(s.m, \"\")", "EvalOrder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.from != "" && strings.Count(now, tt.from) != 1 {
				t.Fatalf("%q is there %d times", tt.from, strings.Count(now, tt.from))
			}
			p := &proof{
				plan:    &plan.Plan{Mends: []plan.Mend{m}},
				changes: []rewrite.Change{{File: "p.go", Old: []byte(old), New: []byte(strings.Replace(now, tt.from, tt.to, 1))}},
			}
			var failed []string
			for _, inv := range invariants {
				if inv.name == loaded {
					break
				}
				if f := inv.check(p); len(f) > 0 {
					failed = append(failed, inv.name)
				}
			}
			if got := strings.Join(failed, " "); got != tt.want {
				t.Errorf("failed: %s, want: %s", got, tt.want)
			}
		})
	}
}

// besides is a file for lines and what stands beside them.
const besides = `package p

type S struct {
	m map[string]int // m
}

// f is documented.
func f(s *S, k string) {
	switch k {
	case "a": // a
		s.m[k] = 1
		g(k) //nolint:a
	}

	//lint:ignore b
	g(s, k)
	/* c */ g(k, s)
	// End.
}

func h(s *S) { /* h */ s.m["h"] = 1 /* one */ } // end of h
`

// The invariant on lines, against results that no rewrite of ours should make.
func TestKeptLines(t *testing.T) {
	span := func(text string) plan.Span {
		at := strings.Index(besides, text)
		return plan.Span{File: "p.go", Start: at, End: at + len(text)}
	}
	m := plan.Mend{
		Form:  plan.Lock,
		Decl:  span("m map[string]int"),
		Mutex: &plan.Mutex{Name: "mu", Type: "sync.Mutex", Comment: "mu guards m."},
		Sections: []plan.Section{
			{Span: span("s.m[k] = 1"), Lock: "s.mu"},
			{Span: span(`s.m["h"] = 1`), Lock: "s.mu"},
		},
	}
	now := strings.NewReplacer(
		"package p\n", "package p\n\nimport \"sync\"\n",
		"\tm map", "\t// mu guards m.\n\tmu sync.Mutex\n\tm  map",
		"\t\ts.m[k] = 1\n", "\t\ts.mu.Lock()\n\t\ts.m[k] = 1\n\t\ts.mu.Unlock()\n",
		`{ /* h */ s.m["h"] = 1 /* one */ }`, "{ /* h */\n\ts.mu.Lock()\n\ts.m[\"h\"] = 1 /* one */\n\ts.mu.Unlock()\n}",
	).Replace(besides)
	tests := []struct {
		name     string
		from, to string // replaced in now
		want     string // the failure
	}{
		{"fine", "", "", ""},
		{"a directive on a line of its own", "g(k) //nolint:a", "g(k)\n\t\t//nolint:a", `the line "g(k) //nolint:a" is lost, and no planned place is on it`},
		{"a comment of a clause on a line of its own", "case \"a\": // a", "case \"a\":\n\t\t// a", `the line "case \"a\": // a" is lost, and no planned place is on it`},
		{"a comment at the unlock", "s.mu.Unlock()\n\t\tg(k) //nolint:a", "s.mu.Unlock() //nolint:a\n\t\tg(k)", `the line "g(k) //nolint:a" is lost, and no planned place is on it`},
		{"a blank line lost", "}\n\n\t//lint", "}\n\t//lint", `the line "//lint:ignore b" is lost, and no planned place is on it`},
		{"a line of code torn", "g(k, s)", "g(\n\t\tk, s)", `the line "/* c */ g(k, s)" is lost, and no planned place is on it`},
		{"code between a directive and its line", "\tg(s, k)", "\ts.mu.Lock()\n\tg(s, k)", "a comment left the line that it was before"},
		{"a blank line between a directive and its line", "\tg(s, k)", "\n\tg(s, k)", "a comment left the line that it was before"},
		{"code between a doc comment and its function", "func f(", "var mu sync.Mutex\nfunc f(", "a comment left the line that it was before"},
		{"a comment behind code", "g(k, s)\n\t// End.", "g(k, s) // End.", `the line "/* c */ g(k, s)" is lost, and no planned place is on it`},
		{"a comment behind the lock", "s.mu.Lock()\n\ts.m[\"h\"] = 1 /* one */", "s.mu.Lock() /* one */\n\ts.m[\"h\"] = 1", "a comment left the line that it was on"},
		{"a comment of the brace on a line of its own", "{ /* h */\n", "{\n\t/* h */\n", "a comment left the line that it was on"},
		{"a comment behind a function below it", "} // end of h", "}\n\n// end of h", "a comment left the line that it was on"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.from != "" && strings.Count(now, tt.from) != 1 {
				t.Fatalf("%q is there %d times", tt.from, strings.Count(now, tt.from))
			}
			p := &proof{
				plan:    &plan.Plan{Mends: []plan.Mend{m}},
				changes: []rewrite.Change{{File: "p.go", Old: []byte(besides), New: []byte(strings.Replace(now, tt.from, tt.to, 1))}},
			}
			var got string
			for _, f := range keptLines(p) {
				got = f.message
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNewFile(t *testing.T) {
	for content, want := range map[string]int{"package p\n": 0, "package  p\n": 1} {
		p := &proof{plan: &plan.Plan{}, changes: []rewrite.Change{{File: "new.go", New: []byte(content), Create: true}}}
		if got := len(formatted(p)) + len(onlyPlanned(p)); got != want {
			t.Errorf("%q: %d failures, want %d", content, got, want)
		}
	}
}

func TestFootprint(t *testing.T) {
	src := `package m

import "sync"

var (
	mu sync.RWMutex
	nu sync.Mutex
)

func f() {
	mu.RLock()
	defer mu.RUnlock()
	nu.Lock()
	nu.Unlock()
}
`
	prog, cfg := module(t, map[string]string{"m.go": src})
	tests := []struct {
		name, from, to string
		want           int
	}{
		{"unchanged", "", "", 0},
		{"a section more", "\tnu.Lock()\n", "\tmu.Lock()\n\tmu.Unlock()\n\tnu.Lock()\n", 0},
		{"stronger", "mu.RLock", "mu.Lock", 0},
		{"weaker", "nu.Lock", "mu.RLock", 1},
		{"a lock lost", "\tnu.Lock()\n", "", 1},
		{"an unlock lost", "\tnu.Unlock()\n", "", 1},
		{"in another order", "\tnu.Lock()\n\tnu.Unlock()\n", "\tnu.Unlock()\n\tnu.Lock()\n", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(src, tt.from, tt.to, 1)
			p := &proof{plan: &plan.Plan{}, before: prog, opt: Options{Load: cfg.Overlaid},
				changes: []rewrite.Change{{File: "m.go", Old: []byte(src), New: []byte(text)}}}
			if err := p.ready(loaded); err != nil {
				t.Fatal(err)
			}
			if got := footprint(p); len(got) != tt.want {
				t.Errorf("failures %v, want %d", got, tt.want)
			}
		})
	}
}

// An API that looks the same from outside, and ones that do not.
func TestSameAPI(t *testing.T) {
	src := `package m

type T struct {
	A int
	b int
}

type Inner struct{ t T }

type List[K comparable] struct{ m map[K]int }

var V struct {
	X int
	y int
}

func (t *T) M() {}
func (t *T) n() {}

const C = 1

func F(x int) {}
`
	prog, cfg := module(t, map[string]string{"m.go": src})
	tests := []struct{ name, from, to, want string }{
		{"unexported field", "\tb int", "\tb, c int", ""},
		{"unexported field of a variable", "\ty int", "\ty, z int", ""},
		{"unexported method", "n()", "o()", ""},
		{"exported field", "\tA int", "\tA, B int", "T"},
		{"embedded field", "\tb int", "\tb int\n\tInner", "T"},
		{"exported field of a variable", "\tX int", "\tX, Y int", "V"},
		{"method", "M()", "N()", "T"},
		{"value receiver", "(t *T) M", "(t T) M", "T"},
		{"constraint", "K comparable", "K ~string", "List"},
		{"constant", "C = 1", "C = 2", "C"},
		{"parameter", "x int", "x uint", "F"},
		{"lost", "func F(x int) {}\n", "", "F"},
		{"new", "const C", "const D = 1\n\nconst C", "D"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &proof{plan: &plan.Plan{}, before: prog, opt: Options{Load: cfg.Overlaid},
				changes: []rewrite.Change{{File: "m.go", Old: []byte(src), New: []byte(strings.Replace(src, tt.from, tt.to, 1))}}}
			if err := p.ready(loaded); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, f := range sameAPI(p) {
				_, name, _ := strings.Cut(strings.TrimSuffix(f.message, " changed"), "example.com/m.")
				names = append(names, name)
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("changed: %q, want %q", got, tt.want)
			}
		})
	}
}

// Errors that were there before are not held against a rewrite, wherever their lines are now.
func TestOldErrors(t *testing.T) {
	src := goodFile + "\nvar broken int = \"x\"\n\nfunc (g *Good) Set() {}\n" // the second message names the line of the first Set
	prog, cfg := module(t, map[string]string{"good.go": src})
	if len(prog.Errors) != 2 || !strings.Contains(prog.Errors[1].Msg, "good.go:7:") {
		t.Fatalf("errors: %v", prog.Errors)
	}
	for text, want := range map[string]int{"\n" + src: 0, src + "\nvar more int = \"x\"\n": 1} {
		after := cfg
		after.Overlay = map[string][]byte{fileOf(prog, "good.go").Abs: []byte(text)}
		p := &proof{before: prog, plan: &plan.Plan{}}
		var err error
		if p.after, err = load.Load(after); err != nil {
			t.Fatal(err)
		}
		if got := typeChecks(p); len(got) != want {
			t.Errorf("failures %v, want %d", got, want)
		}
	}
}
