package load

import "testing"

// TestWhole checks when the patterns are known to match all packages.
func TestWhole(t *testing.T) {
	one := &workspace{Modules: []module{{Path: "example.com/app", Dir: "/src/app"}}}
	two := &workspace{Modules: []module{{Path: "example.com/app", Dir: "/src/app"}, {Path: "example.com/lib/v2", Dir: "/src/lib"}}}
	for _, test := range []struct {
		ws       *workspace
		dir      string
		patterns []string
		want     bool
	}{
		{one, "/src/app", []string{"./..."}, true},
		{one, "/src/app/sub", []string{"./..."}, false},
		{one, "/src/app/sub", []string{"../..."}, true},
		{one, "/src/app/sub", []string{"/src/app/..."}, true},
		{one, "/src/app", []string{"."}, false},
		{one, "/src/app", []string{"./sub/...", "./..."}, true},
		{one, "/src/app", []string{"example.com/app/..."}, true},
		{one, "/src/app", []string{"example.com/..."}, true},
		{one, "/src/app", []string{"example.com/ap/..."}, false},
		{one, "/src/app", []string{"./ap..."}, false},
		{two, "/src", []string{"./..."}, true},
		{two, "/src/app", []string{"./..."}, false},
		{two, "/src/app", []string{"./...", "../lib/..."}, true},
		{&workspace{}, "/src", []string{"./..."}, false},
	} {
		if got := test.ws.whole(test.dir, test.patterns); got != test.want {
			t.Errorf("%v in %s: %v", test.patterns, test.dir, got)
		}
	}
}
