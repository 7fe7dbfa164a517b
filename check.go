package main

// This file is the command check: findings in one of several formats.

import (
	"io"
	"slices"

	"mapmend/plan"
	"mapmend/plan/report"
)

func check(inv *invocation) int {
	if err := inv.staging(); err != nil {
		return inv.fail(err)
	}
	prog, p, loaded := inv.answer()
	if p == nil {
		return loaded
	}
	inv.comment(prog, p)
	certain := report.AtLeast(p.Findings, inv.minConfidence.Confidence)
	findings, err := inv.news(prog, certain)
	if err != nil {
		return inv.fail(err)
	}
	if err := inv.formatted().write(inv.stdout, findings, p.Refusals, inv.report(inv.stdout, prog)); err != nil {
		return inv.fail(err)
	}
	if hidden := len(p.Findings) - len(certain); hidden > 0 {
		inv.notef("%s below --min-confidence %s", count(hidden, "finding"), inv.minConfidence)
	}
	if !inv.writeBaseline && slices.ContainsFunc(findings, func(f plan.Finding) bool { return f.Kind.IsRace() }) {
		return worst(loaded, exitFound)
	}
	return loaded
}

// An outputFormat is a way of writing findings.
type outputFormat struct {
	name  string // the value of --format
	write func(io.Writer, []plan.Finding, []plan.Refusal, report.Options) error
}

// diffFormat is the format for people: of a dry run, it is the diff.
const diffFormat = "text"

// formats lists the formats; the first is the default.
var formats = []outputFormat{
	{diffFormat, report.Text},
	{"json", report.JSON},
	{"sarif", report.SARIF},
	{"github", report.GitHub},
	{"rdjson", report.RDJSON},
}

// formatted returns the format that the flags ask for.
func (inv *invocation) formatted() outputFormat {
	return formats[slices.IndexFunc(formats, func(f outputFormat) bool { return f.name == inv.format.value })]
}

// formatNames lists the names of the formats.
func formatNames() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}
