package main

// This file keeps the import table of the architecture: who may import whom, and who may touch what.

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayImport is the table: what each of our packages may import of ours. A row that ends in /... stands
// for the packages below it that have no row of their own; so does an entry.
var mayImport = map[string][]string{
	"mapmend":                   {"mapmend/plan", "mapmend/plan/load", "mapmend/plan/cache", "mapmend/plan/config", "mapmend/plan/baseline", "mapmend/plan/evidence", "mapmend/plan/report", "mapmend/plan/vet", "mapmend/rewrite", "mapmend/rewrite/confirm", "mapmend/rewrite/verify"},
	"mapmend/plan":              {"mapmend/plan/load", "mapmend/plan/access", "mapmend/plan/model", "mapmend/plan/kept", "mapmend/plan/lockset", "mapmend/plan/mapuse", "mapmend/plan/share", "mapmend/plan/region", "mapmend/plan/config", "mapmend/plan/evidence", "mapmend/plan/intent", "mapmend/plan/pack", "mapmend/plan/sample"},
	"mapmend/plan/load":         {},
	"mapmend/plan/cache":        {},
	"mapmend/plan/pack":         {},
	"mapmend/plan/evidence":     {},
	"mapmend/plan/access":       {},
	"mapmend/plan/model":        {"mapmend/plan/access"},
	"mapmend/plan/kept":         {"mapmend/plan/access", "mapmend/plan/model"},
	"mapmend/plan/lockset":      {"mapmend/plan/access", "mapmend/plan/model", "mapmend/plan/kept"},
	"mapmend/plan/config":       {"mapmend/plan/access", "mapmend/plan/model"},
	"mapmend/plan/intent":       {"mapmend/plan/access"},
	"mapmend/plan/share":        {"mapmend/plan/access", "mapmend/plan/model", "mapmend/plan/kept", "mapmend/plan/lockset", "mapmend/plan/mapuse", "mapmend/plan/intent"},
	"mapmend/plan/sample":       {"mapmend/plan/model"},
	"mapmend/plan/mapuse":       {"mapmend/plan/access", "mapmend/plan/model", "mapmend/plan/lockset"},
	"mapmend/plan/region":       {"mapmend/plan/access", "mapmend/plan/model"},
	"mapmend/plan/report":       {"mapmend/plan"},
	"mapmend/plan/baseline":     {"mapmend/plan"},
	"mapmend/plan/vet":          {"mapmend/plan", "mapmend/plan/load", "mapmend/plan/config", "mapmend/plan/report"},
	"mapmend/plan/vet/golangci": {"mapmend/plan/vet"},
	"mapmend/rewrite":           {"mapmend/plan", "mapmend/plan/load", "mapmend/templates"},
	"mapmend/rewrite/verify":    {"mapmend/rewrite", "mapmend/plan", "mapmend/plan/load"},
	"mapmend/rewrite/confirm":   {"mapmend/plan", "mapmend/plan/evidence", "mapmend/plan/load", "mapmend/plan/sample"},
	"mapmend/templates":         {},
	"mapmend/templates/bench":   {},
}

// confined are import paths that only some of our packages may use.
var confined = []struct{ path, only string }{
	{"github.com/dave/dst", "mapmend/rewrite/..."},
	{"golang.org/x/tools/go/ssa", "mapmend/plan/..."},
	{"github.com/spf13/pflag", "mapmend"},
}

// inTree reports whether path is pattern, or with a pattern that ends in /..., below it.
func inTree(path, pattern string) bool {
	tree, all := strings.CutSuffix(pattern, "/...")
	return path == tree || all && strings.HasPrefix(path, tree+"/")
}

// ownPackage is one of our packages as go list shows it, without its tests.
type ownPackage struct {
	path, dir string
	files     []string
	imports   []string
}

func ownPackages(t *testing.T) []ownPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}};{{.Dir}};{{join .GoFiles ","}};{{join .Imports ","}}`, "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var list []ownPackage
	for line := range strings.Lines(string(out)) {
		part := strings.Split(strings.TrimSpace(line), ";")
		list = append(list, ownPackage{part[0], part[1], split(part[2]), split(part[3])})
	}
	return list
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// TestImports checks every import of every package against the table.
func TestImports(t *testing.T) {
	for _, p := range ownPackages(t) {
		allowed, ok := mayImport[p.path]
		if !ok {
			t.Errorf("%s is not in the table of imports", p.path)
			continue
		}
		for _, imp := range p.imports {
			if inTree(imp, "mapmend/...") && !slices.ContainsFunc(allowed, func(pattern string) bool { return inTree(imp, pattern) }) {
				t.Errorf("%s may not import %s", p.path, imp)
			}
			for _, c := range confined {
				if inTree(imp, c.path+"/...") && !inTree(p.path, c.only) {
					t.Errorf("%s may not import %s: only %s may", p.path, imp, c.only)
				}
			}
		}
	}
}

// TestStrayFiles checks that nothing stands beside the sources that is none: what a tool or a shell left there.
func TestStrayFiles(t *testing.T) {
	for _, dir := range []string{".", "plan", "rewrite"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && path != "." && (dir == "." || d.Name() == "testdata"):
				return fs.SkipDir
			case !d.IsDir() && !slices.Contains([]string{".go", ".test", ".prof"}, filepath.Ext(path)) && !slices.Contains([]string{"go.mod", "go.sum", "README.md", ".gitignore", ".pre-commit-hooks.yaml", ".git", "mapmend"}, path):
				t.Errorf("%s is no source", path)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestOnlyMainTouchesTheProcess checks that no package but main uses the process's streams or ends it.
func TestOnlyMainTouchesTheProcess(t *testing.T) {
	for _, p := range ownPackages(t) {
		if p.path == "mapmend" {
			continue
		}
		for _, name := range p.files {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join(p.dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					pkg, _ := sel.X.(*ast.Ident)
					if pkg != nil && pkg.Name == "os" && slices.Contains([]string{"Stdin", "Stdout", "Stderr", "Exit"}, sel.Sel.Name) {
						t.Errorf("%s: os.%s outside package main", fset.Position(sel.Pos()), sel.Sel.Name)
					}
				}
				return true
			})
		}
	}
}
