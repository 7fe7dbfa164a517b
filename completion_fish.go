package main

// This file makes the completion of fish, from version 3.0 on.

import (
	"fmt"
	"strings"
)

func fishScript(g grammar) string {
	long, short := g.valued()
	var b strings.Builder
	for _, c := range g.commands[1:] {
		fmt.Fprintf(&b, "complete -c mapmend -n '__mapmend_at \"\" 0' -a %s -d %s\n", c.name, fishText(c.short))
	}
	for _, c := range g.commands {
		fmt.Fprintf(&b, "\n# mapmend %s\n", c.name)
		is := fmt.Sprintf("complete -c mapmend -n '__mapmend_is \"%s\"'", c.name)
		for _, o := range c.flags {
			short := ""
			if o.short != "" {
				short = " -s " + o.short
			}
			value := fishValue(o.value)
			switch {
			case o.isBool:
				value = "" // a flag with a value that may be left out is none for fish
			case value == "":
				value = " -x"
			case o.value.kind == aFile:
				value = " -r" + value
			}
			fmt.Fprintf(&b, "%s -l %s%s%s -d %s\n", is, o.long, short, value, fishText(o.usage))
		}
		for i, o := range c.operands {
			at := fmt.Sprintf(" -n '__mapmend_at \"%s\" %d'", c.name, i)
			if o.kind == aFolder {
				at = fmt.Sprintf(" -n '__mapmend_is \"%s\" %d'", c.name, i)
			}
			if value := fishValue(o); value != "" {
				fmt.Fprintf(&b, "complete -c mapmend%s%s\n", at, value)
			}
		}
	}
	return header("fish") + fmt.Sprintf(`
# Prints the command, empty for the nameless one, and how many words there are that it is about: those that are neither flags nor values
# of one. A first one that is no command counts, too.
function __mapmend_line
	set -l words (commandline -opc)
	set -l command ""
	set -l known 0
	set -l at 0
	set -l skip 0
	set -l only 0
	for word in $words[2..-1]
		if test $skip = 1
			set skip 0
			continue
		end
		if test $only = 0
			switch $word
				case --
					set only 1
					if test $known = 0
						set at 1 # no command comes
					end
					set known 1
					continue
				case %[1]s
					set skip 1
					continue
				case '--*'
					continue
				case '-?*'
					if string match -qr '^-[^%[2]s]*[%[2]s]$' -- $word
						set skip 1
					end
					continue
			end
			if test $known = 0
				set known 1
				if contains -- $word %[3]s
					set command $word
					continue
				end
			end
		end
		set known 1
		set at (math $at + 1)
	end
	echo $command
	echo $at
end

# Whether the command is the first argument, with at least as many words as the second says.
function __mapmend_is
	set -l line (__mapmend_line)
	test "$line[1]" = "$argv[1]"; and begin
		test (count $argv) = 1; or test $line[2] -ge $argv[2]
	end
end

# The same, with exactly as many.
function __mapmend_at
	set -l line (__mapmend_line)
	test "$line[1]" = "$argv[1]"; and test $line[2] -eq $argv[2]
end

complete -c mapmend -f
`, strings.Join(long, " "), short, strings.Join(g.named(), " ")) + b.String()
}

// fishValue returns the options of complete for what o can be.
func fishValue(o operand) string {
	switch o.kind {
	case oneOf:
		return " -x -a " + fishText(strings.Join(o.words, " "))
	case listOf:
		return " -x -a " + fishText("(__fish_append , "+strings.Join(o.words, " ")+")")
	case aFile:
		return " -F"
	case aFolder:
		return " -x -a '(__fish_complete_directories)'"
	}
	return ""
}

// fishText returns text between single quotes.
func fishText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
