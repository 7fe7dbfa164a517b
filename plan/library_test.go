package plan

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The library of a form is what our own module requires, so that it is tested as it is, with its sums, and the form needs the go that it does.
func TestLibraries(t *testing.T) {
	mod, errMod := os.ReadFile("../go.mod")
	sum, errSum := os.ReadFile("../go.sum")
	if errMod != nil || errSum != nil {
		t.Fatal(errMod, errSum)
	}
	for _, f := range wrapperForms {
		if f.library == nil {
			continue
		}
		if line := "\t" + f.library.Path + " " + f.library.Version + "\n"; !strings.Contains(string(mod), line) {
			t.Errorf("our go.mod lacks %s", line)
		}
		var ours []string
		for line := range strings.Lines(string(sum)) {
			if strings.HasPrefix(line, f.library.Path+" ") {
				ours = append(ours, strings.TrimSpace(line))
			}
		}
		if got := strings.Join(f.library.Sums, "\n"); got != strings.Join(ours, "\n") || len(ours) != 2 {
			t.Errorf("the sums are\n%s\nours\n%s", got, strings.Join(ours, "\n"))
		}
		out, err := exec.Command("go", "list", "-m", "-f", "{{.GoVersion}}", f.library.Path).Output()
		if got := fmt.Sprintf("1.%d", f.minor); err != nil || got != strings.TrimSpace(string(out)) || f.anyKey != f.minor {
			t.Errorf("%s needs go %s, the form %s go %s, error %v", f.library.Path, out, f.form, got, err)
		}
	}
}

// No row chooses a form that is only there when it is asked for.
func TestNeverChosen(t *testing.T) {
	for _, r := range choices {
		if r.form.Requires() != nil {
			t.Errorf("a row chooses %s, for which the module would come to require another one", r.form)
		}
	}
}
