package main

// This file tests the page for man, and that what is said of the exit codes and the environment is said everywhere.

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func TestMan(t *testing.T) {
	got := mustRun(t, exitOK, "man")
	golden := filepath.Join("testdata", "man", "mapmend.1")
	if *update {
		writeFile(t, golden, []byte(got))
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-golden +got):\n%s\nwrite it with go test . -run TestMan -update", golden, diff)
	}
	for i, line := range strings.Split(got, "\n") {
		if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !macro.MatchString(line) {
			t.Errorf("line %d is taken for a request: %s", i+1, line)
		}
	}

	// Everything that there is stands in it.
	inv := new(invocation)
	inv.define()
	inv.flags.VisitAll(func(f *pflag.Flag) {
		if !strings.Contains(got, `\fB`+new(roff).text("--"+f.Name)+`\fR`) {
			t.Errorf("the page lacks --%s", f.Name)
		}
	})
	for _, c := range commands {
		if !strings.Contains(got, "\n.SS "+strings.TrimSpace("mapmend "+c.name)+"\n") {
			t.Errorf("the page lacks the command %q", c.name)
		}
		for _, example := range c.examples {
			if !strings.Contains(got, new(roff).text(example)) {
				t.Errorf("the page lacks the example %s", example)
			}
		}
	}
	lint(t, golden, "mandoc", "-Tlint", "-Wwarning")
	lint(t, golden, "groff", "-man", "-ww", "-z", "-Tascii")
}

var macro = regexp.MustCompile(`^\.(\\"|TH|SH|SS|PP|TP|B|BR|br|nf|fi)( |$)`)

// lint has a program look at the page, where that is installed. It has no date, so that it is the same whenever it is made.
func lint(t *testing.T, file, program string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		return
	}
	out, _ := exec.Command(program, append(args, file)...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "missing date") {
			t.Errorf("%s: %s", program, line)
		}
	}
}

// TestManualIsOne checks that the README, the help and the page for man agree on exit codes, and on what is read and written.
func TestManualIsOne(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, man := mustRun(t, exitOK, "--help"), mustRun(t, exitOK, "man")
	for _, e := range exits {
		if !strings.Contains(string(readme), fmt.Sprintf("\n| %d | ", e.code)) {
			t.Errorf("README.md lacks the exit code %d", e.code)
		}
		if !strings.Contains(text, fmt.Sprintf("\n  %d  %s\n", e.code, e.meaning)) || !strings.Contains(man, fmt.Sprintf("\n.B %d\n", e.code)) {
			t.Errorf("the manual lacks the exit code %d", e.code)
		}
	}
	for _, e := range append(environment[:len(environment):len(environment)], places...) {
		if !strings.Contains(text, "\n  "+e.name+" ") || !strings.Contains(man, "\n.B "+new(roff).text(e.name)+"\n") {
			t.Errorf("the manual lacks %s", e.name)
		}
		if !strings.Contains(string(readme), "`"+e.name) {
			t.Errorf("README.md lacks %s", e.name)
		}
	}
	// Each flag stands in the table of the README, with the commands that take it.
	inv := new(invocation)
	inv.define()
	inv.flags.VisitAll(func(f *pflag.Flag) {
		row := regexp.MustCompile("(?m)^\\| (?:`[^`]*`[,; ]*)*`--" + f.Name + "[ `][^|]*\\| ([^|]*) \\|").FindStringSubmatch(string(readme))
		if row == nil {
			t.Errorf("README.md has no row for --%s", f.Name)
			return
		}
		var takes, lacks []string
		for _, c := range commands {
			name := c.name
			if name == "" {
				name = "mend"
			}
			switch m := manualOf(c, commands, inv.flags); {
			case m.own.Lookup(f.Name) != nil:
				takes = append(takes, name)
			case name != "help": // which is said to take none
				lacks = append(lacks, name)
			}
		}
		want := strings.Join(takes, ", ")
		if strings.HasPrefix(row[1], "all") {
			want = strings.TrimSuffix("all but "+strings.Join(lacks, ", "), " but ")
		}
		if row[1] != want {
			t.Errorf("README.md says that --%s is of %q; it is of %q", f.Name, row[1], want)
		}
	})
}
