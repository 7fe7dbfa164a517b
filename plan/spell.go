package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/share"
)

// This file spells the guard where it is to be taken.

// spell finds how the function of n spells the guard.
func (d *decider) spell(c *candidate, n *need, ref access.Ref) *Refusal {
	fn, ok := d.functionAt(n.fn)
	if !ok {
		return &Refusal{Code: OwnerUnreachable, Pos: d.at(n.pos), Message: "the function that uses the map has no source of its own", Todo: "guard the use by hand"}
	}
	if r := d.fileRefusal(fn.pkg, fn.file); r != nil {
		r.Pos = d.at(n.pos)
		return r
	}
	if eff := d.world.Effects[n.fn]; eff != nil && slices.ContainsFunc(eff.Outcomes, func(o lockset.Outcome) bool {
		return slices.ContainsFunc(o.Acquired, func(h lockset.Held) bool { return h.Class == c.guard.class && !h.Once })
	}) {
		return &Refusal{Code: LockOrder, Pos: d.at(n.pos), Message: d.world.Bodies[n.fn].Name + " returns with " + c.guard.name + " held", Todo: "unlock " + c.guard.name + " before it returns"}
	}
	lock := d.spellGuard(c, fn, *n, ref)
	if lock == "" {
		what := c.guard.name
		if c.guard.lock == nil {
			what = "the owner, and a mutex in it,"
		}
		return &Refusal{Code: OwnerUnreachable, Pos: d.at(n.pos), Message: what + " cannot be named where the map is used", Todo: "assign the owner to a variable and use the map through it"}
	}
	n.lock = lock
	return nil
}

// spellGuard writes the guard as an expression that means it at n.
func (d *decider) spellGuard(c *candidate, fn function, n need, ref access.Ref) string {
	if c.decl.stmt != nil {
		return c.spellLocal(fn, n.pos)
	}
	if l := c.guard.lock; l != nil && l.Relation == share.Package {
		return d.spellGlobal(fn, l.ID)
	}
	suffix, rest, ok := c.guard.fromOwner()
	switch {
	case !ok:
		return ""
	case c.decl.owner == nil:
		return d.spellGlobal(fn, access.Key(c.decl.pkg.Path, strings.TrimPrefix(suffix, ".")))
	}
	if sel := selectorAt(fn, n.pos, c.decl.name.Name); sel != nil && rest == "" {
		if text := d.lockOf(fn, sel, suffix); text != "" {
			return text
		}
	}
	return d.spellByPath(c, fn, n, ref)
}

// fromOwner returns the fields that lead to g from what it stands in, and those that lead from there to the owner of the
// map; ok is unset when there are none.
func (g guard) fromOwner() (suffix, rest string, ok bool) {
	switch {
	case g.lock == nil:
		return "." + g.name, "", true
	case g.lock.Relation == share.Own:
		return g.lock.Suffix, "", true
	case g.lock.Relation == share.Up:
		return g.lock.Suffix, g.lock.Rest, true
	}
	return "", "", false
}

// spellByPath writes the guard as an expression that begins with the variable that ref, the map in terms of the function,
// begins with. The guard stands in a struct.
func (d *decider) spellByPath(c *candidate, fn function, n need, ref access.Ref) string {
	suffix, rest, ok := c.guard.fromOwner()
	owner := share.OwnerPath(ref)
	if !ok || !strings.HasSuffix(owner.Sel, rest) {
		return ""
	}
	sel := strings.TrimSuffix(owner.Sel, rest)
	root := rootName(owner.Root, d.world.Bodies[n.fn])
	if owner.Root.Kind == access.Global {
		root = d.spellGlobal(fn, owner.Root.Name)
	}
	if root == "" || root == "_" || strings.ContainsAny(sel, "[~") {
		return ""
	}
	x, err := parser.ParseExpr(root + sel)
	if err != nil {
		return ""
	}
	lock := types.ExprString(x) + embeddedSuffix(d, c, suffix)
	if c.guard.lock != nil && !d.means(fn, n.pos, lock+".Lock") || rest == "" && !d.means(fn, n.pos, types.ExprString(x)+"."+c.decl.name.Name) {
		return ""
	}
	return lock
}

// means reports whether text means something at pos. A name that a parameter has need not:
//
//	func Get[T ~*Store](t T) int { return (*Store)(t).m["a"] } // t.mu is none
func (d *decider) means(fn function, pos token.Pos, text string) bool {
	_, err := types.Eval(d.prog.Fset, fn.pkg.Types, pos, text)
	return err == nil
}

func rootName(r access.Root, body *lockset.Body) string {
	switch {
	case r.Kind == access.Param && r.Index < len(body.Params):
		return body.Params[r.Index]
	case r.Kind == access.Free && r.Index < len(body.Free):
		return body.Free[r.Index]
	}
	return ""
}

// embeddedSuffix leaves out an embedded mutex: s.Lock(), not s.Mutex.Lock().
func embeddedSuffix(d *decider, c *candidate, suffix string) string {
	if decl, ok := d.decls[toVar(c.guard.class)]; ok {
		if f, ok := decl.node.(*ast.Field); ok && len(f.Names) == 0 && strings.HasSuffix(suffix, "."+decl.name.Name) && decl.object() != nil {
			return strings.TrimSuffix(suffix, "."+decl.name.Name)
		}
	}
	return suffix
}

// lockOf writes the lock that suffix leads to from the owner of the field that sel selects. That may be embedded in
// sel.X, and the lock needs the names of what it is embedded by when its own means something else there:
//
//	type T struct {
//		*Store
//		mu sync.Mutex
//	}
//	func (t *T) Size() int { return len(t.m) } // t.Store.mu
func (d *decider) lockOf(fn function, sel *ast.SelectorExpr, suffix string) string {
	selection, ok := fn.pkg.Info.Selections[sel]
	if !ok {
		return ""
	}
	owner, at := types.ExprString(sel.X), selection.Recv()
	steps := selection.Index()[:len(selection.Index())-1]
	if lock := lockFrom(fn.pkg.Types, owner, at, steps, suffix); lock != "" {
		return lock
	}
	for _, i := range steps {
		field := fieldOf(at, i)
		owner, at = owner+"."+field.Name(), field.Type()
	}
	if !d.means(fn, sel.Pos(), owner) {
		return ""
	}
	return lockFrom(fn.pkg.Types, owner, at, nil, suffix)
}

// fieldOf returns field i of t, which is a struct or a pointer to one.
func fieldOf(t types.Type, i int) *types.Var {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	return t.Underlying().(*types.Struct).Field(i)
}

// lockFrom writes the lock that suffix leads to from what steps lead to from owner, which is a t, or nothing when it
// cannot be named so.
func lockFrom(pkg *types.Package, owner string, t types.Type, steps []int, suffix string) string {
	first := access.FirstStep(suffix)
	obj, index, _ := types.LookupFieldOrMethod(t, true, pkg, strings.TrimPrefix(first, "."))
	if obj == nil && index == nil && first == suffix {
		return owner + suffix // the mutex is about to be added
	}
	field, ok := obj.(*types.Var)
	if !ok || !slices.Equal(index[:len(index)-1], steps) {
		return ""
	}
	if !field.Embedded() || first != suffix {
		return owner + suffix
	}
	_, method, _ := types.LookupFieldOrMethod(t, true, pkg, "Lock")
	if len(method) <= len(index) || !slices.Equal(method[:len(index)], index) {
		return owner + suffix
	}
	return owner
}

// spellGlobal writes a package variable as fn can: its bare name in its own package.
func (d *decider) spellGlobal(fn function, key string) string {
	if path, name := access.SplitKey(key); path == fn.pkg.Path {
		return name
	}
	return ""
}

// selectorAt returns the selector x.field at pos, when that is what the place is and x is a path.
func selectorAt(fn function, pos token.Pos, field string) *ast.SelectorExpr {
	var found *ast.SelectorExpr
	ast.Inspect(fn.file.Syntax, func(n ast.Node) bool { // not by way of astutil, which sorts all that stands beside it
		if n == nil || pos < n.Pos() || n.End() <= pos {
			return false
		}
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Pos() == pos {
			found = sel
		}
		return true
	})
	if found == nil || found.Sel.Name != field || !IsPath(found.X) {
		return nil
	}
	return found
}

// IsPath reports whether e is made of names only, and so can be the lock of a Section, or lead to it:
// evaluating it twice has no effect.
func IsPath(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return IsPath(e.X)
	case *ast.ParenExpr:
		return IsPath(e.X)
	}
	return false
}
