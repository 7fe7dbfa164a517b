package report

// This file renders findings as the diagnostics of reviewdog, format rdjson.
// See https://github.com/reviewdog/reviewdog/tree/master/proto/rdf.

import (
	"encoding/json"
	"io"

	"mapmend/plan"
)

type rdResult struct {
	Source      rdSource       `json:"source"`
	Severity    string         `json:"severity"`
	Diagnostics []rdDiagnostic `json:"diagnostics"`
}

type rdSource struct {
	Name string `json:"name"`
}

type rdDiagnostic struct {
	Message          string         `json:"message"`
	Location         rdLocation     `json:"location"`
	Severity         string         `json:"severity"`
	Code             rdCode         `json:"code"`
	Suggestions      []rdSuggestion `json:"suggestions,omitempty"`
	RelatedLocations []rdRelated    `json:"relatedLocations,omitempty"`
}

type rdLocation struct {
	Path  string  `json:"path"`
	Range rdRange `json:"range"`
}

type rdRange struct {
	Start rdPosition `json:"start"`
}

type rdPosition struct {
	Line   int `json:"line"`
	Column int `json:"column"` // 1-based, in bytes
}

// rdSuggestion replaces whole lines by others; the last has no line end.
type rdSuggestion struct {
	Range rdLines `json:"range"`
	Text  string  `json:"text"`
}

type rdLines struct {
	Start rdLine `json:"start"`
	End   rdLine `json:"end"` // inclusive
}

type rdLine struct {
	Line int `json:"line"`
}

type rdCode struct {
	Value plan.Kind `json:"value"`
}

type rdRelated struct {
	Message  string     `json:"message"`
	Location rdLocation `json:"location"`
}

// RDJSON writes one result with all findings. A finding that is likely is a warning, a less certain one and one that is no
// race an info. The message holds what Text writes below the finding; the other sites are related locations.
//
// A mend in one file is a suggestion, one only: reviewers take suggestions one by one, and a part of a mend is none. It is of
// whole lines, since those who show it have but lines to put it beside. A mend in several files has no place there.
func RDJSON(w io.Writer, findings []plan.Finding, refusals []plan.Refusal, opt Options) error {
	opt.Color, opt.Source = false, nil
	out := rdResult{Source: rdSource{"mapmend"}, Severity: "WARNING", Diagnostics: []rdDiagnostic{}}
	for _, f := range sorted(findings, opt.head, findingVar) {
		d := rdDiagnostic{
			Message:  withDetails(ShortName(f.Var)+": "+f.Message, f, refusals, opt),
			Location: opt.rdLocation(f.Head), Severity: level(f, "WARNING", "INFO"), Code: rdCode{f.Kind},
		}
		for _, s := range opt.problemsFirst(f.Sites) {
			d.RelatedLocations = append(d.RelatedLocations, rdRelated{Describe(s, f.Kind), opt.rdLocation(s.Pos)})
		}
		for _, c := range f.Contention {
			for _, s := range c.Sites {
				d.RelatedLocations = append(d.RelatedLocations, rdRelated{describeLock(s, c), opt.rdLocation(s.Pos)})
			}
		}
		if fix := opt.fix(f); fix != nil && len(fix.Files) == 1 && fix.Files[0].File == d.Location.Path {
			first, last, text := fix.Files[0].lines()
			d.Suggestions = []rdSuggestion{{rdLines{rdLine{first}, rdLine{last}}, text}}
		}
		out.Diagnostics = append(out.Diagnostics, d)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func (o Options) rdLocation(p plan.Pos) rdLocation {
	p = o.posn(p)
	return rdLocation{p.File, rdRange{rdPosition{p.Line, p.Column}}}
}
