package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mapmend/plan"
)

const countingGo = `package main

import "net/http"

type counter struct{ hits map[string]int }

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.hit(r.URL.Path); c.each(r.URL.Path) }

func (c *counter) hit(path string) { c.hits[path]++ }

func (c *counter) each(path string) bool {
	for k := range c.hits {
		if k == path {
			return true
		}
	}
	return false
}

func main() { http.ListenAndServe("", &counter{hits: map[string]int{"/": 1}}) }
`

// A variable goes from form to form, and what it is then is what the first mend would have made of it.
func TestSwitchRoundTrip(t *testing.T) {
	files := func(dir string) string {
		t.Helper()
		var all strings.Builder
		for _, name := range []string{"main.go", "counter_hits_mapmend.go"} {
			src, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all.Write(src)
		}
		return all.String()
	}
	fresh := func(form plan.Form) string {
		t.Helper()
		dir := module(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "main.go": countingGo})
		mustRun(t, exitOK, "-C", dir, "-w", "--form", string(form))
		return dir
	}
	dir := fresh(plan.RWMutex)
	first := files(dir)
	for _, form := range []plan.Form{plan.Sharded, plan.SyncMap, plan.XSync, plan.Snapshot, plan.RWMutex} {
		diff := mustRun(t, exitOK, "switch", "-C", dir, "counter.hits", "--form", string(form))
		if !strings.Contains(diff, "+++ b/counter_hits_mapmend.go") || strings.Contains(diff, "main.go") {
			t.Errorf("%s: the diff is\n%s", form, diff)
		}
		mustRun(t, exitOK, "switch", "-C", dir, "-w", "counter.hits", "--form", string(form))
		if got, want := files(dir), files(fresh(form)); got != want {
			t.Errorf("switched to %s:\n%s\nwant\n%s", form, got, want)
		}
		mustRun(t, exitOK, "check", "-C", dir)
	}
	mustRun(t, exitOK, "switch", "-C", dir, "-w", "counter.hits", "--form", "snapshot")
	mustRun(t, exitOK, "undo", "-C", dir)
	if files(dir) != first {
		t.Error("undo does not take back the switch")
	}

	// The module may have moved on since the file was generated.
	writeFile(t, filepath.Join(dir, "go.mod"), []byte("module example.com/m\n\ngo 1.26\n"))
	mustRun(t, exitFound, "switch", "-C", dir, "counter.hits", "--form", "sharded", "--exit-code")
	// With -w a refusal has an exit code of its own.
	writeFile(t, filepath.Join(dir, "counter_hits_mapmend.go"), []byte(strings.Replace(first[strings.Index(first, "// Code"):], "x.RLock()", "x.Lock()", 1)))
	mustRun(t, exitRefused, "switch", "-C", dir, "-w", "counter.hits", "--form", "sharded")
}

// A generated file for an old go is known again when the module is newer.
func TestSwitchOldGo(t *testing.T) {
	dir := module(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.20\n", "main.go": countingGo})
	mustRun(t, exitOK, "-C", dir, "-w", "--form", "snapshot")
	writeFile(t, filepath.Join(dir, "go.mod"), []byte("module example.com/m\n\ngo 1.26\n"))
	if diff := mustRun(t, exitOK, "switch", "-C", dir, "counter.hits", "--form", "snapshot"); !strings.Contains(diff, "maps.Clone(x.latest())") {
		t.Errorf("the diff is\n%s", diff)
	}
	writeFile(t, filepath.Join(dir, "go.mod"), []byte("module example.com/m\n\ngo 1.19\n"))
	switchRefused(t, dir, "syncmap", "the form syncmap needs go 1.20, and the module is of go 1.19")
}

// switchRefused checks that the switch of dir's map is refused for a reason.
func switchRefused(t *testing.T, dir, form, why string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	run([]string{"switch", "-C", dir, "-w", "counter.hits", "--form", form}, &stdout, &stderr)
	if !strings.Contains(stderr.String(), why) || stdout.Len() > 0 {
		t.Errorf("stderr lacks %q:\n%s%s", why, &stderr, &stdout)
	}
}

// A plan keeps which accessors it was asked for.
func TestPlanAllAccessors(t *testing.T) {
	dir := module(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "main.go": countingGo})
	flags := []string{"-C", dir, "--form", "snapshot", "--accessors", "all"}
	want := mustRun(t, exitOK, flags...)
	mustRun(t, exitOK, append([]string{"plan", "-o", "mend.json"}, flags...)...)
	if got := mustRun(t, exitOK, "apply", "-C", dir, "mend.json"); got != want || !strings.Contains(got, ") LoadOrCompute(") {
		t.Errorf("apply prints\n%s\nwant\n%s", got, want)
	}
}

// A plan keeps that tests were asked for, and one that says so and not to load tests is not carried out: they would not be proved.
func TestPlanEmitTests(t *testing.T) {
	dir := module(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "main.go": countingGo})
	flags := []string{"-C", dir, "--form", "sharded", "--emit-tests"}
	want := mustRun(t, exitOK, flags...)
	mustRun(t, exitOK, append([]string{"plan", "-o", "mend.json"}, flags...)...)
	if got := mustRun(t, exitOK, "apply", "-C", dir, "mend.json"); got != want || !strings.Contains(got, "func FuzzCounterHitsMap(") {
		t.Errorf("apply prints\n%s\nwant\n%s", got, want)
	}
	name := filepath.Join(dir, "mend.json")
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, name, []byte(strings.Replace(string(src), `"tests": true,`, `"tests": false,`, 1)))
	mustRun(t, exitError, "apply", "-C", dir, "mend.json")
	writeFile(t, name, []byte(strings.Replace(string(src), `"makeValue": "i"`, `"makeValue": "0"`, 1)))
	mustRun(t, exitError, "apply", "-C", dir, "mend.json")
}

// What a mend with tests has written is taken back, and a switch adds to both files or to none.
func TestUndoEmittedTests(t *testing.T) {
	dir := module(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "main.go": countingGo})
	files := func() (names []string) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".go") {
				names = append(names, e.Name())
			}
		}
		return names
	}
	tests := filepath.Join(dir, "counter_hits_mapmend_accessors_test.go")
	mustRun(t, exitOK, "-C", dir, "-w", "--form", "syncmap", "--emit-tests")
	mustRun(t, exitOK, "undo", "-C", dir)
	if got := files(); len(got) != 1 {
		t.Errorf("undo leaves %q", got)
	}
	mustRun(t, exitOK, "-C", dir, "-w", "--form", "syncmap", "--emit-tests")
	before, err := os.ReadFile(tests)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"sharded", "xsync", "snapshot", "rwmutex"} {
		mustRun(t, exitOK, "switch", "-C", dir, "-w", "hits", "--form", form)
		if now, err := os.ReadFile(tests); err != nil || !bytes.Equal(now, before) {
			t.Errorf("the switch to %s changes the tests, error %v", form, err)
		}
	}
	mustRun(t, exitOK, "switch", "-C", dir, "-w", "hits", "--form", "sharded", "--accessors", "all")
	if now, err := os.ReadFile(tests); err != nil || !strings.Contains(string(now), `t.Run("LoadOrCompute"`) {
		t.Errorf("the tests are not of all accessors, error %v", err)
	}
	mustRun(t, exitOK, "switch", "-C", dir, "-w", "hits", "--form", "syncmap")
	mustRun(t, exitOK, "undo", "-C", dir)
	if got := files(); len(got) != 3 {
		t.Errorf("undo leaves %q", got)
	}
}

// A generated file that may not be written, or whose package's tests do not compile, is left alone.
func TestSwitchFile(t *testing.T) {
	dir := module(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "main.go": countingGo})
	mustRun(t, exitOK, "-C", dir, "-w", "--form", "rwmutex")
	generated, test := filepath.Join(dir, "counter_hits_mapmend.go"), filepath.Join(dir, "main_test.go")
	writeFile(t, test, []byte("package main\n\nvar _ int = nothing\n"))
	switchRefused(t, dir, "sharded", "the tests of package example.com/m do not compile")
	if err := errors.Join(os.Remove(test), os.Chmod(generated, 0o444)); err != nil {
		t.Fatal(err)
	}
	switchRefused(t, dir, "sharded", "counter_hits_mapmend.go is read-only")
}
