package main

// This file tests mapmend as a tool of go vet.

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// separate is a module whose packages are looked at one by one: the helper of one locks for the store of another, and what the
// counter is used for is known to its importer alone.
var separate = map[string]string{
	"go.mod": "module example.com/sep\n\ngo 1.26\n",
	"locked/locked.go": `package locked

import "sync"

// Do calls f while mu is held.
func Do(mu *sync.Mutex, f func()) {
	mu.Lock()
	defer mu.Unlock()
	f()
}
`,
	"store/store.go": `package store

import (
	"sync"

	"example.com/sep/locked"
)

type Store struct {
	mu   sync.Mutex
	byID map[string]int
	old  map[string]int
}

func (s *Store) Put(k string, v int) {
	locked.Do(&s.mu, func() { s.byID[k] = v; s.old[k] = v })
}

func (s *Store) Drop(k string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, k)
}

func (s *Store) Old(k string) int { return s.old[k] }
`,
	"count/count.go": `package count

type Count struct{ n map[string]int }

func New() *Count { return &Count{make(map[string]int)} }

func (c *Count) Add(k string) { c.n[k]++ }
`,
	"main.go": `package main

import "example.com/sep/count"

func main() {
	c := count.New()
	go c.Add("a")
	c.Add("b")
}
`,
}

// imported is a module in which a package is imported by another, which does not set what that package sets by itself.
var imported = map[string]string{
	"go.mod": "module example.com/aware\n\ngo 1.26\n",
	"scrape/scrape.go": `package scrape

import "sync"

type Target struct {
	mu     sync.Mutex
	labels map[string]string
}

func (t *Target) SetLabels(labels map[string]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.labels = labels
}

func (t *Target) Label(name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.labels[name]
}

type Pool struct {
	mu     sync.Mutex
	active map[int]*Target
}

func New() *Pool { return &Pool{active: make(map[int]*Target)} }

func (p *Pool) Sync(found <-chan *Target) {
	for t := range found {
		p.mu.Lock()
		if p.active[0] == nil {
			p.active[0] = t
		} else {
			p.active[0].SetLabels(t.labels)
		}
		p.mu.Unlock()
	}
}
`,
	"api/api.go": `package api

import "example.com/aware/scrape"

func Show(t *scrape.Target) string { return t.Label("job") }
`,
}

func TestVetTool(t *testing.T) {
	tool := buildTool(t)
	vet := func(dir string, flags ...string) []string {
		cmd := exec.Command("go", slices.Concat([]string{"vet", "-vettool=" + tool}, flags, []string{"./..."})...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		out, _ := cmd.CombinedOutput() // it fails where there are findings
		return findingLines(string(out))
	}
	check := func(dir string) []string { return findingLines(mustRun(t, exitFound, "check", "-C", dir)) }

	if got, want := vet("testdata/etcdlike"), check("testdata/etcdlike"); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("go vet reports in the example\n%s\ncheck reports\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	used := module(t, imported)
	mustRun(t, exitOK, "check", "-C", used)
	if got := vet(used); len(got) != 1 || !strings.Contains(got[0], "scrape.Target.labels") {
		t.Errorf("go vet, which knows of no importers, reports\n%s", strings.Join(got, "\n"))
	}
	dir := module(t, separate)
	all := check(dir)
	if len(all) != 2 || !strings.Contains(all[0], "count.Count.n") || !strings.Contains(all[1], "store.Store.old") {
		t.Fatalf("check reports\n%s", strings.Join(all, "\n"))
	}
	if got, want := vet(dir), all[1:]; !slices.Equal(got, want) {
		t.Errorf("go vet reports\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := vet(dir, "-mapmend.min-confidence=possible"); len(got) != 2 {
		t.Errorf("with less confidence, go vet reports\n%s", strings.Join(got, "\n"))
	}
	writeFile(t, filepath.Join(dir, ".mapmend.yaml"), []byte("ignore:\n  - variable: Store.old\n    reason: going\n"))
	if got := vet(dir); len(got) != 0 {
		t.Errorf("go vet reports what the configuration silences:\n%s", strings.Join(got, "\n"))
	}
}

// findingLines returns the lines of out that are about a finding and not below one, sorted.
func findingLines(out string) []string {
	lines := slices.DeleteFunc(strings.Split(out, "\n"), func(l string) bool {
		return strings.HasPrefix(l, "\t") || !strings.Contains(l, ": likely ") && !strings.Contains(l, ": possible ")
	})
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, "./")
	}
	slices.Sort(lines)
	return lines
}
