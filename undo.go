package main

// This file is the command undo, and what is done about a run that was interrupted.

import (
	"errors"
	"fmt"

	"mapmend/plan/load"
	"mapmend/rewrite"
)

func undo(inv *invocation) int {
	if len(inv.args) > 0 {
		inv.errorf("undo takes no packages: it takes back the last run as a whole")
		return exitError
	}
	root, err := load.Root(load.Config{Dir: inv.dir, Context: inv.signals.hold})
	if err != nil {
		return inv.fail(err)
	}
	rel := inv.rel(root)
	ctx, free := inv.signals.hold() // what is begun is finished
	defer free()
	files, err := rewrite.Undo(root)
	if err == nil && ctx.Err() != nil {
		inv.notef("interrupted: the last run is taken back all the same")
		free()
	}
	switch {
	case errors.Is(err, rewrite.ErrNoRun):
		inv.errorf("there is no run to take back in %s: only the last one with -w can be, once", rel("."))
		return exitError
	case err != nil:
		return inv.fail(err)
	}
	for _, file := range files {
		if _, err := fmt.Fprintln(inv.stdout, rel(file)); err != nil {
			return inv.fail(err)
		}
	}
	inv.notef("took back the last run: %s as before", count(len(files), "file"))
	return exitOK
}

// recovered takes back a run on root that was interrupted, if this one is to write, and reports whether it did. A run that
// only reads says what it reads.
func (inv *invocation) recovered(root string) (bool, error) {
	if !inv.write {
		if half, err := rewrite.Interrupted(root); half && err == nil {
			inv.notef("a run was interrupted here, or goes on: some of the files may be as it leaves them; 'mapmend undo' takes it back")
		}
		return false, nil
	}
	_, free := inv.signals.hold()
	defer free()
	done, err := rewrite.Recover(root)
	if done {
		inv.notef("took back a run that was interrupted")
	}
	return done, err
}
