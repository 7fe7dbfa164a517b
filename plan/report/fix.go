package report

// This file has the mend of a finding as edits, for the formats that have a place for it.

import (
	"bytes"
	"strings"

	"mapmend/plan"
)

// A Fix is the proved mend of one finding, complete by itself: it is about the files as they are, and not as other fixes leave them.
type Fix struct {
	Text  string    // what it does, for people
	Files []FileFix // sorted by name
}

// FileFix is what a Fix does to one file, or the file that it makes.
type FileFix struct {
	File   string // named as in a Pos
	Create bool   // it does not exist yet
	Old    []byte // what it holds; nil with Create
	Edits  []Edit // in order and apart from each other, not empty; with Create one, at its start
}

// An Edit replaces the bytes [Start, End) of a file by Text.
type Edit struct {
	Start, End int
	Text       string
}

// place returns the line of the byte at offset, 1-based, and what stands before it in that line.
func (f FileFix) place(offset int) (line int, before []byte) {
	text := f.Old[:offset]
	start := bytes.LastIndexByte(text, '\n') + 1
	return bytes.Count(text, []byte("\n")) + 1, text[start:]
}

// lines returns the edits of f as one replacement of whole lines, from the line first to the line last, 1-based, with what stands
// between them; text is without the last line end.
//
// Precondition: not Create.
func (f FileFix) lines() (first, last int, text string) {
	e := f.Edits
	first, before := f.place(e[0].Start)
	last, _ = f.place(e[len(e)-1].End)
	at := e[0].Start - len(before)
	var b strings.Builder
	for _, e := range e {
		b.Write(f.Old[at:e.Start])
		b.WriteString(e.Text)
		at = e.End
	}
	rest, _, _ := bytes.Cut(f.Old[at:], []byte("\n"))
	b.Write(bytes.TrimSuffix(rest, []byte("\r")))
	return first, last, b.String()
}

// fix returns the fix of f with its files named as they are to be shown; nil if there is none.
func (o Options) fix(f plan.Finding) *Fix {
	if o.Fix == nil {
		return nil
	}
	fix := o.Fix(f)
	if fix == nil || o.Rel == nil {
		return fix
	}
	shown := &Fix{Text: fix.Text}
	for _, file := range fix.Files {
		file.File = o.Rel(file.File)
		shown.Files = append(shown.Files, file)
	}
	return shown
}
