package plan

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mapmend/plan/load"
	"mapmend/plan/pack"
	"mapmend/plan/share"
)

// loadChanged loads the bundled example with text in place of the file of that name, unless that is empty.
func loadChanged(t *testing.T, name, text string) *load.Program {
	t.Helper()
	dir, err := filepath.Abs("../testdata/etcdlike")
	if err != nil {
		t.Fatal(err)
	}
	cfg := load.Config{Dir: dir, Tests: true}
	if name != "" {
		cfg.Overlay = map[string][]byte{filepath.Join(dir, name): []byte(text)}
	}
	prog, err := load.Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(prog.Errors) > 0 {
		t.Fatal(prog.Errors)
	}
	return prog
}

// planned returns the plan for prog as text.
func planned(t *testing.T, prog *load.Program, s *Summaries) string {
	t.Helper()
	p, err := Make(prog, Options{Summaries: s, Silent: true, All: true, MinConfidence: Possible})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func bytesOf(t *testing.T, s *Summaries) []byte {
	t.Helper()
	data, err := s.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// importers returns how many packages of prog are in the folder dir or import one that is, directly or not.
func importers(prog *load.Program, dir string) int {
	is := make(map[*load.Package]bool)
	for _, pkg := range prog.Packages { // each after those that it imports
		is[pkg] = filepath.Base(pkg.Dir) == dir
		for _, dep := range pkg.Imports {
			is[pkg] = is[pkg] || is[dep]
		}
	}
	n := 0
	for _, yes := range is {
		if yes {
			n++
		}
	}
	return n
}

// TestSummaries changes one file after the other of the example, so that all that follows moves, and checks that what is planned with the
// summaries from before is what is planned without, and that only the package and its importers were analysed.
func TestSummaries(t *testing.T) {
	t.Parallel()
	prog := loadChanged(t, "", "")
	first := ReadSummaries(nil)
	if got, want := planned(t, prog, first), planned(t, prog, nil); got != want {
		t.Fatal("what is planned differs if summaries are made")
	}
	if n := len(prog.Packages); first.Analysed != n || first.Recalled != 0 {
		t.Errorf("%d packages were analysed and %d recalled, want %d and 0", first.Analysed, first.Recalled, n)
	}
	kept := bytesOf(t, first)
	for _, file := range []string{"lease/store.go", "mvcc/index.go", "quota/limiter.go", "auth/race_test.go", "cmd/etcdlike/main.go", "new/new.go", "lease/new_test.go"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			src := "package " + strings.TrimSuffix(filepath.Base(filepath.Dir(file)), ".go") + "\n" // of what is new
			for _, pkg := range prog.Packages {
				for _, f := range pkg.Files {
					if f.Name == file {
						src = string(f.Src)
					}
				}
			}
			changed := loadChanged(t, file, strings.Replace(src, "\npackage ", "\n\n// Moved.\n\npackage ", 1)+"\nvar zzMoved = map[string]int{}\n\nfunc ZzMoved() { zzMoved[\"a\"]++ }\n")
			later := ReadSummaries(kept)
			if got, want := planned(t, changed, later), planned(t, changed, nil); got != want {
				t.Error("what is planned differs with the summaries from before")
			}
			if n := importers(changed, filepath.Base(filepath.Dir(file))); later.Analysed != n || later.Recalled != len(changed.Packages)-n {
				t.Errorf("%d packages were analysed and %d recalled, want %d and %d", later.Analysed, later.Recalled, n, len(changed.Packages)-n)
			}
			again := ReadSummaries(bytesOf(t, later))
			if planned(t, changed, again) != planned(t, changed, nil) || again.Analysed != 0 {
				t.Errorf("%d packages were analysed again though nothing has changed", again.Analysed)
			}
		})
	}
}

// TestSummariesOfOtherModel checks that a summary is not used that was made as another configuration says.
func TestSummariesOfOtherModel(t *testing.T) {
	t.Parallel()
	prog := loadChanged(t, "", "")
	first := ReadSummaries(nil)
	planned(t, prog, first)
	later := ReadSummaries(bytesOf(t, first))
	if _, err := Make(prog, Options{Summaries: later, maxBlocks: 1000}); err != nil {
		t.Fatal(err)
	}
	if later.Recalled != 0 {
		t.Errorf("%d summaries were recalled that other options made", later.Recalled)
	}
}

// TestSummariesOfNothing checks that bytes that are no summaries are none.
func TestSummariesOfNothing(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "x", strings.Repeat("\xff", 100)} {
		if s := ReadSummaries([]byte(data)); len(s.old) != 0 {
			t.Errorf("%q has %d summaries", data, len(s.old))
		}
	}
}

// TestAnalysedIsPlain checks that all that is known of a package is written, also what no package of the other tests has.
func TestAnalysedIsPlain(t *testing.T) {
	t.Parallel()
	seen := make(map[reflect.Type]bool)
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		switch typ.Kind() {
		case reflect.Slice, reflect.Array, reflect.Pointer:
			visit(typ.Elem())
		case reflect.Map:
			visit(typ.Key())
			visit(typ.Elem())
		case reflect.Struct:
			if _, err := pack.Marshal(reflect.Zero(typ).Interface(), nil); err != nil {
				t.Error(err)
			}
			for i := range typ.NumField() {
				visit(typ.Field(i).Type)
			}
		}
	}
	visit(reflect.TypeFor[share.Analysed]())
	if len(seen) < 30 {
		t.Errorf("only %d types were seen", len(seen))
	}
}
