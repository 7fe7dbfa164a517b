package main

// This file is what becomes of a run that is interrupted, terminated, or whose terminal is closed.
//
// It ends at once, by the same signal, so that a shell that runs a script ends that, too, and shows 130, 143 or 129. Only while
// there is something to be put away first, such as a go command or files that are half written, the end waits for that, which is told
// by its context and is soon done. A second signal is not waited with: what is written then is taken back by the next run that writes.

import (
	"context"
	"os"
	"os/signal"
	"sync"
)

// signals is what a process does about the signals that end it. The nil signals leave them alone.
type signals struct {
	ctx    context.Context // ends with the first signal
	cancel context.CancelFunc
	end    func(os.Signal) // ends the process; does not return

	mu   sync.Mutex
	held int       // how many parts of the work are not to be cut off
	got  os.Signal // the first signal
}

// watch returns the signals of the process, which are heeded from now on. Those that are ignored, as by nohup, stay so. What before
// does is done first when the process ends by one.
func watch(before func()) *signals {
	ctx, cancel := context.WithCancel(context.Background())
	s := &signals{ctx: ctx, cancel: cancel, end: func(sig os.Signal) {
		before()
		endBy(sig)
	}}
	c := make(chan os.Signal, 2)
	for _, sig := range ending {
		if !signal.Ignored(sig) {
			signal.Notify(c, sig)
		}
	}
	go func() {
		for sig := range c {
			s.receive(sig)
		}
	}()
	return s
}

func (s *signals) receive(sig os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == 0 || s.got != nil {
		s.end(sig)
	}
	s.got = sig
	s.cancel()
}

// hold makes the first signal not end the process until the function that it returns is called, which does it then. The context ends
// with the signal.
func (s *signals) hold() (context.Context, context.CancelFunc) {
	if s == nil {
		return context.Background(), func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held++
	return s.ctx, sync.OnceFunc(s.free)
}

func (s *signals) free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held--
	if s.held == 0 && s.got != nil {
		s.end(s.got)
	}
}
