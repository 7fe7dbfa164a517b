package main

// This file prints the manual on a terminal: the help of each command; and the version.

import (
	"fmt"
	"runtime/debug"
	"strings"
)

const (
	withoutPackages = "Without packages, those of the module in the working directory: ./..."
	streams         = "Results go to standard output, everything else to standard error."
)

// help returns m as it is printed on a terminal. That of the nameless command lists the others too.
func help(m manual) string {
	var b strings.Builder
	if m.name == "" {
		fmt.Fprintf(&b, "mapmend %s.\n\nUsage:\n", strings.Replace(purpose, ", and", ",\nand", 1))
		for _, c := range m.others {
			fmt.Fprintf(&b, "  %-52s %s\n", c.synopsis(), c.short)
		}
		fmt.Fprintf(&b, "\n%s\n", withoutPackages)
	} else {
		fmt.Fprintf(&b, "mapmend %s: %s\n\nUsage:\n  %s\n", m.name, m.short, m.synopsis())
	}
	fmt.Fprintf(&b, "\nFlags:\n%s", m.own.FlagUsagesWrapped(100))
	if len(m.examples) > 0 {
		b.WriteString("\nExamples:\n")
	}
	for _, example := range m.examples {
		fmt.Fprintf(&b, "  %s\n", example)
	}
	entries(&b, "Environment", m.environment)
	entries(&b, "Files", m.files)
	if m.name == "" {
		b.WriteString("\n'mapmend COMMAND --help' shows the flags of a command; 'mapmend man | man -l -' shows all.\n")
	}
	fmt.Fprintf(&b, "\n%s Exit codes, the first that applies:\n", streams)
	for _, e := range m.exits {
		fmt.Fprintf(&b, "  %d  %s\n", e.code, e.meaning)
	}
	b.WriteString("A signal ends it at once: 130 for an interrupt, 143 for a termination; files that are being written are finished first.\n")
	return b.String()
}

// entries writes a list of names, if there are any.
func entries(b *strings.Builder, title string, list []entry) {
	if len(list) > 0 {
		fmt.Fprintf(b, "\n%s:\n", title)
	}
	for _, e := range list {
		fmt.Fprintf(b, "  %-15s %s\n", e.name, e.meaning)
	}
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
