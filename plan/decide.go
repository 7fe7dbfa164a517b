package plan

import (
	"mapmend/plan/load"
	"mapmend/plan/share"
)

type decider struct {
	prog  *load.Program
	world *share.World
	decls map[Var]declaration
	opt   Options
}

func (d *decider) decide(v share.Verdict, decl declaration, f Finding) {}

func (d *decider) finish() ([]Mend, []Refusal) { return nil, nil }
