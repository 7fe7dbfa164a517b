package main

// This file holds the README's first command to its word: on the bundled example, mapmend finds the
// bugs, its diff applies, and the race tests of the example fail before and pass after.

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mapmend/plan"
)

const etcdlike = "testdata/etcdlike"

// TestEtcdlikeDiffApplies checks that the dry run changes nothing, that its diff applies with git, and
// that this gives what -w writes.
func TestEtcdlikeDiffApplies(t *testing.T) {
	dir, applied := copyOf(t, etcdlike), copyOf(t, etcdlike)
	before := filesOf(t, dir)

	diff := mustRun(t, exitOK, "-C", dir)
	if diff == "" {
		t.Fatal("the dry run prints no diff")
	}
	if changed := cmp.Diff(before, filesOf(t, dir)); changed != "" {
		t.Errorf("the dry run wrote:\n%s", changed)
	}
	gitApply(t, applied, []byte(diff))

	mustRun(t, exitRefused, "-C", dir, "-w")
	if differ := cmp.Diff(filesOf(t, applied), filesOf(t, dir)); differ != "" {
		t.Errorf("git apply and -w differ (-apply +w):\n%s", differ)
	}
	if rest := mustRun(t, exitOK, "-C", dir, "--exit-code"); rest != "" {
		t.Errorf("a second run has a diff:\n%s", rest)
	}
	for _, f := range findingsOf(t, dir) {
		if f.Kind != string(plan.ValueEscape) { // which is to be copied by hand
			t.Errorf("a finding is left after -w: %s: %s.%s", f.Kind, f.Owner, f.Field)
		}
	}
}

// TestEtcdlikeRaces checks that each package with a finding fails under -race before -w, and none after.
func TestEtcdlikeRaces(t *testing.T) {
	if testing.Short() || !haveRace(t) {
		t.Skip("the race tests of the example need a C compiler (cgo), and no -short")
	}
	dir := copyOf(t, etcdlike)
	was := goTestRace(t, dir, "-count=1", "./...") // a pass without a race would be kept
	mustRun(t, exitRefused, "-C", dir, "-w")
	is := goTestRace(t, dir, "./...")

	raced := 0
	for name, before := range was {
		if before.raced() {
			raced++
		}
		if after := is[name]; !after.passed {
			t.Errorf("%s fails after the mend:\n%s", name, after.output)
		}
	}
	if raced == 0 {
		t.Error("no package of the example fails under -race before the mend")
	}
	for _, f := range findingsOf(t, etcdlike) {
		if !was[f.Package].raced() {
			t.Errorf("%s has a finding, but its tests show no race before the mend:\n%s", f.Package, was[f.Package].output)
		}
	}
}

// TestEtcdlikeWithoutTests checks that the findings do not hang on the example's tests.
func TestEtcdlikeWithoutTests(t *testing.T) {
	with := findingsOf(t, etcdlike)
	without := findingsOf(t, etcdlike, "--tests=false")
	if len(with) == 0 {
		t.Fatal("no findings")
	}
	if diff := cmp.Diff(with, without); diff != "" {
		t.Errorf("findings differ (-with tests +without):\n%s", diff)
	}
}

// A foundVar is what TestEtcdlikeWithoutTests compares of a finding: what it says about files that are no tests.
type foundVar struct {
	ID, Kind, Package, Owner, Field string
	Sites                           []foundSite
}

type foundSite struct {
	File    string
	Line    int
	Problem bool
}

// findingsOf runs check on dir and returns what it finds, without the sites in test files.
func findingsOf(t *testing.T, dir string, flags ...string) []foundVar {
	t.Helper()
	var doc struct{ Findings []foundVar }
	out := mustRun(t, exitFound, append([]string{"check", "--format", "json", "-C", dir}, flags...)...)
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	for i := range doc.Findings {
		f := &doc.Findings[i]
		f.Sites = slices.DeleteFunc(f.Sites, func(s foundSite) bool { return strings.HasSuffix(s.File, "_test.go") })
	}
	return doc.Findings
}

// mustRun runs a command line, checks its exit code, and returns its standard output.
func mustRun(t *testing.T, want int, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(args, &stdout, &stderr); code != want {
		t.Fatalf("mapmend %s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, want, &stdout, &stderr)
	}
	return stdout.String()
}

// copyOf returns a new folder with the files of dir.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), filepath.Base(dir))
	if err := os.CopyFS(target, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return target
}

// filesOf returns the content of all files below dir, by name.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		files[strings.TrimPrefix(name, dir)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
