package lockset

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file says what a function does that a loop around a call of it can wait for, or get on by.

// Deeds is what a function, or what it calls, does.
type Deeds uint8

// The deeds.
const (
	Reads   Deeds = 1 << iota // what others may change
	Locks                     // takes a lock
	Polls                     // asks for what others do, without waiting for them: an atomic variable, whether a channel is ready
	Changes                   // anything that others may see
	Guesses                   // calls what is not known
)

// deeds returns what instr does.
func (a *analysis) deeds(instr ssa.Instruction) Deeds {
	switch instr := instr.(type) {
	case *ssa.Store:
		return changesIn(instr.Addr)
	case *ssa.MapUpdate:
		return changesIn(instr.Map)
	case *ssa.Send, *ssa.Go:
		return Changes
	case *ssa.UnOp:
		switch {
		case instr.Op == token.ARROW:
			return Changes
		case instr.Op == token.MUL && !isOwn(instr.X):
			return Reads
		}
	case *ssa.Lookup, *ssa.Range:
		return Reads
	case *ssa.Select:
		if instr.Blocking {
			return Changes
		}
		return Polls
	case ssa.CallInstruction:
		return a.callDeeds(instr)
	}
	return 0
}

func (a *analysis) callDeeds(instr ssa.CallInstruction) Deeds {
	t := a.target(instr)
	if t.builtin != "" {
		return builtinDeeds(t.builtin, instr.Common().Args)
	}
	switch op, _ := a.lockOp(t); {
	case op.Try:
		return Polls
	case op.Acquire:
		return Locks
	case op.Release:
		return 0
	}
	switch {
	case t.effect != nil:
		return t.effect.Deeds
	case t.invoke != nil && !model.Polls(access.ObjectKey(t.invoke)), t.invoke == nil && t.key == "":
		return Guesses
	case t.invoke != nil || model.Polls(t.key):
		return Polls
	case model.Clock(t.key):
		return Guesses // anything may have happened the next time
	case model.Idle(t.key), model.Pure(t.key) && !model.Random(t.key) && givesNothing(instr.Common()):
		return 0
	}
	return Changes
}

func builtinDeeds(name string, args []ssa.Value) Deeds {
	switch name {
	case "len", "cap":
		if _, ok := args[0].Type().Underlying().(*types.Chan); ok {
			return Polls
		}
	case "copy", "delete", "clear":
		return changesIn(args[0])
	case "close":
		return Changes
	}
	return 0
}

// changesIn returns what a change of what x leads to is.
func changesIn(x ssa.Value) Deeds {
	if isOwn(x) {
		return 0
	}
	return Changes
}

// isOwn reports whether x is, or lies in, something that the function makes itself.
func isOwn(x ssa.Value) bool {
	for {
		switch v := x.(type) {
		case *ssa.Alloc, *ssa.MakeMap, *ssa.MakeSlice:
			return true
		case *ssa.FieldAddr:
			x = v.X
		case *ssa.IndexAddr:
			x = v.X
		case *ssa.Slice:
			x = v.X
		default:
			return false
		}
	}
}
