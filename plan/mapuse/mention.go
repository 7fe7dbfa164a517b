package mapuse

import (
	"go/ast"
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// This file leads from an instruction's position to the expression in source that mentions the map.

// Mentions finds mentions in the files of one package.
type Mentions struct {
	operands  map[token.Pos][]ast.Expr // by the position that go/ssa gives the instruction: its map operands
	receivers map[token.Pos]ast.Expr   // by the position of a call: what stands before the method's name
	made      map[token.Pos]string     // by the position of a map's making: the variable it is assigned to
}

// NewMentions returns the mentions in files.
func NewMentions(files []*ast.File) *Mentions {
	x := &Mentions{operands: make(map[token.Pos][]ast.Expr), receivers: make(map[token.Pos]ast.Expr), made: make(map[token.Pos]string)}
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
				for i, lhs := range n.Lhs {
					if id, ok := lhs.(*ast.Ident); ok && len(n.Lhs) == len(n.Rhs) {
						x.name(n.Rhs[i], id)
					}
				}
			case *ast.ValueSpec:
				for i, v := range n.Values {
					if len(n.Names) == len(n.Values) {
						x.name(v, n.Names[i])
					}
				}
			}
			return true
		})
	}
	return x
}

func (x *Mentions) name(v ast.Expr, id *ast.Ident) {
	switch v := ast.Unparen(v).(type) {
	case *ast.CompositeLit:
		x.made[v.Lbrace] = id.Name
	case *ast.CallExpr:
		x.made[v.Lparen] = id.Name
	}
}

// Naming returns the name of the variable that the map made at pos is assigned to, or "".
func (x *Mentions) Naming(pos token.Pos) string { return x.made[pos] }

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
