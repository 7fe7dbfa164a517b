package main

// This file leaves out the findings that a gate is not about: those of a baseline, and those that a change did not bring.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"mapmend/plan"
	"mapmend/plan/baseline"
	"mapmend/plan/report"
)

// staging makes what is loaded that of the index, if the flags ask for that.
func (inv *invocation) staging() error {
	if !inv.staged {
		return nil
	}
	repo, err := inv.repositoryAt(inv.dir)
	if err != nil {
		return err
	}
	inv.overlay, err = repo.index()
	return err
}

// news returns those of findings, of the program prog, that the gates of the command line are about.
func (inv *invocation) news(prog *program, findings []plan.Finding) ([]plan.Finding, error) {
	if inv.since != "" && len(findings) > 0 {
		before, err := inv.before()
		if err != nil {
			return nil, err
		}
		all := len(findings)
		findings = before.New(findings)
		inv.known(all-len(findings), "were there at "+inv.since)
	}
	if inv.baseline == "" {
		return findings, nil
	}
	if inv.writeBaseline {
		return findings, inv.keep(prog, findings)
	}
	known, err := readBaseline(inv.abs(inv.baseline))
	if err != nil {
		return nil, err
	}
	rest := known.New(findings)
	inv.known(len(findings)-len(rest), "are in "+inv.baseline)
	if gone := known.Gone(findings); len(gone) > 0 && len(inv.args) == 0 && len(inv.fields) == 0 {
		inv.notef("%s of %s not found any more, such as that on %s: --write-baseline takes out what is gone", count(len(gone), "finding"), inv.baseline, gone[0])
	}
	return rest, nil
}

// known notes that n findings are left out, and why.
func (inv *invocation) known(n int, why string) {
	if n > 0 {
		inv.notef("%s that %s left out", count(n, "finding"), why)
	}
}

// before returns the findings that there were at the revision since.
func (inv *invocation) before() (*baseline.Baseline, error) {
	repo, err := inv.repositoryAt(inv.dir)
	if err != nil {
		return nil, err
	}
	overlay, err := repo.revision(inv.since)
	if err != nil || overlay == nil {
		return &baseline.Baseline{}, err
	}
	defer inv.progress.part("at " + inv.since)()
	cfg := inv.loading(inv.dir, inv.args, overlay)
	q := inv.question(cfg) // the configuration stays that of today
	if _, p := q.recall(); p != nil {
		return baseline.Of(report.AtLeast(p.Findings, inv.minConfidence.Confidence)), nil
	}
	prog, err := inv.loadAll(cfg)
	if err != nil {
		inv.stepf("at %s there is nothing to load: %v", inv.since, err)
		return &baseline.Baseline{}, nil
	}
	if errs := prog.errors(); len(errs) > 0 {
		inv.notef("at %s not all packages load, and what these had counts as new: %v", inv.since, errs[0])
	}
	known := inv.recallSummaries(inv.since)
	p, err := inv.plan(prog, known.summaries())
	if err != nil {
		return nil, err
	}
	known.keep()
	q.keep(prog, p)
	return baseline.Of(report.AtLeast(p.Findings, inv.minConfidence.Confidence)), nil
}

func readBaseline(name string) (*baseline.Baseline, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: --write-baseline writes it", err)
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	known, err := baseline.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return known, nil
}

// keep writes findings as the baseline, with what it knew of packages that were not looked at. A file that is none is not replaced: a
// mistyped name would cost the user a file of his own.
func (inv *invocation) keep(prog *program, findings []plan.Finding) error {
	if len(prog.errors()) > 0 {
		return errors.New("the baseline is not written, since not all packages load")
	}
	name := inv.abs(inv.baseline)
	old, err := readBaseline(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = &baseline.Baseline{}
	case err != nil:
		return err
	}
	if len(inv.args) == 0 {
		old = &baseline.Baseline{} // of packages that are gone, too
	}
	out, err := baseline.Of(findings).With(old, prog.looked()).Encode()
	if err != nil {
		return err
	}
	if err := inv.writeWhole(name, out); err != nil {
		return err
	}
	inv.notef("%s is written, with %s", inv.baseline, count(len(findings), "finding"))
	return nil
}
