package plan

import (
	"fmt"

	"mapmend/plan/access"
	"mapmend/plan/config"
	"mapmend/plan/intent"
	"mapmend/plan/load"
)

// This file leaves out the findings that the author does not want, and notes what orders have no effect.

// silencer knows what silences which variable.
type silencer struct {
	prog    *load.Program
	opt     Options
	by      map[access.Var]intent.Silence
	found   map[access.Var]bool // silenced variables that have a finding
	matched map[string]bool     // patterns that matched one
	problem []intent.Problem    // directives without effect, in requested packages
	asked   []intent.Silence    // those in requested packages
}

func newSilencer(prog *load.Program, said map[*load.Package]intent.Said, opt Options) *silencer {
	s := &silencer{prog: prog, opt: opt, by: make(map[access.Var]intent.Silence), found: make(map[access.Var]bool), matched: make(map[string]bool)}
	for _, pkg := range prog.Packages {
		for _, silence := range said[pkg].Silences {
			s.by[silence.Var] = silence
		}
		if pkg.Requested {
			s.problem = append(s.problem, said[pkg].Problems...)
			s.asked = append(s.asked, said[pkg].Silences...)
		}
	}
	return s
}

// silenced returns what silences f, or nil when nothing does.
func (s *silencer) silenced(f Finding) *Silenced {
	if f.Confidence == Silent {
		return nil
	}
	v := access.Var{Package: f.Package, Owner: f.Owner, Field: f.Field}
	if by, ok := s.by[v]; ok {
		s.found[v] = true
		return &Silenced{f.Var, f.Confidence, position(s.prog, by.Pos), "//mapmend:" + by.Verb, by.Reason}
	}
	for _, ig := range s.ignores() {
		if Match(ig.Variable, f.Var) {
			s.matched[ig.Variable] = true
			return &Silenced{f.Var, f.Confidence, s.opt.configPos(s.prog, ig.Place), config.Name, ig.Reason}
		}
	}
	return nil
}

func (s *silencer) ignores() []config.Ignore {
	if s.opt.Config == nil {
		return nil
	}
	return s.opt.Config.Ignore
}

// notes returns the orders that have no effect. With a choice of variables it is not known of an order to ignore
// whether it has one, nor if what it is about is not in the packages that are looked at.
func (s *silencer) notes(decls map[Var]declaration) []Note {
	var out []Note
	for _, p := range s.problem {
		out = append(out, Note{position(s.prog, p.Pos), p.Message})
	}
	if len(s.opt.Fields) == 0 {
		for _, silence := range s.asked {
			if silence.Verb == "ignore" && !s.found[silence.Var] {
				out = append(out, Note{position(s.prog, silence.Pos), fmt.Sprintf("//mapmend:ignore has no effect: there is no finding on %s", silence.Var.Field)})
			}
		}
		for _, ig := range s.ignores() {
			if !s.matched[ig.Variable] && (s.prog.Whole || matchesRequested(ig.Variable, decls)) {
				out = append(out, Note{s.opt.configPos(s.prog, ig.Place), fmt.Sprintf("ignore has no effect: there is no finding on %s", ig.Variable)})
			}
		}
	}
	return out
}
