package load_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mapmend/plan/load"
)

// sumsModule has packages of which each imports the one before, but for other.
var sumsModule = map[string]string{
	"go.mod":           "module example.com/m\n\ngo 1.22\n\nrequire example.com/dep v0.0.0\n\nreplace example.com/dep => ./dep\n",
	"dep/go.mod":       "module example.com/dep\n\ngo 1.22\n",
	"dep/dep.go":       "package dep\n\nimport \"example.com/dep/deep\"\n\ntype T = deep.T\n",
	"dep/deep/deep.go": "package deep\n\ntype T struct{ A int }\n",
	"low/low.go":       "package low\n\nimport \"example.com/dep\"\n\nvar V dep.T\n",
	"mid/mid.go":       "package mid\n\nimport \"example.com/m/low\"\n\nvar V = low.V\n",
	"mid/mid_test.go":  "package mid\n",
	"top/top.go":       "package top\n\nimport \"example.com/m/mid\"\n\nvar V = mid.V\n",
	"other/other.go":   "package other\n",
}

// sums returns the sum of each package by the last element of its path.
func sums(t *testing.T, cfg load.Config) map[string]load.Sum {
	t.Helper()
	cfg.Tests, cfg.Env = true, append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off")
	prog, err := load.Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]load.Sum)
	for _, pkg := range prog.Packages {
		out[pkg.Path[strings.LastIndex(pkg.Path, "/")+1:]] = pkg.Sum
	}
	return out
}

// TestSums changes each thing that decides what can be known of a package, and checks which packages have another sum then.
func TestSums(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range sumsModule {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	before := sums(t, load.Config{Dir: dir})
	if len(before) != 4 {
		t.Fatalf("%d packages", len(before))
	}
	for name, sum := range before {
		if sum.IsZero() {
			t.Errorf("%s has no sum", name)
		}
	}
	for _, test := range []struct {
		change string
		file   string // with another text
		text   string
		cfg    load.Config
		want   string // that have another sum
	}{
		{change: "nothing"},
		{change: "a comment", file: "mid/mid.go", text: "// A.\n" + sumsModule["mid/mid.go"], want: "mid top"},
		{change: "a body", file: "low/low.go", text: sumsModule["low/low.go"] + "\nfunc f() {}\n", want: "low mid top"},
		{change: "a test", file: "mid/mid_test.go", text: "package mid\n\nfunc f() {}\n", want: "mid top"},
		{change: "a new file", file: "other/more.go", text: "package other\n", want: "other"},
		{change: "a new package", file: "new/new.go", text: "package new\n\nimport _ \"example.com/m/mid\"\n", want: "new"},
		{change: "another order", file: "low/low_test.go", text: "package low\n\nimport _ \"example.com/m/other\"\n", want: "low mid top"},
		{change: "a type of another module", file: "dep/deep/deep.go", text: "package deep\n\ntype T struct{ A, B int }\n", want: "low mid top"},
		{change: "which of it is in the program", cfg: load.Config{Patterns: []string{"./...", "example.com/dep/deep"}}, want: "deep low mid top"},
		{change: "the language", file: "go.mod", text: strings.Replace(sumsModule["go.mod"], "go 1.22", "go 1.23", 1), want: "low mid other top"},
		{change: "the platform", cfg: load.Config{Platform: "plan9/386"}, want: "low mid other top"},
		{change: "an error", file: "mid/mid.go", text: sumsModule["mid/mid.go"] + "\nvar W int = \"\"\n", want: "mid top"},
	} {
		t.Run(test.change, func(t *testing.T) {
			t.Parallel()
			cfg := test.cfg
			cfg.Dir = dir
			if test.file != "" {
				cfg.Overlay = map[string][]byte{filepath.Join(dir, filepath.FromSlash(test.file)): []byte(test.text)}
			}
			after := sums(t, cfg)
			var got []string
			for _, name := range slices.Sorted(maps.Keys(after)) {
				if after[name] != before[name] {
					got = append(got, name)
				}
			}
			if got := strings.Join(got, " "); got != test.want {
				t.Errorf("another sum have %q, want %q", got, test.want)
			}
			if broken := test.change == "an error"; broken != after["mid"].IsZero() || broken != after["top"].IsZero() {
				t.Errorf("what has errors, or imports that, has the sums %x and %x", after["mid"], after["top"])
			}
		})
	}
}
