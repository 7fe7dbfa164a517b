package access

import "strings"

// This file translates what a function says of its parameters into terms of a caller.

// Binding is what the names of a callee stand for at one call of it. The zero Binding binds nothing.
type Binding struct {
	Params []Ref     // what the parameters are bound to, the receiver first
	Free   []Ref     // what the captured variables are bound to
	Made   []Renamed // what the callee made and returns: each call returns another
}

// Renamed is that what a callee calls From is To in its caller.
type Renamed struct{ From, To Root }

// of returns what the callee's root stands for; nil when that is what the caller calls it too.
func (b Binding) of(r Root) *Ref {
	switch {
	case r.Kind == Param && r.Index < len(b.Params):
		return &b.Params[r.Index]
	case r.Kind == Free && r.Index < len(b.Free):
		return &b.Free[r.Index]
	}
	return nil
}

// Root returns what the caller calls r. The zero Root means that it has no name for it.
func (b Binding) Root(r Root) Root {
	switch r.Kind {
	case Param, Free:
		if ref := b.of(r); ref != nil {
			return ref.Path.Root
		}
		return Root{}
	case Made:
		for _, m := range b.Made {
			if m.From == r {
				return m.To
			}
		}
	}
	return r
}

// Path translates p from terms of the callee. The zero Path means that it cannot be expressed.
func (b Binding) Path(p Path) Path {
	if base := b.of(p.Root); base != nil {
		return base.To(p.Sel).Path
	}
	if p.Root = b.Root(p.Root); !p.Known() {
		return Path{}
	}
	return p
}

// Ref translates r from terms of the callee.
func (b Binding) Ref(r Ref) Ref {
	base := b.of(r.Path.Root)
	if base == nil {
		r.Path = b.Path(r.Path)
		r.Func = r.Func.bind(b)
		r.Parts, r.Maps = bindParts(r.Parts, b), bindParts(r.Maps, b)
		return r
	}
	out := base.To(r.Path.Sel)
	out.Var, out.Depth, out.Read, out.Copied = r.Var, r.Depth, r.Read, r.Copied || base.Copied
	if r.Var.IsZero() { // r is the argument itself, or an element of it
		out.Var, out.Depth = base.Var, base.Depth+r.Depth
		if fields := strings.TrimSuffix(r.Path.Sel, strings.Repeat("[]", r.Depth)); fields != "" && !base.Var.IsZero() { // of an anonymous struct
			out.Var.Field += fields
		} else if !r.Read.IsValid() {
			out.Read = base.Read
		}
	} else {
		out.Fresh = false
	}
	return out
}

// Refs translates each of refs.
func (b Binding) Refs(refs []Ref) []Ref {
	if len(refs) == 0 {
		return nil
	}
	out := make([]Ref, len(refs))
	for i, r := range refs {
		out[i] = b.Ref(r)
	}
	return out
}

func bindParts(parts []Part, b Binding) []Part {
	if len(parts) == 0 {
		return nil
	}
	out := make([]Part, len(parts))
	for i, p := range parts {
		out[i] = Part{p.Sel, b.Ref(p.Ref).shallow(maxDepth - 1)}
	}
	return out
}

func (f *FuncRef) bind(b Binding) *FuncRef {
	if f == nil {
		return nil
	}
	return &FuncRef{Key: f.Key, Free: b.Refs(f.Free), Bound: b.Refs(f.Bound)}
}

// renamed returns refs with the names that made has for what a callee made. All else is in terms of the
// caller already.
func renamed(refs []Ref, made []Renamed) []Ref {
	if len(made) == 0 || len(refs) == 0 {
		return refs
	}
	out := make([]Ref, len(refs))
	for i, r := range refs {
		if r.Path.Root.Kind == Made {
			r.Path.Root = Binding{Made: made}.Root(r.Path.Root)
		}
		if r.Func != nil {
			f := *r.Func
			f.Free, f.Bound = renamed(f.Free, made), renamed(f.Bound, made)
			r.Func = &f
		}
		r.Parts, r.Maps = renamedParts(r.Parts, made), renamedParts(r.Maps, made)
		out[i] = r
	}
	return out
}

func renamedParts(parts []Part, made []Renamed) []Part {
	if len(parts) == 0 {
		return nil
	}
	out := make([]Part, len(parts))
	for i, p := range parts {
		out[i] = Part{p.Sel, renamed([]Ref{p.Ref}, made)[0]}
	}
	return out
}
