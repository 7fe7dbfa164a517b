package lockset

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file is the transfer function of what starts goroutines and of what waits for their end.

// ServeSite is the start of every handler that was registered before a server began to serve. The starts of
// what is run by one goroutine of a library begin with it.
const ServeSite = "serve"

// goes handles a go statement.
func (a *analysis) goes(instr *ssa.Go, s *state) {
	t := a.target(instr)
	for _, p := range t.params {
		a.shareRef(s, p)
	}
	for _, f := range t.free {
		a.share(s, f.Path.Root)
	}
	site := a.site(instr)
	many := running(s.after, site)
	s.tells = nil
	a.starts[site] = instr
	switch {
	case t.effect != nil:
		a.rec.edge(a, Edge{Callee: t.key, Pos: instr.Pos(), Params: t.params, Free: t.free, Start: model.Go, Site: site, Many: many}, instr, s)
		a.begin(s, site, t)
		for _, inv := range t.effect.Invokes { // go run(f), with run calling f
			if inv.Start == "" {
				inv.Start, inv.Site, inv.Many, inv.Within = model.Go, site, many, true
			}
			a.invoke(instr, inv, t, s)
		}
	case t.key != "":
		if a.library.Serves(t.key) {
			s.after = addStarted(s.after, Started{Site: ServeSite})
		}
		a.external(instr, t, s)
	case t.invoke != nil:
		a.begin(s, site, t)
		a.giveAway(t.params, instr, s)
	case t.builtin != "":
		a.goesBuiltin(instr, t, site, many, s)
	default:
		if k := t.value.Root.Kind; k == access.Param || k == access.Free {
			a.rec.invoke(Invoke{Func: t.value, Start: model.Go, Site: site, Many: many, After: sites(s.after), Params: t.params})
		}
		a.rec.applies(Edge{Pos: instr.Pos(), Params: t.params, Start: model.Go, Site: site, Many: many}, instr, s)
		a.share(s, t.value.Root)
		a.begin(s, site, t)
	}
}

// start handles that an external function has f run concurrently, as by says.
func (a *analysis) start(instr ssa.CallInstruction, f access.Ref, by model.Runs, t target, s *state) {
	a.shareRef(s, f)
	how, site := by.How, a.site(instr)
	if how.Served() {
		site = a.served(by, instr)
	}
	a.starts[site] = instr
	many := by.Many() || running(s.after, site)
	var ends []Signal // a group: waiting for it waits for this
	if how == model.Go {
		ends = addSignal(nil, Signal{t.params[0].Path, t.params[0].Var, Group})
	}
	if f.Func == nil {
		a.rec.invoke(Invoke{Func: f.Path, Start: how, By: by.By, Site: site, Many: many, After: sites(s.after)})
		if !how.Served() {
			a.begin(s, site, target{}, ends...)
		}
		return
	}
	ct := a.funcTarget(f.Func, nil)
	if ct.effect != nil {
		a.rec.edge(a, Edge{Callee: ct.key, Pos: posOf(instr), Params: ct.params, Free: ct.free, Start: how, By: by.By, Site: site, Many: many}, instr, s)
	}
	if !how.Served() {
		a.begin(s, site, ct, ends...)
	}
}

func (a *analysis) site(instr ssa.Instruction) string { return a.position(posOf(instr)) }

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
