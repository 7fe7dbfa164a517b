package main

// This file runs the race drivers of the cases: before the mend each must fail, after it pass. Linking a binary takes longer
// than running it, so nearly all drivers are one binary, which is run once for each.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
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
	was, is := raced(t, driven, before), driversOf(t, driven).run(t, after)
	for _, c := range driven {
		// A case of a form's folder is there to be mended; elsewhere a refusal leaves the race in.
		refused := results[c].sections["refusals"] != "" && (c.folder == "detect" || c.folder == "trap")
		for _, f := range c.drivers {
			name := c.driverPath(f)
			if !was[name].raced() {
				results[c].faultf("%s shows no race before the mend:\n%s", f.Name, was[name].output)
			}
			if !is[name].passed && !refused {
				results[c].faultf("%s fails after the mend:\n%s", f.Name, is[name].output)
			}
		}
	}
}

// raced runs the drivers of cases in the tree dir, and those that show no race twice more: whether the goroutines of one run
// meet is for the scheduler to say, and a machine that is busy may let one end before the next begins.
func raced(t *testing.T, cases []*testCase, dir string) map[string]testsRun {
	t.Helper()
	ended := driversOf(t, cases).run(t, dir)
	for range 2 {
		cases = slices.DeleteFunc(slices.Clone(cases), func(c *testCase) bool {
			return !slices.ContainsFunc(c.drivers, func(f txtar.File) bool { return !ended[c.driverPath(f)].raced() })
		})
		if len(cases) == 0 {
			break
		}
		for name, r := range driversOf(t, cases).run(t, dir) {
			if !ended[name].raced() {
				ended[name] = r
			}
		}
	}
	return ended
}

// driverPath returns the import path of the package that f, one of the drivers of c, drives.
func (c *testCase) driverPath(f txtar.File) string {
	return path.Join("example.com", c.id(), path.Dir(f.Name))
}

// drivers are the drivers of cases, by how they are run.
type drivers struct {
	shared []driver    // in one binary
	alone  []*testCase // each in one of its own
}

// A driver is a driver that can share a binary.
type driver struct {
	testCase *testCase
	dir      string   // below the case
	tests    []string // its test functions
}

// driversOf sorts the drivers of cases. A package can share its binary with others if it can be imported and does nothing
// by itself when it is; its driver then is a file like others.
func driversOf(t *testing.T, cases []*testCase) drivers {
	t.Helper()
	var out drivers
	for _, c := range cases {
		var shared []driver
		for _, f := range c.drivers {
			if d, ok := sharedDriver(t, c, f); ok {
				shared = append(shared, d)
			}
		}
		if len(shared) == len(c.drivers) {
			out.shared = append(out.shared, shared...)
		} else {
			out.alone = append(out.alone, c)
		}
	}
	return out
}

func sharedDriver(t *testing.T, c *testCase, f txtar.File) (driver, bool) {
	t.Helper()
	d := driver{testCase: c, dir: path.Dir(f.Name)}
	for _, file := range append([]txtar.File{f}, c.files...) {
		if path.Dir(file.Name) != d.dir || path.Ext(file.Name) != ".go" {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file.Name, file.Data, parser.SkipObjectResolution)
		if err != nil || syntax.Name.Name == "main" || file.Name != f.Name && strings.HasSuffix(file.Name, "_test.go") {
			return driver{}, false
		}
		for _, decl := range syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			switch {
			case ok && fn.Recv == nil && fn.Name.Name == "init":
				return driver{}, false
			case ok && fn.Recv == nil && file.Name == f.Name && strings.HasPrefix(fn.Name.Name, "Test"):
				d.tests = append(d.tests, fn.Name.Name)
			}
		}
	}
	return d, true
}

// importPath returns the path of the package that d drives.
func (d driver) importPath() string { return path.Join("example.com", d.testCase.id(), d.dir) }

// test returns the name of the test that is d in the shared binary.
func (d driver) test() string {
	return "Test_" + strings.NewReplacer("/", "_", "-", "_", ".", "_").Replace(d.importPath())
}

// run adds the drivers to the tree dir, runs them there under -race, and returns how those of each package ended.
func (ds drivers) run(t *testing.T, dir string) map[string]testsRun {
	t.Helper()
	ended := ds.runShared(t, dir)
	if len(ds.alone) == 0 {
		return ended
	}
	// A driver that shows no race passes, and go test would keep that: -count=1 runs it anew.
	args := []string{"-count=1"}
	for _, c := range ds.alone {
		c.writeFiles(t, dir, c.drivers)
		for _, f := range c.drivers {
			args = append(args, "./"+path.Join(c.id(), path.Dir(f.Name)))
		}
	}
	for name, r := range goTestRace(t, dir, args...) {
		ended[name] = r
	}
	return ended
}

// runShared builds one binary of the drivers that can share it, and runs that for each.
func (ds drivers) runShared(t *testing.T, dir string) map[string]testsRun {
	t.Helper()
	ended := make(map[string]testsRun)
	if len(ds.shared) == 0 {
		return ended
	}
	var imports, tests strings.Builder
	for i, d := range ds.shared {
		for _, f := range d.testCase.drivers {
			if path.Dir(f.Name) == d.dir {
				f.Name = path.Join(d.dir, "driver.go")
				d.testCase.writeFiles(t, dir, []txtar.File{f})
			}
		}
		fmt.Fprintf(&imports, "\tp%d %q\n", i, d.importPath())
		fmt.Fprintf(&tests, "\nfunc %s(t *testing.T) {\n", d.test())
		for _, name := range d.tests {
			fmt.Fprintf(&tests, "\tt.Run(%q, p%d.%s)\n", name, i, name)
		}
		tests.WriteString("}\n")
	}
	src := fmt.Sprintf("package drivers\n\nimport (\n\t\"testing\"\n\n%s)\n%s", &imports, &tests)
	writeFile(t, filepath.Join(dir, "drivers", "drivers_test.go"), []byte(src))
	binary := filepath.Join(dir, "drivers", "drivers.test")
	build := exec.Command("go", "test", "-race", "-c", "-vet=off", "-trimpath", "-o", binary, "./drivers")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the drivers do not build: %v\n%s", err, out)
	}

	var mu sync.Mutex
	var running sync.WaitGroup
	free := make(chan struct{}, runtime.NumCPU())
	for _, d := range ds.shared {
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			r := d.run(binary, dir)
			mu.Lock()
			defer mu.Unlock()
			ended[d.importPath()] = r
		})
	}
	running.Wait()
	return ended
}

// run runs d, which is in binary, in the folder of its package.
func (d driver) run(binary, dir string) testsRun {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second) // beyond what ends a test that hangs
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.run=^"+d.test()+"$", "-test.timeout=60s")
	cmd.Dir = filepath.Join(dir, filepath.FromSlash(d.testCase.id()), filepath.FromSlash(d.dir))
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=50") // in place of a second
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		out = append(out, err.Error()...)
	}
	return testsRun{passed: err == nil && len(d.tests) > 0, output: string(out)}
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
