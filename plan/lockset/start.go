package lockset

import (
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file is the transfer function of what starts goroutines and of what waits for their end.

// ServeSite is the start of every handler that was registered before a server began to serve. The starts of
// what is run by one goroutine of a library begin with it.
const ServeSite = "serve"

// againPrefix begins the site of what a function has started by calling itself.
const againPrefix = "again:"

func againSite(fn, site string) string { return againPrefix + fn + " " + site }

// Again returns the site where something is started and, when that was done by a function that called itself, this
// function: what it made itself is another thing there.
func Again(site string) (first, fn string) {
	rest, again := strings.CutPrefix(site, againPrefix)
	if !again {
		return site, ""
	}
	fn, first, _ = strings.Cut(rest, " ")
	return first, fn
}

// isOwnSite reports whether the function itself starts what is started at site.
func (a *analysis) isOwnSite(site string) bool {
	if a.ownSites == nil {
		a.ownSites = make(map[string]bool)
		for _, b := range a.fn.Blocks {
			for _, instr := range b.Instrs {
				if _, ok := instr.(ssa.CallInstruction); ok {
					a.ownSites[a.site(instr)] = true
				}
			}
		}
	}
	return a.ownSites[site]
}

// goes handles a go statement.
func (a *analysis) goes(instr *ssa.Go, s *state) {
	t := a.target(instr)
	a.confide(s, t)
	site := a.site(instr)
	many := running(s.after, site)
	s.tells = nil
	a.starts[site] = instr
	switch {
	case t.effect != nil:
		a.rec.started(a, Edge{Callee: t.key, Pos: instr.Pos(), Params: t.params, Free: t.free, Start: model.Go, Site: site, Many: many}, t, nil, instr, s)
		a.begin(s, site, t)
		a.invokesFrom(instr, Invoke{Start: model.Go, Site: site, Many: many}, t, s)
	case t.key != "" && a.library.Synchronous(t.key):
		a.goesThrough(instr, t, Invoke{Start: model.Go, Site: site, Many: many}, s)
	case t.key != "":
		a.serves(instr, t, s)
		a.external(instr, t, s)
	case t.invoke != nil:
		a.rec.dispatches(instr, t, Edge{Start: model.Go, Site: site, Many: many}, s)
		a.begin(s, site, t)
		a.giveAway(t.params, instr, s)
	case t.builtin != "":
		a.goesBuiltin(instr, t, site, many, s)
	default:
		if k := t.value.Root.Kind; k == access.Param || k == access.Free {
			a.rec.invoke(Invoke{Func: t.value, Start: model.Go, Site: site, Many: many, Loop: a.rec.loop(instr), After: sites(s.after), Params: t.params})
		}
		a.rec.applies(Edge{Pos: instr.Pos(), Params: t.params, Start: model.Go, Site: site, Many: many}, instr, s)
		a.share(s, t.value.Root)
		a.begin(s, site, t)
	}
}

// goesThrough handles the start, as by says, of t, which is not of the program and runs the functions that it is given
// before it returns.
func (a *analysis) goesThrough(instr *ssa.Go, t target, by Invoke, s *state) {
	begun := false
	for _, f := range t.params {
		switch {
		case f.Func == nil && !a.isFunc(f):
			continue
		case f.Func == nil:
			by.Func, by.At, by.After, by.Loop = f.Path, t.around(Point{}), sites(s.after), t.key != model.Once
			a.rec.invoke(by)
			a.begin(s, by.Site, target{})
		default:
			ct := a.funcTarget(f.Func, nil)
			if ct.effect == nil {
				continue
			}
			for _, p := range s.points() {
				a.rec.edgeAt(a, Edge{Callee: ct.key, Pos: instr.Pos(), At: t.around(p), Loop: t.key != model.Once, Params: ct.params, Free: ct.free, Start: by.Start, Site: by.Site, Many: by.Many, After: sites(s.after)}, instr, s)
			}
			a.begin(s, by.Site, ct)
			a.invokesFrom(instr, by, ct, s)
		}
		begun = true
	}
	if !begun {
		a.begin(s, by.Site, t)
	}
}

// start handles that an external function has f run concurrently, as by says.
func (a *analysis) start(instr ssa.CallInstruction, f access.Ref, by model.Runs, t target, s *state) {
	if f.Func == nil || !by.How.Runs() {
		a.shareRef(s, f)
	} else {
		a.confide(s, a.funcTarget(f.Func, nil))
	}
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
		a.rec.invoke(Invoke{Func: f.Path, Start: how, By: by.By, Site: site, Many: many, Loop: a.rec.loop(instr), After: sites(s.after)})
		if !how.Served() {
			a.begin(s, site, target{}, ends...)
		}
		return
	}
	ct := a.funcTarget(f.Func, nil)
	if ct.effect != nil {
		a.rec.started(a, Edge{Callee: ct.key, Pos: posOf(instr), Params: ct.params, Free: ct.free, Start: how, By: by.By, Site: site, Many: many}, ct, ends, instr, s)
	}
	if !how.Served() {
		a.begin(s, site, ct, ends...)
	}
	if ct.effect != nil {
		a.invokesFrom(instr, Invoke{Start: how, By: by.By, Site: site, Many: many}, ct, s)
	}
}

// invokesFrom handles the functions that t runs, which was started as by says, and which it was given or captured:
//
//	go run(f) // with run calling f
func (a *analysis) invokesFrom(instr ssa.CallInstruction, by Invoke, t target, s *state) {
	for _, inv := range t.effect.Invokes {
		if inv.Start == "" {
			inv.Start, inv.By, inv.Site, inv.Many, inv.Within = by.Start, by.By, by.Site, by.Many, true
		}
		a.invoke(instr, inv, t, s)
	}
}

func (a *analysis) site(instr ssa.Instruction) string { return a.position(posOf(instr)) }

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
