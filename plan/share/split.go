package share

import (
	"go/token"
	"slices"

	"mapmend/plan/mapuse"
)

// This file finds what is no race and may be wrong all the same: a store that goes by a look-up in an
// earlier section of the guard.

// checked reports whether a store of u goes by a look-up in an earlier section.
func (u *variableUses) checked() bool {
	return slices.ContainsFunc(u.starts, func(e Entry) bool { return e.Use.Checked.IsValid() })
}

// split turns v, of a variable without a problem, into one of the stores that another goroutine may make
// between their look-up and themselves. ok is false when there is none.
func (v *Verdict) split() (ok bool) {
	if v.Guard == nil {
		return false
	}
	checks := make(map[token.Pos]bool)
	for i := range v.Uses {
		j := &v.Uses[i]
		at := slices.IndexFunc(j.Entries, func(e *Entry) bool {
			return e.Use.Checked.IsValid() && e.Holds(*v.Guard, true) && parallel(e, e) != never
		})
		if at < 0 {
			continue
		}
		e := j.Entries[at]
		j.Problem, j.Escape = true, AnswerLeft
		checks[e.Use.Checked] = true
		v.Grade, v.Pair = Possible, [2]*Entry{e, e}
		v.Evidence = []string{"between the two sections another goroutine may have done the same"}
	}
	for i := range v.Uses {
		if j := &v.Uses[i]; j.Op == mapuse.Index && checks[j.Pos] {
			j.Problem, j.Escape = true, AnswerLeft
		}
	}
	return len(checks) > 0
}
