package rewrite

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mapmend/plan"
	"mapmend/plan/load"
)

// program returns a loaded program of one package with the given files, name then content.
func program(t testing.TB, files ...string) *load.Program {
	t.Helper()
	fset := token.NewFileSet()
	pkg := &load.Package{Path: "example.com/p", Name: "p", Module: "example.com/p", Writable: true}
	var syntax []*ast.File
	for i := 0; i < len(files); i += 2 {
		f, err := parser.ParseFile(fset, files[i], files[i+1], parser.ParseComments|parser.SkipObjectResolution)
		if f == nil {
			t.Fatal(err)
		}
		syntax = append(syntax, f)
		pkg.Files = append(pkg.Files, &load.File{
			Name: files[i], Abs: "/" + files[i], Syntax: f, Src: []byte(files[i+1]), Generated: ast.IsGenerated(f),
		})
	}
	conf := types.Config{Importer: emptyPackages{}, Error: func(error) {}}
	pkg.Types, _ = conf.Check(pkg.Path, fset, syntax, nil)
	return &load.Program{Root: "/", Fset: fset, Packages: []*load.Package{pkg}}
}

// emptyPackages imports every path as a package without members: rewrite looks at names only.
type emptyPackages struct{}

func (emptyPackages) Import(p string) (*types.Package, error) {
	pkg := types.NewPackage(p, strings.TrimPrefix(path.Base(p), "go-"))
	pkg.MarkComplete()
	return pkg, nil
}

// A want names steps of a mend by the text of their places.
type want struct {
	field    string
	decl     string      // the text of the declaration
	mutex    *plan.Mutex // to add
	sections []sect
	modes    []string // texts that end with the identifier to change: "s.mu.RLock"
}

type sect struct {
	text string // of the statements
	lock string
	how  string // some of "read defer"
}

// mend turns w into a mend of the file name with content src.
func (w want) mend(t testing.TB, name, src string) plan.Mend {
	t.Helper()
	span := func(text string) plan.Span {
		t.Helper()
		if strings.Count(src, text) != 1 {
			t.Fatalf("%q is in the source %d times, want once", text, strings.Count(src, text))
		}
		at := strings.Index(src, text)
		return plan.Span{File: name, Start: at, End: at + len(text)}
	}
	m := plan.Mend{Var: plan.Var{Package: "example.com/p", Owner: "S", Field: w.field}, Form: plan.Lock, Mutex: w.mutex}
	if w.decl != "" {
		m.Decl = span(w.decl)
	}
	for _, s := range w.sections {
		m.Sections = append(m.Sections, plan.Section{
			Span: span(s.text), Lock: s.lock, Read: strings.Contains(s.how, "read"), Defer: strings.Contains(s.how, "defer"),
		})
	}
	for _, text := range w.modes {
		at := span(text)
		name := text[strings.LastIndexByte(text, '.')+1:]
		at.Start = at.End - len(name)
		m.Modes = append(m.Modes, plan.ModeChange{Span: at, To: writeMode[name]})
	}
	return m
}

func mu(comment string) *plan.Mutex {
	return &plan.Mutex{Name: "mu", Type: "sync.RWMutex", Comment: comment}
}

// rewriteOne rewrites one file and returns its new content and the refusals. It checks what holds for
// every rewrite: inputs unchanged, one result for one input, and a plan that went through JSON is as good.
func rewriteOne(t testing.TB, src string, mends ...plan.Mend) (string, []plan.Refusal) {
	t.Helper()
	prog := program(t, "p.go", src)
	p := &plan.Plan{Mends: mends}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	before := hashOf(prog)
	changes, refused := Rewrite(prog, p)
	if hashOf(prog) != before {
		t.Error("Rewrite altered the program")
	}
	var again plan.Plan
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	changes2, refused2 := Rewrite(prog, &again)
	if d := cmp.Diff(changes, changes2) + cmp.Diff(refused, refused2); d != "" {
		t.Errorf("a plan read from JSON gives another result:\n%s", d)
	}
	if after, _ := json.Marshal(p); string(after) != string(data) {
		t.Error("Rewrite altered the plan")
	}
	switch {
	case len(changes) == 0:
		return src, refused
	case len(changes) > 1 || changes[0].File != "p.go" || string(changes[0].Old) != src || changes[0].Create:
		t.Fatalf("changes of other files, or wrong ones: %+v", changes)
	}
	return string(changes[0].New), refused
}

func hashOf(prog *load.Program) string {
	h := sha256.New()
	for _, pkg := range prog.Packages {
		for _, f := range pkg.Files {
			h.Write(f.Src)
			ast.Fprint(h, prog.Fset, f.Syntax, nil)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func codes(refused []plan.Refusal) string {
	var list []string
	for _, r := range refused {
		list = append(list, r.Field+": "+string(r.Code)+": "+r.Message)
	}
	return strings.Join(list, "\n")
}

func diff(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%s\ndiff (-want +got):\n%s", got, cmp.Diff(want, got))
	}
}

func TestUnfitFiles(t *testing.T) {
	const ok = "package p\n\nimport \"sync\"\n\nvar _ sync.Mutex\n\ntype S struct {\n\tm map[int]int\n}\n"
	tests := []struct {
		name   string
		src    string
		change func(*load.Program)
		code   plan.Code
	}{
		{"fit", ok, nil, ""},
		{"CRLF", strings.ReplaceAll(ok, "\n", "\r\n"), nil, plan.FileShape},
		{"BOM", "\ufeff" + ok, nil, plan.FileShape},
		{"line directive", ok + "\n//line y.go:1\nvar x int\n", nil, plan.FileShape},
		{"line directive inside", ok + "\nvar x = /*line y.go:1*/ 1\n", nil, plan.FileShape},
		{"words that begin with line", ok + "\n//lines are fine\nvar x = 1 // see //line below\n", nil, ""},
		{"a blank line that dst loses", ok + "\nfunc f() {\n\tf()\n\t\n\tf()\n}\n", nil, plan.FileShape},
		{"not UTF-8", ok + "// \xff\n", nil, plan.FileShape},
		{"does not parse", ok + "func {\n", nil, plan.FileShape},
		{"generated", "// Code generated by x. DO NOT EDIT.\n\n" + ok, nil, plan.Generated},
		{"cgo", ok, func(p *load.Program) { p.Packages[0].Files[0].Cgo = true }, plan.Cgo},
		{"not writable", ok, func(p *load.Program) { p.Packages[0].Writable = false }, plan.OutOfScope},
		{"not loaded", ok, func(p *load.Program) { p.Packages[0].Files = nil }, plan.OutOfScope},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			prog := program(t, "p.go", tt.src)
			if tt.change != nil {
				tt.change(prog)
			}
			m := want{field: "m", decl: "m map[int]int", mutex: mu("")}.mend(t, "p.go", tt.src)
			changes, refused := Rewrite(prog, &plan.Plan{Mends: []plan.Mend{m}})
			switch {
			case tt.code == "" && (len(changes) != 1 || len(refused) != 0):
				t.Errorf("not rewritten: %s", codes(refused))
			case tt.code != "" && (len(changes) != 0 || len(refused) != 1):
				t.Errorf("%d changes, refusals %s; want one refusal", len(changes), codes(refused))
			case tt.code != "" && refused[0].Code != tt.code:
				t.Errorf("code %s, want %s", refused[0].Code, tt.code)
			}
		})
	}
}

// A file that was not formatted stays so, except in the declarations that change.
func TestUnformattedFile(t *testing.T) {
	src := `package p

import (
  "sync"
  "fmt"
)

type S struct {
  mu  sync.Mutex
  m map[int]int
}

var   odd  =  1

// Set sets:
//		as gofmt would not have it
func (s *S) Set(k int) {   s.m[k] = odd   }
func (s *S)  Odd( )  int { return   odd }
`
	got, refused := rewriteOne(t, src, want{field: "m", sections: []sect{{"s.m[k] = odd", "s.mu", ""}}}.mend(t, "p.go", src))
	diff(t, codes(refused), "")
	diff(t, got, strings.Replace(src, "{   s.m[k] = odd   }", "{\n\ts.mu.Lock()\n\ts.m[k] = odd\n\ts.mu.Unlock()\n}", 1))
}

// gofmt aligns the bodies of one-line functions that follow each other; when one grows, so do the others.
func TestAlignedNeighbours(t *testing.T) {
	src := `package p

import "sync"

type S struct {
	mu sync.Mutex
	m  map[int]int
}

func (s *S) Length() int { return len(s.m) }
func (s *S) A() int      { return 1 }
func (s *S) Bc() int     { return 2 }
`
	got, refused := rewriteOne(t, src, want{field: "m", sections: []sect{{"return len(s.m)", "s.mu", "defer"}}}.mend(t, "p.go", src))
	diff(t, codes(refused), "")
	diff(t, got, `package p

import "sync"

type S struct {
	mu sync.Mutex
	m  map[int]int
}

func (s *S) Length() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.m)
}
func (s *S) A() int  { return 1 }
func (s *S) Bc() int { return 2 }
`)
}

// A refused mend leaves no trace, and the mends after it are carried out.
func TestAllOrNothing(t *testing.T) {
	src := `package p

type S struct {
	a map[int]int
	b map[int]int
}

func (s *S) A() { s.a[1] = 1 }
func (s *S) B() { s.b[1] = 1 }
`
	bad := want{field: "a", decl: "a map[int]int", mutex: &plan.Mutex{Name: "aMu", Type: "sync.Mutex"},
		sections: []sect{{"s.a[1] = 1", "s.aMu", ""}, {"s.a[1]", "s.aMu", ""}}}.mend(t, "p.go", src)
	good := want{field: "b", decl: "b map[int]int", mutex: &plan.Mutex{Name: "bMu", Type: "sync.Mutex"},
		sections: []sect{{"s.b[1] = 1", "s.bMu", ""}}}.mend(t, "p.go", src)
	alone, _ := rewriteOne(t, src, good)
	both, refused := rewriteOne(t, src, bad, good)
	diff(t, codes(refused), "a: not-proved: the planned section is not a run of whole statements")
	if p := refused[0].Pos; p != (plan.Pos{File: "p.go", Line: 8, Column: 19}) {
		t.Errorf("refused at %+v", p)
	}
	diff(t, both, alone)
	if strings.Contains(both, "aMu") || !strings.Contains(both, "bMu") {
		t.Errorf("wrong mend carried out:\n%s", both)
	}
}

func TestUnknownForm(t *testing.T) {
	src := "package p\n\ntype S struct {\n\tm map[int]int\n}\n"
	m := want{field: "m", decl: "m map[int]int"}.mend(t, "p.go", src)
	m.Form = "other"
	got, refused := rewriteOne(t, src, m)
	diff(t, got, src)
	diff(t, codes(refused), `m: not-proved: no rewrite for form "other"`)
}

// Two variables of one package in two files share one new mutex.
func TestTwoFiles(t *testing.T) {
	a := "package p\n\nvar byID = map[int]int{}\n\nfunc A() { byID[1] = 1 }\n"
	b := "package p\n\nvar byName = map[int]int{}\n\nfunc B() { byName[1] = 1 }\n"
	mends := []plan.Mend{
		want{field: "byID", decl: "byID = map[int]int{}", mutex: mu("mu guards byID and byName."), sections: []sect{{"byID[1] = 1", "mu", ""}}}.mend(t, "a.go", a),
		want{field: "byName", decl: "byName = map[int]int{}", mutex: mu("mu guards byID and byName."), sections: []sect{{"byName[1] = 1", "mu", ""}}}.mend(t, "b.go", b),
	}
	changes, refused := Rewrite(program(t, "b.go", b, "a.go", a), &plan.Plan{Mends: mends})
	diff(t, codes(refused), "")
	if len(changes) != 2 || changes[0].File != "a.go" || changes[1].File != "b.go" {
		t.Fatalf("changes: %v", changes)
	}
	diff(t, string(changes[0].New), `package p

import "sync"

// mu guards byID and byName.
var mu sync.RWMutex
var byID = map[int]int{}

func A() {
	mu.Lock()
	byID[1] = 1
	mu.Unlock()
}
`)
	diff(t, string(changes[1].New), `package p

var byName = map[int]int{}

func B() {
	mu.Lock()
	byName[1] = 1
	mu.Unlock()
}
`)
}
