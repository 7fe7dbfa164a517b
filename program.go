package main

// This file loads the packages and plans, which is what every command does first, for one platform or for several.

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mapmend/plan"
	"mapmend/plan/load"
)

// A program is what was loaded, once for each platform. The builds share its root.
type program struct {
	*load.Program          // of the first build, or what is recalled of it
	builds        []*build // one for each platform that was asked for, or that of the environment; none if the program is recalled
}

// A build is the program for one platform.
type build struct {
	plan.Build             // the plan is set by plan
	config     load.Config // how it was loaded
	seen       map[string]bool
}

// load loads the packages that patterns name in the folder dir, by default those of the module. The code is exitError when nothing could be loaded (the
// program is nil then) or when something could not; the rest is sound and goes on.
func (inv *invocation) load(dir string, patterns []string) (*program, int) {
	start := time.Now()
	if err := inv.configure(dir); err != nil {
		return nil, inv.unconfigured(err)
	}
	prog, err := inv.loadAll(inv.loading(dir, patterns, inv.overlay))
	if err != nil {
		inv.errorf("%v", err)
		if inv.hint != "" {
			inv.errorf("%s", inv.hint)
		}
		return nil, exitError
	}
	if sourceSize(prog.Program) > largeProgram {
		collect(100)
	}
	switch again, err := inv.recovered(prog.Root); {
	case err != nil:
		inv.errorf("%v", err)
		return nil, exitError
	case again:
		return inv.load(dir, patterns)
	}
	inv.stepf("loaded %s in %v", count(len(prog.Packages), "package"), time.Since(start).Round(time.Millisecond))
	if errs := prog.errors(); len(errs) > 0 {
		for _, e := range errs {
			inv.loadError(prog, e)
		}
		return prog, exitError
	}
	return prog, exitOK
}

// loadAll loads what cfg says for each platform.
func (inv *invocation) loadAll(cfg load.Config) (*program, error) {
	names := []string(inv.platforms)
	if len(names) == 0 {
		names = []string{""}
	}
	if len(names) > 1 {
		collect(100) // all of them are kept
	}
	prog := new(program)
	var none error
	for _, name := range names {
		cfg.Platform = name
		p, err := inv.loadFor(cfg, len(names) > 1)
		if errors.Is(err, load.ErrNoPackages) {
			none = err
			continue // on another platform there may be some
		}
		if err != nil && len(names) > 1 {
			err = fmt.Errorf("%w (on %s)", err, name)
		}
		if err != nil {
			return nil, err
		}
		prog.builds = append(prog.builds, &build{Build: plan.Build{Platform: p.Platform, Prog: p}, config: cfg})
	}
	if len(prog.builds) == 0 {
		return nil, none
	}
	prog.Program = prog.builds[0].Prog
	prog.see()
	return prog, nil
}

// loadFor loads what cfg says, and tells for which platform if there are several.
func (inv *invocation) loadFor(cfg load.Config, several bool) (*load.Program, error) {
	if several {
		defer inv.progress.part("for " + cfg.Platform)()
	}
	return load.Load(cfg)
}

// see notes for each build which files the others have.
func (prog *program) see() {
	if len(prog.builds) == 1 {
		return
	}
	all := make(map[string]bool)
	for _, b := range prog.builds {
		for _, pkg := range b.Prog.Packages {
			for _, f := range slices.Concat(pkg.Files, pkg.Unchecked) {
				all[f.Abs] = true
			}
		}
	}
	for _, b := range prog.builds {
		b.seen = all
	}
}

// errors returns what is wrong with single packages, each error once. One that is not on all platforms says where it is. That a package has no
// files on one of them is none if it has some on another.
func (prog *program) errors() []load.Error {
	var all []load.Error
	on := make(map[load.Error][]string)
	for _, b := range prog.builds {
		for _, e := range b.Prog.Errors {
			if dir := e.Excluded(); dir != "" && prog.hasFiles(dir) {
				continue
			}
			if on[e] == nil {
				all = append(all, e)
			}
			on[e] = append(on[e], b.Platform)
		}
	}
	var out []load.Error
	for _, e := range all {
		if names := on[e]; len(names) < len(prog.builds) {
			e.Msg += " (on " + strings.Join(names, ", ") + ")"
		}
		out = append(out, e)
	}
	return out
}

// hasFiles reports whether the package in the folder dir was loaded for one of the platforms.
func (prog *program) hasFiles(dir string) bool {
	return slices.ContainsFunc(prog.builds, func(b *build) bool {
		return slices.ContainsFunc(b.Prog.Packages, func(pkg *load.Package) bool { return pkg.Dir == dir })
	})
}

// looked returns the paths of the requested packages, on any platform, sorted.
func (prog *program) looked() (paths []string) {
	builds := prog.each()
	if len(builds) == 0 { // it is recalled
		builds = []plan.Build{{Prog: prog.Program}}
	}
	for _, b := range builds {
		for _, pkg := range b.Prog.Packages {
			if pkg.Requested {
				paths = append(paths, pkg.Path)
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// platforms returns the names of the platforms of prog.
func (prog *program) platforms() (names []string) {
	for _, b := range prog.builds {
		names = append(names, b.Platform)
	}
	return names
}

// plan plans prog with the options and the evidence of the command line. Of several platforms it is what their plans are together;
// each build has the part of it that is its own. Summaries that are known are used; nil uses none.
func (inv *invocation) plan(prog *program, known *plan.Summaries) (*plan.Plan, error) {
	all, err := inv.allEvidence()
	if err != nil {
		return nil, err
	}
	opt := inv.options()
	opt.Evidence, opt.Summaries = all.Evidence, known
	if err := inv.planEach(prog, opt); err != nil {
		return nil, err
	}
	if len(prog.builds) == 1 {
		return prog.builds[0].Plan, nil
	}
	if opt.Also = plan.Differing(prog.each()); len(opt.Also) > 0 {
		if err := inv.planEach(prog, opt); err != nil {
			return nil, err
		}
	}
	joined, each := plan.Join(prog.each())
	for i, b := range prog.builds {
		b.Plan = each[i]
	}
	return joined, nil
}

// planEach plans each build of prog.
func (inv *invocation) planEach(prog *program, opt plan.Options) (err error) {
	for _, b := range prog.builds {
		if b.Plan, err = inv.planFor(b, prog, opt); err != nil {
			return err
		}
	}
	return nil
}

// planFor plans b, one of prog, and tells for which platform if there are several.
func (inv *invocation) planFor(b *build, prog *program, opt plan.Options) (*plan.Plan, error) {
	if len(prog.builds) > 1 {
		defer inv.progress.part("for " + b.Platform)()
	}
	opt.Platforms, opt.Seen = prog.platforms(), b.seen
	return plan.Make(b.Prog, opt)
}

// programs returns what was loaded for each platform.
func (prog *program) programs() (out []*load.Program) {
	for _, b := range prog.builds {
		out = append(out, b.Prog)
	}
	return out
}

// each returns the builds of prog as plans are made of them.
func (prog *program) each() (out []plan.Build) {
	for _, b := range prog.builds {
		out = append(out, b.Build)
	}
	return out
}
