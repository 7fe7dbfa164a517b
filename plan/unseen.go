package plan

import (
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// This file looks for mentions of a variable in source that was not loaded: files for other platforms,
// tests that were left out, packages with errors. A new type would break them unseen.

// checkUnseen refuses variables that such source may mention.
func (w *wrapping) checkUnseen() *Refusal {
	decl := w.c.decl
	folders := map[string]bool{decl.pkg.Dir: true}
	for _, pkg := range w.d.prog.Packages {
		if token.IsExported(decl.name.Name) {
			folders[pkg.Dir] = true
		}
		unsound := pkg.Unchecked
		if pkg.Broken {
			unsound = pkg.Files
		}
		for _, file := range unsound {
			if w.isNamedIn(file.Src) {
				return &Refusal{Code: LoadError, Pos: Pos{File: file.Name, Line: 1, Column: 1}, Message: file.Name + " mentions it or its owner, and its package does not compile", Todo: "make the package compile"}
			}
		}
	}
	for _, dir := range sortedKeys(folders) {
		if name := w.unseenIn(dir); name != "" {
			return &Refusal{Code: OutOfScope, Message: name + " mentions it or its owner, and is not part of this build", Todo: "load it with --tags or --tests, or use --form lock"}
		}
	}
	return nil
}

// unseenIn returns the name of a Go file in dir that was not loaded and may mention the variable.
func (w *wrapping) unseenIn(dir string) string {
	for _, name := range w.d.unseenFiles(dir) {
		if src, err := os.ReadFile(name); err != nil || w.isNamedIn(src) {
			return filepath.Base(name)
		}
	}
	return ""
}

// unseenFiles returns the Go files in dir that were not loaded.
func (d *decider) unseenFiles(dir string) []string {
	entries, _ := os.ReadDir(dir) // none: the folder is in an overlay only
	loaded := make(map[string]bool)
	for _, pkg := range d.prog.Packages {
		for _, file := range pkg.Files {
			loaded[file.Abs] = true
		}
	}
	var out []string
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if !e.IsDir() && strings.HasSuffix(name, ".go") && !loaded[name] {
			out = append(out, name)
		}
	}
	return out
}

// isNamedIn reports whether src has the name of the variable, or of its owner, which it may copy.
func (w *wrapping) isNamedIn(src []byte) bool {
	v := w.c.finding.Var
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", -1, len(src)), src, nil, 0)
	for {
		_, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return false
		case tok == token.IDENT && (lit == v.Field || lit == v.Owner):
			return true
		}
	}
}
