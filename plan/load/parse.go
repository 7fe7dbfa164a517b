package load

// This file parses.

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// parsed is one file the compiler would see, and what became of it.
type parsed struct {
	name   string // absolute
	src    []byte
	syntax *ast.File // may be nil after an error
	tfile  *token.File
	errs   scanner.ErrorList // sorted
	err    error             // could not be read
}

// parse fills Files and syntax of all packages and registers them with the program. The result has, for each package,
// the files as the compiler sees them.
//
// Positions must not depend on which worker comes first, or a sort by token.Pos would differ from run to run. So the
// files are read first, which fixes the base of each, and then parsed into file sets of their own.
func (ld *loader) parse() {
	var all []*parsed
	for _, c := range ld.chosen {
		for _, name := range compiledFiles(c) {
			all = append(all, &parsed{name: name})
			ld.parsed[c] = append(ld.parsed[c], all[len(all)-1])
		}
	}
	ld.each(len(all), func(i int) { all[i].src, all[i].err = ld.read(all[i].name) })

	bases := make([]int, len(all))
	base := ld.prog.Fset.Base()
	for i, f := range all {
		bases[i] = base
		base += len(f.src) + 1
	}
	ld.each(len(all), func(i int) { all[i].parse(bases[i]) })

	for _, f := range all {
		if f.tfile != nil {
			ld.prog.Fset.AddExistingFiles(f.tfile)
		}
	}
	for _, c := range ld.chosen {
		ld.addFiles(c)
	}
}

// compiledFiles returns the Go files the compiler sees, sorted as the go command has them. The go command lists a
// file twice when two of its errors name it.
func compiledFiles(c *chosen) []string {
	var names []string
	for _, name := range c.meta.CompiledGoFiles {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (ld *loader) read(name string) ([]byte, error) {
	if src, ok := ld.cmd.overlay[name]; ok {
		return src, nil
	}
	return os.ReadFile(name)
}

// parse parses the file at the given base.
func (f *parsed) parse(base int) {
	if f.err != nil {
		return
	}
	fset := token.NewFileSet()
	if base > 1 {
		fset.AddFile("", 1, base-2) // the next file begins at base
	}
	var err error
	f.syntax, err = parser.ParseFile(fset, f.name, f.src, parser.ParseComments|parser.SkipObjectResolution)
	fset.Iterate(func(tf *token.File) bool {
		if tf.Base() == base {
			f.tfile = tf
		}
		return true
	})
	switch err := err.(type) {
	case nil:
	case scanner.ErrorList:
		f.errs = err
	default:
		f.err = err
	}
}

// addFiles fills c.Files. What cgo has made of x.go is the File x.go; what it made besides is in c.syntax only.
func (ld *loader) addFiles(c *chosen) {
	c.fset = ld.prog.Fset
	for _, pf := range ld.parsed[c] {
		if pf.syntax == nil {
			continue
		}
		c.syntax = append(c.syntax, pf.syntax)
		f := &File{Abs: pf.name, Syntax: pf.syntax, Src: pf.src, Generated: ast.IsGenerated(pf.syntax)}
		if !slices.Contains(c.meta.GoFiles, pf.name) {
			if f = ld.cgoOriginal(c, pf); f == nil {
				continue
			}
		}
		f.Name = ld.relative(f.Abs)
		f.Test = isTest(f.Name)
		f.Cgo = f.Cgo || importsC(pf.syntax)
		c.Files = append(c.Files, f)
		ld.prog.files[pf.tfile] = f
	}
	slices.SortFunc(c.Files, func(a, b *File) int { return strings.Compare(a.Name, b.Name) })
}

// cgoOriginal returns the source file from which cgo made pf, or nil. The line directive at the head of pf names it,
// with or without its folder.
func (ld *loader) cgoOriginal(c *chosen, pf *parsed) *File {
	line := filepath.Base(ld.prog.Fset.Position(pf.syntax.Package).Filename)
	i := slices.IndexFunc(c.meta.GoFiles, func(name string) bool { return filepath.Base(name) == line })
	if i < 0 {
		return nil
	}
	name := c.meta.GoFiles[i]
	src, err := ld.read(name)
	if err != nil {
		return nil
	}
	// cgo's own file is always marked as generated; ask the original.
	head, _ := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments|parser.PackageClauseOnly)
	return &File{Abs: name, Syntax: pf.syntax, Src: src, Cgo: true, Generated: head != nil && ast.IsGenerated(head)}
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.go") }

func importsC(f *ast.File) bool {
	return slices.ContainsFunc(f.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == `"C"` })
}

// relative returns File.Name for an absolute file name.
func (ld *loader) relative(name string) string {
	if rel, err := filepath.Rel(ld.prog.Root, name); err == nil && filepath.IsLocal(rel) {
		name = rel
	}
	return filepath.ToSlash(name)
}
