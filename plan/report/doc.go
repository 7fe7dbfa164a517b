// Package report renders findings and refusals for people and for scripts.
//
// Text is what `mapmend check` prints: one line a finding in the shape of go vet, then indented lines
// with the uses, the call chains and the evidence. JSON is the contract mapmend/findings/v1, which
// scripts rely on: it is extended, never changed. Refusals is what a dry run prints on stderr.
//
// The order of the output depends on the findings only: file, line, column, then the variable's name.
// The package decides nothing and writes to no file: which findings pass the threshold is the
// caller's question (AtLeast), and where the output goes is the caller's io.Writer.
package report

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"mapmend/plan"
)

// Options say how output is presented. The zero value prints plain text with the plan's own file names.
type Options struct {
	Rel     func(file string) string // turns a file of the plan into the name to show; nil shows it as it is
	Source  func(file string) []byte // what a file of the plan holds; nil, or a nil result, shows no source
	Fix     func(plan.Finding) *Fix  // the mend of a finding as edits; nil, or a nil result, for none; JSON, SARIF and RDJSON only
	Version string                   // of the tool; SARIF only
	Color   bool                     // use ANSI colours; text only
	Verbose bool                     // show every use, not only those that tell why; text only
}

// posn returns p with its file as it is to be shown.
func (o Options) posn(p plan.Pos) plan.Pos {
	if o.Rel != nil && p.File != "" {
		p.File = o.Rel(p.File)
	}
	return p
}

// head returns the position at which f is reported.
func (o Options) head(f plan.Finding) plan.Pos { return o.posn(f.Head) }

// AtLeast returns the findings whose confidence is min or more, in their order.
func AtLeast(findings []plan.Finding, min plan.Confidence) []plan.Finding {
	var kept []plan.Finding
	for _, f := range findings {
		if f.Confidence >= min {
			kept = append(kept, f)
		}
	}
	return kept
}

// ShortName returns the name of v with the last element of its import path only: lease.Store.leases.
func ShortName(v plan.Var) string {
	elem := path.Base(v.Package)
	if dir := path.Dir(v.Package); isMajor(elem) && dir != "." {
		elem = path.Base(dir)
	}
	v.Package = elem
	return v.String()
}

// isMajor reports whether elem is the major version at the end of an import path: v2.
func isMajor(elem string) bool {
	digits, ok := strings.CutPrefix(elem, "v")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// sorted returns a copy of list in the order of the positions that posn gives, then of the variables' names.
func sorted[T any](list []T, posn func(T) plan.Pos, name func(T) plan.Var) []T {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int {
		return cmp.Or(comparePos(posn(a), posn(b)), cmp.Compare(name(a).String(), name(b).String()))
	})
	return list
}

// sites returns a copy of list in the order of the positions as they are shown.
func (o Options) sites(list []plan.Site) []plan.Site {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b plan.Site) int { return comparePos(o.posn(a.Pos), o.posn(b.Pos)) })
	return list
}

func comparePos(a, b plan.Pos) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}
