package main

// This file tests that check says the same whether it recalls it or works it out, and works it out when something has changed. All other
// tests run without a cache.

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"mapmend/plan"
)

func TestMain(m *testing.M) {
	os.Setenv(cacheEnv, "off")
	os.Exit(m.Run())
}

// said is what a run says: its code and both streams. With -v it also tells whether that was recalled.
func said(args ...string) (string, bool) {
	var stdout, stderr bytes.Buffer
	code := run(append([]string{"check"}, args...), &stdout, &stderr)
	return fmt.Sprintf("exit %d\n%s--\n%s", code, &stdout, &stderr), strings.Contains(stderr.String(), "nothing has changed since the last run")
}

// isRecalled reports whether check with args recalls its answer.
func isRecalled(args ...string) bool {
	_, recalled := said(append([]string{"-v"}, args...)...)
	return recalled
}

func caching(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cache")
	t.Setenv(cacheEnv, dir)
	return dir
}

// TestAnswerOfCases checks on the cases of detect that a recalled answer is the one worked out, also in a format that shows source.
func TestAnswerOfCases(t *testing.T) {
	caching(t)
	dir := t.TempDir()
	var batched []*testCase
	for _, c := range readCases(t) {
		if c.flags == nil && c.folder == "detect" {
			batched = append(batched, c)
		}
	}
	layOut(t, dir, batched)
	for _, format := range []string{"text", "sarif"} {
		args := []string{"-C", dir, "--format", format, "--min-confidence", "possible"}
		off, _ := said(append([]string{"--no-cache"}, args...)...)
		first, _ := said(args...)
		second, _ := said(args...)
		if first != off || second != off {
			t.Errorf("%s: what is said without a cache, at first and then differs", format)
		}
		if !isRecalled(args...) {
			t.Errorf("%s: the answer is not recalled", format)
		}
	}
}

// TestAnswerIsNotStale changes each thing that decides an answer, and checks that it is not recalled then, and is when it is taken back.
func TestAnswerIsNotStale(t *testing.T) {
	caching(t)
	files := maps.Clone(racy)
	files["go.mod"] = "module example.com/app\n\ngo 1.26\n\nrequire example.com/dep v0.0.0\n\nreplace example.com/dep => ../dep\n"
	files["dep.go"] = "package app\n\nimport _ \"example.com/dep\"\n"
	root := module(t, map[string]string{"dep/go.mod": "module example.com/dep\n\ngo 1.26\n", "dep/dep.go": "package dep\n"})
	dir := filepath.Join(root, "app")
	for name, text := range files {
		writeFile(t, filepath.Join(dir, filepath.FromSlash(name)), []byte(text))
	}
	args := []string{"-C", dir}
	if isRecalled(args...) || !isRecalled(args...) {
		got, _ := said("-v", "-C", dir)
		t.Fatalf("the first run must work it out, and the second recall it:\n%s", got)
	}
	store := racy["session/store.go"]
	for _, test := range []struct{ what, file, text string }{
		{"a file edited", "session/store.go", strings.Replace(store, "return s.byID[k]", "return len(k)", 1)},
		{"a comment edited", "session/store.go", store + "\n// More.\n"},
		{"a file added", "session/more.go", more},
		{"a file of another platform added", "session/more_plan9.go", more},
		{"a test added", "session/store_test.go", "package session\n"},
		{"a file that is not Go added", "session/notes.txt", ""},
		{"a file removed", "session/store.go", ""},
		{"go.mod", "go.mod", strings.Replace(files["go.mod"], "1.26", "1.25", 1)},
		{"the configuration", ".mapmend.yaml", "ignore:\n  - variable: Store.byID\n    reason: test\n"},
		{"a replaced module", "../dep/dep.go", "package dep\n\nvar M map[string]int\n"},
		{"a file in a replaced module", "../dep/more.go", "package dep\n"},
		{"another module in the tree", "tools/go.mod", "module example.com/tools\n"},
	} {
		name := filepath.Join(dir, filepath.FromSlash(test.file))
		old, err := os.ReadFile(name)
		if test.what == "a file removed" {
			os.Remove(name)
		} else {
			writeFile(t, name, []byte(test.text))
		}
		if isRecalled(args...) {
			t.Errorf("%s: the answer from before is recalled", test.what)
		}
		got, _ := said(args...)
		if want, _ := said("--no-cache", "-C", dir); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.what, got, want)
		}
		if err == nil {
			writeFile(t, name, old)
		} else if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Dir(name)) // fails unless it was added
		if !isRecalled(args...) {
			t.Errorf("%s: the answer is not recalled after it was taken back", test.what)
		}
	}
	for _, other := range [][]string{{"--tests=false"}, {"--tags", "x"}, {"--field", "Store.*"}, {"--min-confidence", "possible"}, {"./session"}} {
		all := append(args[:2:2], other...)
		if isRecalled(all...) || !isRecalled(all...) {
			t.Errorf("%v: the first run must work it out, and the second recall it", other)
		}
	}
	for _, v := range [][2]string{{"GOFLAGS", "-tags=y"}, {"GOARCH", "arm"}, {"CGO_ENABLED", "0"}} {
		t.Run(v[0], func(t *testing.T) {
			t.Setenv(v[0], v[1])
			if isRecalled(args...) || !isRecalled(args...) {
				t.Errorf("%s: the first run must work it out, and the second recall it", v)
			}
		})
	}
}

// TestAnswerOfStaged checks that what the index holds is asked about, and not the files.
func TestAnswerOfStaged(t *testing.T) {
	caching(t)
	dir := module(t, racy)
	commit(t, dir)
	store := filepath.Join(dir, "session", "store.go")
	args := []string{"-C", dir, "--staged", "--changed-since", "HEAD"}
	writeFile(t, filepath.Join(dir, "session", "more.go"), []byte(more))
	for _, want := range []int{exitOK, exitOK} {
		mustRun(t, want, append([]string{"check"}, args...)...)
	}
	git(t, dir, "add", "-A")
	for range 2 {
		mustRun(t, exitFound, append([]string{"check"}, args...)...)
	}
	if !isRecalled(args...) {
		t.Error("the answer on the index is not recalled")
	}
	writeFile(t, store, []byte("package session\n"))
	mustRun(t, exitFound, append([]string{"check"}, args...)...)
}

// TestAnswerOfRevision checks that what a revision has by the configuration of today is not taken for what it has by its own.
func TestAnswerOfRevision(t *testing.T) {
	caching(t)
	dir := module(t, racy)
	writeFile(t, filepath.Join(dir, "session", "more.go"), []byte(more))
	commit(t, dir)
	name := filepath.Join(dir, ".mapmend.yaml")
	since := []string{"-C", dir, "--changed-since", "HEAD"}
	staged := []string{"-C", dir, "--staged"}
	ignore := []byte("ignore:\n  - variable: Store.byID\n    reason: test\n")

	// The work tree has a configuration that the index has not.
	writeFile(t, name, ignore)
	said(since...)
	want, _ := said(append([]string{"--no-cache"}, staged...)...)
	if got, _ := said(staged...); got != want {
		t.Errorf("of the index got\n%s\nwant\n%s", got, want)
	}

	// The index has one that the work tree has not, then none.
	both := append([]string{"--changed-since", "HEAD"}, staged...)
	git(t, dir, "add", "-A")
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	said(both...)
	git(t, dir, "rm", "-q", "--cached", ".mapmend.yaml")
	want, _ = said(append([]string{"--no-cache"}, both...)...)
	if got, _ := said(both...); got != want {
		t.Errorf("since the revision got\n%s\nwant\n%s", got, want)
	}
}

// TestAnswerIsNotKept checks what must not be recalled: a program with errors, and one whose files are not all known beforehand.
func TestAnswerIsNotKept(t *testing.T) {
	caching(t)
	cgo := map[string]string{"go.mod": racy["go.mod"], "a.go": "package app\n\nimport \"C\"\n\nvar N C.int\n"}
	other := map[string]string{"go.mod": racy["go.mod"], "a.go": "package app\n\nimport _ \"example.com/app/link\"\n", "real/go.mod": "module example.com/real\n"}
	for what, dir := range map[string]string{"errors": module(t, broken), "cgo": module(t, cgo), "a linked folder": module(t, other)} {
		if what == "a linked folder" {
			elsewhere := module(t, map[string]string{"a.go": "package link\n"})
			if err := os.Symlink(elsewhere, filepath.Join(dir, "link")); err != nil {
				t.Skip(err)
			}
		}
		for range 2 {
			if isRecalled("-C", dir) {
				t.Errorf("%s: the answer is recalled", what)
			}
		}
	}
}

// TestAnswerOfCgoInModuleCache checks that cgo of a module in the module cache keeps nothing from being recalled, unless it asks pkg-config.
func TestAnswerOfCgoInModuleCache(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler")
	}
	proxy, mods := t.TempDir(), t.TempDir()
	t.Setenv("CGO_ENABLED", "1")
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(proxy))
	t.Setenv("GONOSUMDB", "*")
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOMODCACHE", mods)
	t.Cleanup(func() { _ = exec.Command("go", "clean", "-modcache").Run() }) // its files are read-only
	const plain = "package c\n\n// #define N 1\nimport \"C\"\n\nconst N = C.N\n"
	for what, src := range map[string]string{"plain": plain, "pkg-config": strings.Replace(plain, "// #d", "// #cgo !"+runtime.GOOS+" pkg-config: x\n// #d", 1)} {
		publish(t, proxy, "example.com/"+what, map[string]string{"go.mod": "module example.com/" + what + "\n\ngo 1.22\n", "c.go": src})
		caching(t)
		dir := module(t, map[string]string{"go.mod": racy["go.mod"] + "\nrequire example.com/" + what + " v1.0.0\n", "a.go": "package app\n\nimport _ \"example.com/" + what + "\"\n"})
		mustRun(t, exitOK, "check", "-C", dir) // writes go.sum
		mustRun(t, exitOK, "check", "-C", dir)
		if got, want := isRecalled("-C", dir), what == "plain"; got != want {
			t.Errorf("%s: recalled %v, want %v", what, got, want)
		}
	}
}

// publish puts version 1.0.0 of a module into the module proxy that is the folder proxy.
func publish(t *testing.T, proxy, path string, files map[string]string) {
	t.Helper()
	var zipped bytes.Buffer
	z := zip.NewWriter(&zipped)
	for name, text := range files {
		w, err := z.Create(path + "@v1.0.0/" + name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(proxy, filepath.FromSlash(path), "@v", "v1.0.0")
	writeFile(t, at+".info", []byte(`{"Version":"v1.0.0"}`))
	writeFile(t, at+".mod", []byte(files["go.mod"]))
	writeFile(t, at+".zip", zipped.Bytes())
}

// TestAnswerOfLibrary checks that it is seen when the module cache gets the library that a form was refused for.
func TestAnswerOfLibrary(t *testing.T) {
	caching(t)
	mods := t.TempDir()
	t.Setenv("GOMODCACHE", mods)
	dir := module(t, racy)
	writeFile(t, filepath.Join(dir, "bare", "bare.go"), []byte("package bare\n\nvar m = map[string]int{}\n\nfunc Run() {\n\tgo func() { m[\"a\"] = 1 }()\n\tm[\"b\"] = 2\n}\n"))
	writeFile(t, filepath.Join(dir, ".mapmend.yaml"), []byte("forms:\n  - variable: bare.m\n    form: xsync\n"))
	for _, lacks := range []bool{true, false} {
		for range 2 {
			got, _ := said("-C", dir)
			if strings.Contains(got, "the module cache lacks") != lacks {
				t.Errorf("that the library is missing is %v, and it says\n%s", lacks, got)
			}
		}
		lib := plan.XSync.Requires()
		if err := os.MkdirAll(filepath.Join(mods, filepath.FromSlash(lib.Path)+"@"+lib.Version), 0o777); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnswerOfDevelopmentVersion checks that nothing is kept that a development version of Go compiled, whichever way that is called.
func TestAnswerOfDevelopmentVersion(t *testing.T) {
	real, err := exec.LookPath("go")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("needs a shell", err)
	}
	dir := module(t, racy)
	for _, version := range []string{"devel go1.26-0123abc", "go1.26-devel_0123abc"} {
		t.Run(version, func(t *testing.T) {
			caching(t)
			bin := t.TempDir()
			writeFile(t, filepath.Join(bin, "go"), fmt.Appendf(nil, "#!/bin/sh\n%s \"$@\" | sed 's/\"GOVERSION\": \".*\"/\"GOVERSION\": \"%s\"/'\n", real, version))
			if err := os.Chmod(filepath.Join(bin, "go"), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			if said("-C", dir); isRecalled("-C", dir) {
				t.Error("the answer is recalled")
			}
		})
	}
}

// TestAnswerWithoutFolder checks that a cache that cannot be used is none.
func TestAnswerWithoutFolder(t *testing.T) {
	dir := module(t, racy)
	want, _ := said("-C", dir)
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, nil)
	t.Setenv(cacheEnv, file)
	for range 2 {
		if got, _ := said("-C", dir); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	cache := caching(t)
	for range 2 {
		said("-C", dir)
	}
	entries, _ := filepath.Glob(filepath.Join(cache, "*"))
	if len(entries) != 2 { // the answer, and the summaries
		t.Fatalf("%d entries", len(entries))
	}
	for _, entry := range entries {
		writeFile(t, entry, []byte("damaged"))
	}
	if got, _ := said("-C", dir); got != want {
		t.Errorf("with damaged entries got %s, want %s", got, want)
	}
	if !isRecalled("-C", dir) {
		t.Error("the damaged answer was not replaced")
	}
}

// TestAnswersInTheTree checks that answers which are kept in the tree that they are about are recalled, and a package there is seen.
func TestAnswersInTheTree(t *testing.T) {
	dir := module(t, racy)
	cache := filepath.Join(dir, "kept")
	t.Setenv(cacheEnv, cache)
	for range 2 { // the first makes the folder
		said("-C", dir)
	}
	if !isRecalled("-C", dir) {
		t.Error("the answer is not recalled")
	}
	writeFile(t, filepath.Join(cache, "more.go"), []byte(more))
	want, _ := said("--no-cache", "-C", dir)
	if got, _ := said("-C", dir); got != want {
		t.Errorf("with a package in the folder got %s, want %s", got, want)
	}
}

// TestAnswersAtOnce checks that runs at the same time all say what they should.
func TestAnswersAtOnce(t *testing.T) {
	dir := module(t, racy)
	want, _ := said("-C", dir)
	caching(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if got, _ := said("-C", dir); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	group.Wait()
}

// analysed returns which part of check's -v says how many packages were analysed, and what it says to standard output.
func analysed(args ...string) (counts []string, out string) {
	var stdout, stderr bytes.Buffer
	run(append([]string{"check", "-v"}, args...), &stdout, &stderr)
	for line := range strings.Lines(stderr.String()) {
		if _, rest, ok := strings.Cut(line, "mapmend: analysed "); ok {
			counts = append(counts, strings.TrimSuffix(rest, " is known is from an earlier run\n"))
		}
	}
	return counts, stdout.String()
}

// TestSummariesInCheck changes one package after the other, and checks that check says what it does without a cache, and analyses only what has
// changed and what imports that; at the revision that is compared with nothing.
func TestSummariesInCheck(t *testing.T) {
	caching(t)
	dir := module(t, racy)
	writeFile(t, filepath.Join(dir, "user", "user.go"), []byte("package user\n\nimport _ \"example.com/app/session\"\n"))
	writeFile(t, filepath.Join(dir, "other", "other.go"), []byte("package other\n"))
	commit(t, dir)
	args := []string{"-C", dir}
	for _, step := range []struct {
		file, text string
		since      bool
		want       string
	}{
		{want: "3 packages; of 0 packages what"},
		{file: "other/other.go", text: "package other\n\nvar V int\n", want: "1 package; of 2 packages what"},
		{file: "session/more.go", text: more, want: "2 packages; of 1 package what"},
		{file: "session/store.go", text: "\n\n" + racy["session/store.go"], want: "2 packages; of 1 package what"},
		{file: "other/other.go", text: "package other\n", since: true, want: "1 package; of 2 packages what, 2 packages; of 1 package what"},
		{file: "other/half.go", text: "pack", want: "0 packages; of 2 packages what"},
		{file: "other/half.go", text: "package other\n", want: "1 package; of 2 packages what"},
		{file: "other/more.go", text: "package other\n", since: true, want: "1 package; of 2 packages what, 0 packages; of 3 packages what"},
	} {
		if step.file != "" {
			writeFile(t, filepath.Join(dir, filepath.FromSlash(step.file)), []byte(step.text))
		}
		asked := args
		if step.since {
			asked = append([]string{"--changed-since", "HEAD"}, args...)
		}
		_, want := analysed(append([]string{"--no-cache"}, asked...)...)
		counts, got := analysed(asked...)
		if got != want || got == "" {
			t.Errorf("after %s: got\n%s\nwithout a cache\n%s", step.file, got, want)
		}
		if counts := strings.Join(counts, ", "); counts != step.want {
			t.Errorf("after %s: analysed %q, want %q", step.file, counts, step.want)
		}
	}
}
