package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file lets a loop over the map range over a copy, where its body may not run while the guard is held.

// Copies implements region.Effects. The copy has the entries that the loop would see, unless the body changes the map.
func (e *effects) Copies(loop *ast.RangeStmt) (name string, ok bool) {
	fn := e.in
	if version.Compare(cmp.Or(fn.file.Syntax.GoVersion, "go"+fn.pkg.GoVersion), "go1.21") < 0 || hidesMaps(fn, loop.X) {
		return "", false
	}
	if e.waits(loop.Body) {
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

// waits reports whether body waits until another goroutine has done something, which may be to change the map.
func (e *effects) waits(body ast.Node) (found bool) {
	info := e.in.pkg.Info
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectStmt:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.RangeStmt:
			_, ok := info.TypeOf(n.X).Underlying().(*types.Chan)
			found = found || ok
		case *ast.CallExpr:
			if callee, ok := typeutil.Callee(info, n).(*types.Func); ok {
				key := access.ObjectKey(callee)
				eff := e.d.world.Effects[key]
				found = found || key != "time.Sleep" && model.Blocking(key) || eff != nil && eff.Blocks != ""
			}
		}
		return true
	})
	return found
}
