// This file prints changes as one unified diff that "git apply" and "patch -p1" both accept.

package rewrite

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// DiffOptions says how a diff names files and whether it is coloured. The zero value prints plain
// text with the names the changes carry.
type DiffOptions struct {
	Rel   func(file string) string // the name to print for Change.File, with slashes; nil prints it as it is
	Color bool                     // colour lines for a terminal as git does; such a diff cannot be applied
}

// Diff writes the changes to w as a unified diff, sorted by file. A change whose new content equals
// the old one prints nothing. There is no "diff --git" line: git would take the names after it as
// relative to the top of the repository, where plain headers are relative to the working directory.
// The price is that an empty new file has no notation, so it is an error.
//
// Diff writes nothing when it returns an error of its own, and w's error otherwise.
func Diff(w io.Writer, changes []Change, opt DiffOptions) error {
	sorted := slices.SortedStableFunc(slices.Values(changes), func(x, y Change) int {
		return cmp.Compare(x.File, y.File)
	})
	var out bytes.Buffer
	p := printer{out: &out, color: opt.Color}
	for _, c := range sorted {
		if c.Create && len(c.New) == 0 {
			return fmt.Errorf("%s: cannot show a new file without content as a diff", c.File)
		}
		name := c.File
		if opt.Rel != nil {
			name = opt.Rel(name)
		}
		p.file(name, c)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// contextLines is how many unchanged lines surround a change, as in git.
const contextLines = 3

// printer writes the parts of a diff.
type printer struct {
	out   *bytes.Buffer
	color bool
}

// file prints the headers and hunks of one change.
func (p *printer) file(name string, c Change) {
	old, new := splitLines(c.Old), splitLines(c.New)
	edits := lineEdits(old, new)
	if len(edits) == 0 {
		return
	}
	from := headerName("a/" + name)
	if c.Create {
		from = "/dev/null"
	}
	p.line(bold, "--- "+from+"\n")
	p.line(bold, "+++ "+headerName("b/"+name)+"\n")
	for len(edits) > 0 {
		n := 1
		for n < len(edits) && edits[n].oldStart-edits[n-1].oldEnd <= 2*contextLines {
			n++
		}
		p.hunk(old, new, edits[:n])
		edits = edits[n:]
	}
}

// hunk prints edits that lie so near each other that their context meets.
//
// Both start lines are counted in their own file. git takes the "+" line as its first guess of where
// a hunk belongs, so one that is off by the lines added above (golang/go#81453) lands, without an
// error, on another copy of the same text.
func (p *printer) hunk(old, new []string, edits []lineEdit) {
	first, last := edits[0], edits[len(edits)-1]
	before := min(contextLines, first.oldStart)
	after := min(contextLines, len(old)-last.oldEnd)
	p.line(cyan, fmt.Sprintf("@@ -%s +%s @@\n",
		lineRange(first.oldStart-before, last.oldEnd+after),
		lineRange(first.newStart-before, last.newEnd+after)))

	at := first.oldStart - before
	for _, e := range edits {
		p.lines(plain, ' ', old[at:e.oldStart])
		p.lines(red, '-', old[e.oldStart:e.oldEnd])
		p.lines(green, '+', new[e.newStart:e.newEnd])
		at = e.oldEnd
	}
	p.lines(plain, ' ', old[at:last.oldEnd+after])
}

// lines prints text under one mark, and says so where the last line of a file has no line ending.
func (p *printer) lines(c color, mark byte, text []string) {
	for _, line := range text {
		if strings.HasSuffix(line, "\n") {
			p.line(c, string(mark)+line)
			continue
		}
		p.line(c, string(mark)+line+"\n")
		p.line(plain, "\\ No newline at end of file\n")
	}
}

// line prints one line, which ends in "\n". The colour stops before the line ending, a "\r"
// included, so that no terminal paints the rest of the row.
func (p *printer) line(c color, line string) {
	if !p.color || c == plain {
		p.out.WriteString(line)
		return
	}
	text := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	p.out.WriteString(string(c) + text + "\x1b[m" + line[len(text):])
}

// color is the escape sequence that begins it.
type color string

// The colours git uses.
const (
	plain color = ""
	bold  color = "\x1b[1m"
	red   color = "\x1b[31m"
	green color = "\x1b[32m"
	cyan  color = "\x1b[36m"
)

// lineRange renders the lines [start, end) as a hunk header counts them: from one, with the line
// before it standing for an empty range, and a count of one left out.
func lineRange(start, end int) string {
	switch end - start {
	case 0:
		return fmt.Sprintf("%d,0", start)
	case 1:
		return fmt.Sprint(start + 1)
	default:
		return fmt.Sprintf("%d,%d", start+1, end-start)
	}
}

// headerName is a file name as a header line spells it. A name with a space needs a tab behind it,
// else patch ends the name at the space; one with a quote, a backslash, a control character or a
// space at its end is quoted as in C. Letters outside ASCII stay as they are, which both programs read.
func headerName(name string) string {
	if !strings.ContainsFunc(name, mustQuote) && !strings.HasSuffix(name, " ") {
		if strings.Contains(name, " ") {
			return name + "\t"
		}
		return name
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(name) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// mustQuote reports whether a header cannot spell r as it is.
func mustQuote(r rune) bool {
	return r < ' ' || r == 0x7f || r == '"' || r == '\\'
}
