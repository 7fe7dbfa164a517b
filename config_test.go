package main

// This file tests which configuration counts, and the command config.

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// configured is a module with a configuration that has each key.
var configured = map[string]string{
	"go.mod":           racy["go.mod"],
	"session/store.go": racy["session/store.go"],
	".mapmend.yaml": `min-confidence: possible
tags: [extra, more]
concurrent:
  - function: example.com/pool.Pool.Submit
    argument: 1
    by: "the pool: # 1"
  - interface: example.com/plugin.Handler
    methods: [Handle, Close]
  - type: example.com/bus.Callback
starts:
  - {function: example.com/task.Run, argument: 2}
synchronous: [example.com/rows.Each]
ignore:
  - variable: Log.*
    reason: |
      the next release
      replaces it
forms:
  - {variable: Store.*, form: "sharded, lock"}
`,
}

func TestConfig(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod -tags=y")
	for _, test := range []struct {
		name  string
		files map[string]string
		args  []string
		want  string
	}{
		{"without", racy, nil, `# There is no .mapmend.yaml.
min-confidence: likely # default
tags: y # GOFLAGS
platforms: "" # default
tests: true # default
concurrent: [] # default
starts: [] # default
synchronous: [] # default
serves: [] # default
ignore: [] # default
forms: [] # default
`},
		{"with", configured, []string{"--tests=false"}, `# From .mapmend.yaml, the command line and the environment.
min-confidence: possible # .mapmend.yaml:1
tags: extra,more # .mapmend.yaml:2
platforms: "" # default
tests: false # --tests
concurrent:
  - function: example.com/pool.Pool.Submit # .mapmend.yaml:4
    argument: 1
    by: 'the pool: # 1'
  - interface: example.com/plugin.Handler # .mapmend.yaml:7
    methods: [Handle, Close]
  - type: example.com/bus.Callback # .mapmend.yaml:9
starts:
  - function: example.com/task.Run # .mapmend.yaml:11
    argument: 2
synchronous:
  - example.com/rows.Each # .mapmend.yaml:12
serves: [] # default
ignore:
  - variable: Log.* # .mapmend.yaml:14
    reason: "the next release\nreplaces it\n"
forms:
  - variable: Store.* # .mapmend.yaml:19
    form: sharded,lock
`},
		{"flags", map[string]string{"go.mod": racy["go.mod"], ".mapmend.yaml": "tests: false\nplatforms: [windows/amd64]\nforms: [{variable: x, form: auto}]\n"}, []string{"--tags", "x", "--min-confidence", "proven", "--form", "rwmutex,lock"}, `# From .mapmend.yaml, the command line and the environment.
min-confidence: proven # --min-confidence
tags: x # --tags
platforms: windows/amd64 # .mapmend.yaml:2
tests: false # .mapmend.yaml:1
concurrent: [] # default
starts: [] # default
synchronous: [] # default
serves: [] # default
ignore: [] # default
forms:
  - variable: '*' # --form
    form: rwmutex,lock
`},
	} {
		dir := module(t, test.files)
		got := mustRun(t, exitOK, append([]string{"config", "-C", dir}, test.args...)...)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		// What is printed is a configuration that says the same.
		t.Setenv("GOFLAGS", "-mod=mod")
		writeFile(t, filepath.Join(dir, ".mapmend.yaml"), []byte(got))
		again := mustRun(t, exitOK, "config", "-C", dir)
		if diff := cmp.Diff(uncommented(got), uncommented(again)); diff != "" {
			t.Errorf("%s: read again (-first +again):\n%s", test.name, diff)
		}
		t.Setenv("GOFLAGS", "-mod=mod -tags=y")
	}
}

var lineComment = regexp.MustCompile(`(?m) ?# (\S+:\d+|default|GOFLAGS|--\S+|From .*|There is no .*)$`)

func uncommented(text string) string { return lineComment.ReplaceAllString(text, "") }

func TestConfigErrors(t *testing.T) {
	for _, test := range []struct {
		args []string
		text string
		want string
	}{
		{nil, "tests: maybe\nform: x\n", ".mapmend.yaml:1:8: want true or false\n.mapmend.yaml:2:1: unknown key form; there are min-confidence, tags, platforms, tests, concurrent, starts, synchronous, serves, ignore, forms\n"},
		{nil, "tags: [\n", ".mapmend.yaml:1: did not find expected node content\n"},
		{[]string{"./..."}, "", "mapmend: config takes no packages: a module or workspace has one configuration\n"},
	} {
		dir := module(t, map[string]string{"go.mod": racy["go.mod"], ".mapmend.yaml": test.text})
		var stdout, stderr bytes.Buffer
		if code := run(append([]string{"config", "-C", dir}, test.args...), &stdout, &stderr); code != exitError || stdout.Len() > 0 || stderr.String() != test.want {
			t.Errorf("%q: exit %d\n%s%s", test.text, code, &stdout, &stderr)
		}
	}
	folder := module(t, map[string]string{"go.mod": racy["go.mod"], ".mapmend.yaml/file": ""})
	var stderr bytes.Buffer
	if code := run([]string{"config", "-C", folder}, &stderr, &stderr); code != exitError || !strings.Contains(stderr.String(), "is a directory") {
		t.Errorf("a folder of that name: exit %d\n%s", code, &stderr)
	}
}

// TestConfigName checks that a file which is not read, since its name is another one, is told.
func TestConfigName(t *testing.T) {
	dir := module(t, racy)
	writeFile(t, filepath.Join(dir, ".mapmend.yml"), []byte("tests: false\n"))
	for _, command := range []string{"config", "check"} {
		var stdout, stderr bytes.Buffer
		run([]string{command, "-C", dir}, &stdout, &stderr)
		if want := "mapmend: .mapmend.yml is not read: its name must be .mapmend.yaml\n"; stderr.String() != want {
			t.Errorf("%s: stderr is %q, want %q", command, &stderr, want)
		}
	}
}

// silencing is a configuration that silences the finding of racy.
const silencing = "ignore:\n  - variable: Store.byID\n    reason: test\n"

// TestWorkspaceConfig checks which configuration counts in a workspace, for check and for go vet, wherever they are called.
func TestWorkspaceConfig(t *testing.T) {
	tool := buildTool(t)
	t.Setenv("GOFLAGS", "-mod=readonly")
	t.Setenv("GOWORK", "")
	for _, test := range []struct {
		name    string
		modules []string
		at      []string // folders with a configuration
		silent  bool
		unread  string
	}{
		{"one module, beside go.work", []string{"app"}, []string{"."}, true, ""},
		{"one module, of its own", []string{"app"}, []string{"app"}, true, ""},
		{"one module, none", []string{"app"}, nil, false, ""},
		{"one module, both", []string{"app"}, []string{".", "app"}, true, "app/.mapmend.yaml is not read"},
		{"two modules, beside go.work", []string{"app", "lib"}, []string{"."}, true, ""},
		{"two modules, of its own", []string{"app", "lib"}, []string{"app"}, false, "app/.mapmend.yaml is not read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{"go.work": "go 1.26\n\nuse (\n"}
			for _, m := range test.modules {
				files["go.work"] += "\t./" + m + "\n"
				files[m+"/go.mod"] = "module example.com/" + m + "\n\ngo 1.26\n"
				files[m+"/session/store.go"] = racy["session/store.go"]
			}
			files["go.work"] += ")\n"
			delete(files, "lib/session/store.go")
			if len(test.modules) > 1 {
				files["lib/lib.go"] = "package lib\n"
			}
			dir := module(t, files)
			vet := func() bool {
				cmd := exec.Command("go", "vet", "-vettool="+tool, "./session")
				cmd.Dir = filepath.Join(dir, "app")
				out, err := cmd.CombinedOutput()
				if silent := err == nil; silent || strings.Contains(string(out), "likely inconsistent-guard") {
					return silent
				}
				t.Fatalf("go vet: %v\n%s", err, out)
				return false
			}
			vet() // what is cached must not be taken for what the configuration says
			for _, at := range test.at {
				writeFile(t, filepath.Join(dir, at, ".mapmend.yaml"), []byte(silencing))
			}
			if got := vet(); got != test.silent {
				t.Errorf("go vet is silent: %v", got)
			}
			for _, args := range [][]string{{"-C", dir, "./app/..."}, {"-C", filepath.Join(dir, "app")}, {"-C", filepath.Join(dir, "app", "session"), "."}} {
				var stdout, stderr bytes.Buffer
				code := run(append([]string{"check"}, args...), &stdout, &stderr)
				if silent := code == exitOK; silent != test.silent || code > exitFound {
					t.Errorf("check %v: exit %d\n%s%s", args, code, &stdout, &stderr)
				}
				if at := strings.Contains(stderr.String(), "is not read"); at != (test.unread != "") {
					t.Errorf("check %v: stderr:\n%s", args, &stderr)
				}
			}
			var stderr bytes.Buffer
			run([]string{"check", "-C", dir, "./app/..."}, &stderr, &stderr)
			if !strings.Contains(stderr.String(), test.unread) {
				t.Errorf("stderr lacks %q:\n%s", test.unread, &stderr)
			}
		})
	}
}

// TestConfigElsewhere checks that a note on a configuration outside of the module's folder stands at its place, and that what is kept of
// an earlier run is not what another configuration says.
func TestConfigElsewhere(t *testing.T) {
	caching(t)
	t.Setenv("GOWORK", "")
	dir := module(t, map[string]string{"go.work": "go 1.26\n\nuse ./app\n", "app/go.mod": racy["go.mod"], "app/session/store.go": racy["session/store.go"]})
	app := filepath.Join(dir, "app")
	mustRun(t, exitFound, "check", "-C", app)
	writeFile(t, filepath.Join(dir, ".mapmend.yaml"), []byte("ignore:\n  - variable: Store.none\n    reason: test\n"))
	for range 2 {
		var stdout, stderr bytes.Buffer
		if code := run([]string{"check", "-C", app, "./..."}, &stdout, &stderr); code != exitFound || stderr.String() != "../.mapmend.yaml:2:15: warning: ignore has no effect: there is no finding on Store.none\n" {
			t.Errorf("exit %d, stderr:\n%s", code, &stderr)
		}
	}
	writeFile(t, filepath.Join(dir, ".mapmend.yaml"), []byte(silencing))
	mustRun(t, exitOK, "check", "-C", app)
}

// TestConfigOfPlan checks that a plan is carried out as it was asked for, whatever the configuration has come to say of that.
func TestConfigOfPlan(t *testing.T) {
	dir := module(t, racy)
	writeFile(t, filepath.Join(dir, ".mapmend.yaml"), []byte("min-confidence: possible\ntests: false\n"))
	file := filepath.Join(dir, "mend.json")
	mustRun(t, exitOK, "plan", "-C", dir, "-o", file)
	src, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(src), `"tests": false`) || !strings.Contains(string(src), `"minConfidence": "possible"`) {
		t.Errorf("%v: the plan was asked for otherwise:\n%s", err, src)
	}
	writeFile(t, filepath.Join(dir, ".mapmend.yaml"), []byte("min-confidence: proven\n"))
	if out := mustRun(t, exitOK, "apply", "-C", dir, file); !strings.Contains(out, "+\ts.mu.Lock()") {
		t.Errorf("apply prints\n%s", out)
	}
	if out := mustRun(t, exitOK, "-C", dir); out != "" {
		t.Errorf("mend prints\n%s", out)
	}
}

// TestVetConfidence checks that go vet heeds the least confidence of the configuration, and its flag more.
func TestVetConfidence(t *testing.T) {
	tool := buildTool(t)
	dir := module(t, map[string]string{"go.mod": racy["go.mod"], "a.go": "package app\n\ntype Kept struct{ m map[string]int }\n\nfunc (k *Kept) Put(s string) { k.m[s]++ }\n", ".mapmend.yaml": "min-confidence: possible\n"})
	for _, test := range []struct {
		flags []string
		found bool
	}{{nil, true}, {[]string{"-mapmend.min-confidence=likely"}, false}} {
		cmd := exec.Command("go", append(append([]string{"vet", "-vettool=" + tool}, test.flags...), "./...")...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); (err != nil) != test.found || test.found && !strings.Contains(string(out), "possible unguarded-shared") {
			t.Errorf("%v: %v\n%s", test.flags, err, out)
		}
	}
}
