package main

// This file is the command completion, and what the scripts of all shells are made of: the table of commands, the flags, and the values that
// these can have. The scripts are files beside this one.

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"mapmend/plan"
	"mapmend/plan/load"
)

// shells are those that there is a script for.
var shells = []struct {
	name   string
	script func(grammar) string
}{
	{"bash", bashScript},
	{"fish", fishScript},
	{"zsh", zshScript},
}

func completing(inv *invocation) int {
	if len(inv.args) == 1 {
		for _, s := range shells {
			if s.name == inv.args[0] {
				return inv.print(s.script(grammarOf(inv.commands, inv.flags)))
			}
		}
	}
	inv.errorf("which shell? usage: mapmend completion bash|fish|zsh")
	return exitError
}

// grammar is what can stand on a command line.
type grammar struct {
	commands []completed // the nameless one is the first
	flags    []option    // of any command
}

// completed is a command.
type completed struct {
	name, short string
	flags       []option
	operands    []operand // the last may stand several times if it is a folder
}

// operand is what a command is about, or the value of a flag.
type operand struct {
	kind  kind
	name  string   // for people
	words []string // if it is one of them
}

type kind int

const (
	anything kind = iota
	oneOf         // a word
	listOf        // words, separated by commas
	aFile
	aFolder
)

// option is a flag.
type option struct {
	long, short string
	usage       string // one line, without quotes
	isBool      bool   // has no value, or one behind =
	repeatable  bool
	value       operand
}

// spellings returns the ways to write o that have a value in the next word.
func (o option) spellings() []string {
	if o.short == "" {
		return []string{"--" + o.long}
	}
	return []string{"--" + o.long, "-" + o.short}
}

// grammarOf returns what table and flags allow.
func grammarOf(table []command, flags *pflag.FlagSet) grammar {
	var g grammar
	of := make(map[string]option)
	flags.VisitAll(func(f *pflag.Flag) {
		o := optionOf(f)
		of[f.Name] = o
		g.flags = append(g.flags, o)
	})
	for _, c := range table {
		done := completed{name: c.name, short: c.short, operands: operandsOf(c.args, table)}
		for _, name := range slices.Concat(c.flags, common) {
			done.flags = append(done.flags, of[name])
		}
		g.commands = append(g.commands, done)
	}
	return g
}

func optionOf(f *pflag.Flag) option {
	name, usage := pflag.UnquoteUsage(f)
	o := option{long: f.Name, short: f.Shorthand, usage: usage, repeatable: f.Value.Type() == "stringArray", value: operand{name: name}}
	switch v := f.Value.(type) {
	case *choiceFlag:
		o.value.kind, o.value.words = oneOf, v.allowed
	case *confidenceFlag:
		o.value.kind, o.value.words = oneOf, plan.Known().Confidences
	case *formsFlag:
		o.value.kind, o.value.words = listOf, append([]string{"auto"}, plan.Known().Forms...)
	case *platformsFlag:
		o.value.kind, o.value.words = listOf, load.Platforms
	default:
		switch {
		case v.Type() == "bool":
			o.isBool, o.value.kind, o.value.words = true, oneOf, []string{"true", "false"}
		case name == "FILE":
			o.value.kind = aFile
		case name == "DIR":
			o.value.kind = aFolder
		}
	}
	return o
}

// operandsOf returns what args, of a command's synopsis, stand for.
func operandsOf(args string, table []command) (out []operand) {
	for name := range strings.FieldsSeq(args) {
		name = strings.Trim(name, "[]")
		o := operand{name: name}
		switch {
		case name == "packages":
			o.kind = aFolder
		case name == "FILE":
			o.kind = aFile
		case name == "command":
			o.kind, o.words = oneOf, names(table)
		case strings.Contains(name, "|"):
			o.kind, o.words = oneOf, strings.Split(name, "|")
		}
		out = append(out, o)
	}
	return out
}

// names returns the names of the commands of table that have one.
func names(table []command) (out []string) {
	for _, c := range table[1:] {
		out = append(out, c.name)
	}
	return out
}

// valued returns the short flags, and the long ones with their dashes, that have a value.
func (g grammar) valued() (long []string, short string) {
	for _, o := range g.flags {
		if !o.isBool {
			long = append(long, "--"+o.long)
			short += o.short
		}
	}
	return long, short
}

// named returns the names of the commands that have one.
func (g grammar) named() (out []string) {
	for _, c := range g.commands[1:] {
		out = append(out, c.name)
	}
	return out
}

// header is the first line of a script, which is a comment in each shell.
func header(shell string) string {
	return fmt.Sprintf("# %s completion of mapmend, made by 'mapmend completion %[1]s'.\n", shell)
}
