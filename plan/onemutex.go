package plan

import (
	"bytes"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"slices"

	"mapmend/plan/load"
	"mapmend/plan/model"
	"mapmend/plan/share"
)

// This file gives owners that have the same map the same mutex: the field of it becomes a pointer, which goes from one owner to the
// other with the map.
//
//	func (s *Sink) With(prefix string) *Sink {
//		return &Sink{prefix: prefix, seen: s.seen} // mu: s.mu
//	}

// one is the plan of one mutex for all owners that have one map.
type one struct {
	d           *decider
	c           *candidate
	lock        declaration // of the mutex
	maps, locks map[*types.Var]bool
	pkgs        []*load.Package
	supplied    []Supplied
	carried     map[token.Pos]bool
}

// oneMutex plans that owners which have the map of c have one mutex, the guard of c, and reports whether they can.
func (d *decider) oneMutex(c *candidate) bool {
	if c.one != nil {
		return true
	}
	guard := c.verdict.Guard
	if guard == nil || guard.Relation != share.Own || guard.Class.Owner != c.finding.Owner || guard.Class.Package != c.finding.Package || c.decl.typ == nil {
		return false
	}
	lock, ok := d.decls[toVar(guard.Class)]
	if !ok || token.IsExported(lock.name.Name) || d.fileRefusal(c.decl.pkg, lock.file) != nil || d.unset(c.finding.Var, c.decl, false).IsValid() {
		return false
	}
	field, ok := lock.node.(*ast.Field)
	if !ok || len(field.Names) != 1 || !isMutex(lock.object().Type()) {
		return false
	}
	if _, again := d.orders.next[guard.Class][guard.Class]; again || d.world.Unsure(guard.Class) != "" {
		return false // of another owner now, and of the same one then
	}
	of, at := &wrapping{d: d, c: c}, &wrapping{d: d, c: &candidate{decl: lock}}
	at.c.finding.Var = toVar(guard.Class)
	of.findObjects()
	at.findObjects()
	if of.checkLayout() != nil || slices.ContainsFunc(d.shows(), of.isPrinted) || d.isMadeUnseen(c, guard.Class.Field) {
		return false
	}
	o := &one{d: d, c: c, lock: lock, maps: of.objs, locks: at.objs, pkgs: of.pkgs, carried: make(map[token.Pos]bool)}
	for _, pkg := range o.pkgs {
		for _, file := range pkg.Files {
			if file.Syntax != nil && !o.goesWith(pkg, file) {
				return false
			}
		}
	}
	if len(o.supplied) == 0 {
		return false
	}
	slices.SortFunc(o.supplied, func(a, b Supplied) int { return compareSpans(a.Span, b.Span) })
	planned := &OneMutex{Type: d.span(lock.file, field.Type), Literals: slices.Compact(o.supplied)}
	if slices.ContainsFunc(d.cases, func(other *candidate) bool { return other.one.disagrees(planned) }) {
		return false // another map under the mutex comes from elsewhere
	}
	c.carried, c.one = o.carried, planned
	return true
}

// disagrees reports whether o, which may be nil, makes other mutexes of those that p is about.
func (o *OneMutex) disagrees(p *OneMutex) bool {
	return o != nil && o.Type == p.Type && !slices.Equal(o.Literals, p.Literals)
}

// isMadeUnseen reports whether source that is not part of this build may make an owner of c, or use its field of that name in
// another way than to lock it.
func (d *decider) isMadeUnseen(c *candidate, field string) bool {
	pkg := c.decl.pkg
	if (&holders{d: d}).isMentionedUnseen(pkg, c.finding.Owner) {
		return true
	}
	return slices.ContainsFunc(d.unseenFiles(pkg.Dir), func(name string) bool {
		src, err := os.ReadFile(name)
		return err != nil || bytes.Contains(src, []byte("&")) && bytes.Contains(src, []byte("."+field))
	})
}

// goesWith reports whether each use of the two fields in file is one with which the mutex can be a pointer that goes with the map.
func (o *one) goesWith(pkg *load.Package, file *load.File) bool {
	goes := true
	ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			goes = goes && (!isOneOf(pkg.Info, n, o.locks) || isLocked(stack, n))
		case *ast.AssignStmt:
			for i, lhs := range n.Lhs {
				if sel, ok := ast.Unparen(lhs).(*ast.SelectorExpr); ok && isOneOf(pkg.Info, sel.Sel, o.maps) {
					goes = goes && len(n.Lhs) == len(n.Rhs) && isNewMap(pkg.Info, n.Rhs[i])
				}
			}
		case *ast.UnaryExpr:
			sel, ok := ast.Unparen(n.X).(*ast.SelectorExpr)
			goes = goes && !(ok && n.Op == token.AND && isOneOf(pkg.Info, sel.Sel, o.maps))
		case *ast.CompositeLit:
			goes = goes && o.literal(pkg, file, n)
		}
		return goes
	})
	return goes
}

// isLocked reports whether a method of the lock that id names, with stack around it, is called there.
func isLocked(stack []ast.Node, id *ast.Ident) bool {
	if len(stack) < 3 {
		return false
	}
	field, ok := stack[len(stack)-1].(*ast.SelectorExpr)
	if !ok || field.Sel != id {
		return false
	}
	method, ok := stack[len(stack)-2].(*ast.SelectorExpr)
	if !ok || method.X != field || model.Lock(method.Sel.Name).IsZero() {
		return false
	}
	call, ok := stack[len(stack)-3].(*ast.CallExpr)
	return ok && call.Fun == method
}

// literal plans what a literal of the owner is to have: the mutex of the owner that it has the map of, or a new one for a new map.
func (o *one) literal(pkg *load.Package, file *load.File, lit *ast.CompositeLit) bool {
	if !isNamed(pointee(pkg.Info.TypeOf(lit)), o.c.finding.Package, o.c.finding.Owner) {
		return true
	}
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		if id, ok := kv.Key.(*ast.Ident); !ok || !isOneOf(pkg.Info, id, o.maps) {
			continue
		}
		value := ""
		if sel, ok := ast.Unparen(kv.Value).(*ast.SelectorExpr); ok && isOneOf(pkg.Info, sel.Sel, o.maps) && IsPath(sel.X) && o.isOwner(pkg, sel) {
			value = types.ExprString(sel.X) + "." + o.lock.name.Name
			o.carried[sel.Sel.Pos()] = true
		}
		if value == "" && !isNewMap(pkg.Info, kv.Value) || o.d.fileRefusal(pkg, file) != nil {
			return false
		}
		s := Supplied{Span: o.d.span(file, lit), Value: value}
		if last := o.before(pkg, lit); last != nil {
			s.After = o.d.span(file, last)
		}
		o.supplied = append(o.supplied, s)
		return true
	}
	return false // its map is nil, and it has no mutex
}

// isOwner reports whether sel selects the map from an owner itself, and not from what has one embedded.
func (o *one) isOwner(pkg *load.Package, sel *ast.SelectorExpr) bool {
	return isNamed(pointee(pkg.Info.TypeOf(sel.X)), o.c.finding.Package, o.c.finding.Owner)
}

// before returns the last of the elements of lit that are of fields in front of the mutex, or nil.
func (o *one) before(pkg *load.Package, lit *ast.CompositeLit) (last ast.Expr) {
	st := pointee(pkg.Info.TypeOf(lit)).Underlying().(*types.Struct)
	at := make(map[string]int)
	for i := range st.NumFields() {
		at[st.Field(i).Name()] = i
	}
	for _, e := range lit.Elts {
		if id, ok := e.(*ast.KeyValueExpr).Key.(*ast.Ident); ok && at[id.Name] < at[o.lock.name.Name] {
			last = e
		}
	}
	return last
}
