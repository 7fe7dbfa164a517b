package evidence

// This file finds in a stack of a profile of delays the lock that it is about.

import (
	"regexp"
	"strings"
)

// Wait is what a sample of a profile of delays is about.
type Wait uint8

const (
	Elsewhere Wait = iota // no lock: a channel, a timer, a wait group
	AtLock                // a lock
	InRuntime             // a lock of the runtime itself
	InSync                // a lock that package sync has in something else: a sync.Once, a sync.Pool
)

// lockMethod matches the methods of what package sync has for locks. From go 1.24 on a part of them is in internal/sync.
var lockMethod = regexp.MustCompile(`^\(\*(Mutex|RWMutex|rlocker)\)\.`)

// runtimeUnlock matches what gives back a lock of the runtime, and what stands for the stacks that were lost.
var runtimeUnlock = regexp.MustCompile(`^(unlock|unlock2|unlockWithRank|_LostContendedRuntimeLock)$`)

// Lock returns what s, of a profile of delays, is about. For a lock called is the function that works on it, Lock or Unlock, and callers
// are the frames of who called that, innermost first. Else the callers are what is left of the stack behind the runtime's own frames.
func (s Sample) Lock() (about Wait, called Frame, callers []Frame) {
	rest := below(s.Stack)
	skipped := s.Stack[:len(s.Stack)-len(rest)]
	n, isLock := 0, false
	for n < len(rest) && (rest[n].Package == "sync" || rest[n].Package == "internal/sync") {
		isLock = isLock || lockMethod.MatchString(rest[n].Func)
		n++
	}
	for _, f := range skipped { // in the midst of Lock, it may be
		if runtimeUnlock.MatchString(f.Func) {
			return InRuntime, f, rest
		}
	}
	switch {
	case isLock && lockMethod.MatchString(rest[n-1].Func):
		return AtLock, rest[n-1], below(rest[n:]) // the runtime calls what is deferred
	case isLock:
		return InSync, rest[n-1], rest[n-1:]
	}
	return Elsewhere, Frame{}, rest
}

// Method returns the name of the function or method without that of its receiver: "Lock"; of a method value, too, which has another name.
func (f Frame) Method() string {
	return strings.TrimSuffix(f.Name()[strings.LastIndexByte(f.Name(), '.')+1:], "-fm")
}
