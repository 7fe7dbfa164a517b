package main

// This file fuzzes everything between source and proved changes. What must hold of any program is in [pipeline.examine].
// Run one with:
//
//	go test . -run - -fuzz FuzzGenerated -parallel 1 -fuzzminimizetime 5s

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
	"mapmend/rewrite/verify"
)

// FuzzGenerated examines programs that bytes stand for.
func FuzzGenerated(f *testing.F) {
	for i := range 16 {
		seed := make([]byte, 64+16*i)
		for j := range seed {
			seed[j] = byte(i*167 + j*j*31 + j*i*59)
		}
		f.Add(seed)
	}
	p := &pipeline{memory: newMemory(f)}
	f.Fuzz(func(t *testing.T, data []byte) {
		p.examine(t, map[string]string{"a.go": generated(data)})
	})
}

// FuzzEdited examines programs that people wrote, beginning with the cases, after statements of them were dropped, moved,
// repeated and put into other statements.
func FuzzEdited(f *testing.F) {
	for _, src := range caseSources(f) {
		f.Add(src, []byte(nil))
		f.Add(src, []byte{7, 77, 2, 200, 19, 4, 9, 90, 2})
	}
	p := &pipeline{memory: newMemory(f)}
	f.Fuzz(func(t *testing.T, src string, edits []byte) {
		if len(src) < 1<<16 {
			p.examine(t, map[string]string{"a.go": edited(src, edits)})
		}
	})
}

// caseSources returns the Go files of all cases.
func caseSources(f *testing.F) []string {
	f.Helper()
	var sources []string
	inputs, err := filepath.Glob(filepath.Join("testdata", "*", "*.txtar"))
	if err != nil || len(inputs) == 0 {
		f.Fatalf("no cases: %v", err)
	}
	for _, input := range inputs {
		archive, err := txtar.ParseFile(input)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if path.Ext(file.Name) == ".go" && path.Base(file.Name) != "race_test.go" {
				sources = append(sources, string(file.Data))
			}
		}
	}
	return sources
}

// A pipeline takes programs through everything.
type pipeline struct {
	memory *memory
	loaded []*load.Program // of the current program
}

// examine checks what must hold of any program: it is analysed whole and always in the same way, in which order its
// declarations stand does not matter, and what is mended is sound and done. What does not type-check is passed over.
func (p *pipeline) examine(t *testing.T, files map[string]string) {
	t.Helper()
	defer func() {
		for _, prog := range p.loaded {
			p.memory.forget(prog)
		}
		p.loaded = nil
		if t.Failed() {
			for name, src := range files {
				t.Logf("%s is\n%s", name, src)
			}
		}
	}()
	prog, err := p.load(files)
	if err != nil {
		return
	}
	made := p.plan(t, prog)
	p.checkSame(t, files, made)
	p.checkShuffled(t, prog, made)
	p.checkMended(t, prog, files, made)
}

func (p *pipeline) load(files map[string]string) (*load.Program, error) {
	prog, err := p.memory.load(files)
	if err == nil {
		p.loaded = append(p.loaded, prog)
	}
	return prog, err
}

// plan returns the plan of prog, which leaves out no function.
func (p *pipeline) plan(t *testing.T, prog *load.Program) *plan.Plan {
	t.Helper()
	made, err := plan.Make(prog, plan.Options{})
	if err != nil {
		t.Fatalf("no plan: %v", err)
	}
	for _, n := range made.Notes {
		if strings.Contains(n.Message, "not analysed") {
			t.Errorf("%s:%d: %s", n.Pos.File, n.Pos.Line, n.Message)
		}
	}
	return made
}

// checkSame checks that another plan of the same files is the same to the byte.
func (p *pipeline) checkSame(t *testing.T, files map[string]string, made *plan.Plan) {
	t.Helper()
	prog, err := p.load(files)
	if err != nil {
		t.Fatalf("it does not load again: %v", err)
	}
	if diff := cmp.Diff(planJSON(t, made), planJSON(t, p.plan(t, prog))); diff != "" {
		t.Errorf("a second plan differs (-first +second):\n%s", diff)
	}
}

func planJSON(t *testing.T, p *plan.Plan) string {
	t.Helper()
	data, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// checkShuffled checks that the same is found when the declarations of prog stand in another order, in two files.
func (p *pipeline) checkShuffled(t *testing.T, prog *load.Program, made *plan.Plan) {
	t.Helper()
	files := shuffled(prog)
	if files == nil {
		return
	}
	other, err := p.load(files)
	if err != nil {
		t.Fatalf("the shuffled program does not load: %v\n%s\n%s", err, files["a.go"], files["b.go"])
	}
	there := p.plan(t, other)
	cut := slices.Concat(cutShort(made), cutShort(there))
	if diff := cmp.Diff(gist(made, cut...), gist(there, cut...)); diff != "" {
		t.Errorf("the plan is another when the declarations are in another order (-here +there):\n%s\nthere:\n%s\n%s", diff, files["a.go"], files["b.go"])
	}
}

// cutShort returns the variables that are reached in more ways than are compared: which of the ways are, depends on the order.
func cutShort(p *plan.Plan) []plan.Var {
	var vars []plan.Var
	for _, f := range p.Findings {
		if slices.ContainsFunc(f.Evidence, func(e string) bool { return strings.HasPrefix(e, "not every way") }) {
			vars = append(vars, f.Var)
		}
	}
	return vars
}

// numbered are the names of function literals in package variables: they say where these stand, as they do in a panic.
var numbered = regexp.MustCompile(`\binit\.func\d+`)

// gist returns what a plan says without the places: the findings with their uses, and what is to be done about each, but for
// what it says of the variables without.
func gist(p *plan.Plan, without ...plan.Var) string {
	var lines []string
	for _, f := range p.Findings {
		if slices.Contains(without, f.Var) {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s: %s %s, guard %q, %q", f.Var, f.Confidence, f.Kind, f.Guard, f.Evidence))
		for _, s := range f.Sites {
			lines = append(lines, fmt.Sprintf("%s: %s in %s %s holds %v, problem %t", f.Var, s.Op, s.Function, s.Kind, s.Held, s.Problem))
		}
	}
	for _, m := range p.Mends {
		if slices.Contains(without, m.Var) {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s: %s mends it with %s, %d sections", m.Var, m.Form, m.Guard, len(m.Sections)))
	}
	for _, o := range p.Orders {
		lines = append(lines, fmt.Sprintf("%s before %s, %t", o.Held, o.Taken, o.Write))
	}
	for i, line := range lines {
		lines[i] = numbered.ReplaceAllString(line, "init.func")
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// checkMended checks that what the plan mends can be proved, and is what is left of it: a program that type-checks, in which
// nothing is found on what was mended.
func (p *pipeline) checkMended(t *testing.T, prog *load.Program, files map[string]string, made *plan.Plan) {
	t.Helper()
	analyze := func(prog *load.Program) (*plan.Plan, error) {
		p.loaded = append(p.loaded, prog)
		return plan.Make(prog, plan.Options{})
	}
	changes, unwritten := rewrite.Rewrite(prog, made)
	proved, unproved, err := verify.Prove(prog, made, changes, verify.Options{Load: p.memory.overlaid(files), Analyze: analyze, Confidence: plan.Likely})
	if err != nil {
		t.Fatalf("the mended program does not load: %v\n%s", err, diffOf(t, changes))
	}
	for _, r := range unproved {
		if invariant, _, _ := strings.Cut(r.Message, ":"); slices.Contains(caught, invariant) {
			continue
		}
		t.Errorf("%s:%d: %s is not proved: %s\n%s", r.Pos.File, r.Pos.Line, r.Var, r.Message, diffOf(t, changes))
	}
	refused := make(map[plan.Var]bool)
	for _, r := range slices.Concat(unwritten, unproved) {
		refused[r.Var] = true
	}
	overlay := make(map[string][]byte)
	for _, c := range proved {
		overlay[c.File] = c.New
	}
	after, err := p.load(changed(files, overlay))
	if err != nil {
		t.Fatalf("the mended program does not load: %v\n%s", err, diffOf(t, proved))
	}
	again := p.plan(t, after)
	for _, m := range made.Mends {
		for _, f := range again.Findings {
			if f.Var == m.Var && !refused[m.Var] && f.Confidence >= plan.Likely {
				t.Errorf("%s has a finding after the mend: %s\n%s", m.Var, f.Message, diffOf(t, proved))
			}
		}
	}
}

// caught are the invariants that are there to stop what the plan thought to be a mend and the analysis of its result does
// not, or a lock order that only syntax fears. All others hold of whatever is rewritten.
var caught = []string{"LockOrder", "NoBareUse", "Clean", "Idempotent"}

func diffOf(t *testing.T, changes []rewrite.Change) string {
	t.Helper()
	var diff bytes.Buffer
	if err := rewrite.Diff(&diff, changes, rewrite.DiffOptions{}); err != nil {
		t.Fatal(err)
	}
	return diff.String()
}
