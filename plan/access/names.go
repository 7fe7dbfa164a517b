package access

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// This file finds the Path of each value of one function.

// Names resolves the values of one function to Refs. It is not safe for concurrent use.
type Names struct {
	fn      *ssa.Function
	key     string
	owner   string // what a local of the function has as Var.Owner
	memo    map[ssa.Value]Ref
	locals  int
	made    map[Root]ssa.Value // what was made here, or by a callee that returned it
	copies  map[Root]*copied   // see copy.go
	callees Callees
	calls   map[*ssa.Call]result
	changes map[*types.Var]bool // see changed; nil until it is asked for
	source  Source
	taken   []ssa.Instruction // see taking; nil until it is asked for
	unlocks []*ssa.Call       // see Unlocked; nil until it is asked for
}

// Callees tells what the callees of a function do, in terms of that function.
type Callees interface {
	// Results returns what the results of call refer to, or nil when that is not known.
	Results(call ssa.CallInstruction) []Ref
	// Renews returns the map variables that call gives another map, which nobody else has, whatever happens in it.
	Renews(call ssa.CallInstruction) []Path
}

// Source tells what the source of a package shows that its SSA does not.
type Source interface {
	// Naming returns the name of the variable that a map is assigned to, or "": one that is made at pos, or
	// result number index of a call there.
	Naming(pos token.Pos, index int) string
	// Operand returns the position of the identifier that names the first map operand of the instruction
	// at pos, or pos itself.
	Operand(pos token.Pos) token.Pos
	// Argument returns the position of the identifier that names argument number i of the call at pos.
	Argument(pos token.Pos, call *ssa.CallCommon, i int) token.Pos
	// Declared returns the type whose declaration spells out st, the struct of t.
	Declared(t *types.Named, st *types.Struct) *types.Named
}

// NewNames returns the names of fn.
func NewNames(fn *ssa.Function, callees Callees, source Source) *Names {
	outer := fn
	for outer.Parent() != nil {
		outer = outer.Parent()
	}
	return &Names{fn: fn, key: FuncKey(fn), owner: ShortKey(FuncKey(outer)), memo: make(map[ssa.Value]Ref), made: make(map[Root]ssa.Value), copies: make(map[Root]*copied), calls: make(map[*ssa.Call]result), callees: callees, source: source}
}

// Ref returns what v refers to. The Path of a value that nothing is known about is a Local.
func (n *Names) Ref(v ssa.Value) Ref {
	if r, ok := n.memo[v]; ok {
		return r
	}
	n.memo[v] = n.local() // what a cycle through v sees
	r := n.resolve(v)
	n.memo[v] = r
	if r.Fresh && r.Path.Sel == "" {
		if _, ok := n.made[r.Path.Root]; !ok {
			n.made[r.Path.Root] = v
		}
		if alloc, ok := v.(*ssa.Alloc); ok && n.made[r.Path.Root] == v && isStruct(alloc) {
			r.Parts = n.parts(alloc, "", isReference) // after memo[v] is set: they may lead back to v
			r.Maps = n.parts(alloc, "", IsMap)
			n.memo[v] = r
		}
	}
	return r
}

func isStruct(v *ssa.Alloc) bool {
	_, ok := v.Type().Underlying().(*types.Pointer).Elem().Underlying().(*types.Struct)
	return ok
}

// Place returns where addr is, as a part of what holds it: the field b.a and not what is stored there.
func (n *Names) Place(addr ssa.Value) Path {
	switch addr := addr.(type) {
	case *ssa.FieldAddr:
		if _, st := ownerOf(addr.X.Type()); st != nil {
			return n.Place(addr.X).Field(st.Field(addr.Field).Name())
		}
	case *ssa.IndexAddr:
		return n.Place(addr.X).Elem()
	}
	return n.Ref(addr).Path
}

// Made returns the value that made what root stands for in the function, or nil when it was not made there.
func (n *Names) Made(root Root) ssa.Value { return n.made[root] }

// Refs returns what each of vs refers to.
func (n *Names) Refs(vs []ssa.Value) []Ref {
	out := make([]Ref, len(vs))
	for i, v := range vs {
		out[i] = n.Ref(v)
	}
	return out
}

func (n *Names) local() Ref {
	n.locals++
	return Ref{Path: Path{Root: Root{Kind: Local, Index: n.locals, Name: n.key}}}
}

func (n *Names) fresh() Ref {
	n.locals++
	return Ref{Path: Path{Root: Root{Kind: Made, Index: n.locals, Name: n.key}}, Fresh: true}
}

func (n *Names) resolve(v ssa.Value) Ref {
	switch v := v.(type) {
	case *ssa.Parameter:
		for i, p := range n.fn.Params {
			if p == v {
				return Ref{Path: Path{Root: Root{Kind: Param, Index: i}}}
			}
		}
	case *ssa.FreeVar:
		for i, f := range n.fn.FreeVars {
			if f == v {
				return Ref{Path: Path{Root: Root{Kind: Free, Index: i}}}
			}
		}
	case *ssa.Global:
		path := ""
		if v.Pkg != nil {
			path = v.Pkg.Pkg.Path()
		}
		return Ref{Path: Path{Root: Root{Kind: Global, Name: Key(path, v.Name())}}, Var: Var{Package: path, Field: v.Name()}}
	case *ssa.Function:
		r := n.local()
		r.Func = &FuncRef{Key: FuncKey(v)}
		return r
	case *ssa.MakeClosure:
		return n.closure(v)
	case *ssa.Alloc:
		return n.alloc(v)
	case *ssa.MakeMap:
		return n.named(n.fresh(), v, v.Pos(), 0)
	case *ssa.MakeChan, *ssa.MakeSlice:
		return n.fresh()
	case *ssa.FieldAddr:
		return n.field(v.X, v.Field)
	case *ssa.Field:
		return readAt(n.field(v.X, v.Field), v.Type(), v.Pos())
	case *ssa.UnOp:
		if v.Op == token.MUL {
			return n.read(v)
		}
	case *ssa.IndexAddr:
		return n.elem(v.X)
	case *ssa.Index:
		return n.elem(v.X)
	case *ssa.Lookup:
		return n.lookup(v, v.Type())
	case *ssa.Slice:
		return n.Ref(v.X)
	case *ssa.ChangeType:
		return n.Ref(v.X)
	case *ssa.ChangeInterface:
		return n.Ref(v.X)
	case *ssa.MakeInterface:
		return n.boxed(v)
	case *ssa.Convert:
		return n.Ref(v.X)
	case *ssa.TypeAssert:
		return n.Ref(v.X)
	case *ssa.Phi:
		return n.phi(v)
	case *ssa.Call:
		return n.resultOf(v, v, 0)
	case *ssa.Extract:
		return n.extract(v)
	}
	return n.local()
}

func (n *Names) extract(v *ssa.Extract) Ref {
	switch t := v.Tuple.(type) {
	case *ssa.Call:
		return n.resultOf(v, t, v.Index)
	case *ssa.Lookup:
		if v.Index == 0 {
			return n.lookup(t, v.Type())
		}
	case *ssa.TypeAssert:
		if v.Index == 0 {
			return n.Ref(t.X)
		}
	case *ssa.Next:
		if r, ok := t.Iter.(*ssa.Range); ok && v.Index == 2 {
			return readAt(n.elem(r.X), v.Type(), n.source.Operand(r.Pos()))
		}
	}
	return n.local()
}

func (n *Names) closure(v *ssa.MakeClosure) Ref {
	fn := v.Fn.(*ssa.Function)
	r := n.fresh()
	r.Func = &FuncRef{Key: FuncKey(fn)}
	if IsBound(fn) {
		r.Func.Bound = n.Refs(v.Bindings)
	} else {
		r.Func.Free = n.Refs(v.Bindings)
	}
	return r
}

// IsBound reports whether fn is the wrapper that go/ssa makes for a method value x.M.
func IsBound(fn *ssa.Function) bool {
	return fn.Parent() == nil && fn.Object() != nil && len(fn.FreeVars) == 1 && fn.Synthetic != ""
}

func (n *Names) pkg() string {
	for fn := n.fn; fn != nil; fn = fn.Parent() {
		if fn.Pkg != nil {
			return fn.Pkg.Pkg.Path()
		}
	}
	return ""
}
