package load

// This file chooses: one variant of each package, and which packages are in the program.

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// variant ranks what the go command lists under one path. Only one of each path is chosen: the lowest.
type variant int

const (
	withTests    variant = iota // p [p.test], the package with its in-package tests
	external                    // p_test [p.test]
	plain                       // p
	intermediate                // q [p.test], q compiled again because it imports p; the same files as q
	testMain                    // p.test, made by the go command
)

func variantOf(p *packages.Package) variant {
	switch {
	case p.ForTest != "" && p.PkgPath == p.ForTest:
		return withTests
	case p.ForTest != "" && p.PkgPath == p.ForTest+"_test" && strings.HasSuffix(p.Name, "_test"):
		return external
	case strings.HasSuffix(p.ID, ".test") && !slices.ContainsFunc(p.GoFiles, isGoFile):
		return testMain // a package in a folder that is called x.test has Go files, a test main a file of the build cache
	case p.ID != p.PkgPath:
		return intermediate
	}
	return plain
}

func isGoFile(name string) bool { return filepath.Ext(name) == ".go" }

// chosen is one package of the program, as the go command sees it.
type chosen struct {
	*Package
	meta    *packages.Package
	plain   *packages.Package // the same without in-package tests; nil if there is nothing else
	tested  *packages.Package // what meta was before checkPlain left out the tests; usually nil
	leads   imports           // what its imports lead to
	imports []*chosen         // all of that, by path; with edges that only tests have, so it may hold cycles
}

// imports are the own packages that each import of a package leads to, by its path in source: the imported one, or, where that is of
// another module, those that it imports, directly or through others such.
type imports map[string][]*chosen

// all returns the packages, each once, sorted by path.
func (im imports) all() []*chosen {
	all := slices.Concat(slices.Collect(maps.Values(im))...)
	slices.SortFunc(all, comparePaths)
	return slices.Compact(all)
}

// choose returns the packages of the program, sorted by path.
func choose(l *listing) []*chosen {
	byPath := map[string]*chosen{} // the key of an external test is its ID's path, "p_test"
	untested := map[string]*packages.Package{}
	packages.Visit(l.roots, func(p *packages.Package) bool {
		v := variantOf(p)
		if v == testMain || !l.isOwn(p) || len(p.GoFiles)+len(p.CompiledGoFiles) == 0 {
			return true
		}
		if v == plain {
			untested[p.PkgPath] = p
		}
		old := byPath[key(p)]
		if old == nil || v < variantOf(old.meta) || v == variantOf(old.meta) && p.ID < old.meta.ID {
			byPath[key(p)] = &chosen{meta: p}
		}
		return true
	}, nil)
	all := make([]*chosen, 0, len(byPath))
	for _, c := range byPath {
		c.Package = l.describe(c.meta)
		if variantOf(c.meta) == withTests {
			c.plain = untested[c.Path]
		}
		all = append(all, c)
	}
	slices.SortFunc(all, comparePaths)
	f := finder{byPath, map[*packages.Package][]*chosen{}}
	for _, c := range all {
		c.leads = imports{}
		for path, dep := range c.meta.Imports {
			c.leads[path] = slices.DeleteFunc(slices.Clone(f.own(dep)), func(d *chosen) bool { return d == c })
		}
		c.imports = c.leads.all()
	}
	return prune(all)
}

// finder finds own packages.
type finder struct {
	byPath map[string]*chosen
	found  map[*packages.Package][]*chosen
}

// own returns what an import of p leads to.
func (f finder) own(p *packages.Package) []*chosen {
	if c := f.byPath[key(p)]; c != nil {
		return []*chosen{c}
	}
	if all, ok := f.found[p]; ok {
		return all
	}
	below := imports{}
	for path, dep := range p.Imports {
		below[path] = f.own(dep)
	}
	f.found[p] = below.all()
	return f.found[p]
}

// key separates the external test p_test from a package in a folder of that name.
func key(p *packages.Package) string {
	if variantOf(p) == external {
		return p.PkgPath + " external"
	}
	return p.PkgPath
}

func comparePaths(a, b *chosen) int {
	if c := strings.Compare(a.Path, b.Path); c != 0 || a.External == b.External {
		return c
	} else if a.External {
		return 1
	}
	return -1
}

// isOwn reports whether p is a package of ours: in a main module, or named by a pattern.
func (l *listing) isOwn(p *packages.Package) bool {
	if p.PkgPath == "unsafe" {
		return false
	}
	if p.Module != nil && p.Module.Main {
		return true
	}
	if p.Module == nil && strings.HasPrefix(p.PkgPath, "vendor/") {
		return false // the pattern "std" matches what the standard library has vendored
	}
	return l.requested[testedPath(p)]
}

// describe returns the Package without its files.
func (l *listing) describe(p *packages.Package) *Package {
	pkg := &Package{
		Path:      p.PkgPath,
		Name:      p.Name,
		Requested: l.requested[testedPath(p)],
		External:  variantOf(p) == external,
	}
	if len(p.GoFiles) > 0 {
		pkg.Dir = filepath.Dir(p.GoFiles[0])
	}
	switch m := p.Module; {
	case m != nil:
		pkg.Module, pkg.GoVersion, pkg.Writable = m.Path, m.GoVersion, m.Main
		if pkg.GoVersion == "" {
			pkg.GoVersion = "1.16" // what the go command assumes when go.mod does not say
		}
	default:
		// The Go tree's own packages, and files named on the command line.
		if mod := l.moduleOf(pkg.Dir); mod != nil {
			pkg.Module, pkg.GoVersion, pkg.Writable = mod.Path, mod.GoVersion, true
		} else {
			pkg.GoVersion = l.Go
			if within(pkg.Dir, filepath.Join(l.GOROOT, "src")) {
				pkg.Module = "std"
			}
		}
	}
	return pkg
}

// prune keeps what was requested, what imports it, and what any of those import: the bodies of dependencies say
// what a call does, importers say who calls.
func prune(all []*chosen) []*chosen {
	importers := map[*chosen][]*chosen{}
	var requested []*chosen
	for _, c := range all {
		for _, dep := range c.imports {
			importers[dep] = append(importers[dep], c)
		}
		if c.Requested {
			requested = append(requested, c)
		}
	}
	up := reach(requested, func(c *chosen) []*chosen { return importers[c] })
	keep := reach(slices.Collect(keys(up, all)), func(c *chosen) []*chosen { return c.imports })
	return slices.DeleteFunc(all, func(c *chosen) bool { return !keep[c] })
}

// keys yields the members of set in the order of all.
func keys(set map[*chosen]bool, all []*chosen) func(func(*chosen) bool) {
	return func(yield func(*chosen) bool) {
		for _, c := range all {
			if set[c] && !yield(c) {
				return
			}
		}
	}
}

// reach returns what can be reached from start, start included.
func reach[T comparable](start []T, next func(T) []T) map[T]bool {
	seen := map[T]bool{}
	todo := slices.Clone(start)
	for len(todo) > 0 {
		c := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[c] {
			continue
		}
		seen[c] = true
		todo = append(todo, next(c)...)
	}
	return seen
}
