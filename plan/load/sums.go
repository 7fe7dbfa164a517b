package load

// This file names what decides what can be known of a package, so that a summary of it can be kept and used again.

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"
	"path/filepath"
	"regexp"
	"slices"

	"golang.org/x/tools/go/packages"
)

// A Sum is a hash of all that decides what a package is, as long as the tool is the same: the names and the content of its files, as the
// compiler sees them, the language, the platform, the types of what it imports and which of it is in the program, and the Sums of those
// packages. The zero Sum is that this cannot be told.
type Sum [sha256.Size]byte

// IsZero reports whether s is unknown.
func (s Sum) IsZero() bool { return s == Sum{} }

// summer makes the sums of the packages.
type summer struct {
	*loader
	own   map[string]bool           // paths of the program's packages
	types map[*packages.Package]Sum // of the export data of a package and of what it imports
}

// sums fills in Sum of each package, which comes after those of its Imports.
func (ld *loader) sums() {
	s := summer{ld, make(map[string]bool), make(map[*packages.Package]Sum)}
	of := make(map[*Package]*chosen)
	for _, c := range ld.chosen {
		of[c.Package] = c
		s.own[c.Path] = true
	}
	for _, pkg := range ld.prog.Packages {
		pkg.Sum = s.sum(of[pkg])
	}
}

// sum returns the Sum of c. A package that is not sound as a whole has none.
func (s summer) sum(c *chosen) (sum Sum) {
	if c.Broken || len(c.Unchecked) > 0 {
		return Sum{}
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q\n", c.Path, c.Name, c.Module, c.GoVersion, s.Platform)
	for _, f := range s.parsed[c] {
		fmt.Fprintf(h, "file %q %x\n", f.name, sha256.Sum256(f.src))
	}
	if !s.imports(h, c.meta) {
		return Sum{}
	}
	for _, dep := range c.Imports {
		if dep.Sum.IsZero() {
			return Sum{}
		}
		fmt.Fprintf(h, "own %q %x\n", dep.Path, dep.Sum)
	}
	return Sum(h.Sum(nil))
}

// imports adds to h the types of what p imports, in the order of their paths. It reports whether they are known.
func (s summer) imports(h hash.Hash, p *packages.Package) bool {
	deps := make([]*packages.Package, 0, len(p.Imports))
	for _, dep := range p.Imports {
		deps = append(deps, dep)
	}
	slices.SortFunc(deps, func(a, b *packages.Package) int { return cmp.Compare(a.ID, b.ID) })
	for _, dep := range deps {
		sum := s.typesOf(dep)
		if sum.IsZero() {
			return false
		}
		fmt.Fprintf(h, "types %q %x\n", dep.ID, sum)
	}
	return true
}

// contentAddressed is how the go command calls what it keeps: by a hash of the content.
var contentAddressed = regexp.MustCompile(`^[0-9a-f]{64}-d$`)

// typesOf returns what decides the types of p: the export data, which is called by its content, and that of what it imports.
func (s summer) typesOf(p *packages.Package) Sum {
	if sum, ok := s.types[p]; ok {
		return sum
	}
	s.types[p] = Sum{}
	h := sha256.New()
	switch name := filepath.Base(p.ExportFile); {
	case p.PkgPath == "unsafe":
		fmt.Fprintln(h, "unsafe")
	case !contentAddressed.MatchString(name):
		return Sum{}
	default:
		fmt.Fprintln(h, name, s.own[p.PkgPath])
	}
	if s.imports(h, p) {
		s.types[p] = Sum(h.Sum(nil))
	}
	return s.types[p]
}
