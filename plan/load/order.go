package load

// This file puts packages in dependency order.

import (
	"go/ast"
	"slices"
	"strconv"
)

// order returns the packages so that imports come first, ties by path, and fills Imports with what came before.
//
// The files of package p and its in-package test are one package here, and so the imports may run in a circle:
//
//	p_test.go imports q, q_test.go imports p
//
// is legal. Imports by ordinary files never do, so an import by a test file gives way when there is a circle: it is
// left out of Imports.
func order(all []*chosen) []*Package {
	waits := make(map[*chosen]edges, len(all)) // what each package still waits for
	for _, c := range all {
		waits[c] = edgesOf(c)
	}
	var done []*Package
	placed := map[*chosen]bool{}
	for len(waits) > 0 {
		c := next(all, waits, placed)
		delete(waits, c)
		for _, dep := range c.imports {
			if placed[dep] {
				c.Imports = append(c.Imports, dep.Package)
			}
		}
		placed[c] = true
		done = append(done, c.Package)
	}
	return done
}

// edges are the own packages that a package imports.
type edges struct {
	hard, soft []*chosen // by ordinary files, by test files only
}

func edgesOf(c *chosen) edges {
	var e edges
	hard := map[*chosen]bool{}
	for _, f := range c.Files {
		if !f.Test {
			for path := range importPaths(f.Syntax) {
				for _, dep := range c.leads[path] {
					hard[dep] = true
				}
			}
		}
	}
	for _, dep := range c.imports {
		// Nothing imports an external test, so its edges are as good as hard.
		if hard[dep] || c.External {
			e.hard = append(e.hard, dep)
		} else {
			e.soft = append(e.soft, dep)
		}
	}
	return e
}

func importPaths(f *ast.File) map[string]bool {
	paths := map[string]bool{}
	for _, spec := range f.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths[path] = true
		}
	}
	return paths
}

// next returns the first package that waits for nothing; if there is none, the first that waits only for tests' imports, and for nothing
// outside of its own circle, since what waits for a circle is not to give way; and in an import cycle, which is an error reported elsewhere, just the first.
func next(all []*chosen, waits map[*chosen]edges, placed map[*chosen]bool) *chosen {
	isPlaced := func(c *chosen) bool { return placed[c] }
	var soft []*chosen
	var first *chosen
	for _, c := range all {
		e, ok := waits[c]
		if !ok {
			continue
		}
		e.hard = slices.DeleteFunc(e.hard, isPlaced)
		e.soft = slices.DeleteFunc(e.soft, isPlaced)
		waits[c] = e
		switch {
		case len(e.hard)+len(e.soft) == 0:
			return c
		case len(e.hard) == 0:
			soft = append(soft, c)
		case first == nil:
			first = c
		}
	}
	if i := slices.IndexFunc(soft, func(c *chosen) bool { return isCircle(c, waits) }); i >= 0 {
		return soft[i]
	}
	return first
}

// isCircle reports whether whatever c waits for, directly or not, waits for c.
func isCircle(c *chosen, waits map[*chosen]edges) bool {
	back := map[*chosen][]*chosen{}
	below := reach([]*chosen{c}, func(p *chosen) []*chosen {
		deps := slices.Concat(waits[p].hard, waits[p].soft)
		for _, dep := range deps {
			back[dep] = append(back[dep], p)
		}
		return deps
	})
	return len(reach([]*chosen{c}, func(p *chosen) []*chosen { return back[p] })) == len(below)
}
