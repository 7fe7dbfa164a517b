package main

// This file runs the race drivers of the cases: before the mend each must fail, after it pass.

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// drive runs the drivers of cases over the trees before and after the mend, to which it adds them.
func drive(t *testing.T, cases []*testCase, before, after string, results map[*testCase]*result) {
	t.Helper()
	driven := slices.DeleteFunc(slices.Clone(cases), func(c *testCase) bool { return len(c.drivers) == 0 })
	if len(driven) == 0 {
		return
	}
	if testing.Short() && !*update || !haveRace(t) {
		t.Log("SKIP the -race runs of the drivers: they need a C compiler (cgo), and no -short")
		for _, c := range driven {
			if *update {
				results[c].faultf("-update needs the -race run, which needs a C compiler")
			}
		}
		return
	}
	layDrivers(t, before, driven)
	layDrivers(t, after, driven)
	var patterns []string
	for _, c := range driven {
		for _, f := range c.drivers {
			patterns = append(patterns, "./"+path.Join(c.id(), path.Dir(f.Name)))
		}
	}
	// A driver that shows no race passes, and go test would keep that: -count=1 runs it anew.
	was := goTestRace(t, before, append([]string{"-count=1"}, patterns...)...)
	is := goTestRace(t, after, patterns...)
	for _, c := range driven {
		// A case of a form's folder is there to be mended; elsewhere a refusal leaves the race in.
		refused := results[c].sections["refusals"] != "" && (c.folder == "detect" || c.folder == "trap")
		for _, f := range c.drivers {
			name := path.Join("example.com", c.id(), path.Dir(f.Name))
			if !was[name].raced() {
				results[c].faultf("%s shows no race before the mend:\n%s", f.Name, was[name].output)
			}
			if !is[name].passed && !refused {
				results[c].faultf("%s fails after the mend:\n%s", f.Name, is[name].output)
			}
		}
	}
}

// haveRace reports whether the race detector can be built: it needs cgo and a C compiler.
func haveRace(t *testing.T) bool {
	t.Helper()
	out, err := exec.Command("go", "env", "CGO_ENABLED", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	enabled, cc, _ := strings.Cut(string(out), "\n")
	fields := strings.Fields(cc)
	if enabled != "1" || len(fields) == 0 {
		return false
	}
	_, err = exec.LookPath(fields[0])
	return err == nil
}

// testsRun is how the tests of one package ended.
type testsRun struct {
	passed bool // at least one test ran, and none failed
	output string
}

// raced reports whether the race detector, or the runtime's own check, ended the tests.
func (r testsRun) raced() bool {
	return !r.passed && (strings.Contains(r.output, "DATA RACE") || strings.Contains(r.output, "concurrent map"))
}

// goTestRace runs the tests of the packages below dir that args name, after flags, under -race, all at once,
// and returns how each package's ended. A package without tests is not in the map.
func goTestRace(t *testing.T, dir string, args ...string) map[string]testsRun {
	t.Helper()
	cmd := exec.Command("go", append([]string{"test", "-race", "-json", "-vet=off", "-trimpath", "-timeout=120s"}, args...)...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, _ := cmd.Output() // failing tests are a result; anything else shows as missing or unexpected output

	type event struct{ Action, Package, ImportPath, Test, Output string }
	passed, failed := make(map[string]bool), make(map[string]bool)
	output := make(map[string]string)
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var e event
		if err := dec.Decode(&e); err != nil {
			t.Fatalf("go test -json in %s: %v\n%s%s", dir, err, out, stderr.Bytes())
		}
		name := e.Package
		if name == "" {
			name, _, _ = strings.Cut(e.ImportPath, " ") // what the compiler said
		}
		output[name] += e.Output
		switch {
		case e.Action == "fail" && e.Test == "":
			failed[name] = true
		case e.Action == "pass" && e.Test != "":
			passed[name] = true
		}
	}
	if len(output) == 0 {
		t.Fatalf("go test -race in %s did nothing:\n%s", dir, stderr.Bytes())
	}

	ended := make(map[string]testsRun)
	for name, text := range output {
		if passed[name] || failed[name] {
			ended[name] = testsRun{passed: !failed[name], output: text}
		}
	}
	return ended
}
