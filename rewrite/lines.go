// This file finds which lines differ between two versions of a file.

package rewrite

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// lineEdit replaces the old lines [oldStart, oldEnd) by the new lines [newStart, newEnd); one of the two
// may be empty. Line numbers count from zero.
type lineEdit struct {
	oldStart, oldEnd int
	newStart, newEnd int
}

// splitLines cuts text behind each "\n". Only the last line may lack one.
func splitLines(text []byte) []string {
	return slices.Collect(strings.Lines(string(text)))
}

// lineEdits lists what turns old into new, in order; lines between two edits are equal on both
// sides, and there is at least one such line. The result depends on nothing but the two texts.
func lineEdits(old, new []string) []lineEdit {
	// A rewrite is local: what lies before the first and after the last difference, usually nearly
	// all of the file, never reaches the diff proper, whose cost grows with the square of the
	// difference.
	start := 0
	for start < len(old) && start < len(new) && old[start] == new[start] {
		start++
	}
	oldEnd, newEnd := len(old), len(new)
	for oldEnd > start && newEnd > start && old[oldEnd-1] == new[newEnd-1] {
		oldEnd--
		newEnd--
	}
	edits := diffLines(old[start:oldEnd], new[start:newEnd])
	for i := range edits {
		edits[i].oldStart += start
		edits[i].oldEnd += start
		edits[i].newStart += start
		edits[i].newEnd += start
	}
	return edits
}

// OldLine returns which line of c.Old the given line of c.New is, both counted from one, or 0 if it is new or was changed.
func (c Change) OldLine(line int) int {
	added := 0 // lines, by the edits above
	for _, e := range lineEdits(splitLines(c.Old), splitLines(c.New)) {
		switch {
		case line <= e.newStart:
			return line - added
		case line <= e.newEnd:
			return 0
		}
		added = e.newEnd - e.oldEnd
	}
	return line - added
}

// diffLines is lineEdits for lines of which neither the first nor the last are equal.
func diffLines(old, new []string) []lineEdit {
	dmp := diffmatchpatch.New()
	dmp.DiffTimeout = 0 // the default of a second makes the result depend on the machine's speed
	a, b, _ := dmp.DiffLinesToRunes(strings.Join(old, ""), strings.Join(new, ""))

	var edits []lineEdit
	var cur lineEdit
	flush := func() {
		if cur.oldStart != cur.oldEnd || cur.newStart != cur.newEnd {
			edits = append(edits, cur)
		}
	}
	for _, d := range dmp.DiffMainRunes(a, b, false) {
		n := utf8.RuneCountInString(d.Text)
		switch d.Type {
		case diffmatchpatch.DiffDelete:
			cur.oldEnd += n
		case diffmatchpatch.DiffInsert:
			cur.newEnd += n
		case diffmatchpatch.DiffEqual:
			flush()
			if !slices.Equal(old[cur.oldEnd:cur.oldEnd+n], new[cur.newEnd:cur.newEnd+n]) {
				panic("rewrite: lines the diff calls equal differ")
			}
			cur = lineEdit{cur.oldEnd + n, cur.oldEnd + n, cur.newEnd + n, cur.newEnd + n}
		}
	}
	flush()
	if cur.oldEnd != len(old) || cur.newEnd != len(new) {
		panic("rewrite: the diff does not cover both texts")
	}
	return edits
}
