package lockset

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file is about goroutines that wait for their work:
//
//	func New() *Server {
//		s := &Server{jobs: make(chan job), m: make(map[string]int)}
//		go s.work() // for j := range s.jobs { s.m[j.name]++ }
//		s.m["a"] = 1
//		return s
//	}
//
// Nobody has sent a job when New goes on, so that work has not come to the map. It does not prove that the two are in
// order, since who else has the channel is not followed; it says that nothing shows the opposite.

// talk is what a function, or a goroutine, has heard from other goroutines and told them.
type talk struct {
	woken access.Path // the channel or condition by which it was told something that it waited for, on every way; unknown when there is none
	told  bool        // it may have told others something
	first bool        // it may have done so before it was woken
}

// join returns what is known whichever of t and u holds.
func (t talk) join(u talk) talk {
	return talk{wokenBoth(t.woken, u.woken), t.told || u.told, t.first || u.first}
}

// wokenBoth returns by what something is woken that is woken by p on some ways and by q on the others.
func wokenBoth(p, q access.Path) access.Path {
	if !p.Known() || q.Known() && comparePaths(p, q) < 0 {
		return p
	}
	return q
}

// wake notes that something that was waited for was told by p. The last such is kept.
func (t *talk) wake(p access.Path) {
	if p.Known() {
		t.woken = p
	}
}

// tell notes that others may be told something.
func (t *talk) tell() { t.told, t.first = true, t.first || !t.woken.Known() }

// after notes that a function with the effect e was called.
func (t *talk) after(e *Effect, b access.Binding) {
	t.during(e)
	t.wake(b.Path(e.Woken))
}

// during notes that a function with the effect e may have run during a call.
func (t *talk) during(e *Effect) {
	t.told = t.told || e.Tells
	t.first = t.first || e.TellsFirst && !t.woken.Known()
}

// begun notes that a goroutine was started, or made, that does what e says: it tells others something as soon as it likes.
func (t *talk) begun(e *Effect) {
	if e != nil && e.TellsFirst {
		t.tell()
	}
}

// tellsOthers reports whether instr itself tells others something.
func tellsOthers(instr ssa.Instruction) bool {
	switch instr := instr.(type) {
	case *ssa.Send:
		return true
	case *ssa.Select:
		for _, st := range instr.States {
			if st.Send != nil {
				return true
			}
		}
	case ssa.CallInstruction:
		if _, ok := closed(instr); ok {
			return true
		}
	}
	return false
}

// handsOut notes that c, a call of what is not known, is given a channel, or something new that has one: who has it then may tell others
// something by it at any time.
func (a *analysis) handsOut(c *ssa.CallCommon, s *state) {
	for _, v := range given(c) {
		v = unboxed(v)
		_, isChan := v.Type().Underlying().(*types.Chan)
		if ref := a.names.Ref(v); isChan || ref.Path.Sel == "" && len(a.chansIn[ref.Path.Root]) > 0 {
			s.talk.tell()
		}
	}
}

// keepChannel notes that the channel v is put at to.
func (a *analysis) keepChannel(v ssa.Value, to access.Path) {
	if _, ok := v.Type().Underlying().(*types.Chan); !ok {
		return
	}
	if in := (stored{from: a.names.Ref(v).Path.Root, sel: to.Sel}); !slices.Contains(a.chansIn[to.Root], in) {
		if a.chansIn == nil {
			a.chansIn = make(map[access.Root][]stored)
		}
		a.chansIn[to.Root] = append(a.chansIn[to.Root], in)
	}
}

// noteWakers notes at the call or start e where in what root stands for there are channels, and things that may have some,
// that the function did not make.
func (a *analysis) noteWakers(e *Edge, root access.Root) {
	note := func(in stored) {
		if p := (access.Path{Root: root, Sel: in.sel}); !slices.Contains(e.Wakers, p) {
			e.Wakers = append(slices.Clip(e.Wakers), p)
		}
	}
	for _, in := range a.chansIn[root] {
		if in.from.Kind != access.Made {
			note(in)
		}
	}
	for _, in := range a.into[root] {
		if in.from.Kind != access.Made && in.from.Kind != access.Local {
			note(in)
		}
	}
}

// Woken returns p as the caller of e names it, by which the callee, or what that starts, is woken; an unknown path if it is
// not known who else can tell it something by p.
func (e *Edge) Woken(p access.Path) access.Path {
	for _, f := range e.Wakers {
		if f == p || f.Above(p) {
			return access.Path{}
		}
	}
	return p
}

// wakes reports whether a value of ch comes from another goroutine: a timer's does not.
func wakes(ch ssa.Value) bool {
	t, ok := ch.Type().Underlying().(*types.Chan)
	return ok && typeName(t.Elem()) != "time.Time"
}

// leavesWait notes what going from b to succ tells where that leaves a loop which waits for a condition: another goroutine
// has made it true, if not before the function came there.
//
//	for len(q.jobs) == 0 { q.cond.Wait() }
func (a *analysis) leavesWait(b, succ *ssa.BasicBlock, t *talk) {
	if a.condLoops == nil {
		a.condLoops = a.findCondLoops()
	}
	for _, loop := range a.condLoops {
		if loop.in[b] && !loop.in[succ] {
			t.wake(loop.cond)
		}
	}
}

// condLoop is a loop that waits for a condition.
type condLoop struct {
	in   map[*ssa.BasicBlock]bool
	cond access.Path
}

// findCondLoops returns the innermost loops that wait for conditions; empty and not nil when there are none.
func (a *analysis) findCondLoops() []condLoop {
	out := []condLoop{}
	var loops [][]*ssa.BasicBlock
	for _, b := range a.fn.Blocks {
		cond := a.waitsFor(b)
		if !cond.Known() {
			continue
		}
		if loops == nil {
			loops = nestedLoops(a.fn.Blocks)
		}
		var least []*ssa.BasicBlock
		for _, loop := range loops {
			if slices.Contains(loop, b) && (least == nil || len(loop) < len(least)) {
				least = loop
			}
		}
		out = append(out, condLoop{setOf(least), cond})
	}
	return out
}

// waitsFor returns the condition that b waits for; an unknown path when there is none.
func (a *analysis) waitsFor(b *ssa.BasicBlock) access.Path {
	for _, instr := range b.Instrs {
		if call, ok := instr.(*ssa.Call); ok {
			if t := a.target(call); t.key == model.CondWait {
				return t.params[0].Path
			}
		}
	}
	return access.Path{}
}

// talks notes what r's function told others up to here.
func (r *recorder) talks(s *state) {
	r.effect.Tells = r.effect.Tells || s.talk.told
	r.effect.TellsFirst = r.effect.TellsFirst || s.talk.first
}
