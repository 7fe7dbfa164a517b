package main

// This file tests what the command line says about directives and the configuration.

import (
	"bytes"
	"strings"
	"testing"
)

// declared is a module whose findings its author silences, one by a directive and one by the configuration.
var declared = map[string]string{
	"go.mod": racy["go.mod"],
	"session/store.go": strings.Replace(racy["session/store.go"], "byID map[string]int", "byID map[string]int //mapmend:ignore the next release replaces it", 1) + `
type Log struct {
	mu    sync.Mutex
	lines map[int]string //mapmend:guardedby mutex
}

func (l *Log) Add(n int, s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines[n] = s
}

func (l *Log) Get(n int) string { return l.lines[n] }
`,
	".mapmend.yaml": "ignore:\n  - variable: Log.*\n    reason: only tests use it\n",
}

func TestSilencedIsListed(t *testing.T) {
	const warning = "session/store.go:22:23: warning: there is no mutex mutex here\n"
	for _, test := range []struct {
		args []string
		want []string // parts of standard error
		not  string
	}{
		{[]string{"check"}, []string{warning}, "silenced"},
		{[]string{"check", "-q"}, nil, "warning"},
		{[]string{"check", "-v"}, []string{warning,
			"mapmend: session/store.go:7:22: a likely finding on example.com/app/session.Store.byID is silenced by //mapmend:ignore: the next release replaces it\n",
			"mapmend: .mapmend.yaml:2:15: a likely finding on example.com/app/session.Log.lines is silenced by .mapmend.yaml: only tests use it\n",
		}, "has no effect"},
		{nil, []string{warning, "nothing to mend"}, "silenced"},
	} {
		dir := module(t, declared)
		var stdout, stderr bytes.Buffer
		if code := run(append([]string{"-C", dir}, test.args...), &stdout, &stderr); code != exitOK || stdout.Len() > 0 {
			t.Errorf("mapmend %v: exit %d\n%s%s", test.args, code, &stdout, &stderr)
		}
		for _, want := range test.want {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("mapmend %v does not print %q:\n%s", test.args, want, &stderr)
			}
		}
		if strings.Contains(stderr.String(), test.not) {
			t.Errorf("mapmend %v prints %q:\n%s", test.args, test.not, &stderr)
		}
	}
}

// A silenced variable is explained all the same.
func TestExplainSilenced(t *testing.T) {
	dir := module(t, declared)
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-C", dir, "explain", "Store.byID"}, &stdout, &stderr); code != exitOK || !strings.Contains(stdout.String(), "likely inconsistent-guard") {
		t.Errorf("exit %d\n%s%s", code, &stdout, &stderr)
	}
}
