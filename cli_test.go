package main

// This file tests the command line itself: what is a usage error, what help prints, which exit code
// and which stream. What the commands find and write is for the cases.

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// racy is a module with one likely finding, sound one without, broken one that does not type-check.
var (
	racy = map[string]string{
		"go.mod": "module example.com/app\n\ngo 1.26\n",
		"session/store.go": `package session

import "sync"

type Store struct {
	mu   sync.Mutex
	byID map[string]int
}

func (s *Store) Put(k string, v int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[k] = v
}

func (s *Store) Get(k string) int {
	return s.byID[k]
}
`,
	}
	sound = map[string]string{
		"go.mod":  "module example.com/sound\n\ngo 1.26\n",
		"main.go": "package main\n\nfunc main() {}\n",
	}
	broken = map[string]string{
		"go.mod":           racy["go.mod"],
		"session/store.go": racy["session/store.go"],
		"bad/bad.go":       "package bad\n\nvar n int = \"no\"\n",
	}
)

// run carries out a command line as main does, but for signals.
func run(args []string, stdout, stderr io.Writer) int {
	inv := &invocation{stdin: os.Stdin, stdout: stdout, stderr: stderr}
	return inv.run(args)
}

// module writes files to a new folder and returns it.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		writeFile(t, filepath.Join(dir, filepath.FromSlash(name)), []byte(text))
	}
	return dir
}

func TestUsageErrors(t *testing.T) {
	dir := module(t, sound)
	for _, test := range []struct {
		args []string
		want string // part of standard error
	}{
		{[]string{"--bogus"}, "unknown flag: --bogus"},
		{[]string{"check", "-w"}, "'mapmend check' does not take --write"},
		{[]string{"explain", "x", "--format", "json"}, "'mapmend explain' does not take --format"},
		{[]string{"plan", "--format", "json"}, "'mapmend plan' does not take --format"},
		{[]string{"-w", "--format", "sarif"}, "--format is about what a dry run prints: use it without -w"},
		{[]string{"--all", "--format", "sarif"}, "--all mends what no finding is about"},
		{[]string{"--form", "hashed"}, `unknown form "hashed": the forms are auto, lock, rwmutex, sharded, syncmap, snapshot, xsync`},
		{[]string{"--form", "auto,lock"}, `unknown form "auto"`},
		{[]string{"switch"}, "which variable? usage: mapmend switch PKG.Type.field --form FORM [packages]"},
		{[]string{"switch", "Store.m"}, "which form? --form FORM, --accessors=all to add to the one it has, or --emit-tests"},
		{[]string{"switch", "Store.m", "--form", "sharded,lock"}, "the form lock has none"},
		{[]string{"switch", "Store.m", "--form", "sharded"}, "no map variable Store.m in these packages has a generated type"},
		{[]string{"check", "--emit-tests"}, "'mapmend check' does not take --emit-tests"},
		{[]string{"--emit-tests", "--tests=false"}, "--emit-tests writes tests, which --tests=false does not load"},
		{[]string{"check", "--accessors", "all"}, "'mapmend check' does not take --accessors"},
		{[]string{"--accessors", "some"}, "must be one of used, all"},
		{[]string{"--min-confidence", "sure"}, "must be possible, likely or proven"},
		{[]string{"check", "--format", "xml"}, "must be one of text, json, sarif, github, rdjson"},
		{[]string{"--color", "sometimes"}, "must be one of auto, always, never"},
		{[]string{"--field", "["}, `--field "[": syntax error in pattern`},
		{[]string{"-w", "--exit-code"}, "use it without -w"},
		{[]string{"-v", "-q"}, "exclude each other"},
		{[]string{"-C", filepath.Join(dir, "none")}, "-C: "},
		{[]string{"-C", filepath.Join(dir, "main.go")}, "is not a directory"},
		{[]string{"explain"}, "which variable?"},
		{[]string{"-C", dir, "./none"}, "none"},
		{[]string{"-C", dir, "chekc"}, "package chekc is not in std"},
		{[]string{"-C", dir, "chekc", "./..."}, "chekc is not a command (check, plan, apply, explain, confirm, switch, undo, config, hook, completion, man, help)"},
		{[]string{"help", "chekc"}, "chekc is not a command: the commands are check, plan, apply, explain, confirm, switch, undo, config, hook, completion, man, help"},
		{[]string{"-C", dir, "undo"}, "there is no run to take back in .: only the last one with -w can be, once"},
		{[]string{"-C", dir, "undo", "./..."}, "undo takes no packages"},
		{[]string{"help", "-w"}, "'mapmend help' does not take --write"},
		{[]string{"-C", dir, "explain", "Store.byID"}, "Store.byID"},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(test.args, &stdout, &stderr); code != exitError {
				t.Errorf("exit %d, want %d", code, exitError)
			}
			if !strings.Contains(stderr.String(), test.want) {
				t.Errorf("stderr lacks %q:\n%s", test.want, &stderr)
			}
			if stdout.Len() > 0 {
				t.Errorf("stdout is not empty:\n%s", &stdout)
			}
		})
	}
}

// TestHelp checks that every command's help shows its flags, those only, and its examples, which parse.
func TestHelp(t *testing.T) {
	inv := new(invocation)
	inv.define()
	for _, c := range commands {
		page := mustRun(t, exitOK, append(strings.Fields(c.name), "--help")...)
		inv.flags.VisitAll(func(f *pflag.Flag) {
			shown := strings.Contains(page, "--"+f.Name+" ")
			if taken := slices.Contains(c.flags, f.Name) || slices.Contains(common, f.Name); shown != taken {
				t.Errorf("help of %q shows --%s: %v, the command takes it: %v", c.name, f.Name, shown, taken)
			}
		})
		for _, name := range c.flags {
			if inv.flags.Lookup(name) == nil {
				t.Errorf("%q takes --%s, which is not defined", c.name, name)
			}
		}
		for _, example := range c.examples {
			if !strings.Contains(page, example) {
				t.Errorf("help of %q lacks the example %s", c.name, example)
			}
			line, _, _ := strings.Cut(example, "#")
			line, _, _ = strings.Cut(line, "|")
			args := strings.Fields(strings.ReplaceAll(line, "'", ""))
			if got, err := new(invocation).parse(args[1:]); err != nil || got.name != c.name {
				t.Errorf("example %q is the command %q: %v", example, got.name, err)
			}
		}
	}
}

// TestHelpCommand checks that help does what --help does.
func TestHelpCommand(t *testing.T) {
	for _, test := range []struct{ args, same []string }{
		{[]string{"help"}, []string{"--help"}},
		{[]string{"help", "check"}, []string{"check", "--help"}},
		{[]string{"help", "help"}, []string{"help", "--help"}},
	} {
		if got, want := mustRun(t, exitOK, test.args...), mustRun(t, exitOK, test.same...); got != want {
			t.Errorf("%q prints\n%s\n%q prints\n%s", test.args, got, test.same, want)
		}
	}
}

func TestVersion(t *testing.T) {
	if line := mustRun(t, exitOK, "--version"); !strings.HasPrefix(line, "mapmend ") || !strings.HasSuffix(line, "\n") {
		t.Errorf("--version prints %q", line)
	}
}

// TestPackageNamedLikeACommand checks that after -- nothing is a command.
func TestPackageNamedLikeACommand(t *testing.T) {
	for _, test := range []struct {
		args []string
		name string
		rest []string
	}{
		{[]string{"check"}, "check", []string{}},
		{[]string{"-v", "check", "./a"}, "check", []string{"./a"}},
		{[]string{"./check"}, "", []string{"./check"}},
		{[]string{"--", "check"}, "", []string{"check"}},
		{[]string{"--", "help"}, "", []string{"help"}},
	} {
		inv := new(invocation)
		c, err := inv.parse(test.args)
		if err != nil || c.name != test.name || !slices.Equal(inv.args, test.rest) {
			t.Errorf("%q is %q with %q: %v", test.args, c.name, inv.args, err)
		}
	}
}

// TestExitCodes checks which code, and which streams, each way of running gives.
func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		name           string
		files          map[string]string
		args           []string
		code           int
		stdout, stderr bool // whether there is any
	}{
		{"dry run", racy, nil, exitOK, true, true},
		{"dry run, quiet", racy, []string{"-q"}, exitOK, true, false},
		{"dry run, exit code", racy, []string{"--exit-code"}, exitFound, true, true},
		{"write", racy, []string{"-w"}, exitOK, false, true},
		{"check", racy, []string{"check"}, exitFound, true, false},
		{"check proven", racy, []string{"check", "--min-confidence", "proven"}, exitOK, false, true},
		{"explain", racy, []string{"explain", "session.Store.byID"}, exitOK, true, false},
		{"sound", sound, []string{"--exit-code"}, exitOK, false, true},
		{"sound, check", sound, []string{"check"}, exitOK, false, false},
		{"broken", broken, []string{"--exit-code"}, exitError, true, true},
		{"broken, check", broken, []string{"check"}, exitError, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := module(t, test.files)
			var stdout, stderr bytes.Buffer
			code := run(append([]string{"-C", dir}, test.args...), &stdout, &stderr)
			if code != test.code || stdout.Len() > 0 != test.stdout || stderr.Len() > 0 != test.stderr {
				t.Errorf("exit %d, want %d; stdout:\n%s\nstderr:\n%s", code, test.code, &stdout, &stderr)
			}
			for _, out := range []string{stdout.String(), stderr.String()} {
				if strings.Contains(out, dir) {
					t.Errorf("a file is named by its absolute path:\n%s", out)
				}
			}
		})
	}
}

// TestLoadErrorIsPositioned checks that an error of a package stands at its place, once, as an editor reads it.
func TestLoadErrorIsPositioned(t *testing.T) {
	var stdout, stderr bytes.Buffer
	run([]string{"-C", module(t, broken), "check"}, &stdout, &stderr)
	if n := strings.Count(stderr.String(), "bad/bad.go:3:13: "); n != 1 {
		t.Errorf("the type error stands %d times in:\n%s", n, &stderr)
	}
}

// TestBrokenTest checks that a package is reported, but not rewritten, when only its test does not compile.
func TestBrokenTest(t *testing.T) {
	dir := module(t, racy)
	writeFile(t, filepath.Join(dir, "session", "store_test.go"), []byte("package session\n\nvar n int = \"no\"\n"))
	const wrong = "session/store_test.go:3:13: cannot use "
	for _, test := range []struct{ flag, stdout, stderr string }{
		{"check", "session/store.go:17:", ""},
		{"-w", "", "(load-error)"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run([]string{"-C", dir, test.flag}, &stdout, &stderr); code != exitError {
			t.Errorf("%s: exit %d, want %d", test.flag, code, exitError)
		}
		if !strings.HasPrefix(stdout.String(), test.stdout) || !strings.Contains(stderr.String(), test.stderr) || strings.Count(stderr.String(), wrong) != 1 {
			t.Errorf("%s: stdout:\n%s\nstderr:\n%s", test.flag, &stdout, &stderr)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "session", "store.go")); err != nil || string(got) != racy["session/store.go"] {
		t.Errorf("store.go was rewritten: %v", err)
	}
}

// TestFixedFiles checks that a file which -w could not replace is refused, by the dry run too, and that the other files are
// mended.
func TestFixedFiles(t *testing.T) {
	store := racy["session/store.go"]
	dir := module(t, map[string]string{
		"go.mod":        racy["go.mod"],
		"free/store.go": store, "locked/store.go": store, "elsewhere/store.txt": store, "link/doc.go": "package session\n",
	})
	if err := os.Chmod(filepath.Join(dir, "locked", "store.go"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../elsewhere/store.txt", filepath.Join(dir, "link", "store.go")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("free", filepath.Join(dir, "folder")); err != nil {
		t.Skip(err)
	}
	for _, args := range [][]string{{"./..."}, {"./folder"}, {"-w", "./..."}} {
		var stdout, stderr bytes.Buffer
		run(append([]string{"-C", dir}, args...), &stdout, &stderr)
		want := []string{"locked/store.go is read-only (file-shape)", "link/store.go is a symbolic link (file-shape)", "would mend 1 map variable in 1 file"}
		switch args[0] {
		case "./folder":
			want = []string{"folder/store.go lies behind a symbolic link (file-shape)"}
		case "-w":
			want[2] = "mended 1 map variable in 1 file"
		}
		for _, w := range want {
			if !strings.Contains(stderr.String(), w) {
				t.Errorf("%s: stderr lacks %q:\n%s", args, w, &stderr)
			}
		}
		if changes := strings.Count(stdout.String(), "+++ "); changes > 0 && !strings.HasPrefix(stdout.String(), "--- a/free/store.go\n") || changes > 1 {
			t.Errorf("%s: stdout:\n%s", args, &stdout)
		}
	}
	for name, mended := range map[string]bool{"free/store.go": true, "locked/store.go": false, "elsewhere/store.txt": false} {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || (string(got) != store) != mended {
			t.Errorf("%s: mended: %v, want %v, %v", name, !mended, mended, err)
		}
	}
}

// TestUndo checks that undo gives back every byte, from any folder of the module, and nothing when a file was edited since.
func TestUndo(t *testing.T) {
	dir := module(t, racy)
	store := filepath.Join(dir, "session", "store.go")
	read := func() string {
		src, err := os.ReadFile(store)
		if err != nil {
			t.Fatal(err)
		}
		return string(src)
	}
	mustRun(t, exitOK, "-C", dir, "-w")
	mended := read()
	if mended == racy["session/store.go"] {
		t.Fatal("-w changed nothing")
	}
	writeFile(t, store, []byte(mended+"// mine\n"))
	var stderr bytes.Buffer
	if code := run([]string{"-C", dir, "undo"}, io.Discard, &stderr); code != exitError || !strings.Contains(stderr.String(), "session/store.go: changed since the run") {
		t.Errorf("undo of an edited file: exit %d, stderr:\n%s", code, &stderr)
	}
	if read() != mended+"// mine\n" {
		t.Error("undo wrote a file that was edited since")
	}
	writeFile(t, store, []byte(mended))
	if out := mustRun(t, exitOK, "-C", filepath.Join(dir, "session"), "undo"); out != "store.go\n" {
		t.Errorf("undo prints %q", out)
	}
	if read() != racy["session/store.go"] {
		t.Errorf("after undo the file is\n%s", read())
	}
}

// TestInterruptedRun checks that a run which reads tells of one that was interrupted, and that one which writes takes it back first.
func TestInterruptedRun(t *testing.T) {
	dir := module(t, racy)
	git := filepath.Join(dir, ".git")
	writeFile(t, filepath.Join(git, "HEAD"), nil)
	mustRun(t, exitOK, "-C", dir, "-w")
	last, err := filepath.Glob(filepath.Join(git, "mapmend", "*", "last"))
	if err != nil || len(last) != 1 {
		t.Fatalf("records of runs: %q, %v", last, err)
	}
	journal := filepath.Join(filepath.Dir(last[0]), "journal")
	if err := os.Rename(last[0], journal); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	if code := run([]string{"-C", dir, "check"}, io.Discard, &stderr); code != exitOK || !strings.Contains(stderr.String(), "a run was interrupted here") {
		t.Errorf("check: exit %d, stderr:\n%s", code, &stderr)
	}
	stderr.Reset()
	if code := run([]string{"-C", dir, "-w"}, io.Discard, &stderr); code != exitOK {
		t.Errorf("-w: exit %d", code)
	}
	for _, want := range []string{"took back a run that was interrupted", "mended 1 map variable in 1 file"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("-w: stderr lacks %q:\n%s", want, &stderr)
		}
	}
}

// TestNotProvedIsPositioned checks that a refusal of the proof stands at a place of the file as it is, not as it would be.
func TestNotProvedIsPositioned(t *testing.T) {
	dir := module(t, map[string]string{"go.mod": racy["go.mod"], "a.go": `package app

import "sync"

type S struct{ m map[string]int }

func Run() {
	s := &S{m: map[string]int{}}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { s.m["a"]++ })
	}
	wg.Wait()
	_ = (*struct{ m map[string]int })(s)
}
`})
	var stdout, stderr bytes.Buffer
	run([]string{"-C", dir}, &stdout, &stderr)
	if want := "a.go:14:36: cannot mend app.S.m: TypeChecks: "; !strings.HasPrefix(stderr.String(), want) {
		t.Errorf("stderr does not begin with %s:\n%s", want, &stderr)
	}
}

// TestJSON checks the shape that scripts rely on.
func TestJSON(t *testing.T) {
	var doc struct {
		Schema   string
		Findings []map[string]any
		Refusals []map[string]any
	}
	out := mustRun(t, exitFound, "check", "--format", "json", "-C", module(t, racy))
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Schema != "mapmend/findings/v1" || len(doc.Findings) != 1 || doc.Refusals == nil {
		t.Fatalf("unexpected document:\n%s", out)
	}
	f := doc.Findings[0]
	for key, want := range map[string]any{
		"kind": "inconsistent-guard", "confidence": "likely", "module": "example.com/app",
		"package": "example.com/app/session", "owner": "Store", "field": "byID", "guard": "mu",
	} {
		if f[key] != want {
			t.Errorf("%s is %v, want %v", key, f[key], want)
		}
	}
	for _, key := range []string{"id", "evidence", "pos", "message", "chains", "sites"} {
		if f[key] == nil || f[key] == "" {
			t.Errorf("%s is missing:\n%s", key, out)
		}
	}
}

// TestFilesAreRelativeToTheWorkingDirectory checks the names in reports and diffs, below the module's root and with -C.
func TestFilesAreRelativeToTheWorkingDirectory(t *testing.T) {
	dir := module(t, racy)
	for _, test := range []struct{ dir, want string }{
		{dir, "session/store.go"},
		{filepath.Join(dir, "session"), "store.go"},
	} {
		if out := mustRun(t, exitFound, "check", "-C", test.dir); !strings.HasPrefix(out, test.want+":17:") {
			t.Errorf("check in %s does not begin with %s:\n%s", test.dir, test.want, out)
		}
		if out := mustRun(t, exitOK, "-C", test.dir); !strings.HasPrefix(out, "--- a/"+test.want+"\n+++ b/"+test.want+"\n") {
			t.Errorf("the diff in %s does not name %s:\n%s", test.dir, test.want, out)
		}
	}
}

// TestFormats checks that each format is written, with the exit code and source that belong to it.
func TestFormats(t *testing.T) {
	dir := module(t, racy)
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			out := mustRun(t, exitFound, "check", "--format", f.name, "-C", dir)
			if !strings.Contains(out, "session/store.go") || !strings.Contains(out, "inconsistent-guard") {
				t.Errorf("no finding in:\n%s", out)
			}
			if caret := strings.Contains(out, "\n\t\t         ^\n"); caret != (f.name == "text") {
				t.Errorf("a line of source is shown: %v, in:\n%s", caret, out)
			}
		})
	}
}
