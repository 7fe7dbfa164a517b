package access

import (
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// This file names what calls return.

// result is what a call returns.
type result struct {
	refs []Ref
	made []Renamed
}

// MadeBy returns the names that the function has for what the callee of call made and returned.
func (n *Names) MadeBy(call *ssa.Call) []Renamed { return n.resultsOf(call).made }

// MakesToo returns the name that the function has for what the callee of call made and calls root, which is none of its
// results.
func (n *Names) MakesToo(call *ssa.Call, root Root) Root {
	r := n.resultsOf(call)
	if known := (Binding{Made: r.made}).Root(root); known != root {
		return known
	}
	to := n.fresh().Path.Root
	r.made = append(r.made, Renamed{root, to})
	n.calls[call] = r
	return to
}

// Results returns what the results of call refer to, as far as that is known.
func (n *Names) Results(call *ssa.Call) []Ref { return n.resultsOf(call).refs }

// resultsOf returns what the results of call refer to. Two calls of one constructor make two objects.
func (n *Names) resultsOf(call *ssa.Call) result {
	if r, ok := n.calls[call]; ok {
		return r
	}
	n.calls[call] = result{} // what a cycle through call sees
	out := result{refs: n.callees.Results(call)}
	rename := func(r Ref) {
		root := r.Path.Root
		if root.Kind == Made && root.Name != n.key && (Binding{Made: out.made}).Root(root) == root {
			out.made = append(out.made, Renamed{root, n.fresh().Path.Root})
		}
	}
	for _, r := range out.refs {
		r.Each(rename)
	}
	out.refs = renamed(out.refs, out.made)
	for _, r := range out.refs {
		for _, p := range r.Parts {
			p.Ref.Each(func(r Ref) {
				if _, known := n.made[r.Path.Root]; r.Fresh && r.Path.Sel == "" && !known {
					n.made[r.Path.Root] = call
				}
			})
		}
	}
	n.calls[call] = out
	return out
}

// resultOf names v, result number i of call.
func (n *Names) resultOf(v ssa.Value, call *ssa.Call, i int) Ref {
	r := n.local()
	if rs := n.resultsOf(call).refs; i < len(rs) && rs[i].Path.Known() {
		r = rs[i]
	}
	return n.named(r, v, call.Pos(), i)
}

// named returns r with the local variable that source assigns it to, when v is a map that is no part
// of anything else. It was made at pos, or is result number i of a call there.
func (n *Names) named(r Ref, v ssa.Value, pos token.Pos, i int) Ref {
	if !IsMap(v.Type()) || !r.Var.IsZero() || r.Path.Sel != "" {
		return r
	}
	if k := r.Path.Root.Kind; k != Made && k != Local {
		return r
	}
	name := n.source.Naming(pos, i)
	if name == "" {
		return r
	}
	if r.Path.Root.Kind == Local { // nothing shows that another activation gets the same map
		r.Path = n.fresh().Path
	}
	r.Var = Var{Package: n.pkg(), Owner: n.owner, Field: name}
	n.made[r.Path.Root] = v
	return r
}
