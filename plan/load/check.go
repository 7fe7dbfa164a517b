package load

// This file type-checks.

import (
	"errors"
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// maxErrors is how many errors of one package are worth reading.
const maxErrors = 10

// check type-checks all packages whose files have parsed.
//
// Inv: the shared universe is complete before the first package is checked, so the checkers only read it. Reading
// export data adds objects to packages that others have mentioned before, which a checker must not see half done.
func (ld *loader) check() {
	shared := newUniverse(ld.prog.Fset)
	failed := make([]map[string]error, len(ld.chosen))
	for i, c := range ld.chosen {
		if !needsOwnUniverse(c.meta) {
			failed[i] = shared.importAll(c.meta)
		}
	}
	ld.each(len(ld.chosen), func(i int) {
		c := ld.chosen[i]
		im := &importer{universe: shared, meta: c.meta, failed: failed[i]}
		if failed[i] == nil {
			im.universe = newUniverse(ld.prog.Fset)
			im.failed = im.universe.importAll(c.meta)
		}
		ld.checkPackage(c, im)
	})
}

// checkPackage type-checks one package. It writes only to c and to c's own errors.
func (ld *loader) checkPackage(c *chosen, im *importer) {
	errs := ld.errs[c]
	if errs.parse(c, ld.parsed[c]); c.Broken {
		return // what the type checker says of half a tree is noise
	}
	var found []types.Error
	conf := &types.Config{
		GoVersion: "go" + c.GoVersion,
		Importer:  im,
		Sizes:     types.SizesFor("gc", ld.goarch),
		Error: func(err error) {
			if e := (types.Error{}); errors.As(err, &e) {
				found = append(found, e)
			}
		},
	}
	if conf.Sizes == nil {
		conf.Sizes = types.SizesFor("gc", "amd64")
	}
	c.Info = &types.Info{
		Types:        map[ast.Expr]types.TypeAndValue{},
		Instances:    map[*ast.Ident]types.Instance{},
		Defs:         map[*ast.Ident]types.Object{},
		Uses:         map[*ast.Ident]types.Object{},
		Implicits:    map[ast.Node]types.Object{},
		Selections:   map[*ast.SelectorExpr]*types.Selection{},
		Scopes:       map[ast.Node]*types.Scope{},
		FileVersions: map[*ast.File]string{},
	}
	var err error
	if c.Types, err = safeCheck(conf, c); err != nil {
		c.Broken = true
	}
	errs.types(found)
	if c.Broken && len(found) == 0 {
		errs.add(Error{File: ld.relative(c.Dir), Msg: err.Error()})
	}
}

// safeCheck is conf.Check for input that no one has seen before: a panic of the type checker is an error of the
// package, since one odd package must not take the others with it.
func safeCheck(conf *types.Config, c *chosen) (pkg *types.Package, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the type checker panicked on package %s: %v", c.Path, r)
		}
	}()
	return conf.Check(c.Path, c.fset, c.syntax, c.Info)
}

// parse adds the syntax errors of c's files.
func (errs *packageErrors) parse(c *chosen, files []*parsed) {
	for _, f := range files {
		if f.err != nil {
			errs.add(Error{File: errs.relative(f.name), Msg: f.err.Error()})
			c.Broken = true
		}
		if len(f.errs) > 0 {
			errs.add(errs.at(f.errs[0].Pos, f.errs[0].Msg)) // further ones are mostly the parser finding its way back
			c.Broken = true
		}
	}
	if len(files) == 0 {
		c.Broken = true // the go command says why
	}
}

// types adds what the type checker found, except for the cascades: imports of broken packages, and the further lines
// of an error ("\tother declaration of x").
func (errs *packageErrors) types(found []types.Error) {
	for _, e := range found {
		posn := e.Fset.Position(e.Pos)
		switch {
		case strings.HasPrefix(e.Msg, "\t"):
		case strings.HasPrefix(e.Msg, "could not import ") && strings.HasSuffix(e.Msg, "("+errNoExport.Error()+")"):
			errs.silenced = append(errs.silenced, errs.at(posn, e.Msg))
		default:
			errs.add(errs.at(posn, e.Msg))
		}
	}
}
