// Package baseline remembers findings, so that a team can gate on new ones only.
//
// A finding is remembered by its variable and the functions in which it has problems, not by lines: what moves is still known, and
// a problem in another function is new.
package baseline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"mapmend/plan"
)

// Schema names the contract of a baseline file.
const Schema = "mapmend/baseline/v1"

// Baseline is what is known. The zero value knows nothing. It is immutable.
type Baseline struct{ entries []Entry } // sorted by ID

// Entry is one finding that is known.
type Entry struct {
	ID        string   `json:"id"`
	Variable  string   `json:"variable"`  // for people
	Package   string   `json:"package"`   // import path
	Functions []string `json:"functions"` // in which it has problems; sorted
}

type file struct {
	Schema   string  `json:"schema"`
	Findings []Entry `json:"findings"`
}

// Of returns the baseline that knows findings.
func Of(findings []plan.Finding) *Baseline {
	b := &Baseline{}
	for _, f := range findings {
		b.entries = append(b.entries, Entry{f.ID, f.Var.String(), f.Package, problems(f)})
	}
	b.sort()
	return b
}

// problems returns the functions in which f has problems, sorted.
func problems(f plan.Finding) []string {
	out := []string{}
	for _, s := range f.Sites {
		if s.Problem {
			out = append(out, s.Function)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Read reads a baseline. An error does not name the file.
func Read(r io.Reader) (*Baseline, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var f file
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("not a baseline: %w", err)
	}
	if f.Schema != Schema {
		return nil, fmt.Errorf("not a baseline that this version reads: its schema is %q, and not %q", f.Schema, Schema)
	}
	if dec.More() {
		return nil, errors.New("not a baseline: something follows it")
	}
	b := &Baseline{f.Findings}
	b.sort()
	return b, nil
}

// With returns b and what old knows of packages that are not in looked, import paths.
func (b *Baseline) With(old *Baseline, looked []string) *Baseline {
	both := &Baseline{slices.Clone(b.entries)}
	for _, e := range old.entries {
		if _, known := b.find(e.ID); !known && !slices.Contains(looked, e.Package) {
			both.entries = append(both.entries, e)
		}
	}
	both.sort()
	return both
}

func (b *Baseline) sort() {
	slices.SortFunc(b.entries, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
}

// Encode returns the baseline as a file.
func (b *Baseline) Encode() ([]byte, error) {
	f := file{Schema: Schema, Findings: b.entries}
	if f.Findings == nil {
		f.Findings = []Entry{}
	}
	out, err := json.MarshalIndent(f, "", "  ")
	return append(out, '\n'), err
}

// New returns those of findings that have a problem which b does not know, in their order.
func (b *Baseline) New(findings []plan.Finding) []plan.Finding {
	var out []plan.Finding
	for _, f := range findings {
		i, known := b.find(f.ID)
		if !known || slices.ContainsFunc(problems(f), func(fn string) bool { return !slices.Contains(b.entries[i].Functions, fn) }) {
			out = append(out, f)
		}
	}
	return out
}

// Gone returns the variables that b knows a finding about and that none of findings is about.
func (b *Baseline) Gone(findings []plan.Finding) []string {
	var out []string
	for _, e := range b.entries {
		if !slices.ContainsFunc(findings, func(f plan.Finding) bool { return f.ID == e.ID }) {
			out = append(out, e.Variable)
		}
	}
	return out
}

func (b *Baseline) find(id string) (int, bool) {
	return slices.BinarySearchFunc(b.entries, id, func(e Entry, id string) int { return strings.Compare(e.ID, id) })
}
