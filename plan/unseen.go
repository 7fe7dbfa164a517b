package plan

import (
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mapmend/plan/load"
)

// This file looks for mentions of a variable in source that was not loaded: files for other platforms,
// tests that were left out, packages with errors. A new type would break them unseen.

// checkUnseen refuses variables that such source may mention.
func (w *wrapping) checkUnseen() *Refusal {
	decl := w.c.decl
	for _, pkg := range w.d.prog.Packages {
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
	for _, pkg := range w.d.folders(decl.pkg.Path) {
		if pkg.Dir != decl.pkg.Dir && !token.IsExported(decl.name.Name) {
			continue
		}
		if name := w.unseenIn(pkg.Dir); name != "" {
			return &Refusal{Code: OutOfScope, Message: w.d.nameOf(name, decl.pkg) + " mentions it or its owner, and is not part of this build", Todo: w.d.loadOr(name, "use --form lock")}
		}
	}
	return nil
}

// unseenIn returns the absolute name of a Go file in dir that was not loaded and may mention the variable.
func (w *wrapping) unseenIn(dir string) string {
	for _, name := range w.d.unseenFiles(dir) {
		if src, err := os.ReadFile(name); err != nil || w.isNamedIn(src) {
			return name
		}
	}
	return ""
}

// folders returns where source may be that was not loaded and knows the package of that path, one package for each
// folder, without files where none was loaded: the folders of what was loaded, and those of other modules in the tree.
func (d *decider) folders(path string) []*load.Package {
	var out []*load.Package
	seen := make(map[string]bool)
	for _, pkg := range d.prog.Packages {
		if !seen[pkg.Dir] {
			seen[pkg.Dir] = true
			out = append(out, pkg)
		}
	}
	if d.importers == nil {
		d.importers = importersIn(d.prog.Root, seen)
	}
	for _, dir := range d.importers[path] {
		out = append(out, &load.Package{Dir: dir})
	}
	return out
}

// importersIn returns the folders in and below root, those in loaded aside, with Go files that import each path.
func importersIn(root string, loaded map[string]bool) map[string][]string {
	out := make(map[string][]string)
	filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		base, dir := filepath.Base(name), filepath.Dir(name)
		switch {
		case err != nil && e != nil && e.IsDir():
			return fs.SkipDir
		case err != nil:
			return nil
		case e.IsDir() && name != root && (base == "testdata" || base == "vendor" || base == "node_modules" || base[0] == '_' || base[0] == '.'):
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(base, ".go") || loaded[dir]:
			return nil
		}
		file, _ := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if file == nil {
			return nil
		}
		for _, spec := range file.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err == nil && !slices.Contains(out[path], dir) {
				out[path] = append(out[path], dir)
			}
		}
		return nil
	})
	return out
}

// nameOf returns what to call a file that was not loaded beside a variable of pkg: as [load.File.Name] has it, or without its
// folder if that is the same.
func (d *decider) nameOf(abs string, pkg *load.Package) string {
	name, err := filepath.Rel(d.prog.Root, abs)
	switch {
	case filepath.Dir(abs) == pkg.Dir:
		return filepath.Base(abs)
	case err != nil || !filepath.IsLocal(name):
		return abs
	}
	return filepath.ToSlash(name)
}

// loadOr returns what the user can do about the named file, which was not loaded: ask for what loads it, if there is that, or what or says.
func (d *decider) loadOr(name, or string) string {
	if flags := d.prog.Loads(name, d.opt.Platforms); flags != "" {
		return "load it with " + flags + ", or " + or
	}
	return or
}

// unseenFiles returns the Go files in dir that were not loaded for any platform: what is in them, no plan is about.
func (d *decider) unseenFiles(dir string) []string {
	return slices.DeleteFunc(d.leftOut(dir), func(name string) bool { return d.opt.Seen[name] })
}

// leftOut returns the Go files in dir that are not part of this build. Names must not clash with what they declare.
func (d *decider) leftOut(dir string) []string {
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
