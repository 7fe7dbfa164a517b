package plan

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/share"
)

// This file counts of how many objects a variable is a field. What an empty or small one takes up counts where there are many.

// instances is how many of a variable there are. The zero value is: it is not known.
type instances uint8

const (
	anyNumber instances = iota // callers outside the program make them, or it is not seen where they are made
	few                        // made where nothing shows that they are made again
	many                       // made in a loop, for each request or call, or put in a slice or map
	single                     // a package variable
)

func (n instances) String() string {
	switch n {
	case single:
		return "one instance"
	case few:
		return "few instances"
	case many:
		return "many instances"
	}
	return "an unknown number of instances"
}

// instancesOf returns how many of the variable of c there are.
func (d *decider) instancesOf(c *candidate) instances {
	if c.decl.outer != nil {
		return single
	}
	if c.decl.typ == nil || c.decl.object() == nil {
		return anyNumber
	}
	k := &counting{d: d, w: &wrapping{d: d, c: c}}
	k.w.findObjects()
	for _, pkg := range k.w.pkgs {
		for _, file := range pkg.Files {
			if !file.Test {
				ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
					k.look(pkg, n, stack)
					return true
				})
			}
		}
	}
	switch {
	case k.many:
		return many
	case k.outside || !k.made:
		return anyNumber
	}
	return few
}

// counting looks for places that make what a variable is in.
type counting struct {
	d                   *decider
	w                   *wrapping // of the variable
	made, many, outside bool
}

// look notes n if it makes a value that has the variable in it.
func (k *counting) look(pkg *load.Package, n ast.Node, stack []ast.Node) {
	info := pkg.Info
	switch n := n.(type) {
	case *ast.CompositeLit:
		if k.w.holds(info.TypeOf(n)) {
			k.note(pkg, n, stack)
		}
	case *ast.ValueSpec:
		if len(n.Values) == 0 && k.w.holds(info.TypeOf(n.Names[0])) {
			k.note(pkg, n, stack)
		}
	case *ast.CallExpr:
		if b, ok := typeutil.Callee(info, n).(*types.Builtin); ok && b.Name() == "new" && k.w.holds(info.TypeOf(n.Args[0])) {
			k.note(pkg, n, stack)
		}
	case *ast.MapType:
		k.many = k.many || k.w.holds(pointee(info.TypeOf(n.Value)))
	case *ast.ArrayType:
		k.many = k.many || k.w.holds(pointee(info.TypeOf(n.Elt)))
	case *ast.ChanType:
		k.many = k.many || k.w.holds(pointee(info.TypeOf(n.Value)))
	}
}

// note notes that a value is made at n.
func (k *counting) note(pkg *load.Package, n ast.Node, stack []ast.Node) {
	k.made = true
	fn := declAround(stack)
	if fn == nil { // a package variable begins with it
		return
	}
	def, ok := pkg.Info.Defs[fn.Name].(*types.Func)
	if !ok {
		k.outside = true
		return
	}
	for _, around := range stack {
		switch around.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			k.many = true
		case *ast.FuncLit:
			k.outside = true // how often it is called is not followed
		}
	}
	k.called(access.ObjectKey(def), make(map[string]bool))
}

// called notes how often the function key is called.
func (k *counting) called(key string, seen map[string]bool) {
	if seen[key] {
		return
	}
	seen[key] = true
	switch k.d.world.RootOf(key) {
	case share.Serving:
		k.many = true
	case share.Exported, share.Interface:
		k.outside = true
	}
	for _, e := range k.d.world.Callers(key) {
		switch {
		case e.Loop || e.Many:
			k.many = true
		case e.Stored || e.Applied || e.Dispatched:
			k.outside = true
		}
		k.called(e.Caller, seen)
	}
}
