package report

// This file reads the source around a position.

import (
	"bytes"
	"unicode/utf16"

	"mapmend/plan"
)

// line returns the line of source that p stands in, without its end; nil if it is not known.
func (o Options) line(p plan.Pos) []byte {
	if o.Source == nil || p.Line < 1 {
		return nil
	}
	src := o.Source(p.File)
	for n := 1; ; n++ {
		line, rest, more := bytes.Cut(src, []byte("\n"))
		if n == p.Line {
			return bytes.TrimSuffix(line, []byte("\r"))
		}
		if !more {
			return nil
		}
		src = rest
	}
}

// utf16Column returns the column of p in UTF-16 code units instead of bytes; in bytes if the line is not known.
func (o Options) utf16Column(p plan.Pos) int {
	line := o.line(p)
	if p.Column < 1 || p.Column-1 > len(line) {
		return p.Column
	}
	return codeUnits(line[:p.Column-1], p.Line) + 1
}

// codeUnits returns how many UTF-16 code units text has, with which a line of a file begins. A byte order mark is none of them.
func codeUnits(text []byte, line int) int {
	if line == 1 {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	return len(utf16.Encode([]rune(string(text))))
}
