package rewrite

import (
	"strings"
	"testing"

	"mapmend/plan"
	"mapmend/plan/load"
)

// go.mod requires the library in the place where a hand would put it, and nothing else of it changes.
func TestRequireIn(t *testing.T) {
	r := plan.Requirement{Path: "example.com/lib/v2", Version: "v2.3.4"}
	for name, tt := range map[string]struct{ before, after string }{
		"alone":           {"module m\n\ngo 1.24\n", "module m\n\ngo 1.24\n\nrequire example.com/lib/v2 v2.3.4\n"},
		"no newline":      {"module m\n\ngo 1.24", "module m\n\ngo 1.24\n\nrequire example.com/lib/v2 v2.3.4"},
		"comment":         {"module m\n\ngo 1.24 // so\n\nreplace a => ./a\nreplace b => ./b\n", "module m\n\ngo 1.24 // so\n\nrequire example.com/lib/v2 v2.3.4\n\nreplace a => ./a\nreplace b => ./b\n"},
		"single":          {"module m\n\ngo 1.24\n\nrequire a.com/a v1.0.0 // a\n\ntool a.com/a\n", "module m\n\ngo 1.24\n\nrequire a.com/a v1.0.0 // a\nrequire example.com/lib/v2 v2.3.4\n\ntool a.com/a\n"},
		"single indirect": {"module m\n\ngo 1.24\n\nrequire a.com/a v1.0.0 // indirect\n", "module m\n\ngo 1.24\n\nrequire example.com/lib/v2 v2.3.4\n\nrequire a.com/a v1.0.0 // indirect\n"},
		"block": {"module m\n\ngo 1.24\n\nrequire (\n\ta.com/a v1.0.0\n\t// why\n\tz.com/z v1.0.0\n\n\tb.com/b v1.0.0\n)\n\nrequire (\n\tc.com/c v1.0.0 // indirect\n)\n",
			"module m\n\ngo 1.24\n\nrequire (\n\ta.com/a v1.0.0\n\texample.com/lib/v2 v2.3.4\n\t// why\n\tz.com/z v1.0.0\n\n\tb.com/b v1.0.0\n)\n\nrequire (\n\tc.com/c v1.0.0 // indirect\n)\n"},
		"last":                 {"module m\n\ngo 1.24\n\nrequire (\n\ta.com/a v1.0.0 // a\n)\n", "module m\n\ngo 1.24\n\nrequire (\n\ta.com/a v1.0.0 // a\n\texample.com/lib/v2 v2.3.4\n)\n"},
		"indirect":             {"module m\n\ngo 1.24\n\nrequire (\n\texample.com/lib/v2 v2.3.4 // indirect\n\tz.com/z v1.0.0 // indirect\n)\n", "module m\n\ngo 1.24\n\nrequire (\n\texample.com/lib/v2 v2.3.4\n\tz.com/z v1.0.0 // indirect\n)\n"},
		"indirect for a cause": {"module m\n\ngo 1.24\n\nrequire example.com/lib/v2 v2.3.4 // indirect; why\n", "module m\n\ngo 1.24\n\nrequire example.com/lib/v2 v2.3.4 // why\n"},
	} {
		got, err := requireIn(&load.File{Name: "go.mod", Src: []byte(tt.before)}, r)
		if err != nil || string(got) != tt.after {
			t.Errorf("%s: error %v, got\n%s\nwant\n%s", name, err, got, tt.after)
		}
	}
}

// Lines come to stand in go.sum where the go command puts them.
func TestSummed(t *testing.T) {
	for before, after := range map[string]string{
		"":                         "b v1.10.0 h1:x=\nb v1.10.0/go.mod h1:y=\n",
		"a v1.0.0/go.mod h1:a=":    "a v1.0.0/go.mod h1:a=\nb v1.10.0 h1:x=\nb v1.10.0/go.mod h1:y=\n",
		"b v1.9.0/go.mod h1:a=\n":  "b v1.9.0/go.mod h1:a=\nb v1.10.0 h1:x=\nb v1.10.0/go.mod h1:y=\n",
		"b v1.11.0/go.mod h1:a=\n": "b v1.10.0 h1:x=\nb v1.10.0/go.mod h1:y=\nb v1.11.0/go.mod h1:a=\n",
		"a v1.0.0 h1:a=\nc v1.0.0 h1:a=\nc v1.0.0/go.mod h1:a=\n": "a v1.0.0 h1:a=\nb v1.10.0 h1:x=\nb v1.10.0/go.mod h1:y=\nc v1.0.0 h1:a=\nc v1.0.0/go.mod h1:a=\n",
	} {
		if got := string(summed([]byte(before), strings.Split("b v1.10.0 h1:x=\nb v1.10.0/go.mod h1:y=", "\n"))); got != after {
			t.Errorf("%q: got\n%s\nwant\n%s", before, got, after)
		}
	}
}
