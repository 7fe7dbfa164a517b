package main

// This file runs every case of testdata and compares with golden. All cases that take the same form
// are one load, one plan and one proof; the drivers of all cases are two runs of go test.

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"mapmend/plan"
	"mapmend/plan/report"
	"mapmend/rewrite"
)

var update = flag.Bool("update", false, "write the goldens of the cases that pass everything else")

// batches are the cases that one plan covers, and the flags that it is made with.
var batches = []struct {
	folders []string
	flags   []string
}{
	{[]string{"detect", "lock", "trap"}, nil},
	{[]string{"rwmutex"}, []string{"--form", "rwmutex"}},
	{[]string{"sharded"}, []string{"--form", "sharded"}},
	{[]string{"snapshot"}, []string{"--form", "snapshot"}},
	{[]string{"syncmap"}, []string{"--form", "syncmap"}},
	{[]string{"xsync"}, []string{"--form", "xsync"}},
}

// sections are what a golden can hold, in order: of a batched case the first three, of one with flags the others.
var sections = []string{"findings", "diff", "refusals", "exit", "stdout", "stderr"}

// A result is what running a case gave: the sections of its golden, and what is wrong already.
type result struct {
	sections map[string]string
	faults   []string
}

func (r *result) faultf(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func TestCases(t *testing.T) {
	cases := readCases(t)
	results := make(map[*testCase]*result)
	var batched []*testCase
	for _, c := range cases {
		results[c] = &result{sections: make(map[string]string)}
		if c.flags == nil {
			batched = append(batched, c)
		} else {
			runAlone(t, c, results[c])
		}
	}
	before, after := filepath.Join(t.TempDir(), "before"), filepath.Join(t.TempDir(), "after")
	layOut(t, before, batched)
	layOut(t, after, batched)
	for _, b := range batches {
		in := slices.DeleteFunc(slices.Clone(batched), func(c *testCase) bool { return !slices.Contains(b.folders, c.folder) })
		runBatch(t, before, after, b.flags, in, results)
	}
	drive(t, batched, before, after, results)

	for _, c := range cases {
		t.Run(c.id(), func(t *testing.T) { c.compare(t, results[c]) })
	}
}

// runBatch runs cases, which lie in before, as one program; it checks what they want and mends them in after.
func runBatch(t *testing.T, before, after string, flags []string, cases []*testCase, results map[*testCase]*result) {
	t.Helper()
	if len(cases) == 0 {
		return
	}
	prog, p, m := mendTree(t, before, flags, cases)
	checkExplained(t, prog, p)
	for _, c := range cases {
		c.checkSites(p, results[c])
		c.record(t, p, m, results[c])
	}
	applyDiff(t, before, after, prog.Root, m)

	_, again, rest := mendTree(t, after, flags, cases)
	for _, c := range cases {
		c.checkSilent(again, rest, m.refusals, results[c])
	}
}

// mendTree loads the packages of cases below dir, and plans, rewrites and proves them.
func mendTree(t *testing.T, dir string, flags []string, cases []*testCase) (*program, *plan.Plan, outcome) {
	t.Helper()
	args := append([]string{"-C", dir}, flags...)
	for _, c := range cases {
		args = append(args, "./"+c.id()+"/...")
	}
	var stderr bytes.Buffer
	inv := &invocation{stderr: &stderr}
	if _, err := inv.parse(args); err != nil {
		t.Fatal(err)
	}
	prog, code := inv.load(inv.dir, inv.args)
	if code != exitOK {
		t.Fatalf("the cases do not load:\n%s", &stderr)
	}
	p, err := inv.plan(prog, nil)
	if err != nil {
		t.Fatal(err)
	}
	p = throughJSON(t, p)
	m, err := inv.mended(prog, p)
	if err != nil {
		t.Fatal(err)
	}
	return prog, p, m
}

// checkExplained checks that explain says of each variable what is reported of it: it follows ways that a report need not.
func checkExplained(t *testing.T, prog *program, reported *plan.Plan) {
	t.Helper()
	explained, err := plan.Make(prog.Program, plan.Options{Silent: true})
	if err != nil {
		t.Fatal(err)
	}
	verdicts := func(p *plan.Plan) (lines []string) {
		for _, f := range p.Findings {
			if f.Confidence > plan.Silent {
				lines = append(lines, fmt.Sprintf("%s %s: %s: %s", f.Confidence, f.Kind, f.Var, f.Message))
			}
		}
		return lines
	}
	for _, s := range explained.Silenced { // which are explained all the same
		explained.Findings = slices.DeleteFunc(explained.Findings, func(f plan.Finding) bool { return f.Var == s.Var })
	}
	if diff := cmp.Diff(verdicts(reported), verdicts(explained)); diff != "" {
		t.Errorf("explain says something else (-reported +explained):\n%s", diff)
	}
}

// throughJSON returns p as it comes out of a file: what is rewritten, proved and shown is that one.
func throughJSON(t *testing.T, p *plan.Plan) *plan.Plan {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	again := new(plan.Plan)
	if err := json.Unmarshal(data, again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, again, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the plan does not survive JSON (-made +read):\n%s", diff)
	}
	return again
}

// owns reports whether file, relative to the root of the batch, belongs to c.
func (c *testCase) owns(file string) bool { return strings.HasPrefix(file, c.id()+"/") }

// local returns file, relative to the root of the batch, as the case names it.
func (c *testCase) local(file string) string { return strings.TrimPrefix(file, c.id()+"/") }

// likely returns the findings of p on variables of c that count by default.
func (c *testCase) likely(p *plan.Plan) []plan.Finding {
	return slices.DeleteFunc(report.AtLeast(p.Findings, plan.Likely), func(f plan.Finding) bool { return !c.owns(f.Pos.File) })
}

func (c *testCase) changes(m outcome) []rewrite.Change {
	return slices.DeleteFunc(slices.Clone(m.changes), func(ch rewrite.Change) bool { return !c.owns(ch.File) })
}

func (c *testCase) refusals(m outcome) []plan.Refusal {
	return slices.DeleteFunc(slices.Clone(m.refusals), func(r plan.Refusal) bool {
		return r.Package != "example.com/"+c.id() && !strings.HasPrefix(r.Package, "example.com/"+c.id()+"/")
	})
}

// checkSites compares the problem sites of p with the want and nope comments of c.
func (c *testCase) checkSites(p *plan.Plan, r *result) {
	got := make(map[site]bool)
	for _, f := range c.likely(p) {
		for _, s := range f.Sites {
			if s.Problem {
				got[site{c.local(s.File), s.Line, s.Kind}] = true
			}
		}
	}
	for s := range got {
		if c.nopes[s.file][s.line] {
			r.faultf("%s:%d: reported as %s, which the nope there forbids", s.file, s.line, s.kind)
		} else if !c.wants[s] {
			r.faultf("%s:%d: reported as %s, without a want", s.file, s.line, s.kind)
		}
	}
	for s := range c.wants {
		if !got[s] {
			r.faultf("%s:%d: not reported as %s, which the want there asks for", s.file, s.line, s.kind)
		}
	}
	slices.Sort(r.faults)
}

// record fills the sections of the golden.
func (c *testCase) record(t *testing.T, p *plan.Plan, m outcome, r *result) {
	t.Helper()
	var findings, diff, refusals bytes.Buffer
	opt := report.Options{Rel: c.local}
	if err := report.Text(&findings, c.likely(p), nil, opt); err != nil {
		t.Fatal(err)
	}
	if err := rewrite.Diff(&diff, c.changes(m), rewrite.DiffOptions{Rel: c.local}); err != nil {
		t.Fatal(err)
	}
	if err := report.Refusals(&refusals, c.refusals(m), opt); err != nil {
		t.Fatal(err)
	}
	r.sections["findings"], r.sections["diff"], r.sections["refusals"] = findings.String(), diff.String(), refusals.String()
}

// applyDiff applies the diff of m in after with git, and checks that this gives the same files as m.
func applyDiff(t *testing.T, before, after, root string, m outcome) {
	t.Helper()
	var patch bytes.Buffer
	rel := (&invocation{dir: before}).rel(root)
	if err := rewrite.Diff(&patch, m.changes, rewrite.DiffOptions{Rel: rel}); err != nil {
		t.Fatal(err)
	}
	if patch.Len() > 0 {
		gitApply(t, after, patch.Bytes())
	}
	for _, ch := range m.changes {
		got, err := os.ReadFile(filepath.Join(after, filepath.FromSlash(rel(ch.File))))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(ch.New), string(got)); diff != "" {
			t.Errorf("%s after git apply (-want +got):\n%s", ch.File, diff)
		}
	}
}

// gitApply applies patch to the files in dir, which is in no repository.
func gitApply(t *testing.T, dir string, patch []byte) {
	t.Helper()
	cmd := exec.Command("git", "apply", "-")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(patch)
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git apply: %v\n%s\n%s", err, out, patch)
	}
}

// checkSilent checks that the mended case has neither a finding nor a change left, but for what was refused.
func (c *testCase) checkSilent(again *plan.Plan, rest outcome, refused []plan.Refusal, r *result) {
	allowed := make(map[plan.Var]bool)
	for _, refusal := range refused {
		allowed[refusal.Var] = true
	}
	for _, f := range c.likely(again) {
		if !allowed[f.Var] {
			r.faultf("after the mend: %s %s: %s: %s", f.Confidence, f.Kind, f.Var, f.Message)
		}
	}
	for _, ch := range c.changes(rest) {
		r.faultf("after the mend: %s would be changed again:\n%s", c.local(ch.File), cmp.Diff(string(ch.Old), string(ch.New)))
	}
}

// runAlone runs c as a module of its own with its flags.
func runAlone(t *testing.T, c *testCase, r *result) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "alone")
	layOut(t, dir, []*testCase{c})
	work := filepath.Join(dir, c.folder, c.name)
	var stdout, stderr bytes.Buffer
	code := run(append([]string{"-C", work}, c.flags...), &stdout, &stderr)
	r.sections["exit"] = fmt.Sprintln(code)
	r.sections["stdout"], r.sections["stderr"] = stdout.String(), stderr.String()
}

// compare compares r with the golden of c, or with -update writes it, unless something is wrong with r itself.
func (c *testCase) compare(t *testing.T, r *result) {
	reproduce := fmt.Sprintf("\nreproduce: go test . -run TestCases -case '^%s$'", c.id())
	for _, fault := range r.faults {
		t.Errorf("%s: %s", c.input(), fault)
	}
	if len(r.faults) > 0 {
		t.Fatalf("the diff was:\n%s%s", r.sections["diff"], reproduce)
	}
	got := new(txtar.Archive)
	for _, name := range sections {
		if text := r.sections[name]; text != "" {
			got.Files = append(got.Files, txtar.File{Name: name, Data: []byte(text)})
		}
	}
	if *update {
		writeFile(t, c.golden(), txtar.Format(got))
		return
	}
	want, err := os.ReadFile(c.golden())
	if err != nil {
		t.Fatalf("%v\nwrite it with -update%s", err, reproduce)
	}
	if diff := cmp.Diff(string(want), string(txtar.Format(got))); diff != "" {
		t.Errorf("%s differs (-golden +got):\n%s%s", c.golden(), diff, reproduce)
	}
}

// TestGoldensHaveCases checks that golden holds one txtar for each case and nothing else.
func TestGoldensHaveCases(t *testing.T) {
	err := filepath.WalkDir("golden", func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel("golden", name)
		if err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join("testdata", rel)); err != nil || filepath.Ext(name) != ".txtar" {
			t.Errorf("%s has no case", name)
			return nil
		}
		archive, err := txtar.ParseFile(name)
		if err != nil {
			return err
		}
		for _, f := range archive.Files {
			if !slices.Contains(sections, f.Name) {
				t.Errorf("%s: unknown section %q", name, f.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWorst pins the order of the exit codes.
func TestWorst(t *testing.T) {
	for want, codes := range map[int][]int{
		exitOK:      {exitOK},
		exitFound:   {exitOK, exitFound},
		exitRefused: {exitFound, exitRefused, exitOK},
		exitError:   {exitRefused, exitError, exitFound},
	} {
		for range 2 {
			if got := worst(codes...); got != want {
				t.Errorf("worst(%v) = %d, want %d", codes, got, want)
			}
			slices.Reverse(codes)
		}
	}
}
