package lockset

import (
	"cmp"
	"slices"
	"strings"

	"mapmend/plan/access"
)

// This file knows the objects that a function makes and keeps in a container, where whoever has that finds them:
//
//	c := newClient()
//	s.clients[c.name] = c
//	go c.readLoop()

// maxHolds bounds how many containers are told in which a function keeps what it makes.
const maxHolds = 16

// hold notes that from, as a whole, is put at to.
func (a *analysis) hold(from access.Ref, to access.Path) {
	if from.Func != nil || from.Path.Sel != "" || !from.Path.Known() || to.Root.Kind == access.Unknown {
		return
	}
	if a.holds == nil {
		a.holds = make(map[access.Root][]stored)
	}
	if in := (stored{from: from.Path.Root, sel: to.Sel}); !slices.Contains(a.holds[to.Root], in) {
		a.holds[to.Root] = append(a.holds[to.Root], in)
	}
}

// held returns the objects that the function makes and keeps, by way of whatever, in a container that has a name.
func (a *analysis) held() []Into {
	var out []Into
	for to := range a.holds {
		if to.Kind == access.Local {
			continue
		}
		seen := map[access.Root]bool{to: true}
		var add func(at access.Path, holder access.Root)
		add = func(at access.Path, holder access.Root) {
			for _, in := range a.holds[holder] {
				if seen[in.from] {
					continue
				}
				seen[in.from] = true
				p := at.Join(in.sel)
				if in.from.Kind == access.Made && strings.Contains(p.Sel, "[]") {
					out = append(out, Into{in.from, p})
				}
				add(p, in.from)
			}
		}
		add(access.Path{Root: to}, to)
	}
	slices.SortFunc(out, func(a, b Into) int { return cmp.Or(compareRoots(a.From, b.From), comparePaths(a.To, b.To)) })
	return out[:min(len(out), maxHolds)]
}
