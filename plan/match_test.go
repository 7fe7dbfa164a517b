package plan

import "testing"

func TestMatch(t *testing.T) {
	v := Var{Package: "example.com/app/v2", Owner: "Config", Field: "apps"}
	for _, tt := range []struct {
		pattern string
		v       Var
		want    bool
	}{
		{"example.com/app/v2.Config.apps", v, true},
		{"v2.Config.apps", v, true},
		{"app.Config.apps", v, true}, // as it is reported
		{"example.com/app.Config.apps", v, true},
		{"Config.apps", v, true},
		{"apps", v, true},
		{"app.*.*", v, true},
		{"pp.Config.apps", v, false},
		{"other.Config.apps", v, false},
		{"app.Config.apps", Var{Package: "example.com/app/vendor2", Owner: "Config", Field: "apps"}, false},
		{"app.Config.apps", Var{Package: "example.com/app/v", Owner: "Config", Field: "apps"}, false},
		{"app.seen", Var{Package: "app", Field: "seen"}, true},
		{"v2.seen", Var{Package: "v2", Field: "seen"}, true},
	} {
		if got := Match(tt.pattern, tt.v); got != tt.want {
			t.Errorf("Match(%q, %s) = %v", tt.pattern, tt.v, got)
		}
	}
}
