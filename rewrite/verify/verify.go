// This file is the search for a set of mends that can be proved, and the table of invariants.

package verify

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
)

// Options says how a program is loaded and analysed again.
type Options struct {
	Load       func(overlay map[string][]byte) (*load.Program, error) // loads the program again, as it was loaded but for the content of some files
	Analyze    func(*load.Program) (*plan.Plan, error)                // makes the plan of a program, as the one to prove was made
	Confidence plan.Confidence                                        // findings below do not count
}

// invariants lists what must hold, cheapest first. The first that fails ends the proof: those after it
// may rely on those before.
var invariants = []struct {
	name  string
	check func(*proof) []failure
}{
	{"OnlyRequired", onlyRequired},
	{"RoundTrips", roundTrips},
	{"Formatted", formatted},
	{"SameBody", sameBody},
	{"OnlyPlanned", onlyPlanned},
	{"EvalOrder", evalOrder},
	{"KeptLines", keptLines},
	{"TypeChecks", typeChecks},
	{"SameNames", sameNames},
	{"TwinCalls", twinCalls},
	{"SameAPI", sameAPI},
	{"NoCopiedLock", noCopiedLock},
	{"Receivers", receivers},
	{"NoNewBlocking", noNewBlocking},
	{"Footprint", footprint},
	{"FreedGuard", freedGuard},
	{"LockOrder", lockOrder},
	{"NoBareUse", noBareUse},
	{"Clean", clean},
	{"Idempotent", idempotent},
}

// loaded is the name of the first invariant that needs the program after the changes, and analyzed that
// of the first that needs its plan.
const (
	loaded   = "TypeChecks"
	analyzed = "LockOrder"
)

// A failure is one violation of an invariant.
type failure struct {
	pos     plan.Pos   // where, in the program after; may be unknown
	was     plan.Pos   // where, in the program before; if unknown, where pos was
	vars    []plan.Var // the variables whose mend is to blame; empty when only the file is known
	message string
}

// A proof is one set of mends with everything that the invariants look at.
type proof struct {
	plan     *plan.Plan       // the plan with only the mends that are carried out
	changes  []rewrite.Change // of Go files
	required []rewrite.Change // of what modules require
	before   *load.Program
	after    *load.Program // nil before loaded
	again    *plan.Plan    // the plan of after; nil before analyzed
	opt      Options
}

// Prove returns changes if all invariants hold for them. Mends that violate one are refused with the code
// not-proved and the rest is rewritten and proved without them.
//
// Precondition: changes is what rewrite.Rewrite makes of prog and p. Mends of p that Rewrite refused are
// passed over in silence: the caller has their refusals. An error means that the program could not be
// loaded or analysed again, so that nothing is known.
func Prove(prog *load.Program, p *plan.Plan, changes []rewrite.Change, opt Options) (proved []rewrite.Change, refused []plan.Refusal, err error) {
	if opt.Load == nil || opt.Analyze == nil {
		return nil, nil, errors.New("verify: no Load or no Analyze")
	}
	made, left := rewrite.Rewrite(prog, p)
	if !slices.EqualFunc(made, changes, sameChange) {
		return nil, nil, errors.New("verify: the changes are not those of the plan")
	}
	s := &search{prog: prog, plan: p, opt: opt}
	var mends []int
	for i, m := range p.Mends {
		if !slices.ContainsFunc(left, func(r plan.Refusal) bool { return r.Var == m.Var }) {
			mends = append(mends, i)
		}
	}
	set, err := s.largest(mends)
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(s.refused, func(a, b plan.Refusal) int {
		return cmp.Or(cmp.Compare(a.Var.String(), b.Var.String()), cmp.Compare(a.Message, b.Message))
	})
	return set.all(), s.refused, nil
}

func sameChange(a, b rewrite.Change) bool {
	return a.File == b.File && string(a.Old) == string(b.Old) && string(a.New) == string(b.New) && a.Create == b.Create
}

// A search looks for mends that can be proved together. A set is a list of indices of plan.Mends.
type search struct {
	prog    *load.Program
	plan    *plan.Plan
	opt     Options
	refused []plan.Refusal
}

// largest returns the proof of as many of mends as it can, and refuses the others.
func (s *search) largest(mends []int) (*proof, error) {
	for {
		p, name, failed, err := s.prove(mends)
		if err != nil || failed == nil {
			return p, err
		}
		culprits, sure := s.culprits(mends, failed)
		if !sure {
			rest := slices.DeleteFunc(slices.Clone(mends), func(i int) bool { return slices.Contains(culprits, i) })
			base, p, err := s.grow(nil, nil, rest)
			if err == nil {
				_, p, err = s.grow(base, p, culprits)
			}
			return p, err
		}
		for _, i := range culprits {
			s.refuse(i, p, name, failed)
		}
		mends = slices.DeleteFunc(slices.Clone(mends), func(i int) bool { return slices.Contains(culprits, i) })
	}
}

// grow adds to base, which p proves, as many of more as it can, and returns the union with its proof.
func (s *search) grow(base []int, p *proof, more []int) ([]int, *proof, error) {
	if len(more) == 0 && p != nil {
		return base, p, nil
	}
	all := slices.Sorted(slices.Values(append(slices.Clone(base), more...)))
	next, name, failed, err := s.prove(all)
	switch {
	case err != nil:
		return nil, nil, err
	case failed == nil:
		return all, next, nil
	case len(more) == 0: // not even the empty set
		return nil, nil, fmt.Errorf("verify: %s fails without any change: %s", name, failed[0].message)
	case len(more) == 1:
		s.refuse(more[0], next, name, failed)
		if p == nil {
			return s.grow(base, nil, nil)
		}
		return base, p, nil
	}
	if base, p, err = s.grow(base, p, more[:len(more)/2]); err != nil {
		return nil, nil, err
	}
	return s.grow(base, p, more[len(more)/2:])
}

// culprits returns the mends of a set that failures may be due to. It is sure when each failure leads to
// mends that had to be at fault: those of the variables it names, or the only one that touches its file.
func (s *search) culprits(mends []int, failed []failure) (culprits []int, sure bool) {
	sure = true
	for _, f := range failed {
		var found []int
		for _, i := range mends {
			m := s.plan.Mends[i]
			if slices.Contains(f.vars, m.Var) || len(f.vars) == 0 && touches(m, f.pos.File) {
				found = append(found, i)
			}
		}
		if len(found) == 0 {
			return mends, len(mends) == 1
		}
		sure = sure && (len(f.vars) > 0 || len(found) == 1)
		culprits = append(culprits, found...)
	}
	slices.Sort(culprits)
	return slices.Compact(culprits), sure
}

// touches reports whether m has a place in file.
func touches(m plan.Mend, file string) bool {
	return slices.ContainsFunc(spansOf(m), func(s plan.Span) bool { return s.File == file })
}

// spansOf returns every place of m that is rewritten; the declaration is one only if a step changes it.
func spansOf(m plan.Mend) []plan.Span {
	var spans []plan.Span
	if m.Mutex != nil {
		spans = append(spans, m.Decl)
	}
	for _, s := range m.Sections {
		spans = append(spans, s.Span)
	}
	for _, c := range m.Modes {
		spans = append(spans, c.Span)
	}
	for _, t := range m.Twins {
		spans = append(append(spans, t.Span), t.Calls...)
	}
	for _, c := range m.Copies {
		spans = append(spans, c.Span)
	}
	for _, r := range m.Receivers {
		spans = append(spans, r.Span)
	}
	spans = append(append(spans, m.Addressed...), m.Asserted...)
	if m.One != nil {
		spans = append(spans, m.One.Type)
		for _, l := range m.One.Literals {
			spans = append(spans, l.Span)
		}
	}
	if m.Wrapper != nil {
		spans = append(spans, m.Decl, plan.Span{File: m.Wrapper.File})
		if m.Wrapper.Tests != nil {
			spans = append(spans, plan.Span{File: m.Wrapper.Tests.File})
		}
	}
	for _, l := range m.Lowered {
		spans = append(spans, l.Span)
	}
	return append(spans, freedSpans(m)...)
}

// refuse records that mend i failed the named invariant in p. No one but us has the program after, so the place is one in the
// program before: the declaration of the variable where the failure is about a line that is new.
func (s *search) refuse(i int, p *proof, name string, failed []failure) {
	m := s.plan.Mends[i]
	f := failed[0]
	for _, g := range failed {
		if slices.Contains(g.vars, m.Var) || len(g.vars) == 0 && touches(m, g.pos.File) {
			f = g
			break
		}
	}
	r := plan.Refusal{Code: plan.NotProved, Var: m.Var, Pos: cmp.Or(f.was, p.origin(f.pos)), Message: name + ": " + f.message}
	if r.Pos == (plan.Pos{}) {
		r.Pos = position(s.prog, m.Decl.File, m.Decl.Start)
	}
	s.refused = append(s.refused, r)
}

// prove rewrites the program with a set of mends and checks the invariants. A nil list of failures means
// that all hold; otherwise name is the invariant that does not.
func (s *search) prove(mends []int) (p *proof, name string, failed []failure, err error) {
	reduced := *s.plan
	reduced.Mends = nil
	for _, i := range mends {
		reduced.Mends = append(reduced.Mends, s.plan.Mends[i])
	}
	p = &proof{plan: &reduced, before: s.prog, opt: s.opt}
	var left []plan.Refusal
	var made []rewrite.Change
	made, left = rewrite.Rewrite(s.prog, &reduced)
	if p.changes, p.required = sources(made); len(left) > 0 {
		for _, r := range left { // it could be carried out only beside one that is gone
			failed = append(failed, failure{was: r.Pos, vars: []plan.Var{r.Var}, message: r.Message})
		}
		return p, "Rewrite", failed, nil
	}
	for _, inv := range invariants {
		if err := p.ready(inv.name); err != nil && inv.name == loaded && len(p.required) > 0 {
			return p, inv.name, p.unloadable(err), nil
		} else if err != nil {
			return nil, "", nil, err
		}
		if failed := inv.check(p); len(failed) > 0 {
			return p, inv.name, failed, nil
		}
	}
	return p, "", nil, nil
}

// ready makes what the named invariant and those after it look at. Without changes the program after is
// the program before.
func (p *proof) ready(name string) (err error) {
	switch {
	case name == loaded && len(p.changes) == 0:
		p.after = p.before
	case name == loaded:
		overlay := make(map[string][]byte)
		for _, c := range p.all() {
			overlay[p.abs(c)] = c.New
		}
		p.after, err = p.opt.Load(overlay)
	case name == analyzed && len(p.changes) == 0:
		p.again = &plan.Plan{}
	case name == analyzed:
		p.again, err = p.opt.Analyze(p.after)
	}
	return err
}

// all returns the changes of all files, sorted by name.
func (p *proof) all() []rewrite.Change {
	return slices.SortedFunc(slices.Values(slices.Concat(p.changes, p.required)), func(a, b rewrite.Change) int { return cmp.Compare(a.File, b.File) })
}

// abs returns the absolute name of the file of c.
func (p *proof) abs(c rewrite.Change) string {
	if f := fileOf(p.before, c.File); f != nil {
		return f.Abs
	}
	return filepath.Join(p.before.Root, filepath.FromSlash(c.File))
}

// origin returns where pos, a place in the program after, was in the program before, or the zero Pos.
func (p *proof) origin(pos plan.Pos) plan.Pos {
	if pos.Line == 0 {
		return plan.Pos{}
	}
	for _, c := range p.changes {
		if c.File == pos.File {
			pos.Line = c.OldLine(pos.Line)
		}
	}
	if pos.Line == 0 {
		return plan.Pos{}
	}
	return pos
}

// mended returns the mend of v, or nil.
func (p *proof) mended(v plan.Var) *plan.Mend {
	for i := range p.plan.Mends {
		if p.plan.Mends[i].Var == v {
			return &p.plan.Mends[i]
		}
	}
	return nil
}

// fileOf returns the named file of prog, or nil.
func fileOf(prog *load.Program, name string) *load.File {
	for _, pkg := range prog.Packages {
		for _, f := range pkg.Files {
			if f.Name == name {
				return f
			}
		}
	}
	return nil
}
