package main

// This file is what the manual says, whichever way it is printed: see help.go and man.go.

import (
	"slices"

	"github.com/spf13/pflag"
)

const purpose = "finds map variables that goroutines share without one consistent guard, and rewrites them"

// A manual is the page of one command.
type manual struct {
	command
	others      []command      // of the nameless command: all, in the order of the table
	own         *pflag.FlagSet // the flags that the command takes
	exits       []exit
	environment []entry // of the nameless command
	files       []entry // of the nameless command
}

// exit is an exit code.
type exit struct {
	code    int
	meaning string
}

// entry is a name and what it stands for.
type entry struct{ name, meaning string }

// exits are the exit codes, the first that applies.
var exits = []exit{
	{exitError, "the command line is wrong, a package did not load, a file could not be read or written, or a plan is out of date"},
	{exitRefused, "-w: done, except for the variables that were refused"},
	{exitFound, "check: there are findings; confirm: the race was shown; --exit-code: the diff is not empty"},
	{exitOK, "otherwise"},
}

// onTerminal says what is shown besides.
const onTerminal = "On a terminal a run of more than a second shows how far it is, unless --quiet; that line is gone before anything else is printed."

// interrupts says what a signal does, which has no exit code.
const interrupts = "A signal ends it at once, and a shell shows 130 for an interrupt, 143 for a termination and 129 for a closed terminal. " +
	"Files that are being written are finished first, all of them. After a second signal, or a kill, the next run that writes, or undo, takes back what is half done."

// environment are the variables of the environment that count, besides those of the go command and of git.
var environment = []entry{
	{cacheEnv, "the folder in which check keeps what it found, or off: mapmend/answers in the user's cache unless set"},
	{"NO_COLOR", "no colours unless --color=always, if it is set"},
	{"GOFLAGS", "as for the go command; its -tags count where neither --tags nor the configuration has any"},
	{"GOGC", "as for every Go program; unless set, memory is traded for time"},
}

// places are the files that are read or written besides those of the module.
var places = []entry{
	{".mapmend.yaml", "the configuration, at the root of the module or beside go.work; 'mapmend config' prints what counts"},
	{".git/mapmend", "what undo needs; in a folder without a git repository, mapmend in the user's cache"},
}

// manualOf returns the page of c, of those in table, with the flags among all that it takes.
func manualOf(c command, table []command, all *pflag.FlagSet) manual {
	m := manual{command: c, own: pflag.NewFlagSet(c.name, pflag.ContinueOnError), exits: exits}
	m.own.SortFlags = false
	all.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(common, f.Name) || slices.Contains(c.flags, f.Name) {
			m.own.AddFlag(f)
		}
	})
	if c.name == "" {
		m.others, m.environment, m.files = table, environment, places
	}
	return m
}
