package region

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// This file tells a store that depends on what was read before from one that fills a cache:
//
//	if u, ok := s.m[id]; ok {
//		return u
//	}
//	u := s.fetch(id) // what is not in a section with the two others
//	s.m[id] = u
//
// The store is the same whoever stored in between. Two goroutines may both fetch, as they may today, and the last one's stays. So it is
// with a deletion of what was found to be old:
//
//	for k, v := range s.m {
//		if v.old() {
//			old = append(old, k)
//		}
//	}
//	for _, k := range old {
//		delete(s.m, k)
//		s.log(k)
//	}
//
// What others stored under k in between goes with it, as it may today.

// dependsOnEarlier reports whether use j or one after it may write what a read before it gave, or read back what was written: the two
// must not be parted.
func (p *planner) dependsOnEarlier(uses []Use, j int) bool {
	if p.readsBack(uses, j) {
		return true
	}
	if !slices.ContainsFunc(uses[:j], func(u Use) bool { return !u.Writes }) {
		return false
	}
	return slices.ContainsFunc(uses[j:], func(u Use) bool { return u.Writes && !p.fills(u) && !p.sweeps(u, uses[:j]) })
}

// sweeps reports whether the use u deletes an entry whose key a range over the map gave, and which none of the uses before it reads by
// that key:
//
//	if v, ok := s.m[k]; ok {
//		s.log(k, v)
//		delete(s.m, k) // the last one who found it
func (p *planner) sweeps(u Use, before []Use) (is bool) {
	if p.ranged == nil {
		p.ranged = p.holding(p.isRangedKey())
	}
	ast.Inspect(p.fn.Body, func(n ast.Node) bool {
		if n == nil || u.Pos < n.Pos() || n.End() <= u.Pos {
			return false
		}
		call, ok := n.(*ast.CallExpr)
		if !ok || !p.fn.Info.Types[call.Fun].IsBuiltin() || types.ExprString(call.Fun) != "delete" || !p.isMapAt(call.Args[0], u.Pos) {
			return true
		}
		id, ok := ast.Unparen(call.Args[1]).(*ast.Ident)
		is = ok && p.ranged[p.fn.Info.Uses[id]] && !slices.ContainsFunc(before, func(b Use) bool { return p.keyAt(b.Pos) == id.Name })
		return true
	})
	return is
}

// keyAt returns what stands as the key of the element whose map is named at pos; empty if there is none.
func (p *planner) keyAt(pos token.Pos) string {
	if p.keys == nil {
		p.keys = make(map[token.Pos]string)
		ast.Inspect(p.fn.Body, func(n ast.Node) bool {
			if index, ok := n.(*ast.IndexExpr); ok {
				at := index.X.Pos()
				if sel, ok := index.X.(*ast.SelectorExpr); ok {
					at = sel.Sel.Pos()
				}
				if p.isMapAt(index.X, at) {
					p.keys[at] = types.ExprString(index.Index)
				}
			}
			return true
		})
	}
	return p.keys[pos]
}

// isRangedKey returns what tells a variable to which a range over the map gives the keys.
func (p *planner) isRangedKey() func(ast.Node) bool {
	keys := make(map[types.Object]bool)
	ast.Inspect(p.fn.Body, func(n ast.Node) bool {
		loop, ok := n.(*ast.RangeStmt)
		if !ok || !slices.ContainsFunc(p.uses, func(u Use) bool { return p.isMapAt(loop.X, u.Pos) }) {
			return true
		}
		if id, ok := loop.Key.(*ast.Ident); ok && loop.Tok == token.DEFINE {
			keys[p.fn.Info.Defs[id]] = true
		}
		return true
	})
	return func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		return ok && keys[p.fn.Info.Uses[id]]
	}
}

// readsBack reports whether use j or one after it reads the entry that one before writes, as far as the keys tell:
//
//	s.m["seq"]++
//	return s.use(s.m["seq"])
func (p *planner) readsBack(uses []Use, j int) bool {
	written := make(map[string]bool)
	for _, u := range uses[:j] {
		if key := p.keyAt(u.Pos); key != "" && u.Writes {
			written[key] = true
		}
	}
	return len(written) > 0 && slices.ContainsFunc(uses[j:], func(u Use) bool {
		return !u.Writes && written[p.keyAt(u.Pos)]
	})
}

// fills reports whether the use u stores what a call gave, under a key and as a value that were not read from the map. What is
// stored without a call is no result to keep: a mark, or a count that starts anew.
func (p *planner) fills(u Use) bool {
	store, ok := p.storeAt(u.Pos)
	if !ok {
		return false
	}
	if p.read == nil {
		p.read, p.called = p.holding(p.isUse), p.holding(p.isCall)
	}
	return !p.mentions(store.Lhs[0].(*ast.IndexExpr).Index, store) && !p.mentions(store.Rhs[0], store) && p.isOf(store.Rhs[0], p.called, p.isCall)
}

// isUse reports whether n is a use of the map.
func (p *planner) isUse(n ast.Node) bool {
	id, ok := n.(*ast.Ident)
	if !ok {
		return false
	}
	_, found := slices.BinarySearchFunc(p.uses, id.Pos(), func(u Use, pos token.Pos) int { return cmp.Compare(u.Pos, pos) })
	return found
}

// isCall reports whether n calls a function, other than a predeclared one.
func (p *planner) isCall(n ast.Node) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	tv := p.fn.Info.Types[call.Fun]
	return !tv.IsType() && !tv.IsBuiltin()
}

// A mapStore is a statement m[k] = v, with the list that it stands in.
type mapStore struct {
	*ast.AssignStmt
	list []ast.Stmt
}

// storeAt returns the store whose map is named at pos; there may be none.
func (p *planner) storeAt(pos token.Pos) (s mapStore, ok bool) {
	if p.stores == nil {
		p.stores = make(map[token.Pos]mapStore)
		ast.PreorderStack(p.fn.Body, nil, func(n ast.Node, stack []ast.Node) bool {
			a, ok := n.(*ast.AssignStmt)
			if !ok || a.Tok != token.ASSIGN || len(a.Lhs) != 1 || len(a.Rhs) != 1 || len(stack) == 0 {
				return true
			}
			index, ok := a.Lhs[0].(*ast.IndexExpr)
			if !ok {
				return true
			}
			at := index.X.Pos()
			if sel, ok := index.X.(*ast.SelectorExpr); ok {
				at = sel.Sel.Pos()
			}
			if p.isMapAt(index.X, at) {
				p.stores[at] = mapStore{a, ListOf(stack[len(stack)-1])}
			}
			return true
		})
	}
	s, ok = p.stores[pos]
	return s, ok
}

// ListOf returns the statement list that n itself has, or nil.
func ListOf(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
}

// holding returns the variables that may have, or have in them, something of what is seeks.
func (p *planner) holding(is func(ast.Node) bool) map[types.Object]bool {
	held := make(map[types.Object]bool)
	for grown := true; grown; {
		grown = false
		assign := func(to, from ast.Expr) {
			for index, ok := ast.Unparen(to).(*ast.IndexExpr); ok; index, ok = ast.Unparen(to).(*ast.IndexExpr) {
				to = index.X
			}
			id, ok := ast.Unparen(to).(*ast.Ident)
			if !ok || !p.isOf(from, held, is) {
				return
			}
			if obj := p.fn.Info.ObjectOf(id); obj != nil && !held[obj] {
				held[obj], grown = true, true
			}
		}
		ast.Inspect(p.fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					assign(to, n.Rhs[min(i, len(n.Rhs)-1)])
				}
			case *ast.ValueSpec:
				for i, to := range n.Names {
					if len(n.Values) > 0 {
						assign(to, n.Values[min(i, len(n.Values)-1)])
					}
				}
			case *ast.RangeStmt:
				for _, to := range []ast.Expr{n.Key, n.Value} {
					if to != nil {
						assign(to, n.X)
					}
				}
			}
			return true
		})
	}
	return held
}

// isOf reports whether something in e is what is seeks, or a variable of held.
func (p *planner) isOf(e ast.Node, held map[types.Object]bool, is func(ast.Node) bool) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			found = found || held[p.fn.Info.Uses[id]]
		}
		found = found || n != nil && is(n)
		return true
	})
	return found
}

// mentions reports whether e, in store, reads from the map or a variable that has what was read: one that a statement just before
// gave something else does not.
func (p *planner) mentions(e ast.Expr, store mapStore) (is bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		obj := p.fn.Info.Uses[id]
		is = is || p.isUse(id) || obj != nil && p.read[obj] && !p.givenAnew(obj, store)
		return true
	})
	return is
}

// givenAnew reports whether the last statement before store, in its list, that assigns obj gives it something that was not read.
func (p *planner) givenAnew(obj types.Object, store mapStore) bool {
	for i := slices.Index(store.list, ast.Stmt(store.AssignStmt)) - 1; i >= 0; i-- {
		if a, ok := store.list[i].(*ast.AssignStmt); ok {
			for _, to := range a.Lhs {
				if id, ok := to.(*ast.Ident); ok && p.fn.Info.ObjectOf(id) == obj {
					return (a.Tok == token.ASSIGN || a.Tok == token.DEFINE) && !slices.ContainsFunc(a.Rhs, func(e ast.Expr) bool { return p.isOf(e, p.read, p.isUse) })
				}
			}
		}
		if assigns(store.list[i], obj, p.fn.Info).IsValid() {
			return false
		}
	}
	return false
}
