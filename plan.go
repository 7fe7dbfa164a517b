package main

// This file is the command plan: what mend would do, as a file for review.

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/plan/report"
)

func planning(inv *invocation) int {
	if slices.Contains(inv.evidence, "-") {
		inv.errorf("a plan is carried out with its evidence at hand: give a file, and not standard input")
		return exitError
	}
	prog, loaded := inv.load(inv.dir, inv.args)
	if prog == nil {
		return loaded
	}
	p, err := inv.plan(prog, nil)
	if err != nil {
		return inv.fail(err)
	}
	inv.comment(prog, p)
	m, err := inv.mended(prog, p)
	if err != nil {
		return inv.fail(err)
	}
	p.Mends, p.Refusals = m.mends, m.refusals
	inv.stayed(p)
	out, err := plan.NewFile(prog.programs(), p, inv.request(prog.Root), strings.TrimSpace(version())).Encode()
	if err != nil {
		return inv.fail(err)
	}
	if !inv.quiet {
		if err := report.Refusals(inv.stderr, m.refusals, inv.report(inv.stderr, prog)); err != nil {
			return exitError
		}
	}
	inv.required(m.mends)
	inv.untested(m.mends)
	if inv.output == "" {
		return worst(loaded, inv.print(string(out)))
	}
	if err := inv.replaceFile(inv.abs(inv.output), out); err != nil {
		return inv.fail(err)
	}
	inv.notef("planned %s in %s; 'mapmend apply %s' shows the diff, and writes it with -w", count(len(m.mends), "map variable"), count(len(m.changes), "file"), inv.output)
	return loaded
}

// request returns how inv asks for a plan of the program whose root is root.
func (inv *invocation) request(root string) plan.Request {
	dir, err := filepath.Rel(resolve(root), resolve(inv.dir))
	if err != nil {
		dir = "."
	}
	var files []plan.EvidenceFile
	if inv.gathered != nil {
		files = inv.gathered.files
	}
	return plan.Request{
		Evidence: files,
		Dir:      filepath.ToSlash(dir), Patterns: inv.args, Tags: inv.tags, Platforms: inv.platforms, Tests: inv.tests,
		Forms: inv.forms, AllAccessors: inv.accessors.value == "all", EmitTests: inv.emitTests, Fields: inv.fields, All: inv.all, MinConfidence: inv.minConfidence.Confidence,
	}
}

// replaceFile gives the named file the content data, all of it or none. A file that is no plan is not replaced: a
// mistyped name would cost the user a file of his own.
func (inv *invocation) replaceFile(name string, data []byte) error {
	old, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if _, err := plan.ReadFile(bytes.NewReader(old)); err != nil && len(old) > 0 {
			return &fs.PathError{Op: "write", Path: name, Err: errors.New("the file exists and is no plan")}
		}
	}
	return inv.writeWhole(name, data)
}

// writeNew gives the named file, which must not exist, the content data.
func (inv *invocation) writeNew(name string, data []byte) error {
	_, free := inv.signals.hold() // what is begun is finished
	defer free()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// writeWhole gives the named file the content data, all of it or none.
func (inv *invocation) writeWhole(name string, data []byte) error {
	_, free := inv.signals.hold() // what is begun is finished
	defer free()
	temp, err := os.CreateTemp(filepath.Dir(name), ".mapmend-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails once it is renamed
	_, err = temp.Write(data)
	if err := errors.Join(err, temp.Chmod(0o644), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), name)
}
