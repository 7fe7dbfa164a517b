package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
)

// module writes files to a folder, loads them and returns the program with how it was loaded.
func module(t *testing.T, files map[string]string) (*load.Program, load.Config) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/m\n\ngo 1.24\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	cfg := load.Config{Dir: dir, Tests: true, Env: append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")}
	prog, err := load.Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return prog, cfg
}

// A want is a mend with its places named by text that is in the file once.
type want struct {
	owner, field string
	file         string
	decl         string
	mutex        string   // name of a sync.RWMutex to add
	guard        string   // name of the mutex, if it is there already
	sections     []string // "lock how: text"
}

func (w want) mend(t *testing.T, prog *load.Program) plan.Mend {
	t.Helper()
	src := string(fileOf(prog, w.file).Src)
	span := func(text string) plan.Span {
		t.Helper()
		if strings.Count(src, text) != 1 {
			t.Fatalf("%q is in %s %d times, want once", text, w.file, strings.Count(src, text))
		}
		at := strings.Index(src, text)
		return plan.Span{File: w.file, Start: at, End: at + len(text)}
	}
	m := plan.Mend{Var: plan.Var{Package: "example.com/m", Owner: w.owner, Field: w.field}, Form: plan.Lock, Class: plan.Var{Package: "example.com/m", Owner: w.owner, Field: w.guard}, Decl: span(w.decl)}
	if w.mutex != "" {
		m.Mutex = &plan.Mutex{Name: w.mutex, Type: "sync.RWMutex"}
	}
	for _, s := range w.sections {
		head, text, _ := strings.Cut(s, ": ")
		lock, how, _ := strings.Cut(head, " ")
		m.Sections = append(m.Sections, plan.Section{Span: span(text), Lock: lock, Read: strings.Contains(how, "read"), Defer: strings.Contains(how, "defer")})
	}
	return m
}

func planOf(t *testing.T, prog *load.Program, wants ...want) *plan.Plan {
	t.Helper()
	p := &plan.Plan{}
	for _, w := range wants {
		m := w.mend(t, prog)
		p.Mends = append(p.Mends, m)
		p.Findings = append(p.Findings, plan.Finding{ID: m.Var.String(), Var: m.Var, Confidence: plan.Likely})
	}
	return p
}

func noFindings(*load.Program) (*plan.Plan, error) { return &plan.Plan{}, nil }

func prove(t *testing.T, prog *load.Program, p *plan.Plan, opt Options) ([]rewrite.Change, string) {
	t.Helper()
	changes, left := rewrite.Rewrite(prog, p)
	for _, r := range left {
		t.Fatalf("not rewritten: %s: %s", r.Var, r.Message)
	}
	proved, refused, err := Prove(prog, p, changes, opt)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, r := range refused {
		if r.Code != plan.NotProved {
			t.Errorf("code %s, want not-proved", r.Code)
		}
		fmt.Fprintf(&b, "%s:%d: %s: %s\n", r.Pos.File, r.Pos.Line, r.Field, r.Message)
	}
	return proved, b.String()
}

func files(changes []rewrite.Change) string {
	var names []string
	for _, c := range changes {
		names = append(names, c.File)
	}
	return strings.Join(names, " ")
}

// goodFile declares a variable whose mend is always fine.
const goodFile = `package m

type Good struct {
	good map[string]int
}

func (g *Good) Set() { g.good["a"] = 1 }
`

var good = want{owner: "Good", field: "good", file: "good.go", decl: "good map[string]int", mutex: "mu", sections: []string{`g.mu defer: g.good["a"] = 1`}}

// Each case is a second file with a mend that breaks one invariant; the mend of goodFile is proved all the same.
func TestProve(t *testing.T) {
	const head = "package m\n\n"
	const owner = head + "type S struct {\n\tm map[string]int\n}\n\n"
	const locked = head + "import \"sync\"\n\ntype S struct {\n\tmu sync.Mutex\n\tn  sync.Mutex\n\tm  map[string]int\n}\n\n"
	add := want{owner: "S", field: "m", file: "bad.go", decl: "m map[string]int", mutex: "mu"}
	section := func(s ...string) want {
		return want{owner: "S", field: "m", file: "bad.go", decl: "m  map[string]int", sections: s}
	}
	exported := add
	exported.mutex = "Mu"
	tests := []struct {
		name string
		src  string
		mend want
		want string // the refusal; empty when it is proved
	}{
		{"good", owner + "func F(s *S) *S { return s }\n", add, ""},
		{"unkeyed literal", owner + "var x = &S{nil}\n", add, "bad.go:7: m: TypeChecks: cannot use nil as \"sync\".RWMutex value in struct literal\n"},
		{"unkeyed literal in another package", "package m\n\nvar Pool struct {\n\tM map[string]int\n}\n", want{owner: "", field: "Pool.M", file: "bad.go", decl: "M map[string]int", mutex: "mu"}, "bad.go:3: Pool.M: TypeChecks: TYPE\n"},
		{"comparison that stays legal", owner + "func eq(a, b *S) bool { return a == b }\n", add, ""},
		{"exported mutex", owner, exported, "bad.go:3: m: SameAPI: the exported example.com/m.S changed\n"},
		{"copied by assignment", owner + "func f(a, b *S) { *a = *b }\n", add, "bad.go:7: m: NoCopiedLock: assignment copies lock value to *a: example.com/m.S contains sync.RWMutex\n"},
		{"copied by a value receiver", owner + "func (s S) f() {}\n", add, "bad.go:7: m: NoCopiedLock: f passes lock by value: example.com/m.S contains sync.RWMutex\n"},
		{"copied by a send", owner + "func f(c chan S, s *S) { c <- *s }\n", add, "bad.go:7: m: NoCopiedLock: send copies lock value: example.com/m.S\n"},
		{"made and sent", owner + "func f(c chan *S) { c <- &S{} }\n", add, ""},
		{"send", locked + "func (s *S) f(c chan int) {\n\tc <- s.m[\"a\"]\n}\n", section(`s.mu: c <- s.m["a"]`), "bad.go:12: m: NoNewBlocking: the section of s.mu holds a send\n"},
		{"receive", locked + "func (s *S) f(c chan int) {\n\ts.m[\"a\"] = <-c\n}\n", section(`s.mu: s.m["a"] = <-c`), "bad.go:12: m: NoNewBlocking: the section of s.mu holds a receive\n"},
		{"select", locked + "func (s *S) f() {\n\ts.m = nil\n\tselect {}\n}\n", section("s.mu defer: s.m = nil\n\tselect {}"), "bad.go:13: m: NoNewBlocking: the section of s.mu holds a select\n"},
		{"range", locked + "func (s *S) f(c chan string) {\n\tfor k := range c {\n\t\ts.m[k]++\n\t}\n}\n", section("s.mu: for k := range c {\n\t\ts.m[k]++\n\t}"), "bad.go:12: m: NoNewBlocking: the section of s.mu holds a range over a channel\n"},
		{"wait", locked + "func (s *S) f(g *sync.WaitGroup) {\n\tg.Wait()\n\ts.m[\"a\"]++\n}\n", section("s.mu: g.Wait()\n\ts.m[\"a\"]++"), "bad.go:12: m: NoNewBlocking: the section of s.mu holds a call of Wait\n"},
		{"wait for a condition", locked + "func (s *S) f(g *sync.Cond) {\n\tfunc() { g.Wait() }()\n\ts.m[\"a\"]++\n}\n", section("s.mu: func() { g.Wait() }()\n\ts.m[\"a\"]++"), "bad.go:12: m: NoNewBlocking: the section of s.mu holds a call of Wait\n"},
		{"sleep", strings.Replace(locked, "import \"sync\"", "import (\n\t\"sync\"\n\t\"time\"\n)", 1) + "func (s *S) f() {\n\ttime.Sleep(1)\n\ts.m[\"a\"]++\n}\n", section("s.mu: time.Sleep(1)\n\ts.m[\"a\"]++"), "bad.go:15: m: NoNewBlocking: the section of s.mu holds a call of time.Sleep\n"},
		{"deferred receive before the unlock", locked + "func (s *S) f(c chan int) {\n\tdefer func() { <-c }()\n\ts.m[\"a\"]++\n}\n", section("s.mu defer: defer func() { <-c }()\n\ts.m[\"a\"]++"), "bad.go:12: m: NoNewBlocking: the section of s.mu holds a receive\n"},
		{"deferred receive after the unlock", locked + "func (s *S) f(c chan int) {\n\tdefer func() { <-c }()\n\ts.m[\"a\"]++\n}\n", section("s.mu: defer func() { <-c }()\n\ts.m[\"a\"]++"), ""},
		{"receive of another goroutine", locked + "func (s *S) f(c chan int) {\n\tgo func() { <-c }()\n\ts.m[\"a\"]++\n}\n", section("s.mu: go func() { <-c }()\n\ts.m[\"a\"]++"), ""},
		{"own lock inside", locked + "func (s *S) f() {\n\tif s.m != nil {\n\t\ts.mu.Lock()\n\t\ts.m[\"a\"]++\n\t\ts.mu.Unlock()\n\t}\n}\n", section("s.mu defer: if s.m != nil {\n\t\ts.mu.Lock()\n\t\ts.m[\"a\"]++\n\t\ts.mu.Unlock()\n\t}"), "bad.go:13: m: LockOrder: s.mu is taken while it is held\n"},
		{"two instances", locked + "func (s *S) f(o *S) {\n\to.mu.Lock()\n\ts.m[\"a\"]++\n\to.mu.Unlock()\n}\n", section("s.mu: s.m[\"a\"]++"), "bad.go:8: m: LockOrder: two locks example.com/m.S.mu are held at a time\n"},
		{"other order elsewhere", locked + "func (s *S) f() {\n\ts.n.Lock()\n\ts.mu.Lock()\n\ts.mu.Unlock()\n\ts.n.Unlock()\n}\n\nfunc (s *S) g() {\n\ts.n.Lock()\n\ts.n.Unlock()\n\ts.m = nil\n}\n", section("s.mu defer: s.n.Lock()\n\ts.n.Unlock()\n\ts.m = nil"), "bad.go:19: m: LockOrder: example.com/m.S.n is taken under example.com/m.S.mu, and elsewhere the other way round\n"},
		{"same order elsewhere", locked + "func (s *S) f() {\n\ts.mu.Lock()\n\ts.n.Lock()\n\ts.n.Unlock()\n\ts.mu.Unlock()\n}\n\nfunc (s *S) g() {\n\ts.n.Lock()\n\ts.m = nil\n\ts.n.Unlock()\n\tprintln()\n}\n\nfunc (s *S) h() { s.m = map[string]int{} }\n", section("s.mu: s.m = map[string]int{}"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files0 := map[string]string{"good.go": goodFile, "bad.go": tt.src}
			if tt.name == "unkeyed literal in another package" {
				files0["other/other.go"] = "package other\n\nimport \"example.com/m\"\n\nfunc F() {\n\tm.Pool = struct{ M map[string]int }{}\n}\n"
			}
			prog, cfg := module(t, files0)
			for _, e := range prog.Errors {
				t.Fatal(e)
			}
			proved, refused := prove(t, prog, planOf(t, prog, tt.mend, good), Options{Load: cfg.Overlaid, Analyze: noFindings})
			if strings.Contains(tt.want, "TYPE") {
				if !strings.Contains(refused, ": TypeChecks: cannot use struct") {
					t.Errorf("refused: %s", refused)
				}
			} else if refused != tt.want {
				t.Errorf("refused (-want +got):\n%s", cmp.Diff(tt.want, refused))
			}
			wantFiles := "good.go"
			if tt.want == "" {
				wantFiles = "bad.go good.go"
			}
			if got := files(proved); got != wantFiles {
				t.Errorf("proved %q, want %q", got, wantFiles)
			}
		})
	}
}

// The place of a refusal is one in the program before.
func TestOrigin(t *testing.T) {
	p := &proof{changes: []rewrite.Change{
		{File: "a.go", Old: []byte("a\nb\nc\nd\n"), New: []byte("new\na\nB\nc\nd\nnew\n")},
		{File: "new.go", New: []byte("new\n"), Create: true},
	}}
	for _, tt := range []struct {
		file      string
		line, was int
	}{
		{"a.go", 1, 0}, {"a.go", 2, 1}, {"a.go", 3, 0}, {"a.go", 4, 3}, {"a.go", 5, 4}, {"a.go", 6, 0}, {"a.go", 0, 0},
		{"new.go", 1, 0},
		{"same.go", 7, 7},
	} {
		want := plan.Pos{}
		if tt.was > 0 {
			want = plan.Pos{File: tt.file, Line: tt.was, Column: 3}
		}
		if got := p.origin(plan.Pos{File: tt.file, Line: tt.line, Column: 3}); got != want {
			t.Errorf("%s:%d was %v, want %v", tt.file, tt.line, got, want)
		}
	}
}

// What the analysis of the result says counts, for the mended variable and for others.
func TestProveAgain(t *testing.T) {
	prog, cfg := module(t, map[string]string{
		"good.go":  goodFile,
		"bad.go":   "package m\n\ntype S struct {\n\tm map[string]int\n}\n",
		"third.go": "package m\n\nvar third map[string]int\n",
	})
	bad := want{owner: "S", field: "m", file: "bad.go", decl: "m map[string]int", mutex: "mu"}
	badVar := plan.Var{Package: "example.com/m", Owner: "S", Field: "m"}
	third := plan.Var{Package: "example.com/m", Field: "third"}
	// mended reports whether the analysed program has the mend of bad.
	mended := func(p *load.Program) bool { return strings.Contains(string(fileOf(p, "bad.go").Src), "mu ") }
	tests := []struct {
		name       string
		confidence plan.Confidence
		again      plan.Plan
		want       string
	}{
		{"nothing", plan.Likely, plan.Plan{}, ""},
		{"a use", plan.Likely, plan.Plan{Findings: []plan.Finding{{Var: badVar, Confidence: plan.Likely, Sites: []plan.Site{{}, {Pos: plan.Pos{File: "bad.go", Line: 9}, Problem: true, Op: "load", Function: "f"}}}}},
			"bad.go:6: m: NoBareUse: the load of example.com/m.S.m in f has no guard\n"},
		{"a finding", plan.Likely, plan.Plan{Findings: []plan.Finding{{Var: badVar, Confidence: plan.Likely, Kind: plan.TornReplace}}},
			"bad.go:4: m: Clean: example.com/m.S.m has a finding still: torn-replace\n"},
		{"a finding below the threshold", plan.Likely, plan.Plan{Findings: []plan.Finding{{Var: badVar, Confidence: plan.Possible, Sites: []plan.Site{{Problem: true}}}}}, ""},
		{"a new finding that names no mend", plan.Likely, plan.Plan{Findings: []plan.Finding{{ID: "x", Var: third, Pos: plan.Pos{File: "third.go", Line: 3}, Confidence: plan.Likely, Kind: plan.WrongGuard}}},
			"third.go:3: m: Clean: example.com/m.third has a new finding: wrong-guard\n"},
		{"an old finding", plan.Likely, plan.Plan{Findings: []plan.Finding{{ID: "old", Var: third, Confidence: plan.Likely}}}, ""},
		{"a mend", plan.Likely, plan.Plan{Mends: []plan.Mend{{Var: badVar, Decl: plan.Span{File: "bad.go", Start: 30}}}},
			"bad.go:3: m: Idempotent: example.com/m.S.m would be mended again\n"},
		{"a mend elsewhere", plan.Likely, plan.Plan{Mends: []plan.Mend{{Var: third}}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loads := 0
			analyze := func(p *load.Program) (*plan.Plan, error) {
				loads++
				if mended(p) {
					return &tt.again, nil
				}
				return &plan.Plan{}, nil
			}
			p := planOf(t, prog, bad, good)
			p.Findings = append(p.Findings, plan.Finding{ID: "old", Var: third, Confidence: plan.Likely})
			proved, refused := prove(t, prog, p, Options{Load: cfg.Overlaid, Analyze: analyze, Confidence: tt.confidence})
			if refused != tt.want {
				t.Errorf("refused (-want +got):\n%s", cmp.Diff(tt.want, refused))
			}
			if tt.want == "" && (files(proved) != "bad.go good.go" || loads != 1) {
				t.Errorf("proved %q with %d analyses, want both files with one", files(proved), loads)
			}
			if tt.want != "" && files(proved) != "good.go" {
				t.Errorf("proved %q, want good.go", files(proved))
			}
		})
	}
}

func TestProveNothing(t *testing.T) {
	prog, cfg := module(t, map[string]string{"good.go": goodFile})
	opt := Options{Load: cfg.Overlaid, Analyze: func(*load.Program) (*plan.Plan, error) { return nil, fmt.Errorf("called") }}
	proved, refused := prove(t, prog, &plan.Plan{}, opt)
	if len(proved) != 0 || refused != "" {
		t.Errorf("proved %v, refused %q", proved, refused)
	}
	p := planOf(t, prog, good)
	changes, _ := rewrite.Rewrite(prog, p)
	if _, _, err := Prove(prog, p, changes, opt); err == nil || err.Error() != "called" {
		t.Errorf("error %v, want that of Analyze", err)
	}
	if _, _, err := Prove(prog, p, changes, Options{Load: cfg.Overlaid}); err == nil {
		t.Error("proved without Analyze")
	}
	changes[0].New = append([]byte(nil), changes[0].Old...)
	if _, _, err := Prove(prog, p, changes, opt); err == nil {
		t.Error("proved other changes than the plan's")
	}
}

// Mends that Rewrite refused are not proved and not refused again.
func TestProvePartial(t *testing.T) {
	prog, cfg := module(t, map[string]string{"good.go": goodFile, "bad.go": "package m\n\ntype S struct {\n\tm map[string]int\n}\n"})
	p := planOf(t, prog, want{owner: "S", field: "m", file: "bad.go", decl: "m map[string]int", mutex: "mu"}, good)
	p.Mends[0].Decl.Start++
	changes, left := rewrite.Rewrite(prog, p)
	if len(left) != 1 {
		t.Fatalf("%d refusals, want 1", len(left))
	}
	analyze := func(*load.Program) (*plan.Plan, error) {
		return &plan.Plan{Findings: []plan.Finding{p.Findings[0]}, Mends: p.Mends[:1]}, nil
	}
	proved, refused, err := Prove(prog, p, changes, Options{Load: cfg.Overlaid, Analyze: analyze})
	if err != nil || len(refused) != 0 || files(proved) != "good.go" {
		t.Errorf("proved %q, refused %v, error %v", files(proved), refused, err)
	}
}

// Orders in which locks are taken are also seen through calls.
func TestLockOrderThroughCalls(t *testing.T) {
	const head = "package m\n\nimport \"sync\"\n\ntype S struct {\n\tmu sync.Mutex\n\tn  sync.Mutex\n\tm  map[string]int\n}\n\n" +
		"func (s *S) lockN() {\n\ts.n.Lock()\n\ts.n.Unlock()\n}\n\nfunc (s *S) size() int {\n\ts.mu.Lock()\n\tdefer s.mu.Unlock()\n\treturn len(s.m)\n}\n\n"
	mend := func(s string) want {
		return want{owner: "S", field: "m", file: "bad.go", decl: "m  map[string]int", guard: "mu", sections: []string{s}}
	}
	for _, tt := range []struct {
		name, src string
		mend      want
		want      string
	}{
		{"other lock", "func (s *S) f() {\n\ts.m[\"a\"]++\n\ts.lockN()\n}\n", mend("s.mu: s.m[\"a\"]++\n\ts.lockN()"), ""},
		{"own lock", "func (s *S) f() {\n\ts.m[\"a\"] = s.size()\n}\n", mend("s.mu: s.m[\"a\"] = s.size()"),
			"bad.go:8: m: LockOrder: example.com/m.S.mu is taken in what is called while one is held\n"},
		{"other order", "func (s *S) f() {\n\ts.m[\"a\"]++\n\ts.lockN()\n}\n\nfunc (s *S) g() {\n\ts.n.Lock()\n\ts.size()\n\ts.n.Unlock()\n}\n", mend("s.mu: s.m[\"a\"]++\n\ts.lockN()"),
			"bad.go:8: m: LockOrder: example.com/m.S.n is taken under example.com/m.S.mu, and elsewhere the other way round\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			prog, cfg := module(t, map[string]string{"good.go": goodFile, "bad.go": head + tt.src})
			orders := func(prog *load.Program) (*plan.Plan, error) {
				p, err := plan.Make(prog, plan.Options{})
				return &plan.Plan{Orders: p.Orders}, err
			}
			p := planOf(t, prog, tt.mend, good)
			before, err := orders(prog)
			if err != nil {
				t.Fatal(err)
			}
			p.Orders = before.Orders
			if _, refused := prove(t, prog, p, Options{Load: cfg.Overlaid, Analyze: orders}); refused != tt.want {
				t.Errorf("refused (-want +got):\n%s", cmp.Diff(tt.want, refused))
			}
		})
	}
}
