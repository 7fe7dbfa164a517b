package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/model"
	"mapmend/plan/share"
)

// This file chooses the guard: the lock that most uses hold already, or a mutex to be added.

// guard is the lock that a mend makes every use hold.
type guard struct {
	lock  *share.Lock // nil when add is not
	add   *Mutex
	name  string
	class access.Var // the field or variable that is the lock
	reads bool       // can be held in read mode
}

func (d *decider) chooseGuard(c *candidate) *Refusal {
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
	t := decl.object().Type()
	if !hasMethod(t, "Lock") || !hasMethod(t, "Unlock") {
		return &Refusal{Code: UnknownGuard, Message: l.Name() + " is not a lock with Lock and Unlock methods", Todo: "guard the uses by hand"}
	}
	c.guard.reads = hasMethod(t, "RLock") && hasMethod(t, "RUnlock")
	return nil
}

func hasMethod(t types.Type, name string) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	fn, ok := obj.(*types.Func)
	return ok && model.Lock(fn.Name()) != (model.LockOp{})
}

// addGuard chooses the mutex to add above the declaration.
func (d *decider) addGuard(c *candidate) *Refusal {
	v := c.decl
	typ, reads := "sync.Mutex", false
	for _, j := range c.verdict.Uses {
		if !j.Op.Writes() {
			typ, reads = "sync.RWMutex", true
		}
	}
	field := v.name.Name
	name := "mu"
	switch {
	case v.owner != nil:
		if r := d.copiedOwner(c); r != nil {
			return r
		}
		if hasField(v, name) {
			name = field + "Mu"
		}
		if hasField(v, name) {
			return &Refusal{Code: UnknownGuard, Message: "the names mu and " + name + " are taken", Todo: "add a mutex by hand"}
		}
	case v.outer != nil:
		name = field + "Mu"
		if token.IsExported(name) {
			name = strings.ToLower(name[:1]) + name[1:]
		}
		if v.pkg.Types.Scope().Lookup(name) != nil {
			return &Refusal{Code: UnknownGuard, Message: "the name " + name + " is taken", Todo: "add a mutex by hand"}
		}
	default:
		return &Refusal{Code: CapturedLocal, Message: "the variable is a local of " + c.finding.Owner, Todo: "declare a mutex beside it and lock it in the goroutines"}
	}
	c.guard = guard{
		add:   &Mutex{Name: name, Type: typ},
		name:  name,
		class: access.Var{Package: c.finding.Package, Owner: c.finding.Owner, Field: name},
		reads: reads,
	}
	return nil
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
	for _, pkg := range d.prog.Packages {
		for _, file := range pkg.Files {
			if file.Syntax == nil || pkg.Info == nil {
				continue
			}
			if pos := assignsType(file.Syntax, pkg.Info, c.finding.Package, c.finding.Owner); pos.IsValid() {
				return &Refusal{Code: OwnerCopied, Pos: d.at(pos), Message: "a " + c.finding.Owner + " is assigned as a whole, which would overwrite a mutex added to it", Todo: "assign its fields one by one"}
			}
		}
	}
	return nil
}

// assignsType returns where a variable of the named struct type, not a pointer to one, is assigned.
func assignsType(file *ast.File, info *types.Info, path, name string) (pos token.Pos) {
	ast.Inspect(file, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || assign.Tok != token.ASSIGN {
			return true
		}
		for _, lhs := range assign.Lhs {
			if named, ok := types.Unalias(info.TypeOf(lhs)).(*types.Named); ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == path {
				pos = lhs.Pos()
			}
		}
		return true
	})
	return pos
}

// copiedOwner refuses an owner that has methods on values: a mutex in it would be copied with each call.
func (d *decider) copiedOwner(c *candidate) *Refusal {
	if c.decl.typ == nil {
		return nil
	}
	name := c.decl.typ.Name.Name
	if r := d.overwrittenOwner(c); r != nil {
		return r
	}
	for _, file := range c.decl.pkg.Files {
		for _, decl := range file.Syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || len(fn.Recv.List) != 1 {
				continue
			}
			t := fn.Recv.List[0].Type
			if _, pointer := t.(*ast.StarExpr); pointer {
				continue
			}
			if id := embeddedName(t); id != nil && id.Name == name {
				return &Refusal{Code: ValueReceiver, Pos: d.at(fn.Name.Pos()),
					Message: "the method " + fn.Name.Name + " has a value receiver, so a mutex added to " + name + " would be copied",
					Todo:    "give the methods of " + name + " pointer receivers"}
			}
		}
	}
	return nil
}
