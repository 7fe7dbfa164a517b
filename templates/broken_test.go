package templates

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// This file breaks generated types, one accessor at a time, and sees that their tests fail.

// A fault is what is wrong with one accessor of a form.
type fault struct {
	forms    string
	accessor string
	old, new string // in the accessor, a regular expression and what is put in place of all that it matches
	race     bool   // it is seen only where goroutines meet
	cores    string // those of forms in which they must be at it at the same time, on two cores
}

// meets is why a fault may stay unseen: whether goroutines meet in one place is for the scheduler to say.
const meets = ", seen only if goroutines meet"

// unlocked are the calls of locks, and ownLock is what finds that of a key.
const unlocked = `\n.*\.(RL|L|l|RUnl|Unl|unl)ock\(\)`
const ownLock = `mu := e\.lock\(k\)`

var faults = []fault{
	{forms: "rwmutex", accessor: "Load", old: unlocked, race: true},
	{forms: "rwmutex", accessor: "Get", old: unlocked, race: true},
	{forms: "rwmutex", accessor: "Len", old: unlocked, race: true},
	{forms: "rwmutex", accessor: "All", old: unlocked, race: true},
	{forms: "rwmutex sharded", accessor: "Snapshot", old: unlocked, race: true},
	{forms: "rwmutex sharded snapshot", accessor: "Store", old: unlocked, race: true, cores: "snapshot"},
	{forms: "rwmutex sharded snapshot", accessor: "LoadOrStore", old: unlocked, race: true, cores: "snapshot"},
	{forms: "rwmutex sharded syncmap snapshot", accessor: "LoadOrCompute", old: unlocked, race: true},
	{forms: "rwmutex sharded snapshot", accessor: "Swap", old: unlocked, race: true, cores: "snapshot"},
	{forms: "rwmutex sharded syncmap snapshot", accessor: "CompareAndSwap", old: unlocked, race: true, cores: "syncmap snapshot"},
	{forms: "xsync", accessor: "LoadOrCompute", old: ownLock, new: "mu := new(sync.Mutex)", race: true, cores: "xsync"},
	{forms: "xsync", accessor: "CompareAndSwap", old: ownLock, new: "mu := new(sync.Mutex)", race: true, cores: "xsync"},
	{forms: "xsync", accessor: "Update", old: ownLock, new: "mu := new(sync.Mutex)", race: true, cores: "xsync"},
	{forms: "rwmutex sharded syncmap snapshot", accessor: "Update", old: unlocked, race: true},
	{forms: "rwmutex sharded snapshot", accessor: "Delete", old: unlocked, race: true, cores: "snapshot"},
	{forms: "rwmutex sharded snapshot", accessor: "LoadAndDelete", old: unlocked, race: true, cores: "snapshot"},
	{forms: "rwmutex snapshot", accessor: "DeleteFunc", old: unlocked, race: true, cores: "snapshot"},
	{forms: "rwmutex", accessor: "Clear", old: unlocked, race: true},
	{forms: "rwmutex", accessor: "Replace", old: unlocked, race: true},
	{forms: "rwmutex", accessor: "Store", old: `x\.(Lock|Unlock)`, new: "x.R$1", race: true},
	{forms: "sharded syncmap xsync", accessor: "table", old: `x\.(\w+)\.CompareAndSwap\(nil, (\w)\) {`, new: "true {\nx.$1.Store($2)", race: true, cores: "sharded syncmap xsync"},
	{forms: "rwmutex", accessor: "All", old: `m := maps.Clone\(x\.m\)`, new: "_ = maps.Clone(x.m)\nm := x.m", race: true},

	{forms: "rwmutex sharded snapshot", accessor: "Load", old: `return v, ok`, new: "return v, !ok"},
	{forms: "syncmap", accessor: "load", old: `return v, ok`, new: "return v, ok || true"},
	{forms: "rwmutex", accessor: "Get", old: `return v`, new: "var none int\nreturn v - v + none"},
	{forms: "rwmutex", accessor: "Store", old: `x\.m\[k\] = v`, new: ""},
	{forms: "sharded", accessor: "Store", old: `s\.m\[k\] = v`, new: ""},
	{forms: "syncmap", accessor: "Store", old: `x\.swap`, new: "_, _ = x.load(x.table(), k)\n_ = x.Get\nfunc(...any) {}"},
	{forms: "snapshot", accessor: "show", old: `x\.now\.Store\(p\)`, new: "_ = p"},
	{forms: "rwmutex", accessor: "LoadOrStore", old: `v = old`, new: "_ = old"},
	{forms: "rwmutex", accessor: "LoadOrStore", old: `x\.m\[k\] = v`, new: ""},
	{forms: "rwmutex", accessor: "LoadOrCompute", old: `v := fn\(\)`, new: "fn()\nv := fn()"},
	{forms: "rwmutex", accessor: "Swap", old: `return old, ok`, new: "return old + 1, ok"},
	{forms: "rwmutex", accessor: "CompareAndSwap", old: `now == old`, new: "(now == old || true)"},
	{forms: "rwmutex", accessor: "Update", old: `delete\(x\.m, k\)`, new: ""},
	{forms: "rwmutex", accessor: "Update", old: `fn\(old, ok\)`, new: "fn(old, !ok)"},
	{forms: "rwmutex", accessor: "Delete", old: `delete\(x\.m, k\)`, new: ""},
	{forms: "rwmutex", accessor: "LoadAndDelete", old: `delete\(x\.m, k\)`, new: ""},
	{forms: "rwmutex", accessor: "DeleteFunc", old: `if fn\(k, v\)`, new: "if fn(k, v); false"},
	{forms: "rwmutex", accessor: "Clear", old: `clear\(x\.m\)`, new: ""},
	{forms: "rwmutex", accessor: "Replace", old: `x\.m = m`, new: ""},
	{forms: "rwmutex", accessor: "Len", old: `return n`, new: "return n + 1"},
	{forms: "syncmap", accessor: "remove", old: `e\.n\.Add\(-1\)`, new: ""},
	{forms: "rwmutex", accessor: "All", old: `if !yield\(k, v\)`, new: "if len(m) > 1 && k == \"0\" {\ncontinue\n}\nif !yield(k, v)"},
	{forms: "rwmutex", accessor: "Snapshot", old: `m := make\(map\[string\]int, len\(x\.m\)\)`, new: "m := x.m"},
	{forms: "xsync", accessor: "filled", old: `e\.Store\(k, v\)`, new: "e.Store(k, v+1)"},
	{forms: "xsync", accessor: "Swap", old: `return old, ok`, new: "return old + 1, ok"},
	{forms: "xsync", accessor: "Update", old: `e\.Delete\(k\)`, new: ""},
	{forms: "xsync", accessor: "Len", old: `return n`, new: "return n + 1"},
	{forms: "xsync", accessor: "deleteIf", old: `ok && fn\(k, v\)`, new: "ok && !fn(k, v)"},
	{forms: "sharded", accessor: "filled", old: `s\.m\[k\] = v`, new: "s.m[k] = v + 1"},
}

// A generated type that lacks a lock, loses an entry or says something wrong fails its tests; one that does not passes them.
func TestBrokenTypesFail(t *testing.T) {
	race := haveRace()
	if !race {
		t.Log("SKIP the faults of locks: they need a C compiler (cgo), and no -short")
	} else if runtime.GOMAXPROCS(0) == 1 {
		t.Log("SKIP some faults of locks: they need two cores")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module m\n\ngo 1.26\n")
	requireXsync(t, dir)
	runs := make(map[string]string) // what is wrong, by the name of the test; nothing if it is to pass
	for _, form := range allForms {
		runs[layBroken(t, dir, form, 0, nil)] = ""
	}
	for i, f := range faults {
		for form := range strings.FieldsSeq(f.forms) {
			alone := runtime.GOMAXPROCS(0) == 1 && slices.Contains(strings.Fields(f.cores), form)
			if (race || !f.race) && !alone {
				wrong := fmt.Sprintf("%s: %s: %q in place of %s", form, f.accessor, f.new, f.old)
				if f.race {
					wrong += meets
				}
				runs[layBroken(t, dir, form, i+1, &f)] = wrong
			}
		}
	}
	exe := filepath.Join(dir, "m.test")
	args := []string{"test", "-c", "-vet=off", "-o", exe}
	if race {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	for name, wrong := range runs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out []byte
			var err error
			for run := 0; err == nil && (run == 0 || run < 20 && strings.HasSuffix(wrong, meets)); run++ {
				cmd := exec.Command(exe, "-test.run=^"+name, "-test.timeout=60s")
				cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
				out, err = cmd.CombinedOutput()
			}
			switch {
			case wrong == "" && err != nil:
				t.Errorf("the tests of a sound type fail:\n%s", out)
			case wrong != "" && err == nil:
				t.Errorf("the tests pass although something is wrong:\n%s", wrong)
			}
		})
	}
}

// layBroken writes a type and its tests to dir, with f, and returns what its tests are called.
func layBroken(t *testing.T, dir, form string, number int, f *fault) string {
	t.Helper()
	tests := tested(accessors...)
	tests.GoVersion, tests.Name = "1.26", fmt.Sprintf("%sN%dN", form, number)
	typ := tests.Type
	tests.Imports = []Import{{Path: "strconv"}}
	src, err := Render(form, typ)
	if err != nil {
		t.Fatal(err)
	}
	if f != nil {
		src = []byte(f.in(t, typ.Name, string(src)))
	}
	tested, err := RenderTests(tests)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, strings.ToLower(typ.Name)+".go"), string(src))
	write(t, filepath.Join(dir, strings.ToLower(typ.Name)+"_test.go"), string(tested))
	return "Test" + tests.Title()
}

// in returns src, which declares the type name, with f.
func (f fault) in(t *testing.T, name, src string) string {
	t.Helper()
	at := strings.Index(src, "func (x *"+name+") "+f.accessor+"(")
	if at < 0 {
		t.Fatalf("no accessor %s", f.accessor)
	}
	end := at + strings.Index(src[at:], "\n}\n")
	body := regexp.MustCompile(f.old).ReplaceAllString(src[at:end], f.new)
	if body == src[at:end] {
		t.Fatalf("%s has no %s:\n%s", f.accessor, f.old, body)
	}
	return src[:at] + body + src[end:]
}
