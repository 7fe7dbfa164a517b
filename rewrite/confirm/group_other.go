//go:build !unix

package confirm

import (
	"os"
	"os/exec"
)

// group has the context of cmd interrupt it, or end it where there are no interrupts.
func group(cmd *exec.Cmd) {
	cmd.Cancel = func() error {
		if cmd.Process.Signal(os.Interrupt) != nil {
			return cmd.Process.Kill()
		}
		return nil
	}
}

// sweep does nothing: what cmd has started is not known here.
func sweep(*exec.Cmd) {}
