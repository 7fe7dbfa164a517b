// This file tells a change as replacements of ranges of bytes.

package rewrite

import (
	"strings"
	"unicode/utf8"
)

// An Edit replaces the bytes [Start, End) of the old content of a file by Text.
type Edit struct {
	Start, End int
	Text       string
}

// Edits returns what turns c.Old into c.New, in order and apart from each other; nothing if they are equal. An edit is about whole
// lines, or about a part of one line that begins and ends between characters. Where it can be told in another way, none reaches
// behind the last line end of the file: not all who read an edit have a line there.
func (c Change) Edits() []Edit {
	old, new := splitLines(c.Old), splitLines(c.New)
	starts := []int{0}
	for _, line := range old {
		starts = append(starts, starts[len(starts)-1]+len(line))
	}
	var edits []Edit
	for _, e := range lineEdits(old, new) {
		edit := Edit{starts[e.oldStart], starts[e.oldEnd], strings.Join(new[e.newStart:e.newEnd], "")}
		if e.oldEnd-e.oldStart == 1 && e.newEnd-e.newStart == 1 {
			edit = edit.narrowed(old[e.oldStart])
		}
		edit = edit.beforeEnd(string(c.Old))
		if last := len(edits) - 1; last >= 0 && edits[last].End == edit.Start { // but for a line end that it has in its text
			edits[last] = Edit{edits[last].Start, edit.End, edits[last].Text + edit.Text}
			continue
		}
		edits = append(edits, edit)
	}
	return edits
}

// narrowed returns e, which replaces the line old by another, without what the two begin and end with.
func (e Edit) narrowed(old string) Edit {
	before := 0
	for before < min(len(old), len(e.Text)) && old[before] == e.Text[before] {
		before++
	}
	for !isBetween(old, before) || !isBetween(e.Text, before) {
		before--
	}
	behind := 0
	for behind < min(len(old), len(e.Text))-before && old[len(old)-behind-1] == e.Text[len(e.Text)-behind-1] {
		behind++
	}
	for !isBetween(old, len(old)-behind) || !isBetween(e.Text, len(e.Text)-behind) {
		behind--
	}
	return Edit{e.Start + before, e.End - behind, e.Text[before : len(e.Text)-behind]}
}

// isBetween reports whether i is between two characters of text, of which "\r\n" is one, or at its start or end.
func isBetween(text string, i int) bool {
	return i == 0 || i == len(text) || utf8.RuneStart(text[i]) && text[i-1:i+1] != "\r\n"
}

// beforeEnd returns e, an edit of old, as one that leaves the last line end of old where it is, if there is such a one:
//
//	at the end, insert "b\n"           before the last line end, insert "\nb"
//	at the end, delete "b\n"           before the last line end, delete "\nb"
//	at the end, replace "a\n" by "b\n" before the last line end, replace "a" by "b"
func (e Edit) beforeEnd(old string) Edit {
	end := newline(old)
	switch {
	case e.End < len(old) || end == "" || e.Text != "" && newline(e.Text) != end:
		return e
	case e.Text != "" && e.Start < e.End:
		return Edit{e.Start, e.End - len(end), strings.TrimSuffix(e.Text, end)}
	case newline(old[:e.Start]) != end:
		return e
	case e.Text == "":
		return Edit{e.Start - len(end), e.End - len(end), ""}
	}
	return Edit{e.Start - len(end), e.End - len(end), end + strings.TrimSuffix(e.Text, end)}
}

// newline returns the line end that text ends with; empty if it does not.
func newline(text string) string {
	for _, end := range []string{"\r\n", "\n"} {
		if strings.HasSuffix(text, end) {
			return end
		}
	}
	return ""
}
