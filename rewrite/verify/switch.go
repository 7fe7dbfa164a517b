// This file proves the switch of a generated type to another form.

package verify

import (
	"slices"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
)

// switchInvariants are the names of those invariants that are about more than the uses, none of which a switch changes.
var switchInvariants = []string{"OnlyRequired", "RoundTrips", "Formatted", "TypeChecks", "SameNames", "SameAPI", "NoCopiedLock"}

// ProveSwitch returns why changes, which carry out s on prog, are not to be shown: the first invariant that does not hold, or nil.
// Only the generated file, that with its tests and what the module requires may change. Of opt only Load is used, which must not be nil; an error is its.
func ProveSwitch(prog *load.Program, s plan.Switch, changes []rewrite.Change, opt Options) (*plan.Refusal, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	refuse := func(name string, f failure) *plan.Refusal {
		pos := f.pos
		if pos.File == "" {
			pos = plan.Pos{File: s.File, Line: 1, Column: 1}
		}
		return &plan.Refusal{Code: plan.NotProved, Var: s.Var, Pos: pos, Message: name + ": " + f.message}
	}
	made, required := sources(changes)
	others := slices.ContainsFunc(made, func(c rewrite.Change) bool {
		return c.File != s.File && (s.New.Tests == nil || c.File != s.New.Tests.File)
	})
	if again, r := rewrite.Switch(prog, s); r != nil || !slices.EqualFunc(again, changes, sameChange) || others {
		return refuse("OnlyPlanned", failure{message: "the changes are not those of the generated files alone"}), nil
	}
	p := &proof{plan: &plan.Plan{Mends: []plan.Mend{{Var: s.Var, Form: s.To, Wrapper: &s.New}}}, changes: made, required: required, before: prog, opt: opt}
	for _, inv := range invariants {
		if inv.name == loaded {
			if err := p.ready(loaded); err != nil && len(required) > 0 {
				return refuse(loaded, p.unloadable(err)[0]), nil
			} else if err != nil {
				return nil, err
			}
		}
		if !slices.Contains(switchInvariants, inv.name) {
			continue
		}
		if failed := inv.check(p); len(failed) > 0 {
			return refuse(inv.name, failed[0]), nil
		}
	}
	return nil, nil
}
