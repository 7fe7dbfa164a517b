package access

import (
	"golang.org/x/tools/go/ssa"
)

// This file names variables without the function that mentions them.

// GlobalVar returns the package variable g.
func GlobalVar(g *ssa.Global) Var { return Var{Package: path(g.Pkg.Pkg), Field: g.Name()} }

// OnlyStore returns the one assignment to v, in the function that declares it or in a closure that
// captures it; nil when there is none or another.
func OnlyStore(v *ssa.Alloc) *ssa.Store {
	stores, _ := storesTo(v, make(map[ssa.Value]bool))
	if len(stores) != 1 || written(v) {
		return nil
	}
	return stores[0]
}
