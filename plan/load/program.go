package load

// This file holds the Program and its parts: what a caller gets.

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// Program is everything that was loaded. It is immutable and may be read concurrently.
type Program struct {
	Root     string // absolute folder to which File.Name is relative: the main module's, or that of go.work
	Whole    bool   // every package of the main modules is requested, as far as the patterns show
	Platform string // GOOS/GOARCH that it was loaded for
	Fset     *token.FileSet
	Packages []*Package // own packages; what a package's Imports name stands before it, otherwise sorted by path
	Errors   []Error    // sorted by file, line, column; unique
	Modules  []*Module  // main modules, sorted by path
	Work     *File      // go.work, if the modules are those of a workspace; else nil
	ModCache string     // the folder of the module cache; empty if there is none

	files map[*token.File]*File // for File and Position

	cgoEnabled bool     // for Loads, as are these
	tags       []string // that it is built with
	tests      bool     // they were loaded

	folders []string // with files of the program or of what it imports that may change: not the Go tree and the module cache; sorted
	cgo     string   // a package that uses cgo, which may depend on more than is known; empty if there is none: see origins
}

// Package is one of our own packages, in its widest variant, or without its in-package tests if only that is sound.
type Package struct {
	Path      string // import path without a test variant; an external test has the path "p_test"
	Name      string
	Dir       string
	Module    string // module path, "std" or "cmd" for the Go tree; empty for files named on the command line outside a module
	GoVersion string // of the module, such as "1.22"
	Files     []*File
	Unchecked []*File // in-package tests that are left out, since with them the package has errors; then it is never rewritten

	Types *types.Package // nil or incomplete if Broken
	Info  *types.Info    // nil or incomplete if Broken

	Imports   []*Package // own packages that it imports, sorted by path; Inv: each stands earlier in Program.Packages
	Requested bool       // the patterns match it; false for importers and dependencies
	Writable  bool       // belongs to a main module
	External  bool       // an external test, package p_test
	Sum       Sum        // what decides what can be known of it; zero if that cannot be told
	Broken    bool       // did not type-check, or a dependency has no export data: never rewritten

	fset   *token.FileSet
	syntax []*ast.File // what was type-checked: Files and what cgo made beside them
}

// File is one source file.
type File struct {
	Name      string // slash-separated, relative to Program.Root; absolute if outside
	Abs       string
	Syntax    *ast.File // of a Cgo file: what cgo made of it
	Src       []byte    // the file's bytes; of a Cgo file: the original's, in which no offset of Syntax is valid
	Generated bool      // says so as [ast.IsGenerated] understands it
	Test      bool      // _test.go
	Cgo       bool      // imports "C"
}

// Error is what the go command, the parser or the type checker found wrong.
type Error struct {
	File string // as File.Name; empty when there is no place to name
	Line int    // 1-based; 0 when unknown
	Col  int    // 1-based, in bytes; 0 when unknown
	Msg  string
}

// String returns file:line:col: msg, without the parts that are unknown.
func (e Error) String() string {
	switch {
	case e.File == "":
		return e.Msg
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	case e.Col == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
}

// Excluded returns the folder of which e says that all its files are for other builds, or "".
func (e Error) Excluded() string {
	dir, excluded := strings.CutPrefix(e.Msg, "build constraints exclude all Go files in ")
	if !excluded || e.File != "" {
		return ""
	}
	return dir
}

// Places returns the files that positions of own packages are in, by the names that they were parsed under: those of Files, and what cgo made.
func (p *Program) Places() map[string]*token.File {
	places := make(map[string]*token.File)
	for _, pkg := range p.Packages {
		for _, f := range pkg.syntax {
			if file := p.Fset.File(f.Package); file != nil { // else it has no package clause, and nothing in it has a place
				places[file.Name()] = file
			}
		}
	}
	return places
}

// Package returns the package with that path, or nil. An external test is found under "p_test".
func (p *Program) Package(path string) *Package {
	for _, pkg := range p.Packages {
		if pkg.Path == path {
			return pkg
		}
	}
	return nil
}

// File returns the source file that pos is in, or nil if it is in none of ours (imported objects, cgo's own files).
func (p *Program) File(pos token.Pos) *File {
	return p.files[p.Fset.File(pos)]
}

// Position returns where pos is in the source that people edit: Filename is a File.Name. Line directives of the user
// are ignored, since they lead to another file; those of cgo are followed, and then Offset is -1. The zero Position is
// returned for what is in none of our files.
func (p *Program) Position(pos token.Pos) token.Position {
	f := p.File(pos)
	if f == nil {
		return token.Position{}
	}
	posn := p.Fset.PositionFor(pos, f.Cgo)
	posn.Filename = f.Name
	if f.Cgo {
		posn.Offset = -1
	}
	return posn
}
