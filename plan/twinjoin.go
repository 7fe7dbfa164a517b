package plan

import (
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/region"
)

// This file lets a section take in calls of a function that is split. They become calls of its twin, and belong to the other
// uses there:
//
//	if s.Get(k) == 0 {
//		s.m[k] = 1
//	}

// join is a call of a function that is split, in a function that gets a section.
type join struct {
	twin *twin
	edge *lockset.Edge
}

// joins are all calls in a function of some of the functions that are split.
type joins []join

// joinsAt returns the calls that the sections of cs at s may take in.
func (d *decider) joinsAt(s spot, cs []*candidate) joins {
	var out joins
	for _, key := range sortedKeys(d.twins) {
		t := d.twins[key]
		own := t.class == cs[0].guard.class
		var found joins
		for _, e := range d.world.Callers(key) {
			switch {
			case !own || e.Start != "" || d.moved[e.Pos] || enclosing(e.Caller) != enclosing(s.fn):
			case e.Caller != s.fn || e.Stored || e.Dispatched || e.Applied || !d.isSpelled(s, e.Binding().Path(t.path), t.class):
				own = false
			default:
				found = append(found, join{t, e})
			}
		}
		if own {
			out = append(out, found...)
		}
	}
	return out
}

// isSpelled reports whether the lock of s is p, in terms of its function, a lock of that class. One that is embedded is not
// spelled out.
func (d *decider) isSpelled(s spot, p access.Path, class access.Var) bool {
	root := rootName(p.Root, d.world.Bodies[s.fn])
	if p.Root.Kind == access.Global {
		_, root = access.SplitKey(p.Root.Name)
	}
	return root+p.Sel == s.lock || root+p.Sel == s.lock+"."+class.Field
}

// moves reports whether all calls of the function key are among js.
func (js joins) moves(key string) bool {
	return slices.ContainsFunc(js, func(j join) bool { return j.twin.key == key })
}

// cases returns cs, and what else js are for: a section with one of them is needed by the mends of those, too.
func (js joins) cases(cs []*candidate) []*candidate {
	out := slices.Clone(cs)
	for _, j := range js {
		for _, c := range j.twin.cases {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// belongTo reports whether one of js and one of uses are a read and a write that may depend on it: they must not be parted.
func (js joins) belongTo(uses []region.Use) bool {
	depends := func(first, then region.Use) bool { return !first.Writes && then.Writes && first.Pos < then.Pos }
	return slices.ContainsFunc(js.uses(), func(call region.Use) bool {
		return slices.ContainsFunc(uses, func(u region.Use) bool { return depends(call, u) || depends(u, call) })
	})
}

// uses returns js as uses of the map.
func (js joins) uses() []region.Use {
	var out []region.Use
	for _, j := range js {
		out = append(out, region.Use{Pos: j.edge.Pos, Writes: j.twin.stores})
	}
	return out
}

// in returns those of js that stand in sec.
func (js joins) in(sec region.Section) joins {
	return slices.DeleteFunc(slices.Clone(js), func(j join) bool { return j.edge.Pos < sec.Pos() || sec.End() <= j.edge.Pos })
}

// of reports whether c is mended by one of js.
func (js joins) of(c *candidate) bool {
	return slices.ContainsFunc(js, func(j join) bool { return slices.Contains(j.twin.cases, c) })
}

// write reports whether one of js in sec needs the lock for writing.
func (js joins) write(sec region.Section) bool {
	return slices.ContainsFunc(js.in(sec), func(j join) bool { return j.twin.writes })
}

// join notes that those of js in sec become calls of the twins.
func (js joins) join(sec region.Section) {
	for _, j := range js.in(sec) {
		j.twin.joins = append(j.twin.joins, j.edge)
	}
}

// findJoined finds the names in the calls of t that sections take in, or says why one cannot be renamed.
func (d *decider) findJoined(t *twin) (why string) {
	for _, e := range t.joins {
		span, why := d.callOf(t, e)
		if why != "" {
			return why
		}
		if !slices.Contains(t.calls, span) {
			t.calls = append(t.calls, span)
		}
	}
	slices.SortFunc(t.calls, Span.compare)
	return ""
}
