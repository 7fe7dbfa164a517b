package main

// This file tests that crashes and race reports of real programs lead to the map variables.

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// racer is a program that runs into the race that its argument names.
var racer = map[string]string{
	"go.mod":     "module example.com/racer\n\ngo 1.26\n\nrequire lib v1.0.0\n\nreplace lib => ./lib\n",
	"lib/go.mod": "module lib\n\ngo 1.26\n",
	"lib/lib.go": `package lib

var calls = make(map[string]int)

// Count counts.
func Count(name string) { calls[name]++ }
`,
	"store/store.go": `package store

import (
	"maps"
	"sync"

	"lib"
)

type Store[V any] struct {
	mu     sync.Mutex
	byID   map[string]V
	byN    map[int]V
	conf   map[string]V
	quiet  map[string]V // nothing tells that goroutines share it
}

func New[V any]() *Store[V] {
	return &Store[V]{byID: map[string]V{}, byN: map[int]V{}, conf: map[string]V{}, quiet: map[string]V{}}
}

func (s *Store[V]) Put(k string, v V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[k] = v
}

func (s *Store[V]) Get(k string) V { return s.byID[k] }

func (s *Store[V]) Fill(n int, v V) { fill(s.byN, n, v) }

func fill[V any](m map[int]V, n int, v V) {
	m[n] = v
}

func (s *Store[V]) Merge(m map[string]V) { maps.Copy(s.byID, m) }

func (s *Store[V]) Reload(m map[string]V) { s.conf = m }

func (s *Store[V]) Conf(k string) V { return s.conf[k] }

func (s *Store[V]) Quiet(k string, v V) { s.quiet[k] = v }

func (s *Store[V]) Lib() {
	s.drop()
	lib.Count("a")
}

func (s *Store[V]) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, "z")
}

// Bump has nothing to do with what of s it drops.
func (s *Store[V]) Bump(all []map[int]int) {
	s.drop()
	bump(all)
}

func bump(all []map[int]int) {
	all[0][1]++
}
`,
	"main.go": `package main

import (
	"log"
	"os"
	"time"

	"example.com/racer/store"
)

func main() {
	s := store.New[int]()
	all := []map[int]int{{}}
	log.Println("begin")
	defer log.Println("end")
	todo := map[string][2]func(){
		"guard":   {func() { s.Put("a", 1) }, func() { s.Get("a") }},
		"copy":    {func() { s.Put("b", 1) }, func() { s.Merge(map[string]int{"a": 1}) }},
		"replace": {func() { s.Reload(nil) }, func() { s.Conf("a") }},
		"quiet":   {func() { s.Quiet("a", 1) }, func() { s.Quiet("a", 2) }},
		"lib":     {s.Lib, s.Lib},
		"bump":    {func() { s.Bump(all) }, func() { s.Bump(all) }},
		"crash":   {func() { s.Fill(1, 1) }, func() { s.Fill(2, 2) }},
	}[os.Args[1]]
	if os.Args[1] == "crash" {
		for i := range 8 {
			go func() {
				for {
					todo[i%2]()
				}
			}()
		}
		time.Sleep(time.Minute)
	}
	for _, f := range todo {
		go f()
		time.Sleep(20 * time.Millisecond) // the race detector sees it all the same
	}
}
`,
}

func TestEvidence(t *testing.T) {
	dir := module(t, racer)
	build := func(flags ...string) string {
		exe := filepath.Join(t.TempDir(), "racer")
		cmd := exec.Command("go", append(append([]string{"build", "-o", exe}, flags...), ".")...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return exe
	}
	plain, trimmed, race := build(), build("-trimpath"), build("-race")
	for _, test := range []struct{ name, exe, mode, want, note string }{
		{"guard", race, "guard", "store.Store.byID", ""},
		{"copied into", race, "copy", "store.Store.byID", ""},
		{"replace", race, "replace", "store.Store.conf", ""},
		{"quiet", race, "quiet", "store.Store.quiet", ""},
		{"crash", plain, "crash", "store.Store.byN", ""},
		{"crash, trimmed paths", trimmed, "crash", "store.Store.byN", ""},
		{"a map of no variable", race, "bump", "", "it names no map variable of these packages, but store.bump at store.go:"},
		{"another module", race, "lib", "", "it names no map variable of these packages, but lib.Count at lib.go:6"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command(test.exe, test.mode)
			cmd.Env = append(os.Environ(), "GOTRACEBACK=all", "GORACE=atexit_sleep_ms=50")
			log, _ := cmd.CombinedOutput()
			file := filepath.Join(t.TempDir(), "log")
			writeFile(t, file, log)
			var stdout, stderr bytes.Buffer
			code := run([]string{"check", "-C", dir, "--evidence", file, "--min-confidence", "proven"}, &stdout, &stderr)
			var names []string
			for line := range strings.SplitSeq(stdout.String(), "\n") {
				if strings.Contains(line, ": proven ") {
					names = append(names, strings.Split(line, ": ")[2])
				}
			}
			if got := strings.Join(names, " "); got != test.want || (code == exitFound) != (test.want != "") || !strings.Contains(stderr.String(), test.note) {
				t.Errorf("exit %d, proven: %q, want %q\n%s%s\nof\n%s", code, got, test.want, &stdout, &stderr, log)
			}
			if strings.Count(stdout.String(), "evidence: "+file+":") != len(names) {
				t.Errorf("the log is not named once for each finding:\n%s", &stdout)
			}
		})
	}

	// Another version of the program: the lines are those of other functions, but the functions tell.
	log, _ := exec.Command(race, "guard").CombinedOutput()
	file := filepath.Join(t.TempDir(), "old")
	writeFile(t, file, log)
	moved := strings.Replace(racer["store/store.go"], "\ntype Store", "\nfunc Before(m map[int]int) {\n\tm[1]++\n\tm[2]++\n}\n\ntype Store", 1)
	writeFile(t, filepath.Join(dir, "store", "store.go"), []byte(moved))
	if got := heads(t, exitFound, dir, "--evidence", file, "--min-confidence", "proven"); got != "store.Store.byID" {
		t.Errorf("with lines that moved, proven: %q", got)
	}

	empty := filepath.Join(t.TempDir(), "empty")
	writeFile(t, empty, []byte("nothing\n"))
	mustRun(t, exitError, "check", "-C", dir, "--evidence", empty)
	mustRun(t, exitError, "check", "-C", dir, "--evidence", empty+"2")
}
