package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mapmend/plan/kept"
	"mapmend/plan/load"
)

// This file keeps sections from being added when source that was not loaded may store a function where one is kept that
// is called while the guard is held. What that function does is not known:
//
//	//go:build windows
//
//	func (s *S) begin() { s.hook = func() { s.Len() } } // Len takes s.mu after the mend, and s.hook is called with it held

// checkUnseenStores refuses variables under whose guard functions are called that such source may store.
func (d *decider) checkUnseenStores(c *candidate) *Refusal {
	if c.guard.add != nil {
		return nil // nothing is called under it yet
	}
	for _, stored := range d.world.StoredAs(c.guard.class, c.one == nil) {
		for _, pkg := range d.folders(stored.Package) {
			if pkg.Path != stored.Package && !token.IsExported(stored.Name) {
				continue
			}
			for _, name := range d.unseenFiles(pkg.Dir) {
				base := filepath.Base(name)
				file, _ := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
				if base[0] == '_' || base[0] == '.' || file == nil || file.Name == nil || !mayStore(file, pkg, stored) {
					continue
				}
				if mentioned(file, []string{stored.Name}, true) != "" {
					return &Refusal{Code: OutOfScope, Message: d.nameOf(name, c.decl.pkg) + " mentions " + stored.Name + ", where functions are kept that are called with " + c.guard.name + " held, and is not part of this build", Todo: d.loadOr(name, "guard the uses by hand")}
				}
			}
		}
	}
	return nil
}

// mayStore reports whether file, which stands in the folder of pkg, is of the package of stored or imports it.
func mayStore(file *ast.File, pkg *load.Package, stored kept.Name) bool {
	if pkg.Path == stored.Package && strings.TrimSuffix(file.Name.Name, "_test") == pkg.Name {
		return true
	}
	return slices.ContainsFunc(file.Imports, func(spec *ast.ImportSpec) bool {
		path, err := strconv.Unquote(spec.Path.Value)
		return err != nil || path == stored.Package
	})
}
