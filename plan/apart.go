package plan

import (
	"slices"

	"mapmend/plan/share"
)

// This file gives a map a mutex of its own where some uses hold a lock of something further out, which the others cannot
// name:
//
//	func (g *group) collect(p proc) {
//		g.mu.Lock()
//		g.metric.collect(p) // stores in metric.byPID
//		g.mu.Unlock()
//	}
//
//	func (m *metric) push() { // has no way to g
//		for _, v := range m.byPID {
//
// The lock further out stays where it is, and what was one section of it stays one. The new one is taken inside.

// mayStandApart reports whether a mutex beside the map may do where the guard does not, for a reason that is of this code: that guard is
// further out, nothing was said of a use that rests on it.
func (c *candidate) mayStandApart(code Code) bool {
	if !slices.Contains(notReached, code) || c.decl.owner == nil || c.guard.lock == nil || c.guard.lock.Relation != share.Up {
		return false
	}
	return !slices.ContainsFunc(c.verdict.Uses, func(j share.Judged) bool {
		return j.Escape != share.Stays || j.Divided || j.Copied || j.Escaped
	})
}

// notReached are the reasons against a guard that a mutex beside the map does not have: what uses the map reaches that.
var notReached = []Code{OwnerUnreachable, UnlockedCallers, UnknownGuard}

// apart returns c as if no use held a guard. Which of them may hold the one that some do is of no matter then.
func (c *candidate) apart() *candidate {
	again := &candidate{finding: c.finding, verdict: c.verdict, decl: c.decl, own: c.own, auto: c.auto, row: c.row, rows: c.rows, forms: c.forms, refusal: c.refusal}
	again.verdict.Guard, again.verdict.Unsettled = nil, nil
	return again
}
