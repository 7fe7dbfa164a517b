// This file splits a function into one that takes the lock and its twin, which has the body.

package rewrite

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"github.com/dave/dst"

	"mapmend/plan"
)

// A split is a function that gets a twin. It is an insertion of bytes before the body, which becomes that of the twin.
type split struct {
	decl *ast.FuncDecl
	twin string // name of the twin
	text string // from the new body of the function to the result of the twin
}

// A rename is a name in a call that becomes that of a twin.
type rename struct {
	id *ast.Ident
	to string
}

// splitFunction asks for the twin t and for its calls.
func splitFunction(e *editor, m plan.Mend, t plan.Twin) error {
	f, err := e.open(t.File, t.Start)
	if err != nil {
		return err
	}
	s, err := f.splitAt(m, t)
	if err != nil {
		return err
	}
	known := false
	for _, other := range f.splits {
		if other.decl == s.decl {
			if other != s {
				return refuse(plan.NotProved, f.name, t.Start, "%s is to be split in two ways", s.decl.Name.Name)
			}
			known = true
		}
	}
	if !known {
		f.splits = append(f.splits, s)
	}
	for _, call := range t.Calls {
		if err := renameCall(e, call, s); err != nil {
			return err
		}
	}
	return nil
}

// splitAt returns the split of the function that t takes up exactly.
func (f *file) splitAt(m plan.Mend, t plan.Twin) (split, error) {
	no := func(why string) (split, error) {
		return split{}, refuse(plan.NotProved, f.name, t.Start, "%s", why)
	}
	var decl *ast.FuncDecl
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && f.covers(fn, t.Span) {
			decl = fn
		}
	}
	lock, err := parser.ParseExpr(t.Lock)
	switch {
	case decl == nil:
		return no("the planned place is not a function")
	case err != nil || !plan.IsPath(lock):
		return no(fmt.Sprintf("the planned lock %q is not a variable or field", t.Lock))
	case !token.IsIdentifier(t.Name) || ast.IsExported(t.Name):
		return no(fmt.Sprintf("a twin cannot be named %q", t.Name))
	}
	call, ok := forward(decl, t.Name)
	if !ok {
		return no("a parameter has no name")
	}
	if decl.Type.Results != nil {
		call = "return " + call
	}
	before, behind := f.offset(decl.Name.Pos()), f.offset(decl.Name.End())
	open := f.offset(decl.Body.Lbrace)
	method := map[bool]string{true: "RLock", false: "Lock"}[t.Read]
	var text strings.Builder
	fmt.Fprintf(&text, "{\n\t%s.%s()\n\tdefer %[1]s.%[3]s()\n\t%[4]s\n}\n\n", t.Lock, method, strings.Replace(method, "Lock", "Unlock", 1), call)
	fmt.Fprintf(&text, "// %s\n", t.Doc(m, decl.Name.Name))
	fmt.Fprintf(&text, "%s%s%s", f.src[t.Start:before], t.Name, f.src[behind:open])
	return split{decl, t.Name, text.String()}, nil
}

// forward returns the call that gives the function name all that decl, which has the same parameters, was given; ok is
// unset if one of them cannot be named.
func forward(decl *ast.FuncDecl, name string) (call string, ok bool) {
	names := func(list *ast.FieldList) (out []string, ok bool) {
		if list == nil {
			return nil, true
		}
		for _, field := range list.List {
			if len(field.Names) == 0 {
				return nil, false
			}
			for _, id := range field.Names {
				if id.Name == "_" {
					return nil, false
				}
				out = append(out, id.Name)
			}
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				out[len(out)-1] += "..."
			}
		}
		return out, true
	}
	recv, okRecv := names(decl.Recv)
	args, okArgs := names(decl.Type.Params)
	types, okTypes := names(decl.Type.TypeParams)
	if !isInferred(decl, types) {
		name += "[" + strings.Join(types, ", ") + "]"
	}
	if len(recv) > 0 {
		name = recv[0] + "." + name
	}
	return name + "(" + strings.Join(args, ", ") + ")", okRecv && okArgs && okTypes
}

// isInferred reports whether a call of decl needs no type arguments: each of its type parameters is mentioned by the type of
// a parameter.
func isInferred(decl *ast.FuncDecl, types []string) bool {
	mentioned := make(map[string]bool)
	for _, field := range decl.Type.Params.List {
		ast.Inspect(field.Type, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				mentioned[id.Name] = true
			}
			return true
		})
	}
	for _, name := range types {
		if !mentioned[name] {
			return false
		}
	}
	return true
}

// renameCall asks for the name of the twin in a call of the function that s splits.
func renameCall(e *editor, call plan.Span, s split) error {
	f, err := e.open(call.File, call.Start)
	if err != nil {
		return err
	}
	id, err := f.identAt(call)
	if err != nil {
		return err
	}
	if id.Name != s.decl.Name.Name {
		return refuse(plan.NotProved, f.name, call.Start, "%s is not called %s", id.Name, s.decl.Name.Name)
	}
	for _, r := range f.renames {
		if r.id == id {
			if r.to != s.twin {
				return refuse(plan.NotProved, f.name, call.Start, "%s is to get two names", id.Name)
			}
			return nil
		}
	}
	f.renames = append(f.renames, rename{id, s.twin})
	return nil
}

// splitClash returns an obstacle when something else than calls of twins is to change in a function that is split: its
// body must stay.
func (f *file) splitClash() error {
	for _, s := range f.splits {
		start, end := f.offset(s.decl.Pos()), f.offset(s.decl.End())
		inside := func(offset int) bool { return start <= offset && offset < end }
		clash := false
		for _, other := range f.sections {
			clash = clash || inside(other.start)
		}
		for _, other := range f.steps {
			clash = clash || inside(other.offset)
		}
		for _, other := range f.inserts {
			clash = clash || inside(other.start)
		}
		if clash {
			return refuse(plan.NotProved, f.name, start, "something else is to change in %s, which is to be split", s.decl.Name.Name)
		}
	}
	return nil
}

// applySplits turns splits and renames into inserts and steps. A call in a function that is split is renamed in the bytes,
// since that function is not printed.
func (f *file) applySplits() {
	for _, s := range f.splits {
		at := f.offset(s.decl.Body.Lbrace)
		f.insert(at, at, fmt.Sprintf("split %d", at), s.text)
	}
	for _, r := range f.renames {
		at := f.offset(r.id.Pos())
		key := fmt.Sprintf("rename %d", at)
		if f.isSplit(at) {
			f.insert(at, f.offset(r.id.End()), key, r.to)
			continue
		}
		f.step(at, key, func(t *syntax) { t.nodes[r.id].(*dst.Ident).Name = r.to })
	}
}

// isSplit reports whether offset lies in a function that is split.
func (f *file) isSplit(offset int) bool {
	for _, s := range f.splits {
		if f.offset(s.decl.Pos()) <= offset && offset < f.offset(s.decl.End()) {
			return true
		}
	}
	return false
}
