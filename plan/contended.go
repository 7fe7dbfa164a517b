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
	"mapmend/plan/share"
)

// This file finds the locks that profiles of delays are about, and the map variables that they guard.
//
// A mutex profile has the stacks of those who gave a lock back for which others waited, a block profile those of the ones who waited.
// Which lock that is, lockFinder tells.

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
				out.measured = append(out.measured, fmt.Sprintf("%s: %s of the time that goroutines waited for locks, %s, was for %s, around %s%s", c.Profile, percent(c.Share), span(c.Nanos), c.Lock, toVar(v.Var), c.outside()))
			}
		}
	}
	return out
}

// delays is what one profile says of locks.
type delays struct {
	finder   *lockFinder
	profile  evidence.Profile
	total    float64            // of all locks, those of libraries and the runtime among them, in nanoseconds
	guards   map[int]*lockDelay // by verdict
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
	d := &delays{finder: l, profile: profile, guards: make(map[int]*lockDelay), around: make(map[int]float64), foreign: make(map[string]float64)}
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
	for _, i := range at.around {
		d.around[i] += float64(s.Nanos)
		d.addTo(i, at, s)
	}
	for _, i := range d.finder.guarded[at.class] {
		if !slices.Contains(at.around, i) && isItself(*d.finder.verdicts[i].Guard) {
			d.addTo(i, at, s)
		}
	}
}

// addTo adds s, which is about the guard of verdict i.
func (d *delays) addTo(i int, at lockAt, s evidence.Sample) {
	guard := d.guards[i]
	if guard == nil {
		guard = &lockDelay{sites: make(map[lockPlace]float64)}
		d.guards[i] = guard
	}
	guard.nanos += float64(s.Nanos)
	guard.waits += float64(s.Count)
	guard.sites[lockPlace{at.pos, at.function, at.release}] += float64(s.Nanos)
}

// isItself reports whether all locks of the class of a guard guard what it guards. Those of a type that is a part of several others do not.
func isItself(guard share.Lock) bool {
	return guard.Class.Owner == "" || access.CountSteps(guard.Suffix) == 1
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
	lock := d.guards[i]
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
		f.Evidence = append(slices.Clip(f.Evidence), text+c.outside())
	}
	if f.Confidence > Silent && f.Kind.IsRace() {
		return
	}
	f.Kind, f.Confidence, f.Message = Contended, Proven, f.waiting()
	f.Head = hot[0].Sites[0].Pos
}

// outside says, if sections that do not use the map have a part in c, how large the other part is.
func (c Contention) outside() string {
	if c.Around < c.Share {
		return fmt.Sprintf(", and %s for sections that use the map", percent(c.Around))
	}
	return ""
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
