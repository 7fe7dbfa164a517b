package intent

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"mapmend/plan/access"
)

// This file finds the lock that a directive names.

// lockOf returns the lock that name stands for at t: a field of the struct, one that is reached through fields,
// or a package variable.
func (r *reader) lockOf(t *target, name string) (lock Lock, problem string) {
	steps := strings.Split(name, ".")
	if t.in != nil {
		if lock, typ, ok := r.follow(t.in, steps); ok {
			return checked(lock, typ, name)
		}
	}
	return r.globalLock(steps, name)
}

// require notes that the callers of fn hold the lock that d names: a field of the receiver, a part of a
// parameter, or a package variable.
func (r *reader) require(d directive, fn *ast.FuncDecl) (problem string) {
	obj, ok := r.info.Defs[fn.Name].(*types.Func)
	if !ok {
		return d.String() + " stands at no function"
	}
	req := Requirement{Func: access.ObjectKey(obj)}
	steps := strings.Split(d.arg, ".")
	found := false
	for i, p := range parameters(obj.Signature()) {
		at := steps
		switch {
		case p.Name() == steps[0] && len(steps) > 1:
			at = steps[1:]
		case i > 0 || obj.Signature().Recv() == nil: // a bare name is a field of the receiver
			continue
		}
		if lock, typ, ok := r.follow(p.Type(), at); ok {
			req.Param, req.Lock, found = i, lock, true
			if _, problem := checked(lock, typ, d.arg); problem != "" {
				return problem
			}
			break
		}
	}
	if !found {
		if req.Lock, problem = r.globalLock(steps, d.arg); problem != "" {
			return problem
		}
	}
	r.said.Requires = append(r.said.Requires, req)
	return ""
}

// parameters returns the receiver, if there is one, and the parameters.
func parameters(sig *types.Signature) []*types.Var {
	var out []*types.Var
	if sig.Recv() != nil {
		out = append(out, sig.Recv())
	}
	for p := range sig.Params().Variables() {
		out = append(out, p)
	}
	return out
}

// follow returns the field that steps lead to from t, with the embedded ones on the way, and its type.
func (r *reader) follow(t types.Type, steps []string) (lock Lock, typ types.Type, ok bool) {
	for _, step := range steps {
		_, index, _ := types.LookupFieldOrMethod(t, true, r.pkg, step)
		for _, i := range index {
			st := structOf(t)
			if st == nil || i >= st.NumFields() {
				return Lock{}, nil, false // a method
			}
			f := st.Field(i)
			lock.Sel += "." + f.Name()
			lock.Class = fieldVar(t, f.Name())
			t = f.Type()
		}
		if index == nil {
			return Lock{}, nil, false
		}
	}
	return lock, t, true
}

// globalLock returns the package variable, or the part of one, that steps name.
func (r *reader) globalLock(steps []string, name string) (lock Lock, problem string) {
	v, ok := r.pkg.Scope().Lookup(steps[0]).(*types.Var)
	if !ok {
		return Lock{}, fmt.Sprintf("there is no mutex %s here", name)
	}
	lock, typ, ok := r.follow(v.Type(), steps[1:])
	if !ok {
		return Lock{}, fmt.Sprintf("there is no mutex %s here", name)
	}
	lock.Global = access.Key(r.path, steps[0])
	if lock.Class.IsZero() {
		lock.Class = access.Var{Package: r.path, Field: steps[0]}
	}
	return checked(lock, typ, name)
}

// checked returns lock if its type is that of a lock.
func checked(lock Lock, typ types.Type, name string) (Lock, string) {
	obj, _, _ := types.LookupFieldOrMethod(typ, true, nil, "Lock")
	if _, ok := obj.(*types.Func); !ok {
		return Lock{}, name + " is no mutex: it has no method Lock"
	}
	return lock, ""
}
