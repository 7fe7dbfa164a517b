package main

// This file runs the race drivers of the cases: before the mend each must fail, after it pass.

import (
	"bytes"
	"encoding/json"
	"os/exec"
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
	was, is := goTestRace(t, before, driven), goTestRace(t, after, driven)
	for _, c := range driven {
		refused := results[c].sections["refusals"] != ""
		switch old, now := was[c], is[c]; {
		case old.passed:
			results[c].faultf("the driver passes before the mend: it shows no race")
		case !strings.Contains(old.output, "DATA RACE") && !strings.Contains(old.output, "concurrent map"):
			results[c].faultf("the driver fails before the mend, but not by a race:\n%s", old.output)
		case !now.passed && !refused:
			results[c].faultf("the driver fails after the mend:\n%s", now.output)
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

// driven is how the tests of one case ended.
type driven struct {
	passed bool
	output string
}

// goTestRace runs the tests of the packages of cases below dir under -race, all at once.
func goTestRace(t *testing.T, dir string, cases []*testCase) map[*testCase]driven {
	t.Helper()
	args := []string{"test", "-race", "-json", "-vet=off", "-trimpath", "-timeout=60s"}
	for _, c := range cases {
		args = append(args, "./"+c.id()+"/...")
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, _ := cmd.Output() // a failing test is a result; what is missing shows below

	type event struct{ Action, Package, ImportPath, Test, Output string }
	passed, failed, output := make(map[string]bool), make(map[string]bool), make(map[string]string)
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var e event
		if err := dec.Decode(&e); err != nil {
			t.Fatalf("go test -json in %s: %v\n%s", dir, err, stderr.Bytes())
		}
		name := e.Package
		if name == "" {
			name, _, _ = strings.Cut(e.ImportPath, " ") // build output
		}
		output[name] += e.Output
		switch {
		case e.Action == "fail" && e.Test == "":
			failed[name] = true
		case e.Action == "pass" && e.Test != "":
			passed[name] = true
		}
	}

	ended := make(map[*testCase]driven)
	for _, c := range cases {
		d := driven{passed: true}
		for _, f := range c.drivers {
			name := strings.TrimSuffix("example.com/"+c.id()+"/"+strings.TrimSuffix(f.Name, "race_test.go"), "/")
			d.passed = d.passed && passed[name] && !failed[name]
			d.output += output[name]
		}
		if d.output == "" {
			d.output = stderr.String()
		}
		ended[c] = d
	}
	return ended
}
