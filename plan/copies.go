package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/mapuse"
	"mapmend/plan/model"
	"mapmend/plan/share"
)

// This file finds where the owner of a map is copied. A copy of the owner shares the map today; with a
// generated type in it, it would copy the lock and share the map under two.

// checkCopies refuses variables that are used through copies of their owner. No call of Lock mends that: each
// copy has another lock.
func (d *decider) checkCopies(c *candidate) *Refusal {
	owner := c.finding.Owner
	for _, j := range c.verdict.Uses {
		switch {
		case !j.Problem:
		case j.Divided && c.verdict.Twin == nil:
			return &Refusal{Code: UnknownGuard, Pos: d.at(j.Pos), Message: c.finding.Guard + " stands for several locks, and the map is one",
				Todo: "guard it by one lock, or give each lock a map of its own"}
		case j.Divided && d.oneMutex(c):
		case j.Divided:
			return &Refusal{Code: UnknownGuard, Pos: d.at(c.verdict.Twin.Use.Pos), Message: "the map is put in another " + owner + " here, which has another " + c.finding.Guard,
				Todo: "let both hold a pointer to one mutex, or give the other " + owner + " a map of its own"}
		case j.Copied && len(c.receivers) > 0: // it will not be a copy
		case j.Copied:
			if fn, ok := d.functionAt(j.Func); ok && isValueMethod(fn.node) {
				return &Refusal{Code: ValueReceiver, Pos: d.at(j.Pos), Message: "the method has a value receiver, so that each call locks a copy of " + c.finding.Guard,
					Todo: "give the methods pointer receivers and make a pointer where the owner is made, or let it hold a pointer to the mutex"}
			}
			return &Refusal{Code: OwnerCopied, Pos: d.at(j.Pos), Message: "the lock that is held here is a copy of " + c.finding.Guard,
				Todo: "pass a pointer to the lock or its owner, or let the owner hold a pointer to the mutex"}
		case j.Escaped && c.finding.Guard == "":
			return &Refusal{Code: OwnerCopied, Pos: d.at(j.Pos), Message: "the map is used through a copy of its owner, which has a mutex of its own",
				Todo: "give the copy a map of its own: maps.Clone"}
		case j.Escaped:
			return &Refusal{Code: OwnerCopied, Pos: d.at(j.Pos), Message: "the map is used through a copy of its owner, from which " + c.finding.Guard + " cannot be reached",
				Todo: "give the copy a map of its own while " + c.finding.Guard + " is held: maps.Clone"}
		}
	}
	return nil
}

// checkBrought refuses a mutex of the owner for a map that several owners may have.
func (d *decider) checkBrought(c *candidate) *Refusal {
	owner := c.finding.Owner
	if at := c.verdict.Several; at != nil && (c.guard.lock == nil || c.guard.lock.Relation == share.Own) {
		return &Refusal{Code: UnknownGuard, Pos: d.at(at.Pos), Message: "each " + owner + " that the loop makes has the same map, and a mutex of its own would be another for each",
			Todo: "let all of them hold a pointer to one mutex"}
	}
	pos, certain := d.world.Brought(c.verdict.Var, c.writesEntries())
	if inner, sure := d.world.Brought(access.Var{Package: c.verdict.Var.Package, Owner: c.verdict.Var.Owner, Field: c.verdict.Var.Field + "[]"}, true); sure && c.usesInner() {
		pos, certain = inner, true
	}
	own := c.guard.lock == nil || c.guard.lock.Relation == share.Own
	switch {
	case c.one != nil:
	case !pos.IsValid() || !certain && c.guard.lock != nil || c.decl.owner == nil && !certain:
	case c.decl.owner == nil:
		return &Refusal{Code: UnknownGuard, Pos: d.at(pos), Message: "the map that is put here may be elsewhere, too, where the mutex is not taken",
			Todo: "put a copy here, maps.Clone, or guard all that have the map by one mutex"}
	case own && d.isPaired(c):
	case own:
		return &Refusal{Code: UnknownGuard, Pos: d.at(pos), Message: "the map that is put here may be elsewhere, too: in another " + owner + ", say, which has a mutex of its own",
			Todo: "make the map where its owner is made, or let the owners hold a pointer to one mutex"}
	}
	return d.checkUp(c)
}

// writesEntries reports whether some use changes the entries of the map.
func (c *candidate) writesEntries() bool {
	return slices.ContainsFunc(c.verdict.Uses, func(j share.Judged) bool { return j.Op.Writes() && j.Op.Part() == mapuse.Entries })
}

// usesInner reports whether a problem is with a map that is an element of the variable.
func (c *candidate) usesInner() bool {
	return slices.ContainsFunc(c.verdict.Uses, func(j share.Judged) bool {
		return j.Problem && slices.ContainsFunc(j.Entries, func(e *share.Entry) bool { return e.Ref.Depth > 0 })
	})
}

// checkUp refuses a guard from which the owner is reached by a pointer that others may have, too, with a guard of their
// own.
func (d *decider) checkUp(c *candidate) *Refusal {
	l := c.guard.lock
	if l == nil || l.Relation != share.Up {
		return nil
	}
	for _, step := range strings.FieldsFunc(l.Rest, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		for v := range d.world.AllBrought() {
			if pos, _ := d.world.Brought(v, true); pos.IsValid() && v.Package == l.Class.Package && strings.TrimSuffix(v.Field, "[]") == step {
				return &Refusal{Code: UnknownGuard, Pos: d.at(pos), Message: "what is put in " + step + " here may be elsewhere, too: in another " + l.Class.Owner + ", say, which has another " + c.guard.name,
					Todo: "put the mutex beside the map"}
			}
		}
	}
	return nil
}

func isValueMethod(fn ast.Node) bool {
	decl, ok := fn.(*ast.FuncDecl)
	if !ok || decl.Recv == nil || len(decl.Recv.List) != 1 {
		return false
	}
	_, pointer := ast.Unparen(decl.Recv.List[0].Type).(*ast.StarExpr)
	return !pointer
}

// holds reports whether a value of type t has the variable in it, not behind a pointer.
func (w *wrapping) holds(t types.Type) bool { return w.contains(t, false, make(map[types.Type]bool)) }

// leadsTo reports whether a value of type t has the variable in it, or leads to it by pointers, slices
// and maps.
func (w *wrapping) leadsTo(t types.Type) bool { return w.contains(t, true, make(map[types.Type]bool)) }

func (w *wrapping) contains(t types.Type, follow bool, seen map[types.Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if w.objs[f.Origin()] || w.contains(f.Type(), follow, seen) {
				return true
			}
		}
	case *types.Array:
		return w.contains(u.Elem(), follow, seen)
	case *types.Pointer:
		return follow && w.contains(u.Elem(), follow, seen)
	case *types.Slice:
		return follow && w.contains(u.Elem(), follow, seen)
	case *types.Map:
		return follow && (w.contains(u.Key(), follow, seen) || w.contains(u.Elem(), follow, seen))
	}
	return false
}

// inOwners visits each node that may be about the owner of the variable, if it is a field.
func (w *wrapping) inOwners(visit func(pkg *load.Package, n ast.Node, stack []ast.Node) *Refusal) (r *Refusal) {
	if w.c.decl.owner == nil {
		return nil // nobody holds a package variable
	}
	for _, pkg := range w.pkgs {
		for _, file := range pkg.Files {
			ast.PreorderStack(file.Syntax, nil, func(n ast.Node, stack []ast.Node) bool {
				if r == nil {
					r = visit(pkg, n, stack)
				}
				return r == nil
			})
		}
	}
	return r
}

// checkCopies refuses owners that are copied by value.
func (w *wrapping) checkCopies() *Refusal {
	return w.inOwners(func(pkg *load.Package, n ast.Node, stack []ast.Node) *Refusal {
		what := ""
		switch n := n.(type) {
		case *ast.FuncType:
			for _, list := range []*ast.FieldList{n.Params, n.Results} {
				what = cmp.Or(what, w.fieldCopies(pkg, list))
			}
		case *ast.FuncDecl:
			if !w.moved || !w.isReceiver(pkg, n) {
				what = w.fieldCopies(pkg, n.Recv)
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if w.holds(pkg.Info.TypeOf(e)) {
					what = "a range copies it"
				}
			}
		case *ast.Ident:
			what = w.exprCopies(pkg, n, stack)
			if inst, ok := pkg.Info.Instances[n]; ok && w.instanceCopies(pkg, n, inst) {
				what = "it is a type argument, and what that does with values is not known"
			}
		case ast.Expr:
			what = w.exprCopies(pkg, n, stack)
		}
		if what == "" {
			return nil
		}
		return w.refuse(OwnerCopied, n.Pos(), "the owner is copied: "+what, "use a pointer to it")
	})
}

// copiedGuard refuses a guard, declared by decl, whose owner is copied or overwritten as a whole: within a section that
// makes a mutex that stays locked, or unlocks one that is held.
func (d *decider) copiedGuard(c *candidate, decl declaration) *Refusal {
	if _, pointer := decl.object().Type().Underlying().(*types.Pointer); pointer || types.IsInterface(decl.object().Type()) {
		return nil
	}
	w := &wrapping{d: d, c: &candidate{decl: decl}, pointed: c.pointed}
	w.c.finding.Var = toVar(c.guard.class)
	w.findObjects()
	return w.inOwners(func(pkg *load.Package, n ast.Node, stack []ast.Node) *Refusal {
		e, ok := n.(ast.Expr)
		if !ok {
			return nil
		}
		switch n.(type) {
		case *ast.CompositeLit, *ast.CallExpr:
			return nil // a new one
		}
		if what := w.exprCopies(pkg, e, stack); what != "" {
			return &Refusal{Code: OwnerCopied, Pos: d.at(n.Pos()), Message: "the owner of " + c.guard.name + " is copied: " + what + ", and the copy of a mutex that is held stays locked", Todo: "copy its fields one by one"}
		}
		return nil
	})
}

// isReceiver reports whether fn is a method of the owner itself.
func (w *wrapping) isReceiver(pkg *load.Package, fn *ast.FuncDecl) bool {
	return fn.Recv != nil && len(fn.Recv.List) == 1 && isNamed(pkg.Info.TypeOf(fn.Recv.List[0].Type), w.c.finding.Package, w.c.finding.Owner)
}

func (w *wrapping) fieldCopies(pkg *load.Package, list *ast.FieldList) string {
	if list == nil {
		return ""
	}
	for _, f := range list.List {
		t := pkg.Info.TypeOf(f.Type)
		if w.holds(t) {
			return "a function takes or returns it by value"
		}
		if _, variadic := f.Type.(*ast.Ellipsis); variadic && w.holds(t.Underlying().(*types.Slice).Elem()) {
			return "a function takes it by value"
		}
	}
	return ""
}

// instanceCopies reports whether the generic function or type id is instantiated with a type that holds
// the variable. An atomic pointer does not touch what it points to.
func (w *wrapping) instanceCopies(pkg *load.Package, id *ast.Ident, inst types.Instance) bool {
	obj := pkg.Info.Uses[id]
	if model.Pure(obj.Pkg().Path()+".x") && obj.Name() == "Pointer" {
		return false
	}
	for t := range inst.TypeArgs.Types() {
		if w.holds(t) {
			return true
		}
	}
	return false
}

func isSliceOf(t types.Type, holds func(types.Type) bool) bool {
	s, ok := t.Underlying().(*types.Slice)
	return ok && holds(s.Elem())
}

// exprCopies says how the value e, if it holds the variable, is copied where it stands; empty when it
// is not: a part of it is selected, its address is taken, or it is a new literal that goes to its place.
func (w *wrapping) exprCopies(pkg *load.Package, e ast.Expr, stack []ast.Node) string {
	info := pkg.Info
	if call, ok := e.(*ast.CallExpr); ok && info.Types[call.Fun].IsBuiltin() {
		switch name := types.ExprString(call.Fun); name {
		case "append", "copy", "clear":
			if isSliceOf(info.TypeOf(call.Args[0]), w.holds) {
				return name + " copies elements of a slice of it"
			}
		}
	}
	if tv := info.Types[e]; !tv.IsValue() || !w.holds(tv.Type) || w.pointed[e] {
		return ""
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return "" // what is inside is looked at, with the parentheses as what is around
	case *ast.IndexExpr:
		if _, isMap := info.TypeOf(e.X).Underlying().(*types.Map); isMap {
			return "it is an element of a map"
		}
	case *ast.TypeAssertExpr:
		return "it is taken out of an interface"
	}
	i := len(stack) - 1
	child := e
	for {
		p, ok := stack[i].(*ast.ParenExpr)
		if !ok {
			break
		}
		child, i = p, i-1
	}
	_, isNew := e.(*ast.CompositeLit)
	switch p := stack[i].(type) {
	case *ast.SelectorExpr, *ast.IndexExpr, *ast.SliceExpr:
		return "" // a field or method; an element or view of an array
	case *ast.RangeStmt:
		return "" // of an array, which is evaluated only for the second variable: that is looked at
	case *ast.UnaryExpr:
		if p.Op == token.AND {
			return ""
		}
	case *ast.AssignStmt:
		if w.c.isMadeAt(p) {
			return ""
		}
		if slices.Contains(p.Lhs, child) || !isDefined(info, p, child) {
			return "it is overwritten as a whole"
		}
		if isNew {
			return ""
		}
	case *ast.ValueSpec:
		if isNew && (p.Type == nil || !types.IsInterface(info.TypeOf(p.Type))) {
			return ""
		}
	case *ast.CompositeLit, *ast.KeyValueExpr:
		if isNew && !inMapOrInterface(info, stack[:i+1], child) {
			return ""
		}
	}
	return "its value is used as a whole"
}

// isDefined reports whether the variable that assign gives value to is a new one. With := too it may be
// there already:
//
//	s, err := S{}, f()
func isDefined(info *types.Info, assign *ast.AssignStmt, value ast.Expr) bool {
	id, ok := assign.Lhs[slices.Index(assign.Rhs, value)].(*ast.Ident)
	return ok && (id.Name == "_" || info.Defs[id] != nil)
}

// inMapOrInterface reports whether a new value goes into a map literal or becomes an interface. stack
// ends in the literal that the value is an element of, or in the key and value there.
func inMapOrInterface(info *types.Info, stack []ast.Node, value ast.Expr) bool {
	lit, ok := stack[len(stack)-1].(*ast.CompositeLit)
	if !ok {
		lit = stack[len(stack)-2].(*ast.CompositeLit)
	}
	if _, isMap := info.TypeOf(lit).Underlying().(*types.Map); isMap {
		return true
	}
	return slices.ContainsFunc(literalFlows(info, lit), func(f flow) bool { return f.value == value && types.IsInterface(f.to) })
}
