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
	many := inLoop(instr.Block(), nil)
	switch {
	case t.effect != nil:
		a.begin(s, site, t)
		a.rec.edge(a, Edge{Callee: t.key, Pos: instr.Pos(), Params: t.params, Free: t.free, Start: model.Go, Site: site, Many: many}, instr, s)
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
		s.after = addStarted(s.after, Started{Site: site})
		a.giveAway(t.params, instr, s)
	case t.builtin == "":
		if k := t.value.Root.Kind; k == access.Param || k == access.Free {
			a.rec.invoke(Invoke{Func: t.value, Start: model.Go, Site: site, Many: many, After: sites(s.after), Params: t.params})
		}
		a.share(s, t.value.Root)
		s.after = addStarted(s.after, Started{Site: site})
	}
}

// start handles that an external function has f run concurrently, as by says.
func (a *analysis) start(instr ssa.CallInstruction, f access.Ref, by model.Runs, t target, s *state) {
	a.shareRef(s, f)
	how, site := by.How, a.site(instr)
	if how.Served() {
		site = a.served(by, instr)
	}
	many := by.Many() || inLoop(instr.Block(), nil)
	if f.Func == nil {
		a.rec.invoke(Invoke{Func: f.Path, Start: how, By: by.By, Site: site, Many: many, After: sites(s.after)})
		if !how.Served() {
			s.after = addStarted(s.after, Started{Site: site, Done: t.params[0].Path})
		}
		return
	}
	ct := a.funcTarget(f.Func, nil)
	if !how.Served() {
		a.begin(s, site, ct)
		if how == model.Go { // a group: waiting for it waits for this
			s.after = addStarted(slices.DeleteFunc(slices.Clone(s.after), func(x Started) bool { return x.Site == site }), Started{site, t.params[0].Path})
		}
	}
	if ct.effect != nil {
		a.rec.edge(a, Edge{Callee: ct.key, Pos: posOf(instr), Params: ct.params, Free: ct.free, Start: how, By: by.By, Site: site, Many: many}, instr, s)
	}
}

// begin notes that a goroutine running t was started at site.
func (a *analysis) begin(s *state, site string, t target) {
	if t.effect == nil {
		s.after = addStarted(s.after, Started{Site: site})
		return
	}
	var done access.Path
	for _, d := range t.effect.Dones {
		done = t.binding().Path(d)
	}
	s.after = addStarted(s.after, Started{site, done})
	for _, st := range t.effect.Starts {
		s.after = addStarted(s.after, Started{st.Site, t.binding().Path(st.Done)})
	}
}

// wait removes the goroutines that end before a wait for the group at p returns.
func (a *analysis) wait(p access.Path, s *state) {
	if p.Known() {
		s.after = slices.DeleteFunc(slices.Clone(s.after), func(x Started) bool { return x.Done == p })
	}
}

func (a *analysis) site(instr ssa.Instruction) string { return a.position(posOf(instr)) }

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
