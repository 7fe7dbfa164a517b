// This file holds the invariant Receivers.

package verify

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/rewrite"
)

// receivers: the planned receivers became pointers, and of no other declaration of a function anything changed but
// what is in its body. Their type has no method on values any more and is copied nowhere, it has the methods that
// it had, and none of them that locks a mutex of it waits for something.
func receivers(p *proof) []failure {
	failed := p.eachUnsplit(func(c rewrite.Change) (int, string) {
		if c.Create {
			return 0, ""
		}
		before, err := parseFile(c.Old)
		if err != nil {
			return 0, "the old content does not parse"
		}
		after, err := parseFile(c.New)
		if err != nil {
			return 0, "the new content does not parse"
		}
		return p.heads(c.File, before, after)
	})
	for _, m := range p.plan.Mends {
		if len(m.Receivers) > 0 {
			failed = append(failed, p.methods(m)...)
		}
	}
	return failed
}

// heads compares the functions that a file declares up to their bodies, and in these how often there is a star.
func (p *proof) heads(name string, before, after *parsed) (int, string) {
	var lowered bool
	planned := make(map[int]string) // methods, by the offset of the type of the receiver
	for _, m := range p.plan.Mends {
		lowered = lowered || slices.ContainsFunc(m.Lowered, func(l plan.Lowering) bool { return l.File == name })
		for _, r := range m.Receivers {
			if r.File == name {
				planned[r.Start] = r.Method
			}
		}
	}
	old := functionsOf(before)
	now := functionsOf(after)
	if len(old) != len(now) {
		return 0, "a function is new or lost"
	}
	for i, fn := range old {
		want, at := before.head(fn), after.file.Offset(now[i].Pos())
		if fn.Recv != nil && len(fn.Recv.List) == 1 {
			typ := before.file.Offset(fn.Recv.List[0].Type.Pos())
			if method, ok := planned[typ]; ok {
				if method != fn.Name.Name {
					return at, "the planned receiver is that of another method"
				}
				delete(planned, typ)
				want = slices.Insert(want, before.tokensUpTo(fn, typ), "*")
			}
		}
		if !slices.Equal(want, after.head(now[i])) {
			return at, "the receiver or signature of " + fn.Name.Name + " changed otherwise than planned"
		}
		if !lowered && before.stars(fn)+p.assertedIn(name, before, fn)+p.loopStars(name, before, fn) != after.stars(now[i]) {
			return at, "a pointer in the body of " + fn.Name.Name + " is new or lost"
		}
	}
	if len(planned) > 0 {
		return 0, "a planned receiver is that of no method"
	}
	return 0, ""
}

// assertedIn returns how many assertions in fn, of the named file, are planned to be to a pointer.
func (p *proof) assertedIn(name string, f *parsed, fn *ast.FuncDecl) (n int) {
	for _, m := range p.plan.Mends {
		for _, s := range m.Asserted {
			if s.File == name && f.file.Offset(fn.Pos()) <= s.Start && s.End <= f.file.Offset(fn.End()) {
				n++
			}
		}
	}
	return n
}

// loopStars returns how many stars stand in the types of the copies in fn, of the named file, that loops make.
func (p *proof) loopStars(name string, f *parsed, fn *ast.FuncDecl) (n int) {
	for _, m := range p.plan.Mends {
		for _, c := range m.Copies {
			if c.Loop != nil && c.File == name && f.file.Offset(fn.Pos()) <= c.Start && c.End <= f.file.Offset(fn.End()) {
				n += strings.Count(c.Loop.Type, "*")
			}
		}
	}
	return n
}

func functionsOf(f *parsed) []*ast.FuncDecl {
	var list []*ast.FuncDecl
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			list = append(list, fn)
		}
	}
	return list
}

// head returns the tokens of fn up to its body.
func (f *parsed) head(fn *ast.FuncDecl) []string {
	end := fn.End()
	if fn.Body != nil {
		end = fn.Body.Pos()
	}
	return textsOf(f.src[f.file.Offset(fn.Pos()):f.file.Offset(end)])
}

// tokensUpTo returns how many tokens of fn stand before offset.
func (f *parsed) tokensUpTo(fn *ast.FuncDecl, offset int) int {
	return len(textsOf(f.src[f.file.Offset(fn.Pos()):offset]))
}

// stars returns how many stars the body of fn has.
func (f *parsed) stars(fn *ast.FuncDecl) int {
	if fn.Body == nil {
		return 0
	}
	n := 0
	for _, t := range tokensOf(f.src[f.file.Offset(fn.Body.Pos()):f.file.Offset(fn.Body.End())]) {
		if t.tok == token.MUL {
			n++
		}
	}
	return n
}

func textsOf(src []byte) []string {
	var list []string
	for _, t := range tokensOf(src) {
		list = append(list, t.text)
	}
	return list
}

// methods compares the methods of the owner of m before and after.
func (p *proof) methods(m plan.Mend) []failure {
	var failed []failure
	fail := func(message string, args ...any) {
		failed = append(failed, failure{vars: []plan.Var{m.Var}, message: fmt.Sprintf(message, args...)})
	}
	before, after := methodsOf(p.before.Package(m.Package).Types, m.Owner), methodsOf(p.after.Package(m.Package).Types, m.Owner)
	if len(before) != len(after) {
		fail("%s has other methods", m.Owner)
	}
	for name, fn := range after {
		if _, pointer := types.Unalias(fn.Signature().Recv().Type()).(*types.Pointer); !pointer {
			fail("the method %s of %s has a value receiver still", name, m.Owner)
		}
		if was := before[name]; was == nil || typeText(was.Type()) != typeText(fn.Type()) {
			fail("the method %s of %s is another one", name, m.Owner)
		}
	}
	for _, f := range p.copies(p.after) {
		if names(f.message, m) {
			failed = append(failed, failure{pos: f.pos, vars: []plan.Var{m.Var}, message: f.message})
		}
	}
	for _, r := range m.Receivers {
		if why := p.waits(r); why != "" {
			fail("the method %s holds %s", r.Method, why)
		}
	}
	return failed
}

// methodsOf returns the methods that are declared for a named type, by name.
func methodsOf(pkg *types.Package, owner string) map[string]*types.Func {
	out := make(map[string]*types.Func)
	if tn, ok := pkg.Scope().Lookup(owner).(*types.TypeName); ok {
		if named, ok := types.Unalias(tn.Type()).(*types.Named); ok {
			for fn := range named.Methods() {
				out[fn.Name()] = fn
			}
		}
	}
	return out
}

// waits says what a method whose receiver becomes a pointer may wait for, if it locks a mutex already: nobody
// waited for that one before.
func (p *proof) waits(r plan.Receiver) (why string) {
	pkg, file := find(p.before, r.File)
	if file == nil {
		return ""
	}
	for _, d := range file.Syntax.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv == nil || fn.Body == nil || fn.Name.Name != r.Method || p.before.Fset.PositionFor(fn.Recv.List[0].Type.Pos(), false).Offset != r.Start {
			continue
		}
		locks := false
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			l := lockCall(pkg.Info, n)
			locks = locks || l != nil && len(fn.Recv.List[0].Names) == 1 && strings.HasPrefix(l.path+".", fn.Recv.List[0].Names[0].Name+".")
			return true
		})
		if !locks {
			continue
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if n != nil && why == "" {
				why = blocks(pkg.Info, n)
			}
			return why == ""
		})
	}
	return why
}
