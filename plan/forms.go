package plan

import (
	"fmt"
	"slices"

	"mapmend/plan/config"
)

// This file knows which forms are asked for.

// checkForms returns an error for the first form that there is not.
func (opt Options) checkForms() error {
	for _, form := range opt.Forms {
		if !slices.Contains(Forms, form) {
			return fmt.Errorf("unknown form %q", form)
		}
	}
	return nil
}

// formsOf returns the forms that v is to have, of which the first feasible one counts: those of the command line, or else those of
// the configuration. None are left to the tool to choose.
func (opt Options) formsOf(v Var) []Form {
	if len(opt.Forms) > 0 || opt.Config == nil {
		return slices.Clone(opt.Forms)
	}
	i := opt.formRow(v)
	if i < 0 {
		return nil
	}
	var out []Form
	for _, form := range opt.Config.Forms[i].Forms {
		if form != "auto" {
			out = append(out, Form(form))
		}
	}
	return out
}

// formRow returns the number of the row of the configuration that says which form v is to have; negative if none does.
func (opt Options) formRow(v Var) int {
	return slices.IndexFunc(opt.Config.Forms, func(row config.Form) bool { return Match(row.Variable, v) })
}
