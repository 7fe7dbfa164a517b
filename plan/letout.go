package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"slices"

	"mapmend/plan/load"
	"mapmend/plan/share"
)

// This file lets a copy of the map out of the section that it was read in, where the map itself would be used outside
// while others change it under the guard:
//
//	func (r *Registry) All() map[string]int {
//		r.mu.RLock()
//		defer r.mu.RUnlock()
//		return r.byID // maps.Clone(r.byID)
//	}
//
// Whoever has the copy sees the map as it was. That is what he could rely on before, unless he writes through it.

// copied is a place that lets out the map.
type copied struct {
	pos  token.Pos // of the identifier that names the variable
	file *load.File
	expr ast.Expr // for the map
	from string   // the function that returns it; empty if it is not returned
	loop *CopyLoop
}

// copiesIn returns the copies of c as a Mend has them.
func (c *candidate) copiesIn(d *decider) []Copy {
	var out []Copy
	for _, p := range c.copies {
		out = append(out, Copy{d.span(p.file, p.expr), p.from, p.loop})
	}
	slices.SortFunc(out, func(a, b Copy) int { return compareSpans(a.Span, b.Span) })
	return out
}

// isCopied reports whether a copy is let out at pos.
func (c *candidate) isCopied(pos token.Pos) bool {
	return slices.ContainsFunc(c.copies, func(p copied) bool { return p.pos == pos })
}

// isOfCopy reports whether all that j does without the guard it does to what will be a copy.
func (c *candidate) isOfCopy(j share.Judged) bool {
	if len(c.copies) == 0 || j.Escape != share.AliasLeft {
		return false
	}
	return !slices.ContainsFunc(j.Entries, func(e *share.Entry) bool {
		return !e.Holds(*c.verdict.Guard, false) && !slices.ContainsFunc(c.copies, func(p copied) bool { return e.LeftBy(p.pos) })
	})
}

// letOutCopy plans that j, which lets the map out of the section of the guard, lets out a copy. It reports false where the
// map may be written through what is let out, or the place is not one for a copy.
func (d *decider) letOutCopy(c *candidate, j share.Judged) bool {
	fn, ok := d.functionAt(j.Func)
	if !ok || d.fileRefusal(fn.pkg, fn.file) != nil {
		return false
	}
	if slices.ContainsFunc(j.Entries, (*share.Entry).LeftUnseen) {
		return false
	}
	expr, stack := valueAt(fn, j.Pos)
	if expr == nil || !d.onlyRead(c.verdict.Var, fn.pkg, stack, expr) {
		return false
	}
	var loop *CopyLoop
	switch {
	case version.Compare(cmp.Or(fn.file.Syntax.GoVersion, "go"+fn.pkg.GoVersion), "go1.21") < 0:
		if loop = d.copyLoop(c, fn, expr, stack); loop == nil {
			return false
		}
	case hidesMaps(fn, expr):
		return false
	}
	parent := stack[len(stack)-1]
	from := ""
	if _, returned := parent.(*ast.ReturnStmt); returned {
		from = d.world.Bodies[j.Func].Name
	}
	c.copies = append(c.copies, copied{j.Pos, fn.file, expr, from, loop})
	return true
}

// valueAt returns the expression whose identifier stands at pos, if its value as a whole goes somewhere, and what stands
// around it, outermost first.
func valueAt(fn function, pos token.Pos) (expr ast.Expr, around []ast.Node) {
	ast.PreorderStack(fn.file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || id.Pos() != pos {
			return expr == nil && n.Pos() <= pos && pos < n.End()
		}
		var e ast.Expr = id
		i := len(stack) - 1
		if sel, ok := stack[i].(*ast.SelectorExpr); ok && sel.Sel == id {
			e, i = sel, i-1
		}
		if isValue(fn.pkg.Info, e, stack[i]) {
			expr, around = e, slices.Clone(stack[:i+1])
		}
		return false
	})
	return expr, around
}

// isValue reports whether the value of e as a whole goes somewhere in parent.
func isValue(info *types.Info, e ast.Expr, parent ast.Node) bool {
	switch p := parent.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.AssignStmt:
		return len(p.Lhs) == len(p.Rhs) && slices.Contains(p.Rhs, e)
	case *ast.ValueSpec:
		return slices.Contains(p.Values, e)
	case *ast.SendStmt:
		return p.Value == e
	case *ast.CallExpr:
		tv := info.Types[p.Fun]
		return slices.Contains(p.Args, e) && !tv.IsBuiltin() && !tv.IsType()
	case *ast.KeyValueExpr:
		return p.Value == e
	case *ast.CompositeLit:
		return slices.Contains(p.Elts, e)
	}
	return false
}

// hidesMaps reports whether the name maps may mean something other than the package where e stands.
func hidesMaps(fn function, e ast.Expr) bool {
	scope := fn.pkg.Types.Scope().Innermost(e.Pos())
	if scope == nil {
		return true
	}
	_, obj := scope.LookupParent("maps", e.Pos())
	_, imported := obj.(*types.PkgName)
	return obj != nil && !imported
}
