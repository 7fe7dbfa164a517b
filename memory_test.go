package main

// This file loads programs from memory, for tests that look at thousands of small ones: the go command is asked once.

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"mapmend/plan/load"
)

// memoryRoot is the folder in which the files of a memory seem to lie.
const memoryRoot = "/m"

// A memory checks programs of one package. It is not safe for concurrent use.
type memory struct {
	fset    *token.FileSet
	library types.Importer               // of export data
	stubs   map[string]map[string]string // files by import path, of packages that are checked from source
	checked map[string]*types.Package    // of stubs
}

// libraryPackages are the packages of the standard library that programs in memory may import.
var libraryPackages = []string{"bufio", "cmp", "context", "encoding/json", "errors", "fmt", "hash/maphash", "io", "iter", "log", "log/slog", "maps", "math/bits", "math/rand",
	"net/http", "net/http/httptest", "net/netip", "net/rpc", "os", "reflect", "runtime", "slices", "sort", "strconv", "strings",
	"sync", "sync/atomic", "testing", "text/template", "time"}

func newMemory(tb testing.TB) *memory {
	tb.Helper()
	exports := make(map[string]string)
	out, err := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}"}, libraryPackages...)...).Output()
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		importPath, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		exports[importPath] = file
	}
	m := &memory{fset: token.NewFileSet(), stubs: make(map[string]map[string]string), checked: make(map[string]*types.Package)}
	m.library = importer.ForCompiler(m.fset, "gc", func(importPath string) (io.ReadCloser, error) {
		if exports[importPath] == "" {
			return nil, fmt.Errorf("no package %s in memory", importPath)
		}
		return os.Open(exports[importPath])
	})
	archive, err := txtar.ParseFile(stubs)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range archive.Files {
		if dir := path.Dir(f.Name); path.Ext(f.Name) == ".go" {
			if m.stubs[dir] == nil {
				m.stubs[dir] = make(map[string]string)
			}
			m.stubs[dir][path.Base(f.Name)] = string(f.Data)
		}
	}
	return m
}

// Import imports for the programs of m.
func (m *memory) Import(importPath string) (*types.Package, error) {
	if m.stubs[importPath] == nil {
		return m.library.Import(importPath)
	}
	if m.checked[importPath] == nil {
		c, err := m.check(importPath, m.stubs[importPath])
		if err != nil {
			return nil, err
		}
		m.checked[importPath] = c.Types
	}
	return m.checked[importPath], nil
}

// load loads the program example.com/m of files, by name. What is declared and not used is no error here, so that more
// programs that were made at random are looked at.
func (m *memory) load(files map[string]string) (*load.Program, error) {
	c, err := m.check("example.com/m", files)
	if err != nil {
		return nil, err
	}
	c.Module, c.GoVersion = "example.com/m", "1.26"
	return c.Program(m.fset, memoryRoot), nil
}

// overlaid returns the function that loads files again with some of them replaced.
func (m *memory) overlaid(files map[string]string) func(map[string][]byte) (*load.Program, error) {
	return func(overlay map[string][]byte) (*load.Program, error) {
		return m.load(changed(files, overlay))
	}
}

// changed returns files with those of overlay in their place.
func changed(files map[string]string, overlay map[string][]byte) map[string]string {
	files = maps.Clone(files)
	for name, src := range overlay {
		files[path.Base(name)] = string(src)
	}
	return files
}

var unused = regexp.MustCompile(`^declared and not used|imported and not used`)

func (m *memory) check(importPath string, files map[string]string) (*load.Checked, error) {
	c := &load.Checked{Info: &types.Info{
		Types:        make(map[ast.Expr]types.TypeAndValue),
		Instances:    make(map[*ast.Ident]types.Instance),
		Defs:         make(map[*ast.Ident]types.Object),
		Uses:         make(map[*ast.Ident]types.Object),
		Implicits:    make(map[ast.Node]types.Object),
		Selections:   make(map[*ast.SelectorExpr]*types.Selection),
		Scopes:       make(map[ast.Node]*types.Scope),
		FileVersions: make(map[*ast.File]string),
	}}
	var syntax []*ast.File
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := parser.ParseFile(m.fset, name, files[name], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		syntax = append(syntax, f)
		c.Files = append(c.Files, &load.File{Name: name, Abs: memoryRoot + "/" + name, Syntax: f, Src: []byte(files[name])})
	}
	var hard error
	conf := types.Config{GoVersion: "go1.26", Importer: m, Sizes: types.SizesFor("gc", "amd64"), Error: func(err error) {
		if e := (types.Error{}); hard == nil && !(errors.As(err, &e) && unused.MatchString(e.Msg)) {
			hard = err
		}
	}}
	c.Types, _ = conf.Check(importPath, m.fset, syntax, c.Info)
	return c, hard
}

// forget frees what m knows of the places in prog, which is not used any more.
func (m *memory) forget(prog *load.Program) {
	for _, f := range prog.Packages[0].Files {
		m.fset.RemoveFile(m.fset.File(f.Syntax.Package))
	}
}
