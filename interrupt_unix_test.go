//go:build unix

package main

// This file signals the built tool, and kills it, at various moments.

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a run of the built tool.
type process struct {
	*exec.Cmd
	stderr bytes.Buffer
	temp   string // where it has its temporary files
}

// start starts the tool in dir, with extra environment. It heeds signals, whatever this process does.
func start(t *testing.T, tool, dir string, env []string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(tool, args...), temp: t.TempDir()}
	p.Dir, p.Stderr = dir, &p.stderr
	heed(t)
	p.Env = append(append(os.Environ(), "TMPDIR="+p.temp, "GOFLAGS=-mod=mod", "GOWORK=off", cacheEnv+"=off"), env...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill() })
	return p
}

// heed makes processes that are started from now on heed the signals that this one ignores, as in the background of a shell:
// they inherit that, and would leave these signals alone, but they do not inherit handlers.
func heed(t *testing.T) {
	c := make(chan os.Signal, 1)
	for _, sig := range ending {
		if signal.Ignored(sig) {
			signal.Notify(c, sig)
		}
	}
	t.Cleanup(func() { signal.Stop(c) })
}

// endedBy waits for p, and reports whether it was ended by sig; else it has ended before, by itself.
func (p *process) endedBy(t *testing.T, sig syscall.Signal) bool {
	t.Helper()
	err := p.Wait()
	status := p.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled() && status.Signal() == sig:
	case err == nil || status.Exited() && status.ExitStatus() < exitError:
		return false
	default:
		t.Fatalf("the process ended otherwise: %v\n%s", err, &p.stderr)
	}
	if left, err := os.ReadDir(p.temp); err != nil || len(left) > 0 && sig != syscall.SIGKILL {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
	return true
}

// fakeGo makes a folder with a go command that hangs when it is called in the way that a pattern of the shell describes, after it wrote its
// process id to a pipe, and does what the true one does else.
func fakeGo(t *testing.T, hangs string) (path, pipe string) {
	t.Helper()
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pipe = filepath.Join(dir, "started")
	writeFile(t, filepath.Join(dir, "go"), fmt.Appendf(nil, "#!/bin/sh\ncase \"$*\" in\n%s) echo $$ >%s; exec sleep 600;;\nesac\nexec %s \"$@\"\n", hangs, pipe, real))
	if err := os.Chmod(filepath.Join(dir, "go"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	return "PATH=" + dir + ":" + os.Getenv("PATH"), pipe
}

// pidIn waits for the process id that is written to a pipe.
func pidIn(t *testing.T, pipe string) int {
	t.Helper()
	text, err := os.ReadFile(pipe)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// isGone reports whether the process pid ends within a second: a process that nobody waits for may be left for its next of kin.
func isGone(pid int) bool {
	for range 100 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || err == nil && strings.Contains(string(stat), ") Z ") {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// TestSignalWhileLoading interrupts the tool while a go command runs, which is gone then.
func TestSignalWhileLoading(t *testing.T) {
	tool := buildTool(t)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for _, test := range []struct{ hangs, command string }{{"env*", "check"}, {"*-export*", "check"}, {"*-export*", "-w"}, {"env*", "undo"}, {"env*", "config"}} {
			dir := module(t, racy)
			path, pipe := fakeGo(t, test.hangs)
			p := start(t, tool, dir, []string{path}, test.command)
			pid := pidIn(t, pipe)
			if err := p.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if !p.endedBy(t, sig) {
				t.Errorf("%s, %v: it was not ended", test.command, sig)
			}
			if !isGone(pid) {
				t.Errorf("%s, %v: the go command is still there", test.command, sig)
			}
			if p.stderr.Len() > 0 {
				t.Errorf("%s, %v: stderr:\n%s", test.command, sig, &p.stderr)
			}
		}
	}
}

// TestSignalWhileAnalysing interrupts the tool when it has said that it has loaded the packages.
func TestSignalWhileAnalysing(t *testing.T) {
	tool := buildTool(t)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		ended := false
		for range 5 { // it may be done before the signal arrives
			p := &process{Cmd: exec.Command(tool, "check", "-v", "--no-cache", "-C", "testdata/etcdlike"), temp: t.TempDir()}
			p.Env = append(os.Environ(), "TMPDIR="+p.temp, "GOFLAGS=-mod=mod", "GOWORK=off")
			stderr, err := p.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := stderr.Read(make([]byte, 1)); err != nil { // "loaded 12 packages"
				t.Fatal(err)
			}
			if err := p.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			if ended = p.endedBy(t, sig); ended {
				break
			}
		}
		if !ended {
			t.Errorf("%v does not end it", sig)
		}
	}
}

// TestSignalWhileConfirming interrupts the tool while the go command builds the test, and while the test runs, in which another process does.
func TestSignalWhileConfirming(t *testing.T) {
	tool := buildTool(t)
	dir := module(t, racy)
	path, pipe := fakeGo(t, "'test -race -c'*")
	p := start(t, tool, dir, []string{path}, "confirm", "Store.byID")
	pid := pidIn(t, pipe)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !p.endedBy(t, syscall.SIGTERM) || !isGone(pid) {
		t.Error("the go command that builds the test is still there, or the tool was not ended")
	}

	// The true one, at any moment.
	for i := range 4 {
		p := start(t, tool, dir, nil, "confirm", "Store.byID")
		time.Sleep(time.Duration(i) * 400 * time.Millisecond)
		if err := p.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		p.endedBy(t, syscall.SIGINT)
	}

	// The test is a script that starts another.
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	pipe = filepath.Join(bin, "started")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(bin, "go"), fmt.Appendf(nil, `#!/bin/sh
case "$*" in
'test -race -c'*)
	while [ "$1" != -o ]; do shift; done
	printf '#!/bin/sh\nsleep 600 &\necho $! >%s\nwait\n' >"$2"
	exec chmod 700 "$2" ;;
esac
exec %s "$@"
`, pipe, real))
	if err := os.Chmod(filepath.Join(bin, "go"), 0o700); err != nil {
		t.Fatal(err)
	}
	p = start(t, tool, dir, []string{"PATH=" + bin + ":" + os.Getenv("PATH")}, "confirm", "Store.byID")
	pid = pidIn(t, pipe)
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if !p.endedBy(t, syscall.SIGINT) || !isGone(pid) {
		t.Error("what the test has started is still there, or the tool was not ended")
	}
}

// TestSignalTwice checks that a second signal is not waited with, and that one that is ignored stays so.
func TestSignalTwice(t *testing.T) {
	tool := buildTool(t)
	dir := module(t, racy)
	path, pipe := fakeGo(t, "'env'*)\n\ttrap '' INT TERM; echo $$ >$0.pipe; while :; do sleep 1; done;;\nnothing")
	dirOfGo := filepath.Dir(pipe)
	pipe = filepath.Join(dirOfGo, "go.pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, tool, dir, []string{path}, "check")
	pid := pidIn(t, pipe) // a go command that does not end
	defer syscall.Kill(pid, syscall.SIGKILL)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if err := p.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // two signals at a time may arrive in any order
	}
	begin := time.Now()
	if !p.endedBy(t, syscall.SIGTERM) || time.Since(begin) > 3*time.Second {
		t.Errorf("it did not end by the second signal at once")
	}

	cmd := exec.Command("/bin/sh", "-c", "trap '' INT; "+tool+" check -q & sleep 0.05; kill -INT $!; wait $!")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if !strings.Contains(string(out), "inconsistent-guard") {
		t.Errorf("with interrupts ignored: %v\n%s", err, out)
	}
}

// many is a module of many files, each of which is mended.
func many() map[string]string {
	files := map[string]string{"go.mod": racy["go.mod"]}
	for i := range 24 {
		files[fmt.Sprintf("p%02d/store.go", i)] = racy["session/store.go"]
	}
	return files
}

// treeIn returns what the files of the module in dir hold.
func treeIn(t *testing.T, dir string, files map[string]string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for name := range files {
		src, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(src)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", ".mapmend-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
	return out
}

// differing counts the files that are not as in want.
func differing(t *testing.T, dir string, want map[string]string) (n int) {
	t.Helper()
	for name, text := range want {
		if src, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))); err != nil || string(src) != text {
			n++
		}
	}
	return n
}

// written is a module in a repository, as it is before it is mended and after.
type written struct {
	dir, cache string
	old, new   map[string]string
}

func newWritten(t *testing.T, tool string) written {
	t.Helper()
	files := many()
	w := written{dir: module(t, files), cache: t.TempDir(), old: files}
	w.finish(t, tool, "-w")
	w.new = treeIn(t, w.dir, files)
	w.finish(t, tool, "undo")
	w.is(t, w.old, "after undo")
	return w
}

func (w written) env() []string { return []string{"XDG_CACHE_HOME=" + w.cache, "HOME=" + w.cache} }

// finish runs the tool to its end.
func (w written) finish(t *testing.T, tool string, args ...string) string {
	t.Helper()
	p := start(t, tool, w.dir, append(w.env(), "GOCACHE="+goCache(t)), args...)
	if err := p.Wait(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, &p.stderr)
	}
	return p.stderr.String()
}

// is checks that the module is as want says.
func (w written) is(t *testing.T, want map[string]string, when string) bool {
	t.Helper()
	if got := treeIn(t, w.dir, w.old); !maps.Equal(got, want) {
		t.Errorf("%s: %d files are not as they should be", when, differing(t, w.dir, want))
		return false
	}
	return true
}

// goCache returns the build cache, which a run with another home has to be told.
func goCache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// TestSignalWhileWriting interrupts -w after random delays: the module is as before, or all of it is mended.
func TestSignalWhileWriting(t *testing.T) {
	tool := buildTool(t)
	w := newWritten(t, tool)
	begin := time.Now()
	w.finish(t, tool, "-w")
	whole := time.Since(begin)
	w.finish(t, tool, "undo")
	env := append(w.env(), "GOCACHE="+goCache(t))
	mended := 0
	for i := range 20 {
		p := start(t, tool, w.dir, env, "-w")
		if i%2 == 0 {
			time.Sleep(time.Duration(rand.Int64N(int64(whole))))
		} else {
			w.await(p, w.old, 1+i%3)
		}
		sig := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[i/2%2]
		if err := p.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		ended := p.endedBy(t, sig)
		if differing(t, w.dir, w.old) == 0 {
			continue
		}
		mended++
		if !w.is(t, w.new, "after a signal") {
			return
		}
		if ended && !strings.Contains(p.stderr.String(), "interrupted: the files are written all the same") && !strings.Contains(p.stderr.String(), "mended 24 map variables") {
			t.Errorf("stderr:\n%s", &p.stderr)
		}
		w.finish(t, tool, "undo")
		w.is(t, w.old, "after undo")
	}
	if mended == 0 {
		t.Error("no signal arrived while files were written")
	}
}

// await waits until n files of the module are other ones than from says, or until p has ended.
func (w written) await(p *process, from map[string]string, n int) {
	for begin := time.Now(); syscall.Kill(p.Process.Pid, 0) == nil && time.Since(begin) < time.Minute; {
		changed := 0
		for name, text := range from {
			if src, err := os.ReadFile(filepath.Join(w.dir, filepath.FromSlash(name))); err == nil && string(src) != text {
				changed++
			}
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
		if changed >= n || err == nil && strings.Contains(string(stat), ") Z ") {
			return
		}
	}
}

// TestKillWhileWriting kills -w, and undo, when some of the files are written. Undo makes the module what it was, and -w all of it mended.
func TestKillWhileWriting(t *testing.T) {
	tool := buildTool(t)
	w := newWritten(t, tool)
	env := append(w.env(), "GOCACHE="+goCache(t))
	half := 0
	for i := range 12 {
		command, from, next := "-w", w.old, []string{"undo", "-w"}[i/2%2]
		if i%2 == 1 {
			command, from = "undo", w.new
			w.finish(t, tool, "-w")
		}
		p := start(t, tool, w.dir, env, command)
		w.await(p, from, 1+rand.IntN(20))
		p.Process.Kill()
		killed := p.endedBy(t, syscall.SIGKILL)
		if differing(t, w.dir, w.old) > 0 && differing(t, w.dir, w.new) > 0 {
			half++
			if !killed {
				t.Error("a run that ended by itself left some of the files as they were")
			}
			var stderr bytes.Buffer
			check := exec.Command(tool, "check", "--no-cache")
			check.Dir, check.Env, check.Stderr = w.dir, append(append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off"), env...), &stderr
			if _ = check.Run(); !strings.Contains(stderr.String(), "a run was interrupted here") {
				t.Errorf("check does not say that a run was killed:\n%s", &stderr)
			}
		}
		if next == "-w" {
			w.finish(t, tool, "-w")
			w.is(t, w.new, command+" was killed, then -w")
		}
		if differing(t, w.dir, w.old) > 0 {
			w.finish(t, tool, "undo")
		}
		if !w.is(t, w.old, command+" was killed, then undo") {
			return
		}
	}
	if half == 0 {
		t.Error("no run was killed between two files")
	}
	t.Logf("%d of 12 were killed between two files", half)
}
