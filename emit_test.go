package main

// This file runs the tests that --emit-tests writes: for many types of keys and values, in each form, under vet, under the race
// detector, by the fuzzer and as benchmarks.

import (
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// emitted are pairs of types of keys and values, of the package that emittedTypes begins.
var emitted = [][2]string{
	{"string", "int"},
	{"id", "*item"},
	{"int64", "[]string"},
	{"point", "point"},
	{"bool", "bool"},
	{"any", "*huge"},
	{"[2]uint8", "error"},
	{"*item", "func(string, ...int) (bool, error)"},
	{"io.Reader", "sync.Locker"},
	{"time.Time", "struct{}"},
	{"chan<- int", "tagged"},
	{"interface{ Close() error }", "[3][]func()"},
	{"float64", "opaque"},
}

const emittedTypes = `
import (
	"io"
	"sync"
	"time"
)

type (
	id    string
	item  struct{ n int }
	point struct {
		ok bool
		_  int
		s  string
	}
	tagged struct {
		f    func()
		tags []string
	}
	huge   [1 << 20]byte
	opaque struct{ m map[string]int }
)

var (
	_ io.Reader
	_ sync.Locker
	_ time.Time
)

// Cache keeps values by key.
type Cache[K interface{ ~int8 | ~uint16 }, V any] struct{ byKey map[K][]V }

func (c *Cache[K, V]) Get(k K) []V { return c.byKey[k] }

func (c *Cache[K, V]) Add(k K, v V) { c.byKey[k] = append(c.byKey[k], v) }

var hits = map[string]uint{"a": 1}

func hit(k string) { hits[k]++ }
`

// emitting returns the source of a package that has a map of each of kinds.
func emitting(t *testing.T, name string, kinds [][2]string) []byte {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n%s", name, emittedTypes)
	for i, kind := range kinds {
		fmt.Fprintf(&b, `
type t%[1]d struct {
	m map[%[2]s]%[3]s
}

func (t *t%[1]d) load(k %[2]s) (%[3]s, bool) { v, ok := t.m[k]; return v, ok }
func (t *t%[1]d) store(k %[2]s, v %[3]s) { t.m[k] = v }
func (t *t%[1]d) drop(k %[2]s) { delete(t.m, k) }
func (t *t%[1]d) size() int { return len(t.m) }
func (t *t%[1]d) each(f func(%[2]s)) { for k := range t.m { f(k) } }
`, i, kind[0], kind[1])
	}
	src, err := format.Source([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestEmittedTests(t *testing.T) {
	dir := module(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n"})
	old := module(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.18\n"})
	writeFile(t, filepath.Join(old, "p.go"), emitting(t, "p", emitted))
	mend := func(dir, form string, flags ...string) string {
		t.Helper()
		return mustRun(t, exitOK, append([]string{"-C", dir, "--all", "--field", "t*.m", "--field", "Cache.*", "--field", "hits", "--form", form, "--emit-tests", "--quiet"}, flags...)...)
	}
	mend(old, "rwmutex", "-w", "--accessors", "all")
	half := len(emitted) / 2
	for form, flags := range map[string][]string{"rwmutex": nil, "sharded": nil, "syncmap": {"--accessors", "all"}, "xsync": nil, "snapshot": {"--accessors", "all"}} {
		kinds := emitted[:half]
		if form == "sharded" || form == "snapshot" || form == "xsync" {
			kinds = emitted[half:]
		}
		writeFile(t, filepath.Join(dir, form, "p.go"), emitting(t, form, kinds))
		mend(dir, form, append(flags, "-w", "./"+form)...)
	}

	if diff := mend(dir, "rwmutex"); diff != "" {
		t.Errorf("mended again:\n%s", diff)
	}
	if found := mustRun(t, exitOK, "check", "-C", dir, "--min-confidence", "possible"); found != "" {
		t.Errorf("check finds\n%s", found)
	}

	files, err := filepath.Glob(filepath.Join(dir, "*", "*_mapmend_accessors_test.go"))
	if want := 2*len(emitted) + len(emitted) - half + 5*2; err != nil || len(files) != want {
		t.Errorf("%d files with tests, want %d, error %v", len(files), want, err)
	}
	emittedGo(t, dir, "vet", "./...")
	emittedGo(t, old, "test", "-vet=all", ".")
	if testing.Short() || !haveRace(t) {
		t.Log("SKIP the race detector: it needs a C compiler (cgo), and no -short")
		emittedGo(t, dir, "test", "./...")
	} else {
		emittedGo(t, dir, "test", "-race", "./...")
	}
	emittedGo(t, dir, "test", "-run", "^$", "-bench", ".", "-benchtime", "10x", "./snapshot")
	emittedGo(t, dir, "test", "-run", "^$", "-fuzz", "^FuzzT1MMap$", "-fuzztime", "100x", "./rwmutex")
}

// emittedGo runs a go command in dir.
func emittedGo(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
