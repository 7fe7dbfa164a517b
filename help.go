package main

// This file prints the manual: the help of each command, and the version.

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// help returns the manual page of c. That of the nameless command lists the others too.
func help(c command, all *pflag.FlagSet) string {
	var b strings.Builder
	if c.name == "" {
		b.WriteString("mapmend finds map variables that goroutines share without one consistent guard,\nand rewrites them.\n\nUsage:\n")
		for _, c := range commands {
			fmt.Fprintf(&b, "  %-52s %s\n", c.synopsis(), c.short)
		}
		b.WriteString("\nWithout packages, those of the module in the working directory: ./...\n")
	} else {
		fmt.Fprintf(&b, "mapmend %s: %s\n\nUsage:\n  %s\n", c.name, c.short, c.synopsis())
	}

	own := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
	own.SortFlags = false
	all.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(common, f.Name) || slices.Contains(c.flags, f.Name) {
			own.AddFlag(f)
		}
	})
	fmt.Fprintf(&b, "\nFlags:\n%s", own.FlagUsagesWrapped(100))
	if len(c.examples) > 0 {
		b.WriteString("\nExamples:\n")
	}
	for _, example := range c.examples {
		fmt.Fprintf(&b, "  %s\n", example)
	}
	if c.name == "" {
		b.WriteString("\n'mapmend COMMAND --help' shows the flags of a command.\n")
	}
	b.WriteString(`
Results go to standard output, everything else to standard error. Exit codes, the first that applies:
  2  the command line is wrong, a package did not load, a file could not be read or written, or a plan is out of date
  3  -w: done, except for the variables that were refused
  1  check: there are findings; confirm: the race was shown; --exit-code: the diff is not empty
  0  otherwise
`)
	return b.String()
}

// buildVersion returns the version that the go command recorded in the binary; empty when it did not.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "(devel)" {
		return ""
	}
	return info.Main.Version
}

// version returns the line that --version prints, from what the go command recorded in the binary.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "mapmend (no build information)\n"
	}
	line := "mapmend " + info.Main.Version
	var revision, modified string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = " " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = " (modified)"
		}
	}
	return line + revision + modified + " " + info.GoVersion + "\n"
}
