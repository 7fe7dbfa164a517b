package plan

import (
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/model"
	"mapmend/plan/region"
	"mapmend/plan/share"
)

// This file says what the callees in a section do.

// effects answers package region from the summaries.
type effects struct {
	d      *decider
	in     function
	at     spot
	cases  []*candidate
	guard  guard
	orders *lockOrders
	outer  []access.Var
	moved  func(key string) bool // reports whether all calls of a function are to be calls of its twin; nil: of none
	taken  []access.Var          // locks that calls in a section, or in one that was tried, take
}

// Total implements region.Effects.
func (e *effects) Total(callee *types.Func) bool { return model.Total(access.ObjectKey(callee)) }

// Assigns implements region.Effects.
func (e *effects) Assigns(callee *types.Func, vars []access.Var) bool {
	return e.d.world.Assigns(access.ObjectKey(callee), vars)
}

// Spins implements region.Effects.
func (e *effects) Spins(from, to token.Pos) token.Pos {
	if i, _ := slices.BinarySearch(e.d.spins, from); i < len(e.d.spins) && e.d.spins[i] < to {
		return e.d.spins[i]
	}
	return token.NoPos
}

// Locked implements region.Effects.
func (e *effects) Locked(from, to token.Pos) bool {
	return slices.ContainsFunc(e.d.cases, func(c *candidate) bool {
		return !c.dropped && slices.ContainsFunc(c.needs, func(n need) bool {
			return n.fn == e.at.fn && n.lock != e.at.lock && from <= n.pos && n.pos < to
		})
	})
}

// Opposed implements region.Effects.
func (e *effects) Opposed(from, to token.Pos) (pos token.Pos, why string) {
	start, end := e.d.prog.Fset.Position(from).Offset, e.d.prog.Fset.Position(to).Offset
	for _, s := range e.d.placed[e.at.fn] {
		if s.Lock != e.at.lock && start <= s.Start && s.Start < end {
			if why := e.orders.wouldCycle(e.guard.class, s.class); why != "" {
				return from + token.Pos(s.Start-start), why
			}
		}
	}
	return token.NoPos, ""
}

// spinsOf returns something in each loop of the program of w that may wait for another goroutine, sorted.
func spinsOf(w *share.World) []token.Pos {
	var out []token.Pos
	for _, b := range w.Bodies {
		out = append(out, b.Spins...)
	}
	slices.Sort(out)
	return out
}

// Iterates implements region.Effects.
func (e *effects) Iterates(callee *types.Func) (code, why string) {
	if eff := e.d.world.Effects[access.ObjectKey(callee)]; eff != nil {
		for _, r := range eff.Results {
			if r.Func == nil {
				return region.CallInRegion, "a range over what " + callee.Name() + " returns"
			}
			if code, why := e.known(r.Func.Key, callee.Name()); code != "" {
				return code, why
			}
		}
	}
	return e.Hazard(callee)
}

// Hazard implements region.Effects.
func (e *effects) Hazard(callee *types.Func) (code, why string) {
	key := access.ObjectKey(callee)
	name := callee.Name()
	if code, why := e.known(key, name); code != "" || e.d.world.Effects[key] != nil {
		return code, why
	}
	switch {
	case !model.Lock(name).IsZero() && callee.Signature().Params().Len() == 0:
		return region.LockOrder, "a call of " + name + " of a lock"
	case model.Blocking(key):
		return region.BlockInRegion, "a call of " + access.ShortCall(key)
	case isPure(callee):
		return "", ""
	}
	return region.CallInRegion, "a call of " + access.ShortCall(key)
}

// known returns what is known against a call of the function key, which people call name.
func (e *effects) known(key, name string) (code, why string) {
	gains := slices.SortedFunc(maps.Keys(e.d.gains[key]), func(a, b access.Var) int { return strings.Compare(a.String(), b.String()) })
	for _, gained := range gains {
		if t := e.d.twins[key]; t != nil && t.class == gained && e.moved != nil && e.moved(key) {
			continue
		}
		if gained == e.guard.class {
			return region.LockOrder, "a call of " + name + ", which is to take " + e.guard.name + " too"
		}
		if why := e.orders.wouldCycle(e.guard.class, gained); why != "" {
			return region.LockOrder, "a call of " + name + ": " + why
		}
		e.taken = append(e.taken, gained)
	}
	if eff := e.d.world.Effects[key]; eff != nil {
		for _, a := range eff.Acquires {
			if a == e.guard.class || a.IsZero() {
				return region.LockOrder, "a call of " + name + ", which takes " + e.guard.name
			}
			if why := e.orders.wouldCycle(e.guard.class, a); why != "" {
				return region.LockOrder, "a call of " + name + ": " + why
			}
			e.taken = append(e.taken, a)
		}
		for _, once := range eff.Onces {
			if why := e.orders.wouldCycle(e.guard.class, once); why != "" {
				return region.LockOrder, "a call of " + name + ": " + why
			}
			e.taken = append(e.taken, once)
		}
		switch {
		case eff.Blocks != "":
			return region.BlockInRegion, "a call of " + name + ", which leads to " + eff.Blocks
		case eff.Unknown != "":
			return region.CallInRegion, "a call of " + name + ", which leads to " + eff.Unknown
		}
	}
	return "", ""
}
