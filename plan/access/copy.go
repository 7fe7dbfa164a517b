package access

import (
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// This file follows structs that are copied by value. A copy has locks and map headers of its own, but
// what its maps and pointers refer to is what the original's do:
//
//	c := s.cfg            // c.mu is another lock than s.cfg.mu
//	c.labels["k"] = "v"   // but this writes the map of s.cfg
//
// A variable that holds a copy has a root of its own, since its locks do; what is loaded from it through
// a reference is named as a part of the original.

// Copy is a struct that was copied, at some place in a function.
type Copy struct {
	Root  Root
	From  Path     // what it was copied from
	Own   []string // the locks and maps that stand in it, not behind a pointer, as Sels
	Lost  []string // the parts that got another value since, as Sels
	Given bool     // it is a parameter: the copy was made by the call
}

// Original returns the location in the original that p, a location in the copy, leads to, or was copied
// from. ok is false when the copy got another value there.
func (c *Copy) Original(p Path) (orig Path, ok bool) {
	if slices.ContainsFunc(c.Lost, func(sel string) bool { return within(p.Sel, sel) }) {
		return p, false
	}
	return c.From.Join(p.Sel), true
}

// Has reports whether p is a lock or map variable that stands in the copy itself.
func (c *Copy) Has(p Path) bool { return p.Sel == "" || slices.Contains(c.Own, p.Sel) }

// CopyOf returns the one of cs that root is, or nil.
func CopyOf(cs []Copy, root Root) *Copy {
	if i := slices.IndexFunc(cs, func(c Copy) bool { return c.Root == root }); i >= 0 {
		return &cs[i]
	}
	return nil
}

// within reports whether sel is outer or a part of it.
func within(sel, outer string) bool {
	rest, ok := strings.CutPrefix(sel, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// copied is the variable that holds a copy.
type copied struct {
	at   *ssa.Alloc
	from Ref
	own  []string
}

// copy notes that root, the variable v, holds a copy if its single value val is one.
func (n *Names) copy(root Root, v *ssa.Alloc, val ssa.Value) {
	if from, ok := n.original(val); ok {
		n.copies[root] = &copied{at: v, from: from, own: ownParts(v.Type().Underlying().(*types.Pointer).Elem(), "", nil)}
	}
}

// original returns what the struct val is a copy of; ok is false when val is new, or may be.
//
// Of a new struct that is loaded only once nothing is left but the copy: it is moved, as in
// t := *New().
func (n *Names) original(val ssa.Value) (from Ref, ok bool) {
	switch v := val.(type) {
	case *ssa.Parameter:
		return n.Ref(v), true
	case *ssa.Field, *ssa.Lookup:
	case *ssa.UnOp:
		if v.Op != token.MUL {
			return Ref{}, false
		}
		if r := n.Ref(v.X); r.Path.Root.Kind == Made && isMoved(v) {
			return Ref{}, false
		}
	case *ssa.Extract:
		switch v.Tuple.(type) {
		case *ssa.Lookup, *ssa.Next, *ssa.Call:
		default:
			return Ref{}, false
		}
	case *ssa.Call:
	default:
		return Ref{}, false
	}
	from = n.Ref(val)
	switch from.Path.Root.Kind {
	case Param, Free, Global:
		return from, true
	case Made:
		load, isLoad := val.(*ssa.UnOp)
		return from, isLoad && load.Op == token.MUL
	case Local:
		_, isLoad := val.(*ssa.UnOp)
		return from, isLoad
	}
	return Ref{}, false
}

// isMoved reports whether load is the only thing that happens to a new struct after it was filled.
func isMoved(load *ssa.UnOp) bool {
	refs := load.X.Referrers()
	if refs == nil {
		return false
	}
	for _, instr := range *refs {
		switch instr := instr.(type) {
		case *ssa.FieldAddr:
			for _, use := range *instr.Referrers() {
				if st, ok := use.(*ssa.Store); !ok || st.Addr != instr {
					return false
				}
			}
		case *ssa.Store:
			if instr.Addr != load.X {
				return false
			}
		case *ssa.DebugRef:
		default:
			if instr != load {
				return false
			}
		}
	}
	return true
}

// ownParts returns the Sels of the locks and maps that stand in a struct of type t.
func ownParts(t types.Type, sel string, out []string) []string {
	st, ok := t.Underlying().(*types.Struct)
	if !ok || CountSteps(sel) > 3 {
		return out
	}
	for f := range st.Fields() {
		part := sel + "." + f.Name()
		switch f.Type().Underlying().(type) {
		case *types.Map:
			out = append(out, part)
		case *types.Struct:
			if isLockType(f.Type()) {
				out = append(out, part)
			}
			out = ownParts(f.Type(), part, out)
		}
	}
	return out
}

// isLockType reports whether a variable of type t has the method Lock.
func isLockType(t types.Type) bool {
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), false, nil, "Lock")
	return obj != nil
}

// load names what v, a load, gives.
func (n *Names) load(v *ssa.UnOp) Ref {
	r := n.Ref(v.X)
	c := n.copies[r.Path.Root]
	if c == nil || !refers(v.Type()) {
		return r
	}
	sts := c.storesAround(r.Path.Sel)
	i := slices.IndexFunc(sts, func(p part) bool { return ComesBefore(p.at, v) })
	switch {
	case i >= 0 && len(sts) == 1 && sts[0].sel == r.Path.Sel:
		if st, ok := sts[0].at.(*ssa.Store); ok {
			return n.Ref(st.Val)
		}
		return r
	case i >= 0:
		return r
	}
	out := Ref{Path: c.from.Path.Join(r.Path.Sel), Var: r.Var, Depth: r.Depth, Copied: c.from.Copied || !c.given()}
	if r.Path.Sel == "" {
		out.Var, out.Depth = c.from.Var, c.from.Depth
	}
	return out
}

// given reports whether the copy is a parameter.
func (c *copied) given() bool {
	r := c.from.Path
	return r.Root.Kind == Param && r.Sel == ""
}

// refers reports whether a value of type t leads to something that its copies lead to as well.
func refers(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Basic:
		return t.Kind() == types.UnsafePointer
	case *types.Array:
		return refers(t.Elem())
	case *types.Struct:
		for f := range t.Fields() {
			if refers(f.Type()) {
				return true
			}
		}
		return false
	}
	return true
}

// part is an instruction that may give the part sel of a copy another value.
type part struct {
	sel string
	at  ssa.Instruction
}

// storesAround returns what may give the part sel of c, or something in it or around it, another value.
func (c *copied) storesAround(sel string) []part {
	var out []part
	var visit func(addr ssa.Value, at string)
	visit = func(addr ssa.Value, at string) {
		for _, instr := range *addr.Referrers() {
			switch instr := instr.(type) {
			case *ssa.FieldAddr:
				_, st := ownerOf(instr.X.Type())
				visit(instr, at+"."+st.Field(instr.Field).Name())
			case *ssa.Store:
				if instr.Addr == addr && at != "" && refers(instr.Val.Type()) && (within(sel, at) || within(at, sel)) {
					out = append(out, part{at, instr})
				}
			case ssa.CallInstruction:
				if _, now := instr.(*ssa.Call); now && within(sel, at) && mayAssign(instr.Common(), addr, strings.TrimPrefix(sel, at)) {
					out = append(out, part{sel, instr})
				}
			}
		}
	}
	visit(c.at, "")
	return out
}

// mayAssign reports whether the callee of call may assign the part sel of what its argument addr points
// to. A lock, and a callee of the package that assigns no field of that name, does not.
func mayAssign(call *ssa.CallCommon, addr ssa.Value, sel string) bool {
	if isLockType(addr.Type().Underlying().(*types.Pointer).Elem()) && sel == "" {
		return false
	}
	fn := call.StaticCallee()
	i := slices.Index(call.Args, addr)
	if fn == nil || i < 0 || len(fn.Blocks) == 0 || i >= len(fn.Params) {
		return true
	}
	for _, instr := range *fn.Params[i].Referrers() {
		switch instr := instr.(type) {
		case *ssa.FieldAddr:
			_, st := ownerOf(instr.X.Type())
			if !within(sel, "."+st.Field(instr.Field).Name()) {
				continue
			}
			for _, use := range *instr.Referrers() {
				if st, ok := use.(*ssa.Store); ok && st.Addr == instr {
					return true
				}
			}
		case *ssa.Store:
			if instr.Addr == fn.Params[i] {
				return true
			}
		}
	}
	return false
}

// CopyAt returns the copy that root is, as things stand before instr; ok is false when it is none.
func (n *Names) CopyAt(root Root, instr ssa.Instruction) (c Copy, ok bool) {
	held := n.copies[root]
	if held == nil {
		return Copy{}, false
	}
	c = Copy{Root: root, From: held.from.Path, Own: held.own, Given: held.given()}
	for _, sel := range append([]string{""}, held.own...) {
		for _, p := range held.storesAround(sel) {
			if p.sel != "" && ComesBefore(p.at, instr) && p.at != instr && !slices.Contains(c.Lost, p.sel) {
				c.Lost = append(c.Lost, p.sel)
			}
		}
	}
	return c, true
}

// CopiedFrom returns what the variable root was copied from; ok is false when it holds no copy.
func (n *Names) CopiedFrom(root Root) (from Ref, ok bool) {
	c := n.copies[root]
	if c == nil {
		return Ref{}, false
	}
	return c.from, true
}
