// This file holds the invariant OnlyRequired: what a module requires changes as planned, and nothing else of its go.mod and go.sum.

package verify

import (
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/rewrite"
)

// sources splits changes into those of Go files, which the other invariants look at, and those of what a module requires.
func sources(changes []rewrite.Change) (goFiles, others []rewrite.Change) {
	for _, c := range changes {
		if strings.HasSuffix(c.File, ".go") {
			goFiles = append(goFiles, c)
		} else {
			others = append(others, c)
		}
	}
	return goFiles, others
}

// onlyRequired: go.mod gains the line that requires a planned library, in place of one that has it already, and go.sum its planned
// lines. All other lines stay, whatever the block of the requirements that they stand in.
func onlyRequired(p *proof) []failure {
	var failed []failure
	for _, c := range p.required {
		came, gone := lineDiff(requirements(c.Old), requirements(c.New))
		if !slices.ContainsFunc(p.plan.Mends, func(m plan.Mend) bool {
			return m.Wrapper != nil && m.Wrapper.Requires != nil && asRequired(*m.Wrapper.Requires, c.File, came, gone)
		}) {
			failed = append(failed, failure{pos: plan.Pos{File: c.File, Line: 1, Column: 1}, message: "what changes is not what the plan requires"})
		}
	}
	return failed
}

// unloadable is that the program does not load with what modules come to require, as err says: other modules may need another version
// of that.
func (p *proof) unloadable(err error) []failure {
	f := failure{message: "with what it requires the module does not load: " + err.Error()}
	for _, m := range p.plan.Mends {
		if m.Wrapper != nil && m.Wrapper.Requires != nil {
			f.vars = append(f.vars, m.Var)
		}
	}
	return []failure{f}
}

// asRequired reports whether r asks for the lines that came to the named file in place of those that are gone.
func asRequired(r plan.Requirement, file string, came, gone []string) bool {
	if file == r.Sum {
		return len(gone) == 0 && slices.Equal(came, r.Lines)
	}
	line := r.Path + " " + r.Version
	indirect := func(have string) bool {
		comment, ok := strings.CutPrefix(have, line+" //")
		return ok && strings.HasPrefix(strings.TrimSpace(comment), "indirect")
	}
	return file == r.Mod && r.Gains && len(came) == 1 && (came[0] == line || strings.HasPrefix(came[0], line+" //")) && (len(gone) == 0 || len(gone) == 1 && indirect(gone[0]))
}

// requirements returns the lines of a go.mod or go.sum, sorted, without what groups them.
func requirements(src []byte) (lines []string) {
	for line := range strings.Lines(string(src)) {
		line = strings.TrimPrefix(strings.Join(strings.Fields(line), " "), "require ")
		if line != "" && line != "(" && line != ")" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// lineDiff returns the lines of b that are not in a, and those of a that are not in b. Both are sorted.
func lineDiff(a, b []string) (came, gone []string) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(a) == 0 || len(b) > 0 && b[0] < a[0]:
			came, b = append(came, b[0]), b[1:]
		case len(b) == 0 || a[0] < b[0]:
			gone, a = append(gone, a[0]), a[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return came, gone
}
