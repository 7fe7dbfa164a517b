package evidence

// This file reads how often statements ran, as 'go test -coverprofile' writes it.

import (
	"bytes"
	"errors"
	"fmt"
	"path"

	"golang.org/x/tools/cover"
)

// Coverage is how often statements ran.
type Coverage struct {
	Source string // what it was read from
	Files  []CoveredFile
}

// CoveredFile is one file with its blocks, none inside another.
type CoveredFile struct {
	Package string // import path
	File    string // its name in the folder
	Blocks  []Block
}

// Block is a run of statements. Lines and columns, in bytes, count from 1.
type Block struct {
	StartLine, StartColumn int
	EndLine, EndColumn     int // behind the last byte
	Count                  int
}

// Has reports whether the place is in b.
func (b Block) Has(line, column int) bool {
	return (line > b.StartLine || line == b.StartLine && column >= b.StartColumn) && (line < b.EndLine || line == b.EndLine && column < b.EndColumn)
}

func readCoverage(data []byte, source string) (Evidence, error) {
	files, err := cover.ParseProfilesFromReader(bytes.NewReader(data))
	if err != nil {
		return Evidence{}, fmt.Errorf("its counts cannot be read: %w", err)
	}
	c := Coverage{Source: source}
	for _, f := range files {
		if f.Mode != "count" && f.Mode != "atomic" {
			return Evidence{}, fmt.Errorf("it is coverage of mode %q, which tells whether a statement ran and not how often: write it with -covermode=atomic", f.Mode)
		}
		out := CoveredFile{Package: path.Dir(f.FileName), File: path.Base(f.FileName)}
		for _, b := range f.Blocks {
			if b.Count < 0 {
				return Evidence{}, errors.New("a statement ran less than never")
			}
			out.Blocks = append(out.Blocks, Block{b.StartLine, b.StartCol, b.EndLine, b.EndCol, b.Count})
		}
		c.Files = append(c.Files, out)
	}
	return Evidence{Coverage: []Coverage{c}}, nil
}
