package main

// This file tests the progress of the built tool on a terminal: a pseudo-terminal of Linux.

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// openTerminal returns both ends of a new terminal: what is written to tty can be read from user.
func openTerminal(t *testing.T) (user, tty *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { user.Close() })
	var number, locked int32
	for request, value := range map[uintptr]*int32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &locked} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, user.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Skip(errno)
		}
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	return user, tty
}

// shownOn runs the tool with a terminal as standard error, and as standard output if both is set, and returns what the terminal shows.
func shownOn(t *testing.T, both bool, env []string, tool string, args ...string) (shown, stdout string, cmd *exec.Cmd) {
	t.Helper()
	user, tty := openTerminal(t)
	var out bytes.Buffer
	cmd = exec.Command(tool, args...)
	cmd.Env = append(append(os.Environ(), "TERM=xterm", "GOFLAGS=-mod=mod", "GOWORK=off", cacheEnv+"=off"), env...)
	cmd.Stdout, cmd.Stderr = &out, tty
	if both {
		cmd.Stdout = tty
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, user); err != nil && !strings.Contains(err.Error(), "input/output error") { // the end of a terminal
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return b.String(), out.String(), cmd
}

// onScreen returns what is left on the screen of what a terminal is sent.
func onScreen(t *testing.T, sent string) string {
	t.Helper()
	sent = strings.NewReplacer("\x1b[?7l", "", "\x1b[?7h", "", "\r\n", "\n").Replace(sent)
	var lines []string
	for line := range strings.Lines(sent) {
		line, end := strings.CutSuffix(line, "\n")
		for strings.Contains(line, "\r") { // each time something is written over, all of it is erased
			_, rest, _ := strings.Cut(line, "\r")
			text, _, found := strings.Cut(rest, "\x1b[K")
			if !found {
				t.Errorf("what stands in the line is not erased: %q", line)
				break
			}
			line = text + rest[len(text)+len("\x1b[K"):]
		}
		if end {
			line += "\n"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

// slowGo makes a folder with a go command that takes a while to list packages, once.
func slowGo(t *testing.T) string {
	t.Helper()
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "go"), fmt.Appendf(nil, "#!/bin/sh\ncase \"$*\" in\n*-export*) mkdir $0.done 2>/dev/null && sleep 1.3;;\nesac\nexec %s \"$@\"\n", real))
	if err := os.Chmod(filepath.Join(dir, "go"), 0o700); err != nil {
		t.Fatal(err)
	}
	return "PATH=" + dir + ":" + os.Getenv("PATH")
}

func TestProgressOnTerminal(t *testing.T) {
	tool := buildTool(t)
	dir := module(t, racy)
	const summary = "mapmend: would mend 1 map variable in 1 file; -w writes it\n"
	for _, test := range []struct {
		name  string
		both  bool
		env   []string
		args  []string
		shows bool
		left  string
	}{
		{"a long run", false, []string{slowGo(t)}, nil, true, summary},
		{"on one terminal", true, []string{slowGo(t)}, []string{"--color", "never"}, true, mustRun(t, exitOK, "-C", dir, "-q") + summary},
		{"a short run", false, nil, []string{"config"}, false, ""},
		{"quiet", false, []string{slowGo(t)}, []string{"-q"}, false, ""},
		{"a terminal that cannot write over a line", false, []string{slowGo(t), "TERM=dumb"}, nil, false, summary},
		{"an error", false, []string{slowGo(t)}, []string{"./none"}, true, ""},
	} {
		shown, _, _ := shownOn(t, test.both, test.env, tool, append([]string{"-C", dir}, test.args...)...)
		if shows := strings.Contains(shown, "\x1b[?7lmapmend: listing packages\x1b[K"); shows != test.shows {
			t.Errorf("%s: there is a line: %v; the terminal is sent %q", test.name, shows, shown)
		}
		left := onScreen(t, shown)
		if test.name == "an error" {
			if !strings.HasPrefix(left, "mapmend: ") || strings.Contains(left, "listing") {
				t.Errorf("%s: on the screen is %q", test.name, left)
			}
		} else if left != test.left {
			t.Errorf("%s: on the screen is %q, want %q", test.name, left, test.left)
		}
	}
}

// TestProgressIsErasedBySignal checks that a run that is interrupted leaves no line.
func TestProgressIsErasedBySignal(t *testing.T) {
	tool := buildTool(t)
	dir := module(t, racy)
	path, pipe := fakeGo(t, "*-export*")
	go func() {
		pid := make([]byte, 32)
		f, err := os.Open(pipe)
		if err != nil {
			return
		}
		n, _ := f.Read(pid)
		// The line comes after a second; then the parent of the go command is interrupted.
		_ = exec.Command("/bin/sh", "-c", "sleep 1.5; kill -INT $(ps -o ppid= -p "+strings.TrimSpace(string(pid[:n]))+")").Run()
	}()
	shown, _, cmd := shownOn(t, false, []string{path}, tool, "-C", dir)
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("it ended otherwise: %v", cmd.ProcessState)
	}
	if !strings.Contains(shown, "listing packages") || onScreen(t, shown) != "" {
		t.Errorf("the terminal is sent %q", shown)
	}
}

// TestNoProgressUnderVet checks that go vet, whose tools write to its terminal, shows no line.
func TestNoProgressUnderVet(t *testing.T) {
	tool := buildTool(t)
	dir := module(t, racy)
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	shown, _, _ := shownOn(t, false, nil, goTool, "vet", "-C", dir, "-vettool="+tool, "./...")
	if strings.Contains(shown, "\x1b") || !strings.Contains(shown, "likely inconsistent-guard") {
		t.Errorf("the terminal is sent %q", shown)
	}
}
