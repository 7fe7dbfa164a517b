package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"mapmend/plan"
)

// This file tells the whole story of one variable.

// Explain writes what is known about one variable, so that a reader can follow how the verdict came about:
//
//	lease.Store.byID, declared at lease/store.go:12:2
//	verdict: likely inconsistent-guard: (*Store).Peek reads it without mu, which (*Store).Grant holds
//	guard: mu, since 1 of 2 uses hold it
//	uses:
//		lease/store.go:31:2: store in (*Store).Grant holds s.mu, as it must
//			reached by (*Store).Grant
//		lease/store.go:48:9: load in (*Store).Peek holds nothing, a problem
//			reached by (*Store).Serve > go > (*Store).Peek
//	two that may meet:
//		(*Store).Serve > go > (*Store).Peek
//		(*Store).Grant
//	why it is likely: one side holds mu of the owner
//	not certain: nothing
//	mend: possible; mapmend --field shows it
//	form: lock, since a lock can be held around every use, and nothing speaks for more: below about ...
//		weighed: loads 10, changes of an entry 10, few instances, nothing shows that it is hot; read from the source
//		not snapshot, for when the map is only ever replaced as a whole: entries are changed one by one
//
// f.Story must not be nil.
func Explain(w io.Writer, f plan.Finding, refusals []plan.Refusal, opt Options) error {
	p := printer{w: bufio.NewWriter(w), opt: opt}
	fmt.Fprintf(p.w, "%s, declared at %s\n", p.bold(ShortName(f.Var)), formatPos(opt.posn(f.Pos)))
	fmt.Fprintf(p.w, "verdict: %s: %s\n", p.warn(strings.TrimSpace(f.Confidence.String()+" "+string(f.Kind))), f.Message)
	fmt.Fprintf(p.w, "guard: %s\n", support(f))
	p.uses(f)
	if f.Confidence > plan.Silent {
		p.meeting(f)
	}
	p.list("not certain", f.Story.Doubts)
	if f.Confidence > plan.Silent {
		p.mend(f, refusals)
	}
	return p.w.Flush()
}

// support says which lock is the guard, and why.
func support(f plan.Finding) string {
	n := fmt.Sprintf("%d of %d uses hold it", len(f.Story.Holding), len(f.Sites))
	switch {
	case f.Guard == "":
		return "none: no lock is held around enough of the uses"
	case f.Story.Declared:
		return f.Guard + ", as its author declares; " + n
	}
	return f.Guard + ", since " + n
}

func (p printer) uses(f plan.Finding) {
	fmt.Fprintln(p.w, "uses:")
	for _, s := range p.opt.sites(f.Sites) {
		i := slices.IndexFunc(f.Sites, func(t plan.Site) bool { return t.Pos == s.Pos })
		text := Describe(s, f.Kind)
		switch {
		case s.Problem:
			text += ", " + p.warn("a problem")
		case slices.Contains(f.Story.Holding, i):
			text += ", as it must"
		}
		p.related("%s: %s", formatPos(p.opt.posn(s.Pos)), text)
		for _, way := range f.Story.Ways[i] {
			p.related("\treached by %s", way)
		}
	}
	if len(f.Sites) == 0 {
		p.related("none that may run while goroutines do")
	}
}

// meeting tells one pair of uses that may meet, and the evidence that it does.
func (p printer) meeting(f plan.Finding) {
	switch {
	case len(f.Chains) == 2 && slices.Equal(f.Chains[0], f.Chains[1]):
		fmt.Fprintln(p.w, "one that may meet itself:")
		p.related("%s", strings.Join(f.Chains[0], " > "))
	case len(f.Chains) == 2:
		fmt.Fprintln(p.w, "two that may meet:")
		p.related("%s", strings.Join(f.Chains[0], " > "))
		p.related("%s", strings.Join(f.Chains[1], " > "))
	}
	p.list("why it is "+f.Confidence.String(), f.Evidence)
}

func (p printer) mend(f plan.Finding, refusals []plan.Refusal) {
	var why []string
	for _, r := range refusals {
		if r.Var == f.Var {
			why = append(why, fmt.Sprintf("refused (%s): %s: %s%s", r.Code, formatPos(p.opt.posn(r.Pos)), r.Message, todo(r, "; ")))
		}
	}
	switch {
	case len(why) > 0:
	case f.Stays != "":
		why = []string{"none: " + f.Stays}
	default:
		why = []string{"possible; mapmend --field shows it"}
	}
	p.list("mend", why)
	if c := f.Story.Choice; c != nil {
		fmt.Fprintf(p.w, "form: %s, since %s: %s\n", f.Story.Form, c.Row, c.Figure)
		p.related("weighed: %s", c.Usage)
		for _, r := range c.Not {
			if r.Row != "" {
				r.Row = ", for when " + r.Row
			}
			p.related("not %s%s: %s", r.Form, r.Row, r.Why)
		}
	}
}

// list writes a heading with one text behind it, or several below.
func (p printer) list(heading string, texts []string) {
	switch len(texts) {
	case 0:
		fmt.Fprintf(p.w, "%s: nothing\n", heading)
	case 1:
		fmt.Fprintf(p.w, "%s: %s\n", heading, texts[0])
	default:
		fmt.Fprintf(p.w, "%s:\n", heading)
		for _, text := range texts {
			p.related("%s", text)
		}
	}
}
