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
	Message          string      `json:"message"`
	Location         rdLocation  `json:"location"`
	Severity         string      `json:"severity"`
	Code             rdCode      `json:"code"`
	RelatedLocations []rdRelated `json:"relatedLocations,omitempty"`
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

type rdCode struct {
	Value plan.Kind `json:"value"`
}

type rdRelated struct {
	Message  string     `json:"message"`
	Location rdLocation `json:"location"`
}

// RDJSON writes one result with all findings. A finding that is likely is a warning, a less certain one and one that is no
// race an info. The message holds what Text writes below the finding; the other sites are related locations.
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
