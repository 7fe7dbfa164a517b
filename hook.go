package main

// This file is the command hook: a git hook that checks what a commit brings.

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// hookScript is the hook. A hook that was there before runs first, and if it fails, the commit fails.
const hookScript = `#!/bin/sh
` + hookMark + ` 'mapmend hook remove' takes it out again, and puts back the hook
# that was here before, which runs first.
old="$0` + oldHook + `"
if [ -x "$old" ]; then
	"$old" "$@" || exit $?
fi
if ! command -v mapmend >/dev/null; then
	echo "mapmend is not in PATH: the commit is not checked" >&2
	exit 0
fi
exec mapmend hook run
`

const (
	hookMark = "# Installed by 'mapmend hook install'."
	oldHook  = ".before-mapmend" // the end of the name of the hook that was there before
)

func hook(inv *invocation) int {
	if len(inv.args) != 1 || !slices.Contains([]string{"install", "remove", "run"}, inv.args[0]) {
		inv.errorf("install, remove or run? usage: mapmend hook install|remove|run")
		return exitError
	}
	if inv.args[0] == "run" {
		return inv.runHook()
	}
	file, err := inv.hookFile()
	if err != nil {
		return inv.fail(err)
	}
	if inv.args[0] == "install" {
		return inv.fail(inv.installHook(file))
	}
	return inv.fail(inv.removeHook(file))
}

// runHook checks what the next commit brings, in each module of which it changes Go files, and returns exitFound if that is a finding.
// What does not load is said, and stops no commit: it is for the build to stop it.
func (inv *invocation) runHook() int {
	repo, err := inv.repositoryAt(inv.dir)
	if err != nil {
		return inv.fail(err)
	}
	modules, err := repo.changedModules()
	if err != nil {
		return inv.fail(err)
	}
	code := exitOK
	for _, dir := range modules {
		each := inv.another("check")
		each.dir, each.staged, each.since, each.quiet = dir, true, "HEAD", true
		switch check(each) {
		case exitFound:
			code = exitFound
		case exitError:
			inv.notef("%s is not checked, or not all of it", dir)
		}
	}
	return code
}

// another returns an invocation of the command of that name beside inv, with the defaults of all flags.
func (inv *invocation) another(command string) *invocation {
	each := &invocation{signals: inv.signals, stdin: inv.stdin, stdout: inv.stdout, stderr: inv.stderr, commands: inv.commands}
	each.define()
	each.command = *commandNamed(inv.commands, command)
	return each
}

// hookFile returns the name of the hook that git runs before a commit in the repository of the working directory.
func (inv *invocation) hookFile() (string, error) {
	repo, err := inv.repositoryAt(inv.dir)
	if err != nil {
		return "", err
	}
	hooks, err := repo.git("rev-parse", "--git-path", "hooks")
	if err != nil {
		return "", err
	}
	name := strings.TrimSuffix(string(hooks), "\n")
	if !filepath.IsAbs(name) {
		name = filepath.Join(repo.root, filepath.FromSlash(name))
	}
	return filepath.Join(name, "pre-commit"), nil
}

func (inv *invocation) installHook(file string) error {
	_, free := inv.signals.hold() // what is begun is finished: there is a moment without a hook
	defer free()
	if _, err := exec.LookPath("mapmend"); err != nil {
		return fmt.Errorf("the hook would not find mapmend: put it in a folder of PATH, for instance with 'go install' (%w)", err)
	}
	ours, err := isOurHook(file)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case ours:
		return inv.writeHook(file)
	case err == nil:
		if _, err := os.Lstat(file + oldHook); err == nil {
			return fmt.Errorf("%s is in the way: remove it, or give it another name", file+oldHook)
		}
		if err := os.Rename(file, file+oldHook); err != nil {
			return err
		}
		if err := inv.writeHook(file); err != nil {
			return errors.Join(err, os.Rename(file+oldHook, file))
		}
		inv.notef("the hook that was there is %s, and still runs", file+oldHook)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return inv.writeHook(file)
}

func (inv *invocation) writeHook(file string) error {
	if err := inv.writeWhole(file, []byte(hookScript)); err != nil {
		return err
	}
	if err := os.Chmod(file, 0o755); err != nil {
		return err
	}
	inv.notef("%s checks what a commit brings", file)
	return nil
}

func (inv *invocation) removeHook(file string) error {
	ours, err := isOurHook(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && !ours:
		return fmt.Errorf("%s was not installed by mapmend", file)
	case err != nil:
		return err
	}
	err = os.Rename(file+oldHook, file) // replaces ours
	if errors.Is(err, fs.ErrNotExist) {
		return os.Remove(file)
	}
	return err
}

// isOurHook reports whether file is a hook that mapmend wrote.
func isOurHook(file string) (bool, error) {
	src, err := os.ReadFile(file)
	return bytes.Contains(src, []byte("\n"+hookMark)), err
}
