package lockset

import (
	"strconv"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file gives a builtin that a goroutine runs a body of its own:
//
//	go delete(s.m, k)
//
// What the statement evaluates is a part of the function it stands in; what delete does is not.

// GoBuiltin returns the key of the body that stands for the builtin which instr has a goroutine run on a map, its
// first parameter; it returns "" when instr does something else.
func GoBuiltin(instr *ssa.Go) string {
	b, ok := instr.Call.Value.(*ssa.Builtin)
	if !ok || b.Name() != "delete" && b.Name() != "clear" {
		return ""
	}
	if !access.IsMap(instr.Call.Args[0].Type()) {
		return ""
	}
	n := 0 // of go statements before it
	for _, block := range instr.Parent().Blocks {
		for _, other := range block.Instrs {
			if _, ok := other.(*ssa.Go); ok && other.Pos() < instr.Pos() {
				n++
			}
		}
	}
	return access.FuncKey(instr.Parent()) + "$go" + strconv.Itoa(n+1)
}

// goesBuiltin starts the body of the builtin that instr runs.
func (a *analysis) goesBuiltin(instr *ssa.Go, t target, site string, many bool, s *state) {
	key := GoBuiltin(instr)
	if key == "" {
		return
	}
	a.shareRef(s, a.names.Ref(instr.Call.Args[0]))
	a.begin(s, site, t)
	if a.rec == nil {
		return
	}
	a.rec.body.Inner = append(a.rec.body.Inner, &Body{Key: key, Name: "go " + t.builtin, Pos: instr.Pos(), Params: []string{"m", "key"}, Closure: true, Synthetic: true})
	a.rec.edge(a, Edge{Callee: key, Pos: instr.Pos(), Params: a.names.Refs(instr.Call.Args), Start: model.Go, Site: site, Many: many}, instr, s)
}
