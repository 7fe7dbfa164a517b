package plan

import (
	"fmt"
	"slices"
	"strings"

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
	if opt.Config == nil {
		return nil
	}
	for _, row := range opt.Config.Forms {
		for _, form := range row.Forms {
			if !slices.Contains(Forms, Form(form)) && (form != "auto" || len(row.Forms) > 1) {
				return config.Error{File: config.Name, Line: row.Line, Column: row.Column, Msg: fmt.Sprintf("unknown form %q; there are auto, %s", form, formNames())}
			}
		}
	}
	return nil
}

func formNames() string {
	var names []string
	for _, f := range Forms {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// formsOf returns the forms that v is to have, of which the first feasible one counts: those of the command line, or else those of
// the configuration. None are left to the tool to choose.
func (opt Options) formsOf(v Var) []Form {
	if len(opt.Forms) > 0 || opt.Config == nil {
		return slices.Clone(opt.Forms)
	}
	for _, row := range opt.Config.Forms {
		if !Match(row.Variable, v) {
			continue
		}
		var out []Form
		for _, form := range row.Forms {
			if form != "auto" {
				out = append(out, Form(form))
			}
		}
		return out
	}
	return nil
}
