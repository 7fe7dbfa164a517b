package lockset

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file records how a function can return: what it holds then, and what its results are.

func (r *recorder) returns(instr *ssa.Return, s *state) {
	e := r.effect
	for _, st := range s.after {
		e.Starts = addStarted(e.Starts, st)
	}
	waited, ends := outside(s.waited), r.a.announced(outside(s.ends()))
	if r.ways > 0 {
		waited, ends = both(e.Waits, waited), both(e.Ends, ends)
	}
	e.Waits, e.Ends = waited, ends
	r.ways++
	for _, root := range r.a.numbers.all(s.escaped) {
		if isGiven(root) && !slices.Contains(e.Shares, root) {
			e.Shares = append(e.Shares, root)
		}
	}
	for _, root := range r.a.numbers.all(s.public) {
		if isGiven(root) && !slices.Contains(e.Shows, root) {
			e.Shows = append(e.Shows, root)
		}
	}
	results := access.Results(instr)
	for i, v := range results {
		r.result(i, len(results), v, instr, s)
		if (isPointer(v.Type()) || access.IsMap(v.Type())) && !slices.Contains(e.Nils, i) && r.a.isNil(v, make(map[ssa.Value]bool)) {
			e.Nils = append(e.Nils, i)
		}
	}
	for _, alt := range s.alts {
		var facts []fact
		for _, v := range results {
			facts = append(facts, alt.factOf(v))
		}
		r.returned = append(r.returned, alt)
		r.facts = append(r.facts, facts)
	}
}

// isGiven reports whether r is something that the caller gave.
func isGiven(r access.Root) bool { return r.Kind == access.Param || r.Kind == access.Free }

// isOutside reports whether r is something that callers have a name for.
func isOutside(r access.Root) bool { return isGiven(r) || r.Kind == access.Global }

// outside returns those of sigs that callers have a name for.
func outside(sigs []Signal) []Signal {
	return slices.DeleteFunc(slices.Clone(sigs), func(sig Signal) bool { return !isOutside(sig.Path.Root) })
}

// result notes what result i refers to at one return.
func (r *recorder) result(i, n int, v ssa.Value, at ssa.Instruction, s *state) {
	if r.results == nil {
		r.results, r.disagree = make([]access.Ref, n), make([]bool, n)
	}
	if c, ok := v.(*ssa.Const); ok && (c.IsNil() || c.Value != nil) {
		return
	}
	ref := r.a.names.Ref(v)
	root := ref.Path.Root
	ref = r.a.detached([]access.Ref{ref}, []ssa.Value{v}, at)[0]
	if root.Kind == access.Local && ref.Func == nil {
		ref, _ = r.a.names.Gathered(v)
	}
	ref = r.stillOwned(ref, s)
	switch have := r.results[i]; {
	case !ref.Path.Known(), have.Path.Known() && have.Path != ref.Path:
		r.disagree[i] = true
	case have.Path.Known():
		r.results[i] = r.stillOwned(have, s)
	default:
		r.results[i] = ref
	}
}

// stillOwned returns ref, and what is stored in it or captured by it, as fresh only as far as it is owned.
func (r *recorder) stillOwned(ref access.Ref, s *state) access.Ref {
	ref.Fresh = ref.Fresh && r.a.unshared(ref.Path.Root, s)
	if f := ref.Func; f != nil && len(f.Free)+len(f.Bound) > 0 {
		captured := *f
		captured.Free, captured.Bound = r.allStillOwned(f.Free, s), r.allStillOwned(f.Bound, s)
		ref.Func = &captured
	}
	parts := ref.Parts
	ref.Parts = nil
	for _, p := range parts {
		ref.Parts = append(ref.Parts, access.Part{Sel: p.Sel, Ref: r.stillOwned(p.Ref, s)})
	}
	return ref
}

func (r *recorder) allStillOwned(refs []access.Ref, s *state) []access.Ref {
	var out []access.Ref
	for _, ref := range refs {
		out = append(out, r.stillOwned(ref, s))
	}
	return out
}

func (a alternative) factOf(v ssa.Value) fact {
	switch v := v.(type) {
	case *ssa.Const:
		if v.IsNil() {
			return fact{known: true, isNil: true, is: true}
		}
		if v.Value != nil && v.Value.Kind() == constant.Bool {
			return fact{known: true, is: constant.BoolVal(v.Value)}
		}
		return fact{}
	case *ssa.MakeInterface, *ssa.Alloc, *ssa.MakeMap, *ssa.MakeClosure:
		return fact{known: true, isNil: true, is: false}
	case *ssa.UnOp:
		if isSentinel(v) {
			return fact{known: true, isNil: true, is: false}
		}
	case *ssa.Call:
		if fn := v.Call.StaticCallee(); fn != nil && model.NeverNil(access.FuncKey(fn)) || isErrOfDone(v) {
			return fact{known: true, isNil: true, is: false}
		}
	}
	if b, ok := v.Type().Underlying().(*types.Basic); ok && b.Info()&types.IsBoolean != 0 {
		if c, negated, ok := conditionOf(v); ok {
			if is, ok := a.known(c); ok {
				return fact{known: true, is: is != negated}
			}
		}
		return fact{}
	}
	x, index := component(v)
	if is, ok := a.known(condition{x: x, index: index, y: "nil", op: token.EQL}); ok {
		return fact{known: true, isNil: true, is: is}
	}
	return fact{}
}

// isSentinel reports whether v is a package variable that by its name and type is an error to return: ErrClosed, errBusy, io.EOF.
func isSentinel(v *ssa.UnOp) bool {
	g, ok := v.X.(*ssa.Global)
	if !ok || v.Op != token.MUL || !types.Identical(v.Type(), types.Universe.Lookup("error").Type()) {
		return false
	}
	return strings.HasPrefix(g.Name(), "Err") || strings.HasPrefix(g.Name(), "err") || g.Name() == "EOF"
}

// finish completes the effect after the last block.
func (r *recorder) finish() {
	for _, sp := range r.spins {
		if sp.reached {
			r.spinning(sp.pos, "a loop that may wait for another goroutine", &state{alts: []alternative{{Point: Point{Held: sp.held}}}})
		}
	}
	for i, ref := range r.results {
		if r.disagree[i] {
			r.results[i] = access.Ref{Func: nil}
		} else {
			r.results[i] = ref
		}
	}
	r.outlived()
	r.noteRemade()
	r.effect.Results = r.results
	r.effect.Into = r.into()
	r.effect.Lists = r.a.lists()
	r.body.Holds = r.a.held()
	r.effect.Renews = r.a.renewed()
	for i := range r.returned {
		r.returned[i].Point = r.returned[i].outside()
	}
	dropFlags(r.returned, r.facts)
	r.effect.Outcomes = outcomes(r.returned, r.facts)
}

// way is one way to return: what it does to locks, what the results say, and what it goes by.
type way struct {
	at    Point
	facts []fact
	ifs   []If
}

// joinWays groups the ways to return by what they do to locks, with what the results say, and what was given, in each group.
func joinWays(returned []alternative, facts [][]fact) []way {
	var groups []way
	for i, alt := range returned {
		j := slices.IndexFunc(groups, func(g way) bool { return g.at.equal(alt.Point) })
		if j < 0 {
			groups = append(groups, way{alt.Point, slices.Clone(facts[i]), alt.ifs()})
			continue
		}
		for k, f := range facts[i] {
			if groups[j].facts[k] != f {
				groups[j].facts[k] = fact{}
			}
		}
		ifs := alt.ifs()
		groups[j].ifs = slices.DeleteFunc(groups[j].ifs, func(c If) bool { return !slices.Contains(ifs, c) })
	}
	return groups
}

// outcomes returns the ways to return that differ in what they do to locks, with what tells them apart.
func outcomes(returned []alternative, facts [][]fact) []Outcome {
	groups := joinWays(returned, facts)
	const most = 4
	if len(groups) > most {
		groups = []way{{at: collapse(returned).Point}}
	}
	if len(groups) == 0 || len(groups) == 1 && groups[0].at.equal(Point{}) {
		return nil
	}
	var out []Outcome
	for _, g := range groups {
		o := Outcome{Acquired: g.at.Held, Released: g.at.Released, Maybe: g.at.Maybe}
		if len(groups) > 1 {
			o.When, o.If = whens(g.facts), g.ifs
		}
		out = append(out, o)
	}
	return out
}

// whens returns what facts, about the results, say.
func whens(facts []fact) []When {
	var out []When
	for i, f := range facts {
		if f.known {
			out = append(out, When{Result: i, Nil: f.isNil, Is: f.is})
		}
	}
	return out
}
