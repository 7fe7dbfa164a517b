package plan

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"mapmend/plan/load"
)

// This file is the plan file: a plan with what it was made of, so that it can be reviewed on one day and carried
// out on another. It is untrusted input. What it says is never carried out as such: it chooses among the mends that
// are planned anew for the same sources, see [File.Choose].

// FileSchema names the form of a plan file. It changes with the meaning of a field.
const FileSchema = "mapmend/plan/v1"

// File is a plan file.
type File struct {
	Schema  string   `json:"schema"`
	Version string   `json:"version"` // of mapmend, for people
	Request Request  `json:"request"`
	Sources []Source `json:"sources"` // every source file that the plan rests on, sorted by name
	Plan
}

// Request is how a plan was asked for: the same asked again of the same sources gives the same plan.
type Request struct {
	Dir           string     `json:"dir"`      // the folder that Patterns are relative to, itself relative to the program's root; "."
	Patterns      []string   `json:"patterns"` // as for go list; none means ./...
	Tags          string     `json:"tags,omitempty"`
	Platforms     []string   `json:"platforms,omitempty"` // none: that of the environment
	Tests         bool       `json:"tests"`
	Forms         []Form     `json:"forms,omitempty"` // none: the tool chose
	AllAccessors  bool       `json:"allAccessors,omitempty"`
	EmitTests     bool       `json:"emitTests,omitempty"`
	Fields        []string   `json:"fields,omitempty"` // none: all
	All           bool       `json:"all,omitempty"`
	MinConfidence Confidence `json:"minConfidence"`

	Evidence []EvidenceFile `json:"evidence,omitempty"`
}

// EvidenceFile is a file that a running program left, at the time of the plan.
type EvidenceFile struct {
	File string `json:"file"` // as it was named, relative to Dir unless it is absolute
	Hash string `json:"hash"` // SHA-256 of its content, in hexadecimal
}

// Source is one source file at the time of the plan.
type Source struct {
	Package string `json:"package"` // import path; that of an external test ends in _test
	File    string `json:"file"`
	Hash    string `json:"hash"` // SHA-256 of its content, in hexadecimal
}

// NewFile returns the file of p, which was made of progs, one for each platform, as req says by the given version of mapmend.
func NewFile(progs []*load.Program, p *Plan, req Request, version string) *File {
	return &File{Schema: FileSchema, Version: version, Request: req, Sources: sourcesOf(progs), Plan: *p}
}

// sourcesOf returns every source file of progs.
func sourcesOf(progs []*load.Program) []Source {
	var out []Source
	for _, prog := range progs {
		for _, pkg := range prog.Packages {
			for _, f := range slices.Concat(pkg.Files, pkg.Unchecked) {
				sum := sha256.Sum256(f.Src)
				out = append(out, Source{pkg.Path, f.Name, hex.EncodeToString(sum[:])})
			}
		}
	}
	slices.SortFunc(out, Source.compare)
	return slices.Compact(out)
}

func (s Source) compare(t Source) int {
	return cmp.Or(cmp.Compare(s.File, t.File), cmp.Compare(s.Package, t.Package), cmp.Compare(s.Hash, t.Hash))
}

// Encode returns f as it is written.
func (f *File) Encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "\t")
	err := enc.Encode(f)
	return buf.Bytes(), err
}

// ReadFile reads a plan file. What is no plan file, or one of another schema, is an error.
func ReadFile(r io.Reader) (*File, error) {
	src, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(src, &head); err != nil {
		return nil, fmt.Errorf("not a plan: %w", err)
	}
	if head.Schema != FileSchema {
		return nil, fmt.Errorf("not a plan that this version reads: its schema is %q, not %q", head.Schema, FileSchema)
	}
	f := new(File)
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.DisallowUnknownFields()
	if err := dec.Decode(f); err != nil {
		return nil, fmt.Errorf("not a plan: %w", err)
	}
	if !filepath.IsLocal(filepath.FromSlash(f.Request.Dir)) {
		return nil, fmt.Errorf("the folder %q of the plan is not one of the module", f.Request.Dir)
	}
	return f, nil
}

// Check returns an error if the sources of progs, which were loaded as the request of f says, are not those of f.
func (f *File) Check(progs []*load.Program) error {
	changed := differing(f.Sources, sourcesOf(progs))
	if len(changed) == 0 {
		return nil
	}
	const shown = 5
	more := ""
	if len(changed) > shown {
		more = fmt.Sprintf(" and %d more", len(changed)-shown)
		changed = changed[:shown]
	}
	return fmt.Errorf("the sources are not those of the plan: %s%s; plan again", strings.Join(changed, ", "), more)
}

// CheckEvidence returns an error if the files of evidence are not those of f.
func (f *File) CheckEvidence(files []EvidenceFile) error {
	if slices.Equal(f.Request.Evidence, files) {
		return nil
	}
	return errors.New("the evidence is not that of the plan; plan again")
}

// Choose returns p, which was made as the request of f says, with those of its mends that f has. It is an error if a
// mend of f is not one of p.
func (f *File) Choose(p *Plan) (*Plan, error) {
	chosen := *p
	chosen.Mends = nil
	for _, m := range p.Mends {
		if i := slices.IndexFunc(f.Mends, func(planned Mend) bool { return planned.Var == m.Var }); i >= 0 {
			if !sameJSON(m, f.Mends[i]) {
				return nil, fmt.Errorf("%s is planned in another way now; plan again", m.Var)
			}
			chosen.Mends = append(chosen.Mends, m)
		}
	}
	var errs []error
	for i, m := range f.Mends {
		of := func(other Mend) bool { return other.Var == m.Var }
		switch {
		case slices.ContainsFunc(f.Mends[:i], of):
			errs = append(errs, fmt.Errorf("%s stands twice in the plan", m.Var))
		case !slices.ContainsFunc(p.Mends, of):
			errs = append(errs, fmt.Errorf("%s is not to be mended now; plan again", m.Var))
		}
	}
	return &chosen, errors.Join(errs...)
}

// differing returns the names of the files that are not the same in both lists, sorted.
func differing(a, b []Source) []string {
	count := make(map[Source]int)
	for _, s := range a {
		count[s]++
	}
	for _, s := range b {
		count[s]--
	}
	names := make(map[string]bool)
	for s, n := range count {
		if n != 0 {
			names[s.File] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// sameJSON reports whether two mends are written the same.
func sameJSON(a, b Mend) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
