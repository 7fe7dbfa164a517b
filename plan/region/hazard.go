package region

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file says what may not stand in a section.

// hazard returns what in stmts may not run while the lock is held.
func (p *planner) hazard(stmts []ast.Stmt) *Obstacle {
	var found *Obstacle
	if len(stmts) > 0 {
		if pos, why := p.effects.Opposed(stmts[0].Pos(), stmts[len(stmts)-1].End()); why != "" {
			return &Obstacle{LockOrder, pos, "the section would contain one of another lock: " + why, "guard one after the other by hand"}
		}
	}
	for _, s := range stmts {
		p.inspect(s, func(n ast.Node) {
			if found == nil {
				found = p.nodeHazard(n)
			}
		})
		if found != nil {
			return found
		}
	}
	return p.spins(stmts)
}

// inspect calls visit for each node that runs with stmt: the body of a literal that a go statement
// starts does not, that of any other literal may; nor do the ways out in front of which the lock is given back.
func (p *planner) inspect(stmt ast.Node, visit func(ast.Node)) {
	ast.Inspect(stmt, func(n ast.Node) bool {
		if left, ok := n.(ast.Stmt); n == nil || ok && slices.Contains(p.left, left) {
			return false
		}
		if g, ok := n.(*ast.GoStmt); ok {
			for _, arg := range g.Call.Args {
				p.inspect(arg, visit)
			}
			if _, lit := g.Call.Fun.(*ast.FuncLit); !lit {
				p.inspect(g.Call.Fun, visit)
			}
			return false
		}
		visit(n)
		return true
	})
}

func (p *planner) nodeHazard(n ast.Node) *Obstacle {
	block := func(pos token.Pos, what string) *Obstacle {
		return &Obstacle{BlockInRegion, pos, "the section would contain " + what, "move it out of the statements that use the map"}
	}
	switch n := n.(type) {
	case *ast.SendStmt:
		return block(n.Arrow, "a channel send")
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return block(n.OpPos, "a channel receive")
		}
	case *ast.SelectStmt:
		return block(n.Select, "a select")
	case *ast.ForStmt:
		if neverEnds(n) {
			return block(n.For, "a loop that never ends")
		}
		if p.waits(n) {
			return &Obstacle{BlockInRegion, n.For, "the section would contain a loop that waits until others change the map", "wait with a sync.Cond or a channel"}
		}
	case *ast.RangeStmt:
		switch t := p.fn.Info.TypeOf(n.X); t.Underlying().(type) {
		case *types.Chan:
			return block(n.For, "a range over a channel")
		case *types.Signature:
			return p.iteration(n)
		}
	case *ast.CallExpr:
		return p.callHazard(n)
	}
	return nil
}

func (p *planner) call(pos token.Pos, what string) *Obstacle {
	return &Obstacle{CallInRegion, pos, "the section would contain " + what, "move it out of the statements that use the map, or guard the uses by hand"}
}

// iteration returns why loop, a range over a function, may not run: nothing is known of the function, or what is known is
// against it.
func (p *planner) iteration(loop *ast.RangeStmt) *Obstacle {
	if call, ok := ast.Unparen(loop.X).(*ast.CallExpr); ok {
		if callee, ok := typeutil.Callee(p.fn.Info, call).(*types.Func); ok {
			code, why := p.effects.Iterates(callee)
			if code == "" {
				return nil
			}
			return &Obstacle{code, loop.For, "the section would contain " + why, "move the loop out of the statements that use the map, or guard the uses by hand"}
		}
	}
	return p.call(loop.For, "a range over a function")
}

func (p *planner) callHazard(call *ast.CallExpr) *Obstacle {
	if tv := p.fn.Info.Types[call.Fun]; tv.IsType() || tv.IsBuiltin() {
		return nil
	}
	if _, lit := ast.Unparen(call.Fun).(*ast.FuncLit); lit {
		return nil // its body is looked at
	}
	switch callee := typeutil.Callee(p.fn.Info, call).(type) {
	case *types.Func:
		if recv := callee.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
			if model.Sealed(access.ObjectKey(callee)) {
				return nil
			}
			return p.call(call.Pos(), "a call of the interface method "+callee.Name())
		}
		code, why := p.effects.Hazard(callee)
		if code == "" {
			return p.argumentHazard(call, callee)
		}
		return &Obstacle{code, call.Pos(), "the section would contain " + why, "move the call out of the statements that use the map, or guard the uses by hand"}
	case nil, *types.Var:
		return p.call(call.Pos(), "a call of a function value")
	}
	return p.call(call.Pos(), "a call that cannot be resolved")
}

// argumentHazard returns why callee, which itself may be called, may not be called with these
// arguments: it may call a function, or a method of a value, that it is given.
func (p *planner) argumentHazard(call *ast.CallExpr, callee *types.Func) *Obstacle {
	params := callee.Signature().Params()
	for i, arg := range call.Args {
		if params.Len() == 0 {
			break
		}
		param := params.At(min(i, params.Len()-1)).Type()
		if callee.Signature().Variadic() && i >= params.Len()-1 && !call.Ellipsis.IsValid() {
			param = param.(*types.Slice).Elem()
		}
		t := p.fn.Info.TypeOf(arg)
		switch u := param.Underlying().(type) {
		case *types.Signature:
			if _, lit := ast.Unparen(arg).(*ast.FuncLit); lit || p.fn.Info.Types[arg].IsNil() {
				continue // its body is looked at
			}
			if isIterator(u) && p.isHarmlessIterator(arg) {
				continue
			}
			return p.call(arg.Pos(), "a call of "+callee.Name()+", which calls the function it is given")
		case *types.Interface:
			if p.fn.Info.Types[arg].IsNil() || t == nil || !u.IsMethodSet() || access.IsPlain(t) {
				continue
			}
			return p.call(arg.Pos(), "a call of "+callee.Name()+", which may call methods of what it is given")
		case *types.Slice:
			if types.IsInterface(u.Elem()) {
				return p.call(arg.Pos(), "a call of "+callee.Name()+", which may call methods of what it is given")
			}
		}
	}
	return nil
}

// isIterator reports whether sig is that of iter.Seq or iter.Seq2.
func isIterator(sig *types.Signature) bool {
	if sig.Params().Len() != 1 || sig.Results().Len() != 0 {
		return false
	}
	yield, ok := sig.Params().At(0).Type().Underlying().(*types.Signature)
	return ok && yield.Results().Len() == 1 && types.Identical(yield.Results().At(0).Type(), types.Typ[types.Bool])
}

// isHarmlessIterator reports whether e is the call of a function of which is known that running the iterator it returns
// is no hazard: slices.Sorted(maps.Keys(s.m)).
func (p *planner) isHarmlessIterator(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	callee, ok := typeutil.Callee(p.fn.Info, call).(*types.Func)
	if !ok {
		return false
	}
	code, _ := p.effects.Iterates(callee)
	return code == ""
}

// bracketHazard returns what in stmts rules out a lock before them and an unlock after them: a
// hazard, a way out, or a panic that would leave the lock held.
func (p *planner) bracketHazard(stmts []ast.Stmt, uses []Use) *Obstacle {
	if o := p.hazard(stmts); o != nil {
		return o
	}
	if pos := leaves(stmts); pos.IsValid() {
		return &Obstacle{NotBracketable, pos, "control leaves the section before its end", "put the use in a statement of its own"}
	}
	return p.keepsLock(stmts, uses)
}

// keepsLock returns what in stmts would keep the lock that an unlock behind them gives back, ways out aside.
func (p *planner) keepsLock(stmts []ast.Stmt, uses []Use) *Obstacle {
	no := func(pos token.Pos, what string) *Obstacle {
		return &Obstacle{NotBracketable, pos, what, "put the use in a statement of its own"}
	}
	if o := p.redeclared(stmts); o != nil {
		return o
	}
	var found *Obstacle
	for _, s := range stmts {
		p.inspect(s, func(n ast.Node) {
			if found != nil {
				return
			}
			switch n := n.(type) {
			case *ast.DeferStmt:
				found = no(n.Pos(), "a deferred call in the section runs after its end")
			case *ast.LabeledStmt:
				if p.isTarget(n.Label.Name) {
					found = no(n.Pos(), "the section would contain a label that a goto leads to")
				}
			}
			if pos, why := p.panics(n, uses); why != "" && found == nil {
				found = no(pos, why)
			}
		})
	}
	return found
}

// leaves returns where control leaves stmts other than at their end.
func leaves(stmts []ast.Stmt) token.Pos {
	if found := exitsOf(stmts); len(found) > 0 {
		return found[0].Pos()
	}
	return token.NoPos
}

// Leaves reports whether control may leave stmts, a run of a statement list, other than at their end, panics aside.
func Leaves(stmts []ast.Stmt) bool { return leaves(stmts).IsValid() }

// exitsOf returns the statements by which control leaves stmts other than at their end.
func exitsOf(stmts []ast.Stmt) []ast.Stmt {
	w := &exits{labels: labelsIn(stmts)}
	for _, s := range stmts {
		w.walk(s, false, false)
	}
	return w.found
}

type exits struct {
	labels []string
	found  []ast.Stmt
}

// walk looks for exits in n. Whether a plain break or continue is one depends on what n stands in.
func (w *exits) walk(n ast.Node, breaks, continues bool) {
	switch n := n.(type) {
	case *ast.FuncLit:
		return
	case *ast.ReturnStmt:
		w.found = append(w.found, n)
	case *ast.BranchStmt:
		if w.isExit(n, breaks, continues) {
			w.found = append(w.found, n)
		}
	case *ast.ForStmt, *ast.RangeStmt:
		breaks, continues = true, true
	case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
		breaks = true
	}
	ast.Inspect(n, func(m ast.Node) bool {
		if m == n {
			return true
		}
		if m != nil {
			w.walk(m, breaks, continues)
		}
		return false
	})
}

func (w *exits) isExit(b *ast.BranchStmt, breaks, continues bool) bool {
	switch {
	case b.Tok == token.GOTO:
		return true
	case b.Label != nil:
		return !slices.Contains(w.labels, b.Label.Name)
	case b.Tok == token.CONTINUE:
		return !continues
	}
	return !breaks
}

func labelsIn(stmts []ast.Stmt) []string {
	var out []string
	for _, s := range stmts {
		ast.Inspect(s, func(n ast.Node) bool {
			if l, ok := n.(*ast.LabeledStmt); ok {
				out = append(out, l.Label.Name)
			}
			return true
		})
	}
	return out
}
