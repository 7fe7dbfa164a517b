package plan

import (
	"cmp"
	"go/ast"
	"go/version"
	"strings"
)

// This file lets a loop over the map range over a copy, where its body may not run while the guard is held.

// Copies implements region.Effects. The copy has the entries that the loop would see, unless the body changes the map.
func (e *effects) Copies(loop *ast.RangeStmt) (name string, ok bool) {
	fn := e.in
	if version.Compare(cmp.Or(fn.file.Syntax.GoVersion, "go"+fn.pkg.GoVersion), "go1.21") < 0 || hidesMaps(fn, loop.X) {
		return "", false
	}
	c := &callees{methods: make(map[string]bool)}
	g := e.d.calls()
	g.scan(fn.pkg.Info, loop.Body, c)
	for _, k := range e.cases {
		writers := make(map[string]bool)
		for _, j := range k.verdict.Uses {
			if !j.Op.Writes() {
				continue
			}
			if loop.Body.Pos() <= j.Pos && j.Pos < loop.Body.End() {
				return "", false
			}
			key, _, _ := strings.Cut(j.Func, "$")
			writers[key] = true
		}
		if g.reaches(c, writers) {
			return "", false
		}
	}
	switch x := ast.Unparen(loop.X).(type) {
	case *ast.SelectorExpr:
		return x.Sel.Name, true
	case *ast.Ident:
		return x.Name + "Now", true
	}
	return "", false
}
