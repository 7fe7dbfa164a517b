package load

// This file builds SSA.

import (
	"fmt"

	"golang.org/x/tools/go/ssa"
)

// SSA builds the package in SSA form, in an ssa.Program of its own: all of it is garbage when the caller drops it, since
// the SSA of a whole workspace does not fit in memory. Imported packages have no bodies, neither do instances of their generic
// functions. SSA may be called concurrently for different packages and builds again at each call.
func (p *Package) SSA() (pkg *ssa.Package, err error) {
	if p.Broken || p.Types == nil {
		return nil, fmt.Errorf("package %s has errors", p.Path)
	}
	defer func() {
		if r := recover(); r != nil {
			pkg, err = nil, fmt.Errorf("cannot build SSA of package %s: %v", p.Path, r)
		}
	}()
	prog := ssa.NewProgram(p.fset, 0)
	for _, imported := range p.Types.Imports() {
		prog.CreatePackage(imported, nil, nil, true)
	}
	pkg = prog.CreatePackage(p.Types, p.syntax, p.Info, false)
	pkg.Build()
	return pkg, nil
}
