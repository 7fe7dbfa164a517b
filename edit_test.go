package main

// This file changes source: statements at random, and the order of declarations.

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan/load"
)

// edited returns src after the edits that data stands for, three bytes each; those that make it no Go are left out.
func edited(src string, data []byte) string {
	for ; len(data) >= 3; data = data[3:] {
		if next := edit(src, int(data[0]), int(data[1]), data[2]); next != "" {
			src = next
		}
	}
	return src
}

// wraps are the statements that another can be put into.
var wraps = []string{
	"{\n%s\n}", "go func() {\n%s\n}()", "defer func() {\n%s\n}()", "func() {\n%s\n}()", "for range 3 {\n%s\n}",
	"if len(\"x\") > 0 {\n%s\n}", "switch {\ndefault:\n%s\n}", "go %s", "defer %s", "for {\n%s\nbreak\n}", "if false {\n%s\n} else {\n%[1]s\n}",
}

// edit changes statement number i of src, in which number j has a part too, in one way; it returns "" when that is not Go.
func edit(src string, i, j int, how byte) string {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.SkipObjectResolution)
	if err != nil {
		return ""
	}
	var stmts []ast.Stmt
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(ast.Stmt); ok {
			if _, block := s.(*ast.BlockStmt); !block {
				stmts = append(stmts, s)
			}
		}
		return true
	})
	if len(stmts) == 0 {
		return ""
	}
	text := func(n ast.Node) string { return src[fset.Position(n.Pos()).Offset:fset.Position(n.End()).Offset] }
	put := func(n ast.Node, with string) string {
		return src[:fset.Position(n.Pos()).Offset] + with + src[fset.Position(n.End()).Offset:]
	}
	s, other := stmts[i%len(stmts)], stmts[j%len(stmts)]
	switch kind := int(how) % (len(wraps) + 6); {
	case kind < len(wraps):
		src = put(s, fmt.Sprintf(wraps[kind], text(s)))
	case kind == len(wraps):
		src = put(s, "")
	case kind == len(wraps)+1:
		src = put(s, text(s)+"\n"+text(other))
	case kind == len(wraps)+2:
		src = put(s, text(other))
	case kind == len(wraps)+3:
		src = put(s, strings.Replace(text(s), "Lock()", "RLock()", 1))
	case kind == len(wraps)+4:
		src = put(s, text(s)+"\n"+text(s))
	default:
		switch s := s.(type) {
		case *ast.GoStmt:
			src = put(s, text(s.Call))
		case *ast.DeferStmt:
			src = put(s, text(s.Call))
		default:
			return ""
		}
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution); err != nil {
		return ""
	}
	return src
}

// shuffled returns the program prog, of one package, with its declarations in the opposite order, dealt to two files. It
// returns nil when that is another program: for directives, say.
func shuffled(prog *load.Program) map[string]string {
	info := prog.Packages[0].Info
	var bodies [2]strings.Builder
	var imports [2]map[string]bool
	imports[0], imports[1] = make(map[string]bool), make(map[string]bool)
	n := 0
	for _, f := range slices.Backward(prog.Packages[0].Files) {
		if strings.Contains(string(f.Src), "//go:") || strings.Contains(string(f.Src), "//line") || f.Generated {
			return nil
		}
		for _, decl := range slices.Backward(f.Syntax.Decls) {
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
				continue
			}
			n++
			bodies[n%2].WriteString("\n" + declText(prog.Fset, f, decl) + "\n")
			ast.Inspect(decl, func(node ast.Node) bool {
				if id, ok := node.(*ast.Ident); ok {
					if p, ok := info.Uses[id].(*types.PkgName); ok {
						imports[n%2][fmt.Sprintf("import %s %q\n", p.Name(), p.Imported().Path())] = true
					}
				}
				return true
			})
		}
		for _, spec := range f.Syntax.Imports {
			if spec.Name != nil && (spec.Name.Name == "_" || spec.Name.Name == ".") {
				return nil
			}
		}
	}
	files := make(map[string]string)
	for i, name := range []string{"a.go", "b.go"} {
		var head []string
		for spec := range imports[i] {
			head = append(head, spec)
		}
		slices.Sort(head)
		files[name] = "package " + prog.Packages[0].Name + "\n\n" + strings.Join(head, "") + bodies[i].String()
	}
	return files
}

// declText returns the source of decl with the comments before it, and after it on its line.
func declText(fset *token.FileSet, f *load.File, decl ast.Decl) string {
	start, end := decl.Pos(), decl.End()
	for _, c := range f.Syntax.Comments {
		line := func(p token.Pos) int { return fset.PositionFor(p, false).Line }
		switch {
		case c.End() < start && line(c.End())+1 >= line(start):
			start = c.Pos()
		case c.Pos() > end && line(c.Pos()) == line(end):
			end = c.End()
		}
	}
	return string(f.Src[fset.PositionFor(start, false).Offset:fset.PositionFor(end, false).Offset])
}
