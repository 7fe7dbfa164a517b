package lockset

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file finds out what a call calls, and what its results refer to.

// target is what a call calls.
type target struct {
	key     string       // empty: not known
	params  []access.Ref // what its parameters are bound to
	free    []access.Ref // what its captured variables are bound to
	made    []access.Renamed
	effect  *Effect     // nil when the program has no body of it
	value   access.Path // of the called function value, when key is empty
	invoke  *types.Func // the interface method, for a call through an interface
	builtin string
	recv    ssa.Value // the first argument of a static call, or the interface
}

func (t target) binding() access.Binding {
	return access.Binding{Params: t.params, Free: t.free, Made: t.made}
}

// target returns what call calls.
func (a *analysis) target(call ssa.CallInstruction) target {
	t, ok := a.targets[call]
	if !ok {
		t = a.findTarget(call.Common())
		if a.targets == nil {
			a.targets = make(map[ssa.CallInstruction]target)
		}
		a.targets[call] = t
	}
	return t
}

func (a *analysis) findTarget(c *ssa.CallCommon) target {
	if c.IsInvoke() {
		return target{invoke: c.Method, params: append([]access.Ref{a.names.Ref(c.Value)}, a.names.Refs(c.Args)...), recv: c.Value}
	}
	switch v := c.Value.(type) {
	case *ssa.Builtin:
		return target{builtin: v.Name()}
	case *ssa.Function:
		t := target{key: access.FuncKey(v), params: a.names.Refs(c.Args)}
		if len(c.Args) > 0 {
			t.recv = c.Args[0]
		}
		t.effect = a.bodyOf(t.key)
		return t
	}
	ref := a.names.Ref(c.Value)
	if ref.Func == nil {
		return target{value: ref.Path, params: a.names.Refs(c.Args)}
	}
	t := a.funcTarget(ref.Func, a.names.Refs(c.Args))
	if mc, ok := c.Value.(*ssa.MakeClosure); ok && len(ref.Func.Bound) > 0 {
		t.recv = mc.Bindings[0]
	}
	return t
}

func (a *analysis) funcTarget(f *access.FuncRef, args []access.Ref) target {
	t := target{key: f.Key, params: slices.Concat(f.Bound, args), free: f.Free}
	t.effect = a.bodyOf(t.key)
	return t
}

// bodyOf returns the effect of the function key, unless the model says what it does: the bodies of
// package sync, seen when the standard library itself is analysed, show atomics and not locks.
func (a *analysis) bodyOf(key string) *Effect {
	if model.Knows(key) {
		return nil
	}
	return a.effect(key)
}

// Results returns what the results of call refer to.
func (a *analysis) Results(call ssa.CallInstruction) []access.Ref {
	t := a.target(call)
	if t.key == model.Locker && len(t.params) == 1 {
		return []access.Ref{t.params[0]}
	}
	if model.MapUse(t.key, 0) == model.Aliases && len(t.params) == 1 {
		return []access.Ref{t.params[0]}
	}
	if t.effect == nil {
		return nil
	}
	return t.binding().Refs(t.effect.Results)
}
