package mapuse

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
)

// This file leads from an instruction's position to the expression in source that mentions the map.

// Mentions finds mentions in the files of one package. It is an [access.Source].
type Mentions struct {
	operands  map[token.Pos][]ast.Expr // by the position that go/ssa gives the instruction: its map operands
	receivers map[token.Pos]ast.Expr   // by the position of a call: what stands before the method's name
	made      map[made]string          // the variable that it is assigned to
	*access.Owners
}

// NewMentions returns the mentions in files, which are those of pkg.
func NewMentions(pkg *types.Package, files []*ast.File) *Mentions {
	x := &Mentions{Owners: access.NewOwners(pkg), operands: make(map[token.Pos][]ast.Expr), receivers: make(map[token.Pos]ast.Expr), made: make(map[made]string)}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.IndexExpr:
				x.operands[n.Lbrack] = []ast.Expr{n.X}
			case *ast.RangeStmt:
				x.operands[n.For] = []ast.Expr{n.X}
			case *ast.CallExpr:
				x.operands[n.Lparen] = n.Args
				if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
					x.receivers[n.Lparen] = sel.X
				}
			case *ast.AssignStmt:
				var ids []*ast.Ident
				for _, lhs := range n.Lhs {
					id, _ := lhs.(*ast.Ident)
					ids = append(ids, id)
				}
				x.name(ids, n.Rhs)
			case *ast.ValueSpec:
				x.name(n.Names, n.Values)
			}
			return true
		})
	}
	return x
}

// made is a map that a literal or a call at pos makes or returns, as result number index.
type made struct {
	pos   token.Pos
	index int
}

// name notes that vs are assigned to ids, of which those are nil that are no variables.
func (x *Mentions) name(ids []*ast.Ident, vs []ast.Expr) {
	if len(vs) == 0 {
		return
	}
	for i, id := range ids {
		v, index := vs[0], i
		if len(vs) == len(ids) {
			v, index = vs[i], 0
		}
		if id == nil || id.Name == "_" {
			continue
		}
		switch v := ast.Unparen(v).(type) {
		case *ast.CompositeLit:
			x.made[made{v.Lbrace, index}] = id.Name
		case *ast.CallExpr:
			x.made[made{v.Lparen, index}] = id.Name
		}
	}
}

// Naming returns the name of the variable that a map is assigned to, or "": one that is made at pos, or
// result number index of a call there.
func (x *Mentions) Naming(pos token.Pos, index int) string { return x.made[made{pos, index}] }

// Operand returns the position of the identifier that names the map in the first operand of the
// instruction at pos, or pos itself when source does not show it.
func (x *Mentions) Operand(pos token.Pos) token.Pos { return x.mention(pos, 0) }

// mention returns the position of the identifier that names the map in operand number arg of the
// instruction at pos, or pos itself when source does not show it.
func (x *Mentions) mention(pos token.Pos, arg int) token.Pos {
	if ops := x.operands[pos]; arg < len(ops) {
		return identPos(ops[arg])
	}
	return pos
}

// Argument returns the position of the identifier that names argument number i of call, whose
// receiver is number 0 if it is a method's.
func (x *Mentions) Argument(pos token.Pos, call *ssa.CallCommon, i int) token.Pos {
	if call.Signature().Recv() != nil && !call.IsInvoke() {
		if i == 0 {
			if recv := x.receivers[pos]; recv != nil {
				return identPos(recv)
			}
			return pos
		}
		i--
	}
	return x.mention(pos, i)
}

// identPos returns the position of the identifier that names what e denotes.
func identPos(e ast.Expr) token.Pos {
	switch e := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		return e.Sel.Pos()
	case *ast.IndexExpr:
		return identPos(e.X)
	case *ast.StarExpr:
		return identPos(e.X)
	case *ast.UnaryExpr:
		return identPos(e.X)
	case *ast.CallExpr:
		if len(e.Args) == 1 { // a conversion
			return identPos(e.Args[0])
		}
	}
	return e.Pos()
}
