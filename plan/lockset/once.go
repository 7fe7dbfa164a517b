package lockset

import (
	"go/token"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file orders what a function of sync.OnceFunc, OnceValue or OnceValues does and what comes after a call of it:
//
//	var ensure = sync.OnceFunc(func() { table = load() })
//	func Get(k string) int { ensure(); return table[k] }
//
// Its result is a sync.Once of its own, and a call of it a call of Do.

// onces is which function variables hold nothing but such results. It is not safe for concurrent use.
type onces struct {
	once  map[access.Var]bool // fields and package variables that get one
	other map[access.Var]bool // that get something else
}

// oncesOf returns what fns do with function variables.
func oncesOf(fns []*ssa.Function) *onces {
	o := &onces{make(map[access.Var]bool), make(map[access.Var]bool)}
	for _, fn := range fns {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				switch instr := instr.(type) {
				case *ssa.Store:
					if isFuncType(instr.Val.Type()) {
						o.stored(instr)
					}
				case *ssa.UnOp:
					if instr.Op == token.MUL && isFuncType(instr.Type()) && !onlyCalled(instr) {
						o.other[funcVar(instr.X)] = true
					}
				}
			}
		}
	}
	return o
}

// stored notes that st gives a function variable a value. One of an object that is there already may have had another.
func (o *onces) stored(st *ssa.Store) {
	class := funcVar(st.Addr)
	isNew := true
	switch addr := st.Addr.(type) {
	case *ssa.FieldAddr:
		isNew = isNewObject(addr)
	case *ssa.Global:
		isNew = st.Parent().Synthetic != "" // the declaration
	}
	if isNew && onceResult(st.Val) != nil {
		o.once[class] = true
	} else {
		o.other[class] = true
	}
}

// onlyCalled reports whether v is called, or compared with nil, and nothing else becomes of it.
func onlyCalled(v ssa.Value) bool {
	for _, instr := range *v.Referrers() {
		switch instr := instr.(type) {
		case *ssa.DebugRef, *ssa.BinOp:
		case ssa.CallInstruction:
			if instr.Common().Value != v {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// funcVar returns the field or package variable at addr, or the zero Var.
func funcVar(addr ssa.Value) access.Var {
	switch addr := addr.(type) {
	case *ssa.FieldAddr:
		class, _ := access.FieldVar(addr.X.Type(), addr.Field)
		return class
	case *ssa.Global:
		return access.GlobalVar(addr)
	}
	return access.Var{}
}

// onceResult returns the call that makes v, which runs a function once; nil when v is nothing of that kind.
func onceResult(v ssa.Value) *ssa.Call {
	switch v := v.(type) {
	case *ssa.ChangeType:
		return onceResult(v.X)
	case *ssa.Call:
		if fn := v.Call.StaticCallee(); fn != nil && model.OnceFunc(access.FuncKey(fn)) {
			return v
		}
	}
	return nil
}

// holds reports whether all that the field or package variable class ever holds runs once. Of an exported one that is
// not known.
func (o *onces) holds(class access.Var) bool {
	return o.once[class] && !o.other[class] && !class.IsZero() && !token.IsExported(class.Field)
}

// once returns the sync.Once that a call of v is a call of.
func (a *analysis) once(v ssa.Value) (access.Ref, bool) {
	if onceResult(v) != nil {
		return a.names.Ref(v), true
	}
	load, ok := v.(*ssa.UnOp)
	if !ok || load.Op != token.MUL {
		return access.Ref{}, false
	}
	switch addr := load.X.(type) {
	case *ssa.Global, *ssa.FieldAddr:
		return a.names.Ref(addr), a.onces.holds(funcVar(addr))
	case *ssa.Alloc:
		st := access.OnlyStore(addr)
		return a.names.Ref(addr), st != nil && onceResult(st.Val) != nil
	case *ssa.FreeVar:
		if local, ok := captured(addr).(*ssa.Alloc); ok {
			st := access.OnlyStore(local)
			return a.names.Ref(addr), st != nil && onceResult(st.Val) != nil
		}
	}
	return access.Ref{}, false
}

// runOnce calls call, which calls the once function of ref, with that held, as around Do.
func (a *analysis) runOnce(ref access.Ref, s *state, call func()) {
	hold := func(mode Mode) {
		a.each(s, func(alt *alternative) {
			alt.Held = alt.Held.With(Held{Path: ref.Path, Class: ref.Var, Mode: mode, Once: true})
		})
	}
	a.rec.runsOnce(ref, s)
	around := s.alts
	hold(Write)
	call()
	s.alts = around
	hold(Read)
}

// keepOnce handles that f, which call has run once, is kept in the variables that get the result. What f captured is
// known here only; without that, who calls it is known there.
func (a *analysis) keepOnce(f access.Ref, call ssa.CallInstruction, s *state) {
	if f.Func == nil || len(f.Func.Free)+len(f.Func.Bound) == 0 || a.rec == nil {
		return
	}
	a.shareRef(s, f)
	t := a.funcTarget(f.Func, nil)
	if t.effect == nil {
		return
	}
	e := Edge{Callee: t.key, Pos: posOf(call), Params: t.params, Free: t.free, Stored: true, After: sites(s.after), Outlive: t.effect.Running()}
	for _, instr := range *call.Value().Referrers() {
		if st, ok := instr.(*ssa.Store); ok {
			ref := a.names.Ref(st.Addr)
			e.At.Held = e.At.Held.With(Held{Path: ref.Path, Class: ref.Var, Mode: Write, Once: true})
		}
	}
	a.rec.edgeAt(a, e, call, s)
}

// isKeptOnce reports whether all that becomes of the result of instr is that it is kept in fields and package variables
// that hold functions which run once: where that happens is seen there.
func (a *analysis) isKeptOnce(instr ssa.CallInstruction) bool {
	call, ok := instr.(*ssa.Call)
	if !ok || onceResult(call) == nil {
		return false
	}
	for _, instr := range *call.Referrers() {
		switch instr := instr.(type) {
		case *ssa.DebugRef:
		case *ssa.Store:
			if !a.onces.holds(funcVar(instr.Addr)) {
				return false
			}
		default:
			return false
		}
	}
	return true
}
