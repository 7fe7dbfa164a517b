package main

// This file is the command apply: it carries out a plan that was reviewed.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mapmend/plan"
	"mapmend/plan/load"
)

func apply(inv *invocation) int {
	if len(inv.args) != 1 {
		inv.errorf("which plan? usage: mapmend apply FILE [-w]")
		return exitError
	}
	name := inv.args[0]
	f, err := inv.readPlan(name)
	if err != nil {
		return inv.fail(named(name, err))
	}
	root, err := load.Root(load.Config{Dir: inv.dir, Context: inv.signals.hold})
	if err != nil {
		return inv.fail(err)
	}
	req := f.Request
	inv.tags, inv.platforms, inv.tests = req.Tags, req.Platforms, req.Tests
	inv.forms, inv.fields, inv.all, inv.minConfidence.Confidence = req.Forms, req.Fields, req.All, req.MinConfidence
	if req.AllAccessors {
		inv.accessors.value = "all"
	}
	inv.emitTests = req.EmitTests
	if err := inv.provable(); err != nil {
		return inv.fail(named(name, err))
	}
	prog, loaded := inv.load(filepath.Join(root, filepath.FromSlash(req.Dir)), req.Patterns)
	if prog == nil {
		return loaded
	}
	if err := f.Check(prog.programs()); err != nil {
		return inv.fail(named(name, err))
	}
	if err := inv.sameEvidence(f, filepath.Join(root, filepath.FromSlash(req.Dir))); err != nil {
		return inv.fail(named(name, err))
	}
	p, err := inv.plan(prog, nil)
	if err != nil {
		return inv.fail(err)
	}
	chosen, err := f.Choose(p)
	if err != nil {
		return inv.fail(named(name, err))
	}
	return worst(loaded, inv.carryOut(prog, chosen))
}

// sameEvidence reads the evidence of f, whose names are relative to dir, or returns an error if it is not what it was.
func (inv *invocation) sameEvidence(f *plan.File, dir string) error {
	inv.evidenceDir = dir
	for _, e := range f.Request.Evidence {
		if e.File == "-" {
			return errors.New("the plan rests on standard input, which is not here")
		}
		inv.evidence = append(inv.evidence, e.File)
	}
	all, err := inv.allEvidence()
	if err != nil {
		return err
	}
	return f.CheckEvidence(all.files)
}

// readPlan reads the named plan file, or standard input for "-".
func (inv *invocation) readPlan(name string) (*plan.File, error) {
	if name == "-" {
		return plan.ReadFile(os.Stdin)
	}
	in, err := os.Open(inv.abs(name))
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return plan.ReadFile(in)
}

// named returns err with the name of the file that it is about, unless it has that already.
func named(file string, err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return err
	}
	return fmt.Errorf("%s: %w", file, err)
}
