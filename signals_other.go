//go:build !unix

package main

import "os"

// ending are the signals that end a process unless it does something about them.
var ending = []os.Signal{os.Interrupt}

// endBy ends the process as a shell would show that it ended by sig.
func endBy(os.Signal) { os.Exit(128 + 2) }
