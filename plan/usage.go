package plan

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"mapmend/plan/access"
	"mapmend/plan/mapuse"
	"mapmend/plan/model"
	"mapmend/plan/share"
)

// This file counts how the goroutines of a program use one variable, as far as source shows: what is done to it, how often that
// is beside the rest, for how long entries stay, how large it begins and how many of it there are.

// usage is how one variable is used once goroutines run. The counts are weights: only what they are to each other means something.
type usage struct {
	loads    int // of one entry
	changes  int // of one entry: stores and deletions
	removals int // of entries: deletions, and those of replaced
	replaced int // all entries at once: the variable is assigned, or cleared
	ranges   int
	lens     int

	callers   bool // some change of an entry is made as often as callers outside the program like
	busy      bool // many goroutines at a time use it in loops that wait for nothing, or it is hot
	instances instances
	hint      int64 // the largest size that it is made with; 0 when none is said

	hot string // what was measured that shows that it is hot; empty when nothing was
	by  string // who weighed
}

// A weigher returns how often a use happens beside the others of its variable; 0 is never. sourceWeight reads that off the
// source; see measure.go for those that were measured.
type weigher func(share.Judged) int

// usageOf returns how the variable of c is used.
func (d *decider) usageOf(c *candidate) usage {
	weigh, by := d.weigher(c)
	u := usage{instances: d.instancesOf(c), hint: d.hintOf(c), hot: d.measured.heat(c), by: by}
	u.busy = u.hot != ""
	for _, j := range c.verdict.Uses {
		n := weigh(j)
		switch j.Op {
		case mapuse.Index, mapuse.Read, mapuse.Alias:
			u.loads += n
		case mapuse.Store, mapuse.Write:
			u.changes += n
		case mapuse.Delete:
			u.changes += n
			u.removals += n
		case mapuse.Clear, mapuse.Replace:
			u.replaced += n
			u.removals += n
		case mapuse.Range:
			u.ranges += n
		case mapuse.Len:
			u.lens += n
		}
		changes := j.Op.Part() == mapuse.Entries && j.Op.Writes() && j.Op != mapuse.Clear
		u.callers = u.callers || n > 0 && changes && slices.ContainsFunc(j.Entries, fromOutside)
		u.busy = u.busy || slices.ContainsFunc(j.Entries, d.isBusy)
	}
	return u
}

// String tells what u was read as, for people.
func (u usage) String() string {
	var parts []string
	for _, p := range []struct {
		what string
		n    int
	}{{"loads", u.loads}, {"changes of an entry", u.changes}, {"removals", u.removals}, {"changes of all entries", u.replaced}, {"ranges", u.ranges}, {"lens", u.lens}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", p.what, p.n))
		}
	}
	if u.hint > 0 {
		parts = append(parts, fmt.Sprintf("made for %d entries", u.hint))
	}
	heat := "nothing shows that it is hot"
	switch {
	case u.hot != "":
		heat = u.hot
	case u.busy:
		heat = "many goroutines use it in loops"
	}
	return strings.Join(append(parts, u.instances.String(), heat), ", ") + "; " + u.by
}

// The weights. How many rounds a loop makes is not in the source: a compiler that chooses what to keep in registers takes
// ten, and so does this. What many goroutines run at a time, or whoever calls from outside the program, happens ten times as
// often as what the program does once. More than three tens say nothing more: they are guesses upon guesses.
const (
	perLoop   = 10
	perMany   = 10
	mostTimes = 1000
)

// sourceWeight is the weigher that reads the source: the way to the use that happens most often counts.
func (d *decider) sourceWeight(j share.Judged) int {
	most := 0
	for _, e := range j.Entries {
		if e.Root != share.Test {
			most = max(most, d.wayWeight(e))
		}
	}
	return most
}

func (d *decider) wayWeight(e *share.Entry) int {
	n := 1
	if e.Many || e.Root == share.Serving || fromOutside(e) {
		n = perMany
	}
	for _, at := range places(e) {
		for range d.loopsAround(at) {
			n *= perLoop
		}
	}
	return min(n, mostTimes)
}

// fromOutside reports whether callers outside the program lead to e, as often as they like.
func fromOutside(e *share.Entry) bool { return e.Root == share.Exported || e.Root == share.Interface }

// A wayPlace is one function on the way to a use, and where it calls the next one, or makes the use.
type wayPlace struct {
	key    string
	pos    token.Pos
	starts bool // it does not call, but start a goroutine
}

func places(e *share.Entry) []wayPlace {
	var out []wayPlace
	for _, f := range e.Frames() {
		if f.Edge != nil {
			out = append(out, wayPlace{f.Func, f.Edge.Pos, f.Edge.Start != ""})
		} else {
			out = append(out, wayPlace{key: f.Func, pos: e.Use.Pos})
		}
	}
	return out
}

// isBusy reports whether e is a use that each of many goroutines makes in a loop, in which it waits for nothing. A loop that
// takes jobs from a channel, or calls what is not known, is one in which the map may be the least of it.
func (d *decider) isBusy(e *share.Entry) bool {
	if !e.Many && e.Root != share.Serving || e.Root == share.Test {
		return false
	}
	busy := false
	for _, at := range places(e) {
		fn, _ := d.functionAt(at.key)
		switch {
		case at.starts:
			busy = false
		case slices.ContainsFunc(d.loopsAround(at), func(loop ast.Node) bool { return d.runsOn(fn, loop) }):
			busy = true
		}
	}
	return busy
}

// loopsAround returns the loops of the function that p stands in, within their bodies.
func (d *decider) loopsAround(p wayPlace) []ast.Node {
	fn, ok := d.functionAt(p.key)
	if !ok {
		return nil
	}
	var loops []ast.Node
	if loop, ok := fn.node.(*ast.RangeStmt); ok { // over a function: each round is a call
		loops = append(loops, loop)
	}
	ast.Inspect(fn.body, func(n ast.Node) bool {
		if n == nil || p.pos < n.Pos() || n.End() <= p.pos {
			return false
		}
		switch n := n.(type) {
		case *ast.RangeStmt:
			if n.Body.Pos() <= p.pos {
				loops = append(loops, n)
			}
		case *ast.ForStmt:
			if n.Init == nil || n.Init.End() <= p.pos {
				loops = append(loops, n)
			}
		}
		return true
	})
	return loops
}

// runsOn reports whether loop, in fn, waits for nothing and calls nothing that is not known.
func (d *decider) runsOn(fn function, loop ast.Node) bool {
	e := &effects{d: d, in: fn}
	if e.waits(loop) {
		return false
	}
	on := true
	ast.Inspect(loop, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt:
			on = false
		case *ast.CallExpr:
			on = on && d.isKnown(fn.pkg.Info, n)
		}
		return on
	})
	return on
}

// isKnown reports whether call is of a function that is known to wait for nothing.
func (d *decider) isKnown(info *types.Info, call *ast.CallExpr) bool {
	if tv := info.Types[call.Fun]; tv.IsType() || tv.IsBuiltin() {
		return true
	}
	callee, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok {
		return false
	}
	key := access.ObjectKey(callee)
	eff := d.world.Effects[key]
	return eff != nil && eff.Blocks == "" && eff.Unknown == "" || eff == nil && model.Pure(key)
}

// hintOf returns the largest constant size that the variable of c is made with, outside of tests: make(map[K]V, n).
func (d *decider) hintOf(c *candidate) (most int64) {
	if c.decl.object() == nil {
		return 0
	}
	w := &wrapping{d: d, c: c}
	w.findObjects()
	s := &setting{d: d, w: w}
	for _, pkg := range w.pkgs {
		note := func(e ast.Expr) {
			call, ok := ast.Unparen(e).(*ast.CallExpr)
			if !ok || len(call.Args) != 2 || !pkg.Info.Types[call.Fun].IsBuiltin() {
				return
			}
			if v := pkg.Info.Types[call.Args[1]].Value; v != nil {
				n, _ := constant.Int64Val(constant.ToInt(v))
				most = max(most, n)
			}
		}
		for _, file := range pkg.Files {
			if file.Test {
				continue
			}
			ast.Inspect(file.Syntax, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ValueSpec:
					for i, name := range n.Names {
						if v, ok := pkg.Info.Defs[name].(*types.Var); ok && w.objs[v] && i < len(n.Values) {
							note(n.Values[i])
						}
					}
				case *ast.KeyValueExpr:
					if s.isVariable(pkg.Info, n.Key) {
						note(n.Value)
					}
				case *ast.AssignStmt:
					for i, lhs := range n.Lhs {
						if len(n.Lhs) == len(n.Rhs) && s.isVariable(pkg.Info, lhs) {
							note(n.Rhs[i])
						}
					}
				}
				return true
			})
		}
	}
	return most
}
