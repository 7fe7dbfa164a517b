// This file knows what is moved: the tokens in the order that they are to have.

package verify

import (
	"cmp"
	"errors"
	"go/ast"
	"go/token"
	"slices"

	"mapmend/plan"
	"mapmend/rewrite"
)

// movedIn returns what is to be taken out of the heads of statements in a file, or put into functions of their own, in order.
func (p *proof) movedIn(file string) []plan.Section {
	list := p.hoistsIn(file)
	for _, m := range p.plan.Mends {
		for _, s := range m.Sections {
			if s.Closure && s.File == file {
				list = append(list, s)
			}
		}
	}
	return list
}

// hoistsIn returns what is to be taken out of the heads of statements in a file, in order.
func (p *proof) hoistsIn(file string) []plan.Section {
	var list []plan.Section
	for _, m := range p.plan.Mends {
		for _, s := range m.Sections {
			same := func(o plan.Section) bool { return o.Span == s.Span && o.Name == s.Name }
			if s.Hoist && s.File == file && !slices.ContainsFunc(list, same) && !p.inSection(s) {
				list = append(list, s)
			}
		}
	}
	slices.SortFunc(list, func(a, b plan.Section) int { return cmp.Compare(a.Start, b.Start) })
	return list
}

// inSection reports whether another mend has all that s stands in under the same lock, so that nothing is taken out.
func (p *proof) inSection(s plan.Section) bool {
	return slices.ContainsFunc(p.plan.Mends, func(m plan.Mend) bool {
		return slices.ContainsFunc(m.Sections, func(o plan.Section) bool {
			return !o.Hoist && o.File == s.File && o.Lock == s.Lock && o.Start <= s.Start && s.End <= o.End
		})
	})
}

// hoisted returns the tokens of a file as it was, with those in front of their statement that are to stand there.
func (p *proof) hoisted(c rewrite.Change) ([]tok, error) {
	list := tokensOf(c.Old)
	hoists := p.hoistsIn(c.File)
	if len(hoists) == 0 {
		return list, nil
	}
	f, err := parseFile(c.Old)
	if err != nil {
		return nil, errors.New("the old content does not parse")
	}
	for len(hoists) > 0 {
		last := len(hoists) - 1
		at, ok := f.headAt(hoists[last].Span)
		for last > 0 && ok { // all that is taken out of one statement
			if before, _ := f.headAt(hoists[last-1].Span); before != at {
				break
			}
			last--
		}
		if !ok {
			return nil, errors.New("what is planned to stand in front of a statement is not in the head of one")
		}
		list, hoists = takenOut(list, hoists[last:], at), hoists[:last]
	}
	return list, nil
}

// takenOut returns list with hoists, which are in the head of the statement that begins at an offset, in front of that.
func takenOut(list []tok, hoists []plan.Section, at int) []tok {
	index := func(offset int) int {
		return slices.IndexFunc(list, func(t tok) bool { return t.offset >= offset })
	}
	stmt := index(at)
	var moved, rest []tok
	next := stmt
	for _, s := range hoists {
		from, to := index(s.Start), index(s.End)
		rest = append(rest, list[min(next, from):from]...)
		if s.Name != "" {
			moved = append(moved, tok{at, token.IDENT, s.Name}, tok{at, token.DEFINE, ":="})
			rest = append(rest, tok{s.Start, token.IDENT, s.Name})
		}
		moved = append(moved, list[from:to]...)
		next = to
	}
	return slices.Concat(list[:stmt], moved, rest, list[next:])
}

// headAt returns where the statement of a list begins that has span in its head.
func (f *parsed) headAt(span plan.Span) (at int, ok bool) {
	ast.PreorderStack(f.ast, nil, func(n ast.Node, stack []ast.Node) bool {
		if ok || n == nil || f.file.Offset(n.Pos()) > span.Start || f.file.Offset(n.End()) < span.End {
			return false
		}
		if f.file.Offset(n.Pos()) == span.Start && f.file.Offset(n.End()) == span.End {
			for i := len(stack) - 1; i > 0; i-- {
				s, isStmt := stack[i].(ast.Stmt)
				if isStmt && slices.Contains(listOf(stack[i-1]), s) {
					at, ok = f.file.Offset(s.Pos()), true
					break
				}
			}
		}
		return true
	})
	return at, ok
}
