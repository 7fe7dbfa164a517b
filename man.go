package main

// This file is the command man: the manual of all commands as one page for man(1).

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

func manning(inv *invocation) int {
	if len(inv.args) > 0 {
		inv.errorf("man takes no arguments: the page has all commands")
		return exitError
	}
	var pages []manual
	for _, c := range inv.commands {
		pages = append(pages, manualOf(c, inv.commands, inv.flags))
	}
	return inv.print(manPage(pages, inv.flags))
}

// manPage returns pages, that of the nameless command first, in roff. Flags, which stand in the order of all, are described once.
func manPage(pages []manual, all *pflag.FlagSet) string {
	r := new(roff)
	r.line(`.\" made by 'mapmend man'`)
	r.line(`.TH MAPMEND 1 "" mapmend "User Commands"`)
	r.section("NAME")
	r.fill("mapmend - " + purpose)
	r.section("SYNOPSIS")
	for i, m := range pages {
		if i > 0 {
			r.line(".br")
		}
		r.synopsis(m)
	}
	r.section("DESCRIPTION")
	r.fill("mapmend " + purpose + ". It prints a unified diff or writes in place. " + withoutPackages)
	r.paragraph(streams + " " + onTerminal)
	r.section("COMMANDS")
	for _, m := range pages {
		r.command(m)
	}
	r.section("OPTIONS")
	all.VisitAll(func(f *pflag.Flag) { r.flag(f, pages) })
	r.section("EXIT STATUS")
	r.fill("The first that applies:")
	for _, e := range pages[0].exits {
		r.item(fmt.Sprint(e.code), e.meaning)
	}
	r.paragraph(interrupts)
	r.section("ENVIRONMENT")
	for _, e := range pages[0].environment {
		r.item(e.name, e.meaning)
	}
	r.section("FILES")
	for _, e := range pages[0].files {
		r.item(e.name, e.meaning)
	}
	r.section("SEE ALSO")
	r.line(`.BR go (1),`)
	r.line(`.BR git (1),`)
	r.line(`.BR patch (1)`)
	return r.b.String()
}

// roff writes the macros of man(7).
type roff struct{ b strings.Builder }

func (r *roff) line(text string)    { r.b.WriteString(text + "\n") }
func (r *roff) section(name string) { r.line(".SH \"" + name + "\"") }
func (r *roff) literal(lines []string) {
	r.line(".PP\n.nf\n" + r.text(strings.Join(lines, "\n")) + "\n.fi")
}

func (r *roff) paragraph(text string) {
	r.line(".PP")
	r.fill(text)
}

func (r *roff) item(tag, text string) {
	r.line(".TP\n.B " + r.text(tag))
	r.fill(text)
}

// fill writes text that is to be broken into lines, in lines of source that are no longer than those of a terminal.
func (r *roff) fill(text string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		word = r.text(word)
		if line != "" && len(line)+1+len(word) > 78 {
			r.line(line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	r.line(line)
}

// text returns text as roff prints it unchanged, also at the beginning of a line.
func (*roff) text(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`, `"`, `\(dq`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

// sentence returns text as one.
func sentence(text string) string {
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func (r *roff) synopsis(m manual) {
	r.line(strings.TrimSpace(`\fB` + r.text(strings.TrimSpace("mapmend "+m.name)) + `\fR [\fIflags\fR] ` + r.text(m.args)))
}

// command writes the part about one command.
func (r *roff) command(m manual) {
	r.line(".SS " + r.text(strings.TrimSpace("mapmend "+m.name)))
	r.fill(sentence(m.short))
	var flags []string
	m.own.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(common, f.Name) {
			flags = append(flags, "--"+f.Name)
		}
	})
	if len(flags) > 0 {
		r.paragraph("Flags: " + strings.Join(flags, ", ") + ".")
	}
	if len(m.examples) > 0 {
		r.literal(m.examples)
	}
}

// flag writes the part about one flag.
func (r *roff) flag(f *pflag.Flag, pages []manual) {
	name, usage := pflag.UnquoteUsage(f)
	if f.Value.Type() == "bool" {
		name = ""
	}
	tag := `\fB` + r.text("--"+f.Name) + `\fR`
	if f.Shorthand != "" {
		tag = `\fB` + r.text("-"+f.Shorthand) + `\fR, ` + tag
	}
	if name != "" {
		tag += ` \fI` + r.text(name) + `\fR`
	}
	r.line(".TP\n" + tag)
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
		usage += "; " + f.DefValue + " unless given"
	}
	r.fill(sentence(usage) + " " + takers(f.Name, pages))
}

// takers says which commands take the flag of that name.
func takers(flag string, pages []manual) string {
	var names []string
	for _, m := range pages {
		switch {
		case m.own.Lookup(flag) == nil:
		case m.name == "":
			names = append(names, "mapmend")
		default:
			names = append(names, m.name)
		}
	}
	if len(names) == len(pages) {
		return "Of all commands."
	}
	return "Of " + strings.Join(names, ", ") + "."
}
