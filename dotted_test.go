package main

// This file checks that it makes no difference that the last element of an import path has a dot, as that of gopkg.in/yaml.v3 does.

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dotted returns c in a package whose name in the import path ends in a dot and something, as do those of the folders below it.
func (c *testCase) dotted() *testCase {
	d := *c
	d.name += ".v2"
	d.files = slices.Clone(c.files)
	root := "example.com/" + c.folder + "/" + c.name
	imported := regexp.MustCompile(regexp.QuoteMeta(root) + `(/[\w/-]+)?`)
	for i, f := range d.files {
		if dir := filepath.ToSlash(filepath.Dir(f.Name)); dir != "." {
			d.files[i].Name = dir + ".v2/" + filepath.Base(f.Name)
		}
		d.files[i].Data = imported.ReplaceAllFunc(f.Data, func(path []byte) []byte {
			sub := strings.TrimPrefix(string(path), root)
			if sub != "" {
				sub += ".v2"
			}
			return []byte(root + ".v2" + sub)
		})
	}
	return &d
}

func TestDottedPaths(t *testing.T) {
	t.Parallel()
	var plain, dotted []*testCase
	for _, c := range readCases(t) {
		if c.flags == nil && c.config == nil && c.folder == "detect" {
			plain, dotted = append(plain, c), append(dotted, c.dotted())
		}
	}
	says := func(cases []*testCase) string {
		dir := t.TempDir()
		layOut(t, dir, cases)
		var out bytes.Buffer
		run([]string{"check", "-C", dir, "--min-confidence", "possible", "./detect/..."}, &out, &out) // what cannot be mended, too
		lines := strings.Split(strings.ReplaceAll(out.String(), ".v2", ""), "\n")
		slices.Sort(lines) // the folder a.v2 comes after a-b
		return strings.Join(lines, "\n")
	}
	want, got := says(plain), says(dotted)
	if strings.Count(want, ": likely ") < len(plain)/4 {
		t.Fatalf("of %d cases it says only\n%s", len(plain), want)
	}
	if got != want {
		t.Errorf("with dots in the import paths it says\n%s\nwithout\n%s", unique(got, want), unique(want, got))
	}
}

// unique returns the lines of a that b has not.
func unique(a, b string) string {
	has := make(map[string]bool)
	for line := range strings.Lines(b) {
		has[line] = true
	}
	var out strings.Builder
	for line := range strings.Lines(a) {
		if !has[line] {
			out.WriteString(line)
		}
	}
	return out.String()
}
