package report

// This file renders findings as commands of GitHub Actions, which shows them beside the lines of a change.

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"mapmend/plan"
)

// GitHub writes one command for each finding, an annotation of the line at which it is reported:
//
//	::warning file=lease/store.go,line=48,col=9,title=inconsistent-guard%3A lease.Store.byID::read without mu, which (*Store).Grant holds%0A...
//
// A finding that is likely is a warning, a less certain one and one that is no race a notice. The message holds what Text
// writes below the finding, as far as GitHub takes it.
func GitHub(w io.Writer, findings []plan.Finding, refusals []plan.Refusal, opt Options) error {
	out := bufio.NewWriter(w)
	opt.Color, opt.Source = false, nil
	for _, f := range sorted(findings, opt.head, findingVar) {
		p := opt.head(f)
		fmt.Fprintf(out, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", level(f, "warning", "notice"), property(p.File), p.Line, p.Column,
			property(string(f.Kind)+": "+ShortName(f.Var)), message(shortened(withDetails(f.Message, f, refusals, opt))))
	}
	return out.Flush()
}

// maxMessage is how many bytes the message of an annotation may have: of the API for check runs it is 64 KB.
const maxMessage = 64_000

// shortened returns the lines of text that fit in a message, and says so if there are more.
func shortened(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	const more = "\n... more in the output of check"
	return text[:max(0, strings.LastIndexByte(text[:maxMessage-len(more)], '\n'))] + more
}

// withDetails returns text and, in lines of their own, what Text writes below the line of f.
func withDetails(text string, f plan.Finding, refusals []plan.Refusal, opt Options) string {
	var b strings.Builder
	p := printer{w: bufio.NewWriter(&b), opt: opt}
	p.details(f, refusals)
	p.w.Flush() // a strings.Builder takes everything
	return strings.TrimSuffix(text+"\n"+strings.ReplaceAll(b.String(), "\t", ""), "\n")
}

// message escapes the message of a command.
func message(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// property escapes the value of a property of a command.
func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(message(s))
}
