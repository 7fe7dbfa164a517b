package verify

import (
	"go/ast"
	"go/build"
	"os"
	"path/filepath"
	"testing"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
)

// Code that others wrote, mended everywhere at random: a mutex above every map field and variable, a
// section around runs of statements in every list. No comment may be lost, no byte outside change, and
// what was formatted is so again.
func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the standard library")
	}
	var mends, carried int
	for _, dir := range []string{"go/printer", "text/template", "encoding/json"} {
		names, err := filepath.Glob(filepath.Join(build.Default.GOROOT, "src", dir, "*.go"))
		if err != nil || len(names) == 0 {
			t.Fatalf("no files of %s: %v", dir, err)
		}
		for _, name := range names {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := parseFile(src)
			if err != nil {
				t.Fatal(err)
			}
			file := &load.File{Name: filepath.Base(name), Abs: name, Src: src, Generated: ast.IsGenerated(f.ast)}
			pkg := &load.Package{Path: dir, Module: "std", Files: []*load.File{file}, Writable: true}
			p := &plan.Plan{Mends: everyMend(f, file.Name)}
			changes, refused := rewrite.Rewrite(&load.Program{Packages: []*load.Package{pkg}}, p)
			mends += len(p.Mends)
			carried += len(p.Mends) - len(refused)
			pr := &proof{plan: p, changes: changes}
			for _, inv := range invariants[:5] {
				for _, fail := range inv.check(pr) {
					t.Errorf("%s/%s:%d: %s: %s", dir, file.Name, fail.pos.Line, inv.name, fail.message)
				}
			}
		}
	}
	if carried < 1000 {
		t.Errorf("%d of %d mends were carried out, want more to look at", carried, mends)
	}
	t.Logf("%d of %d mends carried out", carried, mends)
}

// everyMend returns mends of f without any sense.
func everyMend(f *parsed, name string) []plan.Mend {
	var mends []plan.Mend
	span := func(a, b ast.Node) plan.Span {
		return plan.Span{File: name, Start: f.file.Offset(a.Pos()), End: f.file.Offset(b.End())}
	}
	add := func(m plan.Mend) {
		m.Form, m.Field = plan.Lock, string(rune('a'+len(mends)))
		mends = append(mends, m)
	}
	hold := func(lock string, stmts []ast.Stmt, read, deferred bool) {
		if len(stmts) > 0 {
			add(plan.Mend{Sections: []plan.Section{{Span: span(stmts[0], stmts[len(stmts)-1]), Lock: lock, Read: read, Defer: deferred}}})
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if _, ok := n.Type.(*ast.MapType); ok {
				add(plan.Mend{Decl: span(n, n), Mutex: &plan.Mutex{Name: "zMu", Type: "sync.RWMutex", Comment: "zMu guards."}})
			}
		case *ast.ValueSpec:
			if len(mends)%2 == 0 {
				add(plan.Mend{Decl: span(n, n), Mutex: &plan.Mutex{Name: n.Names[0].Name + "Mu", Type: "sync.Mutex"}})
			}
		case *ast.FuncDecl:
			if n.Body != nil && len(mends)%3 == 0 {
				hold("z.mu", n.Body.List, len(mends)%2 == 0, true)
			}
		}
		if stmts := listOf(n); len(stmts) > 0 {
			i := len(mends) % len(stmts)
			hold("z.a", stmts[i:i+1], false, false)
			hold("z.b.mu", stmts[i:], true, false)
			hold("z.b.mu", stmts[:i], false, false)
		}
		return true
	})
	return mends
}
