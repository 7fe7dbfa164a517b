// Mapmend finds map variables that goroutines share without one consistent guard, and rewrites them.
//
// This file is the command line: flags into calls, the table of commands, exit codes. Run
// `mapmend --help` for the manual.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"mapmend/plan/vet"
)

// Exit codes. Where several apply, exitError wins over exitRefused over exitFound over exitOK. What a signal ends has none, see
// signals.go.
const (
	exitOK      = 0
	exitFound   = 1 // check: findings; --exit-code: the diff is not empty
	exitError   = 2 // usage, loading, input or output
	exitRefused = 3 // -w: done except for the refused variables
)

// commands is everything mapmend can do. The first, nameless one is what runs when no command is named.
var commands = []command{
	{
		args:  "[packages]",
		short: "print the mend as a unified diff, or write it with -w",
		flags: []string{"chdir", "tags", "platforms", "tests", "form", "accessors", "emit-tests", "field", "all", "min-confidence", "evidence", "write", "exit-code", "format", "color", "verbose", "quiet"},
		run:   mend,
		examples: []string{
			"mapmend                                   # the module in this folder, dry run",
			"mapmend ./... | git apply                 # the same, then apply it",
			"mapmend -w --field 'Store.*' ./session    # in place, only the maps of session.Store",
			"mapmend --form lock --exit-code ./...     # exit 1 when there is something to mend",
			"mapmend --format sarif ./... > mend.sarif # the findings, each with its mend as edits",
			"mapmend --all --field 'Cache.*' ./cache   # guard them, race or none",
			"mapmend --form sharded,rwmutex --emit-tests -w ./cache   # with tests of the generated types",
			"mapmend --platforms linux/amd64,windows/amd64   # what both have, and what each has alone",
			"mapmend --evidence race.log --min-confidence proven   # only what the reports in race.log name",
			"mapmend --evidence mutex.prof --evidence cover.out    # also a better form where a lock is hot",
		},
	},
	{
		name:  "check",
		args:  "[packages]",
		short: "report findings, change nothing",
		flags: []string{"chdir", "tags", "platforms", "tests", "field", "min-confidence", "evidence", "format", "baseline", "write-baseline", "changed-since", "staged", "no-cache", "color", "verbose", "quiet"},
		run:   check,
		examples: []string{
			"mapmend check ./...",
			"mapmend check --format json ./... | jq '.findings[].message'",
			"mapmend check --format sarif ./... > mapmend.sarif",
			"mapmend check --min-confidence possible ./...",
			"mapmend check --evidence crash.log        # what a program in production ran into",
			"mapmend check --evidence mutex.prof       # whose lock goroutines wait for",
			"mapmend check --baseline known.json       # only what is not in it; --write-baseline writes it",
			"mapmend check --staged --changed-since HEAD   # only what the next commit brings",
		},
	},
	{
		name:  "plan",
		args:  "[packages]",
		short: "write what would be mended as a plan to review and apply later",
		flags: []string{"chdir", "tags", "platforms", "tests", "form", "accessors", "emit-tests", "field", "all", "min-confidence", "evidence", "output", "color", "verbose", "quiet"},
		run:   planning,
		examples: []string{
			"mapmend plan -o mend.json ./...",
			"mapmend plan --field 'Store.*' | jq '.mends[].field'",
		},
	},
	{
		name:  "apply",
		args:  "FILE",
		short: "print a plan as a diff, or write it with -w; refuses if the sources are not those of the plan",
		flags: []string{"chdir", "write", "exit-code", "color", "verbose", "quiet"},
		run:   apply,
		examples: []string{
			"mapmend apply mend.json                   # the diff, for a last look",
			"mapmend apply -w mend.json",
		},
	},
	{
		name:  "explain",
		args:  "PKG.Type.field [packages]",
		short: "tell the whole story of one map variable: its guard, its uses, the evidence",
		flags: []string{"chdir", "tags", "platforms", "tests", "evidence", "color", "verbose", "quiet"},
		run:   explain,
		examples: []string{
			"mapmend explain example.com/app/session.Store.byID",
			"mapmend explain Store.byID ./session      # any suffix that names one variable",
			"mapmend explain Store.byID --evidence cpu.prof   # by what its uses are weighed, and which form that gives",
		},
	},
	{
		name:  "confirm",
		args:  "PKG.Type.field [packages]",
		short: "write a test that shows the race of one finding, and run it under the race detector, before the mend and after",
		flags: []string{"chdir", "tags", "tests", "form", "output", "color", "verbose", "quiet"},
		run:   confirming,
		examples: []string{
			"mapmend confirm Store.byID ./session",
			"mapmend confirm Store.byID -o session/race_test.go ./session   # keep the test",
		},
	},
	{
		name:  "switch",
		args:  "PKG.Type.field [packages]",
		short: "give a map variable that has a generated type one of another form",
		flags: []string{"chdir", "tags", "platforms", "tests", "form", "accessors", "emit-tests", "write", "exit-code", "color", "verbose", "quiet"},
		run:   switching,
		examples: []string{
			"mapmend switch Store.byID --form sharded  # the diff of the one generated file",
			"mapmend switch -w Store.byID --form snapshot,rwmutex",
			"mapmend switch -w Store.byID --accessors all",
			"mapmend switch -w Store.byID --emit-tests # tests of the type as it is",
		},
	},
	{
		name:  "undo",
		short: "take back the last run with -w: every file as it was, or none",
		flags: []string{"chdir", "quiet"},
		run:   undo,
		examples: []string{
			"mapmend undo                              # refuses if one of the files was edited since",
		},
	},
	{
		name:  "config",
		short: "print the configuration that counts, and where each value comes from",
		flags: []string{"chdir", "tags", "platforms", "tests", "form", "min-confidence", "quiet"},
		run:   configuring,
		examples: []string{
			"mapmend config",
			"mapmend config --tags integration         # as it is with that flag",
		},
	},
	{
		name:  "hook",
		args:  "install|remove|run",
		short: "install a git hook that checks what a commit brings, remove it, or do what it does; a hook that is there still runs",
		flags: []string{"chdir", "quiet"},
		run:   hook,
		examples: []string{
			"mapmend hook install",
		},
	},
	{
		name:  "completion",
		args:  "bash|fish|zsh",
		short: "print what makes a shell complete commands, flags and their values",
		run:   completing,
		examples: []string{
			"mapmend completion bash > ~/.local/share/bash-completion/completions/mapmend",
			"mapmend completion fish > ~/.config/fish/completions/mapmend.fish",
			"mapmend completion zsh > ~/.zfunc/_mapmend   # a folder of fpath",
		},
	},
	{
		name:  "man",
		short: "print the manual of all commands as a page for man(1)",
		run:   manning,
		examples: []string{
			"mapmend man | man -l -",
			"mapmend man > /usr/local/share/man/man1/mapmend.1",
		},
	},
	{
		name:  "help",
		args:  "[command]",
		short: "show this manual, or that of a command",
		// No run: parse turns it into the --help of the command.
	},
}

// A command is one row of the table.
type command struct {
	name     string
	args     string                // its arguments, for the synopsis
	short    string                // what it does, one line
	flags    []string              // the long names of the flags it takes
	examples []string              // one command line each
	run      func(*invocation) int // returns the exit code; nil for help
}

// synopsis returns how c is called.
func (c command) synopsis() string {
	return strings.Join(slices.DeleteFunc([]string{"mapmend", c.name, "[flags]", c.args}, func(s string) bool { return s == "" }), " ")
}

func main() {
	collect(200) // half the work for the collector, for a third more memory
	if args := os.Args[1:]; vet.Asked(args) {
		inv := &invocation{stderr: os.Stderr}
		os.Exit(inv.fail(vet.Main(args, os.Stdout)))
	}
	inv := &invocation{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	if showsProgress(os.Stderr) {
		inv.progress = newProgress(os.Stderr)
	}
	inv.signals = watch(inv.progress.stop)
	code := inv.run(os.Args[1:])
	inv.progress.stop()
	os.Exit(code)
}

// collect sets how many percent the heap may grow before garbage is collected, unless the user does.
func collect(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// run carries out one command line and returns its exit code.
func (inv *invocation) run(args []string) (code int) {
	defer func() {
		// The last resort: a bug of ours is reported as one, and never looks like a result.
		if r := recover(); r != nil {
			fmt.Fprintf(inv.stderr, "mapmend: internal error: %v, please report\n%s", r, debug.Stack())
			code = exitError
		}
	}()
	c, err := inv.parse(args)
	if inv.quiet {
		inv.progress = nil
	}
	inv.stdout, inv.stderr = inv.progress.before(inv.stdout), inv.progress.before(inv.stderr)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return inv.print(help(manualOf(c, commands, inv.flags)))
	case err != nil:
		inv.errorf("%v", err)
		fmt.Fprintln(inv.stderr, "run 'mapmend --help' for usage")
		return exitError
	case inv.version:
		return inv.print(version())
	}
	return c.run(inv)
}

// worst returns the code that wins.
func worst(codes ...int) int {
	for _, code := range []int{exitError, exitRefused, exitFound} {
		if slices.Contains(codes, code) {
			return code
		}
	}
	return exitOK
}
