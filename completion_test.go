package main

// This file tests the scripts for completion: each is a golden, and is run where its shell is installed.

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompletionScripts(t *testing.T) {
	for _, s := range shells {
		got := mustRun(t, exitOK, "completion", s.name)
		golden := filepath.Join("testdata", "completion", s.name)
		if *update {
			writeFile(t, golden, []byte(got))
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs (-golden +got):\n%s\nwrite it with go test . -run TestCompletionScripts -update", golden, diff)
		}
		program, err := exec.LookPath(s.name)
		if err != nil {
			continue
		}
		if out, err := exec.Command(program, "-n", golden).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s -n: %v\n%s", s.name, err, out)
		}
	}
	for _, args := range [][]string{{}, {"csh"}, {"bash", "zsh"}} {
		var stderr bytes.Buffer
		if code := run(append([]string{"completion"}, args...), &stderr, &stderr); code != exitError || !strings.Contains(stderr.String(), "which shell?") {
			t.Errorf("completion %v: exit %d, %s", args, code, &stderr)
		}
	}
}

// completions are lines, up to the cursor, and what is offered there.
var completions = []struct {
	line    string
	offered []string
	files   string // files, folders, or nothing
}{
	{"mapmend ", []string{"check", "plan", "apply", "explain", "confirm", "switch", "undo", "config", "hook", "completion", "man", "help"}, "folders"},
	{"mapmend che", []string{"check"}, "folders"},
	{"mapmend ./che", nil, "folders"},
	{"mapmend ./a che", nil, "folders"},
	{"mapmend -- che", nil, "folders"},
	{"mapmend check ", nil, "folders"},
	{"mapmend check che", nil, "folders"},
	{"mapmend -v check --for", []string{"--format"}, ""},
	{"mapmend check --form", []string{"--format"}, ""}, // it does not take --form
	{"mapmend --form", []string{"--form", "--format"}, ""},
	{"mapmend plan --form", []string{"--form"}, ""},
	{"mapmend check --format ", []string{"text", "json", "sarif", "github", "rdjson"}, ""},
	{"mapmend check --format=", []string{"text", "json", "sarif", "github", "rdjson"}, ""},
	{"mapmend check --format=r", []string{"rdjson"}, ""},
	{"mapmend check --format=json --co", []string{"--color"}, ""},
	{"mapmend check --format = json --co", []string{"--color"}, ""},
	{"mapmend --format=json che", []string{"check"}, "folders"},
	{"mapmend --format json che", []string{"check"}, "folders"},
	{"mapmend --form ", []string{"auto", "lock", "rwmutex", "sharded", "syncmap", "snapshot", "xsync"}, ""},
	{"mapmend --form sharded,", []string{"sharded,lock", "sharded,rwmutex", "sharded,syncmap", "sharded,snapshot", "sharded,xsync"}, ""},
	{"mapmend --form=sharded,lock,s", []string{"sharded,lock,syncmap", "sharded,lock,snapshot"}, ""},
	{"mapmend check --tests=", []string{"true", "false"}, ""},
	{"mapmend check --tests ", nil, "folders"},
	{"mapmend check --min-confidence p", []string{"possible", "proven"}, ""},
	{"mapmend check --tags ", nil, ""},
	{"mapmend -C ", nil, "folders"},
	{"mapmend -C check ", []string{"check", "plan", "apply", "explain", "confirm", "switch", "undo", "config", "hook", "completion", "man", "help"}, "folders"},
	{"mapmend -C check pl", []string{"plan"}, "folders"},
	{"mapmend -vC check pl", []string{"plan"}, "folders"},
	{"mapmend -Ccheck pl", []string{"plan"}, "folders"},
	{"mapmend check --baseline ", nil, "files"},
	{"mapmend check --baseline=", nil, "files"},
	{"mapmend plan -o ", nil, "files"},
	{"mapmend apply ", nil, "files"},
	{"mapmend apply -w ", nil, "files"},
	{"mapmend apply a.json ", nil, ""},
	{"mapmend explain ", nil, ""},
	{"mapmend explain Store.m ", nil, "folders"},
	{"mapmend explain Store.m ./a ", nil, "folders"},
	{"mapmend hook ", []string{"install", "remove", "run"}, ""},
	{"mapmend completion z", []string{"zsh"}, ""},
	{"mapmend help ex", []string{"explain"}, ""},
	{"mapmend undo ", nil, ""},
	{"mapmend undo -", []string{"--chdir", "-C", "--quiet", "-q", "--help", "-h", "--version"}, ""},
	{"mapmend check -- --for", nil, "folders"},
	{`mapmend "my dir" che`, nil, "folders"},
	{`mapmend -C "my dir" che`, []string{"check"}, "folders"},
	{`mapmend $(x) *`, nil, "folders"},
}

// TestBashCompletion calls the function of the script as bash does, with a compopt that tells what it is asked for.
func TestBashCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	script := mustRun(t, exitOK, "completion", "bash") + `
set -u
compopt() { opts="$opts $*"; }
complete -p mapmend
`
	var want strings.Builder
	want.WriteString("complete -o default -F _mapmend mapmend\n")
	for _, test := range completions {
		for _, split := range []bool{true, false} { // whether = is among the separators
			words := bashWords(test.line, split)
			quoted := make([]string, len(words))
			for i, w := range words {
				quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
			}
			script += fmt.Sprintf("opts='' COMP_WORDS=(%s) COMP_CWORD=%d; IFS=:; _mapmend mapmend; IFS=' '; printf '%%s|' %s ${COMPREPLY[@]+\"${COMPREPLY[@]}\"}; echo \"$opts\"\n",
				strings.Join(quoted, " "), len(words)-1, "'"+strings.ReplaceAll(test.line, "'", "")+"'")
			fmt.Fprintf(&want, "%s|", test.line)
			for _, w := range test.offered {
				if flag, _, inWord := strings.Cut(words[len(words)-1], "="); inWord && !split {
					w = flag + "=" + w
				}
				want.WriteString(w + "|")
			}
			if test.offered == nil {
				want.WriteString("|") // printf prints its format once more
			}
			want.WriteString(map[string]string{"": " +o default", "folders": " +o default -o plusdirs", "files": ""}[test.files] + "\n")
		}
	}
	cmd := exec.Command(bash, "--norc", "--noprofile")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := strings.Split(string(out), "\n")
	for i, line := range strings.Split(want.String(), "\n") {
		line = strings.Replace(line, "||", "|", 1)
		if i >= len(got) || strings.Replace(got[i], "||", "|", 1) != line {
			t.Fatalf("want\n%s\ngot\n%s", line, strings.Join(got[min(i, len(got)):], "\n"))
		}
	}
}

// bashWords returns the words of line as bash has them in COMP_WORDS: with their quotes, and = a word of its own if it is a separator.
func bashWords(line string, split bool) []string {
	var words []string
	word, quoted := "", false
	end := func() {
		if word != "" {
			words = append(words, word)
		}
		word = ""
	}
	for _, r := range line {
		switch {
		case r == '"':
			quoted = !quoted
			word += string(r)
		case r == ' ' && !quoted:
			end()
		case r == '=' && split:
			end()
			words = append(words, "=")
		default:
			word += string(r)
		}
	}
	end()
	if strings.HasSuffix(line, " ") {
		words = append(words, "")
	}
	return words
}

// TestFishCompletion asks fish for the same.
func TestFishCompletion(t *testing.T) {
	fish, err := exec.LookPath("fish")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "script.fish"), []byte(mustRun(t, exitOK, "completion", "fish")))
	writeFile(t, filepath.Join(dir, "data", "a.json"), nil)
	for _, test := range completions {
		if strings.Contains(test.line, "--tests=") || strings.Contains(test.line, " = ") || strings.ContainsAny(test.line, "$*,") {
			continue // is another thing there
		}
		cmd := exec.Command(fish, "--no-config", "-c", "source script.fish; complete -C '"+test.line+"'")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", test.line, err, out)
		}
		var got []string
		for line := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			if i := strings.LastIndex(word, "="); i >= 0 {
				word = word[i+1:]
			}
			got = append(got, word)
		}
		want := slices.Clone(test.offered)
		if strings.HasSuffix(test.line, " ") && test.files != "" || strings.HasSuffix(test.line, "baseline=") {
			want = append(want, "data/")
			if test.files == "files" {
				want = append(want, "script.fish")
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: fish offers %q, want %q", test.line, got, want)
		}
	}
}
