package main

// This file mends modules that come to require a library for that.

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// manifests returns what go.mod and go.sum in dir hold.
func manifests(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"go.mod", "go.sum"} {
		src, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all.WriteString(name + ":\n" + string(src))
	}
	return all.String()
}

const requiringMod = "module example.com/m\n\ngo 1.24\n"

// What is written builds, undo takes it all back, and a plan keeps what it requires.
func TestRequire(t *testing.T) {
	dir := module(t, map[string]string{"go.mod": requiringMod, "main.go": countingGo})
	before := manifests(t, dir)
	diff := mustRun(t, exitOK, "-C", dir, "--form", "xsync")
	mustRun(t, exitOK, "plan", "-C", dir, "-o", "mend.json", "--form", "xsync")
	if got := mustRun(t, exitOK, "apply", "-C", dir, "mend.json"); got != diff {
		t.Errorf("apply prints\n%s\nwant\n%s", got, diff)
	}
	mustRun(t, exitOK, "-C", dir, "-w", "--form", "xsync")
	if now := manifests(t, dir); !strings.Contains(now, "\nrequire github.com/puzpuzpuz/xsync/v4 v4.5.0\n") || strings.Count(now, " h1:") != 2 {
		t.Errorf("the module has\n%s", now)
	}
	emittedGo(t, dir, "vet", "-mod=readonly", "./...")
	mustRun(t, exitOK, "undo", "-C", dir)
	if now := manifests(t, dir); now != before {
		t.Errorf("undo leaves\n%s", now)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.sum")); !os.IsNotExist(err) {
		t.Error("undo leaves go.sum")
	}

	// What somebody else made of go.mod meanwhile is not in the plan.
	writeFile(t, filepath.Join(dir, "go.mod"), []byte(requiringMod+"\nrequire github.com/puzpuzpuz/xsync/v4 v4.5.0\n"))
	refuses(t, []string{"apply", "-C", dir, "mend.json"}, "m.counter.hits is planned in another way now; plan again")
}

// A switch back leaves what is required, and says so.
func TestRequireSwitch(t *testing.T) {
	dir := module(t, map[string]string{"go.mod": requiringMod, "main.go": countingGo})
	mustRun(t, exitOK, "-C", dir, "-w", "--form", "rwmutex")
	before := manifests(t, dir)
	mustRun(t, exitOK, "switch", "-C", dir, "-w", "counter.hits", "--form", "xsync")
	required := manifests(t, dir)
	if required == before {
		t.Error("the switch requires nothing")
	}
	refuses(t, []string{"switch", "-C", dir, "-w", "counter.hits", "--form", "sharded"}, "go.mod still requires github.com/puzpuzpuz/xsync/v4; if nothing else imports it, 'go mod tidy' removes that")
	if now := manifests(t, dir); now != required {
		t.Errorf("the switch back leaves\n%s", now)
	}
	emittedGo(t, dir, "vet", "-mod=readonly", "./...")
}

// refuses checks that a run says why on standard error.
func refuses(t *testing.T, args []string, why string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	run(args, &stdout, &stderr)
	if !strings.Contains(stderr.String(), why) {
		t.Errorf("stderr lacks %q:\n%s", why, &stderr)
	}
}

// What cannot be written or proved is refused.
func TestRequireRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(t *testing.T, dir string)
		why    string
	}{
		"read-only": {func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, "go.mod"), 0o444); err != nil {
				t.Fatal(err)
			}
		}, "and go.mod is read-only"},
		"link": {func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "sums"), nil)
			if err := os.Symlink("sums", filepath.Join(dir, "go.sum")); err != nil {
				t.Fatal(err)
			}
		}, "and go.sum is a symbolic link"},
		"CRLF": {func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "go.mod"), []byte(strings.ReplaceAll(requiringMod, "\n", "\r\n")))
		}, "and go.mod has CRLF line ends"},
		"no cache": {func(t *testing.T, dir string) {
			t.Setenv("GOMODCACHE", t.TempDir())
			t.Setenv("GOPROXY", "off")
		}, "and the module cache lacks v4.5.0, so that the mend could not be proved (unlowered)\n\tgo mod download github.com/puzpuzpuz/xsync/v4@v4.5.0"},
		"later beside": {func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "go.work"), []byte("go 1.24\n\nuse (\n\t.\n\t./beside\n)\n"))
			writeFile(t, filepath.Join(dir, "beside", "go.mod"), []byte("module example.com/beside\n\ngo 1.24\n\nrequire github.com/puzpuzpuz/xsync/v4 v4.99.0\n"))
			writeFile(t, filepath.Join(dir, "beside", "beside.go"), []byte("package beside\n"))
			t.Setenv("GOPROXY", "file://"+filepath.ToSlash(t.TempDir())) // nobody asks it
		}, "github.com/puzpuzpuz/xsync/v4@v4.99.0: module lookup disabled by GOPROXY=off"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := module(t, map[string]string{"go.mod": requiringMod, "main.go": countingGo})
			tt.change(t, dir)
			before := manifests(t, dir)
			refuses(t, []string{"-C", dir, "-w", "--form", "xsync"}, tt.why)
			if now := manifests(t, dir); now != before {
				t.Errorf("the module has\n%s", now)
			}
		})
	}
}
