package plan

import (
	"slices"
	"strings"

	"mapmend/plan/load"
	"mapmend/plan/share"
)

// This file gathers what explains a verdict to somebody who wants to follow it.

// maxWays bounds how many of the ways to one site are told.
const maxWays = 3

// story returns what stands behind f, the finding that v has become.
func story(prog *load.Program, w *share.World, v share.Verdict, f Finding) *Story {
	s := &Story{Declared: w.Declared(v.Var), Holding: []int{}, Doubts: doubts(prog, w, v)}
	for i, site := range f.Sites {
		ways, holds := []string{}, v.Guard != nil
		for _, j := range v.Uses {
			if position(prog, j.Pos) != site.Pos {
				continue
			}
			for _, e := range j.Entries {
				holds = holds && e.Holds(*v.Guard, e.Use.Op.Writes())
				way := strings.Join(w.Chain(*e), " > ")
				if !slices.Contains(ways, way) && len(ways) < maxWays {
					ways = append(ways, way)
				}
			}
		}
		s.Ways = append(s.Ways, ways)
		if holds {
			s.Holding = append(s.Holding, i)
		}
	}
	return s
}

// tellForms adds to the stories of p which form each variable is to have, and why.
func (p *Plan) tellForms() {
	for _, f := range p.Findings {
		for _, m := range p.Mends {
			if f.Story != nil && m.Var == f.Var {
				f.Story.Form, f.Story.Choice = m.Form, m.Choice
			}
		}
	}
}

// doubts returns what is not certain about v.
func doubts(prog *load.Program, w *share.World, v share.Verdict) []string {
	said := make(map[string]bool)
	for _, j := range v.Uses {
		for _, e := range j.Entries {
			if e.Unsure != "" {
				said[e.Unsure] = true
			}
			if len(e.At.Maybe) > 0 {
				said["a lock may or may not be held in "+w.Bodies[e.Use.Func].Name] = true
			}
		}
	}
	if v.Unsettled != nil {
		said["it is not known whether the guard is held in "+w.Bodies[v.Unsettled.Func].Name] = true
	}
	if v.Partial {
		said["not every way to its uses was followed: there are too many"] = true
	}
	for _, pkg := range prog.Packages {
		if pkg.Broken {
			said["package "+pkg.Path+" has errors and was left out"] = true
		}
	}
	return append([]string{}, sortedKeys(said)...)
}
