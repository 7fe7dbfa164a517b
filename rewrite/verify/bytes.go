// This file holds the invariants that need no types and look at files as a whole: RoundTrips, Formatted, OnlyPlanned.

package verify

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
)

// roundTrips: each changed file survives being taken apart and printed, before and after.
func roundTrips(p *proof) []failure {
	return p.eachChange(func(c rewrite.Change) (int, string) {
		if !c.Create && !rewrite.RoundTrips(c.Old) || !rewrite.RoundTrips(c.New) {
			return 0, "the file does not survive being taken apart and printed"
		}
		return 0, ""
	})
}

// formatted: a new file is its own gofmt, and so is a changed one that was before.
func formatted(p *proof) []failure {
	return p.eachChange(func(c rewrite.Change) (int, string) {
		if (c.Create || isFormatted(c.Old)) && !isFormatted(c.New) {
			return 0, "the new content is not formatted"
		}
		return 0, ""
	})
}

func isFormatted(src []byte) bool {
	out, err := format.Source(src)
	return err == nil && bytes.Equal(out, src)
}

// onlyPlanned: outside the declarations that the plan names, and what it adds, all bytes are the same
// but for spaces that align; no comment is lost, and only planned ones are new.
func onlyPlanned(p *proof) []failure {
	return p.eachUnsplit(func(c rewrite.Change) (int, string) {
		if c.Create {
			return 0, ""
		}
		before, err := parseFile(c.Old)
		if err != nil {
			return 0, "the old content does not parse"
		}
		after, err := parseFile(c.New)
		if err != nil {
			return 0, "the new content does not parse: " + place.ReplaceAllString(err.Error(), "")
		}
		if at, why := p.outside(c.File, before, after); why != "" {
			return at, why
		}
		return p.comments(c.File, before, after)
	})
}

// A tok is one token. Semicolons and the commas that gofmt may add are left out.
type tok struct {
	offset int
	tok    token.Token
	text   string
}

func (t tok) end() int { return t.offset + len(t.text) }

func tokensOf(src []byte) []tok { return scan(src, 0) }

func scan(src []byte, mode scanner.Mode) []tok {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, mode)
	var list []tok
	for {
		pos, t, lit := s.Scan()
		switch {
		case t == token.EOF:
			return list
		case t == token.SEMICOLON:
			continue
		case lit == "":
			lit = t.String()
		}
		list = append(list, tok{file.Offset(pos), t, lit})
	}
}

// A parsed file with its bytes.
type parsed struct {
	src  []byte
	file *token.File
	ast  *ast.File
}

func parseFile(src []byte) (*parsed, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &parsed{src, fset.File(f.FileStart), f}, nil
}

// text returns the bytes of d with its doc comment, and where they begin.
func (f *parsed) text(d ast.Decl) (start int, text string) {
	pos := d.Pos()
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc != nil {
			pos = d.Doc.Pos()
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			pos = d.Doc.Pos()
		}
	}
	start = f.file.Offset(pos)
	return start, string(f.src[start:f.file.Offset(d.End())])
}

// outside compares the declarations of a file one by one. The new file may have more: imports
// and planned mutexes.
func (p *proof) outside(name string, before, after *parsed) (int, string) {
	if text := before.ast.Name.Name; after.ast.Name.Name != text {
		return 0, "the package clause changed"
	}
	old := slices.DeleteFunc(slices.Clone(before.ast.Decls), isImport)
	formatted := isFormatted(before.src)
	i := 0
	for _, d := range after.ast.Decls {
		at, got := after.text(d)
		if isImport(d) {
			continue // what is imported is compared below
		}
		if i < len(old) {
			start, want := before.text(old[i])
			end := start + len(want)
			if p.plans(name, start, end) && sameKind(old[i], d) && !p.isMutex(d) {
				i++
				continue
			}
			if sameButSpaces(got, want, formatted) {
				i++
				continue
			}
		}
		if !p.isMutex(d) {
			return at, "a declaration outside the plan changed"
		}
	}
	if i < len(old) {
		return 0, "a declaration is lost"
	}
	return p.imports(name, before, after)
}

// sameKind reports whether a and b may be one declaration before and after.
func sameKind(a, b ast.Decl) bool {
	switch a := a.(type) {
	case *ast.FuncDecl:
		b, ok := b.(*ast.FuncDecl)
		return ok && a.Name.Name == b.Name.Name
	case *ast.GenDecl:
		b, ok := b.(*ast.GenDecl)
		return ok && a.Tok == b.Tok
	}
	return false
}

func isImport(d ast.Decl) bool {
	g, ok := d.(*ast.GenDecl)
	return ok && g.Tok == token.IMPORT
}

// plans reports whether the plan has a place in a part of the file.
func (p *proof) plans(file string, start, end int) bool {
	for _, m := range p.plan.Mends {
		for _, s := range spansOf(m) {
			if s.File == file && start <= s.Start && s.Start < end {
				return true
			}
		}
	}
	return false
}

// isMutex reports whether d declares a planned mutex and nothing else.
func (p *proof) isMutex(d ast.Decl) bool {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR || len(g.Specs) != 1 {
		return false
	}
	v := g.Specs[0].(*ast.ValueSpec)
	return len(v.Names) == 1 && len(v.Values) == 0 && slices.ContainsFunc(p.plan.Mends, func(m plan.Mend) bool {
		return m.Mutex != nil && m.Mutex.Name == v.Names[0].Name
	})
}

// imports compares the imports: the old ones in their order, and those of mayImport. In a file with lowered uses
// one may go that nothing mentions any more.
func (p *proof) imports(name string, before, after *parsed) (int, string) {
	text := func(s *ast.ImportSpec) string {
		if s.Name != nil {
			return s.Name.Name + " " + s.Path.Value
		}
		return s.Path.Value
	}
	lowered := slices.ContainsFunc(p.plan.Mends, func(m plan.Mend) bool {
		return slices.ContainsFunc(m.Lowered, func(l plan.Lowering) bool { return l.File == name })
	})
	old := before.ast.Imports
	for _, s := range after.ast.Imports {
		i := slices.IndexFunc(old, func(o *ast.ImportSpec) bool { return text(o) == text(s) })
		switch {
		case i >= 0 && (i == 0 || lowered && droppable(old[:i])):
			old = old[i+1:]
		case !mayImport(s.Path.Value):
			return after.file.Offset(s.Pos()), "an import changed"
		}
	}
	if len(old) > 0 && !(lowered && droppable(old)) {
		return 0, "an import is lost"
	}
	return 0, ""
}

// droppable reports whether the imports are there for a name only, and not for what they do when they are
// initialised, or for all of their names.
func droppable(specs []*ast.ImportSpec) bool {
	return !slices.ContainsFunc(specs, func(s *ast.ImportSpec) bool {
		return s.Name != nil && (s.Name.Name == "_" || s.Name.Name == ".")
	})
}

// sameButSpaces reports whether a and b are equal; in a formatted file they may differ in the spaces by
// which gofmt aligns lines that follow each other.
func sameButSpaces(a, b string, formatted bool) bool {
	if a == b || !formatted {
		return a == b
	}
	one, two := tokensOf([]byte(a)), tokensOf([]byte(b))
	return strings.Count(a, "\n") == strings.Count(b, "\n") &&
		slices.EqualFunc(one, two, func(s, t tok) bool { return s.text == t.text })
}

// comments compares the comments of the file of that name: every old one in its order, but for that of a guard that goes, and planned ones.
func (p *proof) comments(name string, before, after *parsed) (int, string) {
	old := p.withoutFreed(name, commentsOf(before))
	i := 0
	for _, c := range commentsOf(after) {
		switch {
		case i < len(old) && c.text == old[i].text:
			i++
		case !slices.ContainsFunc(p.plan.Mends, func(m plan.Mend) bool { return m.Mutex != nil && c.text == "// "+m.Mutex.Comment }):
			return c.offset, "a comment is new or out of order"
		}
	}
	if i < len(old) {
		return 0, "a comment is lost"
	}
	return 0, ""
}

// commentsOf returns the comments of f, spaces at the ends of their lines aside: a block comment is
// indented with its statement.
func commentsOf(f *parsed) []tok {
	var list []tok
	for _, group := range f.ast.Comments {
		for _, c := range group.List {
			list = append(list, tok{offset: f.file.Offset(c.Pos()), text: trimLines(c.Text)})
		}
	}
	return list
}

// trimLines returns text without the spaces at the ends of its lines.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

// eachChange calls check for every change. A reason that is not empty is a failure at the offset in the
// new content.
func (p *proof) eachChange(check func(rewrite.Change) (offset int, why string)) []failure {
	var failed []failure
	for _, c := range p.changes {
		if at, why := check(c); why != "" {
			failed = append(failed, failure{pos: posIn(c.File, c.New, at), message: why})
		}
	}
	return failed
}

// position returns the place of an offset in a file of prog.
func position(prog *load.Program, name string, offset int) plan.Pos {
	if f := fileOf(prog, name); f != nil {
		return posIn(name, f.Src, offset)
	}
	return plan.Pos{File: name}
}

func posIn(name string, src []byte, offset int) plan.Pos {
	before := src[:max(0, min(offset, len(src)))]
	return plan.Pos{File: name, Line: bytes.Count(before, []byte("\n")) + 1, Column: len(before) - bytes.LastIndexByte(before, '\n')}
}
