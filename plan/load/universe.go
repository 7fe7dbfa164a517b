package load

// This file reads export data.

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"os"

	"golang.org/x/tools/go/gcexportdata"
	"golang.org/x/tools/go/packages"
)

// errNoExport is why a package cannot be imported that the go command could not compile. Its error is reported where
// it is, not at each importer.
var errNoExport = errors.New("no export data")

// universe is a set of imported packages which agree with each other: of each path at most one variant. The types of
// p and of p [p.test] are different types, and mixing them makes a type differ from itself.
type universe struct {
	fset     *token.FileSet
	packages map[string]*types.Package // by path; incomplete ones are known only by name from others' export data
}

func newUniverse(fset *token.FileSet) *universe {
	return &universe{fset, map[string]*types.Package{}}
}

// importAll reads the export data of what meta imports. What cannot be read is left out; see importer.
func (u *universe) importAll(meta *packages.Package) map[string]error {
	failed := map[string]error{}
	for path, dep := range meta.Imports {
		if _, err := u.load(dep); err != nil {
			failed[path] = err
		}
	}
	return failed
}

// load returns an imported package, from export data the first time.
func (u *universe) load(p *packages.Package) (*types.Package, error) {
	if p.PkgPath == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg := u.packages[p.PkgPath]; pkg != nil && pkg.Complete() {
		return pkg, nil
	}
	if p.ExportFile == "" {
		return nil, errNoExport
	}
	f, err := os.Open(p.ExportFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	//lint:ignore SA1019 until go 1.28 the go command's export data is an archive, which only NewReader opens
	r, err := gcexportdata.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("export data of %s: %w", p.PkgPath, err)
	}
	return gcexportdata.Read(r, u.fset, u.packages, p.PkgPath)
}

// needsOwnUniverse reports whether p imports a package compiled for a test, such as p [p.test]. What depends on such a
// package is a variant too, so the direct imports tell.
func needsOwnUniverse(p *packages.Package) bool {
	for _, dep := range p.Imports {
		if dep.ID != dep.PkgPath {
			return true
		}
	}
	return false
}

// importer imports for one package, from a universe that is complete for it and no longer changes.
type importer struct {
	universe *universe
	meta     *packages.Package
	failed   map[string]error // by path in source
}

func (im *importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	dep := im.meta.Imports[path]
	if path == "C" {
		return nil, errNoExport // cgo would have rewritten the file had it not failed, which the go command reports
	} else if dep == nil && len(im.meta.Errors) > 0 {
		return nil, errors.New(im.meta.Errors[0].Msg) // the go command stopped reading: import cycles
	} else if dep == nil {
		return nil, errors.New("not among what the go command says the package imports")
	}
	if err := im.failed[path]; err != nil {
		return nil, err
	}
	return im.universe.packages[dep.PkgPath], nil
}
