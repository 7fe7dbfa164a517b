package main

// This file makes the completion of bash. It needs nothing but bash 3.2: files are left to readline, which knows about quotes, by options of
// the completion; before version 4, which cannot change these, there are files where there should be folders or nothing.

import (
	"fmt"
	"strings"
)

func bashScript(g grammar) string {
	long, short := g.valued()
	var values, flags, operands strings.Builder
	for _, o := range g.flags {
		pattern, value := strings.Join(o.spellings(), "|"), bashValue(o.value)
		if o.isBool {
			pattern = "--" + o.long
		}
		fmt.Fprintf(&values, "\t%s) %s ;;\n", pattern, value)
	}
	for _, c := range g.commands {
		var of []string
		for _, o := range c.flags {
			of = append(of, o.spellings()...)
		}
		fmt.Fprintf(&flags, "\t%q) flags=%q ;;\n", c.name, strings.Join(of, " "))
		for i, o := range c.operands {
			at := fmt.Sprint(i)
			if o.kind == aFolder {
				at = "*"
			}
			value := bashValue(o)
			if c.name == "" {
				value = "folders=1"
			}
			fmt.Fprintf(&operands, "\t%q.%s) %s ;;\n", c.name, at, value)
		}
	}
	return header("bash") + fmt.Sprintf(`
_mapmend() {
	local cur="${COMP_WORDS[COMP_CWORD]}" flag="" command="" known="" before="" at=0 only="" i word head
	local words="" flags="" list="" files="" folders="" IFS=$' \t\n'
	COMPREPLY=()

	# What stands before: the command, how many words it is about, and the flag whose value comes now. With = among the separators,
	# as it is unless somebody changes them, --flag=value are three words.
	for ((i = 1; i < COMP_CWORD; i++)); do
		word="${COMP_WORDS[i]}"
		if [[ $word == "=" && $before == --* ]]; then
			flag="$before"
			continue
		fi
		before="$word"
		if [[ $flag ]]; then
			flag=""
			continue
		fi
		if [[ ! $only ]]; then
			case "$word" in
			--) only=1 && continue ;;
			%[1]s) flag="$word" && continue ;;
			--*) continue ;;
			-?*)
				head="${word#-}" && head="${head%%%%[%[2]s]*}"
				if ((${#head} + 2 == ${#word})); then
					flag="-${word: -1}"
				fi
				continue
				;;
			esac
			if [[ ! $known ]]; then
				known=1
				case "$word" in
				%[3]s) command="$word" && continue ;;
				esac
			fi
		fi
		known=1
		at=$((at + 1))
	done
	if [[ $cur == "=" && $before == --* ]]; then
		flag="$before" cur=""
	fi
	head=""
	if [[ ! $flag && ! $only && $cur == --*=* ]]; then
		flag="${cur%%%%=*}" head="${cur%%%%=*}=" cur="${cur#*=}"
	fi

	if [[ $flag ]]; then
		case "$flag" in
%[4]s		esac
	elif [[ ! $only && $cur == -* ]]; then
		case "$command" in
%[5]s		esac
		words="$flags"
	else
		[[ $known || $only ]] || words="%[6]s"
		case "$command.$at" in
%[7]s		esac
	fi

	if [[ $list ]]; then
		# Of a list, the last word is completed, and those before it are not offered again.
		[[ $cur == *,* ]] && head="$head${cur%%,*}," && cur="${cur##*,}"
		for word in $list; do
			[[ ",$head" == *[,=]"$word",* || $word == auto && $head == *, ]] || words="$words $word"
		done
	fi
	for word in $words; do
		[[ $word == "$cur"* ]] && COMPREPLY+=("$head$word")
	done
	if [[ ! $files ]]; then
		compopt +o default 2>/dev/null
	fi
	if [[ $folders ]]; then
		compopt -o plusdirs 2>/dev/null
	fi
	return 0
}

complete -o default -F _mapmend mapmend
`, strings.Join(long, "|"), short, strings.Join(g.named(), "|"),
		indent(values.String()), indent(flags.String()), strings.Join(g.named(), " "), indent(operands.String()))
}

// bashValue returns the assignment that asks for what o can be.
func bashValue(o operand) string {
	switch o.kind {
	case oneOf:
		return fmt.Sprintf("words=%q", strings.Join(o.words, " "))
	case listOf:
		return fmt.Sprintf("list=%q", strings.Join(o.words, " "))
	case aFile:
		return "files=1"
	case aFolder:
		return "folders=1"
	}
	return ":"
}

// indent returns lines with one more tab before each.
func indent(lines string) string {
	return strings.TrimSuffix("\t"+strings.ReplaceAll(lines, "\n", "\n\t"), "\t")
}
