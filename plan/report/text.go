package report

// This file renders findings and refusals as text.

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"mapmend/plan"
)

// Text writes one line for each finding and indented lines below it:
//
//	lease/store.go:48:9: likely inconsistent-guard: lease.Store.byID: read without mu, which (*Store).Grant holds
//		lease/store.go:48:9: load in (*Store).Peek holds nothing
//		lease/store.go:31:2: store in (*Store).Grant holds s.mu
//		chain: (*Store).Serve > go > (*Store).Peek
//		evidence: one side holds a lock
//
// The line stands at the first problem site. Below it come the problem sites and the first other site
// that holds a lock, or with Verbose every site. A refusal of the variable is the last line.
func Text(w io.Writer, findings []plan.Finding, refusals []plan.Refusal, opt Options) error {
	p := printer{w: bufio.NewWriter(w), opt: opt}
	for _, f := range sorted(findings, opt.head, findingVar) {
		fmt.Fprintf(p.w, "%s: %s: %s: %s\n", formatPos(opt.head(f)), p.warn(strings.TrimSpace(f.Confidence.String()+" "+string(f.Kind))), p.bold(ShortName(f.Var)), f.Message)
		p.details(f, refusals)
	}
	return p.w.Flush()
}

// Refusals writes one line for each refusal, and the way out of it indented below:
//
//	lease/store.go:48:9: cannot mend lease.Store.byID: the section would wait for a channel (block-in-region)
//		receive before the map is read
func Refusals(w io.Writer, refusals []plan.Refusal, opt Options) error {
	p := printer{w: bufio.NewWriter(w), opt: opt}
	posn := func(r plan.Refusal) plan.Pos { return opt.posn(r.Pos) }
	for _, r := range sorted(refusals, posn, func(r plan.Refusal) plan.Var { return r.Var }) {
		fmt.Fprintf(p.w, "%s: cannot mend %s: %s (%s)%s\n", formatPos(posn(r)), p.bold(ShortName(r.Var)), r.Message, p.warn(string(r.Code)), todo(r, "\n\t"))
	}
	return p.w.Flush()
}

func todo(r plan.Refusal, sep string) string {
	if r.Todo == "" {
		return ""
	}
	return sep + r.Todo
}

func findingVar(f plan.Finding) plan.Var { return f.Var }

// A printer writes findings; w keeps the first error until it is flushed.
type printer struct {
	w   *bufio.Writer
	opt Options
}

// details writes what stands below the line of f, with the refusals of its variable among refusals.
func (p printer) details(f plan.Finding, refusals []plan.Refusal) {
	for _, s := range p.shown(p.opt.sites(f.Sites)) {
		p.related("%s: %s", formatPos(p.opt.posn(s.Pos)), Describe(s, f.Kind))
		if s.Problem {
			p.source(s.Pos)
		}
	}
	for _, c := range f.Contention {
		for _, s := range c.Sites[:min(len(c.Sites), p.lockSites())] {
			p.related("%s: %s", formatPos(p.opt.posn(s.Pos)), describeLock(s, c))
		}
	}
	if len(f.Chains) == 2 && slices.Equal(f.Chains[0], f.Chains[1]) {
		p.related("chain: %s, in parallel with itself", strings.Join(f.Chains[0], " > "))
	} else {
		for _, chain := range f.Chains {
			p.related("chain: %s", strings.Join(chain, " > "))
		}
	}
	for _, e := range f.Evidence {
		p.related("evidence: %s", e)
	}
	if f.Stays != "" {
		p.related("it stays as it is: %s", f.Stays)
	}
	for _, r := range refusals {
		if r.Var == f.Var {
			p.related("%s: %s: %s%s", formatPos(p.opt.posn(r.Pos)), p.bold("cannot mend"), r.Message, todo(r, "; "))
		}
	}
}

// lockSites returns how many of the places of a lock are shown.
func (p printer) lockSites() int {
	if p.opt.Verbose {
		return math.MaxInt
	}
	return 3
}

// describeLock returns a place of the lock that c is about in words.
func describeLock(s plan.LockSite, c plan.Contention) string {
	if s.Holds {
		return fmt.Sprintf("%s gives %s back here, for which others waited: %.0f %% of all waiting for locks", s.Function, c.Lock, s.Share*100)
	}
	return fmt.Sprintf("%s waits for %s here: %.0f %% of all waiting for locks", s.Function, c.Lock, s.Share*100)
}

// source writes the line of source at pos, and below it a caret at its column.
func (p printer) source(pos plan.Pos) {
	line := p.opt.line(pos)
	if line == nil || pos.Column < 1 || pos.Column > len(line) {
		return
	}
	code := strings.TrimLeft(string(line), " \t")
	if before := len(line) - len(code); before < pos.Column {
		p.related("\t%s", code)
		p.related("\t%s%s", blank(code[:pos.Column-1-before]), p.warn("^"))
	}
}

// blank returns what takes as much room as s, and shows nothing.
func blank(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, s)
}

// shown returns the sites that tell why there is a finding: the problems, then one that holds a lock.
func (p printer) shown(sites []plan.Site) []plan.Site {
	if p.opt.Verbose {
		return sites
	}
	var problems, holding []plan.Site
	for _, s := range sites {
		switch {
		case s.Problem:
			problems = append(problems, s)
		case len(s.Held) > 0 && len(holding) == 0:
			holding = append(holding, s)
		}
	}
	return append(problems, holding...)
}

// Describe returns a site in words, with its kind where that differs from the finding's.
func Describe(s plan.Site, kind plan.Kind) string {
	var held []string
	for _, h := range s.Held {
		if h.Mode == "read" {
			held = append(held, h.Lock+" for reading")
		} else {
			held = append(held, h.Lock)
		}
	}
	if len(held) == 0 {
		held = []string{"nothing"}
	}
	text := fmt.Sprintf("%s in %s holds %s", s.Op, s.Function, strings.Join(held, ", "))
	if s.Kind != "" && s.Kind != kind {
		text += " (" + string(s.Kind) + ")"
	}
	return text
}

func (p printer) related(format string, args ...any) {
	fmt.Fprintf(p.w, "\t"+format+"\n", args...)
}

func (p printer) bold(s string) string { return p.color("1", s) }
func (p printer) warn(s string) string { return p.color("31", s) }

func (p printer) color(code, s string) string {
	if !p.opt.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// formatPos returns file:line:col, or a dash for the zero Pos.
func formatPos(p plan.Pos) string {
	if p.File == "" {
		return "-"
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}
