// This file makes a module require what generated code imports.

package rewrite

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"mapmend/plan"
	"mapmend/plan/load"
)

// requireAll returns the changes of go.mod and go.sum that requirements ask for, once for each file.
func requireAll(prog *load.Program, requirements []plan.Requirement) (changes []Change) {
	done := make(map[string]bool)
	for _, r := range requirements {
		for _, m := range prog.Modules {
			if m.Mod.Name != r.Mod || done[r.Mod] {
				continue
			}
			done[r.Mod] = true
			if r.Gains {
				changes = append(changes, Change{File: m.Mod.Name, Old: bytes.Clone(m.Mod.Src), New: must(requireIn(m.Mod, r))})
			}
			if r.Sum != "" {
				changes = append(changes, Change{File: m.Sum.Name, Old: bytes.Clone(m.Sum.Src), New: summed(m.Sum.Src, r.Lines), Create: m.Sum.Src == nil})
			}
		}
	}
	return changes
}

// requireIn returns what go.mod holds when it requires r itself. Nothing else of it changes: the line is put among those of the last block
// that has requirements of its own, or behind a single one, or behind the go version.
func requireIn(mod *load.File, r plan.Requirement) ([]byte, error) {
	f, err := modfile.Parse(mod.Name, mod.Src, nil)
	if err != nil {
		return nil, err
	}
	for _, have := range f.Require {
		if have.Mod.Path == r.Path {
			return direct(mod.Src, have.Syntax), nil
		}
	}
	at, text := f.Go.Syntax.End.Byte, "\n\nrequire "+r.Path+" "+r.Version
	for _, stmt := range f.Syntax.Stmt {
		switch stmt := stmt.(type) {
		case *modfile.Line:
			if stmt.Token[0] == "require" && !isIndirect(stmt) {
				at, text = stmt.End.Byte, "\nrequire "+r.Path+" "+r.Version
			}
		case *modfile.LineBlock:
			if stmt.Token[0] == "require" && slices.ContainsFunc(stmt.Line, func(l *modfile.Line) bool { return !isIndirect(l) }) {
				at, text = inBlock(stmt, r)
			}
		}
	}
	if text[0] == '\n' { // behind a comment that stands there
		at += bytes.IndexByte(append(mod.Src[at:len(mod.Src):len(mod.Src)], '\n'), '\n')
	}
	return slices.Concat(mod.Src[:at], []byte(text), mod.Src[at:]), nil
}

// inBlock returns where in a block of requirements, and as what text, r is put: before the first that comes after it.
func inBlock(block *modfile.LineBlock, r plan.Requirement) (at int, text string) {
	for _, l := range block.Line {
		if l.Token[0] > r.Path {
			start := l.Start
			if len(l.Before) > 0 {
				start = l.Before[0].Start
			}
			return start.Byte, r.Path + " " + r.Version + "\n\t"
		}
	}
	return block.RParen.Pos.Byte, "\t" + r.Path + " " + r.Version + "\n"
}

// isIndirect reports whether l is marked as a requirement that only others have.
func isIndirect(l *modfile.Line) bool { return mark(l) >= 0 }

// mark returns the number of the comment that marks l so; negative if there is none.
func mark(l *modfile.Line) int {
	return slices.IndexFunc(l.Suffix, func(c modfile.Comment) bool {
		text := strings.TrimSpace(strings.TrimPrefix(c.Token, "//"))
		return text == "indirect" || strings.HasPrefix(text, "indirect;")
	})
}

// direct returns src without the mark of l, which a blank leads to.
func direct(src []byte, l *modfile.Line) []byte {
	c := l.Suffix[mark(l)]
	start, end := c.Start.Byte, c.Start.Byte+len(c.Token)
	if _, more, ok := strings.Cut(c.Token, ";"); ok {
		return slices.Concat(src[:start], []byte("// "+strings.TrimSpace(more)), src[end:])
	}
	return slices.Concat(bytes.TrimRight(src[:start], " \t"), src[end:])
}

// summed returns what go.sum holds with lines, each before the first that comes after it.
func summed(src []byte, lines []string) []byte {
	all := slices.Collect(strings.Lines(string(src)))
	if n := len(all); n > 0 && !strings.HasSuffix(all[n-1], "\n") {
		all[n-1] += "\n"
	}
	for _, line := range lines {
		at := slices.IndexFunc(all, func(other string) bool { return compareSums(line, other) < 0 })
		if at < 0 {
			at = len(all)
		}
		all = slices.Insert(all, at, line+"\n")
	}
	return []byte(strings.Join(all, ""))
}

// compareSums orders lines of go.sum as the go command does: by path, version, and that of the module before that of its go.mod.
func compareSums(a, b string) int {
	x, y := append(strings.Fields(a), "", ""), append(strings.Fields(b), "", "")
	xv := strings.TrimSuffix(x[1], "/go.mod")
	yv := strings.TrimSuffix(y[1], "/go.mod")
	return cmp.Or(cmp.Compare(x[0], y[0]), semver.Compare(xv, yv), cmp.Compare(len(x[1])-len(xv), len(y[1])-len(yv)))
}
