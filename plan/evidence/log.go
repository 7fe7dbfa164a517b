package evidence

// This file finds reports in a log.

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/maruel/panicparse/v2/stack"
)

const (
	raceHead  = "WARNING: DATA RACE"
	crashHead = "fatal error: "
	raceRule  = "=================="
)

// aboutMaps are the reasons of the runtime to end a program that are about maps.
var aboutMaps = []string{"concurrent map writes", "concurrent map read and map write", "concurrent map iteration and map write", "concurrent map clone and map write"}

// ReadReports reads all reports from r, which source names, in their order. Lines between them are skipped. A report whose stacks cannot
// be read has no accesses.
func ReadReports(r io.Reader, source string) ([]Report, error) {
	var out []Report
	var chunk []string
	var now *Report
	prefix := ""
	end := func() {
		if now != nil {
			now.Accesses = accesses(chunk, now)
			out = append(out, *now)
		}
		now, chunk = nil, nil
	}
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return nil, err
		}
		text := strings.TrimRight(line, "\r\n")
		if p, head, ok := headOf(text); ok {
			end()
			prefix = p
			now = &Report{Source: source, Line: n, Race: head == raceHead, Headline: strings.TrimPrefix(head, crashHead)}
			chunk = []string{head}
		} else if now != nil {
			text = without(prefix, text)
			if now.Race && strings.HasPrefix(text, raceRule) {
				end()
			} else {
				chunk = append(chunk, text)
			}
		}
		if err == io.EOF {
			end()
			return out, nil
		}
	}
}

// headOf returns the first line of a report, and what a log put before it.
func headOf(line string) (prefix, head string, ok bool) {
	if i := strings.Index(line, raceHead); i >= 0 && strings.TrimSpace(line[i:]) == raceHead {
		return line[:i], raceHead, true
	}
	i := strings.Index(line, crashHead)
	if i < 0 {
		return "", "", false
	}
	for _, why := range aboutMaps {
		if strings.TrimSpace(line[i+len(crashHead):]) == why {
			return line[:i], crashHead + why, true
		}
	}
	return "", "", false
}

// without takes off what a log put before each line, which is as long in each: the same text, or a time and a name.
func without(prefix, line string) string {
	n := len(prefix)
	if n == 0 || len(line) < n {
		return strings.TrimPrefix(line, strings.TrimRight(prefix, " \t"))
	}
	if end := prefix[max(0, n-2):]; line[n-len(end):n] == end {
		return line[n:]
	}
	return line
}

// accesses reads the stacks in lines, those of the report r.
func accesses(lines []string, r *Report) []Access {
	if r.Race {
		lines = append(append([]string{raceRule}, lines...), raceRule)
	}
	text := strings.Join(lines, "\n") + "\n"
	opts := &stack.Opts{}
	// What can be read of a report that is cut off counts.
	snapshot, _, _ := stack.ScanSnapshot(bytes.NewReader([]byte(text)), io.Discard, opts)
	if snapshot == nil {
		return nil
	}
	var out []Access
	for _, g := range snapshot.Goroutines {
		a := Access{Stack: frames(g.Stack), Created: below(frames(g.CreatedBy))}
		if len(a.Stack) == 0 {
			continue
		}
		for _, f := range a.Stack {
			if is, writes := atMap(f); is {
				a.OnMap, a.Known, a.Write = true, true, writes
			}
		}
		switch {
		case r.Race:
			a.Known, a.Write = true, g.RaceWrite
		case g.First:
			a.OnMap = true
			if !a.Known && r.Headline == "concurrent map writes" {
				a.Known, a.Write = true, true
			}
		case !a.OnMap:
			continue // it was elsewhere
		}
		a.Stack = below(a.Stack)
		out = append(out, a)
	}
	return out
}
