package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"

	"mapmend/plan/load"
)

// This file keeps a section from having in it a function literal with a section of the same lock, which would wait for the
// one around it:
//
//	for k := range s.m {
//		func() { s.n[k]++ }()
//	}

// takesAgain returns where a section of fn, and one of another function that were placed before, lie one in the other. There
// is none if the position is not valid.
func (d *decider) takesAgain(fn string, sections []Section, placed map[string][]Section) token.Pos {
	f, _ := d.functionAt(fn)
	for _, other := range sortedKeys(placed) {
		g, _ := d.functionAt(other)
		if other == fn || g.file != f.file {
			continue
		}
		for _, s := range sections {
			for _, o := range placed[other] {
				if s.Lock != o.Lock || s.End <= o.Start || o.End <= s.Start {
					continue
				}
				inner, outer := s, o
				if o.Start >= s.Start && o.End <= s.End {
					inner, outer = o, s
				}
				if !startedIn(f.file, inner.Span, outer.Span) {
					return f.file.Syntax.FileStart + token.Pos(inner.Start)
				}
			}
		}
	}
	return token.NoPos
}

// startedIn reports whether a go statement in outer runs the function literal that inner stands in.
func startedIn(file *load.File, inner, outer Span) (found bool) {
	covers := func(span Span, n ast.Node) bool {
		return span.Start <= offsetIn(file, n.Pos()) && offsetIn(file, n.End()) <= span.End
	}
	ast.Inspect(file.Syntax, func(n ast.Node) bool {
		if g, ok := n.(*ast.GoStmt); ok && covers(outer, g) {
			lit, ok := g.Call.Fun.(*ast.FuncLit)
			found = found || ok && offsetIn(file, lit.Pos()) <= inner.Start && inner.End <= offsetIn(file, lit.End())
		}
		return !found
	})
	return found
}

// sectionsOf returns the sections of all candidates in sections, each once.
func sectionsOf(sections map[*candidate][]Section) []Section {
	var out []Section
	for _, list := range sections {
		for _, s := range list {
			if !slices.ContainsFunc(out, func(o Section) bool { return o.Span == s.Span && o.Lock == s.Lock }) {
				out = append(out, s)
			}
		}
	}
	slices.SortFunc(out, func(a, b Section) int { return cmp.Or(a.Start-b.Start, a.End-b.End) })
	return out
}
