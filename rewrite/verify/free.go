// This file holds the invariant FreedGuard.

package verify

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
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
	isGuard := func(class string) bool { return typeParameters.ReplaceAllString(class, "") == m.Freed.Class.String() }
	ast.Inspect(file.Syntax, func(n ast.Node) bool {
		if l := lockCall(pkg.Info, n); l != nil && isGuard(l.class) && !p.freesAt(file.Name, offset(n.Pos())) {
			fail(n, fmt.Sprintf("%s.%s would stay, whose guard goes", l.path, l.method))
		}
		return true
	})
	for _, r := range regionsOf(pkg.Info, file.Syntax) {
		if !isGuard(r.class) {
			continue
		}
		var uses [][]ast.Node // each with what is around it
		for _, stmt := range r.stmts {
			ast.PreorderStack(stmt, nil, func(n ast.Node, stack []ast.Node) bool {
				start, end := offset(n.Pos()), offset(n.End())
				around := len(stack) > 0 && offset(stack[len(stack)-1].Pos()) == start && offset(stack[len(stack)-1].End()) == end // a statement that is a call
				if lowersAt(m, file.Name, start, end) && !around {
					uses = append(uses, append(slices.Clone(stack), n))
				}
				if why := p.foreign(pkg, n); why != "" && !inLowered(m, file.Name, start, end) {
					fail(n, "a section of "+r.path+", which goes, holds "+why)
				}
				return true
			})
		}
		if len(uses) == 0 {
			fail(r.stmtAt(file.Syntax), "a section of "+r.path+", which goes, does not use the map")
		}
		for i := 1; i < len(uses); i++ {
			if inSequence(uses[i-1], uses[i]) {
				fail(uses[i][len(uses[i])-1], "a section of "+r.path+", which goes, uses the map twice")
			}
		}
	}
	return failed
}

// typeParameters matches those of a type, as they are written behind its name.
var typeParameters = regexp.MustCompile(`\[[^\]]*\]`)

// inSequence reports whether both of two uses, each with what is around it, may run: they are not in two branches of one statement.
func inSequence(a, b []ast.Node) bool {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] == b[i] {
			continue
		}
		_, block := a[i].(*ast.BlockStmt)
		_, clause := a[i].(*ast.CaseClause)
		if i > 0 && block {
			_, block = a[i-1].(*ast.IfStmt)
		}
		return !(i > 0 && (block || clause))
	}
	return true
}

// stmtAt returns the first statement of r, or file if it has none.
func (r region) stmtAt(file *ast.File) ast.Node {
	if len(r.stmts) == 0 {
		return file
	}
	return r.stmts[0]
}

// lowersAt reports whether a use of m takes up a range of bytes.
func lowersAt(m plan.Mend, file string, start, end int) bool {
	return slices.ContainsFunc(m.Lowered, func(l plan.Lowering) bool { return l.File == file && l.Start == start && l.End == end })
}

// inLowered reports whether a range of bytes is a use of m, the map of one, what the map is a part of, or an element that the use renews.
func inLowered(m plan.Mend, file string, start, end int) bool {
	in := func(s plan.Span) bool { return s.Start <= start && end <= s.End }
	return slices.ContainsFunc(m.Lowered, func(l plan.Lowering) bool {
		index := in(l.Span) && start == l.Map.Start // s.m[k] of s.m[k] = v
		return l.File == file && (in(l.Map) || index || l.Shape == plan.ShapeRenew && in(l.Old))
	})
}

// foreign says what n itself touches that others may, or is empty.
func (p *proof) foreign(pkg *load.Package, n ast.Node) string {
	info := pkg.Info
	switch n := n.(type) {
	case *ast.FuncLit, *ast.GoStmt, *ast.DeferStmt:
		return "a function"
	case *ast.SendStmt, *ast.SelectStmt:
		return "a wait"
	case *ast.CallExpr:
		switch fn := calleeOf(info, n).(type) {
		case *types.Func:
			if fn.Signature().Recv() != nil || fn.Pkg() == nil || p.before.Package(fn.Pkg().Path()) != nil {
				return "a call of " + fn.Name()
			}
		case *types.Var:
			return "a call of " + fn.Name()
		}
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
