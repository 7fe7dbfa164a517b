package load

// This file gathers errors: what the go command said, what we found ourselves, and which of it says the same.

import (
	"cmp"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// packageErrors are the errors we found in one package.
type packageErrors struct {
	relative func(string) string
	found    []Error
	silenced []Error // imports of packages without export data
}

func (errs *packageErrors) add(e Error) {
	errs.found = append(errs.found, e)
}

// at places msg.
func (errs *packageErrors) at(posn token.Position, msg string) Error {
	return Error{File: errs.relative(posn.Filename), Line: posn.Line, Col: posn.Column, Msg: msg}
}

// errors fills Program.Errors. What we found in a package of our own replaces what the compiler printed about it; what
// the go command said of a package that we did not check, such as a dependency that does not exist, is reported as it is.
func (ld *loader) errors() {
	var all []Error
	checked := map[string]bool{} // paths of packages in which we found errors
	for _, c := range ld.chosen {
		errs := ld.errs[c].found
		slices.SortFunc(errs, compareErrors)
		errs = slices.Compact(errs)
		all = append(all, errs[:min(len(errs), maxErrors)]...)
		checked[c.Path] = checked[c.Path] || len(errs) > 0
	}
	explained := map[*packages.Package]bool{} // an error in p or in what p imports is reported
	packages.Visit(ld.kept(), nil, func(p *packages.Package) {
		explained[p] = checked[p.PkgPath]
		if !checked[p.PkgPath] {
			said := ld.listErrors(p)
			all = append(all, said...)
			explained[p] = len(said) > 0
		}
		for _, dep := range p.Imports {
			explained[p] = explained[p] || explained[dep]
		}
	})
	for _, c := range ld.chosen {
		c.Broken = c.Broken || len(c.meta.Errors) > 0
		if (c.Broken || c.tested != nil) && !explained[cmp.Or(c.tested, c.meta)] {
			all = append(all, ld.errs[c].silenced...) // better a cascade than a package that is broken for no reason
		}
	}
	for i := range all {
		all[i].Msg = oneLine(all[i].Msg)
	}
	slices.SortFunc(all, compareErrors)
	ld.prog.Errors = slices.Compact(all)
}

// kept returns the packages whose errors, and whose dependencies' errors, matter.
func (ld *loader) kept() []*packages.Package {
	var kept []*packages.Package
	for _, c := range ld.chosen {
		kept = append(kept, c.meta)
		if c.tested != nil {
			kept = append(kept, c.tested)
		}
	}
	for _, p := range ld.roots {
		if len(p.GoFiles)+len(p.CompiledGoFiles) == 0 && ld.requested[testedPath(p)] {
			kept = append(kept, p) // requested, and so broken that there is no file of it
		}
	}
	return kept
}

// listErrors returns what the go command said of p.
func (ld *loader) listErrors(p *packages.Package) []Error {
	var errs []Error
	for _, e := range p.Errors {
		if output, ok := compilerOutput(e.Msg); ok {
			for _, line := range output {
				errs = append(errs, ld.positioned(line))
			}
			continue
		}
		msg := strings.TrimSpace(e.Msg)
		if e.Pos != "" && e.Pos != "-" {
			msg = e.Pos + ": " + msg
		}
		errs = append(errs, ld.positioned(msg))
	}
	return errs
}

// compilerOutput splits the text "# path\nfile:line:col: message\n..." into its messages.
func compilerOutput(text string) ([]string, bool) {
	if !strings.HasPrefix(text, "# ") {
		return nil, false
	}
	var messages []string
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
		switch {
		case strings.HasPrefix(line, "# "), strings.TrimSpace(line) == "", strings.HasSuffix(line, ": too many errors"):
		case strings.HasPrefix(line, "\t") && len(messages) > 0:
			messages[len(messages)-1] += " " + strings.TrimSpace(line)
		default:
			messages = append(messages, line)
		}
	}
	return messages, true
}

// positioned splits "file:line:col: message"; the file is relative to where the go command ran. Text without a place
// in a file is all message.
func (ld *loader) positioned(text string) Error {
	pos, msg, ok := strings.Cut(text, ": ")
	if !ok {
		return Error{Msg: text}
	}
	file, line, col := splitPosition(pos)
	if line == 0 {
		return Error{Msg: text}
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(ld.cmd.dir, file)
	}
	return Error{File: ld.relative(file), Line: line, Col: col, Msg: msg}
}

// splitPosition splits file:line:col or file:line; line is 0 if it is neither.
func splitPosition(pos string) (file string, line, col int) {
	cut := func(s string) (string, int) {
		i := strings.LastIndexByte(s, ':')
		if i <= 0 {
			return s, 0
		}
		n, err := strconv.Atoi(s[i+1:])
		if err != nil {
			return s, 0
		}
		return s[:i], n
	}
	rest, last := cut(pos)
	if last == 0 {
		return pos, 0, 0
	}
	if file, line := cut(rest); line != 0 {
		return file, line, last
	}
	return rest, last, 0
}

// oneLine joins the lines of a message, such as "have (int)\n\twant ()".
func oneLine(msg string) string {
	lines := strings.Split(strings.TrimSpace(msg), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, " ")
}

func compareErrors(a, b Error) int {
	return cmp.Or(
		strings.Compare(a.File, b.File),
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Col, b.Col),
		strings.Compare(a.Msg, b.Msg),
	)
}
