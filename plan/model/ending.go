package model

import "strings"

// This file knows the functions that never return.

// An Ending is how a function never returns.
type Ending uint8

const (
	Returns Ending = iota // it may return
	Unwinds               // it panics, or ends the goroutine: what is deferred runs
	Exits                 // it ends the process, or goes on for ever: nothing that is deferred runs
)

// exits and unwinds are functions of the standard library.
var (
	exits   = set(`os.Exit syscall.Exit log.Fatal log.Fatalf log.Fatalln log.Logger.Fatal log.Logger.Fatalf log.Logger.Fatalln`)
	unwinds = set(`
		runtime.Goexit log.Panic log.Panicf log.Panicln log.Logger.Panic log.Logger.Panicf log.Logger.Panicln
		testing.common.FailNow testing.common.Fatal testing.common.Fatalf testing.common.Skip testing.common.Skipf testing.common.SkipNow
		testing.TB.FailNow testing.TB.Fatal testing.TB.Fatalf testing.TB.Skip testing.TB.Skipf testing.TB.SkipNow`)
)

// EndingOf returns how the function key, which the program has no body of, or method of an interface, never returns. Of what other libraries
// have, those end the process that return nothing and are called as what all loggers call it: Fatal, Fatalf, FatalDepth.
func EndingOf(key string, returnsNothing bool) Ending {
	switch {
	case exits[key]:
		return Exits
	case unwinds[key]:
		return Unwinds
	case returnsNothing && strings.HasPrefix(key[strings.LastIndexByte(key, '.')+1:], "Fatal"):
		return Exits
	}
	return Returns
}
