//go:build unix

package main

// This file has a process end by a signal, where there are any.

import (
	"os"
	"os/signal"
	"syscall"
)

// ending are the signals that end a process unless it does something about them, and that are sent by people and systems.
var ending = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// endBy ends the process by sig.
func endBy(sig os.Signal) {
	number := sig.(syscall.Signal)
	signal.Reset(sig)
	_ = syscall.Kill(os.Getpid(), number)
	select {} // until it arrives
}
