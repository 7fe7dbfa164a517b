package vet

import "testing"

func TestAsked(t *testing.T) {
	for _, test := range []struct {
		args []string
		want bool
	}{
		{nil, false},
		{[]string{"-V=full"}, true},
		{[]string{"-flags"}, true},
		{[]string{"/tmp/go-build1/b001/vet.cfg"}, true},
		{[]string{"-mapmend.min-confidence=possible", "/tmp/go-build1/b001/vet.cfg"}, true},
		{[]string{"check", "--evidence", "/tmp/vet.cfg"}, false},
		{[]string{"check", "--evidence", "crash.cfg"}, false},
		{[]string{"./x.cfg"}, false},
		{[]string{"--version"}, false},
	} {
		if got := Asked(test.args); got != test.want {
			t.Errorf("Asked(%q) = %v, want %v", test.args, got, test.want)
		}
	}
}
