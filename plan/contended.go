package plan

import (
	"cmp"
	"fmt"
	"go/token"
	"math"
	"slices"
	"strings"
	"time"

	"mapmend/plan/access"
	"mapmend/plan/evidence"
	"mapmend/plan/load"
	"mapmend/plan/lockset"
	"mapmend/plan/model"
	"mapmend/plan/share"
)

// This file finds the locks that profiles of delays are about, and the map variables that they guard.
//
// A mutex profile has the stacks of those who gave a lock back for which others waited, a block profile those of the ones who waited.
// The innermost function of the program on a stack has calls of locks, of which the analysis knows the types and fields: the one in the
// line of the stack counts, or where a deferred one runs, whose line is that of the return, the deferred ones. What several locks may be
// is none.

// A lock is hot from these on: that share of all the time for which goroutines waited for locks, that much of it, and where the profile
// says over which time it was measured, that share of this. Below about one in ten, a better lock gains less than a tenth; below the
// time, a program has waited while it started.
const (
	hotShare  = 0.1
	hotTime   = 10 * time.Millisecond
	hotOfTime = 0.01
)

// contention is what profiles of delays say.
type contention struct {
	hot      map[Var][]Contention // of variables whose guard is hot
	unnamed  []string             // a note for each profile that names no lock around a map variable
	measured []string             // the locks that are not hot
}

func contentionOf(prog *load.Program, w *share.World, verdicts []share.Verdict, profiles []evidence.Profile) contention {
	out := contention{hot: make(map[Var][]Contention)}
	var l *lockFinder
	for _, profile := range profiles {
		if profile.Measure != evidence.Delay {
			continue
		}
		if l == nil {
			l = newLockFinder(newProver(prog, w), verdicts)
		}
		d := l.delays(profile)
		out.unnamed = append(out.unnamed, d.unnamed()...)
		for _, i := range sortedKeys(d.around) {
			v := verdicts[i]
			c := d.contention(i)
			if d.isHot(i) {
				out.hot[toVar(v.Var)] = append(out.hot[toVar(v.Var)], c)
			} else {
				out.measured = append(out.measured, fmt.Sprintf("%s: %s of the time that goroutines waited for locks, %s, was for %s, around %s", c.Profile, percent(c.Share), span(c.Nanos), c.Lock, toVar(v.Var)))
			}
		}
	}
	return out
}

// lockFinder finds the locks of a program on stacks.
type lockFinder struct {
	prover
	verdicts []share.Verdict
	bodies   map[*load.File][]*lockset.Body
	holders  map[access.Var]map[string][]int // by guard and by function on the way to a use that holds it: the verdicts
}

func newLockFinder(p prover, verdicts []share.Verdict) *lockFinder {
	l := &lockFinder{prover: p, verdicts: verdicts, bodies: make(map[*load.File][]*lockset.Body), holders: make(map[access.Var]map[string][]int)}
	for _, key := range sortedKeys(p.world.Bodies) {
		b := p.world.Bodies[key]
		if file := p.prog.File(b.Pos); file != nil {
			l.bodies[file] = append(l.bodies[file], b)
		}
	}
	for i, v := range verdicts {
		if v.Guard == nil || v.Guard.Class.IsZero() {
			continue
		}
		for _, j := range v.Uses {
			for _, e := range j.Entries {
				if e.Holds(*v.Guard, false) {
					l.hold(v.Guard.Class, e, i)
				}
			}
		}
	}
	return l
}

// hold notes that e, a use of verdict i, holds its guard.
func (l *lockFinder) hold(guard access.Var, e *share.Entry, i int) {
	if l.holders[guard] == nil {
		l.holders[guard] = make(map[string][]int)
	}
	in := l.holders[guard]
	for _, f := range e.Frames() {
		if !slices.Contains(in[f.Func], i) {
			in[f.Func] = append(in[f.Func], i)
		}
	}
}

// bodiesOf returns the functions that f may be: those of its name, or else those that may have been inlined and have it therefore.
func (l *lockFinder) bodiesOf(f ownFrame) []*lockset.Body {
	var named, inlined []*lockset.Body
	for _, file := range f.files {
		for _, b := range l.bodies[file] {
			switch {
			case inner.ReplaceAllString(b.Name, "") == inner.ReplaceAllString(f.Name(), ""):
				named = append(named, b)
			case sameFunction(b.Name, f.Name()):
				inlined = append(inlined, b)
			}
		}
	}
	if len(named) > 0 {
		return named
	}
	return inlined
}

// lockAt is a lock of the program on a stack.
type lockAt struct {
	class    access.Var
	function string
	pos      token.Pos
	release  bool
	around   []int // the verdicts whose uses are in the section
}

// find returns the lock that called, which callers called, works on; ok is false if it is none of the program's, or not known.
func (l *lockFinder) find(called evidence.Frame, callers []evidence.Frame) (at lockAt, ok bool) {
	for len(callers) > 0 && len(l.files(callers[0])) == 0 && !model.Lock(callers[0].Method()).IsZero() {
		called, callers = callers[0], callers[1:] // a type of another module that is a lock
	}
	own := l.own(callers)
	if len(own) == 0 || len(l.files(callers[0])) == 0 {
		return lockAt{}, false // the lock of a library
	}
	release := model.Lock(called.Method()).Release
	calls, bodies := l.callsAt(own[0], release)
	if len(calls) == 0 || slices.ContainsFunc(calls, func(c lockset.LockCall) bool { return c.Class != calls[0].Class }) {
		return lockAt{}, false
	}
	at = lockAt{class: calls[0].Class, function: bodies[0].Name, pos: calls[0].Pos, release: release}
	if at.class.IsZero() {
		at.class = l.heldIn(own[1:])
	}
	at.around = l.around(at.class, own)
	return at, !at.class.IsZero()
}

// heldIn returns the guard of a function that was given its lock: that which the uses of maps hold in the innermost of frames, its callers,
// that has any; nothing if they hold several.
//
//	with(&s.mu, func() { s.byID[k]++ })
func (l *lockFinder) heldIn(frames []ownFrame) (guard access.Var) {
	for _, f := range frames {
		for class, holders := range l.holders {
			if !slices.ContainsFunc(l.bodiesOf(f), func(b *lockset.Body) bool { return len(holders[b.Key]) > 0 }) {
				continue
			}
			if !guard.IsZero() {
				return access.Var{}
			}
			guard = class
		}
		if !guard.IsZero() {
			return guard
		}
	}
	return access.Var{}
}

// callsAt returns the calls in the function of f that may be the one on a stack: those in its line; or, as what is deferred runs where
// the function returns, those that are deferred; or if the program was another one, all.
func (l *lockFinder) callsAt(f ownFrame, release bool) (calls []lockset.LockCall, bodies []*lockset.Body) {
	bodies = l.bodiesOf(f)
	var all []lockset.LockCall
	for _, b := range bodies {
		for _, c := range b.Locks {
			if c.Release == release {
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b lockset.LockCall) int { return cmp.Compare(a.Pos, b.Pos) })
	for _, is := range []func(lockset.LockCall) bool{
		func(c lockset.LockCall) bool { return !c.Deferred && l.prog.Position(c.Pos).Line == f.Line },
		func(c lockset.LockCall) bool { return c.Deferred },
		func(lockset.LockCall) bool { return true },
	} {
		if some := slices.DeleteFunc(slices.Clone(all), func(c lockset.LockCall) bool { return !is(c) }); len(some) > 0 {
			return some, bodies
		}
	}
	return nil, bodies
}

// around returns the verdicts whose uses are in the sections of a lock that the innermost of frames has which uses any of those that
// the lock guards.
func (l *lockFinder) around(class access.Var, frames []ownFrame) []int {
	for _, f := range frames {
		var found []int
		for _, b := range l.bodiesOf(f) {
			for _, i := range l.holders[class][b.Key] {
				if !slices.Contains(found, i) {
					found = append(found, i)
				}
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// delays is what one profile says of locks.
type delays struct {
	finder   *lockFinder
	profile  evidence.Profile
	total    float64 // of all locks, those of libraries and the runtime among them, in nanoseconds
	locks    map[access.Var]*lockDelay
	around   map[int]float64    // by verdict: the time of the sections of its guard that use it
	foreign  map[string]float64 // by what people call them: that of the locks around no map variable
	channels float64            // time for which goroutines waited for something else
}

// lockDelay is what one profile says of one lock.
type lockDelay struct {
	nanos, waits float64
	sites        map[lockPlace]float64
}

type lockPlace struct {
	pos      token.Pos
	function string
	release  bool
}

func (l *lockFinder) delays(profile evidence.Profile) *delays {
	d := &delays{finder: l, profile: profile, locks: make(map[access.Var]*lockDelay), around: make(map[int]float64), foreign: make(map[string]float64)}
	for _, s := range profile.Samples {
		about, called, callers := s.Lock()
		if about == evidence.Elsewhere {
			d.channels += float64(s.Nanos)
			continue
		}
		d.total += float64(s.Nanos)
		at, ok := lockAt{}, false
		if about == evidence.AtLock {
			at, ok = l.find(called, callers)
		}
		if !ok || len(at.around) == 0 {
			d.foreign[whose(about, callers)] += float64(s.Nanos)
		}
		if ok {
			d.add(at, s)
		}
	}
	return d
}

func (d *delays) add(at lockAt, s evidence.Sample) {
	lock := d.locks[at.class]
	if lock == nil {
		lock = &lockDelay{sites: make(map[lockPlace]float64)}
		d.locks[at.class] = lock
	}
	lock.nanos += float64(s.Nanos)
	lock.waits += float64(s.Count)
	lock.sites[lockPlace{at.pos, at.function, at.release}] += float64(s.Nanos)
	for _, i := range at.around {
		d.around[i] += float64(s.Nanos)
	}
}

// whose says where the lock is that is none around a map variable.
func whose(about evidence.Wait, callers []evidence.Frame) string {
	switch {
	case about == evidence.InRuntime:
		return "locks of the runtime"
	case len(callers) == 0:
		return "a lock of which no caller is known"
	}
	return callers[0].String()
}

// isHot reports whether the guard of verdict i is hot, and that is due to sections that use the variable.
func (d *delays) isHot(i int) bool {
	nanos := d.around[i]
	return nanos >= hotShare*d.total && nanos >= float64(hotTime) && nanos >= hotOfTime*float64(d.profile.Duration)
}

// contention returns what d says of the guard of verdict i.
func (d *delays) contention(i int) Contention {
	v := d.finder.verdicts[i]
	lock := d.locks[v.Guard.Class]
	c := Contention{Profile: d.profile.Source, Lock: v.Guard.Name(), Share: d.share(lock.nanos), Around: d.share(d.around[i]), Nanos: int64(lock.nanos), Waits: int64(lock.waits), Sites: []LockSite{}}
	for place, nanos := range lock.sites {
		c.Sites = append(c.Sites, LockSite{position(d.finder.prog, place.pos), place.function, place.release, d.share(nanos)})
	}
	slices.SortFunc(c.Sites, func(a, b LockSite) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), comparePos(a.Pos, b.Pos), cmp.Compare(a.Function, b.Function))
	})
	return c
}

// share returns how much of all the time nanos are, with four digits.
func (d *delays) share(nanos float64) float64 {
	if d.total == 0 {
		return 0
	}
	return math.Round(nanos/d.total*1e4) / 1e4
}

// unnamed returns a note if d names no lock around a map variable: what it does name.
func (d *delays) unnamed() []string {
	none := d.profile.Source + ": it names no lock around a map variable of these packages"
	switch {
	case len(d.around) > 0:
		return nil
	case len(d.profile.Samples) == 0:
		return []string{d.profile.Source + ": nobody waited for a lock while it was measured"}
	case d.total == 0:
		return []string{none + ", nor another lock: what goroutines waited for are channels and the like"}
	}
	names := sortedKeys(d.foreign)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(d.foreign[b], d.foreign[a]) })
	const shown = 3
	more := ""
	if len(names) > shown {
		more = fmt.Sprintf(" and %d more", len(names)-shown)
		names = names[:shown]
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (%s)", name, percent(d.share(d.foreign[name])))
	}
	return []string{none + ", but " + strings.Join(names, ", ") + more}
}

// percent writes a share for people.
func percent(share float64) string { return fmt.Sprintf("%.0f %%", share*100) }

// span writes a time for people, with three digits.
func span(nanos int64) string {
	d := time.Duration(nanos)
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}

// contend adds to f what profiles say of its guard. A finding on a race stays one; another becomes one of the kind contended.
func (f *Finding) contend(hot []Contention) {
	f.Contention = hot
	for _, c := range hot {
		text := fmt.Sprintf("%s: %s of the time that goroutines waited for locks, %s in %d waits, was for %s", c.Profile, percent(c.Share), span(c.Nanos), c.Waits, c.Lock)
		if c.Around < c.Share {
			text += fmt.Sprintf(", and %s for sections that use the map", percent(c.Around))
		}
		f.Evidence = append(slices.Clip(f.Evidence), text)
	}
	if f.Confidence > Silent && f.Kind.IsRace() {
		return
	}
	f.Kind, f.Confidence, f.Message = Contended, Proven, f.waiting()
	f.Head = hot[0].Sites[0].Pos
}

// waiting says that goroutines wait for the guard of f, and for whom most.
func (f *Finding) waiting() string {
	c := f.Contention[0]
	text := fmt.Sprintf("goroutines wait for %s, which guards it", c.Lock)
	if at := c.Sites[0]; at.Holds {
		return fmt.Sprintf("%s, most while %s holds it", text, at.Function)
	} else {
		return fmt.Sprintf("%s, most in %s", text, at.Function)
	}
}
