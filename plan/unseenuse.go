package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// This file keeps sections from being added while source that was not loaded, for another platform say, uses the
// variable, or holds its guard: there the uses would stay bare, and a call of what takes the lock now would wait for
// itself.
//
//	//go:build windows
//
//	func (s *S) reset() {
//		s.mu.Lock()
//		s.drop() // takes s.mu after the mend
//		s.mu.Unlock()
//	}
//
// Such source has no types, so that names alone tell.

// checkUnseenUses refuses variables that source which was not loaded may name, or whose guard it may hold.
func (d *decider) checkUnseenUses(c *candidate) *Refusal {
	names := unseenNames(c)
	for _, pkg := range d.folders(c.decl.pkg.Path) {
		if pkg.Dir != c.decl.pkg.Dir && !slices.ContainsFunc(names, token.IsExported) {
			continue
		}
		for _, name := range d.unseenFiles(pkg.Dir) {
			base := filepath.Base(name)
			file, _ := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if base[0] == '_' || base[0] == '.' || file == nil || file.Name == nil {
				continue // in no build
			}
			if own := pkg.Dir == c.decl.pkg.Dir && strings.TrimSuffix(file.Name.Name, "_test") == c.decl.pkg.Name; !own && !d.mayKnow(file, pkg, c.decl) {
				continue
			}
			if found := mentioned(file, names, c.decl.owner == nil); found != "" {
				return &Refusal{Code: OutOfScope, Message: d.nameOf(name, c.decl.pkg) + " mentions " + found + ", and is not part of this build", Todo: d.loadOr(name, "guard the uses by hand")}
			}
		}
	}
	return nil
}

// unseenNames returns the names by which source may reach the variable of c or its guard.
func unseenNames(c *candidate) []string {
	names := []string{c.decl.name.Name}
	if c.guard.add != nil {
		return names
	}
	field := c.guard.class.Field
	field = field[strings.LastIndexByte(field, '.')+1:]
	names = append(names, field)
	if field == "Mutex" || field == "RWMutex" { // embedded: its methods are the owner's
		names = append(names, "Lock", "RLock", "TryLock", "TryRLock")
	}
	return names
}

// mentioned returns which of names file selects or, for package variables, mentions at all.
func mentioned(file *ast.File, names []string, bare bool) (found string) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if slices.Contains(names, n.Sel.Name) {
				found = n.Sel.Name
			}
		case *ast.Ident:
			if bare && slices.Contains(names, n.Name) {
				found = n.Name
			}
		}
		return found == ""
	})
	return found
}
