package region

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"sort"

	"mapmend/plan/access"
)

// This file chooses the sections.

// Func is the function body in which sections are to stand.
type Func struct {
	Body    *ast.BlockStmt
	Loop    bool // the body of a loop over a function: a defer in it would wait for the end of the function around it
	File    *ast.File
	Package []*ast.File // all files of the package
	NilRoot bool        // the variable that leads to the lock may be nil when the function is called
	Types   *types.Package
	Info    *types.Info
	Fset    *token.FileSet

	Declared []Declared // by sections that are placed already, in this function or around it
}

// Use is one place in the body that must hold the lock.
type Use struct {
	Pos      token.Pos // of the identifier that mentions the map, or of a call that leads to uses
	Writes   bool
	MayBeNil bool // the map may be nil there
}

// Effects answers what the planner must know about calls.
type Effects interface {
	// Hazard returns why callee may not be called while the lock is held, as a refusal code and a
	// sentence; empty when it may.
	Hazard(callee *types.Func) (code, why string)
	// Iterates returns why the iterator that callee returns may not be run while the lock is held.
	Iterates(callee *types.Func) (code, why string)
	// Total reports whether callee never panics.
	Total(callee *types.Func) bool
	// Assigns reports whether callee, or what it calls, assigns one of vars.
	Assigns(callee *types.Func, vars []access.Var) bool
	// Copies returns the name for a copy of the map that loop ranges over and, if that sees other entries than the
	// loop does now or cannot be made, false.
	Copies(loop *ast.RangeStmt) (name string, ok bool)
	// Locked reports whether a section of another lock is to stand between from and to.
	Locked(from, to token.Pos) bool
	// Opposed returns where a section of another lock that is placed already begins between from and to, and why that lock may
	// not be taken while this one is held; empty when there is none.
	Opposed(from, to token.Pos) (pos token.Pos, why string)
	// Spins returns a place between from and to in a loop that may wait for another goroutine by looking again and again.
	Spins(from, to token.Pos) token.Pos
}

// Section is a run of whole statements of one statement list, or what is taken out of the head of one statement.
type Section struct {
	First, Last ast.Stmt
	Defer       bool
	Writes      bool
	Parted      bool       // it stores under a key that a section before looks up
	Swept       bool       // it deletes under a key that a range in a section before gave
	Exits       []ast.Stmt // by which control leaves it: each is to give the lock back first
	Closure     bool       // it is to be a function literal, called on the spot, that gives the lock back by defer
	Hoists      []Hoist    // what of First is to stand in front of it, in order; none when all of First to Last is in the section
	Block       bool       // that and First are to become a block

	list []ast.Stmt // in which First is to be preceded by what Hoists declare
}

// Pos returns where what is in the section begins.
func (s Section) Pos() token.Pos {
	if len(s.Hoists) > 0 {
		return s.Hoists[0].Node.Pos()
	}
	return s.First.Pos()
}

// End returns where what is in the section ends, but for what a deferred one takes in.
func (s Section) End() token.Pos {
	if len(s.Hoists) > 0 {
		return s.Hoists[len(s.Hoists)-1].Node.End()
	}
	return s.Last.End()
}

// Obstacle is why no section covers a use.
type Obstacle struct {
	Code    string // a refusal code of package plan
	Pos     token.Pos
	Message string
	Todo    string
}

// Refusal codes that this package gives.
const (
	CallInRegion     = "call-in-region"
	BlockInRegion    = "block-in-region"
	SplitRegion      = "split-region"
	NotBracketable   = "not-bracketable"
	OwnerUnreachable = "owner-unreachable"
	LockOrder        = "lock-order"
)

// Lock is the lock that a section is to hold.
type Lock struct {
	Expr ast.Expr // made of identifiers and selectors
	New  bool     // a package variable that is about to be declared
}

// Cover returns sections that hold lock at every use. The sections do not overlap and are in source
// order.
func Cover(fn Func, uses []Use, lock Lock, effects Effects) ([]Section, *Obstacle) {
	uses = slices.Clone(uses)
	slices.SortFunc(uses, func(a, b Use) int { return cmp.Compare(a.Pos, b.Pos) })
	p := &planner{fn: fn, lock: lock, effects: effects, uses: uses, declared: slices.Clone(fn.Declared), tolerant: make(map[types.Object]bool)}
	var out []Section
	for i := 0; i < len(uses); {
		section, obstacle := p.fit(uses[i : i+1])
		if obstacle != nil {
			return nil, obstacle
		}
		j, step := i+1, 1 // the section covers uses[i:j]; Inv: few are tried, since each try looks at all statements between
		for growing := true; j < len(uses) && step > 0; {
			wider, obstacle := p.fit(uses[i:min(j+step, len(uses))])
			switch {
			case obstacle == nil:
				section, j = wider, min(j+step, len(uses))
				if growing {
					step *= 2
				}
			case step > 1:
				growing = false
				step /= 2
			case p.contains(section, uses[j]) && p.sameOwner(uses[i].Pos, uses[j].Pos):
				j++
			case p.contains(section, uses[j]) || p.dependsOnEarlier(uses, j):
				return nil, obstacle
			default:
				step = 0
			}
		}
		reads := slices.ContainsFunc(uses[:i], func(u Use) bool { return !u.Writes })
		section.Parted = reads && slices.ContainsFunc(uses[i:j], func(u Use) bool { return u.Writes && !p.sweeps(u, nil) })
		section.Swept = reads && slices.ContainsFunc(uses[i:j], func(u Use) bool { return p.sweeps(u, nil) })
		out = append(out, section)
		p.declared = append(p.declared, section.Declares()...)
		i = j
	}
	return p.disjoint(out)
}

// CoverBody returns why the whole body of fn may not run with lock held from before its first statement, or nil when it
// may.
func CoverBody(fn Func, uses []Use, lock Lock, effects Effects) *Obstacle {
	p := &planner{fn: fn, lock: lock, effects: effects, uses: uses, tolerant: make(map[types.Object]bool)}
	list := fn.Body.List
	if len(list) == 0 {
		return &Obstacle{NotBracketable, fn.Body.Pos(), "the body is empty", "guard the uses by hand"}
	}
	if _, obstacle := p.reach(list, 0, len(list)-1, uses); obstacle != nil {
		return obstacle
	}
	return p.hazard(list)
}

type planner struct {
	fn      Func
	lock    Lock
	effects Effects
	uses    []Use // all of them, in source order

	left     []ast.Stmt            // see exits: what is done behind the section
	declared []Declared            // by sections that are placed already
	tolerant map[types.Object]bool // see toleratesNil
	read     map[types.Object]bool // what may have what was read from the map: see fills
	called   map[types.Object]bool // what may have what a call gave
	ranged   map[types.Object]bool // what may have a key that a range over the map gave: see sweeps
	stores   map[token.Pos]mapStore
	keys     map[token.Pos]string // of the entries that are named, as text
	paths    map[string][]int     // see mapPath
	jumps    *bool                // see hasGoto
}

func (p *planner) contains(s Section, u Use) bool {
	return s.Pos() <= u.Pos && u.Pos < s.end(p.fn)
}

func (s Section) end(fn Func) token.Pos {
	if s.Defer {
		return fn.Body.End()
	}
	return s.End()
}

// disjoint returns an obstacle when sections overlap, which the search above does not produce unless
// a deferred section was followed by another.
func (p *planner) disjoint(sections []Section) ([]Section, *Obstacle) {
	for i := 1; i < len(sections); i++ {
		if sections[i].Pos() < sections[i-1].end(p.fn) {
			return nil, &Obstacle{SplitRegion, sections[i].First.Pos(), "the uses need two sections that overlap", "hold the guard around all of them by hand"}
		}
	}
	return sections, nil
}

// fit returns the smallest section that covers uses. Where control leaves it, or may leave it by a panic, and nothing can be taken out, that is the rest
// of the body, with a deferred unlock, even if the uses stand in a block:
//
//	if strings.HasPrefix(k, "!") {
//		if _, ok := s.m[k[1:]]; ok {
//			return true
//		}
//	}
func (p *planner) fit(uses []Use) (Section, *Obstacle) {
	s, obstacle := p.narrow(uses)
	if obstacle == nil || obstacle.Code != NotBracketable {
		return s, obstacle
	}
	if wide, ok := p.toTheEnd(uses); ok {
		return wide, nil
	}
	return s, obstacle
}

// toTheEnd returns the section from the first statement of the body that has one of uses to the end of it.
func (p *planner) toTheEnd(uses []Use) (s Section, ok bool) {
	list := p.fn.Body.List
	i, j := span(list, uses)
	if i < 0 || p.fn.Loop {
		return Section{}, false
	}
	i, obstacle := p.reach(list, i, j, uses)
	if cmp.Or(obstacle, p.hazard(list[i:]), p.crossed(list[i].Pos())) != nil || p.usesOther(list[i:]) {
		return Section{}, false
	}
	return Section{First: list[i], Last: list[len(list)-1], Defer: true, Writes: slices.ContainsFunc(uses, func(u Use) bool { return u.Writes })}, true
}

// usesOther reports whether list uses a map other than that of the uses which others may have: the lock would seem to be meant for it, too.
func (p *planner) usesOther(list []ast.Stmt) (other bool) {
	for _, s := range list {
		ast.Inspect(s, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return !other
			}
			v, ok := p.fn.Info.Uses[id].(*types.Var)
			if ok && isMapType(v.Type()) && (v.IsField() || v.Parent() == v.Pkg().Scope()) {
				other = other || !slices.ContainsFunc(p.uses, func(u Use) bool { return u.Pos == id.Pos() })
			}
			return !other
		})
	}
	return other
}

// narrow is fit without the rest of the body.
func (p *planner) narrow(uses []Use) (Section, *Obstacle) {
	list, i, j, obstacle := p.stretch(uses)
	if obstacle != nil {
		return Section{}, obstacle
	}
	writes := slices.ContainsFunc(uses, func(u Use) bool { return u.Writes })
	i, obstacle = p.reach(list, i, j, uses)
	if obstacle != nil {
		return Section{}, obstacle
	}
	bracket := p.bracketHazard(list[i:j+1], uses)
	otherwise := func(o *Obstacle) (Section, *Obstacle) {
		var hoisted Section
		taken := false
		if i == j {
			if hoisted, taken = p.hoisted(list, list[i], uses); taken && !hoisted.Block {
				return hoisted, nil
			}
		}
		if exits := p.exits(list[i:j+1], uses); len(exits) > 0 {
			return Section{First: list[i], Last: list[j], Writes: writes, Exits: exits}, nil
		}
		if p.enclosed(list, i, j) {
			return Section{First: list[i], Last: list[j], Writes: writes, Closure: true}, nil
		}
		if taken {
			return hoisted, nil
		}
		if init := initOf(list[i]); i == j && init != nil && within(init, uses) {
			o = cmp.Or(p.redeclared([]ast.Stmt{init}), o)
		}
		return Section{}, o
	}
	if p.isBody(list) && !p.fn.Loop {
		deferred := cmp.Or(p.hazard(list[i:]), p.crossed(list[i].Pos()))
		if deferred == nil && (bracket != nil || len(list)-1-j <= maxTail && !p.effects.Locked(list[j].End(), p.fn.Body.End())) {
			return Section{First: list[i], Last: list[len(list)-1], Defer: true, Writes: writes}, nil
		}
		if deferred != nil && bracket != nil {
			if inside := p.hazard(list[i : j+1]); inside != nil {
				return otherwise(inside)
			}
			return otherwise(p.clearer(bracket, deferred))
		}
	}
	if bracket != nil {
		return otherwise(bracket)
	}
	return Section{First: list[i], Last: list[j], Writes: writes}, nil
}

// maxTail is how many statements after the last use a deferred section may take in when a bracket
// would do: a reviewer expects lock and deferred unlock, but not around half a function, nor around another section.
const maxTail = 3

// clearer returns which of the obstacles to a bracket and to a deferred section tells the user more.
func (p *planner) clearer(bracket, deferred *Obstacle) *Obstacle {
	if bracket.Code == NotBracketable {
		return deferred
	}
	return bracket
}

func (p *planner) isBody(list []ast.Stmt) bool {
	return len(list) > 0 && len(p.fn.Body.List) > 0 && list[0] == p.fn.Body.List[0] && len(list) == len(p.fn.Body.List)
}

// stretch returns the innermost statement list that has all uses, and the first and last statement
// of it that has one.
func (p *planner) stretch(uses []Use) (list []ast.Stmt, i, j int, obstacle *Obstacle) {
	list = p.fn.Body.List
	if i, j = span(list, uses); i < 0 {
		return nil, 0, 0, &Obstacle{NotBracketable, uses[0].Pos, "the use does not stand in a statement of the function", "move it there"}
	}
	for i == j {
		inner, ii, jj := innerList(list[i], uses)
		if inner == nil {
			break
		}
		list, i, j = inner, ii, jj
	}
	return list, i, j, nil
}

// span returns the first and last statement of list in which uses, sorted by place, stand, or -1 when one stands in none.
func span(list []ast.Stmt, uses []Use) (i, j int) {
	i, j = at(list, uses[0].Pos), at(list, uses[len(uses)-1].Pos)
	if i < 0 || j < 0 {
		return -1, -1
	}
	return i, j
}

// at returns the statement of list in which pos stands, or -1.
func at(list []ast.Stmt, pos token.Pos) int {
	i := sort.Search(len(list), func(i int) bool { return pos < list[i].End() })
	if i < len(list) && list[i].Pos() <= pos {
		return i
	}
	return -1
}

// innerList returns the statement list inside stmt that has all uses, if there is one. The bodies of
// function literals are another function's.
func innerList(stmt ast.Stmt, uses []Use) (list []ast.Stmt, i, j int) {
	ast.Inspect(stmt, func(n ast.Node) bool {
		var l []ast.Stmt
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BlockStmt:
			l = n.List
		case *ast.CaseClause:
			l = n.Body
		case *ast.CommClause:
			l = n.Body
		default:
			return list == nil
		}
		if list == nil {
			if a, b := span(l, uses); a >= 0 && !isClauses(l) {
				list, i, j = l, a, b
			}
		}
		return list == nil
	})
	return list, i, j
}

// isClauses reports whether list is the body of a switch or select.
func isClauses(list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	switch list[0].(type) {
	case *ast.CaseClause, *ast.CommClause:
		return true
	}
	return false
}

// reach moves the start of the stretch to where the lock can be named and is not nil: every variable
// in it is declared before and not assigned within.
func (p *planner) reach(list []ast.Stmt, i, j int, uses []Use) (int, *Obstacle) {
	if p.lock.New {
		return i, nil
	}
	root := rootIdent(p.lock.Expr)
	if root == nil {
		return i, &Obstacle{OwnerUnreachable, list[i].Pos(), "the owner is not named by a variable there", "assign the owner to a variable first"}
	}
	obj := p.object(root, list[i].Pos())
	if obj == nil {
		return i, &Obstacle{OwnerUnreachable, list[i].Pos(), "the owner " + root.Name + " is declared by the statement that uses it", "declare it in a statement of its own"}
	}
	for _, u := range uses {
		if p.object(root, u.Pos) != obj {
			return i, &Obstacle{OwnerUnreachable, u.Pos, root.Name + " is another variable here than before", "use another name for it"}
		}
	}
	path := p.pathVars(root, obj)
	for k := i; k < len(list); k++ {
		if k > j && !p.isBody(list) {
			break
		}
		if pos := p.changesPath(list[k], path); pos.IsValid() {
			return i, &Obstacle{OwnerUnreachable, pos, "the owner changes between the uses", "use one variable for each owner"}
		}
		if pos := assigns(list[k], obj, p.fn.Info); pos.IsValid() {
			return i, &Obstacle{OwnerUnreachable, pos, "the owner " + root.Name + " changes between the uses", "use one variable for each owner"}
		}
	}
	pointers := p.derefs(root, obj)
	if !p.isLock(obj) && p.toleratesNil(obj) {
		pointers = append(pointers, root.Name)
	}
	for _, d := range pointers {
		if !p.isSafe(d, obj, list[:i], list[i]) {
			return i, &Obstacle{NotBracketable, list[i].Pos(), d + " may be nil where the section would begin", "check for nil in a statement before the use"}
		}
	}
	return i, nil
}

// object returns the variable that name denotes at pos, or nil when it is declared later.
func (p *planner) object(name *ast.Ident, pos token.Pos) types.Object {
	scope := p.fn.Info.Scopes[p.fn.File]
	if scope == nil {
		return nil
	}
	inner := scope.Innermost(pos)
	if inner == nil {
		return nil
	}
	_, obj := inner.LookupParent(name.Name, pos)
	if _, ok := obj.(*types.Var); !ok {
		return nil
	}
	return obj
}

func rootIdent(e ast.Expr) *ast.Ident {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return rootIdent(e.X)
	case *ast.StarExpr:
		return rootIdent(e.X)
	}
	return nil
}

// assigns returns where stmt assigns obj, or takes its address.
func assigns(stmt ast.Stmt, obj types.Object, info *types.Info) (pos token.Pos) {
	is := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && info.Uses[id] == obj
	}
	ast.Inspect(stmt, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if slices.ContainsFunc(n.Lhs, is) {
				pos = n.Pos()
			}
		case *ast.IncDecStmt:
			if is(n.X) {
				pos = n.Pos()
			}
		case *ast.RangeStmt:
			if n.Key != nil && is(n.Key) || n.Value != nil && is(n.Value) {
				pos = n.Pos()
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND && is(n.X) {
				if _, ptr := obj.Type().Underlying().(*types.Pointer); ptr {
					pos = n.Pos()
				}
			}
		}
		return true
	})
	return pos
}
