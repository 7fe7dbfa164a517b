package lockset

import (
	"fmt"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file keeps one odd function from taking the analysis of all others with it. Nothing is known of it then, and the
// variables that it mentions are not judged as if it were not there.

// MaxBlocks is how many basic blocks a function may have: those of more are tables that a generator wrote, and the time that
// they take is better spent.
const MaxBlocks = 100_000

// analysed is function for any fn: if its analysis fails, or it is too large, it is one of which nothing is known.
func analysed(fn *ssa.Function, effect func(string) *Effect, in inPackage, cfg Config, visit func(*Func, ssa.Instruction, View)) (body *Body, e *Effect) {
	defer func() {
		if r := recover(); r != nil {
			body, e = unknown(fn, fmt.Sprintf("its analysis failed, please report: %v", r))
		}
	}()
	most := cfg.MaxBlocks
	if most == 0 {
		most = MaxBlocks
	}
	if n := len(fn.Blocks); n > most {
		return unknown(fn, fmt.Sprintf("it has %d basic blocks, more than %d", n, most))
	}
	return function(fn, effect, in, cfg, visit)
}

// unknown returns what is known of fn when it was not analysed: it may do anything to what it is given.
func unknown(fn *ssa.Function, why string) (*Body, *Effect) {
	body := describe(fn)
	body.Failed, body.Mentions = why, mapsIn(fn)
	e := &Effect{Unknown: "a call of " + body.Name + ", which was not analysed", Dynamic: []string{AnyType, AnyMethod, ByName, Outside, Waiting}}
	for i := range fn.Params {
		e.Shares = append(e.Shares, access.Root{Kind: access.Param, Index: i})
	}
	for i := range fn.FreeVars {
		e.Shares = append(e.Shares, access.Root{Kind: access.Free, Index: i})
	}
	e.Shows = e.Shares
	return body, e
}

// mapsIn returns the map variables that fn mentions, fields and package variables.
func mapsIn(fn *ssa.Function) []access.Var {
	var out []access.Var
	add := func(v access.Var, t types.Type) {
		if access.IsMap(t) && !v.IsZero() && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	var ops []*ssa.Value
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			switch instr := instr.(type) {
			case *ssa.FieldAddr:
				add(access.FieldVar(instr.X.Type(), instr.Field))
			case *ssa.Field:
				add(access.FieldVar(instr.X.Type(), instr.Field))
			}
			ops = instr.Operands(ops[:0])
			for _, op := range ops {
				if g, ok := (*op).(*ssa.Global); ok && g.Pkg != nil {
					add(access.Var{Package: g.Pkg.Pkg.Path(), Field: g.Name()}, g.Type().Underlying().(*types.Pointer).Elem())
				}
			}
		}
	}
	return out
}
