package main

// This file is the command switch: the generated type of one map variable in another form, and its tests.

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/rewrite"
	"mapmend/rewrite/verify"
)

func switching(inv *invocation) int {
	if err := inv.switchable(); err != nil {
		inv.errorf("%v", err)
		return exitError
	}
	prog, loaded := inv.load(inv.dir, inv.args[1:])
	if prog == nil {
		return loaded
	}
	s, err := migrated(prog.switches(), inv.args[0])
	if err != nil {
		return inv.fail(err)
	}
	to, m, err := inv.switched(prog, s)
	if err != nil {
		return inv.fail(err)
	}
	code := inv.deliver(prog, m)
	if code == exitError {
		return code
	}
	if len(m.refusals) == 0 && len(m.changes) > 0 {
		if to.New.Requires != nil {
			inv.requires(*to.New.Requires)
		} else if lib := s.From.Requires(); lib != nil {
			inv.notef("go.mod still requires %s; if nothing else imports it, 'go mod tidy' removes that", lib.Path)
		}
	}
	switch what := fmt.Sprintf("%s from %s to %s", s.Var, s.From, to.To); {
	case len(m.refusals) > 0:
	case onlyTests(to, m.changes) && inv.write:
		inv.notef("wrote tests of %s", s.Var)
	case onlyTests(to, m.changes):
		inv.notef("would write tests of %s; -w writes them", s.Var)
	case len(m.changes) == 0:
		inv.notef("nothing to switch: %s is as it would be generated", inv.rel(prog.Root)(to.File))
	case inv.write:
		inv.notef("switched %s", what)
	default:
		inv.notef("would switch %s; -w writes it", what)
	}
	return worst(loaded, code)
}

// switches returns what plan.FindSwitches does, on all platforms of prog.
func (prog *program) switches() (all []plan.Switch) {
	for _, b := range prog.builds {
		for _, s := range plan.FindSwitches(b.Prog) {
			if !slices.ContainsFunc(all, func(o plan.Switch) bool { return o.Var == s.Var && o.File == s.File }) {
				all = append(all, s)
			}
		}
	}
	return all
}

// switched returns what becomes of s, and the changes that carry it out, proved on each platform that has its file, or why there are none.
func (inv *invocation) switched(prog *program, s plan.Switch) (to plan.Switch, m outcome, err error) {
	forms := inv.forms
	if len(forms) == 0 {
		forms = []plan.Form{s.From}
	}
	var all [][]rewrite.Change
	for _, b := range prog.builds {
		found := plan.FindSwitches(b.Prog)
		i := slices.IndexFunc(found, func(o plan.Switch) bool { return o.Var == s.Var && o.File == s.File })
		if i < 0 {
			all = append(all, nil)
			continue
		}
		var changes []rewrite.Change
		var refusal *plan.Refusal
		if to, changes, refusal, err = inv.switchedOn(prog, b, found[i], forms); err != nil {
			return to, m, err
		}
		if refusal != nil {
			m.refusals = prog.on(b, []plan.Refusal{*refusal})
			return to, m, nil
		}
		all = append(all, changes)
	}
	changes, clash := prog.joined(all)
	if clash != "" {
		m.refusals = []plan.Refusal{{Code: plan.Platforms, Var: s.Var, Pos: plan.Pos{File: clash, Line: 1, Column: 1}, Message: path.Base(clash) + " would be another one on each platform", Todo: "ask for one form"}}
	}
	m.changes = changes
	return to, m, nil
}

// switchedOn is switched for b, one of prog.
func (inv *invocation) switchedOn(prog *program, b *build, s plan.Switch, forms []plan.Form) (to plan.Switch, changes []rewrite.Change, refusal *plan.Refusal, err error) {
	opt := inv.options()
	opt.Platforms, opt.Seen = prog.platforms(), b.seen
	if to, refusal = s.In(b.Prog, forms, opt); refusal != nil {
		return to, nil, refusal, nil
	}
	defer inv.progress.part("proving the mend")()
	if changes, refusal = rewrite.Switch(b.Prog, to); refusal != nil {
		return to, nil, refusal, nil
	}
	refusal, err = verify.ProveSwitch(b.Prog, to, changes, verify.Options{Load: b.config.Overlaid})
	return to, changes, refusal, err
}

// switchable reports, as an error, what is missing on the command line.
func (inv *invocation) switchable() error {
	switch {
	case len(inv.args) == 0:
		return errors.New("which variable? usage: mapmend switch PKG.Type.field --form FORM [packages]")
	case slices.Contains(inv.forms, plan.Lock):
		return errors.New("switch changes one generated type for another, and the form lock has none")
	case len(inv.forms) == 0 && inv.accessors.value == "used" && !inv.emitTests:
		return errors.New("which form? --form FORM, --accessors=all to add to the one it has, or --emit-tests")
	}
	return nil
}

// onlyTests reports whether changes are of the tests that s has alone.
func onlyTests(s plan.Switch, changes []rewrite.Change) bool {
	return s.New.Tests != nil && len(changes) == 1 && changes[0].File == s.New.Tests.File
}

// migrated returns the one variable with a generated type that name stands for, as find does.
func migrated(all []plan.Switch, name string) (plan.Switch, error) {
	var found []plan.Switch
	var full []string
	for _, s := range all {
		if s.Var.String() == name {
			return s, nil
		}
		if plan.Match(name, s.Var) {
			found = append(found, s)
			full = append(full, s.Var.String())
		}
	}
	switch len(found) {
	case 0:
		return plan.Switch{}, fmt.Errorf("no map variable %s in these packages has a generated type", name)
	case 1:
		return found[0], nil
	}
	slices.Sort(full)
	return plan.Switch{}, fmt.Errorf("%s is ambiguous: %s", name, strings.Join(full, ", "))
}
