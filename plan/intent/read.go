package intent

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"mapmend/plan/access"
)

// This file finds out what each comment stands at.

// Read returns what the comments of a package say. Prose is read in files that are not generated.
func Read(fset *token.FileSet, pkg *types.Package, path string, info *types.Info, files []*ast.File) Said {
	r := &reader{pkg: pkg, path: path, info: info, fset: fset}
	for _, f := range files {
		r.file(f)
	}
	slices.SortStableFunc(r.said.Problems, func(a, b Problem) int { return cmp.Compare(a.Pos, b.Pos) })
	return r.said
}

type reader struct {
	fset *token.FileSet
	pkg  *types.Package
	path string
	info *types.Info
	said Said

	targets map[*ast.CommentGroup]*target
	locals  map[int][]access.Var // maps that are declared in functions, by line
	uses    map[int][]access.Var // maps that are mentioned, by line
}

// target is what a comment stands at.
type target struct {
	name string        // for people
	vars []access.Var  // the map variables
	in   types.Type    // the struct that has them as fields; nil when they are not
	fn   *ast.FuncDecl // a function
}

func (r *reader) file(f *ast.File) {
	r.targets = make(map[*ast.CommentGroup]*target)
	r.locals, r.uses = make(map[int][]access.Var), make(map[int][]access.Var)
	for _, decl := range f.Decls {
		switch decl := decl.(type) {
		case *ast.GenDecl:
			r.decl(decl)
		case *ast.FuncDecl:
			r.function(decl)
		}
	}
	generated := ast.IsGenerated(f)
	for _, group := range f.Comments {
		r.directives(group)
		if !generated {
			r.prose(group)
		}
	}
}

func (r *reader) decl(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			st, ok := spec.Type.(*ast.StructType)
			obj := r.info.Defs[spec.Name]
			if !ok || obj == nil {
				continue
			}
			all := &target{name: spec.Name.Name, in: obj.Type()}
			for _, field := range st.Fields.List {
				one := &target{name: spec.Name.Name, in: obj.Type()}
				for _, name := range field.Names {
					one.name = spec.Name.Name + "." + name.Name
					if isMap(r.info.TypeOf(field.Type)) {
						one.vars = append(one.vars, access.Var{Package: r.path, Owner: spec.Name.Name, Field: name.Name})
					}
				}
				all.vars = append(all.vars, one.vars...)
				r.at(one, field.Doc, field.Comment)
			}
			r.at(all, spec.Doc, spec.Comment)
			if !decl.Lparen.IsValid() {
				r.at(all, decl.Doc)
			}
		case *ast.ValueSpec:
			t := &target{}
			for _, name := range spec.Names {
				t.name = name.Name
				if obj := r.info.Defs[name]; obj != nil && isMap(obj.Type()) && decl.Tok == token.VAR {
					t.vars = append(t.vars, access.Var{Package: r.path, Field: name.Name})
				}
			}
			r.at(t, spec.Doc, spec.Comment)
			if !decl.Lparen.IsValid() {
				r.at(t, decl.Doc)
			}
		}
	}
}

// function notes what the comments of decl and those in its body stand at.
func (r *reader) function(decl *ast.FuncDecl) {
	obj, ok := r.info.Defs[decl.Name].(*types.Func)
	if !ok {
		return
	}
	t := &target{name: decl.Name.Name, fn: decl}
	r.at(t, decl.Doc)
	owner := access.ShortKey(access.ObjectKey(obj))
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if v := r.field(n); !v.IsZero() {
				t.vars = append(t.vars, v)
				r.note(r.uses, n, v)
			}
		case *ast.Ident:
			if v, ok := r.info.Uses[n].(*types.Var); ok && isMap(v.Type()) && v.Parent() == r.pkg.Scope() {
				global := access.Var{Package: r.path, Field: n.Name}
				t.vars = append(t.vars, global)
				r.note(r.uses, n, global)
			}
			if v, ok := r.info.Defs[n].(*types.Var); ok && isMap(v.Type()) && !v.IsField() {
				r.note(r.locals, n, access.Var{Package: r.path, Owner: owner, Field: n.Name})
			}
		}
		return true
	})
}

func (r *reader) at(t *target, groups ...*ast.CommentGroup) {
	for _, g := range groups {
		if g != nil {
			r.targets[g] = t
		}
	}
}

func (r *reader) note(lines map[int][]access.Var, n ast.Node, v access.Var) {
	line := r.line(n.Pos())
	lines[line] = append(lines[line], v)
}

func (r *reader) line(pos token.Pos) int { return r.fset.PositionFor(pos, false).Line }

// beside returns the variables of lines that group stands at: at the end of their line, or above it.
func (r *reader) beside(lines map[int][]access.Var, group *ast.CommentGroup) []access.Var {
	if vars := lines[r.line(group.Pos())]; len(vars) > 0 {
		return vars
	}
	return lines[r.line(group.End())+1]
}

// field returns the map field that sel selects; it is zero when it selects none of a named struct.
func (r *reader) field(sel *ast.SelectorExpr) access.Var {
	s := r.info.Selections[sel]
	if s == nil || s.Kind() != types.FieldVal || !isMap(s.Type()) {
		return access.Var{}
	}
	t := s.Recv()
	for _, i := range s.Index()[:len(s.Index())-1] {
		t = structOf(t).Field(i).Type()
	}
	return fieldVar(t, sel.Sel.Name)
}

// fieldVar returns the field name of t, or of what t points to; it is zero when that has no name.
func fieldVar(t types.Type, name string) access.Var {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return access.Var{}
	}
	return access.Var{Package: named.Obj().Pkg().Path(), Owner: named.Obj().Name(), Field: name}
}

func structOf(t types.Type) *types.Struct {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	st, _ := t.Underlying().(*types.Struct)
	return st
}

func isMap(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

// prose reads what group says in words.
func (r *reader) prose(group *ast.CommentGroup) {
	text := group.Text()
	t := r.targets[group]
	if t == nil {
		if s := saysMissing(text); s != "" {
			r.claim(r.beside(r.uses, group), fmt.Sprintf("a comment at it says %q", s))
		}
		return
	}
	if s := saysMissing(text); s != "" {
		r.claim(t.vars, fmt.Sprintf("the comment of %s says %q", t.name, s))
	}
	r.term(t, text)
	if s := saysSafe(text, t.name); s != "" {
		why := fmt.Sprintf("the comment of %s says %q", t.name, s)
		if t.fn == nil {
			r.claim(t.vars, why)
		} else if obj, ok := r.info.Defs[t.fn.Name].(*types.Func); ok {
			r.said.Claims = append(r.said.Claims, Claim{Func: access.ObjectKey(obj), Why: why})
		}
	}
}

// term reads what text, the comment of t, asks of callers.
func (r *reader) term(t *target, text string) {
	if t.fn == nil {
		return
	}
	s := saysWhen(text, t.name)
	if obj, ok := r.info.Defs[t.fn.Name].(*types.Func); ok && s != "" {
		r.said.Terms = append(r.said.Terms, Term{access.ObjectKey(obj), fmt.Sprintf("the comment of %s says %q", t.name, s)})
	}
}

func (r *reader) claim(vars []access.Var, why string) {
	for _, v := range vars {
		r.said.Claims = append(r.said.Claims, Claim{Var: v, Why: why})
	}
}

// directives carries out the directives in group.
func (r *reader) directives(group *ast.CommentGroup) {
	for _, c := range group.List {
		d, ok, problem := parse(c)
		if !ok {
			if problem != "" {
				r.problem(c.Pos(), problem)
			}
			continue
		}
		t := r.targets[group]
		if t == nil {
			t = &target{name: "it", vars: r.beside(r.locals, group)}
		}
		if problem := r.apply(d, t); problem != "" {
			r.problem(c.Pos(), problem)
		}
	}
}

func (r *reader) problem(pos token.Pos, message string) {
	r.said.Problems = append(r.said.Problems, Problem{pos, message})
}

// apply carries out d at t and returns why it has no effect.
func (r *reader) apply(d directive, t *target) (problem string) {
	if t.fn != nil {
		if d.verb != requires && d.verb != guardedBy {
			return d.String() + " stands at a function; it is for map variables"
		}
		return r.require(d, t.fn)
	}
	switch {
	case d.verb == requires:
		return d.String() + " stands at no function"
	case len(t.vars) == 0:
		return d.String() + " stands at no map variable"
	}
	if d.verb == guardedBy {
		lock, problem := r.lockOf(t, d.arg)
		if problem != "" {
			return problem
		}
		for _, v := range t.vars {
			r.said.Guards = append(r.said.Guards, Guard{v, lock, d.pos})
		}
		return ""
	}
	for _, v := range t.vars {
		r.said.Silences = append(r.said.Silences, Silence{v, d.verb, d.arg, d.pos})
	}
	return ""
}
