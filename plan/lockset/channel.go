package lockset

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file orders what comes before the close of a channel and what comes after a receive from it:
//
//	go func() { s.m = load(); close(s.done) }()
//	<-s.done
//	use(s.m)
//
// It is told like a sync.Once: until it closes the channel, a function holds it for writing; whoever
// received from it holds it for reading. A channel that is also sent on orders nothing here.

// beforeClose returns the point at the start of the function: it holds the channels that it is going
// to close, once, wherever it goes.
func (a *analysis) beforeClose() Point {
	var p Point
	for _, b := range a.fn.Blocks {
		for _, instr := range b.Instrs {
			if ch, ok := closed(instr); ok && !inLoop(b, nil) {
				if ref := a.names.Ref(ch); isGiven(ref.Path.Root) || ref.Path.Root.Kind == access.Global {
					p.Held = p.Held.With(Held{Path: ref.Path, Class: ref.Var, Mode: Write, Once: true})
				}
			}
		}
	}
	return p
}

// closed returns the channel that instr closes, or will close when the function returns.
func closed(instr ssa.Instruction) (ssa.Value, bool) {
	call, ok := instr.(ssa.CallInstruction)
	if !ok {
		return nil, false
	}
	b, ok := call.Common().Value.(*ssa.Builtin)
	if !ok || b.Name() != "close" {
		return nil, false
	}
	return call.Common().Args[0], true
}

// closes ends the hold of a channel.
func (a *analysis) closes(ch ssa.Value, s *state) {
	path := a.names.Ref(ch).Path
	a.each(s, func(alt *alternative) { alt.Held = alt.Held.Without(path) })
}

// received notes a receive from a channel.
func (a *analysis) received(ch ssa.Value, s *state) {
	ref := a.names.Ref(ch)
	a.each(s, func(alt *alternative) {
		alt.Held = alt.Held.With(Held{Path: ref.Path, Class: ref.Var, Mode: Read, Once: true})
	})
}

// each changes every alternative of s.
func (a *analysis) each(s *state, change func(*alternative)) {
	alts := slices.Clone(s.alts)
	s.alts = nil
	for _, alt := range alts {
		change(&alt)
		s.alts = merge(s.alts, alt)
	}
}
