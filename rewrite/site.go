// This file finds planned places: byte offsets on one side, nodes of the parsed file and of its dst
// tree on the other. No other code looks for a planned place in a tree.

package rewrite

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/dave/dst"
	"github.com/dave/dst/decorator"

	"mapmend/plan"
	"mapmend/plan/load"
)

// A syntax is one file, parsed and decorated. Places are found in the parsed file; changes are made in
// the dst tree, so places stay valid whatever was changed before.
type syntax struct {
	name      string
	src       []byte
	file      *token.File
	ast       *ast.File
	dst       *dst.File
	nodes     map[ast.Node]dst.Node
	formatted bool // src is its own gofmt

	starts   map[int]stretch  // by the offset of the first statement; made when first asked for
	literals []*dst.BlockStmt // the bodies of functions that statements were put into
}

// lineDirective matches what the compiler takes for a position of another file.
var lineDirective = regexp.MustCompile(`(?m)^//line |/\*line `)

// newSyntax returns the tree of f, or the obstacle that keeps f from being rewritten.
func newSyntax(f *load.File) (*syntax, error) {
	unfit := func(code plan.Code, todo, reason string) error {
		return &obstacle{code: code, file: f.Name, message: f.Name + " " + reason, todo: todo}
	}
	switch {
	case f.Generated:
		return nil, unfit(plan.Generated, "change the generator", "is generated")
	case f.Cgo:
		return nil, unfit(plan.Cgo, "move the variable and its uses to a file without cgo", `imports "C"`)
	case bytes.HasPrefix(f.Src, []byte("\xef\xbb\xbf")):
		return nil, unfit(plan.FileShape, "remove the byte order mark", "begins with a byte order mark")
	case bytes.IndexByte(f.Src, '\r') >= 0:
		return nil, unfit(plan.FileShape, "convert the line ends to LF", "holds carriage returns")
	case !utf8.Valid(f.Src):
		return nil, unfit(plan.FileShape, "convert the file to UTF-8", "is not valid UTF-8")
	case lineDirective.Match(f.Src):
		return nil, unfit(plan.FileShape, "remove the directives", "holds //line directives")
	}
	t, err := parse(f.Src)
	if err != nil {
		return nil, unfit(plan.FileShape, "correct the syntax errors", "does not parse")
	}
	t.name = f.Name
	want, err := format.Source(f.Src)
	if err != nil || !RoundTrips(f.Src) {
		return nil, unfit(plan.FileShape, "run gofmt, or move the variable and its uses to another file", "does not survive being taken apart and printed")
	}
	t.formatted = bytes.Equal(f.Src, want)
	return t, nil
}

// parse parses and decorates src. It does not share anything with the loaded program.
func parse(src []byte) (*syntax, error) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, "", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	dec := decorator.NewDecorator(fset)
	file, err := dec.DecorateFile(parsed)
	if err != nil {
		return nil, err
	}
	settle(file)
	return &syntax{src: src, file: fset.File(parsed.FileStart), ast: parsed, dst: file, nodes: dec.Dst.Nodes}, nil
}

// print returns the dst tree as gofmt prints it.
func (t *syntax) print() ([]byte, error) {
	var buf bytes.Buffer
	err := decorator.Fprint(&buf, t.dst)
	return buf.Bytes(), err
}

func (t *syntax) offset(pos token.Pos) int { return t.file.Offset(pos) }

// covers reports whether n takes up exactly the bytes of span.
func (t *syntax) covers(n ast.Node, span plan.Span) bool {
	return n != nil && t.offset(n.Pos()) == span.Start && t.offset(n.End()) == span.End
}

// A stretch is some whole statements of one statement list.
type stretch struct {
	list  ast.Node // the *ast.BlockStmt, *ast.CaseClause or *ast.CommClause
	stmts []ast.Stmt
	i, j  int        // first and last statement
	fn    ast.Node   // the innermost *ast.FuncDecl or *ast.FuncLit around
	spawn []ast.Node // the function literals around, fn too, that a go statement runs
}

// within returns the statements of the stretch.
func (r stretch) within() []ast.Stmt { return r.stmts[r.i : r.j+1] }

// body returns the body of the function around the stretch.
func (r stretch) body() *ast.BlockStmt { return bodyOf(r.fn) }

func bodyOf(fn ast.Node) *ast.BlockStmt {
	switch fn := fn.(type) {
	case *ast.FuncDecl:
		return fn.Body
	case *ast.FuncLit:
		return fn.Body
	}
	return nil
}

// stretchAt returns the whole statements that span takes up exactly.
func (t *syntax) stretchAt(span plan.Span) (stretch, error) {
	if t.starts == nil {
		t.starts = t.stretches()
	}
	if s, ok := t.starts[span.Start]; ok {
		for s.j = s.i; s.j < len(s.stmts); s.j++ {
			if t.offset(s.stmts[s.j].End()) == span.End {
				return s, nil
			}
		}
	}
	return stretch{}, refuse(plan.NotProved, t.name, span.Start, "the planned section is not a run of whole statements")
}

// stretches returns for each offset at which a statement of a list begins the stretch of that one.
func (t *syntax) stretches() map[int]stretch {
	starts := make(map[int]stretch)
	t.inspect(func(n ast.Node, stack []ast.Node) {
		stmts := stmtsOf(n)
		if len(stmts) == 0 {
			return
		}
		fn, spawn := functions(stack)
		for i, s := range stmts {
			starts[t.offset(s.Pos())] = stretch{list: n, stmts: stmts, i: i, j: i, fn: fn, spawn: spawn}
		}
	})
	return starts
}

// functions returns the innermost function of stack, and the literals in it that a go statement runs.
func functions(stack []ast.Node) (fn ast.Node, spawn []ast.Node) {
	for i, n := range stack {
		switch n := n.(type) {
		case *ast.FuncDecl:
			fn = n
		case *ast.FuncLit:
			fn = n
			if i < 2 {
				continue
			}
			if g, ok := stack[i-2].(*ast.GoStmt); ok && g.Call.Fun == n {
				spawn = append(spawn, n)
			}
		}
	}
	return fn, spawn
}

// stmtsOf returns the statement list that n itself holds. The body of a switch or select is none:
// what it lists are clauses.
func stmtsOf(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		for _, s := range n.List {
			switch s.(type) {
			case *ast.CaseClause, *ast.CommClause:
				return nil
			}
		}
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
}

// stmtList returns the place in the dst tree of the statement list that n holds.
func (t *syntax) stmtList(n ast.Node) *[]dst.Stmt {
	switch n := t.nodes[n].(type) {
	case *dst.BlockStmt:
		return &n.List
	case *dst.CaseClause:
		return &n.Body
	case *dst.CommClause:
		return &n.Body
	}
	panic("rewrite: a statement list without its dst node")
}

// listWith returns the list that has stmt: that of n or, if it was put into a function of its own, that one's.
func (t *syntax) listWith(stmt dst.Stmt, n ast.Node) *[]dst.Stmt {
	for _, body := range t.literals {
		if slices.Contains(body.List, stmt) {
			return &body.List
		}
	}
	return t.stmtList(n)
}

// A declaration is where a map variable is declared: an *ast.Field, *ast.ValueSpec or *ast.AssignStmt.
type declaration struct {
	node   ast.Node
	fields *ast.FieldList // of a field: the fields of the struct
	group  *ast.GenDecl   // of a value spec
	local  *stretch       // of a variable of a function: its statement
}

// declarationAt returns the declaration that span takes up exactly.
func (t *syntax) declarationAt(span plan.Span) (declaration, error) {
	var found *declaration
	var local plan.Span // the statement around a local declaration
	t.inspect(func(n ast.Node, stack []ast.Node) {
		switch n := n.(type) {
		case *ast.StructType:
			for _, f := range n.Fields.List {
				if t.covers(f, span) {
					found = &declaration{node: f, fields: n.Fields}
				}
			}
		case *ast.GenDecl:
			for _, s := range n.Specs {
				if v, ok := s.(*ast.ValueSpec); ok && n.Tok == token.VAR && t.covers(v, span) {
					found = &declaration{node: v, group: n}
					if len(stack) > 1 {
						local = t.span(n)
					}
				}
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE && t.covers(n, span) {
				found = &declaration{node: n}
				local = t.span(n)
			}
		}
	})
	if found == nil {
		return declaration{}, refuse(plan.NotProved, t.name, span.Start, "the planned declaration is not a field or variable")
	}
	if local != (plan.Span{}) {
		r, err := t.stretchAt(local)
		if err != nil {
			return declaration{}, err
		}
		found.local = &r
	}
	return *found, nil
}

func (t *syntax) span(n ast.Node) plan.Span {
	return plan.Span{File: t.name, Start: t.offset(n.Pos()), End: t.offset(n.End())}
}

// identAt returns the identifier that span takes up exactly.
func (t *syntax) identAt(span plan.Span) (*ast.Ident, error) {
	var found *ast.Ident
	t.inspect(func(n ast.Node, _ []ast.Node) {
		if id, ok := n.(*ast.Ident); ok && t.covers(id, span) {
			found = id
		}
	})
	if found == nil {
		return nil, refuse(plan.NotProved, t.name, span.Start, "the planned place is not an identifier")
	}
	return found, nil
}

// inspect calls visit for each node with the nodes around it, outermost first.
func (t *syntax) inspect(visit func(n ast.Node, stack []ast.Node)) {
	ast.PreorderStack(t.ast, nil, func(n ast.Node, stack []ast.Node) bool {
		visit(n, stack)
		return true
	})
}

// lineColumn returns the 1-based line and byte column of offset in src.
func lineColumn(src []byte, offset int) (line, column int) {
	before := src[:max(0, min(offset, len(src)))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// RoundTrips reports whether dst, asked to change nothing, prints src as gofmt does. Only a file that
// round trips can be rewritten without loss.
func RoundTrips(src []byte) bool {
	want, err := format.Source(src)
	if err != nil {
		return false
	}
	t, err := parse(src)
	if err != nil {
		return false
	}
	got, err := t.print()
	if err != nil || bytes.Equal(got, want) {
		return err == nil
	}
	got, err = format.Source(got) // gofmt changes doc comments, dst does not
	return err == nil && bytes.Equal(got, want)
}
