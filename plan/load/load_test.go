package load_test

// Each case of testdata is a txtar: prose, a module, a config section with the arguments of Load, and in the
// want section the whole program it must give. Run with -update to record, and read what was recorded.

import (
	"bytes"
	"flag"
	"fmt"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"mapmend/plan/load"
)

var update = flag.Bool("update", false, "record the want sections")

func TestLoad(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cfg, want := extract(t, ar)
			if slices.Contains(cfg.Env, "CGO_ENABLED=1") {
				if _, err := exec.LookPath("gcc"); err != nil {
					t.Skip("no C compiler")
				}
			}
			got := describe(load.Load(cfg))
			// The go command names the folder, which differs from run to run.
			got = strings.ReplaceAll(got, tempDir(cfg), "$WORK")
			if *update {
				setSection(ar, "want", got)
				if err := os.WriteFile(file, txtar.Format(ar), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("program differs (-want +got):\n%s", diff)
			}
		})
	}
}

// extract writes the files of a case into a folder of their own and returns its configuration and wanted program.
func extract(t *testing.T, ar *txtar.Archive) (cfg load.Config, want string) {
	t.Helper()
	work, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dir = work
	// Nothing of the environment in which the test runs may change what is loaded.
	cfg.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=", "GO111MODULE=", "GOPROXY=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0", workVar+work)
	for _, f := range ar.Files {
		if name, ok := strings.CutPrefix(f.Name, "overlay/"); ok {
			if cfg.Overlay == nil {
				cfg.Overlay = map[string][]byte{}
			}
			cfg.Overlay[filepath.Join(work, filepath.FromSlash(name))] = f.Data
			continue
		}
		switch f.Name {
		case "want":
			want = string(f.Data)
		case "config":
			for line := range strings.Lines(string(f.Data)) {
				configure(t, &cfg, strings.Fields(line))
			}
		default:
			name := filepath.Join(work, filepath.FromSlash(f.Name))
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			// Bytes that an archive cannot hold.
			data := []byte(strings.NewReplacer("\\NUL", "\x00", "\\XFF", "\xff").Replace(string(f.Data)))
			if err := os.WriteFile(name, data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	return cfg, want
}

const workVar = "MAPMEND_TEST_WORK="

func tempDir(cfg load.Config) string {
	i := slices.IndexFunc(cfg.Env, func(v string) bool { return strings.HasPrefix(v, workVar) })
	return strings.TrimPrefix(cfg.Env[i], workVar)
}

// configure sets one field of cfg from a line of the config section.
func configure(t *testing.T, cfg *load.Config, line []string) {
	t.Helper()
	switch line[0] {
	case "dir":
		cfg.Dir = filepath.Join(cfg.Dir, line[1])
	case "patterns":
		cfg.Patterns = line[1:]
	case "tags":
		cfg.Tags = line[1]
	case "tests":
		cfg.Tests = true
	case "importers":
		cfg.Importers = true
	case "env":
		cfg.Env = append(cfg.Env, line[1:]...)
	default:
		t.Fatalf("unknown config %q", line)
	}
}

func setSection(ar *txtar.Archive, name, data string) {
	for i := range ar.Files {
		if ar.Files[i].Name == name {
			ar.Files[i].Data = []byte(data)
			return
		}
	}
	ar.Files = append(ar.Files, txtar.File{Name: name, Data: []byte(data)})
}

// describe prints everything that a case can be about.
func describe(prog *load.Program, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "no program: %v\n", err)
		return b.String()
	}
	fmt.Fprintf(&b, "root %s\n", prog.Root)
	for _, pkg := range prog.Packages {
		fmt.Fprintf(&b, "package %s %s (%s, go %s)%s\n", pkg.Path, pkg.Name, pkg.Module, pkg.GoVersion,
			words("requested", pkg.Requested, "writable", pkg.Writable, "external", pkg.External, "broken", pkg.Broken))
		for _, dep := range pkg.Imports {
			fmt.Fprintf(&b, "\timports %s\n", dep.Path)
		}
		for _, f := range pkg.Files {
			fmt.Fprintf(&b, "\tfile %s%s\n", f.Name, words("test", f.Test, "generated", f.Generated, "cgo", f.Cgo))
		}
		for _, f := range pkg.Unchecked {
			fmt.Fprintf(&b, "\tunchecked %s\n", f.Name)
		}
		if s, err := pkg.SSA(); err != nil {
			fmt.Fprintf(&b, "\tno SSA: %v\n", err)
		} else {
			fmt.Fprintf(&b, "\tSSA of %s\n", s.Pkg.Path())
		}
	}
	for _, e := range prog.Errors {
		fmt.Fprintf(&b, "error %s\n", e)
	}
	return b.String()
}

// words returns the words whose condition holds, each after a blank.
func words(pairs ...any) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1].(bool) {
			b.WriteString(" " + pairs[i].(string))
		}
	}
	return b.String()
}

// loadCase loads a case of testdata for a test of its own.
func loadCase(t *testing.T, name string, change func(*load.Config)) *load.Program {
	t.Helper()
	ar, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, _ := extract(t, ar)
	if change != nil {
		change(&cfg)
	}
	prog, err := load.Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return prog
}

// Whatever the number of workers, positions are the same: a caller may sort by token.Pos.
func TestPositionsDoNotDependOnScheduling(t *testing.T) {
	t.Parallel()
	places := func(jobs int) []string {
		prog := loadCase(t, "tests", func(cfg *load.Config) { cfg.Jobs = jobs })
		var got []string
		for _, pkg := range prog.Packages {
			for _, f := range pkg.Files {
				got = append(got, fmt.Sprint(f.Name, " ", f.Syntax.Package))
			}
		}
		return got
	}
	want := places(1)
	for range 3 {
		if diff := cmp.Diff(want, places(8)); diff != "" {
			t.Fatalf("positions differ between 1 and 8 jobs:\n%s", diff)
		}
	}
}

// The source at the position of each identifier is the identifier, and every file is in one package only.
func TestSyntaxMatchesSource(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "tests", "overlay", "line-directive", "workspace"} {
		prog := loadCase(t, name, nil)
		seen := map[string]bool{}
		idents := 0
		for _, pkg := range prog.Packages {
			for _, f := range pkg.Files {
				if seen[f.Abs] {
					t.Errorf("%s: %s is in two packages", name, f.Name)
				}
				seen[f.Abs] = true
				if got := prog.File(f.Syntax.Package); got != f {
					t.Errorf("%s: File of %s = %v", name, f.Name, got)
				}
			}
			for id := range pkg.Info.Defs {
				posn := prog.Position(id.Pos())
				f := prog.File(id.Pos())
				if posn.Filename != f.Name || !bytes.HasPrefix(f.Src[posn.Offset:], []byte(id.Name)) {
					t.Errorf("%s: no %s at %v", name, id.Name, posn)
				}
				idents++
			}
		}
		if idents == 0 {
			t.Errorf("%s: no identifiers", name)
		}
	}
}

// Inv of Package.Imports: what it names stands earlier.
func TestImportsStandEarlier(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "tests", "test-circle", "import-cycle", "workspace"} {
		prog := loadCase(t, name, nil)
		seen := map[*load.Package]bool{}
		for _, pkg := range prog.Packages {
			for _, dep := range pkg.Imports {
				if !seen[dep] {
					t.Errorf("%s: %s imports %s, which comes later", name, pkg.Path, dep.Path)
				}
			}
			seen[pkg] = true
		}
	}
}

// An external test sees its package as compiled for the test: what export_test.go adds, and one type Counter only.
func TestExternalTestSeesExportTest(t *testing.T) {
	t.Parallel()
	prog := loadCase(t, "tests", nil)
	ext := prog.Package("example.com/m/p_test")
	if ext == nil {
		t.Fatal("no external test")
	}
	var imported *types.Package
	for _, imp := range ext.Types.Imports() {
		if imp.Path() == "example.com/m/p" {
			imported = imp
		}
	}
	if imported == nil || imported.Scope().Lookup("Hidden") == nil {
		t.Fatalf("p as imported by p_test has no Hidden: %v", imported)
	}
	if prog.Package("example.com/m/p").Types == imported {
		t.Error("p is imported from syntax, not from export data")
	}
}

// A package of the standard library is analysed when a pattern names it, and never written.
func TestStandardLibrary(t *testing.T) {
	t.Parallel()
	prog := loadCase(t, "plain", func(cfg *load.Config) { cfg.Patterns = []string{"errors", "./z"} })
	pkg := prog.Package("errors")
	if pkg == nil || !pkg.Requested || pkg.Writable || pkg.Broken || pkg.Module != "std" {
		t.Errorf("errors = %+v", pkg)
	}
	if pkg := prog.Package("unicode/utf8"); pkg != nil {
		t.Error("utf8 was not named and is in the program")
	}
}

// Line directives by cgo are followed, since what people edit is the original.
func TestCgoPosition(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler")
	}
	prog := loadCase(t, "cgo", nil)
	obj := prog.Package("example.com/m/c").Types.Scope().Lookup("Twice")
	posn := prog.Position(obj.Pos())
	if posn.Filename != "c/c.go" || posn.Line != 6 || posn.Column != 6 || posn.Offset != -1 {
		t.Errorf("position of Twice = %+v, want c/c.go:6:6 without offset", posn)
	}
}
