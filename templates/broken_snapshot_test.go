package templates

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// This file checks the tests of package bench: each finds what is broken in the code that a template renders.

// breaks are ways to break the form snapshot where changes share a copy, as texts to replace. Each is named for what it does.
var breaks = []struct{ name, old, new string }{
	{"a change is lost", "maps.Clone(x.latest())", "maps.Clone(x.load())"},
	{"a change goes into a copy of its own", "if x.next == nil {\n\t\tm := ", "{\n\t\tm := "},
	{"a copy is visible before all changes are in it", "\t\tx.next = &m\n", "\t\tx.next = &m\n\t\tx.now.Store(x.next)\n"},
	{"a change returns before it is visible", "\t<-shown\n", "\t_ = shown\n"},
	{"a change that changes nothing returns before it is visible what it found",
		"defer x.unlock()\n\tif now, ok := x.latest()[k]; !ok || now != old {\n",
		"if now, ok := x.latest()[k]; x.waiting.Load() > 0 && (!ok || now != old) {\n\t\tx.mu.Unlock()\n\t\treturn false\n\t}\n" +
			"\tdefer x.unlock()\n\tif now, ok := x.latest()[k]; !ok || now != old {\n"},
	{"a change returns what was there before the copy", "old, ok := x.latest()[k]\n\tx.draft()", "old, ok := x.load()[k]\n\tx.draft()"},
	{"a function is given what was there before the copy", "old, ok := x.latest()[k]\n\tv, keep", "old, ok := x.load()[k]\n\tv, keep"},
	{"a value is compared with that before the copy", "now, ok := x.latest()[k]", "now, ok := x.load()[k]"},
	{"a value is computed again", "defer x.unlock()\n\tif old, ok := x.latest()[k]; ok {\n\t\treturn old, true\n\t}\n\tv := fn()", "defer x.unlock()\n\tv := fn()"},
	{"an entry is deleted twice", "v, ok := x.latest()[k]\n\tx.remove", "v, ok := x.load()[k]\n\tx.remove"},
	{"a panic leaves the lock behind", "defer x.unlock()\n\told, ok := x.latest()[k]\n\tv, keep := fn(old, ok)", "old, ok := x.latest()[k]\n\tv, keep := fn(old, ok)\n\tdefer x.unlock()"},
	{"a panic leaves half a change behind", "m := x.copied()\n\tfor k", "m := x.draft()\n\tfor k"},
	{"nobody is told that a change is visible", "\t\tclose(x.shown)\n", ""},
	{"no copy is ever visible", "\t\tx.waiting.Add(-1)\n", ""},
	{"nobody waits", "\t\tx.waiting.Add(1)\n\t\tx.mu.Lock()\n\t\tx.waiting.Add(-1)\n", "\t\tx.mu.Lock()\n"},
	{"a copy may be changed for ever", " || x.changes >= 1000", ""},
	{"a change is made to a map that is visible", "x.next, x.changes = nil, 0", "x.changes = 0"},
}

// Each way to break the form is found. The tests are run with the broken code in the place of what is in bench.
func TestBroken(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP the broken forms: they take a minute")
	}
	file, err := filepath.Abs("bench/zz_snapshot_test.go")
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range breaks {
		t.Run(tt.name, func(t *testing.T) {
			if n := strings.Count(string(src), tt.old); n != 1 {
				t.Fatalf("the text to replace is there %d times", n)
			}
			dir := t.TempDir()
			broken, overlay := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
			write(t, broken, strings.Replace(string(src), tt.old, tt.new, 1))
			list, err := json.Marshal(map[string]map[string]string{"Replace": {file: broken}})
			if err != nil {
				t.Fatal(err)
			}
			write(t, overlay, string(list))
			out, err := exec.Command("go", "test", "-overlay", overlay, "-vet=off", "-short", "-timeout", "5s",
				"-run", "^(TestShared|TestLinearizable/snapshot|TestStoredOnce/snapshot)", "./bench").CombinedOutput()
			if err == nil || strings.Contains(string(out), "[build failed]") {
				t.Errorf("error %v\n%s", err, out)
			}
			t.Logf("%.300s", out)
		})
	}
}
