package main

// This file checks that it does not matter in which order the files of a package stand.

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"mapmend/rewrite"
)

// TestFileOrder plans and rewrites the cases of several files twice, the second time with the names of the files dealt the other way round. That
// the declarations of a file may stand in any order is checked by [FuzzEdited], also of the cases as they are.
func TestFileOrder(t *testing.T) {
	batched := slices.DeleteFunc(readCases(t), func(c *testCase) bool { return c.flags != nil })
	for _, b := range batches {
		in := slices.DeleteFunc(slices.Clone(batched), func(c *testCase) bool { return !slices.Contains(b.folders, c.folder) })
		var several, turned []*testCase
		was := make(map[string]string)
		for _, c := range in {
			other := c.turned(was)
			if !slices.EqualFunc(c.files, other.files, func(f, g txtar.File) bool { return f.Name == g.Name }) {
				several, turned = append(several, c), append(turned, other)
			}
		}
		if len(several) == 0 {
			continue
		}
		same := func(name string) string { return name }
		back := func(name string) string {
			if old, ok := was[name]; ok {
				return old
			}
			return name
		}
		want, got := outline(t, several, b.flags, same), outline(t, turned, b.flags, back)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: the plan depends on the order of files (-as they are +turned):\n%s", b.folders, diff)
		}
	}
}

// turned returns c with the names of the files of each folder in the opposite order. It notes in was what they are called in c.
func (c *testCase) turned(was map[string]string) *testCase {
	out := *c
	out.files = nil
	var names []string
	for _, f := range c.files {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	for _, f := range c.files {
		same := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			return path.Ext(name) != ".go" || path.Dir(name) != path.Dir(f.Name) || strings.Contains(path.Base(name), "_") // the name may be a constraint
		})
		name := f.Name
		if i := slices.Index(same, name); i >= 0 {
			name = same[len(same)-1-i]
		}
		was[c.id()+"/"+name] = c.id() + "/" + f.Name
		out.files = append(out.files, txtar.File{Name: name, Data: f.Data})
	}
	return &out
}

// outline returns what is found and done in cases, whose files are called as back says.
func outline(t *testing.T, cases []*testCase, flags []string, back func(string) string) string {
	t.Helper()
	dir := t.TempDir()
	layOut(t, dir, cases)
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
	changes, unwritten := rewrite.Rewrite(prog.Program, p)
	lines := strings.Split(gist(p), "\n")
	for _, f := range p.Findings {
		for _, s := range f.Sites {
			lines = append(lines, fmt.Sprintf("%s: %s:%d:%d", f.Var, back(s.File), s.Line, s.Column))
		}
	}
	for _, r := range slices.Concat(p.Refusals, unwritten) {
		lines = append(lines, fmt.Sprintf("%s: refused", r.Var))
	}
	for _, c := range changes {
		lines = append(lines, fmt.Sprintf("%s becomes\n%s", back(c.File), c.New))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
