package load

// This file type-checks.

import (
	"errors"
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"strings"
	"sync/atomic"
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
	var done atomic.Int64
	ld.each(len(ld.chosen), func(i int) {
		defer func() { ld.tell("loading package", int(done.Add(1)), len(ld.chosen)) }()
		c := ld.chosen[i]
		im := &importer{universe: shared, meta: c.meta, failed: failed[i]}
		if failed[i] == nil {
			im.universe = newUniverse(ld.prog.Fset)
			im.failed = im.universe.importAll(c.meta)
		}
		ld.checkPackage(c, im)
	})
	for _, c := range ld.chosen {
		if c.tested != nil {
			maps.DeleteFunc(c.leads, func(path string, _ []*chosen) bool { return c.plain.Imports[path] == nil })
			c.imports = c.leads.all()
		}
	}
}

// checkPackage type-checks one package. It writes only to c and to c's own errors.
func (ld *loader) checkPackage(c *chosen, im *importer) {
	errs := ld.errs[c]
	errs.parse(c, ld.parsed[c])
	if !c.Broken { // what the type checker says of half a tree is noise
		found, err := ld.typeCheck(c, im)
		errs.types(found)
		if c.Broken = err != nil; c.Broken && len(found) == 0 {
			errs.add(Error{File: ld.relative(c.Dir), Msg: err.Error()})
		}
	}
	if c.Broken || len(c.meta.Errors) > 0 {
		ld.checkPlain(c)
	}
}

// checkPlain checks a package that has errors again without its in-package tests. If it is sound then, that is what c
// becomes: people run their programs, and want to hear about them, while a test is half written. The errors stay.
func (ld *loader) checkPlain(c *chosen) {
	if c.plain == nil || len(c.plain.Errors) > 0 {
		return
	}
	pkg := *c.Package
	pkg.Broken, pkg.Files, pkg.syntax = false, nil, nil
	tests := map[*ast.File]bool{}
	for _, f := range ld.parsed[c] {
		switch {
		case isTest(f.name):
			tests[f.syntax] = true
			pkg.Unchecked = append(pkg.Unchecked, &File{Name: ld.relative(f.name), Abs: f.name, Syntax: f.syntax, Src: f.src, Test: true})
		case f.err != nil || len(f.errs) > 0:
			return
		}
	}
	for _, f := range c.Files {
		if !f.Test {
			pkg.Files = append(pkg.Files, f)
		}
	}
	for _, f := range c.syntax {
		if !tests[f] {
			pkg.syntax = append(pkg.syntax, f)
		}
	}
	im := &importer{universe: newUniverse(ld.prog.Fset), meta: c.plain}
	im.failed = im.universe.importAll(c.plain)
	if _, err := ld.typeCheck(&chosen{Package: &pkg, meta: c.plain}, im); err != nil {
		return
	}
	*c.Package = pkg
	c.meta, c.tested = c.plain, c.meta
}

// typeCheck fills Types and Info of c. It returns what the type checker found, and an error if that is anything.
func (ld *loader) typeCheck(c *chosen, im *importer) (found []types.Error, err error) {
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
	c.Types, err = safeCheck(conf, c)
	return found, err
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
