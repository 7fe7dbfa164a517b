package confirm

// This file runs the test.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
	temp, err := os.MkdirTemp("", "mapmend-confirm-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	exe := filepath.Join(temp, "confirm.test")
	args := slices.Concat([]string{"test", "-race", "-c", "-vet=off", "-o", exe, "-overlay=" + file}, flags, []string{"./" + path.Dir(t.File)})
	if out, failed, err := output(ctx, root, temp, "go", args...); err != nil {
		return nil, err
	} else if failed {
		return &Outcome{Output: out, Failed: fmt.Errorf("the test does not build: %s", reason(out))}, nil
	}
	// The test itself, not the go command, is what an interrupt is to end.
	out, _, err := output(ctx, filepath.Join(root, filepath.FromSlash(path.Dir(t.File))), temp, exe, "-test.v", "-test.count=1", "-test.timeout=60s", "-test.run=^"+t.Name+"$")
	if err != nil {
		return nil, err
	}
	o := &Outcome{Output: out}
	if o.Reports, err = evidence.ReadReports(strings.NewReader(o.Output), "the test"); err != nil {
		return nil, err
	}
	switch {
	case len(o.Reports) > 0:
	case strings.Contains(o.Output, "--- SKIP"):
		o.Skipped = true
	case strings.Contains(o.Output, "--- PASS: "+t.Name):
	default:
		o.Failed = fmt.Errorf("the test fails otherwise: %s", reason(o.Output))
	}
	return o, nil
}

// output runs a program in dir and returns what it prints, and whether it failed. The go command has its files in temp, since it may leave
// them when it is interrupted.
func output(ctx context.Context, dir, temp, program string, args ...string) (out string, failed bool, err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PWD="+dir, "GORACE=halt_on_error=0", "GOTMPDIR="+temp)
	group(cmd)
	cmd.WaitDelay = 5 * time.Second
	defer sweep(cmd)
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err = cmd.Run()
	if ctx.Err() != nil {
		return "", false, ctx.Err()
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return b.String(), true, nil
	}
	return b.String(), false, err
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
