// This file holds the invariant about lines: KeptLines.

package verify

import (
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/rewrite"
)

// keptLines: each line of a file that was formatted is still one, unless a planned place shares it with
// other code; and a comment stands beside the code that it stood beside, so that a directive such as
//
//	os.Remove(name) //nolint:errcheck
//
// goes on to be about the same statement.
func keptLines(p *proof) []failure {
	return p.eachUnsplit(func(c rewrite.Change) (int, string) {
		if c.Create {
			return 0, ""
		}
		before, after := pageOf(c.Old), pageOf(c.New)
		before.comments = p.withoutFreed(c.File, before.comments)
		fates := p.fates(c, before)
		if isFormatted(c.Old) {
			if at, why := before.lost(after, fates); why != "" {
				return at, why
			}
		}
		return before.moved(after, fates)
	})
}

// A fate is what may become of a line.
type fate int

const (
	kept  fate = iota // it stays as it is, spaces aside
	split             // it becomes several
	free              // its code changes
)

// fates returns what may become of the lines of a file that need not be kept.
func (p *proof) fates(c rewrite.Change, before *page) map[int]fate {
	fates := make(map[int]fate)
	set := func(s plan.Span, to fate) {
		for line := before.lineOf(s.Start); line <= before.lineOf(s.End); line++ {
			fates[line] = max(fates[line], to)
		}
	}
	var literals []plan.Span
	for _, m := range p.plan.Mends {
		for _, s := range spansOf(m) {
			if s.File == c.File && before.isShared(s) {
				set(s, split) // func (s *S) Set() { s.m["a"] = 1 }
			}
		}
		for _, s := range m.Sections {
			if s.File == c.File && s.Hoist {
				set(s.Span, free)
			}
		}
		for _, mc := range m.Modes {
			if mc.File == c.File {
				set(mc.Span, free)
			}
		}
		for _, r := range m.Receivers {
			if r.File == c.File {
				set(r.Span, free)
			}
		}
		for _, s := range slices.Concat(m.Addressed, m.Asserted) {
			if s.File == c.File {
				set(s, free)
			}
		}
		if m.One != nil {
			for _, l := range m.One.Literals {
				if l.File == c.File {
					literals = append(literals, l.Span)
				}
			}
			if m.One.Type.File == c.File {
				set(m.One.Type, free)
			}
		}
		for _, t := range m.Twins {
			for _, call := range t.Calls {
				if call.File == c.File {
					set(call, free)
				}
			}
		}
		for _, copy := range m.Copies {
			if copy.File == c.File {
				set(copy.Span, free)
			}
		}
		for _, s := range freedSpans(m) {
			if s.File != c.File {
				continue
			}
			set(s, free)
			for _, line := range []int{before.lineOf(s.Start) - 1, before.lineOf(s.End) + 1} {
				if before.isBlank(line) { // beside what goes
					fates[line] = free
				}
			}
		}
		for _, l := range m.Lowered {
			if l.File != c.File {
				continue
			}
			if set(l.Span, free); l.Shape == plan.ShapeLiteral {
				literals = append(literals, l.Span)
			}
		}
	}
	for _, s := range wholes(c.Old, literals) {
		set(s, free)
		if line := before.lineOf(s.End) + 1; before.isBlank(line) { // below an import that goes
			fates[line] = free
		}
	}
	return fates
}

// wholes returns the import declarations of src, and the composite literals around any of the elements.
func wholes(src []byte, elements []plan.Span) []plan.Span {
	f, err := parseFile(src)
	if err != nil {
		return nil
	}
	var list []plan.Span
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if n == nil {
			return false
		}
		span := plan.Span{Start: f.file.Offset(n.Pos()), End: f.file.Offset(n.End())}
		switch n := n.(type) {
		case *ast.GenDecl:
			if isImport(n) {
				list = append(list, span)
			}
		case *ast.CompositeLit:
			if slices.ContainsFunc(elements, func(e plan.Span) bool { return span.Start <= e.Start && e.End <= span.End }) {
				list = append(list, span)
			}
		}
		return true
	})
	return list
}

// A page is a file as lines, counted from zero.
type page struct {
	src      []byte
	starts   []int         // where each line begins
	code     map[int][]tok // by line; a token of several lines is on the first and on the last
	comments []tok
}

func pageOf(src []byte) *page {
	p := &page{src: src, starts: []int{0}, code: make(map[int][]tok)}
	for i, b := range src {
		if b == '\n' {
			p.starts = append(p.starts, i+1)
		}
	}
	for _, t := range scan(src, scanner.ScanComments) {
		if t.tok == token.COMMENT {
			p.comments = append(p.comments, t)
			continue
		}
		first, last := p.lineOf(t.offset), p.lineOf(t.end())
		p.code[first] = append(p.code[first], t)
		if last > first {
			p.code[last] = append(p.code[last], t)
		}
	}
	return p
}

func (p *page) lineOf(offset int) int {
	line, found := slices.BinarySearch(p.starts, offset)
	if !found {
		line--
	}
	return line
}

// line returns a line with one space for each run of them.
func (p *page) line(i int) string {
	end := len(p.src)
	if i+1 < len(p.starts) {
		end = p.starts[i+1]
	}
	return strings.Join(strings.Fields(string(p.src[p.starts[i]:end])), " ")
}

// isBlank reports whether there is a line i, and nothing is on it.
func (p *page) isBlank(i int) bool { return 0 <= i && i < len(p.starts) && p.line(i) == "" }

// isShared reports whether other code stands on the lines that s begins and ends on.
func (p *page) isShared(s plan.Span) bool {
	return len(p.codeBefore(s.Start)) > 0 || len(p.codeBehind(s.End)) > 0
}

// codeBefore returns the tokens that stand before offset on its line.
func (p *page) codeBefore(offset int) []tok {
	code := p.code[p.lineOf(offset)]
	return code[:countFunc(code, func(t tok) bool { return t.offset < offset })]
}

// codeBehind returns the tokens that stand behind offset on its line.
func (p *page) codeBehind(offset int) []tok {
	code := p.code[p.lineOf(offset)]
	return code[countFunc(code, func(t tok) bool { return t.offset < offset }):]
}

// countFunc returns how many of the first tokens are so.
func countFunc(code []tok, is func(tok) bool) int {
	n := slices.IndexFunc(code, func(t tok) bool { return !is(t) })
	if n < 0 {
		return len(code)
	}
	return n
}

// lost says which is the first line to keep that after does not have in its turn, and where in after it is missed.
func (p *page) lost(after *page, fates map[int]fate) (at int, why string) {
	next := 0
	for i := range p.starts {
		if fates[i] != kept {
			continue
		}
		want, from := p.line(i), next
		for next < len(after.starts) && after.line(next) != want {
			next++
		}
		if next == len(after.starts) {
			return after.starts[min(from, next-1)], fmt.Sprintf("the line %q is lost, and no planned place is on it", want)
		}
		next++
	}
	return 0, ""
}

// moved returns the first comment of after that stands beside other code than in p, and why.
// Precondition: OnlyPlanned holds.
func (p *page) moved(after *page, fates map[int]fate) (at int, why string) {
	i := 0
	for j, now := range after.comments {
		if i == len(p.comments) || trimLines(now.text) != trimLines(p.comments[i].text) {
			continue // a planned one
		}
		if why := p.movedFrom(i, after, j, fates); why != "" {
			return now.offset, why
		}
		i++
	}
	return 0, ""
}

// movedFrom says how comment j of after stands otherwise than comment i of p did. One behind code on its line
// belongs to that code, else it belongs to the code behind it or, without a blank line between, below it.
func (p *page) movedFrom(i int, after *page, j int, fates map[int]fate) string {
	before, line := p.codeLeftOf(i)
	beforeNow, _ := after.codeLeftOf(j)
	switch {
	case len(before) == 0 && len(beforeNow) > 0:
		return "a comment stands behind code that it did not stand behind"
	case len(before) > 0 && !staysBeside(before, beforeNow, fates[line], hasSuffix):
		return "a comment left the line that it was on"
	case len(before) > 0:
		return ""
	}
	behind, line := p.codeOf(p.comments[i])
	behindNow, _ := after.codeOf(after.comments[j])
	if len(behind) > 0 && !staysBeside(behind, behindNow, fates[line], hasPrefix) {
		return "a comment left the line that it was before"
	}
	return ""
}

// codeLeftOf returns the code on the line of comment i before it and which line that is. What follows a comment
// of several lines stands on the line on which that one begins.
func (p *page) codeLeftOf(i int) (code []tok, line int) {
	for {
		at := p.comments[i].offset
		if line, code = p.lineOf(at), p.codeBefore(at); len(code) > 0 || i == 0 || p.lineOf(p.comments[i-1].end()) != line {
			return code, line
		}
		i--
	}
}

// codeOf returns the code behind a comment on its last line, or else on the line below it and the comments
// that follow it without a blank line, and which line that is.
func (p *page) codeOf(comment tok) (code []tok, line int) {
	line = p.lineOf(comment.end())
	if code := p.codeBehind(comment.end()); len(code) > 0 {
		return code, line
	}
	for line++; line < len(p.starts) && p.line(line) != ""; line++ {
		if code := p.code[line]; len(code) > 0 {
			return code, line
		}
	}
	return nil, line
}

// staysBeside reports whether the code beside a comment, once was, may be now.
func staysBeside(was, now []tok, f fate, has func(list, part []tok) bool) bool {
	return len(now) > 0 && (f == free || has(was, now))
}

func sameText(a, b tok) bool { return a.text == b.text }

func hasPrefix(list, part []tok) bool {
	return len(part) <= len(list) && slices.EqualFunc(list[:len(part)], part, sameText)
}

func hasSuffix(list, part []tok) bool {
	return len(part) <= len(list) && slices.EqualFunc(list[len(list)-len(part):], part, sameText)
}
