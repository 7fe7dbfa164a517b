package share

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
)

// This file judges map variables.

// Grade is how strong the evidence for a pair is. A greater Grade is stronger.
type Grade uint8

const (
	None     Grade = iota // not a problem
	Possible              // shared only if callers outside the program share it
	Likely                // the program shows the sharing, or the intent to guard
)

// Verdict is what is known about one map variable that has a problem.
type Verdict struct {
	Var        access.Var
	Grade      Grade
	Evidence   []string      // why the grade, one sentence each, sorted
	Guard      *Lock         // the lock that most uses hold; nil when none does
	Before     []*Entry      // those that happen before any goroutine runs
	Fillers    []Judged      // uses that fill a registry before goroutines run, as far as the program shows
	Uses       []Judged      // every use that was entered, by position and function
	Pair       [2]*Entry     // one pair that shows the problem; of a declared guard the second may be nil
	Replaced   bool          // all writes that conflict assign the variable
	Partial    bool          // it is reached in more ways than were looked at
	Unanalysed *lockset.Body // a function that uses it and was not analysed; nil when there is none

	Unfollowed []*Entry      // those that put the map, or its address, where it is not followed; empty if its entries do not change
	Twin       *Entry        // one that puts the map in a second owner; nil when there is none
	Several    *lockset.Edge // where something is done with each of the owners that a loop puts the map in; nil when there is none
	Unsettled  *mapuse.Use   // one of which it is not known whether it holds the guard; nil when there is none

	Two bool // the guard stands in something that the map is reached from, and there are several of that

	blind   bool      // no way to one of its uses was looked at to its end
	outside []*Entry  // uses that count only outside of the section that the map, or its element, was read in
	about   *variable // what was known when it was judged
}

// Unguarded returns v with every use to be changed, as if each might run beside any other.
func (v Verdict) Unguarded() Verdict {
	v.Uses = slices.Clone(v.Uses)
	for i := range v.Uses {
		v.Uses[i].Problem = true
	}
	return v
}

// Judge judges all map variables of the world. The verdicts are sorted by variable. Of a variable
// without a problem there is one, of Grade None, if keep says so.
func (w *World) Judge(keep func(access.Var) bool) []Verdict {
	uses := w.byVariable(keep)
	vars := slices.SortedFunc(maps.Keys(uses), compareVars)
	var owners [][]access.Var // searches are shared between the fields of one owner
	for i, v := range vars {
		if i == 0 || v.Owner == "" || v.Package != vars[i-1].Package || v.Owner != vars[i-1].Owner {
			owners = append(owners, nil)
		}
		owners[len(owners)-1] = append(owners[len(owners)-1], v)
	}
	verdicts := make([][]Verdict, len(owners))
	each(len(owners), func(i int) {
		var all []Entry
		for _, v := range owners[i] {
			all = append(all, uses[v].starts...)
		}
		r := w.relevantTo(all)
		s := newSearch(w, r, nearby)
		for _, v := range owners[i] {
			verdict, ok := s.variable(v, uses[v], keep(v))
			if verdict.Partial && (verdict.Grade == Likely || verdict.blind || keep(v)) {
				again := newSearch(w, r, farther)
				if more, found := again.variable(v, w.moreStarts(v, uses[v]), keep(v)); again.states < farther.total {
					verdict, ok = more, found
				}
			}
			if ok {
				verdicts[i] = append(verdicts[i], verdict)
			}
		}
	})
	return slices.Concat(verdicts...)
}

// each calls do for 0 to n-1, several at a time. A panic in do is one in the goroutine of the caller, with the stack of
// where it happened.
func each(n int, do func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	var failed atomic.Pointer[string]
	for range min(n, runtime.GOMAXPROCS(0)) {
		group.Go(func() {
			defer func() {
				if err := recover(); err != nil {
					why := fmt.Sprintf("%v\n%s", err, debug.Stack())
					failed.CompareAndSwap(nil, &why)
				}
			}()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	group.Wait()
	if why := failed.Load(); why != nil {
		panic(*why)
	}
}

// variableUses is where the uses of one variable are followed from.
type variableUses struct {
	starts     []Entry       // where the use, or what is passed to it, is the variable
	outside    []Entry       // uses that count only outside of the section that the map, or its element, was read in
	unfollowed []Entry       // ways to where the map is put somewhere
	cut        []*mapuse.Use // of a parameter, from which more starts may come than were found
}

// variable judges the variable v. ok is false when it has no problem, unless kept.
func (s *search) variable(v access.Var, uses *variableUses, kept bool) (verdict Verdict, ok bool) {
	s.table.keepAll()
	outside := uses.outside
	twins := s.w.shared["."+v.Field] || slices.ContainsFunc(uses.starts, func(e Entry) bool { return e.Use.Twin != nil })
	if !kept && s.w.guards[v] == nil && !twins {
		plain := s.plainly(uses.starts)
		switch {
		case uses.mayLeave(plain.written || plain.partial): // with whichever locks
		case plain.clear() && len(uses.cut) == 0 && !uses.checked():
			return Verdict{}, false
		default:
			s.table.keep(plain.classes())
			outside = nil
		}
	}
	entries, before, fillers, missed, partial := s.reached(uses.starts)
	left, _, _, _, _ := s.reached(outside)
	verdict, ok = s.w.judge(v, entries, left, missed, partial || len(uses.cut) > 0)
	if (ok || kept) && len(outside) < len(uses.outside) { // what it took to judge is not all that it takes to mend
		s.table.keepAll()
		verdict.outside, _, _, _, _ = s.reached(uses.outside)
	}
	verdict.Before = before
	verdict.Fillers = s.w.judged(fillers, nil, verdict)
	verdict.Partial = verdict.Partial || partial || len(uses.cut) > 0
	verdict.blind = partial && len(missed) > 0
	verdict.Unfollowed = s.w.unfollowed(verdict, uses)
	if b := s.w.unanalysed[v]; b != nil {
		verdict.Unanalysed = b
		verdict.Grade = min(verdict.Grade, Possible)
	}
	return verdict, ok || kept
}

// reached returns the ways in which execution comes to starts once goroutines may run, those before, those that fill a registry
// before, those of starts outside of tests to which no way was found at all, and whether there may be more ways.
func (s *search) reached(starts []Entry) (entries, before, fillers, missed []*Entry, partial bool) {
	var early []Entry
	for i := range starts {
		found := s.ways(&starts[i])
		partial = partial || found.partial
		for i := range found.entries {
			e := &found.entries[i]
			if e.Use.Returned && e.Use.Op == mapuse.Read && !e.goesUnseen() {
				continue // what the caller does with it is a use of its own
			}
			e.cut = found.partial
			entries = append(entries, e)
		}
		early = append(early, found.early...)
		if len(found.entries) == 0 && !s.w.isTest(starts[i].Use.Pos) {
			missed = append(missed, &starts[i])
		}
	}
	s.w.noteRepeated(entries, early)
	entries, before, fillers = s.w.afterStart(entries)
	return entries, before, fillers, missed, partial
}

// byVariable groups the uses that may matter by variable. Uses of a parameter are followed to where
// they get a variable.
func (w *World) byVariable(keep func(access.Var) bool) map[access.Var]*variableUses {
	out := make(map[access.Var]*variableUses)
	of := func(v access.Var) *variableUses {
		if out[v] == nil {
			out[v] = new(variableUses)
		}
		return out[v]
	}
	skip, emptied := w.neverWritten(), w.emptied()
	passes := func(v access.Var, op mapuse.Op) bool {
		return emptied[v] && op.Writes() || (skip[v] || emptied[v]) && !keep(v)
	}
	var unnamed []*mapuse.Use
	for i := range w.Uses {
		u := &w.Uses[i]
		switch v := u.Ref.Var; {
		case v.IsZero():
			unnamed = append(unnamed, u)
		case passes(v, u.Op):
		case u.Unfollowed:
			of(v).unfollowed = append(of(v).unfollowed, atUse(u))
		case u.Op == mapuse.Alias || u.Op.Part() == mapuse.Elements:
			of(v).outside = append(of(v).outside, atUse(u))
		default:
			of(v).starts = append(of(v).starts, atUse(u))
		}
	}
	named := make([]found, len(unnamed))
	each(len(unnamed), func(i int) {
		named[i] = w.named(unnamed[i], nearby)
	})
	for _, n := range slices.Concat(named, w.sharedParameters(named)) {
		for _, e := range n.entries {
			switch v := e.Ref.Var; {
			case passes(v, e.Use.Op):
			case e.Use.Unfollowed:
				of(v).unfollowed = append(of(v).unfollowed, e)
			default:
				of(v).starts = append(of(v).starts, e)
				if n.partial && !slices.Contains(of(v).cut, e.Use) {
					of(v).cut = append(of(v).cut, e.Use)
				}
			}
		}
	}
	return out
}

// named returns the ways within b to u, a use of a parameter, from where that is a variable.
func (w *World) named(u *mapuse.Use, b bounds) found {
	s := newSearch(w, nil, b)
	start := atUse(u)
	start.numbers = s.table.numbers(&start)
	wk := &walker{search: s, seen: make(map[state]bool), untilNamed: true}
	wk.from(start)
	return wk.found
}

// moreStarts returns uses, those of v, with more of the starts where more may come than were found.
func (w *World) moreStarts(v access.Var, uses *variableUses) *variableUses {
	more := *uses
	more.starts, more.cut = slices.Clip(uses.starts), nil
	for _, u := range uses.cut {
		walk := w.named(u, farther)
		found := slices.DeleteFunc(walk.entries, func(e Entry) bool { return e.Ref.Var != v })
		known := 0 // the first of found, in the same order
		for _, e := range uses.starts {
			if e.Use == u {
				known++
			}
		}
		if walk.partial || len(found) < known { // as it is of a parameter that is the variable itself
			more.cut = append(more.cut, u)
		}
		more.starts = append(more.starts, found[min(known, len(found)):]...)
	}
	return &more
}

func compareVars(a, b access.Var) int {
	return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Field, b.Field))
}

// neverWritten returns the variables that nothing writes after they were made, as far as the uses
// name them: their entries need not be looked for. A write through a parameter names no variable, so
// such variables are kept when they are passed on at all.
func (w *World) neverWritten() map[access.Var]bool {
	skip := make(map[access.Var]bool)
	for i := range w.Uses {
		skip[w.Uses[i].Ref.Var] = true
	}
	for i := range w.Uses {
		if w.Uses[i].Op.Writes() {
			skip[w.Uses[i].Ref.Var] = false
		}
	}
	for _, b := range w.Bodies {
		for _, e := range b.Calls {
			for _, r := range slices.Concat(e.Params, e.Free) {
				if !r.Var.IsZero() {
					skip[r.Var] = false
				}
			}
		}
	}
	skip[access.Var{}] = false
	return skip
}

// emptied returns the package variables that hold no map any more once goroutines run: one init function sets them to
// nil, and besides that nothing assigns them but their declaration.
//
//	var early = make(map[reflect.Type]*info) // used without a lock before init is through
func (w *World) emptied() map[access.Var]bool {
	out := make(map[access.Var]bool)
	assigned := make(map[access.Var]string) // the function that does, its declaration aside
	for i := range w.Uses {
		u := &w.Uses[i]
		if u.Op != mapuse.Replace || u.Ref.Var.Owner != "" || u.Func == access.Key(u.Ref.Var.Package, "init") {
			continue
		}
		by, again := assigned[u.Ref.Var]
		assigned[u.Ref.Var] = u.Func
		out[u.Ref.Var] = u.Empties && len(u.After) == 0 && w.isStart(u.Func) && (!again || by == u.Func && out[u.Ref.Var])
	}
	maps.DeleteFunc(out, func(_ access.Var, empty bool) bool { return !empty })
	return out
}

// isStart reports whether the function key is an init function.
func (w *World) isStart(key string) bool {
	b := w.Bodies[key]
	return b != nil && b.IsInit()
}

// users returns the functions on the ways of entries.
func users(entries []*Entry) map[string]bool {
	out := make(map[string]bool)
	for _, e := range entries {
		for s := e.way; s != nil; s = s.in {
			out[s.Func] = true
		}
	}
	return out
}

// parted returns the entries for which is holds, and the others.
func parted(entries []*Entry, is func(*Entry) bool) (those, others []*Entry) {
	for _, e := range entries {
		if is(e) {
			those = append(those, e)
		} else {
			others = append(others, e)
		}
	}
	return those, others
}

// judge judges v by the entries of its uses, and by those that count only outside of a section. missed are uses to
// which no way was found.
func (w *World) judge(v access.Var, entries, outside, missed []*Entry, partial bool) (Verdict, bool) {
	test, entries := parted(entries, func(e *Entry) bool { return e.Root == Test })
	_, outside = parted(outside, func(e *Entry) bool { return e.Root == Test })
	if len(entries) == 0 {
		test, entries = nil, test
	}
	onlyTests := !slices.ContainsFunc(entries, func(e *Entry) bool { return e.Root != Test && !w.isTest(e.Use.Pos) })
	declared := w.guards[v]
	verdict := Verdict{Var: v, Guard: cmp.Or(declared, w.guard(entries, missed))}
	verdict.Twin, verdict.Several = twinned(entries), several(entries)
	about := &variable{guard: verdict.Guard, twin: verdict.Twin, claim: w.claims[v], tested: w.tested(test), users: users(entries), slots: areSlots(entries), partial: partial}
	verdict.outside, verdict.about = slices.Clone(outside), about
	problem := make(map[*Entry]bool)
	var best Evidence
	evidence := make(map[string]bool)
	conflictsOnlyReplace := true
	sure, some := make(map[int]bool), make(map[int]bool)
	classes := w.classify(entries)
	first := classes
	if len(classes) > maxClasses {
		classes = someOfEach(classes)
		first, about.partial, about.sampled = classes[:maxClasses], true, true
	}
	verdict.Two = verdict.Guard != nil && w.isTwo(verdict.Guard, first)
	guarded := make([]bool, len(classes))
	for i, c := range classes {
		guarded[i] = verdict.guards(c[0])
	}
	for i, ca := range first {
		for j, cb := range classes[i:] {
			a, b := ca[0], cb[0]
			if guarded[i] && guarded[i+j] || !a.Use.Op.Writes() && !b.Use.Op.Writes() {
				continue
			}
			why, unsure := w.pair(a, b, about)
			if why.Grade == None {
				continue
			}
			if onlyTests {
				why = Evidence{Grade: Possible, Why: "only test code uses it"}
			}
			for _, k := range []int{i, i + j} {
				sure[k] = sure[k] || !unsure && len(classes[k][0].At.Maybe) == 0
			}
			some[i], some[i+j] = true, true
			if a.Use.Op.Part() == mapuse.Entries {
				conflictsOnlyReplace = false
			}
			order := why.compare(best)
			if order > 0 {
				best, verdict.Grade, verdict.Pair = why, why.Grade, [2]*Entry{a, b}
				clear(evidence)
			}
			if order >= 0 {
				evidence[why.Why] = true
			}
		}
	}
	rest := make(map[*mapuse.Use]bool)
	for _, c := range classes[len(first):] {
		rest[c[0].Use] = true
	}
	for i := len(first); i < len(classes) && !verdict.Partial; i++ {
		if !guarded[i] && !some[i] { // it may meet one that is not among the first
			for u := range rest {
				verdict.Partial = verdict.Partial || u.Conflicts(classes[i][0].Use)
			}
		}
	}
	for i, c := range classes {
		if declared == nil || guarded[i] {
			continue
		}
		why := w.undeclared(c[0], declared)
		order := why.compare(best)
		if order > 0 {
			best, verdict.Grade = why, why.Grade
			clear(evidence)
		}
		if order >= 0 {
			evidence[why.Why] = true
		}
		if verdict.Pair[0] == nil {
			verdict.Pair[0] = c[0]
		}
		some[i], sure[i] = true, sure[i] || why.Grade == Likely
		conflictsOnlyReplace = false
	}
	left := w.leftSections(&verdict, about, entries, outside, &best, evidence)
	if verdict.Grade == None {
		verdict.Uses = w.judged(entries, problem, verdict)
		ok := verdict.split()
		return verdict, ok
	}
	for why := range evidence {
		verdict.Evidence = append(verdict.Evidence, why)
	}
	slices.Sort(verdict.Evidence)
	verdict.Replaced = conflictsOnlyReplace
	for _, e := range left {
		entries = append(entries, e)
		problem[e] = true
	}
	if writer := verdict.Pair[1]; writer != nil && writer.Use.Op.Part() == mapuse.Elements {
		entries = append(entries, writer)
	}
	for i, c := range classes {
		switch {
		case sure[i] || some[i] && (verdict.Grade < Likely || verdict.Guard == nil):
			for _, e := range c {
				problem[e] = true
			}
		case some[i] && !guarded[i] && verdict.Unsettled == nil:
			verdict.Unsettled = c[0].Use
		}
	}
	verdict.Uses = w.judged(entries, problem, verdict)
	if !slices.ContainsFunc(verdict.Uses, func(j Judged) bool { return j.Problem }) {
		return verdict, false
	}
	if verdict.Guard != nil && verdict.Grade == Likely && !w.built[v] && !slices.ContainsFunc(verdict.Uses, func(j Judged) bool { return j.Problem && !j.Initializes() }) {
		verdict.Grade = Possible
		verdict.Evidence = []string{"only the making of the map is without " + verdict.Guard.Name() + ": it may come before the object is shared"}
	}
	return verdict, true
}
