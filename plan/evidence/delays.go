package evidence

// This file reads profiles of delays as text, as net/http/pprof shows them with debug=1:
//
//	--- mutex:
//	cycles/second=2400000000
//	sampling period=1
//	4800000000 12 @ 0x4731c5 0x475a3d
//	#	0x4731c4	sync.(*Mutex).Unlock+0x44	/usr/local/go/src/sync/mutex.go:65
//	#	0x475a3c	main.(*Store).Put+0x5c		/src/app/store.go:20

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

func readDelays(data []byte, source string) (Evidence, error) {
	p := Profile{Source: source, Measure: Delay}
	perSecond := 0.0
	named := false
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimRight(line, "\r")
		wrong := func(why string) (Evidence, error) {
			return Evidence{}, fmt.Errorf("line %d: %s", i+1, why)
		}
		switch {
		case line == "" || strings.HasPrefix(line, "---") || strings.HasPrefix(line, "sampling period="):
		case strings.HasPrefix(line, "cycles/second="):
			n, err := strconv.ParseInt(strings.TrimPrefix(line, "cycles/second="), 10, 64)
			if err != nil || n <= 0 {
				return wrong("how many cycles are a second cannot be read")
			}
			perSecond = float64(n)
		case strings.HasPrefix(line, "#"):
			f, ok := textFrame(line)
			if !ok || len(p.Samples) == 0 {
				return wrong("the frame cannot be read")
			}
			named = true
			s := &p.Samples[len(p.Samples)-1]
			s.Stack = append(s.Stack, f)
		default:
			cycles, count, ok := textValues(line)
			if !ok || perSecond == 0 {
				return wrong("the sample cannot be read")
			}
			nanos := float64(cycles) / perSecond * 1e9
			if nanos > float64(maxDuration) {
				return wrong("it has more time in it than there is")
			}
			p.Samples = append(p.Samples, Sample{Count: count, Nanos: int64(nanos)})
		}
	}
	if len(p.Samples) > 0 && !named {
		return Evidence{}, errors.New("its stacks have no names of functions: write it with debug=1, or without debug")
	}
	return Evidence{Profiles: []Profile{p}}, nil
}

// textValues reads the line that begins a sample.
func textValues(line string) (cycles, count int64, ok bool) {
	values, _, at := strings.Cut(line, " @")
	words := strings.Fields(values)
	if !at || len(words) != 2 {
		return 0, 0, false
	}
	cycles, err := strconv.ParseInt(words[0], 10, 64)
	count, errCount := strconv.ParseInt(words[1], 10, 64)
	return cycles, count, err == nil && errCount == nil && cycles >= 0 && count >= 0
}

// textFrame reads a line of a stack: its parts are separated by tabs.
func textFrame(line string) (Frame, bool) {
	parts := strings.FieldsFunc(line, func(r rune) bool { return r == '\t' })
	if len(parts) != 4 {
		return Frame{}, false
	}
	symbol, place := parts[2], parts[3]
	if i := strings.LastIndex(symbol, "+0x"); i > 0 {
		symbol = symbol[:i]
	}
	i := strings.LastIndexByte(place, ':')
	if i < 0 {
		return Frame{}, false
	}
	n, err := strconv.Atoi(place[i+1:])
	return frame(symbol, place[:i], n), err == nil
}
