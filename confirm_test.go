package main

// This file tests that the race of a finding is shown, and that the mend ends it.

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// confirmed is a module with findings that a test can show, and with some that it cannot.
var confirmed = map[string]string{
	"go.mod": "module example.com/app\n\ngo 1.21\n",
	"store/store.go": `package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// The names of the test's own variables and imports mean something here.
func x()    {}
func time_() {}

type start struct{}

type Store[V any] struct {
	mu   sync.Mutex
	byID map[string]V
	ch   chan struct{}
}

func Open[V any](ctx context.Context, ttl time.Duration, onDrop func(string, V) bool, opts ...start) (*Store[V], error) {
	if onDrop == nil {
		return nil, errors.New("no function")
	}
	return &Store[V]{byID: map[string]V{}, ch: make(chan struct{})}, nil
}

func (s *Store[V]) Put(k string, v V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[k] = v
}

func (s *Store[V]) Wait(k string) V {
	v := s.byID[k]
	<-s.ch
	return v
}

type conn interface{ Send(string) error }

type Hub struct {
	mu    sync.Mutex
	conns map[string]conn
}

func NewHub(c conn) *Hub { return &Hub{conns: map[string]conn{"a": c}} }

func (h *Hub) Add(name string, c conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns[name] = c
}

func (h *Hub) Find(name string, c conn) bool { return h.conns[name] == c }

type Calm struct {
	mu sync.Mutex
	m  map[string]int
}

func (c *Calm) Put(k string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m != nil {
		c.m[k]++
	}
}

func (c *Calm) Get(k string) int {
	if k != "b" {
		return 0
	}
	return c.m[k]
}

// Its callers hold the lock of put.
type Helped struct {
	mu sync.Mutex
	m  map[string]int
}

func (h *Helped) Put(k string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.twice(k)
}

func (h *Helped) twice(k string) {
	h.put(k)
	h.put(k)
}

func (h *Helped) put(k string) { h.m[k]++ }

func (h *Helped) Get(k string) int { return h.m[k] }

// One of the callers of put holds its lock.
type Half struct {
	mu sync.Mutex
	m  map[string]int
}

func (h *Half) Put(k string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.put(k)
}

func (h *Half) Bare(k string) { h.put(k) }

func (h *Half) put(k string) { h.m[k]++ }
`,
	"internal/deep/deep.go": `package deep

import "sync"

// Its callers hold the lock of Put, and are elsewhere.
type Deep struct {
	Mu sync.Mutex
	m  map[string]int
}

func (d *Deep) Put(k string) { d.m[k]++ }

func (d *Deep) Get(k string) int { return d.m[k] }
`,
	"user/user.go": `package user

import "example.com/app/internal/deep"

func Run(d *deep.Deep) {
	go d.Get("a")
	d.Mu.Lock()
	defer d.Mu.Unlock()
	d.Put("a")
}
`,
}

func TestConfirm(t *testing.T) {
	dir := module(t, confirmed)
	keep := filepath.Join(t.TempDir(), "race_test.go")
	out := mustRun(t, exitFound, "confirm", "-q", "-C", dir, "Store.byID", "-o", keep)
	for _, want := range []string{
		"store.Store.byID: proven: (*Store).Put beside (*Store).Wait\n", "a data race: ", "a write in store.(*Store).Put at store.go:32",
		"after the mend the same test is silent\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "store", "mapmend_confirm_test.go")); err == nil {
		t.Error("the test is left in the module")
	}

	// The kept test fails by itself, and not once the mend is written.
	src, err := os.ReadFile(keep)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "store", "race_test.go"), src)
	try := func() ([]byte, error) {
		cmd := exec.Command("go", "test", "-race", "-vet=off", "./store")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		return cmd.CombinedOutput()
	}
	if out, err := try(); err == nil {
		t.Errorf("the test that was kept passes:\n%s", out)
	}
	mustRun(t, exitOK, "-w", "-q", "-C", dir, "--field", "Store.byID")
	if out, err := try(); err != nil {
		t.Errorf("once the mend is written, the test that was kept fails: %v\n%s", err, out)
	}
	mustRun(t, exitError, "confirm", "-q", "-C", dir, "Store.byID") // there is no finding any more

	var stdout, stderr bytes.Buffer
	if code := run([]string{"confirm", "-C", dir, "Hub.conns"}, &stdout, &stderr); code != exitError || !strings.Contains(stderr.String(), "cannot be called with made-up values") {
		t.Errorf("exit %d; of a function whose arguments cannot be made up, it says\n%s", code, &stderr)
	}
	if out := mustRun(t, exitOK, "confirm", "-q", "-C", dir, "Calm.m"); !strings.Contains(out, "not shown") {
		t.Errorf("of a race that is not reached, it says\n%s", out)
	}
	if out := mustRun(t, exitFound, "confirm", "-q", "-C", dir, "Helped.m"); !strings.Contains(out, "(*Helped).Put beside (*Helped).Get\n") || !strings.Contains(out, "is silent") {
		t.Errorf("of a function whose callers hold the lock, it says\n%s", out)
	}
	if out := mustRun(t, exitFound, "confirm", "-q", "-C", dir, "Half.m"); !strings.Contains(out, "(*Half).Bare beside (*Half).Put\n") || !strings.Contains(out, "is silent") {
		t.Errorf("of a function of whose callers one holds the lock, it says\n%s", out)
	}
	stdout.Reset()
	stderr.Reset()
	if code := run([]string{"confirm", "-C", dir, "Deep.m"}, &stdout, &stderr); code != exitError || !strings.Contains(stderr.String(), "a lock is held by Run of example.com/app/user") {
		t.Errorf("exit %d; of a function whose callers in another package hold the lock, it says\n%s%s", code, &stdout, &stderr)
	}
	mustRun(t, exitError, "confirm", "-C", dir)
}
