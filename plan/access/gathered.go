package access

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// This file names lists of what is found elsewhere:
//
//	for _, it := range s.items {
//		out = append(out, it)
//	}
//	return out // each is one of s.items
//
// The list is new, and what its elements lead to is not.

// Gathered returns a name for the slice v of pointers, which the function makes and of which each element is found in one
// place that callers have a name for; ok is false when v is not such a slice.
func (n *Names) Gathered(v ssa.Value) (r Ref, ok bool) {
	list, isSlice := v.Type().Underlying().(*types.Slice)
	if !isSlice {
		return Ref{}, false
	}
	if _, pointers := list.Elem().Underlying().(*types.Pointer); !pointers {
		return Ref{}, false
	}
	g := gathering{Names: n, seen: make(map[ssa.Value]bool)}
	if !g.list(v) || !g.from.Path.Known() || n.mayTakeOut(g.from.Path) {
		return Ref{}, false
	}
	g.from.Var, g.from.Depth, g.from.Read = Var{}, 0, token.NoPos
	r = n.fresh()
	r.Fresh = false // what is in it is somebody else's
	r.Parts = []Part{{Sel: "[]", Ref: g.from.shallow(maxDepth - 1)}}
	return r, true
}

// gathering is the question where the elements of a slice are found.
type gathering struct {
	*Names
	from Ref                // of those that were seen; unknown when none was
	seen map[ssa.Value]bool // the choices and lists that were looked at
}

// list adds the elements of the slice v. It reports whether all of them are found in one place.
func (g *gathering) list(v ssa.Value) bool {
	if g.seen[v] {
		return true
	}
	g.seen[v] = true
	switch v := v.(type) {
	case *ssa.Const:
		return true
	case *ssa.MakeSlice:
		n, ok := v.Len.(*ssa.Const)
		return ok && n.Int64() == 0
	case *ssa.Phi:
		for _, e := range v.Edges {
			if !g.list(e) {
				return false
			}
		}
		return true
	case *ssa.Slice:
		if _, literal := v.X.(*ssa.Alloc); !literal {
			return g.list(v.X)
		}
		for _, e := range Packed(v) {
			if !g.element(e) {
				return false
			}
		}
		return true
	case *ssa.Call:
		b, ok := v.Call.Value.(*ssa.Builtin)
		return ok && b.Name() == "append" && g.list(v.Call.Args[0]) && g.list(v.Call.Args[1])
	}
	return false
}

// element adds an element v. It reports whether it is found where the others are.
func (g *gathering) element(v ssa.Value) bool {
	r := g.Ref(v)
	k := r.Path.Root.Kind
	if r.Path.Sel == "" || k != Param && k != Free && k != Global || g.from.Path.Known() && g.from.Path != r.Path {
		return false
	}
	g.from = r
	return true
}

// mayTakeOut reports whether the function, or one that it calls, may take what is found at p out of where it is: then the list
// is all that leads to it.
//
//	for id, it := range s.items {
//		out = append(out, it)
//		delete(s.items, id)
//	}
func (n *Names) mayTakeOut(p Path) bool {
	from, _ := p.Parent()
	for _, b := range n.fn.Blocks {
		for _, instr := range b.Instrs {
			switch instr := instr.(type) {
			case *ssa.Store:
				if at := n.Place(instr.Addr); at == from || at == p {
					return true
				}
			case ssa.CallInstruction:
				for _, arg := range instr.Common().Args {
					if q := n.Ref(arg).Path; q.Root == p.Root && (q == from || q.Sel == "") && !isRead(instr) {
						return true
					}
				}
			}
		}
	}
	return false
}

// isRead reports whether call only asks how long something is.
func isRead(call ssa.CallInstruction) bool {
	b, ok := call.Common().Value.(*ssa.Builtin)
	return ok && (b.Name() == "len" || b.Name() == "cap")
}
