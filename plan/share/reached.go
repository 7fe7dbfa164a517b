package share

import (
	"maps"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/kept"
	"mapmend/plan/lockset"
	"mapmend/plan/model"
)

// This file finds what may run while a lock is held although no call names it: function values, methods that
// are called through interfaces, what code outside the program was given; and what these lead to in turn.

// unnamed are the functions that calls without a name may lead to.
type unnamed struct {
	kept    *kept.Kept
	values  map[string][]string // by what stands for them
	methods map[string][]string // by name
	sought  []string            // methods that libraries look for in what they are given
	streams []string            // methods that they look for in what they read or write
	foreign map[string][]string // methods and functions that code outside the program was given, by whose code that is
	all     []string            // methods
	pulled  []string            // types of the bodies of iterators that give control back while they stand in the middle

	leads   map[string]*leads                // what leadsOf returned
	outside map[string]bool                  // what calledFromOutside returned
	reached map[access.Var]map[string]string // what Reached returned
}

// noteUnnamed completes w.unnamed after the last Add.
func (w *World) noteUnnamed() {
	u := &w.unnamed
	u.kept = w.kept
	u.values, u.methods, u.foreign = make(map[string][]string), make(map[string][]string), make(map[string][]string)
	u.leads, u.reached = make(map[string]*leads), make(map[access.Var]map[string]string)
	for _, key := range slices.Sorted(maps.Keys(w.boxed)) {
		m := w.boxed[key]
		u.methods[m.Name] = append(u.methods[m.Name], key)
		u.all = append(u.all, key)
		if m.Sought {
			u.sought = append(u.sought, key)
		}
		if m.Stream && model.SoughtInStream(key) {
			u.streams = append(u.streams, key)
		}
		for _, by := range m.Foreign {
			u.foreign[by] = append(u.foreign[by], key)
		}
	}
	w.noteHanded()
}

// noteHanded adds to w.unnamed the functions that code outside the program was given, and those that these return.
func (w *World) noteHanded() {
	given := make(map[[2]string]bool)
	for _, h := range w.handed {
		keys := []string{h.Key}
		if h.Key == "" {
			keys = w.unnamed.of(h.At)
		}
		for _, by := range w.codeOf(h.By) {
			for _, key := range keys {
				w.give(key, by, given)
			}
		}
	}
}

// give notes that by was given the function key.
func (w *World) give(key, by string, given map[[2]string]bool) {
	if given[[2]string{key, by}] {
		return
	}
	given[[2]string{key, by}] = true
	w.unnamed.foreign[by] = append(w.unnamed.foreign[by], key)
	if e := w.Effects[key]; e != nil {
		for _, r := range e.Results {
			if r.Func != nil {
				w.give(r.Func.Key, by, given)
			}
		}
	}
}

// codeOf returns whose code by, of a [lockset.Handed], stands for.
func (w *World) codeOf(by string) []string {
	name, ok := lockset.MethodName(by)
	if !ok {
		return []string{by}
	}
	var out []string
	for _, key := range w.unnamed.methods[name] {
		if code := model.FuncCallers(access.PackageOf(key)); !w.own(key) && !slices.Contains(out, code) {
			out = append(out, code)
		}
	}
	return out
}

// of returns the functions that t stands for.
func (u *unnamed) of(t string) []string {
	switch t {
	case lockset.AnyType:
		return append(slices.Clone(u.all), u.kept.All()...)
	case lockset.AnyMethod, lockset.ByName:
		return u.all
	case lockset.Sought:
		return u.sought
	case lockset.Streams:
		return u.streams
	case lockset.Foreign:
		return slices.Concat(u.foreign[""], u.sought, u.streams)
	}
	if by, ok := lockset.ForeignBy(t); ok {
		return u.foreign[by]
	}
	if name, ok := lockset.MethodName(t); ok {
		return u.methods[name]
	}
	return u.valuesOf(t)
}

// valuesOf returns the function values that t stands for. It remembers them.
func (u *unnamed) valuesOf(t string) []string {
	p, typ, ok := lockset.Value(t)
	if !ok {
		return nil
	}
	out, known := u.values[t]
	if !known {
		out = u.kept.At(p, typ)
		u.values[t] = out
	}
	return out
}

// Reached returns the functions that may run while lock is held although no call names them, and how each is
// called first. It remembers what it found, and is not for several goroutines at a time.
func (w *World) Reached(lock access.Var) map[string]string {
	if out, ok := w.unnamed.reached[lock]; ok {
		return out
	}
	out := w.reachedFrom(w.under[lock])
	w.unnamed.reached[lock] = out
	return out
}

// reachedFrom returns the functions that may run when what is under runs, and how each is called first.
func (w *World) reachedFrom(under map[string]bool) map[string]string {
	out := make(map[string]string)
	for _, t := range w.typesFrom(under, func(string) bool { return true }) {
		for _, key := range w.unnamed.of(t) {
			if out[key] == "" {
				out[key] = spoken(t)
			}
		}
	}
	return out
}

// TakenUnder returns the locks that functions of Reached take while lock is held. It goes by where function values are
// kept and the names of methods: what may be anything is left out, and what code outside of the program calls.
func (w *World) TakenUnder(lock access.Var) map[access.Var]bool {
	return w.takenUnder(w.under[lock])
}

// TakenUnderRead is TakenUnder of what runs while lock is held for reading.
func (w *World) TakenUnderRead(lock access.Var) map[access.Var]bool {
	return w.takenUnder(w.underRead[lock])
}

func (w *World) takenUnder(under map[string]bool) map[access.Var]bool {
	out := make(map[access.Var]bool)
	for _, t := range w.typesFrom(under, isTyped) {
		for _, a := range w.leadsOf(t).taken {
			out[a] = true
		}
	}
	return out
}

// isTyped reports whether t says something about the functions that it stands for.
func isTyped(t string) bool { return t != lockset.AnyType }

// typesFrom returns types, which are called without a name, and what they lead to.
func (w *World) typesFrom(types map[string]bool, follow func(t string) bool) []string {
	work := slices.Sorted(maps.Keys(types))
	seen := make(map[string]bool)
	var out []string
	for len(work) > 0 {
		t := work[0]
		work = work[1:]
		if !seen[t] && follow(t) {
			seen[t] = true
			out = append(out, t)
			work = append(work, w.leadsOf(t).types...)
		}
	}
	return out
}

// leads is what the functions that one type stands for do.
type leads struct {
	types []string     // what they call without a name, sorted
	taken []access.Var // locks that they take
	waits string       // one that may wait for another goroutine
}

// leadsOf returns what the functions that t stands for do.
func (w *World) leadsOf(t string) *leads {
	if l := w.unnamed.leads[t]; l != nil {
		return l
	}
	l := new(leads)
	types, taken := make(map[string]bool), make(map[access.Var]bool)
	for _, key := range w.unnamed.of(t) {
		e := w.Effects[key]
		if l.waits == "" && w.waits(key, e) {
			l.waits = key
		}
		if e == nil {
			switch {
			case w.own(key): // the value of a method of an interface
				types[lockset.MethodType(key[strings.LastIndexByte(key, '.')+1:])] = true
			case model.CallsBack(key), model.Makes(key):
				types[lockset.ForeignOf(model.Code(access.PackageOf(key)))] = true
			}
			continue
		}
		for _, d := range e.Dynamic {
			types[d] = true
			for _, t := range w.unseenAt(d) {
				types[t] = true
			}
		}
		for _, a := range slices.Concat(e.Acquires, e.Onces) {
			taken[a] = true
		}
	}
	l.types, l.taken = slices.Sorted(maps.Keys(types)), slices.Collect(maps.Keys(taken))
	w.unnamed.leads[t] = l
	return l
}

// spoken says how what t stands for is called.
func spoken(t string) string {
	switch t {
	case lockset.AnyMethod, lockset.Foreign:
		return "an interface"
	case lockset.Sought, lockset.Streams:
		return "an optional interface"
	case lockset.ByName:
		return "its name"
	}
	_, method := lockset.MethodName(t)
	if _, foreign := lockset.ForeignBy(t); foreign {
		return "a library"
	}
	if method {
		return "an interface"
	}
	return "a function value"
}

// OutsideUnder reports whether code outside of the program that may run while lock is held may call the function key: by
// its name, or through a function of the program that calls what is kept somewhere.
//
//	func (l *List) Add(c *Client) { l.onAdd(c) } // onAdd, set by importers, is called with s.mu held, and calls l.Remove
//	func (l *List) Remove(c *Client) { l.onRemove(c) } // onRemove is a function of ours that takes s.mu
func (w *World) OutsideUnder(lock access.Var, key string) bool {
	return w.outsideUnder(w.under[lock], key)
}

func (w *World) outsideUnder(under map[string]bool, key string) bool {
	return under[lockset.Outside] && (w.callable(key) || w.calledFromOutside()[key])
}

// calledFromOutside returns the functions that are called, without being named, when code outside of the program calls
// the program.
func (w *World) calledFromOutside() map[string]bool {
	if w.unnamed.outside != nil {
		return w.unnamed.outside
	}
	types := make(map[string]bool)
	for key, e := range w.Effects {
		if w.callable(key) {
			for _, t := range e.Dynamic {
				types[t] = true
			}
		}
	}
	out := make(map[string]bool)
	for _, t := range w.typesFrom(types, isTyped) {
		if _, _, ok := lockset.Value(t); ok {
			for _, key := range w.unnamed.of(t) {
				out[key] = true
			}
		}
	}
	w.unnamed.outside = out
	return out
}

// HeldAround returns the locks that are held while something runs that no call names.
func (w *World) HeldAround() []access.Var {
	var out []access.Var
	for lock := range w.under {
		if lock != anyLock {
			out = append(out, lock)
		}
	}
	return out
}

// Awaited says what may wait for another goroutine while lock is held: a goroutine that begins to take the lock may
// be the one that is waited for. It is empty when nothing does.
func (w *World) Awaited(lock access.Var) string {
	if w.under[anyLock][lockset.Waiting] {
		return waitsForAnother
	}
	return w.awaited(w.under, lock)
}

const waitsForAnother = "a wait for another goroutine"

func (w *World) awaited(all underLock, lock access.Var) string {
	under := all[lock]
	switch {
	case under[lockset.Waiting]:
		return waitsForAnother
	case under[lockset.MayWait]:
		return "a call that may wait for another goroutine"
	}
	for _, t := range w.typesFrom(under, isTyped) {
		if key := w.leadsOf(t).waits; key != "" {
			return "a call of " + access.ShortKey(key) + ", which may wait for another goroutine,"
		}
	}
	return ""
}

// waits reports whether the function key, of the effect e, may wait for another goroutine.
func (w *World) waits(key string, e *lockset.Effect) bool {
	if e == nil {
		return !w.own(key) && !model.Quiet(key)
	}
	return slices.Contains(e.Dynamic, lockset.Waiting) || slices.Contains(e.Dynamic, lockset.MayWait)
}

// own reports whether the function key is part of the program: of a method of an interface, that is no body.
func (w *World) own(key string) bool {
	return w.isOwn(access.PackageOf(key))
}

// isOwn reports whether the package is part of the program.
func (w *World) isOwn(path string) bool {
	_, ok := w.open[path]
	return ok
}

// pulled reports whether an iterator that holds a lock may give control back while it stands in the middle, so that
// anything may run with the lock held. under is what runs while it is.
func (w *World) pulled(under map[string]bool) bool {
	return slices.ContainsFunc(w.unnamed.pulled, func(t string) bool {
		if under[lockset.AnyType] || t == lockset.AnyType && len(under) > 0 {
			return true
		}
		for name := range under {
			if _, called, ok := lockset.Value(name); ok && called == t {
				return true
			}
		}
		return false
	})
}

// UnsureRead says what is not known to leave lock alone, and runs or is waited for while lock is held for reading; it is empty
// when there is nothing.
func (w *World) UnsureRead(lock access.Var) string {
	if why := w.unsureUnder(w.underRead, anyLock); why != "" {
		return why
	}
	return w.unsureUnder(w.underRead, lock)
}

// Unsure is UnsureRead while lock, which no pointer leads to, is held in any mode.
func (w *World) Unsure(lock access.Var) string { return w.unsureUnder(w.under, lock) }

func (w *World) unsureUnder(all underLock, lock access.Var) string {
	for _, t := range []string{lockset.Outside, lockset.AnyType, lockset.ByName} {
		if all[lock][t] {
			return "a call of something unknown"
		}
	}
	if w.pulled(all[lock]) {
		return "an iterator that is pulled"
	}
	return w.awaited(all, lock)
}
