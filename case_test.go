package main

// This file reads the cases of testdata and lays them out as one module.
//
// A case is a txtar. Its prose says what it shows and why. Its sections are the Go files of one small
// module without a go.mod: it becomes the package example.com/FOLDER/NAME and those below it. Some
// sections are special:
//
//	race_test.go  drives the case under -race; it is never loaded by mapmend
//	flags         a command line: the case is run alone, as a module of its own
//	.mapmend.yaml the configuration of that module
//	go.mod, go.sum, go.work, vendor/modules.txt
//	              of a case that is run alone: it is that module, or workspace, then
//	*.prof, *.out, *.log what a running program left, for --evidence
//
// A line of a Go file ends in `// want "kind"` when it has a problem site of that kind, and in
// `// nope: why` when one may think so and must not.

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"mapmend/plan"
	"mapmend/plan/config"
)

var only = flag.String("case", "", "run only the cases whose FOLDER/NAME matches this regular expression")

// folders are the folders of testdata that hold cases.
var folders = []string{"detect", "emit", "lock", "rwmutex", "sharded", "snapshot", "switch", "syncmap", "trap", "xsync"}

// A testCase is one txtar of testdata.
type testCase struct {
	folder, name string
	flags        []string // nil unless the case runs alone
	config       []byte   // nil unless it has one
	files        []txtar.File
	drivers      []txtar.File // the race_test.go sections
	wants        map[site]bool
	nopes        map[string]map[int]bool // lines by file
}

// A site is a place and kind of a problem, as wants name it.
type site struct {
	file string
	line int
	kind plan.Kind
}

func (c *testCase) id() string    { return c.folder + "/" + c.name }
func (c *testCase) input() string { return filepath.Join("testdata", c.folder, c.name+".txtar") }
func (c *testCase) golden() string {
	return filepath.Join("golden", c.folder, c.name+".txtar")
}

// readCases returns the cases that -case chooses, in order.
func readCases(t *testing.T) []*testCase {
	t.Helper()
	chosen, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	var cases []*testCase
	for _, folder := range folders {
		inputs, err := filepath.Glob(filepath.Join("testdata", folder, "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, input := range inputs {
			name := strings.TrimSuffix(filepath.Base(input), ".txtar")
			if chosen.MatchString(folder + "/" + name) {
				cases = append(cases, readCase(t, folder, name))
			}
		}
	}
	if len(cases) == 0 {
		t.Fatalf("no case matches -case %q", *only)
	}
	return cases
}

func readCase(t *testing.T, folder, name string) *testCase {
	t.Helper()
	c := &testCase{folder: folder, name: name, wants: make(map[site]bool), nopes: make(map[string]map[int]bool)}
	archive, err := txtar.ParseFile(c.input())
	if err != nil {
		t.Fatal(err)
	}
	if len(bytes.TrimSpace(archive.Comment)) == 0 {
		t.Errorf("%s: the case does not begin with prose that says what it shows", c.input())
	}
	for _, f := range archive.Files {
		switch {
		case f.Name == "flags":
			c.flags = strings.Fields(string(f.Data))
		case f.Name == config.Name:
			c.config = f.Data
		case path.Base(f.Name) == "race_test.go":
			c.drivers = append(c.drivers, f)
			c.checkFormatted(t, f)
		case slices.Contains([]string{"go.mod", "go.sum", "go.work", "modules.txt"}, path.Base(f.Name)):
			c.files = append(c.files, f)
		case path.Ext(f.Name) == ".s", path.Ext(f.Name) == ".prof", path.Ext(f.Name) == ".out", path.Ext(f.Name) == ".log":
			c.files = append(c.files, f)
		case path.Ext(f.Name) == ".go":
			c.files = append(c.files, f)
			c.checkFormatted(t, f)
			c.readComments(t, f)
		default:
			t.Errorf("%s: unknown section %q", c.input(), f.Name)
		}
	}
	if slices.ContainsFunc(c.files, func(f txtar.File) bool { return path.Base(f.Name) == "go.mod" }) && c.flags == nil {
		t.Errorf("%s: a case with a module of its own is run alone, and needs flags", c.input())
	}
	return c
}

// checkFormatted checks that f is its own gofmt, except for a trap, which may be about that.
func (c *testCase) checkFormatted(t *testing.T, f txtar.File) {
	t.Helper()
	if c.folder == "trap" {
		return
	}
	formatted, err := format.Source(f.Data)
	if err != nil {
		t.Errorf("%s: %s: %v", c.input(), f.Name, err)
	} else if !bytes.Equal(formatted, f.Data) {
		t.Errorf("%s: %s is not gofmt'ed", c.input(), f.Name)
	}
}

var (
	wantComment = regexp.MustCompile(`// want (.*)$`)
	wantKind    = regexp.MustCompile(`^"?([a-z-]+)"?$`)
	nopeComment = regexp.MustCompile(`// nope(.*)$`)
)

// readComments collects the want and nope comments of f.
func (c *testCase) readComments(t *testing.T, f txtar.File) {
	t.Helper()
	for i, line := range strings.Split(string(f.Data), "\n") {
		if m := wantComment.FindStringSubmatch(line); m != nil {
			for word := range strings.FieldsSeq(m[1]) {
				k := wantKind.FindStringSubmatch(word)
				if k == nil || !slices.Contains(plan.Kinds, plan.Kind(k[1])) {
					t.Errorf("%s: %s:%d: %s is not a kind", c.input(), f.Name, i+1, word)
					continue
				}
				c.wants[site{f.Name, i + 1, plan.Kind(k[1])}] = true
			}
		}
		if m := nopeComment.FindStringSubmatch(line); m != nil {
			if !strings.HasPrefix(m[1], ": ") || strings.TrimSpace(m[1][1:]) == "" {
				t.Errorf("%s: %s:%d: a nope needs its reason: // nope: why", c.input(), f.Name, i+1)
			}
			if c.nopes[f.Name] == nil {
				c.nopes[f.Name] = make(map[int]bool)
			}
			c.nopes[f.Name][i+1] = true
		}
	}
}

// stubs is the archive of the third-party packages that cases may import: as little of each as they need.
const stubs = "testdata/stubs.txtar"

// layStubs writes below dir the stubs and a go.mod that names them.
func layStubs(t *testing.T, dir string) {
	t.Helper()
	archive, err := txtar.ParseFile(stubs)
	if err != nil {
		t.Fatal(err)
	}
	var requires, replaces strings.Builder
	for _, f := range archive.Files {
		writeFile(t, filepath.Join(dir, "stubs", filepath.FromSlash(f.Name)), f.Data)
		if module, ok := strings.CutSuffix(f.Name, "/go.mod"); ok {
			fmt.Fprintf(&requires, "\t%s %s\n", module, firstVersion(module))
			fmt.Fprintf(&replaces, "replace %s => ./stubs/%[1]s\n", module)
		}
	}
	writeFile(t, filepath.Join(dir, "go.mod"), fmt.Appendf(nil, "module example.com\n\ngo 1.26\n\nrequire (\n%s)\n\n%s", &requires, &replaces))
}

// firstVersion returns a version that a module of that path can have: v3.0.0 of one that ends in /v3.
func firstVersion(module string) string {
	if base := path.Base(module); majorVersion.MatchString(base) {
		return base + ".0.0"
	}
	return "v0.0.0"
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// layOut writes the cases below dir as packages of one module, without their race drivers.
func layOut(t *testing.T, dir string, cases []*testCase) {
	t.Helper()
	layStubs(t, dir)
	for _, c := range cases {
		c.writeFiles(t, dir, c.files)
		if c.config != nil {
			writeFile(t, filepath.Join(dir, config.Name), c.config)
		}
	}
}

func (c *testCase) writeFiles(t *testing.T, dir string, files []txtar.File) {
	t.Helper()
	for _, f := range files {
		writeFile(t, filepath.Join(dir, c.folder, c.name, filepath.FromSlash(f.Name)), f.Data)
	}
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}
