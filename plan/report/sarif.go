package report

// This file renders findings as SARIF 2.1.0, which code scanning services read.
// See https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"mapmend/plan"
)

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               plan.Kind    `json:"id"`
	ShortDescription sarifMessage `json:"shortDescription"`
}

type sarifMessage struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID              plan.Kind         `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Level               string            `json:"level"`
	Message             sarifMessage      `json:"message"`
	Locations           []sarifLocation   `json:"locations"`
	RelatedLocations    []sarifLocation   `json:"relatedLocations,omitempty"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
	Fixes               []sarifFix        `json:"fixes,omitempty"`
	Properties          sarifProperties   `json:"properties"`
}

type sarifFix struct {
	Description     sarifMessage  `json:"description"`
	ArtifactChanges []sarifChange `json:"artifactChanges"`
}

type sarifChange struct {
	ArtifactLocation sarifArtifact      `json:"artifactLocation"`
	Replacements     []sarifReplacement `json:"replacements"`
}

type sarifReplacement struct {
	DeletedRegion   sarifRegion  `json:"deletedRegion"`
	InsertedContent sarifMessage `json:"insertedContent"`
}

type sarifLocation struct {
	ID               int           `json:"id,omitempty"` // related locations count from 1
	PhysicalLocation sarifPhysical `json:"physicalLocation"`
	Message          *sarifMessage `json:"message,omitempty"`
}

type sarifPhysical struct {
	ArtifactLocation sarifArtifact `json:"artifactLocation"`
	Region           sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine,omitempty"` // 0: it is a place
	EndColumn   int `json:"endColumn,omitempty"`
}

type sarifProperties struct {
	Confidence string     `json:"confidence"`
	Variable   string     `json:"variable"`
	Guard      string     `json:"guard,omitempty"`
	Evidence   []string   `json:"evidence"`
	Chains     [][]string `json:"chains"`
	Refused    []string   `json:"refused,omitempty"`
}

// SARIF writes one log with one run. A result stands at the first problem site; the other sites, problems first, are
// related locations. A finding that is likely is a warning, a less certain one and one that is no race a note. The
// fingerprint is the ID of the finding, which edits elsewhere do not change.
//
// A fix has the whole mend, also where several findings have parts of it in common: who takes a fix takes it alone, and
// nothing says that two are to be taken together. The replacement of a file that does not exist yet stands at its start.
func SARIF(w io.Writer, findings []plan.Finding, refusals []plan.Refusal, opt Options) error {
	run := sarifRun{ColumnKind: "utf16CodeUnits", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "mapmend", Version: opt.Version}
	for _, k := range plan.Kinds {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{k, sarifMessage{rules[k]}})
	}
	for _, f := range sorted(findings, opt.head, findingVar) {
		run.Results = append(run.Results, opt.sarif(f, refusals))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func (o Options) sarif(f plan.Finding, refusals []plan.Refusal) sarifResult {
	r := sarifResult{
		RuleID: f.Kind, RuleIndex: slices.Index(plan.Kinds, f.Kind), Level: level(f, "warning", "note"),
		Message:             sarifMessage{ShortName(f.Var) + ": " + f.Message},
		Locations:           []sarifLocation{o.sarifLocation(f.Head)},
		PartialFingerprints: map[string]string{"mapmend/v1": f.ID},
		Properties: sarifProperties{
			Confidence: f.Confidence.String(), Variable: f.Var.String(), Guard: f.Guard,
			Evidence: append([]string{}, f.Evidence...), Chains: append([][]string{}, f.Chains...),
		},
	}
	for _, s := range o.problemsFirst(f.Sites) {
		l := o.sarifLocation(s.Pos)
		l.ID, l.Message = len(r.RelatedLocations)+1, &sarifMessage{Describe(s, f.Kind)}
		r.RelatedLocations = append(r.RelatedLocations, l)
	}
	for _, c := range f.Contention {
		for _, s := range c.Sites {
			l := o.sarifLocation(s.Pos)
			l.ID, l.Message = len(r.RelatedLocations)+1, &sarifMessage{describeLock(s, c)}
			r.RelatedLocations = append(r.RelatedLocations, l)
		}
	}
	for _, ref := range refusals {
		if ref.Var == f.Var {
			r.Properties.Refused = append(r.Properties.Refused, fmt.Sprintf("%s: %s (%s)%s", formatPos(o.posn(ref.Pos)), ref.Message, ref.Code, todo(ref, "; ")))
		}
	}
	if fix := o.fix(f); fix != nil {
		r.Fixes = []sarifFix{sarifFixOf(*fix)}
	}
	return r
}

func sarifFixOf(fix Fix) sarifFix {
	out := sarifFix{Description: sarifMessage{fix.Text}}
	for _, f := range fix.Files {
		c := sarifChange{ArtifactLocation: sarifArtifact{fileURI(f.File)}}
		for _, e := range f.Edits {
			c.Replacements = append(c.Replacements, sarifReplacement{f.region(e), sarifMessage{e.Text}})
		}
		out.ArtifactChanges = append(out.ArtifactChanges, c)
	}
	return out
}

// region returns what e replaces in f.
func (f FileFix) region(e Edit) (r sarifRegion) {
	place := func(offset int) (line, column int) {
		line, before := f.place(offset)
		return line, codeUnits(before, line) + 1
	}
	r.StartLine, r.StartColumn = place(e.Start)
	r.EndLine, r.EndColumn = place(e.End)
	return r
}

// problemsFirst returns a copy of list in the order of the positions as they are shown, the problems before the others.
func (o Options) problemsFirst(list []plan.Site) []plan.Site {
	list = o.sites(list)
	slices.SortStableFunc(list, func(a, b plan.Site) int {
		switch {
		case a.Problem == b.Problem:
			return 0
		case a.Problem:
			return -1
		}
		return 1
	})
	return list
}

// level returns strong for a finding that is at least likely and a race, and weak for any other.
func level(f plan.Finding, strong, weak string) string {
	if f.Confidence >= plan.Likely && f.Kind.IsRace() {
		return strong
	}
	return weak
}

func (o Options) sarifLocation(p plan.Pos) sarifLocation {
	p, column := o.posn(p), o.utf16Column(p)
	return sarifLocation{PhysicalLocation: sarifPhysical{sarifArtifact{fileURI(p.File)}, sarifRegion{StartLine: p.Line, StartColumn: column}}}
}

// fileURI returns the reference to a slash-separated file name: relative, as the name is, or with the scheme file.
func fileURI(name string) string {
	u := url.URL{Path: name}
	if path.IsAbs(name) || len(name) > 2 && name[1:3] == ":/" { // C:/...
		u = url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(name, "/")}
	}
	return u.String()
}
