package main

// This file tests that profiles of real programs lead to the right lock, wherever it stands.

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// owners are the ways in which the program of testdata/profile/owners.txtar waits, and the variable whose guard it waits for; none where the
// lock guards something else. Where it is held without need, a mutex profile has who held it, and a block profile who waited, so that only
// one kind tells.
var owners = []struct{ mode, want, only string }{
	{"rows", "owner.Rows.rows", ""},
	{"deep", "owner.Deep.deep", ""},
	{"lent", "owner.Lent.lent", ""},
	{"pointer", "owner.Pointer.pointed", ""},
	{"local", "owner.Local.local", ""},
	{"getter", "owner.Getter.got", ""},
	{"boss", "owner.Worker.jobs", ""},
	{"room", "owner.Room.seats", ""},
	{"tree", "owner.Node.kids", ""},
	{"conn", "owner.Conn.open", ""},
	{"state", "owner.state.m", ""},
	{"ptr", "owner.byPtr", ""},
	{"rw", "owner.byRW", ""},
	{"reg", "owner.registry.names", ""},
	{"under", "owner.Under.under", ""},
	{"lockered", "owner.Lockered.locked", ""},
	{"promoted", "owner.Promoted.promoted", ""},
	{"value", "owner.Promoted.promoted", ""},
	{"returned", "owner.Returned.returned", ""},
	{"closure", "owner.Returned.returned", ""},
	{"striped", "owner.stripe.part", ""},
	{"right", "owner.Given.given", ""},
	{"rightwith", "owner.Given.given", ""},
	{"bump", "owner.Given.given", ""},
	{"top", "owner.Top.tops", ""},
	{"outer", "", ""},      // a lock is held around it
	{"bracket", "", ""},    // the same, not by defer
	{"sum", "", ""},        // the embedded mutex of another owner, of the same type
	{"spun", "", ""},       // the same of a lock of the program
	{"given", "", ""},      // a helper is given another lock
	{"take", "", ""},       // the same, and returns while it is held
	{"mixed", "", "mutex"}, // another section of the guard
}

func TestProfiledOwners(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/profile/owners.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	dir := module(t, files)
	for build, flags := range map[string][]string{"optimised": nil, "not inlined": {"-gcflags=all=-l -N"}} {
		exe := filepath.Join(t.TempDir(), "owners")
		goIn(t, dir, append(append([]string{"build", "-o", exe}, flags...), ".")...)
		for _, test := range owners {
			t.Run(build+"/"+test.mode, func(t *testing.T) {
				out := t.TempDir()
				if text, err := exec.Command(exe, test.mode, out).CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				for _, kind := range []string{"mutex", "block"} {
					if test.only != "" && kind != test.only {
						continue
					}
					if got, note := contended(t, dir, filepath.Join(out, kind)); got != test.want {
						t.Errorf("%s profile: contended %q, want %q\n%s", kind, got, test.want, note)
					}
				}
			})
		}
	}
}
