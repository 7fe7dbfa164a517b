package main

// This file tests the line that shows the progress, on a terminal that is a buffer.

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// line returns a progress on b that nothing draws but the test.
func line(b *bytes.Buffer) *progress { return &progress{w: b} }

func TestProgressLine(t *testing.T) {
	var tty bytes.Buffer
	p := line(&tty)
	said := func(want string) {
		t.Helper()
		if got := tty.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		tty.Reset()
	}
	drawn := func(text string) string { return "\r\x1b[?7l" + text + "\x1b[K\x1b[?7h" }
	p.draw()
	said("") // there is nothing to say
	p.step("listing packages", 0, 0)
	p.draw()
	said(drawn("mapmend: listing packages"))
	p.draw()
	said("") // it stands there
	out := &erasing{&tty, true, p}
	out.Write([]byte("a.go:1:"))
	said(eraseLine + "a.go:1:")
	p.step("analysing package", 2, 3)
	p.draw()
	said("") // the line that is begun is not written over
	out.Write([]byte("2: found\n"))
	said("2: found\n")
	p.draw()
	said(drawn("mapmend: analysing package 2 of 3"))
	end := p.part("proving the mend")
	p.step("listing packages", 0, 0)
	end()
	p.draw()
	said(drawn("mapmend: proving the mend: listing packages"))
	p.stop()
	said(eraseLine)
	p.step("analysing package", 3, 3)
	if p.draw() {
		t.Error("it goes on after it was stopped")
	}
	p.stop()
	said("")
}

// TestProgressBeforePager checks that there is no line any more once something is written to what is no terminal.
func TestProgressBeforePager(t *testing.T) {
	var tty, pager bytes.Buffer
	p := line(&tty)
	out := p.before(&pager)
	p.step("listing packages", 0, 0)
	p.draw()
	out.Write([]byte("found\n"))
	p.step("listing packages", 1, 2)
	p.draw()
	if !strings.HasSuffix(tty.String(), eraseLine) || strings.Count(tty.String(), "mapmend") != 1 || pager.String() != "found\n" {
		t.Errorf("the terminal has %q, the pager %q", &tty, &pager)
	}
}

// TestNoProgress checks that without a line nothing is written, and that output is what it was.
func TestNoProgress(t *testing.T) {
	var p *progress
	var b bytes.Buffer
	p.step("listing packages", 0, 0)
	p.part("proving")()
	p.stop()
	if w := p.before(&b); w != &b || showsProgress(&b) || isTerminal(&b) {
		t.Error("there is a line on a buffer")
	}
}

// TestProgressAtOnce is for the race detector.
func TestProgressAtOnce(t *testing.T) {
	var tty bytes.Buffer
	p := line(&tty)
	out := &erasing{&tty, true, p}
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 100 {
				p.step("analysing package", i, 4)
				p.draw()
				out.Write([]byte("x\n"))
			}
		})
	}
	group.Wait()
	p.stop()
}
