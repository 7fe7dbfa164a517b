package main

// This file tests --platforms from the outside: what is written builds on each platform, and plans are carried out for those of the plan.

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mapmend/plan/load"
)

// twoPlatforms is a module with a map that a file of windows uses, too.
var twoPlatforms = map[string]string{
	"go.mod": "module example.com/two\n\ngo 1.26\n",
	"store/store.go": `package store

import "sync"

type Store struct {
	mu sync.Mutex
	m  map[string]int
}

func (s *Store) Put(k string) {
	s.mu.Lock()
	s.m[k]++
	s.mu.Unlock()
}

func (s *Store) Len() int { return len(s.m) }
`,
	"store/store_windows.go": `package store

func (s *Store) Drop(k string) { delete(s.m, k) }
`,
	"service/service_windows.go": `package service

import "example.com/two/store"

func Run(s *store.Store) { s.Drop("a") }
`,
}

const bothPlatforms = "linux/amd64,windows/amd64"

// buildFor builds the module in dir for a platform.
func buildFor(t *testing.T, dir, platform string) {
	t.Helper()
	goos, goarch, _ := strings.Cut(platform, "/")
	cmd := exec.Command("go", "vet", "./...")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("on %s: %v\n%s", platform, err, out)
	}
}

func TestPlatformsWritten(t *testing.T) {
	dir := module(t, twoPlatforms)
	mustRun(t, exitFound, "check", "-C", dir, "--platforms", bothPlatforms)
	mustRun(t, exitOK, "-C", dir, "-w", "--platforms", bothPlatforms)
	for _, name := range []string{"store/store.go", "store/store_windows.go"} {
		src, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(src) == twoPlatforms[name] {
			t.Errorf("%s is not mended", name)
		}
	}
	buildFor(t, dir, "linux/amd64")
	buildFor(t, dir, "windows/amd64")
	mustRun(t, exitOK, "check", "-C", dir, "--platforms", bothPlatforms) // which no earlier answer is for
	mustRun(t, exitOK, "undo", "-C", dir)
	mustRun(t, exitFound, "check", "-C", dir, "--platforms", bothPlatforms)
}

// TestPlatformsPlanned checks that a plan is carried out for the platforms that it was made for, and not for others.
func TestPlatformsPlanned(t *testing.T) {
	dir := module(t, twoPlatforms)
	want := mustRun(t, exitOK, "-C", dir, "--platforms", bothPlatforms)
	plan := filepath.Join(t.TempDir(), "mend.json")
	mustRun(t, exitOK, "plan", "-C", dir, "-o", plan, "--platforms", bothPlatforms)
	if got := mustRun(t, exitOK, "apply", "-C", dir, plan); got != want {
		t.Errorf("the plan is carried out as\n%s\nand not as\n%s", got, want)
	}
	src, err := os.ReadFile(plan)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, plan, bytes.Replace(src, []byte(`"windows/amd64"`), []byte(`"darwin/arm64"`), 1))
	mustRun(t, exitError, "apply", "-C", dir, plan)
	writeFile(t, plan, src)
	writeFile(t, filepath.Join(dir, "store/store_windows.go"), []byte(twoPlatforms["store/store_windows.go"]+"// Later.\n"))
	mustRun(t, exitError, "apply", "-C", dir, plan)
}

// TestPlatformsOfOne checks packages that there are on one of the platforms only, by each kind of pattern.
func TestPlatformsOfOne(t *testing.T) {
	dir := module(t, twoPlatforms)
	for _, pattern := range []string{"./service", "./service/...", "example.com/two/service"} {
		mustRun(t, exitOK, "check", "-C", dir, "--platforms", bothPlatforms, pattern)
		mustRun(t, exitError, "check", "-C", dir, "--platforms", "linux/amd64", pattern)
	}
}

// TestPlatformsBroken checks that an error on one platform says which it is, and that its package is not mended on another.
func TestPlatformsBroken(t *testing.T) {
	files := map[string]string{"store/broken_windows.go": "package store\n\nvar x = missing\n"}
	for name, text := range twoPlatforms {
		files[name] = text
	}
	dir := module(t, files)
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-C", dir, "--platforms", bothPlatforms}, &stdout, &stderr); code != exitError || stdout.Len() > 0 {
		t.Errorf("exit %d\n%s", code, &stdout)
	}
	if want := "store/broken_windows.go:3:9: undefined: missing (on windows/amd64)\n"; !strings.Contains(stderr.String(), want) {
		t.Errorf("want %q in\n%s", want, &stderr)
	}
}

// TestPlatformsList compares the platforms that are known with those of the go command.
func TestPlatformsList(t *testing.T) {
	out, err := exec.Command("go", "tool", "dist", "list").Output()
	if err != nil {
		t.Skipf("the go command does not list them: %v", err)
	}
	want := strings.Fields(string(out))
	if got := slices.Sorted(slices.Values(load.Platforms)); !slices.Equal(got, want) {
		t.Errorf("the platforms are %v, want %v", got, want)
	}
}
