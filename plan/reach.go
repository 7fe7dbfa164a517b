package plan

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/load"
)

// This file finds out whether the body of a range may change the map that it ranges over. The loop over
// a copy would still visit what the body removed:
//
//	for k := range s.m {
//		delete(s.m, other(k)) // the entry is not visited, if it was not yet
//	}

// callees is what a piece of code may call.
type callees struct {
	static  []string        // keys of functions
	methods map[string]bool // names of methods that are called through an interface
	values  bool            // a function value is called
	lits    bool            // the code has function literals
}

// callGraph is who may call whom, by name. A call through an interface may reach every method of that
// name, a call of a function value every function literal and every function that is used as a value.
type callGraph struct {
	calls map[string]*callees
	taken map[string]bool // functions that are used as values
	named map[string][]string
}

// calls returns the call graph of the program.
func (d *decider) calls() *callGraph {
	if d.graph != nil {
		return d.graph
	}
	g := &callGraph{calls: make(map[string]*callees), taken: make(map[string]bool), named: make(map[string][]string)}
	for _, pkg := range d.prog.Packages {
		if pkg.Broken {
			continue
		}
		for _, file := range pkg.Files {
			for _, decl := range file.Syntax.Decls {
				key := declKey(pkg, file, decl)
				if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv != nil {
					g.named[fn.Name.Name] = append(g.named[fn.Name.Name], key)
				}
				if g.calls[key] == nil {
					g.calls[key] = &callees{methods: make(map[string]bool)}
				}
				g.scan(pkg.Info, decl, g.calls[key])
			}
		}
	}
	d.graph = g
	return g
}

// declKey names a declaration: a function by its key, all others of a file by the file.
func declKey(pkg *load.Package, file *load.File, decl ast.Decl) string {
	if fn, ok := decl.(*ast.FuncDecl); ok {
		if obj, ok := pkg.Info.Defs[fn.Name].(*types.Func); ok {
			return access.ObjectKey(obj)
		}
	}
	return "variables of " + file.Name
}

// scan adds what n may call to c.
func (g *callGraph) scan(info *types.Info, n ast.Node, c *callees) {
	called := make(map[ast.Expr]bool)
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			c.lits = true
		case *ast.CallExpr:
			called[ast.Unparen(n.Fun)] = true
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
				called[sel.Sel] = true
			}
			g.call(info, n, c)
		case *ast.RangeStmt:
			if _, ok := info.TypeOf(n.X).Underlying().(*types.Signature); ok {
				c.values = true
			}
		case *ast.Ident:
			if fn, ok := info.Uses[n].(*types.Func); ok && !called[n] {
				g.taken[access.ObjectKey(fn)] = true
			}
		}
		return true
	})
}

func (g *callGraph) call(info *types.Info, call *ast.CallExpr, c *callees) {
	if tv := info.Types[call.Fun]; tv.IsType() || tv.IsBuiltin() {
		return
	}
	if _, lit := ast.Unparen(call.Fun).(*ast.FuncLit); lit {
		return // its body is looked at
	}
	callee, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok {
		c.values = true
		return
	}
	if recv := callee.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
		c.methods[callee.Name()] = true
		return
	}
	c.static = append(c.static, access.ObjectKey(callee))
	for i, arg := range call.Args { // what a function without a body here may call
		t := info.TypeOf(arg)
		if _, isFunc := t.Underlying().(*types.Signature); isFunc {
			c.values = true
		}
		if types.IsInterface(paramType(info, call, i)) {
			for _, name := range methodNames(t) {
				c.methods[name] = true
			}
		}
	}
}

// printed are the methods that a function which takes any value may call, of it and of what is in it.
var printed = []string{"String", "GoString", "Format", "Error", "MarshalJSON", "MarshalText", "MarshalBinary", "LogValue"}

// methodNames returns the names of the methods that a function which is given a value of type t as an
// interface may call: those of the value, and of what is in it.
func methodNames(t types.Type) []string {
	if access.IsPlain(t) {
		return nil
	}
	names := slices.Clone(printed)
	for sel := range types.NewMethodSet(t).Methods() {
		names = append(names, sel.Obj().Name())
	}
	return names
}

// reaches reports whether code that calls what c says may come to a function of targets.
func (g *callGraph) reaches(c *callees, targets map[string]bool) bool {
	seen := make(map[string]bool)
	values := false
	var from func(*callees) bool
	visit := func(key string) bool {
		if targets[key] {
			return true
		}
		if seen[key] || g.calls[key] == nil {
			return false
		}
		seen[key] = true
		return from(g.calls[key])
	}
	from = func(c *callees) bool {
		for _, key := range c.static {
			if visit(key) {
				return true
			}
		}
		for name := range c.methods {
			for _, key := range g.named[name] {
				if visit(key) {
					return true
				}
			}
		}
		if c.values && !values {
			values = true
			for key, other := range g.calls {
				if (other.lits || g.taken[key]) && visit(key) {
					return true
				}
			}
		}
		return false
	}
	return from(c)
}

// checkRanges refuses ranges whose body may change the map.
func (w *wrapping) checkRanges() *Refusal {
	writers := make(map[string]bool)
	for _, m := range w.mentions {
		if !m.writes {
			continue
		}
		for _, n := range m.stack {
			if decl, ok := n.(ast.Decl); ok {
				writers[declKey(m.pkg, m.file, decl)] = true
				break
			}
		}
	}
	for _, m := range w.mentions {
		r, ok := m.node.(*ast.RangeStmt)
		if !ok {
			continue
		}
		for _, other := range w.mentions {
			if other.writes && r.Body.Pos() <= other.id.Pos() && other.id.Pos() < r.Body.End() {
				return w.refuse(RangeMutates, other.id.Pos(), "the body of a range over the map changes it", "collect the keys first, or use --form lock")
			}
		}
		c := &callees{methods: make(map[string]bool)}
		g := w.d.calls()
		g.scan(m.pkg.Info, r.Body, c)
		if g.reaches(c, writers) {
			return w.refuse(RangeMutates, r.Pos(), "a call in the body of a range over the map may change it", "collect the entries first, or use --form lock")
		}
	}
	return nil
}
