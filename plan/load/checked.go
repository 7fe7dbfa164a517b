package load

// This file makes a program of what somebody else has parsed and type-checked.

import (
	"go/ast"
	"go/token"
	"go/types"
)

// Checked is a package without errors that somebody else has parsed, with comments, and type-checked.
type Checked struct {
	Types     *types.Package
	Info      *types.Info // has all that Load fills
	Module    string
	GoVersion string  // of the module, such as "1.22"
	Files     []*File // with Name, Abs, Syntax and Src, sorted by Name
}

// Program returns the program that c alone is: requested and writable. Nothing is asked of the go command, and no file is
// read. Generated and Test of its files are set.
func (c *Checked) Program(fset *token.FileSet, root string) *Program {
	pkg := &Package{
		Path: c.Types.Path(), Name: c.Types.Name(), Dir: root, Module: c.Module, GoVersion: c.GoVersion, Files: c.Files,
		Types: c.Types, Info: c.Info, Requested: true, Writable: true, fset: fset,
	}
	prog := &Program{Root: root, Fset: fset, Packages: []*Package{pkg}, files: map[*token.File]*File{}}
	for _, f := range c.Files {
		f.Generated, f.Test = ast.IsGenerated(f.Syntax), isTest(f.Name)
		pkg.syntax = append(pkg.syntax, f.Syntax)
		prog.files[fset.File(f.Syntax.Package)] = f
	}
	return prog
}
