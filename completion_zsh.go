package main

// This file makes the completion of zsh.

import (
	"fmt"
	"strings"
)

func zshScript(g grammar) string {
	long, short := g.valued()
	var described, cases strings.Builder
	for _, c := range g.commands[1:] {
		fmt.Fprintf(&described, "\t\t'%s'\n", zshText(c.name+`:`+c.short, `:`))
	}
	for _, c := range g.commands {
		fmt.Fprintf(&cases, "\t'%s')\n\t\t_arguments -s -S : \\\n", c.name)
		for _, o := range c.flags {
			for _, spec := range zshFlag(o) {
				fmt.Fprintf(&cases, "\t\t\t%s \\\n", spec)
			}
		}
		first := "1:command:(" + c.name + ")"
		if c.name == "" {
			first = "1:command or package:_mapmend_first"
		}
		fmt.Fprintf(&cases, "\t\t\t'%s'", first)
		for i, o := range c.operands {
			at := fmt.Sprint(i + 2)
			if o.kind == aFolder {
				at = "*"
			}
			fmt.Fprintf(&cases, " '%s:%s:%s'", at, zshText(o.name, `[]:`), zshValue(o))
		}
		cases.WriteString("\n\t\t;;\n")
	}
	return "#compdef mapmend\n" + header("zsh") + fmt.Sprintf(`
_mapmend_first() {
	local -a commands
	commands=(
%[1]s	)
	_describe -t commands command commands
	_files -/
}

_mapmend() {
	local command="" word="" head="" skip="" i
	# The command is the first word that is neither a flag nor the value of one.
	for ((i = 2; i < CURRENT; i++)); do
		word="$words[i]"
		if [[ -n $skip ]]; then
			skip=""
			continue
		fi
		case "$word" in
		%[2]s) skip=1 ;;
		--) break ;;
		--*) ;;
		-?*)
			head="${word#-}" && head="${head%%%%[%[3]s]*}"
			((${#head} + 2 != ${#word})) || skip=1
			;;
		%[4]s) command="$word" && break ;;
		*) break ;;
		esac
	done
	case "$command" in
%[5]s	esac
}

if [[ $funcstack[1] == _mapmend ]]; then
	_mapmend "$@"
else
	compdef _mapmend mapmend
fi
`, described.String(), strings.Join(long, "|"), short, strings.Join(g.named(), "|"), cases.String())
}

// zshFlag returns the specifications of o for _arguments.
func zshFlag(o option) []string {
	usage, value := "["+zshText(o.usage, `[]:`)+"]", ":"+zshText(o.value.name, `[]:`)+":"+zshValue(o.value)
	again := ""
	switch {
	case o.repeatable:
		again = "*"
	case o.short != "":
		again = "(-" + o.short + " --" + o.long + ")"
	}
	var specs []string
	switch {
	case o.isBool:
		specs = append(specs, "'"+again+"--"+o.long+"=-"+usage+"::"+o.long+":"+zshValue(o.value)+"'")
		if o.short != "" {
			specs = append(specs, "'"+again+"-"+o.short+usage+"'")
		}
	default:
		specs = append(specs, "'"+again+"--"+o.long+"="+usage+value+"'")
		if o.short != "" {
			specs = append(specs, "'"+again+"-"+o.short+"+"+usage+value+"'")
		}
	}
	return specs
}

// zshValue returns the action that completes o.
func zshValue(o operand) string {
	switch o.kind {
	case oneOf:
		return "(" + strings.Join(o.words, " ") + ")"
	case listOf:
		return "_sequence compadd - " + strings.Join(o.words, " ")
	case aFile:
		return "_files"
	case aFolder:
		return "_files -/"
	}
	return " "
}

// zshText returns text as it stands in a specification between single quotes, in which special are the given characters.
func zshText(text, special string) string {
	var b strings.Builder
	first := true
	for _, r := range text {
		switch {
		case r == '\'':
			b.WriteString(`'\''`)
			continue
		case special == ":" && r == ':' && first: // between a word and its description
			first = false
		case r == '\\' || strings.ContainsRune(special, r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
