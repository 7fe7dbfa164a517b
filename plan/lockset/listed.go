package lockset

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file follows what is passed in a slice that is written out: functions, which are run by who gets it, and objects,
// which are the ones that they are outside of it, too:
//
//	runAll(func() { m["a"] = 1 }, func() { m["b"] = 2 })
//	sum(a, b) // of ...*Counter

// listedFunc is a function that may be in a slice.
type listedFunc struct {
	ref   access.Ref
	value ssa.Value
	place int  // in the slice, from 1; 0 when it is in none
	again bool // it is there several times, or one of several that are made at one place
}

// listed returns the functions that inv, of the callee t of instr, runs, when they are elements of a slice that the function
// makes.
func (a *analysis) listed(instr ssa.CallInstruction, inv Invoke, t target) []listedFunc {
	k, args := inv.Func.Root, instr.Common().Args
	if k.Kind != access.Param || inv.Func.Sel != "[]" || k.Index >= len(args) || len(args) != len(t.params) {
		return nil
	}
	var out []listedFunc
	seen := make(map[ssa.Value]bool)
	values := elements(args[k.Index], seen)
	round := instr.Block() // of a loop, if the slice is a new one in each
	for v := range seen {
		if _, merged := v.(*ssa.Phi); merged {
			round = nil
		}
	}
	for _, v := range values {
		ref := a.names.Ref(v)
		if ref.Func == nil {
			continue
		}
		f := listedFunc{value: v, ref: ref}
		if made, ok := v.(ssa.Instruction); ok {
			f.again = InLoop(made.Block(), round)
		}
		if i := slices.IndexFunc(out, func(g listedFunc) bool { return g.value == v }); i >= 0 {
			out[i].again = true
			continue
		}
		out = append(out, f)
	}
	return out
}

// elements returns the values that the function puts in the slice v. seen are the values that were looked at.
func elements(v ssa.Value, seen map[ssa.Value]bool) []ssa.Value {
	if seen[v] {
		return nil
	}
	seen[v] = true
	var out []ssa.Value
	switch v := v.(type) {
	case *ssa.Slice:
		if _, ok := v.X.(*ssa.Alloc); ok {
			return access.Packed(v)
		}
		return elements(v.X, seen)
	case *ssa.Phi:
		for _, e := range v.Edges {
			out = append(out, elements(e, seen)...)
		}
	case *ssa.Call:
		if b, ok := v.Call.Value.(*ssa.Builtin); ok && b.Name() == "append" {
			for _, arg := range v.Call.Args {
				out = append(out, elements(arg, seen)...)
			}
		}
	case *ssa.ChangeType:
		return elements(v.X, seen)
	case *ssa.UnOp:
		local, ok := v.X.(*ssa.Alloc)
		if !ok {
			break
		}
		for _, instr := range *local.Referrers() {
			if st, ok := instr.(*ssa.Store); ok && st.Addr == local {
				out = append(out, elements(st.Val, seen)...)
			}
		}
	}
	return out
}

// invokeEach handles that the callee t runs fs, which are in a slice, as inv says. Each is started on its own: where several
// may run at once, those are different ones.
func (a *analysis) invokeEach(instr ssa.CallInstruction, inv Invoke, fs []listedFunc, t target, s *state) {
	many, starts := inv.Many, inv.Start != "" && !inv.Start.Served()
	for i, f := range fs {
		if starts {
			inv.Many, f.place = many && f.again, i+1
		}
		if site := a.invokes(instr, inv, f, t, s); starts && many {
			inv.After = union(inv.After, []string{site})
		}
	}
}

// madeWith returns what f captures, as t says, that each round of the loop in which f is made makes anew.
func (a *analysis) madeWith(f listedFunc, t target) []access.Root {
	made, ok := f.value.(ssa.Instruction)
	if !ok || !InLoop(made.Block(), nil) {
		return nil
	}
	var out []access.Root
	for _, root := range rootsOf(slices.Concat(t.params, t.free)) {
		if v, ok := a.names.Made(root).(ssa.Instruction); ok && !InLoop(made.Block(), v.Block()) && !slices.Contains(out, root) {
			out = append(out, root)
		}
	}
	return out
}

// isListed reports whether st puts a function in a slice of which the only thing that becomes is that others run what is in
// it.
func (a *analysis) isListed(st *ssa.Store) bool {
	at, ok := st.Addr.(*ssa.IndexAddr)
	if !ok || !isFuncType(st.Val.Type()) {
		return false
	}
	array, ok := at.X.(*ssa.Alloc)
	if !ok {
		return false
	}
	for _, instr := range *array.Referrers() {
		switch instr := instr.(type) {
		case *ssa.DebugRef, *ssa.IndexAddr:
		case *ssa.Slice:
			if slices.ContainsFunc(*instr.Referrers(), func(ref ssa.Instruction) bool { return !a.isRunBy(ref, instr) }) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// isRunBy reports whether instr is a call of a function of the program which only runs what is in the slice v.
func (a *analysis) isRunBy(instr ssa.Instruction, v ssa.Value) bool {
	if _, ok := instr.(*ssa.DebugRef); ok {
		return true
	}
	call, ok := instr.(ssa.CallInstruction)
	if !ok || call.Common().StaticCallee() == nil {
		return false
	}
	e := a.effect(access.FuncKey(call.Common().StaticCallee()))
	if e == nil {
		return false
	}
	for i, arg := range call.Common().Args {
		if arg == v && !slices.Contains(e.Lists, i) {
			return false
		}
	}
	return true
}

// lists returns the parameters of the function that are slices of functions, of which it only runs the elements.
func (a *analysis) lists() []int {
	var out []int
	for i, p := range a.fn.Params {
		if s, ok := p.Type().Underlying().(*types.Slice); ok && isFuncType(s.Elem()) && a.onlyRunsElements(p) {
			out = append(out, i)
		}
	}
	return out
}

// onlyRunsElements reports whether the only thing that becomes of list is that its elements are run.
func (a *analysis) onlyRunsElements(list *ssa.Parameter) bool {
	for _, instr := range *list.Referrers() {
		switch instr := instr.(type) {
		case *ssa.DebugRef:
		case *ssa.IndexAddr:
			if !a.onlyRuns(instr, make(map[ssa.Value]bool)) {
				return false
			}
		case *ssa.Call:
			if b, ok := instr.Call.Value.(*ssa.Builtin); !ok || b.Name() != "len" {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// onlyRuns reports whether the only thing that becomes of the function v, or of that in the variable at v, is that it is
// called or started. seen are the values that were looked at.
func (a *analysis) onlyRuns(v ssa.Value, seen map[ssa.Value]bool) bool {
	if seen[v] {
		return true
	}
	seen[v] = true
	for _, instr := range *v.Referrers() {
		switch instr := instr.(type) {
		case *ssa.DebugRef, *ssa.BinOp:
		case *ssa.UnOp:
			if !a.onlyRuns(instr, seen) {
				return false
			}
		case *ssa.ChangeType:
			if !a.onlyRuns(instr, seen) {
				return false
			}
		case *ssa.Store:
			local, ok := instr.Addr.(*ssa.Alloc)
			if !ok || instr.Val == v && !a.onlyRuns(local, seen) {
				return false
			}
		case *ssa.MakeClosure:
			fn := instr.Fn.(*ssa.Function)
			for i, b := range instr.Bindings {
				if b == v && (i >= len(fn.FreeVars) || !a.onlyRuns(fn.FreeVars[i], seen)) {
					return false
				}
			}
		case ssa.CallInstruction:
			if instr.Common().Value != v && !a.runsArgument(instr.Common(), v) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// runsArgument reports whether all that becomes of the function v, an argument of call, is that it is called or started.
func (a *analysis) runsArgument(call *ssa.CallCommon, v ssa.Value) bool {
	callee := call.StaticCallee()
	if callee == nil {
		return false
	}
	key := access.FuncKey(callee)
	if _, starts := a.library.Starts(key); starts || a.library.Synchronous(key) {
		return true
	}
	e := a.effect(key)
	if e == nil {
		return false
	}
	for i, arg := range call.Args {
		if arg != v {
			continue
		}
		runs := false
		for _, inv := range e.Invokes {
			if inv.Func == (access.Path{Root: access.Root{Kind: access.Param, Index: i}}) {
				if runs = true; inv.Stored {
					return false
				}
			}
		}
		if !runs {
			return false
		}
	}
	return true
}

// maxElements bounds how many objects in a slice are told apart.
const maxElements = 8

// byElement returns e, made by instr, once for each object in a slice that is passed: what is done with any of them may be
// done with each.
func (a *analysis) byElement(e Edge, instr ssa.Instruction) []Edge {
	call, ok := instr.(ssa.CallInstruction)
	if !ok || len(call.Common().Args) != len(e.Params) {
		return []Edge{e}
	}
	for i, arg := range call.Common().Args {
		list, ok := arg.Type().Underlying().(*types.Slice)
		if !ok || isFuncType(list.Elem()) || access.PointsNowhere(list.Elem()) {
			continue
		}
		var out []Edge
		for _, ref := range a.writtenOut(arg) {
			each := e
			each.Params = slices.Clone(e.Params)
			each.Params[i].Parts = append(slices.Clip(each.Params[i].Parts), access.Part{Sel: "[]", Ref: ref})
			out = append(out, each)
		}
		if len(out) > 0 {
			return out
		}
	}
	return []Edge{e}
}

// writtenOut returns the objects in the slice v when it is written out here, each known by another path; nil otherwise.
func (a *analysis) writtenOut(v ssa.Value) []access.Ref {
	list, ok := v.(*ssa.Slice)
	if !ok {
		return nil
	}
	var out []access.Ref
	for _, v := range access.Packed(list) {
		ref := a.names.Ref(v)
		if !ref.IsPart() || ref.Func != nil || len(out) == maxElements {
			return nil
		}
		ref.Var, ref.Depth, ref.Read = access.Var{}, 0, token.NoPos
		out = append(out, ref)
	}
	return out
}

// listsOf returns what is in those slices that are written out and passed by instr.
func (a *analysis) listsOf(instr ssa.CallInstruction) map[access.Path][]access.Ref {
	var out map[access.Path][]access.Ref
	for _, arg := range instr.Common().Args {
		if refs := a.writtenOut(arg); len(refs) > 0 {
			if out == nil {
				out = make(map[access.Path][]access.Ref)
			}
			out[a.names.Ref(arg).Path.Elem()] = refs
		}
	}
	return out
}

// withElements returns p, where each lock that may be held, of an element of one of lists, may be that of any object in it.
func (p Point) withElements(lists map[access.Path][]access.Ref) Point {
	if len(lists) == 0 {
		return p
	}
	maybe := p.Maybe
	for at, refs := range lists {
		each := func(q access.Path) {
			if rest, ok := access.CutSteps(q.Sel, at.Sel); ok && q.Root == at.Root {
				for _, ref := range refs {
					maybe = addPath(maybe, ref.To(rest).Path)
				}
			}
		}
		for _, h := range p.Held {
			each(h.Path)
		}
		for _, q := range p.Maybe {
			each(q)
		}
	}
	p.Maybe = maybe
	return p
}
