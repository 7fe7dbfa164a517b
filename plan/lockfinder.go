package plan

import (
	"cmp"
	"go/token"
	"regexp"
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/evidence"
	"mapmend/plan/load"
	"mapmend/plan/lockset"
	"mapmend/plan/model"
	"mapmend/plan/share"
)

// This file finds the lock that a stack is about, and the map variables that it guards there.
//
// The innermost function of the program on a stack has calls of locks, of which the analysis knows the types and fields: the one in the
// line of the stack counts, or where a deferred one runs, whose line is that of the return, the deferred ones. What several locks may be
// is none. A type and a field may be those of several locks, of which some guard the map and others something else, so that a lock is
// told by its name, too: it is followed to the callers on the stack, until one of them takes the guard of a variable by the same name.

// lockFinder finds the locks of a program on stacks.
type lockFinder struct {
	prover
	verdicts []share.Verdict
	guarded  map[access.Var][]int // the verdicts, by the class of their guard
	bodies   map[*load.File][]*lockset.Body
	named    map[codeFunction][]*lockset.Body
	sections map[string][]section // of guards, by the first of the functions
}

// codeFunction is how a stack names a function.
type codeFunction struct {
	codeFile
	name string
}

// section is where the guard of a verdict is taken for a use of the variable.
type section struct {
	share.Taken
	verdict int
}

func newLockFinder(p prover, verdicts []share.Verdict) *lockFinder {
	l := &lockFinder{
		prover: p, verdicts: verdicts, guarded: make(map[access.Var][]int), bodies: make(map[*load.File][]*lockset.Body),
		named: make(map[codeFunction][]*lockset.Body), sections: make(map[string][]section),
	}
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
		l.guarded[v.Guard.Class] = append(l.guarded[v.Guard.Class], i)
		for _, j := range v.Uses {
			for _, e := range j.Entries {
				if e.Holds(*v.Guard, false) {
					l.note(e.Takes(*v.Guard), i)
				}
			}
		}
	}
	return l
}

// note notes where the guard of verdict i is taken.
func (l *lockFinder) note(taken []share.Taken, i int) {
	for _, t := range taken {
		same := func(s section) bool {
			return s.verdict == i && s.Path == t.Path && slices.Equal(s.Funcs, t.Funcs)
		}
		if first := t.Funcs[0]; !slices.ContainsFunc(l.sections[first], same) {
			l.sections[first] = append(l.sections[first], section{t, i})
		}
	}
}

// bodiesOf returns the functions that f may be: those of its name, or else those that may have been inlined and have it therefore.
func (l *lockFinder) bodiesOf(f ownFrame) []*lockset.Body {
	name := codeFunction{codeFile{f.Package, f.File}, f.Name()}
	bodies, ok := l.named[name]
	if !ok {
		bodies = l.findBodies(f)
		l.named[name] = bodies
	}
	return bodies
}

func (l *lockFinder) findBodies(f ownFrame) []*lockset.Body {
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
	own = unwrapped(own)
	release := model.Lock(called.Method()).Release
	calls := l.callsAt(own[0], release)
	if len(calls) == 0 {
		return lockAt{}, false
	}
	names := l.names(calls, own)
	class := names[0].class()
	if class.IsZero() || slices.ContainsFunc(names, func(n naming) bool { return n.class() != class }) {
		return lockAt{}, false
	}
	return lockAt{class: class, function: calls[0].body.Name, pos: calls[0].Pos, release: release, around: l.around(names)}, true
}

// wrapped is what the names of functions end in that a compiler makes of deferred calls.
var wrapped = regexp.MustCompile(`[.]deferwrap\d+$`)

// unwrapped returns frames without those functions, for which the ones that defer them stand.
func unwrapped(frames []ownFrame) (out []ownFrame) {
	for i, f := range frames {
		if i+1 == len(frames) || wrapped.ReplaceAllString(f.Name(), "") != frames[i+1].Name() || !wrapped.MatchString(f.Name()) {
			out = append(out, f)
		}
	}
	return out
}

// callIn is a call of a lock in a function.
type callIn struct {
	lockset.LockCall
	body *lockset.Body
}

// callsAt returns the calls in the function of f that may be the one on a stack: those in its line; or, as what is deferred runs where
// the function returns, those that are deferred; or if the program was another one, all.
func (l *lockFinder) callsAt(f ownFrame, release bool) []callIn {
	var all []callIn
	for _, b := range l.bodiesOf(f) {
		for _, c := range b.Locks {
			if c.Release == release {
				all = append(all, callIn{c, b})
			}
		}
	}
	slices.SortFunc(all, func(a, b callIn) int { return cmp.Compare(a.Pos, b.Pos) })
	return firstSome(all,
		func(c callIn) bool { return !c.Deferred && l.prog.Position(c.Pos).Line == f.Line },
		func(c callIn) bool { return c.Deferred },
	)
}

// firstSome returns those of all that the first of rules is true of which is true of any; all if there is none.
func firstSome[T any](all []T, rules ...func(T) bool) []T {
	for _, is := range rules {
		if some := slices.DeleteFunc(slices.Clone(all), func(t T) bool { return !is(t) }); len(some) > 0 {
			return some
		}
	}
	return all
}

// naming is what the functions on a stack call a lock, innermost first, as far as they have a name for it.
type naming []nameIn

type nameIn struct {
	body *lockset.Body
	ref  access.Ref
}

// class returns which field or package variable the lock is, of which a function that was given it does not know; zero if nobody does.
func (n naming) class() access.Var { return n[len(n)-1].ref.Var }

// calls reports whether the outermost function of n is the first of funcs, and calls the others as they follow each other.
func (n naming) calls(funcs []string) bool {
	for k, key := range funcs {
		if i := len(n) - 1 - k; i < 0 || n[i].body.Key != key {
			return false
		}
	}
	return true
}

// maxNamings bounds how many calls of one function in the line of another are told apart.
const maxNamings = 16

// names returns what the frames of a stack may call the lock of each of calls, which are in the first of them.
func (l *lockFinder) names(calls []callIn, frames []ownFrame) (out []naming) {
	for _, c := range calls {
		out = append(out, naming{{c.body, access.Ref{Path: c.Path, Var: c.Class}}})
	}
	for i, f := range frames[1:] {
		var next []naming
		named := false
		for _, n := range out {
			var further []nameIn
			if len(n) > i {
				further = l.namesIn(n[i], f)
			}
			for _, name := range further {
				next = append(next, append(slices.Clip(n), name))
			}
			if len(further) == 0 {
				next = append(next, n) // nobody further out has a name for it
			}
			named = named || len(further) > 0
		}
		if !named || len(next) > maxNamings {
			break
		}
		out = next
	}
	return out
}

// namesIn returns what the function of f, a caller of the function that has name, may call it.
func (l *lockFinder) namesIn(name nameIn, f ownFrame) (out []nameIn) {
	type call struct {
		edge *lockset.Edge
		in   *lockset.Body
	}
	var calls []call
	for _, b := range l.bodiesOf(f) {
		for i := range b.Calls {
			if e := &b.Calls[i]; e.Callee == name.body.Key {
				calls = append(calls, call{e, b})
			}
		}
	}
	for _, c := range firstSome(calls, func(c call) bool { return l.prog.Position(c.edge.Pos).Line == f.Line }) {
		ref := c.edge.Binding().Ref(name.ref)
		if !ref.Path.Known() && ref.Var.IsZero() {
			return nil
		}
		out = append(out, nameIn{c.in, ref})
	}
	return out
}

// around returns the verdicts that have uses in sections of a lock, whichever of names it has.
func (l *lockFinder) around(names []naming) []int {
	var found []int
	for i, n := range names {
		in := l.sectionsOf(n)
		if i == 0 {
			found = in
		}
		found = slices.DeleteFunc(found, func(i int) bool { return !slices.Contains(in, i) })
	}
	return found
}

// sectionsOf returns the verdicts that have uses in sections of the lock that n names: one of the functions takes it by that name, itself
// or by those further in.
//
//	func (s *Sum) Add(k string) {
//		s.base.Lock()      // is not the lock around the map, although it is of one type with it
//		s.n++
//		s.base.Unlock()
//		s.part.base.Lock()
//		s.part.byKey[k]++
//		s.part.base.Unlock()
//	}
func (l *lockFinder) sectionsOf(n naming) (found []int) {
	for i, name := range n {
		for _, s := range l.sections[name.body.Key] {
			if s.Path == name.ref.Path && n[:i+1].calls(s.Funcs) && !slices.Contains(found, s.verdict) {
				found = append(found, s.verdict)
			}
		}
	}
	return found
}
