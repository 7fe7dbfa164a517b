// This file holds the invariants about functions that are split: SameBody and TwinCalls. That the twin is called with the
// lock held only, NoBareUse shows: all that it uses is used by those who call it.

package verify

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
)

// sameBody: a function that is split does nothing but take the lock and hand all that it was given to the twin that follows
// it. The twin has its parameters and results, and its body byte for byte, but for planned calls of twins.
func sameBody(p *proof) []failure {
	return p.eachChange(func(c rewrite.Change) (int, string) {
		_, at, why := p.unsplit(c)
		return at, why
	})
}

// eachUnsplit is eachChange for the new content as it would be if no function were split. Precondition: SameBody holds.
func (p *proof) eachUnsplit(check func(rewrite.Change) (offset int, why string)) []failure {
	return p.eachChange(func(c rewrite.Change) (int, string) {
		out, _, why := p.unsplit(c)
		if why != "" {
			return 0, why
		}
		split := len(out.New) != len(c.New)
		at, why := check(out)
		if split { // the offset is one in other bytes
			at = 0
		}
		return at, why
	})
}

// twinsIn returns the functions of a file that are to be split, each once, in order, with the mend that has each.
func (p *proof) twinsIn(file string) (twins []plan.Twin, mends []plan.Mend) {
	for _, m := range p.plan.Mends {
		for _, t := range m.Twins {
			if t.File == file && !slices.ContainsFunc(twins, func(u plan.Twin) bool { return u.Span == t.Span }) {
				twins, mends = append(twins, t), append(mends, m)
			}
		}
	}
	return twins, mends
}

// callsIn returns the planned calls of twins in a file, by where the name begins: the name of the twin.
func (p *proof) callsIn(file string) map[int]string {
	calls := make(map[int]string)
	for _, m := range p.plan.Mends {
		for _, t := range m.Twins {
			for _, call := range t.Calls {
				if call.File == file {
					calls[call.Start] = t.Name
				}
			}
		}
	}
	return calls
}

// unsplit returns c with each function that is split joined with its twin again: as it was, but for calls of twins. If the
// two are not what they should be, it says why.
func (p *proof) unsplit(c rewrite.Change) (out rewrite.Change, at int, why string) {
	twins, mends := p.twinsIn(c.File)
	if len(twins) == 0 {
		return c, 0, ""
	}
	before, err := parseFile(c.Old)
	if err != nil {
		return c, 0, "the old content does not parse"
	}
	after, err := parseFile(c.New)
	if err != nil {
		return c, 0, "the new content does not parse: " + place.ReplaceAllString(err.Error(), "")
	}
	type gap struct{ from, to int }
	var gaps []gap
	for i, t := range twins {
		was := before.functionAt(t.Span)
		if was == nil {
			return c, 0, "the planned place is not a function"
		}
		now, twin := after.pair(before, was, t.Name)
		if now == nil {
			return c, 0, fmt.Sprintf("%s is not followed by %s", was.Name.Name, t.Name)
		}
		at := after.file.Offset(now.Pos())
		switch formatted := isFormatted(c.Old); {
		case now.Doc.Text() != was.Doc.Text():
			return c, at, "the comment of " + was.Name.Name + " changed"
		case !sameButSpaces(after.signature(now, now.Name.Name), before.signature(was, was.Name.Name), formatted) ||
			!sameButSpaces(after.signature(twin, was.Name.Name), before.signature(was, was.Name.Name), formatted):
			return c, at, "the parameters of " + was.Name.Name + " are others"
		case !isComment(twin.Doc, "// "+t.Doc(mends[i], was.Name.Name)):
			return c, at, "the comment of " + t.Name + " is not the planned one"
		case !isForward(now, t):
			return c, at, was.Name.Name + " does not just take the lock and call " + t.Name
		}
		body, renamed := before.bodyWith(was, p.callsIn(c.File))
		got := after.between(twin.Body.Pos(), twin.Body.End())
		aligned := renamed && slices.Equal(strings.Fields(got), strings.Fields(body)) && sameButSpaces(got, body, isFormatted(c.Old))
		if got != body && !aligned {
			return c, at, "the body of " + t.Name + " is not that of " + was.Name.Name
		}
		gaps = append(gaps, gap{after.file.Offset(now.Body.Pos()), after.file.Offset(twin.Body.Pos())})
	}
	slices.SortFunc(gaps, func(a, b gap) int { return b.from - a.from })
	out = c
	out.New = bytes.Clone(c.New)
	for _, g := range gaps {
		out.New = slices.Delete(out.New, g.from, g.to)
	}
	return out, 0, ""
}

// functionAt returns the function that span takes up exactly, or nil.
func (f *parsed) functionAt(span plan.Span) *ast.FuncDecl {
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && f.file.Offset(fn.Pos()) == span.Start && f.file.Offset(fn.End()) == span.End {
			return fn
		}
	}
	return nil
}

// pair returns the function of f that was is in the file before, and the function after it if that is named twin. There is
// exactly one such pair, or none is returned.
func (f *parsed) pair(before *parsed, was *ast.FuncDecl, twin string) (now, next *ast.FuncDecl) {
	found := 0
	for i, d := range f.ast.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || i+1 == len(f.ast.Decls) || fn.Name.Name != was.Name.Name || f.receiver(fn) != before.receiver(was) {
			continue
		}
		if after, ok := f.ast.Decls[i+1].(*ast.FuncDecl); ok && after.Name.Name == twin && after.Body != nil && fn.Body != nil {
			now, next = fn, after
			found++
		}
	}
	if found != 1 {
		return nil, nil
	}
	return now, next
}

// receiver returns the receiver of fn as it is written.
func (f *parsed) receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	return f.between(fn.Recv.Pos(), fn.Recv.End())
}

func (f *parsed) between(from, to token.Pos) string {
	return string(f.src[f.file.Offset(from):f.file.Offset(to)])
}

// signature returns what stands before the body of fn, with another name.
func (f *parsed) signature(fn *ast.FuncDecl, name string) string {
	return f.between(fn.Pos(), fn.Name.Pos()) + name + f.between(fn.Name.End(), fn.Body.Pos())
}

// bodyWith returns the body of fn with the names that calls has in the place of others, and whether there is one.
func (f *parsed) bodyWith(fn *ast.FuncDecl, calls map[int]string) (body string, renamed bool) {
	var b strings.Builder
	last := fn.Body.Pos()
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if to := calls[f.file.Offset(id.Pos())]; to != "" {
				b.WriteString(f.between(last, id.Pos()) + to)
				last, renamed = id.End(), true
			}
		}
		return true
	})
	b.WriteString(f.between(last, fn.Body.End()))
	return b.String(), renamed
}

// isComment reports whether doc is the one line text.
func isComment(doc *ast.CommentGroup, text string) bool {
	return doc != nil && len(doc.List) == 1 && doc.List[0].Text == text
}

// isForward reports whether the body of fn is what it has to be: lock, deferred unlock, and a call of the twin t with all
// parameters in their order, whose results are returned if there are any.
func isForward(fn *ast.FuncDecl, t plan.Twin) bool {
	list := fn.Body.List
	if len(list) != 3 {
		return false
	}
	lock, okLock := list[0].(*ast.ExprStmt)
	unlock, okUnlock := list[1].(*ast.DeferStmt)
	method := "Lock"
	if t.Read {
		method = "RLock"
	}
	if !okLock || !okUnlock || types.ExprString(lock.X) != t.Lock+"."+method+"()" ||
		types.ExprString(unlock.Call) != t.Lock+"."+strings.Replace(method, "Lock", "Unlock", 1)+"()" {
		return false
	}
	callee := t.Name
	if fn.Recv != nil {
		if callee = ""; len(namesOf(fn.Recv)) == 1 {
			callee = namesOf(fn.Recv)[0] + "." + t.Name
		}
	}
	args := strings.Join(namesOf(fn.Type.Params), ", ")
	if params := fn.Type.Params.List; len(params) > 0 {
		if _, variadic := params[len(params)-1].Type.(*ast.Ellipsis); variadic {
			args += "..."
		}
	}
	is := func(call ast.Expr) bool {
		got := types.ExprString(call) // a call that infers its type arguments has those of its parameters, which are the same
		return got == callee+"("+args+")" || got == callee+"["+strings.Join(namesOf(fn.Type.TypeParams), ", ")+"]("+args+")"
	}
	switch s := list[2].(type) {
	case *ast.ReturnStmt:
		return fn.Type.Results != nil && len(s.Results) == 1 && is(s.Results[0])
	case *ast.ExprStmt:
		return fn.Type.Results == nil && is(s.X)
	}
	return false
}

// namesOf returns the names that list declares.
func namesOf(list *ast.FieldList) []string {
	var names []string
	if list != nil {
		for _, field := range list.List {
			for _, id := range field.Names {
				names = append(names, id.Name)
			}
		}
	}
	return names
}

// twinCalls: in the program after, the name of a twin is mentioned where it is declared, by the function that was split, and
// in the planned calls, and means the twin in all of these. All other mentions of that function are what they were.
func twinCalls(p *proof) []failure {
	var failed []failure
	seen := make(map[plan.Span]bool)
	for _, m := range p.plan.Mends {
		for _, t := range m.Twins {
			if seen[t.Span] {
				continue
			}
			seen[t.Span] = true
			fail := func(why string) {
				failed = append(failed, failure{was: position(p.before, t.File, t.Start), vars: []plan.Var{m.Var}, message: why})
			}
			was, file := functionIn(p.before, t)
			if was == nil {
				fail("the planned place is not a function")
				continue
			}
			twin := p.methodLike(file, was, t.Name)
			now := p.methodLike(file, was, was.Name())
			if twin == nil || now == nil {
				fail(was.Name() + " or " + t.Name + " is not declared")
				continue
			}
			calls, mentions := usesOf(p.after, twin, t.Name)
			if calls != len(t.Calls)+1 || mentions != calls {
				fail(fmt.Sprintf("%s is called %d times, and %d calls are planned", t.Name, calls-1, len(t.Calls)))
			}
			_, had := usesOf(p.before, was, was.Name())
			_, has := usesOf(p.after, now, was.Name())
			if has != had-len(t.Calls) {
				fail(fmt.Sprintf("%s is mentioned %d times, and was %d times", was.Name(), has, had))
			}
		}
	}
	return failed
}

// functionIn returns the function of prog that t splits, and its package.
func functionIn(prog *load.Program, t plan.Twin) (*types.Func, *load.Package) {
	pkg, file := find(prog, t.File)
	if file == nil {
		return nil, nil
	}
	for _, d := range file.Syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && prog.Fset.PositionFor(fn.Pos(), false).Offset == t.Start {
			obj, _ := pkg.Info.Defs[fn.Name].(*types.Func)
			return obj, pkg
		}
	}
	return nil, nil
}

// methodLike returns the function or method named name of the program after that stands where was stood before in pkg.
func (p *proof) methodLike(pkg *load.Package, was *types.Func, name string) *types.Func {
	now := p.after.Package(pkg.Path)
	if now == nil || now.Types == nil {
		return nil
	}
	recv := was.Signature().Recv()
	if recv == nil {
		fn, _ := now.Types.Scope().Lookup(name).(*types.Func)
		return fn
	}
	t := recv.Type()
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return nil
	}
	owner, ok := now.Types.Scope().Lookup(named.Obj().Name()).(*types.TypeName)
	if !ok {
		return nil
	}
	obj, index, _ := types.LookupFieldOrMethod(types.NewPointer(owner.Type()), true, now.Types, name)
	fn, ok := obj.(*types.Func)
	if !ok || len(index) != 1 {
		return nil
	}
	return fn
}

// usesOf returns how often fn, which is called name, is called and mentioned in prog.
func usesOf(prog *load.Program, fn *types.Func, name string) (calls, mentions int) {
	for _, pkg := range prog.Packages {
		if pkg.Info == nil {
			continue
		}
		called := make(map[*ast.Ident]bool)
		for _, f := range pkg.Files {
			if f.Syntax == nil {
				continue
			}
			ast.Inspect(f.Syntax, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					called[nameIn(n.Fun)] = true
				case *ast.Ident:
					if obj, ok := pkg.Info.Uses[n].(*types.Func); ok && n.Name == name && sameFunc(obj, fn) {
						mentions++
						if called[n] {
							calls++
						}
					}
				}
				return true
			})
		}
	}
	return calls, mentions
}

// nameIn returns the name of the function that fun, the operand of a call, is, or nil.
func nameIn(fun ast.Expr) *ast.Ident {
	switch f := ast.Unparen(fun).(type) {
	case *ast.IndexExpr:
		return nameIn(f.X)
	case *ast.IndexListExpr:
		return nameIn(f.X)
	case *ast.SelectorExpr:
		return f.Sel
	case *ast.Ident:
		return f
	}
	return nil
}

// sameFunc reports whether a and b are one function, of which another package may have another object.
func sameFunc(a, b *types.Func) bool { return a.Origin().FullName() == b.Origin().FullName() }
