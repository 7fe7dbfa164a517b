//go:build !unix

package main

// This file has a process end as if by a signal, where there are none.

import "os"

// ending are the signals that end a process unless it does something about them.
var ending = []os.Signal{os.Interrupt}

// endBy ends the process as a shell would show that it ended by sig.
func endBy(os.Signal) { os.Exit(128 + 2) }
