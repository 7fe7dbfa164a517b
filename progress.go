package main

// This file shows how far a long run is: one line on the terminal, which is written over and is gone before anything else is printed.

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"
)

const (
	progressAfter = time.Second            // what is shorter shows nothing
	progressEvery = 100 * time.Millisecond // how often the line is written
)

// The line is cut at the edge of the terminal, and not broken, since only one could be erased.
const (
	drawLine  = "\r\x1b[?7l%s\x1b[K\x1b[?7h"
	eraseLine = "\r\x1b[K"
)

// progress is the line. The nil progress shows nothing. It is safe for concurrent use.
type progress struct {
	w io.Writer // a terminal

	mu     sync.Mutex
	within string // what the step is a part of
	text   string // what is to be shown
	shown  string // what is; empty if there is no line
	inLine bool   // something else stands in the line where it would be
	off    bool   // nothing is shown any more
}

// newProgress returns a line on w, which is not written before the work has taken a while.
func newProgress(w io.Writer) *progress {
	p := &progress{w: w}
	time.AfterFunc(progressAfter, func() {
		for range time.Tick(progressEvery) {
			if !p.draw() {
				return
			}
		}
	})
	return p
}

// showsProgress reports whether standard error is a terminal that can write over a line.
func showsProgress(stderr io.Writer) bool {
	return isTerminal(stderr) && os.Getenv("TERM") != "dumb" && runtime.GOOS != "windows"
}

// step says what is done now, and how much of it is.
func (p *progress) step(what string, done, of int) {
	if p == nil {
		return
	}
	if of > 0 {
		what = fmt.Sprintf("%s %d of %d", what, done, of)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = "mapmend: " + p.within + what
}

// part says that the steps until the function it returns is called are parts of what.
func (p *progress) part(what string) (end func()) {
	if p == nil {
		return func() {}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.within
	p.within = what + ": "
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.within = before
	}
}

// draw writes the line, and reports whether there may be another.
func (p *progress) draw() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.off && !p.inLine && p.text != p.shown {
		fmt.Fprintf(p.w, drawLine, p.text)
		p.shown = p.text
	}
	return !p.off
}

// erase takes the line away. The lock is held.
func (p *progress) erase() {
	if p.shown != "" {
		io.WriteString(p.w, eraseLine)
		p.shown = ""
	}
}

// stop takes the line away for good. It does not wait if the terminal does not take what is written.
func (p *progress) stop() {
	if p == nil || !p.mu.TryLock() {
		return
	}
	defer p.mu.Unlock()
	p.erase()
	p.off = true
}

// before returns w, from which the line is taken away before something is written. Once something is written elsewhere than to a terminal,
// such as to a pager, it does not come back.
func (p *progress) before(w io.Writer) io.Writer {
	if p == nil {
		return w
	}
	return &erasing{w, isTerminal(w), p}
}

// erasing is a writer that takes the line away first.
type erasing struct {
	io.Writer
	terminal bool
	p        *progress
}

func (e *erasing) Write(data []byte) (int, error) {
	e.p.mu.Lock()
	defer e.p.mu.Unlock()
	e.p.erase()
	if e.terminal && len(data) > 0 {
		e.p.inLine = data[len(data)-1] != '\n'
	}
	e.p.off = e.p.off || !e.terminal
	return e.Writer.Write(data)
}

// isTerminal reports whether w is a terminal, directly or behind the line of progress.
func isTerminal(w io.Writer) bool {
	if e, ok := w.(*erasing); ok {
		return e.terminal
	}
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
