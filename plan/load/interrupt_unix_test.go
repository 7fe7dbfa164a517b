//go:build unix

package load_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"mapmend/plan/load"
)

// A go command that runs when the context ends is gone when Load returns. In its place is a script that hangs as soon as it is
// asked for export data, and says so through a pipe.
func TestInterrupt(t *testing.T) {
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	for _, hangs := range []string{"*-export*", "env*"} {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"go.mod": "module example.com/m\n\ngo 1.26\n",
			"m.go":   "package m\n",
			"bin/go": fmt.Sprintf("#!/bin/sh\ncase \"$*\" in\n%s) echo $$ >%s/started; exec sleep 600;;\nesac\nexec %s \"$@\"\n", hangs, dir, real),
		} {
			name = filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(text), 0o777); err != nil {
				t.Fatal(err)
			}
		}
		started := filepath.Join(dir, "started")
		if err := syscall.Mkfifo(started, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))

		ctx, cancel := context.WithCancel(t.Context())
		var pid int
		var read error
		go func() {
			defer cancel()
			var text []byte
			if text, read = os.ReadFile(started); read == nil {
				_, read = fmt.Sscan(string(text), &pid)
			}
		}()
		_, err := load.Load(load.Config{Dir: dir, Context: func() (context.Context, context.CancelFunc) { return ctx, func() {} }})
		<-ctx.Done()
		if err == nil || err.Error() != "interrupted" || read != nil {
			t.Fatalf("Load: %v; the pipe: %v", err, read)
		}
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("the go command, hanging at %s, is still there: %v", hangs, err)
		}
	}
}
