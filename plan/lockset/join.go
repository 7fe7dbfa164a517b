package lockset

import (
	"cmp"
	"slices"
	"strings"

	"mapmend/plan/access"
)

// This file is the data of joins: how a goroutine tells that it has ended, and which may still run:
//
//	errs := make(chan error)
//	go func() { m[k] = v; errs <- nil }()
//	go func() { defer close(done); m[l] = w }()
//	<-errs
//	<-done // both have ended
//
// All of it is certain. What a function waits for on some ways only is not waited for, and what a
// goroutine does after it has told so runs on.

// By is how something is told.
type By uint8

const (
	Group   By = iota + 1 // Done of a wait group: told to whoever waits for the group
	Closed                // the channel is closed: told to whoever sees that
	Only                  // the channel is closed, and nothing is ever sent on it: told to whoever receives
	Sent                  // one value is sent: told to one receiver, who may have got that of another
	Behind                // somebody waited for it before he sent one value
	Stopped               // a server has stopped: told to whoever stops it
)

// Signal is that a goroutine told something, or that somebody was told.
type Signal struct {
	Path  access.Path // the wait group or channel
	Class access.Var  // the field or package variable that is it; zero for a local or parameter
	By    By
}

// Started is a goroutine, timer or handler that was started.
type Started struct {
	Site string   // where, unique in the program
	Many bool     // another of the same place may still have run
	Ends []Signal // what it tells at its end, each enough to know; sorted
	Got  int      // how many values were received of those that it and its like send
}

func compareSignals(a, b Signal) int {
	return cmp.Or(cmp.Compare(a.By, b.By), comparePaths(a.Path, b.Path))
}

func compareStarted(a, b Started) int {
	many := func(s Started) int {
		if s.Many {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.Site, b.Site), many(a)-many(b), cmp.Compare(a.Got, b.Got), slices.CompareFunc(a.Ends, b.Ends, compareSignals))
}

func addStarted(ss []Started, s Started) []Started {
	i, ok := slices.BinarySearchFunc(ss, s, compareStarted)
	if ok {
		return ss
	}
	return slices.Insert(slices.Clone(ss), i, s)
}

func sites(ss []Started) []string {
	var out []string
	for _, s := range ss {
		if len(out) == 0 || out[len(out)-1] != s.Site {
			out = append(out, s.Site)
		}
	}
	return out
}

// running reports whether a goroutine that was started at site may still run.
func running(ss []Started, site string) bool {
	return slices.ContainsFunc(ss, func(s Started) bool { return s.Site == site })
}

// addSignal returns ss with sig, sorted. A place that does not tell what is there is left out.
func addSignal(ss []Signal, sig Signal) []Signal {
	if !sig.Path.Known() || strings.Contains(sig.Path.Sel, "[]") || strings.HasSuffix(sig.Path.Sel, "~") {
		return ss
	}
	i, ok := slices.BinarySearchFunc(ss, sig, compareSignals)
	if ok {
		return ss
	}
	return slices.Insert(slices.Clone(ss), i, sig)
}

// both returns what is in ss and in ts.
func both(ss, ts []Signal) []Signal {
	if len(ss) == 0 || slices.Equal(ss, ts) {
		return ss
	}
	var out []Signal
	for _, s := range ss {
		if slices.Contains(ts, s) {
			out = append(out, s)
		}
	}
	return out
}

// Subst translates sig from terms of a callee to terms of its caller.
func (sig Signal) Subst(b access.Binding) Signal {
	if sig.Class.IsZero() {
		sig.Class = b.Ref(access.Ref{Path: sig.Path}).Var
	}
	sig.Path = b.Path(sig.Path)
	return sig
}

func substSignals(sigs []Signal, b access.Binding) []Signal {
	var out []Signal
	for _, sig := range sigs {
		out = addSignal(out, sig.Subst(b))
	}
	return out
}

func (st Started) subst(b access.Binding) Started {
	st.Ends = substSignals(st.Ends, b)
	return st
}

// tells reports whether the end of st is told by the thing at p.
func (st Started) tells(p access.Path, by By) bool {
	return slices.ContainsFunc(st.Ends, func(e Signal) bool { return e.Path == p && e.By == by })
}

// behind returns ss with ends also as the ends of those that end before somebody is told w.
func behind(ss []Started, w Signal, ends []Signal) []Started {
	if w.By == Sent || len(ends) == 0 {
		return ss
	}
	var out []Started
	for _, st := range ss {
		if st.tells(w.Path, w.By) {
			for _, e := range ends {
				if e.By == Sent {
					e.By = Behind
				}
				st.Ends = addSignal(st.Ends, e)
			}
		}
		out = addStarted(out, st)
	}
	return out
}
