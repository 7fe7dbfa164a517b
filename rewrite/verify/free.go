// This file holds the invariant FreedGuard.

package verify

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"mapmend/plan"
	"mapmend/plan/load"
)

// freedSpans returns what goes with the guard of m.
func freedSpans(m plan.Mend) []plan.Span {
	if m.Freed == nil {
		return nil
	}
	return append([]plan.Span{m.Freed.Decl}, m.Freed.Calls...)
}

// freesAt reports whether what stands at an offset of a file goes with a guard.
func (p *proof) freesAt(file string, offset int) bool {
	return slices.ContainsFunc(p.plan.Mends, func(m plan.Mend) bool {
		return slices.ContainsFunc(freedSpans(m), func(s plan.Span) bool { return s.File == file && s.Start <= offset && offset < s.End })
	})
}

// withoutFreed returns the comments of a file without those that go with guards.
func (p *proof) withoutFreed(file string, comments []tok) []tok {
	for _, m := range p.plan.Mends {
		if g := m.Freed; g != nil && g.Comment != "" && g.Decl.File == file {
			i := slices.IndexFunc(comments, func(t tok) bool { return t.offset > g.Decl.End })
			if i >= 0 && comments[i].text == trimLines(g.Comment) {
				comments = slices.Delete(slices.Clone(comments), i, i+1)
			}
		}
	}
	return comments
}

// freedGuard: a guard that goes was taken around one use of the map at a time, and around nothing that others may touch: no field that a
// pointer leads to, no element, no variable of the package, no call but of a builtin, a conversion, and those of libraries on plain values.
// Each of its sections is in the plan.
func freedGuard(p *proof) []failure {
	var failed []failure
	for _, m := range p.plan.Mends {
		if m.Freed == nil {
			continue
		}
		for _, pkg := range p.before.Packages {
			for _, file := range pkg.Files {
				if file.Syntax == nil || pkg.Info == nil {
					continue
				}
				failed = append(failed, p.freedIn(m, pkg, file)...)
			}
		}
	}
	return failed
}

func (p *proof) freedIn(m plan.Mend, pkg *load.Package, file *load.File) (failed []failure) {
	offset := func(pos token.Pos) int { return p.before.Fset.PositionFor(pos, false).Offset }
	fail := func(n ast.Node, why string) {
		failed = append(failed, failure{was: position(p.before, file.Name, offset(n.Pos())), vars: []plan.Var{m.Var}, message: why})
	}
	class := m.Freed.Class.String()
	ast.Inspect(file.Syntax, func(n ast.Node) bool {
		if l := lockCall(pkg.Info, n); l != nil && l.class == class && !p.freesAt(file.Name, offset(n.Pos())) {
			fail(n, fmt.Sprintf("%s.%s would stay, whose guard goes", l.path, l.method))
		}
		return true
	})
	for _, r := range regionsOf(pkg.Info, file.Syntax) {
		if r.class != class {
			continue
		}
		uses := 0
		for _, stmt := range r.stmts {
			ast.Inspect(stmt, func(n ast.Node) bool {
				if n == nil {
					return false
				}
				l := loweredAt(m, file.Name, offset(n.Pos()), offset(n.End()))
				if l != nil {
					uses++
				}
				if why := foreign(pkg, n); why != "" && !inLowered(m, file.Name, offset(n.Pos()), offset(n.End())) {
					fail(n, "a section of "+r.path+", which goes, holds "+why)
				}
				return true
			})
		}
		if uses == 0 {
			fail(r.stmtAt(file.Syntax), "a section of "+r.path+", which goes, does not use the map")
		}
	}
	return failed
}

// stmtAt returns the first statement of r, or file if it has none.
func (r region) stmtAt(file *ast.File) ast.Node {
	if len(r.stmts) == 0 {
		return file
	}
	return r.stmts[0]
}

// loweredAt returns the use of m that takes up a range of bytes, or nil.
func loweredAt(m plan.Mend, file string, start, end int) *plan.Lowering {
	for i, l := range m.Lowered {
		if l.File == file && l.Start == start && l.End == end {
			return &m.Lowered[i]
		}
	}
	return nil
}

// inLowered reports whether a range of bytes is the map of a use of m, or an element of it that the use reads and writes.
func inLowered(m plan.Mend, file string, start, end int) bool {
	return slices.ContainsFunc(m.Lowered, func(l plan.Lowering) bool {
		map_ := l.File == file && l.Map.Start <= start && end <= l.Map.End
		whole := l.File == file && l.Start <= start && start == l.Map.Start && end <= l.End
		old := l.File == file && l.Shape == plan.ShapeRenew && (l.Old.Start <= start && end <= l.Old.End)
		return map_ || whole || old || l.File == file && l.Start == start && l.End == end
	})
}

// foreign says what n itself touches that others may, or is empty.
func foreign(pkg *load.Package, n ast.Node) string {
	info := pkg.Info
	switch n := n.(type) {
	case *ast.FuncLit, *ast.GoStmt, *ast.DeferStmt:
		return "a function"
	case *ast.SendStmt, *ast.SelectStmt:
		return "a wait"
	case *ast.StarExpr:
		if !info.Types[n].IsType() {
			return "what a pointer leads to"
		}
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "a wait"
		}
	case *ast.SelectorExpr:
		if s := info.Selections[n]; s != nil && (s.Indirect() || s.Kind() != types.FieldVal) {
			return "the field " + types.ExprString(n)
		}
	case *ast.IndexExpr:
		if t := info.TypeOf(n.X); t != nil {
			switch t.Underlying().(type) {
			case *types.Slice, *types.Map, *types.Pointer:
				return "the element " + types.ExprString(n)
			}
		}
	case *ast.Ident:
		if v, ok := info.Uses[n].(*types.Var); ok && !v.IsField() && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
			return "the variable " + n.Name
		}
	}
	return ""
}
