//go:build unix

package confirm

// This file ends a program with those that it has started, such as compilers, or servers of a test.

import (
	"os/exec"
	"syscall"
)

// group makes cmd the first of a group of processes that its context interrupts together. The go command takes its files with it then.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
}

// sweep ends what is left of the group of cmd, which has ended.
func sweep(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}
