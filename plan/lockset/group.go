package lockset

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file orders what goroutines do before they tell a wait group that they have ended, and what is done after a wait
// for it, whoever waits:
//
//	func (s *S) Start() { s.wg.Go(s.loop) }
//	func (s *S) Stop() int { close(s.quit); s.wg.Wait(); return len(s.m) }
//
// It is told like a flag that all of them set together: a goroutine of the group holds it for writing, and whoever has
// waited holds it for reading, until it starts another one. Others may start another one, too: what starts them must
// not come again.

// moves notes that st puts a pointer in a field that had another before: a group that is reached by it may be another
// one now.
func (f *flags) moves(st *ssa.Store) {
	field, ok := st.Addr.(*ssa.FieldAddr)
	if _, pointer := st.Val.Type().Underlying().(*types.Pointer); !ok || !pointer {
		return
	}
	again := func(instr ssa.Instruction) bool {
		other, ok := instr.(*ssa.FieldAddr)
		return ok && other != field && other.X == field.X && other.Field == field.Field && slices.ContainsFunc(*other.Referrers(), func(instr ssa.Instruction) bool {
			st, ok := instr.(*ssa.Store)
			return ok && st.Addr == other
		})
	}
	class := funcVar(field)
	if made, ok := field.X.(*ssa.Alloc); !ok || slices.ContainsFunc(*made.Referrers(), again) {
		f.other[class] = !class.IsZero()
	}
}

// announced returns those of ends that somebody can wait for: a goroutine that adds itself to its group, or others when it has
// told its end, may do so when the wait is over.
func (a *analysis) announced(ends []Signal) []Signal {
	return slices.DeleteFunc(ends, func(sig Signal) bool { return sig.By == Group && a.addsLate(sig.Path) })
}

// addsLate reports whether the function adds to the group at p other than for what it starts before it calls Done.
func (a *analysis) addsLate(p access.Path) bool {
	adds, dones := a.callsOn(p, model.Add), a.callsOn(p, model.Done)
	for _, add := range adds {
		if !a.startsAfter(add) {
			return true
		}
		for _, done := range dones {
			if _, deferred := done.(*ssa.Defer); !deferred && mayPrecede(done, add) {
				return true
			}
		}
	}
	return len(adds) > 0 && len(dones) == 0
}

// startsAfter reports whether the function may start a goroutine when it has come through instr.
func (a *analysis) startsAfter(instr ssa.Instruction) bool {
	return slices.ContainsFunc(a.fn.Blocks, func(b *ssa.BasicBlock) bool {
		return slices.ContainsFunc(b.Instrs, func(start ssa.Instruction) bool {
			_, ok := start.(*ssa.Go)
			return ok && mayPrecede(instr, start)
		})
	})
}

// callsOn returns the calls of the method key of the group at p, deferred ones too.
func (a *analysis) callsOn(p access.Path, key string) []ssa.CallInstruction {
	var out []ssa.CallInstruction
	for _, b := range a.fn.Blocks {
		for _, instr := range b.Instrs {
			if call, ok := instr.(ssa.CallInstruction); ok && isCallOf(call.Common(), key) && a.names.Ref(call.Common().Args[0]).Path == p {
				out = append(out, call)
			}
		}
	}
	return out
}

// joined returns what a goroutine that runs t holds: the groups that it tells its end, more besides.
func (a *analysis) joined(t target, more []Signal) Set {
	ends := more
	if t.effect != nil {
		ends = slices.Concat(more, substSignals(t.effect.Ends, t.binding()))
	}
	var out Set
	for _, sig := range ends {
		if sig.By == Group && !a.flags.other[sig.Class] {
			out = out.With(held(sig, Write))
		}
	}
	return out
}

// held returns the group of sig as it is held in mode.
func held(sig Signal, mode Mode) Held {
	return Held{Path: sig.Path, Class: sig.Class, Mode: mode, Once: true, Flag: true, Group: true}
}

// waitedFor notes that the goroutines of the group of sig have ended.
func (a *analysis) waitedFor(sig Signal, s *state) {
	if sig.By != Group || a.flags.other[sig.Class] {
		return
	}
	a.rec.flagUse(access.Ref{Path: sig.Path, Var: sig.Class}, true, Read, s)
	a.each(s, func(alt *alternative) { alt.Held = alt.Held.Without(sig.Path).With(held(sig, Read)) })
}

// joins notes that one more goroutine is of the groups that ends tell.
func (a *analysis) joins(ends []Signal, s *state) {
	for _, sig := range ends {
		if sig.By == Group {
			a.each(s, func(alt *alternative) {
				if h, ok := alt.Held.Find(sig.Path); ok && h.Once && h.Mode == Read {
					alt.Held = alt.Held.Without(sig.Path)
				}
			})
		}
	}
}
