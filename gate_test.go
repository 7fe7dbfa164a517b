package main

// This file tests the gates: baselines, changes, the index, and the hook.

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// another is a second problem for racy, in another function of the same variable; more is another variable with one.
const (
	another = "\nfunc (s *Store) Has(k string) bool {\n\t_, ok := s.byID[k]\n\treturn ok\n}\n"
	more    = `package session

import "sync"

type Other struct {
	mu sync.Mutex
	m  map[string]int
}

func (o *Other) Put(k string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.m[k]++
}

func (o *Other) Get(k string) int { return o.m[k] }
`
)

// heads returns the names of the variables that check reports in dir, in order, after it ended with the code want.
func heads(t *testing.T, want int, dir string, args ...string) string {
	t.Helper()
	var names []string
	for line := range strings.SplitSeq(mustRun(t, want, append([]string{"check", "-q", "-C", dir}, args...)...), "\n") {
		if line != "" && !strings.HasPrefix(line, "\t") {
			names = append(names, strings.Split(line, ": ")[2])
		}
	}
	return strings.Join(names, " ")
}

func TestBaseline(t *testing.T) {
	dir := module(t, racy)
	file := filepath.Join(t.TempDir(), "known.json")
	mustRun(t, exitError, "check", "-C", dir, "--baseline", file)
	mustRun(t, exitOK, "check", "-C", dir, "--baseline", file, "--write-baseline")
	if got := heads(t, exitOK, dir, "--baseline", file); got != "" {
		t.Errorf("with all findings in the baseline: %s", got)
	}
	store := filepath.Join(dir, "session", "store.go")
	moved := strings.Replace(racy["session/store.go"], "\ntype", "\n// Lines are added.\n\ntype", 1)
	writeFile(t, store, []byte(moved))
	if got := heads(t, exitOK, dir, "--baseline", file); got != "" {
		t.Errorf("after lines moved: %s", got)
	}
	writeFile(t, store, []byte(moved+another))
	writeFile(t, filepath.Join(dir, "session", "more.go"), []byte(more))
	if got, want := heads(t, exitFound, dir, "--baseline", file), "session.Other.m session.Store.byID"; got != want {
		t.Errorf("with a new variable, and a problem in a new function of the old one: %q, want %q", got, want)
	}

	mustRun(t, exitOK, "-w", "-C", dir)
	var stdout, stderr bytes.Buffer
	if code := run([]string{"check", "-C", dir, "--baseline", file}, &stdout, &stderr); code != exitOK || !strings.Contains(stderr.String(), "session.Store.byID") {
		t.Errorf("exit %d, and that a finding is gone is not said:\n%s", code, &stderr)
	}
	mustRun(t, exitOK, "check", "-C", dir, "--baseline", file, "--write-baseline")
	if src, err := os.ReadFile(file); err != nil || strings.Contains(string(src), "byID") {
		t.Errorf("%v; the baseline is not pruned:\n%s", err, src)
	}

	// What is not looked at stays known.
	writeFile(t, filepath.Join(dir, "other", "other.go"), []byte(strings.Replace(more, "package session", "package other", 1)))
	mustRun(t, exitOK, "check", "-C", dir, "--baseline", file, "--write-baseline")
	mustRun(t, exitOK, "check", "-C", dir, "--baseline", file, "--write-baseline", "./session")
	if got := heads(t, exitOK, dir, "--baseline", file); got != "" {
		t.Errorf("after the baseline of one package was written: %s", got)
	}
	mustRun(t, exitError, "check", "-C", dir, "--baseline", file, "--write-baseline", "--field", "Store.*")
	writeFile(t, filepath.Join(dir, "bad", "bad.go"), []byte("package bad\n\nvar n int = true\n"))
	mustRun(t, exitError, "check", "-C", dir, "--baseline", file, "--write-baseline")

	own := filepath.Join(dir, "notes.txt")
	writeFile(t, own, []byte("mine"))
	mustRun(t, exitError, "check", "-C", dir, "--baseline", own, "--write-baseline")
	mustRun(t, exitError, "check", "-C", dir, "--baseline", own)
	if src, _ := os.ReadFile(own); string(src) != "mine" {
		t.Errorf("a file that is no baseline was replaced by %s", src)
	}
}

// commit commits all files in dir, of which git makes a repository if it is none.
func commit(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "-m", "x"}} {
		git(t, dir, args...)
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestChangedSince(t *testing.T) {
	dir := module(t, racy)
	mustRun(t, exitError, "check", "-C", dir, "--changed-since", "HEAD") // no repository
	git(t, dir, "init", "-q")
	if got, want := heads(t, exitFound, dir, "--changed-since", "HEAD"), "session.Store.byID"; got != want {
		t.Errorf("before the first commit: %q, want %q", got, want)
	}
	commit(t, dir)
	mustRun(t, exitError, "check", "-C", dir, "--changed-since", "nothing")
	if got := heads(t, exitOK, dir, "--changed-since", "HEAD"); got != "" {
		t.Errorf("without a change: %s", got)
	}
	writeFile(t, filepath.Join(dir, "session", "more.go"), []byte(more)) // not tracked
	if got, want := heads(t, exitFound, filepath.Join(dir, "session"), "--changed-since", "HEAD"), "session.Other.m"; got != want {
		t.Errorf("with a new file: %q, want %q", got, want)
	}

	// A change that takes a lock away brings a finding where no line is new.
	unlocked := strings.ReplaceAll(more, "\to.mu.Lock()\n\tdefer o.mu.Unlock()\n", "")
	locked := strings.Replace(more, "int { return o.m[k] }", "int {\n\to.mu.Lock()\n\tdefer o.mu.Unlock()\n\treturn o.m[k]\n}", 1)
	writeFile(t, filepath.Join(dir, "session", "more.go"), []byte(locked))
	commit(t, dir)
	half := strings.Replace(locked, "\to.mu.Lock()\n\tdefer o.mu.Unlock()\n\treturn", "\treturn", 1)
	writeFile(t, filepath.Join(dir, "session", "more.go"), []byte(half))
	if got, want := heads(t, exitFound, dir, "--changed-since", "HEAD"), "session.Other.m"; got != want || unlocked == more {
		t.Errorf("without a lock that was there: %q, want %q", got, want)
	}
	if err := os.Remove(filepath.Join(dir, "session", "more.go")); err != nil {
		t.Fatal(err)
	}
	if got := heads(t, exitOK, dir, "--changed-since", "HEAD"); got != "" {
		t.Errorf("without a file that was there: %s", got)
	}
}

func TestStaged(t *testing.T) {
	dir := module(t, racy)
	store, other := filepath.Join(dir, "session", "store.go"), filepath.Join(dir, "session", "more.go")
	mended := strings.Replace(racy["session/store.go"], "\treturn", "\ts.mu.Lock()\n\tdefer s.mu.Unlock()\n\treturn", 1)
	commit(t, dir)
	writeFile(t, store, []byte(mended))
	writeFile(t, other, []byte(more))
	if got, want := heads(t, exitFound, dir, "--staged"), "session.Store.byID"; got != want {
		t.Errorf("with the mend and a new file not in the index: %q, want %q", got, want)
	}
	git(t, dir, "add", "session/more.go")
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if got, want := heads(t, exitFound, dir, "--staged"), "session.Other.m session.Store.byID"; got != want {
		t.Errorf("with a file that is in the index alone: %q, want %q", got, want)
	}
	if got, want := heads(t, exitFound, dir, "--staged", "--changed-since", "HEAD"), "session.Other.m"; got != want {
		t.Errorf("of these, the commit brings %q, want %q", got, want)
	}
	git(t, dir, "add", "session/store.go")
	if got, want := heads(t, exitFound, dir, "--staged"), "session.Other.m"; got != want {
		t.Errorf("with the mend in the index: %q, want %q", got, want)
	}
}

// TestStagedNames checks what git and the go command call by different names, and what only the index has.
func TestStagedNames(t *testing.T) {
	dir := module(t, map[string]string{"mods/a/go.mod": racy["go.mod"], "mods/a/session/store.go": racy["session/store.go"], "README": "x"})
	commit(t, dir)
	sub := filepath.Join(dir, "mods", "a")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(sub, link); err != nil {
		t.Skip(err)
	}
	writeFile(t, filepath.Join(sub, "session", "more.go"), []byte(more))
	git(t, dir, "add", "-A")
	if err := os.Remove(filepath.Join(sub, "session", "more.go")); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{sub, link, filepath.Join(sub, "session")} {
		if got, want := heads(t, exitFound, at, "--staged", "--changed-since", "HEAD"), "session.Other.m"; got != want {
			t.Errorf("in %s: %q, want %q", at, got, want)
		}
	}

	git(t, dir, "reset", "-q", "--hard")
	writeFile(t, filepath.Join(sub, "session", "soon.go"), []byte(more))
	git(t, dir, "add", "-N", "mods/a/session/soon.go")
	if got := heads(t, exitOK, sub, "--staged", "--changed-since", "HEAD"); got != "" {
		t.Errorf("with a file that is only announced: %s", got)
	}

	writeFile(t, filepath.Join(sub, ".mapmend.yaml"), []byte("ignore:\n  - variable: Store.*\n    reason: later\n"))
	if got, want := heads(t, exitFound, sub, "--staged"), "session.Store.byID"; got != want {
		t.Errorf("with a configuration that is not in the index: %q, want %q", got, want)
	}
	git(t, dir, "add", "mods/a/.mapmend.yaml")
	if got := heads(t, exitOK, sub, "--staged"); got != "" {
		t.Errorf("with a configuration in the index: %s", got)
	}
}

func TestHook(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the hooks of the test are shell scripts")
	}
	dir := module(t, racy)
	commit(t, dir)
	hooks := filepath.Join(dir, ".git", "hooks")
	writeFile(t, filepath.Join(hooks, "pre-commit"), []byte("#!/bin/sh\necho before >>.git/ran\n[ ! -e stop ]\n"))
	if err := os.Chmod(filepath.Join(hooks, "pre-commit"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("PATH")
	if _, err := exec.LookPath("mapmend"); err != nil {
		mustRun(t, exitError, "hook", "install", "-C", dir)
	}
	t.Setenv("PATH", filepath.Dir(buildTool(t))+string(os.PathListSeparator)+path)
	mustRun(t, exitError, "hook", "-C", dir)
	mustRun(t, exitOK, "hook", "install", "-C", filepath.Join(dir, "session"))
	mustRun(t, exitOK, "hook", "install", "-C", dir) // again

	try := func(want bool, why string) {
		t.Helper()
		cmd := exec.Command("git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "--allow-empty", "-m", "x")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err == nil != want {
			t.Errorf("%s, the commit succeeds: %v\n%s", why, err == nil, out)
		}
	}
	try(true, "without a change")
	writeFile(t, filepath.Join(dir, "session", "more.go"), []byte(more))
	try(true, "with a finding that is not staged")
	git(t, dir, "add", "-A")
	try(false, "with a staged finding")
	git(t, dir, "rm", "-q", "-f", "session/more.go")
	writeFile(t, filepath.Join(dir, "stop"), nil)
	try(false, "with a failing hook that was there before")
	if ran, _ := os.ReadFile(filepath.Join(dir, ".git", "ran")); strings.Count(string(ran), "before") != 4 {
		t.Errorf("the hook that was there before ran as %q", ran)
	}

	writeFile(t, filepath.Join(dir, "session", "store.go"), []byte("package session\n\nvar n int = true\n"))
	if err := os.Remove(filepath.Join(dir, "stop")); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", "-A")
	try(true, "with a package that does not compile")

	mustRun(t, exitOK, "hook", "remove", "-C", dir)
	mustRun(t, exitError, "hook", "remove", "-C", dir)
	if src, err := os.ReadFile(filepath.Join(hooks, "pre-commit")); err != nil || !strings.Contains(string(src), "echo before") {
		t.Errorf("%v; the hook that was there before is not back:\n%s", err, src)
	}
}

// TestHookBelow checks a hook where the module is not at the root of the repository.
func TestHookBelow(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the hook is a shell script")
	}
	dir := module(t, map[string]string{"README": "x", "srv/go.mod": racy["go.mod"], "srv/session/store.go": racy["session/store.go"]})
	commit(t, dir)
	t.Setenv("PATH", filepath.Dir(buildTool(t))+string(os.PathListSeparator)+os.Getenv("PATH"))
	mustRun(t, exitOK, "hook", "install", "-C", dir)
	linked := filepath.Join(t.TempDir(), "linked")
	git(t, dir, "worktree", "add", "-q", linked)
	for _, tree := range []string{dir, linked} {
		try := func(want bool, why string) {
			t.Helper()
			cmd := exec.Command("git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "-m", "x")
			cmd.Dir, cmd.Env = tree, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
			if out, err := cmd.CombinedOutput(); err == nil != want {
				t.Errorf("%s, the commit in %s succeeds: %v\n%s", why, tree, err == nil, out)
			}
		}
		writeFile(t, filepath.Join(tree, "README"), []byte(tree))
		git(t, tree, "add", "-A")
		try(true, "of a text")
		writeFile(t, filepath.Join(tree, "srv", "session", "more.go"), []byte(more))
		git(t, tree, "add", "-A")
		try(false, "with a finding")
		git(t, tree, "rm", "-q", "-f", "srv/session/more.go")
	}
}

// TestHookConfig checks that the hook heeds the configuration of each module, and that of no other.
func TestHookConfig(t *testing.T) {
	dir := module(t, map[string]string{
		"a/go.mod": "module example.com/a\n\ngo 1.26\n", "a/.mapmend.yaml": "min-confidence: possible\n", "a/a.go": "package a\n",
		"b/go.mod": "module example.com/b\n\ngo 1.26\n", "b/b.go": "package b\n",
		"c/go.mod": "module example.com/c\n\ngo 1.26\n", "c/.mapmend.yaml": "tags: extra\nmin-confidence: possible\n", "c/c.go": "package c\n",
	})
	commit(t, dir)
	const kept = "\n\ntype Kept struct{ m map[string]int }\n\nfunc (k *Kept) Put(s string) { k.m[s]++ }\n"
	writeFile(t, filepath.Join(dir, "a", "a.go"), []byte("package a"+kept))
	writeFile(t, filepath.Join(dir, "b", "b.go"), []byte("package b"+kept))
	writeFile(t, filepath.Join(dir, "c", "extra.go"), []byte("//go:build extra\n\npackage c"+kept))
	git(t, dir, "add", "-A")
	var stdout, stderr bytes.Buffer
	if code := run([]string{"hook", "run", "-C", dir}, &stdout, &stderr); code != exitFound {
		t.Errorf("exit %d\n%s", code, &stderr)
	}
	for file, want := range map[string]int{"\ta.go:": 1, "\tb.go:": 0, "\textra.go:": 1} {
		if got := strings.Count(stdout.String(), file); got != want {
			t.Errorf("%q stands %d times in\n%s", file, got, &stdout)
		}
	}
}

// buildTool builds mapmend and returns the name of the file.
func buildTool(t *testing.T) string {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "mapmend")
	if runtime.GOOS == "windows" {
		tool += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return tool
}
