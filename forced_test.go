package main

// This file migrates every map variable of a module that can be, race or none, and holds the result to its own tests:
//
//	go test -run TestForcedMigration -timeout 2h -v . -args -modules=DIR,DIR -forms=lock,rwmutex

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	modules     = flag.String("modules", "", "migrate the modules in these folders, separated by commas")
	forcedForms = flag.String("forms", "lock,rwmutex", "to these forms, one after the other")
)

// refusalLine is a line of standard error about a variable that is left.
var refusalLine = regexp.MustCompile(`(?m)^\S+: cannot mend .* \(([a-z-]+)\)$`)

func TestForcedMigration(t *testing.T) {
	if *modules == "" {
		t.Skip("needs modules to migrate: -args -modules=DIR,DIR")
	}
	for name, value := range map[string]string{"GOFLAGS": "-mod=mod", "GOWORK": "off", "GOTOOLCHAIN": "local", "GOSUMDB": "off"} {
		t.Setenv(name, value)
	}
	for dir := range strings.SplitSeq(*modules, ",") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			before := health(t, copyOf(t, dir))
			for form := range strings.SplitSeq(*forcedForms, ",") {
				t.Run(form, func(t *testing.T) {
					migrated := copyOf(t, dir)
					var stderr bytes.Buffer
					run([]string{"-C", migrated, "--all", "--form", form, "-w"}, io.Discard, &stderr)
					lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
					codes := make(map[string]int)
					for _, m := range refusalLine.FindAllStringSubmatch(stderr.String(), -1) {
						codes[m[1]]++
					}
					t.Logf("%s; by code: %s", lines[len(lines)-1], counts(codes))
					after := health(t, migrated)
					if worse := before.worse(after); len(worse) > 0 {
						again := health(t, copyOf(t, dir)) // what is not the same twice without a change says nothing
						worse = slices.DeleteFunc(worse, func(name string) bool { return again[name] != before[name] })
						for _, name := range worse {
							t.Errorf("%s: %s before, %s after", name, before[name], cmp.Or(after[name], "gone"))
						}
					}
				})
			}
		})
	}
}

// condition is how each package builds and vets, and each test ends: "pass", "fail", "skip". What the compiler and
// vet say has no name but itself.
type condition map[string]string

// worse returns what was right, or was not said, before and is not, or is, after; sorted.
func (before condition) worse(after condition) []string {
	var out []string
	for name, how := range after {
		if was, known := before[name]; how != was && how != "pass" && (known || how != "skip") {
			out = append(out, name)
		}
	}
	for name, how := range before {
		if how == "pass" && after[name] == "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// health builds, vets and tests the module in dir.
func health(t *testing.T, dir string) condition {
	t.Helper()
	out := make(condition)
	for _, args := range [][]string{{"build", "./..."}, {"vet", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		said, _ := cmd.CombinedOutput()
		for line := range strings.Lines(string(said)) {
			// Lines and columns move.
			if file, what, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && strings.Contains(file, ".go:") {
				name, _, _ := strings.Cut(file, ":")
				out[args[0]+": "+name+": "+what] = "said"
			}
		}
	}
	cmd := exec.Command("go", "test", "-json", "-count=1", "-vet=off", "-timeout=300s", "./...")
	cmd.Dir = dir
	said, _ := cmd.Output()
	for dec := json.NewDecoder(bytes.NewReader(said)); ; {
		var e struct{ Action, Package, Test string }
		if err := dec.Decode(&e); err != nil {
			break // output of a test that is no event: the tests before it count
		}
		switch e.Action {
		case "pass", "fail", "skip":
			out[strings.TrimSpace(e.Package+" "+e.Test)] = e.Action
		}
	}
	return out
}

// counts writes numbers by name, the greatest first.
func counts(n map[string]int) string {
	names := slices.SortedFunc(maps.Keys(n), func(a, b string) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s %d", name, n[name]))
	}
	return strings.Join(parts, ", ")
}
