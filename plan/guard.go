package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/mapuse"
	"mapmend/plan/model"
	"mapmend/plan/share"
)

// This file chooses the guard: the lock that most uses hold already, or a mutex to be added.

// guard is the lock that a mend makes every use hold.
type guard struct {
	lock  *share.Lock // nil when add is not
	add   *Mutex      // to be declared; typeMutexes gives it its type
	name  string
	class access.Var   // the field or variable that is the lock
	reads bool         // can be held in read mode
	local types.Object // the variable of a function that lock is; nil when it is none
}

func (d *decider) chooseGuard(c *candidate) *Refusal {
	if c.decl.isLocal(c.finding.Var) {
		return d.localGuard(c)
	}
	if c.verdict.Guard == nil {
		return d.addGuard(c)
	}
	l := c.verdict.Guard
	c.guard = guard{lock: l, name: l.Name(), class: l.Class}
	decl, ok := d.decls[toVar(l.Class)]
	if !ok || decl.object() == nil {
		return &Refusal{Code: UnknownGuard, Message: "the declaration of " + l.Name() + " is not in the program", Todo: "guard the uses by hand"}
	}
	if l.Relation == share.Same {
		return &Refusal{Code: UnknownGuard, Message: l.Name() + " guards a local variable", Todo: "guard the uses by hand"}
	}
	if many, ok := strings.CutSuffix(l.Name(), "[]"); ok {
		return &Refusal{Code: UnknownGuard, Message: "the guard is an element of " + many + ", and which one is for which map is not followed", Todo: "guard the uses by hand"}
	}
	t := decl.object().Type()
	if !hasMethod(t, "Lock") || !hasMethod(t, "Unlock") {
		return &Refusal{Code: UnknownGuard, Message: l.Name() + " is not a lock with Lock and Unlock methods", Todo: "guard the uses by hand"}
	}
	c.guard.reads = hasMethod(t, "RLock") && hasMethod(t, "RUnlock")
	return d.copiedGuard(c, decl)
}

func hasMethod(t types.Type, name string) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	fn, ok := obj.(*types.Func)
	return ok && model.Lock(fn.Name()) != (model.LockOp{})
}

// addGuard chooses the mutex to add above the declaration.
func (d *decider) addGuard(c *candidate) *Refusal {
	v := c.decl
	field := v.name.Name
	name := "mu"
	switch {
	case v.owner != nil:
		if r := cmp.Or(d.overwrittenOwner(c), d.changeReceivers(c, access.Var{Package: c.finding.Package, Owner: c.finding.Owner})); r != nil {
			return r
		}
		w := &wrapping{d: d, c: c, moved: len(c.receivers) > 0, pointed: c.pointed}
		w.findObjects()
		if r := cmp.Or(w.checkNewField(), w.checkLayout(), w.checkCopies()); r != nil {
			return r
		}
		src, r := d.unseenOwners(c)
		if r != nil {
			return r
		}
		taken := func(name string) bool { return hasField(v, name) || src.takesName(name) || changesMeaning(v, name) }
		if c.own || taken(name) {
			name = field + "Mu"
		}
		if taken(name) {
			return &Refusal{Code: UnknownGuard, Message: "the names mu and " + name + " are taken", Todo: "add a mutex by hand"}
		}
	case v.outer != nil:
		name = field + "Mu"
		if token.IsExported(name) {
			name = strings.ToLower(name[:1]) + name[1:]
		}
		if v.pkg.Types.Scope().Lookup(name) != nil || d.isDeclaredUnseen(v.pkg, name) {
			return &Refusal{Code: UnknownGuard, Message: "the name " + name + " is taken", Todo: "add a mutex by hand"}
		}
	default:
		return &Refusal{Code: CapturedLocal, Message: "the variable is a local of " + c.finding.Owner, Todo: localTodo}
	}
	if d.isDeclaredUnseen(v.pkg, "sync") {
		return &Refusal{Code: OutOfScope, Message: "source that is not part of this build declares the name sync, which the mutex needs", Todo: "rename it, or add a mutex by hand"}
	}
	c.guard = guard{
		add:   &Mutex{Name: name},
		name:  name,
		class: access.Var{Package: c.finding.Package, Owner: c.finding.Owner, Field: name},
		reads: true,
	}
	return nil
}

// typeMutexes gives the new mutexes of mends, which have all their sections, a type: one that can be held for reading if some
// section only reads, in whichever mend it is that has the mutex, too.
func typeMutexes(mends []Mend) {
	read := make(map[Var]bool)
	for _, m := range mends {
		read[m.Class] = read[m.Class] || slices.ContainsFunc(m.Sections, func(s Section) bool { return s.Read })
	}
	for _, m := range mends {
		switch {
		case m.Mutex == nil:
		case read[m.Class]:
			m.Mutex.Type = "sync.RWMutex"
		default:
			m.Mutex.Type = "sync.Mutex"
		}
	}
}

// hasField reports whether the owner of decl has a field or method of that name, embedded ones included.
func hasField(decl declaration, name string) bool {
	if decl.typ != nil {
		if tn, ok := decl.pkg.Info.Defs[decl.typ.Name].(*types.TypeName); ok {
			obj, _, _ := types.LookupFieldOrMethod(tn.Type(), true, decl.pkg.Types, name)
			return obj != nil
		}
	}
	st, ok := decl.pkg.Info.TypeOf(decl.owner).(*types.Struct)
	if !ok {
		return true
	}
	for f := range st.Fields() {
		if f.Name() == name {
			return true
		}
	}
	return false
}

// overwrittenOwner refuses an owner that is assigned as a whole: the mutex in it would be overwritten,
// perhaps while it is held.
func (d *decider) overwrittenOwner(c *candidate) *Refusal {
	early := d.isUsedEarly(c)
	for _, pkg := range d.prog.Packages {
		for _, file := range pkg.Files {
			info := pkg.Info
			if file.Syntax == nil || info == nil {
				continue
			}
			if pos := unkeyedLiteral(file.Syntax, info, c.finding.Package, c.finding.Owner); pos.IsValid() {
				return &Refusal{Code: OwnerCopied, Pos: d.at(pos), Message: "a literal of " + c.finding.Owner + " has no field names, so a mutex added to it would shift its values", Todo: "name the fields in the literal"}
			}
			if pos := assignsType(file.Syntax, info, c.finding.Package, c.finding.Owner, func(a *ast.AssignStmt) bool { return !early && c.isMadeAt(a) }); pos.IsValid() {
				return &Refusal{Code: OwnerCopied, Pos: d.at(pos), Message: "a " + c.finding.Owner + " is assigned as a whole, which would overwrite a mutex added to it", Todo: "assign its fields one by one"}
			}
		}
	}
	return nil
}

// unkeyedLiteral returns where a literal of the named struct type lists values without field names.
func unkeyedLiteral(file *ast.File, info *types.Info, path, name string) (pos token.Pos) {
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || len(lit.Elts) == 0 {
			return true
		}
		if _, keyed := lit.Elts[0].(*ast.KeyValueExpr); !keyed && isNamed(info.TypeOf(lit), path, name) {
			pos = lit.Pos()
		}
		return true
	})
	return pos
}

func isNamed(t types.Type, path, name string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == path
}

// isMadeAt reports whether assign gives a variable a new owner of the variable of c, before any goroutine runs:
//
//	var sessions Sessions
//
//	func main() {
//		sessions = Sessions{byID: make(map[string]*Session)}
//		go serve()
func (c *candidate) isMadeAt(assign *ast.AssignStmt) bool {
	if len(assign.Lhs) != 1 || len(assign.Rhs) != 1 {
		return false
	}
	at := ast.Unparen(assign.Lhs[0]).Pos()
	if sel, ok := ast.Unparen(assign.Lhs[0]).(*ast.SelectorExpr); ok {
		at = sel.Sel.Pos()
	}
	_, isNew := ast.Unparen(assign.Rhs[0]).(*ast.CompositeLit)
	return isNew && slices.ContainsFunc(c.verdict.Before, func(e *share.Entry) bool { return e.Use.Pos == at && e.Use.Op == mapuse.Replace }) &&
		!slices.ContainsFunc(slices.Concat(c.verdict.Uses, c.verdict.Fillers), func(j share.Judged) bool {
			return slices.ContainsFunc(j.Entries, func(e *share.Entry) bool { return e.Use.Pos == at })
		})
}

// isUsedEarly reports whether a goroutine that the initialization of a package starts uses the variable of c: it runs before main does.
func (d *decider) isUsedEarly(c *candidate) bool {
	return slices.ContainsFunc(c.verdict.Uses, func(j share.Judged) bool {
		return slices.ContainsFunc(j.Entries, func(e *share.Entry) bool {
			root := d.world.Bodies[e.Func]
			return len(e.Sites) > 0 && root != nil && root.IsInit()
		})
	})
}

// assignsType returns where a variable of the named struct type, not a pointer to one, is assigned by a statement that but does not
// take.
func assignsType(file *ast.File, info *types.Info, path, name string, but func(*ast.AssignStmt) bool) (pos token.Pos) {
	ast.Inspect(file, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || assign.Tok != token.ASSIGN || but(assign) {
			return true
		}
		for _, lhs := range assign.Lhs {
			if isNamed(info.TypeOf(lhs), path, name) {
				pos = lhs.Pos()
			}
		}
		return true
	})
	return pos
}
