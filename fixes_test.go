package main

// This file tests that the edits in the output of a dry run are its mends: it applies them as others would, who know the format only.

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"mapmend/plan"
)

// fixed is a module with letters of one code unit and of two before what changes in a line, a variable whose mend is about two files,
// one that shares a mutex that is to be added with it, and a file without a line end at its end.
var fixed = map[string]string{
	"go.mod": "module example.com/fix\n\ngo 1.26\n",
	"web/counter.go": `package web

import "net/http"

// counter counts requests by path: é, 𝔐.
type counter struct {
	hits, misses map[string]int // by path
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.hits[r.URL.Path]++
	c.misses[r.URL.Path]--
}

// Handler returns a handler that counts.
func Handler() http.Handler {
	return &counter{hits: map[string]int{}, misses: map[string]int{}}
}
`,
	"web/show.go": `package web

import "fmt"

func (c *counter) show(k string) {
	fmt.Println(k, "é 𝔐", c.hits["é"], "𝔐") // seen
	fmt.Println("ü", c.misses[k])
}`,
	"pool/pool.go": `package pool

import "sync"

type Pool struct {
	mu   sync.Mutex
	free map[string]int
}

func (p *Pool) Put(k string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free[k] = 1
}

func (p *Pool) Len() int { println("𝔐"); return len(p.free) }
`,
}

func TestFixes(t *testing.T) {
	for _, form := range []string{"auto", "rwmutex,lock"} {
		t.Run(form, func(t *testing.T) {
			base := module(t, fixed)
			dry := func(format string) string {
				return mustRun(t, exitOK, "-C", base, "-q", "--form", form, "--format", format)
			}
			sarif, asJSON := sarifFixes(t, dry("sarif")), jsonFixes(t, dry("json"))
			for variable := range sarif {
				want := copyOf(t, base)
				mendOnly(t, want, form, variable)
				for format, fix := range map[string]func(*testing.T, string){"sarif": sarif[variable], "json": asJSON[variable]} {
					got := copyOf(t, base)
					fix(t, got)
					if diff := cmp.Diff(filesOf(t, want), filesOf(t, got)); diff != "" {
						t.Errorf("%s as %s says (-written by mapmend +fixed):\n%s", variable, format, diff)
					}
				}
			}
		})
	}
}

// mendOnly writes in dir what a plan of everything has of one variable.
func mendOnly(t *testing.T, dir, form, variable string) {
	t.Helper()
	var f plan.File
	if err := json.Unmarshal([]byte(mustRun(t, exitOK, "plan", "-C", dir, "-q", "--form", form)), &f); err != nil {
		t.Fatal(err)
	}
	f.Mends = slices.DeleteFunc(f.Mends, func(m plan.Mend) bool { return m.Var.String() != variable })
	out, err := f.Encode()
	if err != nil || len(f.Mends) != 1 {
		t.Fatalf("%d mends of %s, %v", len(f.Mends), variable, err)
	}
	name := filepath.Join(t.TempDir(), "plan.json")
	writeFile(t, name, out)
	mustRun(t, exitOK, "apply", "-C", dir, "-q", "-w", name)
}

// TestSuggestions checks that a suggestion to reviewers is the whole mend, and that there is none where it would be a part.
func TestSuggestions(t *testing.T) {
	base := module(t, fixed)
	var doc struct {
		Diagnostics []struct {
			Message     string
			Location    struct{ Path string }
			Suggestions []struct {
				Range struct{ Start, End struct{ Line, Column int } }
				Text  string
			}
		}
	}
	out := mustRun(t, exitOK, "-C", base, "-q", "--format", "rdjson")
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	for _, d := range doc.Diagnostics {
		if inPool := d.Location.Path == "pool/pool.go"; !inPool || len(d.Suggestions) != 1 {
			if inPool || len(d.Suggestions) != 0 {
				t.Errorf("%s: %d suggestions", d.Location.Path, len(d.Suggestions))
			}
			continue
		}
		want, got := copyOf(t, base), copyOf(t, base)
		mendOnly(t, want, "auto", "example.com/fix/pool.Pool.free")
		s := d.Suggestions[0]
		name := filepath.Join(got, "pool", "pool.go")
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(data), "\n")
		text := strings.Join(lines[:s.Range.Start.Line-1], "\n") + "\n" + s.Text + "\n" + strings.Join(lines[s.Range.End.Line:], "\n")
		writeFile(t, name, []byte(text))
		if diff := cmp.Diff(filesOf(t, want), filesOf(t, got)); diff != "" || s.Range.Start.Column+s.Range.End.Column != 0 {
			t.Errorf("by the suggestion (-written by mapmend +suggested):\n%s", diff)
		}
	}
	if len(doc.Diagnostics) != 3 {
		t.Errorf("%d diagnostics", len(doc.Diagnostics))
	}
}

// TestNoFixes checks that a finding whose file is not mended has no fix, and why: for its line ends, for its byte order mark.
func TestNoFixes(t *testing.T) {
	pool := fixed["pool/pool.go"]
	for name, text := range map[string]string{"line ends": strings.ReplaceAll(pool, "\n", "\r\n"), "byte order mark": "\ufeff" + pool} {
		dir := module(t, map[string]string{"go.mod": fixed["go.mod"], "pool/pool.go": text})
		out := mustRun(t, exitOK, "-C", dir, "-q", "--exit-code", "--format", "sarif")
		if strings.Contains(out, `"fixes"`) || !strings.Contains(out, "(file-shape)") {
			t.Errorf("%s:\n%s", name, out)
		}
		if strings.Contains(mustRun(t, exitOK, "-C", dir, "-q", "--format", "rdjson"), `"suggestions"`) {
			t.Errorf("%s: a suggestion", name)
		}
	}
	if dir := module(t, fixed); !strings.Contains(mustRun(t, exitFound, "-C", dir, "-q", "--exit-code", "--format", "sarif"), `"fixes"`) {
		t.Error("no fix of what is mended")
	}
}

// sarifFixes returns, for each result of a log, what carries out its fix in a folder.
func sarifFixes(t *testing.T, log string) map[string]func(*testing.T, string) {
	t.Helper()
	type region struct{ StartLine, StartColumn, EndLine, EndColumn int }
	var doc struct {
		Runs []struct {
			ColumnKind string
			Results    []struct {
				Properties struct{ Variable string }
				Fixes      []struct {
					ArtifactChanges []struct {
						ArtifactLocation struct{ URI string }
						Replacements     []struct {
							DeletedRegion   region
							InsertedContent struct{ Text *string }
						}
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(log), &doc); err != nil {
		t.Fatal(err)
	}
	if kind := doc.Runs[0].ColumnKind; kind != "utf16CodeUnits" {
		t.Fatalf("columns are %s", kind)
	}
	fixes := make(map[string]func(*testing.T, string))
	for _, r := range doc.Runs[0].Results {
		if len(r.Fixes) != 1 {
			t.Errorf("%s has %d fixes", r.Properties.Variable, len(r.Fixes))
			continue
		}
		fixes[r.Properties.Variable] = func(t *testing.T, dir string) {
			for _, c := range r.Fixes[0].ArtifactChanges {
				var edits []placed
				for _, e := range c.Replacements {
					d := e.DeletedRegion
					edits = append(edits, placed{d.StartLine, d.StartColumn, d.EndLine, d.EndColumn, *e.InsertedContent.Text})
				}
				change(t, filepath.Join(dir, filepath.FromSlash(c.ArtifactLocation.URI)), edits, func(line string) []string {
					var units []string
					for _, r := range line {
						units = append(units, string(r))
						if utf16.RuneLen(r) == 2 {
							units = append(units, "")
						}
					}
					return units
				})
			}
		}
	}
	if len(fixes) != 3 {
		t.Errorf("%d fixes", len(fixes))
	}
	return fixes
}

// jsonFixes returns, for each finding, what carries out its fix in a folder.
func jsonFixes(t *testing.T, out string) map[string]func(*testing.T, string) {
	t.Helper()
	var doc struct {
		Findings []struct {
			Package, Owner, Field string
			Fix                   struct {
				Files []struct {
					File  string
					Edits []struct {
						Start, End struct{ Line, Column int }
						Text       string
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	fixes := make(map[string]func(*testing.T, string))
	for _, f := range doc.Findings {
		fixes[f.Package+"."+f.Owner+"."+f.Field] = func(t *testing.T, dir string) {
			for _, file := range f.Fix.Files {
				var edits []placed
				for _, e := range file.Edits {
					edits = append(edits, placed{e.Start.Line, e.Start.Column, e.End.Line, e.End.Column, e.Text})
				}
				change(t, filepath.Join(dir, filepath.FromSlash(file.File)), edits, func(line string) (units []string) {
					for i := range len(line) {
						units = append(units, line[i:i+1])
					}
					return units
				})
			}
		}
	}
	if len(fixes) != 3 {
		t.Errorf("%d fixes", len(fixes))
	}
	return fixes
}

// placed is an edit by lines and columns, from 1, the end exclusive.
type placed struct {
	startLine, startColumn, endLine, endColumn int
	text                                       string
}

// change carries out edits, the last first, in the named file, which may not be there. The function units cuts a line into what
// columns count.
func change(t *testing.T, name string, edits []placed, units func(string) []string) {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(src), "\n")
	offset := func(line, column int) int {
		return len(strings.Join(lines[:line-1], "")) + len(strings.Join(units(lines[line-1])[:column-1], ""))
	}
	text := string(src)
	for i := range edits {
		e := edits[len(edits)-1-i]
		text = text[:offset(e.startLine, e.startColumn)] + e.text + text[offset(e.endLine, e.endColumn):]
	}
	writeFile(t, name, []byte(text))
}
