package main

// This file tests the commands plan and apply: a plan is carried out as mend would, or not at all.

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// twoRacy is a module with two variables to mend, each in a package of its own.
var twoRacy = map[string]string{
	"go.mod":           racy["go.mod"],
	"session/store.go": racy["session/store.go"],
	"other/store.go":   strings.Replace(racy["session/store.go"], "package session", "package other", 1),
}

// planned returns a new module of twoRacy with its plan in plan.json, and the plan.
func planned(t *testing.T) (dir string, text string) {
	t.Helper()
	dir = module(t, twoRacy)
	mustRun(t, exitOK, "-C", dir, "plan", "-q", "-o", "plan.json")
	src, err := os.ReadFile(filepath.Join(dir, "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, string(src)
}

// read returns the Go files of twoRacy as they are in dir.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	for name := range twoRacy {
		src, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(src)
	}
	return files
}

// TestApplyDoesWhatMendDoes checks both on one module, and that the plan is out of date once it is written.
func TestApplyDoesWhatMendDoes(t *testing.T) {
	dir, text := planned(t)
	if out := mustRun(t, exitOK, "-C", dir, "plan", "-q"); out != text {
		t.Errorf("plan prints another plan than it writes:\n%s", cmp.Diff(text, out))
	}
	want := mustRun(t, exitFound, "-C", dir, "--exit-code")
	if got := mustRun(t, exitFound, "-C", dir, "apply", "--exit-code", "plan.json"); got != want || got == "" {
		t.Errorf("apply (-mend +apply):\n%s", cmp.Diff(want, got))
	}
	mustRun(t, exitOK, "-C", filepath.Join(dir, "session"), "apply", "-w", "../plan.json") // from any folder of the module
	other := module(t, twoRacy)
	mustRun(t, exitOK, "-C", other, "-w")
	if d := cmp.Diff(read(t, other), read(t, dir)); d != "" {
		t.Errorf("files (-mend +apply):\n%s", d)
	}
	var stderr bytes.Buffer
	code := run([]string{"-C", dir, "apply", "plan.json"}, io.Discard, &stderr)
	if want := "the sources are not those of the plan: other/store.go, session/store.go; plan again"; code != exitError || !strings.Contains(stderr.String(), want) {
		t.Errorf("apply again: exit %d, stderr lacks %s:\n%s", code, want, &stderr)
	}
	mustRun(t, exitOK, "-C", dir, "undo")
	if d := cmp.Diff(twoRacy, read(t, dir)); d != "" {
		t.Errorf("files after undo (-before +after):\n%s", d)
	}
}

// TestPlanFromASubfolder checks that the packages of a plan are those of the folder where it was made.
func TestPlanFromASubfolder(t *testing.T) {
	dir := module(t, twoRacy)
	mustRun(t, exitOK, "-C", filepath.Join(dir, "other"), "plan", "-q", "-o", "../plan.json")
	out := mustRun(t, exitOK, "-C", dir, "apply", "plan.json")
	if !strings.HasPrefix(out, "--- a/other/store.go\n") || strings.Count(out, "+++ ") != 1 {
		t.Errorf("apply prints\n%s", out)
	}
}

// TestApplyPart checks that mends can be taken out of a plan.
func TestApplyPart(t *testing.T) {
	dir, text := planned(t)
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	doc["mends"] = doc["mends"].([]any)[1:]
	writePlan(t, dir, doc)
	out := mustRun(t, exitOK, "-C", dir, "apply", "plan.json")
	if !strings.HasPrefix(out, "--- a/session/store.go\n") || strings.Count(out, "+++ ") != 1 {
		t.Errorf("apply prints\n%s", out)
	}
}

func writePlan(t *testing.T, dir string, doc any) {
	t.Helper()
	src, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "plan.json"), src)
}

// TestPlanIsUntrusted checks that a plan which was changed in any way but by taking mends out changes nothing.
func TestPlanIsUntrusted(t *testing.T) {
	dir, text := planned(t)
	mend := func(doc map[string]any) map[string]any { return doc["mends"].([]any)[0].(map[string]any) }
	section := func(doc map[string]any) map[string]any { return mend(doc)["sections"].([]any)[0].(map[string]any) }
	for _, test := range []struct {
		name   string
		change func(doc map[string]any)
		want   string // part of standard error
	}{
		{"schema", func(doc map[string]any) { doc["schema"] = "mapmend/plan/v9" }, `its schema is "mapmend/plan/v9"`},
		{"key", func(doc map[string]any) { doc["run"] = "rm" }, `unknown field "run"`},
		{"type", func(doc map[string]any) { doc["mends"] = "all" }, "not a plan"},
		{"folder", func(doc map[string]any) { doc["request"].(map[string]any)["dir"] = "../.." }, "is not one of the module"},
		{"absolute folder", func(doc map[string]any) { doc["request"].(map[string]any)["dir"] = filepath.ToSlash(dir) }, "is not one of the module"},
		{"flag", func(doc map[string]any) { doc["request"].(map[string]any)["patterns"] = []string{"-toolexec=touch"} }, "toolexec"},
		{"form", func(doc map[string]any) { doc["request"].(map[string]any)["forms"] = []string{"none"} }, `unknown form "none"`},
		{"pattern", func(doc map[string]any) { doc["request"].(map[string]any)["fields"] = []string{"["} }, `field pattern "[": malformed`},
		{"confidence", func(doc map[string]any) { doc["request"].(map[string]any)["minConfidence"] = "sure" }, "must be possible, likely or proven"},
		{"no source", func(doc map[string]any) { doc["sources"] = nil }, "the sources are not those of the plan"},
		{"another source", func(doc map[string]any) {
			doc["sources"] = append(doc["sources"].([]any), map[string]string{"package": "p", "file": "../../x.go", "hash": "00"})
		}, "the sources are not those of the plan: ../../x.go; plan again"},
		{"file", func(doc map[string]any) { section(doc)["file"] = "../x.go" }, "planned in another way now"},
		{"place", func(doc map[string]any) { section(doc)["start"] = -1 }, "planned in another way now"},
		{"lock", func(doc map[string]any) { section(doc)["lock"] = "f().mu" }, "planned in another way now"},
		{"wrapper", func(doc map[string]any) { mend(doc)["wrapper"] = map[string]string{"file": "/etc/x.go"} }, "planned in another way now"},
		{"variable", func(doc map[string]any) { mend(doc)["field"] = "mu" }, "is not to be mended now"},
		{"twice", func(doc map[string]any) { doc["mends"] = append(doc["mends"].([]any), mend(doc)) }, "stands twice in the plan"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var doc map[string]any
			if err := json.Unmarshal([]byte(text), &doc); err != nil {
				t.Fatal(err)
			}
			test.change(doc)
			writePlan(t, dir, doc)
			var stdout, stderr bytes.Buffer
			if code := run([]string{"-C", dir, "apply", "-w", "plan.json"}, &stdout, &stderr); code != exitError || !strings.Contains(stderr.String(), test.want) {
				t.Errorf("exit %d, stderr lacks %q:\n%s", code, test.want, &stderr)
			}
			if d := cmp.Diff(twoRacy, read(t, dir)); d != "" || stdout.Len() > 0 {
				t.Errorf("files (-before +after):\n%s\nstdout:\n%s", d, &stdout)
			}
		})
	}
}

// TestReceiversAreUntrusted checks that the receivers that are to be pointers are those of the program, all of them.
func TestReceiversAreUntrusted(t *testing.T) {
	const file = "stats.go"
	src := `package stats

type stats struct{ hits map[string]int }

func (s stats) hit(k string) { s.hits[k]++ }

func (s stats) count() int { return len(s.hits) }

func Run(keys []string) {
	s := &stats{hits: make(map[string]int)}
	for _, k := range keys {
		go s.hit(k)
	}
}
`
	for name, change := range map[string]func(list []any) any{
		"as it was": func(list []any) any { return list },
		"none":      func([]any) any { return nil },
		"one less":  func(list []any) any { return list[1:] },
		"another":   func(list []any) any { list[0].(map[string]any)["method"] = "Run"; return list },
		"elsewhere": func(list []any) any { list[0].(map[string]any)["start"] = 1; return list },
	} {
		dir := module(t, map[string]string{"go.mod": racy["go.mod"], file: src})
		var doc map[string]any
		if err := json.Unmarshal([]byte(mustRun(t, exitOK, "-C", dir, "plan", "-q")), &doc); err != nil {
			t.Fatal(err)
		}
		mend := doc["mends"].([]any)[0].(map[string]any)
		mend["receivers"] = change(mend["receivers"].([]any))
		writePlan(t, dir, doc)
		want := exitError
		if name == "as it was" {
			want = exitOK
		}
		if code := run([]string{"-C", dir, "apply", "-q", "-w", "plan.json"}, io.Discard, io.Discard); code != want {
			t.Errorf("%s: exit %d, want %d", name, code, want)
		}
		got, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if changed := string(got) != src; changed != (want == exitOK) || changed && strings.Count(string(got), "(s *stats)") != 2 {
			t.Errorf("%s: the file is\n%s", name, got)
		}
	}
}

// TestPlanKeepsOtherFiles checks that -o replaces a plan, and nothing else.
func TestPlanKeepsOtherFiles(t *testing.T) {
	dir, text := planned(t)
	mustRun(t, exitOK, "-C", dir, "plan", "-q", "-o", "plan.json")
	var stderr bytes.Buffer
	if code := run([]string{"-C", dir, "plan", "-o", "go.mod"}, io.Discard, &stderr); code != exitError || !strings.Contains(stderr.String(), "the file exists and is no plan") {
		t.Errorf("exit %d, stderr:\n%s", code, &stderr)
	}
	if d := cmp.Diff(twoRacy, read(t, dir)); d != "" {
		t.Errorf("files (-before +after):\n%s", d)
	}
	if again, err := os.ReadFile(filepath.Join(dir, "plan.json")); err != nil || string(again) != text {
		t.Errorf("the second plan is another one: %v", err)
	}
}

// TestPlanOfTwinIsUntrusted checks the same of what is planned for a function that is split.
func TestPlanOfTwinIsUntrusted(t *testing.T) {
	files := map[string]string{"go.mod": racy["go.mod"], "store.go": `package store

import "sync"

type Store struct {
	mu sync.Mutex
	m  map[string]int
}

func New() *Store { return &Store{m: make(map[string]int)} }

func (s *Store) Get(k string) int { return s.m[k] }

func (s *Store) Add(k string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m[k] = s.Get(k) + 1
}

func (s *Store) Twice(k string) int { return 2 * s.Get(k) }
`}
	dir := module(t, files)
	mustRun(t, exitOK, "-C", dir, "plan", "-q", "-o", "plan.json")
	text, err := os.ReadFile(filepath.Join(dir, "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	if out := mustRun(t, exitOK, "-C", dir, "apply", "plan.json"); !strings.Contains(out, "+func (s *Store) getLocked(k string) int { return s.m[k] }\n") {
		t.Fatalf("apply prints\n%s", out)
	}
	for _, test := range []struct {
		name   string
		change func(twin map[string]any)
		want   string // part of standard error
	}{
		{"key", func(twin map[string]any) { twin["run"] = "rm" }, `unknown field "run"`},
		{"type", func(twin map[string]any) { twin["calls"] = "all" }, "not a plan"},
		{"name", func(twin map[string]any) { twin["name"] = "heldGet" }, "planned in another way now"},
		{"lock", func(twin map[string]any) { twin["lock"] = "s" }, "planned in another way now"},
		{"mode", func(twin map[string]any) { twin["read"] = true }, "planned in another way now"},
		{"place", func(twin map[string]any) { twin["start"] = 0 }, "planned in another way now"},
		{"no call", func(twin map[string]any) { twin["calls"] = nil }, "planned in another way now"},
		{"call", func(twin map[string]any) { twin["calls"].([]any)[0].(map[string]any)["file"] = "../x.go" }, "planned in another way now"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var doc map[string]any
			if err := json.Unmarshal(text, &doc); err != nil {
				t.Fatal(err)
			}
			test.change(doc["mends"].([]any)[0].(map[string]any)["twins"].([]any)[0].(map[string]any))
			writePlan(t, dir, doc)
			var stdout, stderr bytes.Buffer
			if code := run([]string{"-C", dir, "apply", "-w", "plan.json"}, &stdout, &stderr); code != exitError || !strings.Contains(stderr.String(), test.want) {
				t.Errorf("exit %d, stderr lacks %q:\n%s", code, test.want, &stderr)
			}
			if src, err := os.ReadFile(filepath.Join(dir, "store.go")); err != nil || string(src) != files["store.go"] || stdout.Len() > 0 {
				t.Errorf("store.go is now\n%s\nstdout:\n%s", src, &stdout)
			}
		})
	}
}
