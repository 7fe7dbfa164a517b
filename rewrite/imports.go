// This file adds imports. An import is one edit of bytes: dst with import management merges and drops
// imports, and an import declaration that is printed is sorted.

package rewrite

import (
	"bytes"
	"go/ast"
	"go/token"
	"strconv"
	"strings"

	"mapmend/plan"
)

// importName returns the name by which f mentions the package at path, which is one of the standard
// library named as its last element; the name is empty under a dot import. The file imports the package
// from now on if it did not.
func (f *file) importName(path string, offset int) (string, error) {
	for _, s := range f.ast.Imports {
		if importPath(s) != path {
			continue
		}
		switch {
		case s.Name == nil:
			return path[strings.LastIndexByte(path, '/')+1:], nil
		case s.Name.Name == ".":
			return "", nil
		case s.Name.Name != "_":
			return s.Name.Name, nil
		}
	}
	base := path[strings.LastIndexByte(path, '/')+1:]
	for _, name := range []string{base, "std" + base} {
		if f.isFree(name) {
			spec := strconv.Quote(path)
			if name != base {
				spec = name + " " + spec
			}
			f.addImport(path, spec)
			return name, nil
		}
	}
	return "", refuse(plan.NotProved, f.name, offset, "package %s cannot be imported: its name is taken", path)
}

// isFree reports whether name is neither declared in the package of f nor imported by f.
func (f *file) isFree(name string) bool {
	if f.pkg.Types != nil && f.pkg.Types.Scope().Lookup(name) != nil {
		return false
	}
	for _, s := range f.ast.Imports {
		if s.Name != nil && s.Name.Name == name || s.Name == nil && f.nameOf(importPath(s)) == name {
			return false
		}
	}
	return true
}

// nameOf returns the name of an imported package.
func (f *file) nameOf(path string) string {
	if f.pkg.Types != nil {
		for _, p := range f.pkg.Types.Imports() {
			if p.Path() == path {
				return p.Name()
			}
		}
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

func importPath(s *ast.ImportSpec) string {
	path, _ := strconv.Unquote(s.Path.Value)
	return path
}

// isStd reports whether path looks like one of the standard library: no dot in its first element, and
// not of the module at hand.
func (f *file) isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	module, _, _ := strings.Cut(f.pkg.Module, "/")
	return !strings.Contains(first, ".") && first != module
}

// addImport inserts spec at the place where a reader expects it.
func (f *file) addImport(path, spec string) {
	var decls []*ast.GenDecl
	for _, d := range f.ast.Decls {
		if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.IMPORT {
			decls = append(decls, d)
		}
	}
	start, end, text := f.newImport(spec)
	if d := f.homeOf(decls); d != nil {
		switch {
		case d.Lparen.IsValid():
			start, end, text = f.growBlock(d, path, spec)
		case len(decls) == 1:
			start, end, text = f.makeBlock(d, path, spec)
		default:
			start, end, text = f.addLine(decls, path, spec)
		}
	}
	f.insert(start, end, "import "+spec, text)
}

// homeOf returns the first import declaration with a package of the standard library, or the first.
func (f *file) homeOf(decls []*ast.GenDecl) *ast.GenDecl {
	for _, d := range decls {
		for _, s := range d.Specs {
			if f.isStd(importPath(s.(*ast.ImportSpec))) {
				return d
			}
		}
	}
	if len(decls) > 0 {
		return decls[0]
	}
	return nil
}

// newImport adds a declaration after the package clause.
func (f *file) newImport(spec string) (start, end int, text string) {
	at := f.offset(f.ast.Name.End())
	at, sep := f.below(at)
	if sep == "; " {
		return at, at, sep + "import " + spec
	}
	text = "\n\nimport " + spec
	if next := min(at+1, len(f.src)); lineEnd(f.src, next) > next {
		text += "\n"
	}
	return at, at, text
}

// below returns where to go on after the thing that ends at offset, and what parts the two: a line end
// after the comment there, or a semicolon when more of the program follows in the line.
func (f *file) below(offset int) (at int, sep string) {
	eol := lineEnd(f.src, offset)
	rest := bytes.TrimSpace(f.src[offset:eol])
	if len(rest) == 0 || bytes.HasPrefix(rest, []byte("//")) {
		return eol, "\n"
	}
	return offset, "; "
}

// makeBlock turns a lone import without parentheses into a block.
func (f *file) makeBlock(d *ast.GenDecl, path, spec string) (start, end int, text string) {
	old := d.Specs[0].(*ast.ImportSpec)
	start = f.offset(old.Pos())
	end, _ = f.below(f.offset(old.End()))
	line := string(bytes.TrimRight(f.src[start:end], " \t"))
	lines := "\t" + spec + "\n\t" + line
	switch {
	case !f.isStd(importPath(old)):
		lines = "\t" + spec + "\n\n\t" + line
	case importPath(old) < path:
		lines = "\t" + line + "\n\t" + spec
	}
	return start, end, "(\n" + lines + "\n)"
}

// addLine adds a declaration of its own to a file that has one for each import.
func (f *file) addLine(decls []*ast.GenDecl, path, spec string) (start, end int, text string) {
	var after *ast.GenDecl
	for _, d := range decls {
		for _, s := range d.Specs {
			if p := importPath(s.(*ast.ImportSpec)); f.isStd(p) && p < path {
				after = d
			}
		}
	}
	if after == nil {
		start, _ = f.declRange(f.declAt(f.offset(decls[0].Pos())))
		return start, start, "import " + spec + "\n"
	}
	start, sep := f.below(f.offset(after.End()))
	return start, start, sep + "import " + spec
}

// growBlock adds a line to an import block: in the first group with a package of the standard library,
// sorted as gofmt sorts; or as a group on top.
func (f *file) growBlock(d *ast.GenDecl, path, spec string) (start, end int, text string) {
	open := f.offset(d.Lparen) + 1
	if f.file.Line(d.Lparen) == f.file.Line(d.Rparen) && len(d.Specs) > 0 { // import ("fmt"; "os")
		return open, open, spec + "; "
	}
	group := f.stdGroup(d)
	if group == nil {
		text = "\n\t" + spec
		if len(d.Specs) > 0 {
			text += "\n"
		} else if f.file.Line(d.Lparen) == f.file.Line(d.Rparen) {
			text += "\n"
		}
		return open, open, text
	}
	var after *ast.ImportSpec
	for _, s := range group {
		if importPath(s) < path {
			after = s
		}
	}
	if after != nil {
		at, sep := f.below(f.offset(after.End()))
		return at, at, sep + "\t" + spec
	}
	first := group[0]
	at := f.offset(first.Pos())
	// A comment over the first import of a group is the heading of the group, unless it says why a
	// package without a name is there.
	if first.Doc != nil && first.Name != nil {
		at = f.offset(first.Doc.Pos())
	}
	return at, at, spec + "\n\t"
}

// stdGroup returns the first group of d, between blank lines, with a package of the standard library.
func (f *file) stdGroup(d *ast.GenDecl) []*ast.ImportSpec {
	var group []*ast.ImportSpec
	std := false
	for _, s := range d.Specs {
		s := s.(*ast.ImportSpec)
		if n := len(group); n > 0 && f.blankBetween(group[n-1], s) {
			if std {
				return group
			}
			group = nil
		}
		group = append(group, s)
		std = std || f.isStd(importPath(s))
	}
	if std {
		return group
	}
	return nil
}

// blankBetween reports whether an empty line parts two imports.
func (f *file) blankBetween(a, b *ast.ImportSpec) bool {
	between := string(f.src[f.offset(a.End()):f.offset(b.Pos())])
	for i, line := range strings.Split(between, "\n") {
		if i > 0 && strings.TrimSpace(line) == "" && i < strings.Count(between, "\n") {
			return true
		}
	}
	return false
}

// lineEnd returns the offset of the line end at or after offset.
func lineEnd(src []byte, offset int) int {
	if i := bytes.IndexByte(src[offset:], '\n'); i >= 0 {
		return offset + i
	}
	return len(src)
}
