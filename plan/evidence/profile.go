package evidence

// This file reads profiles.

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// Measure is what a profile measures.
type Measure uint8

const (
	Delay Measure = iota + 1 // how long goroutines waited for each other: a mutex or block profile
	CPU                      // how long they ran
)

// Profile is one profile of a running program.
type Profile struct {
	Source   string // what it was read from
	Measure  Measure
	Duration time.Duration // over which it was measured; 0 when it does not say
	Samples  []Sample
}

// Sample is how much was measured with one stack.
type Sample struct {
	Stack []Frame // innermost first, functions that were inlined among them
	Count int64   // how often; not negative
	Nanos int64   // how long; not negative
}

// maxRecords is how many samples, places and functions a profile may have. A message without content takes two bytes, and a hundred
// once it is read.
const maxRecords = 2 << 20

func readProfile(data []byte, source string) (Evidence, error) {
	if records(data) > maxRecords {
		return Evidence{}, fmt.Errorf("it has more than %d records", maxRecords)
	}
	from, err := profile.ParseUncompressed(data)
	if err == nil {
		err = from.CheckValid()
	}
	if err != nil {
		if reports, _ := ReadReports(strings.NewReader(string(data)), source); len(reports) > 0 { // a log with odd bytes
			return Evidence{Reports: reports}, nil
		}
		return Evidence{}, fmt.Errorf("it is neither text nor a profile that can be read: %w", err)
	}
	p := Profile{Source: source, Duration: time.Duration(max(from.DurationNanos, 0))}
	count, nanos, unit, err := p.columns(from)
	if err != nil {
		return Evidence{}, err
	}
	named := false
	for _, s := range from.Sample {
		sample := Sample{Stack: stackOf(s), Nanos: s.Value[nanos]}
		if count >= 0 {
			sample.Count = s.Value[count]
		}
		if sample.Count < 0 || sample.Nanos < 0 {
			return Evidence{}, errors.New("it has less than nothing in it: the difference of two profiles says nothing of shares")
		}
		if sample.Nanos > int64(maxDuration/unit) {
			return Evidence{}, errors.New("it has more time in it than there is")
		}
		sample.Nanos *= int64(unit)
		named = named || len(sample.Stack) > 0
		p.Samples = append(p.Samples, sample)
	}
	if len(p.Samples) > 0 && !named {
		return Evidence{}, errors.New("its stacks have no names of functions: 'go tool pprof -proto PROGRAM FILE' adds them")
	}
	return Evidence{Profiles: []Profile{p}}, nil
}

// maxDuration bounds one sample, so that no sum of all overflows.
const maxDuration = time.Duration(1 << 62)

// columns sets what p measures, and returns which values of its samples are how often and how long, in which unit. count is -1 if
// there is none.
func (p *Profile) columns(from *profile.Profile) (count, nanos int, unit time.Duration, err error) {
	count, nanos = -1, -1
	var types []string
	for i, t := range from.SampleType {
		types = append(types, t.Type)
		switch t.Type {
		case "contentions", "samples":
			count = i
		case "delay", "cpu":
			nanos, unit = i, units[t.Unit]
			p.Measure = map[string]Measure{"delay": Delay, "cpu": CPU}[t.Type]
		}
	}
	switch {
	case nanos < 0:
		return 0, 0, 0, fmt.Errorf("it is a profile of %s: %s", strings.Join(types, ", "), useful)
	case unit == 0:
		return 0, 0, 0, fmt.Errorf("it measures time in %q, which is not known", from.SampleType[nanos].Unit)
	}
	return count, nanos, unit, nil
}

var units = map[string]time.Duration{"nanoseconds": time.Nanosecond, "microseconds": time.Microsecond, "milliseconds": time.Millisecond, "seconds": time.Second}

// stackOf returns the frames of s that have a name.
func stackOf(s *profile.Sample) []Frame {
	var out []Frame
	for _, loc := range s.Location {
		for _, l := range loc.Line { // what was inlined comes first
			if l.Function != nil && l.Function.Name != "" {
				out = append(out, frame(l.Function.Name, l.Function.Filename, int(l.Line)))
			}
		}
	}
	return out
}

// frame returns the frame of the function that the runtime calls symbol.
func frame(symbol, file string, line int) Frame {
	f := Frame{File: strings.ReplaceAll(file, `\`, "/"), Line: line}
	f.Package, f.Func = split(withoutArguments(symbol))
	if path, err := url.PathUnescape(f.Package); err == nil {
		f.Package = path // gopkg.in/yaml%2ev3
	}
	return f
}

// records returns how many fields the outermost message of data has, as far as it is one.
func records(data []byte) (n int) {
	for len(data) > 0 {
		key, rest, ok := varint(data)
		if !ok {
			return n
		}
		switch key & 7 {
		case 0:
			_, rest, ok = varint(rest)
		case 2:
			var size uint64
			if size, rest, ok = varint(rest); ok && size <= uint64(len(rest)) {
				rest = rest[size:]
			} else {
				ok = false
			}
		default:
			ok = false
		}
		if !ok {
			return n
		}
		data = rest
		n++
	}
	return n
}

// varint returns the number that data begins with, and what follows.
func varint(data []byte) (n uint64, rest []byte, ok bool) {
	for i, b := range data {
		if i == 10 {
			break
		}
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return n, data[i+1:], true
		}
	}
	return 0, nil, false
}
