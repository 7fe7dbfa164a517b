package confirm

// This file runs the test.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"mapmend/plan/evidence"
	"mapmend/plan/load"
)

// Outcome is what one run of a test came to.
type Outcome struct {
	Reports []evidence.Report // crashes and races
	Output  string            // what the go command printed
	Skipped bool              // the test found no object to work on
	Failed  error             // why the test tells nothing, such as that it panics; nil if it does
}

// Run runs t under the race detector, in the folder dir of the program whose root is root, with overlay over its files: absolute names
// and contents. The error is why it could not be run.
func (t Test) Run(ctx context.Context, root string, flags []string, overlay map[string][]byte) (*Outcome, error) {
	all := map[string][]byte{filepath.Join(root, filepath.FromSlash(t.File)): t.Source}
	for name, src := range overlay {
		all[name] = src
	}
	file, remove, err := load.OverlayFile(all)
	if err != nil {
		return nil, err
	}
	defer remove()
	args := append([]string{"test", "-race", "-count=1", "-vet=off", "-v", "-timeout=60s", "-run=^" + name + "$", "-overlay=" + file}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+filepath.ToSlash(filepath.Dir(t.File)))...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "PWD="+root, "GORACE=halt_on_error=0")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	o := &Outcome{Output: out.String()}
	if o.Reports, err = evidence.Read(strings.NewReader(o.Output), "the test"); err != nil {
		return nil, err
	}
	switch {
	case len(o.Reports) > 0:
	case strings.Contains(o.Output, "--- SKIP"):
		o.Skipped = true
	case strings.Contains(o.Output, "--- PASS: "+name):
	default:
		o.Failed = fmt.Errorf("the test fails otherwise: %s", reason(o.Output))
	}
	return o, nil
}

// reason returns the line of output that most likely says why a test failed.
func reason(output string) string {
	lines := strings.Split(output, "\n")
	for _, begin := range []string{"panic: ", "fatal error: ", "# "} {
		for i, line := range lines {
			if strings.HasPrefix(line, begin) {
				if begin == "# " && i+1 < len(lines) { // of a compiler
					return lines[i+1]
				}
				return line
			}
		}
	}
	return strings.TrimSpace(lines[0])
}
