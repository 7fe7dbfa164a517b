// This file knows what the statements become that let out a copy which a loop makes.

package verify

import (
	"errors"
	"fmt"
	"slices"

	"mapmend/plan"
	"mapmend/rewrite"
)

// looped returns list, the tokens of a file as it was, with what each statement is to become that lets out a copy made by a loop.
func (p *proof) looped(c rewrite.Change, list []tok) ([]tok, error) {
	done := make(map[plan.Span]bool)
	for _, m := range p.plan.Mends {
		for _, copy := range m.Copies {
			if copy.File != c.File || copy.Loop == nil || done[copy.Span] {
				continue
			}
			done[copy.Span] = true
			l := *copy.Loop
			text := string(c.Old[copy.Start:copy.End])
			was := c.Old[l.Start:l.End]
			var now string
			switch {
			case sameTokens(was, "return "+text):
				now = loopSource(l, text) + "return " + l.Name
			case sameTokens(was, l.Name+" := "+text):
				now = loopSource(l, text)
			default:
				return nil, errors.New("what is planned to become a loop neither returns the map nor declares the variable that gets it")
			}
			from := slices.IndexFunc(list, func(t tok) bool { return t.offset == l.Start })
			to := from + len(tokensOf(was))
			if from < 0 || to > len(list) {
				return nil, errors.New("what is planned to become a loop is not there")
			}
			list = slices.Concat(list[:from], unplaced(tokensOf([]byte(now))), list[to:])
		}
	}
	return list, nil
}

// loopSource returns the statements that make the copy of l, where the map is the expression text.
func loopSource(l plan.CopyLoop, text string) string {
	return fmt.Sprintf("%[1]s := make(%[2]s, len(%[3]s)); for %[4]s, %[5]s := range %[3]s { %[1]s[%[4]s] = %[5]s }; ", l.Name, l.Type, text, l.Key, l.Value)
}

// sameTokens reports whether src is want, spaces and comments aside.
func sameTokens(src []byte, want string) bool {
	return slices.EqualFunc(tokensOf(src), tokensOf([]byte(want)), func(a, b tok) bool { return a.text == b.text })
}

// unplaced returns list without offsets: no rule of the old file is about them.
func unplaced(list []tok) []tok {
	for i := range list {
		list[i].offset = -1
	}
	return list
}
