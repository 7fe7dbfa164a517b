package lockset

import (
	"slices"

	"golang.org/x/tools/go/ssa"
)

// This file finds what lies on cycles: functions that call each other, blocks of a loop.

// components groups nodes into strongly connected components, each after those that next leads to
// (Tarjan, "Depth-first search and linear graph algorithms", 1972). next leads to no other nodes.
func components[T comparable](nodes []T, next func(T) []T) [][]T {
	var (
		index = make(map[T]int)
		low   = make(map[T]int)
		on    = make(map[T]bool)
		stack []T
		out   [][]T
		visit func(n T)
	)
	visit = func(n T) {
		index[n] = len(index) + 1
		low[n] = index[n]
		first := len(stack)
		stack = append(stack, n)
		on[n] = true
		for _, m := range next(n) {
			if index[m] == 0 {
				visit(m)
				low[n] = min(low[n], low[m])
			} else if on[m] {
				low[n] = min(low[n], index[m])
			}
		}
		if low[n] == index[n] {
			scc := append([]T(nil), stack[first:]...)
			stack = stack[:first]
			for _, m := range scc {
				on[m] = false
			}
			out = append(out, scc)
		}
	}
	for _, n := range nodes {
		if index[n] == 0 {
			visit(n)
		}
	}
	return out
}

// loopsOf returns, by index, whether each block of fn can come to itself again. [InLoop] tells the same of one block, and
// looks at all of them each time.
func loopsOf(fn *ssa.Function) []bool {
	loops := make([]bool, len(fn.Blocks))
	for _, scc := range components(fn.Blocks, func(b *ssa.BasicBlock) []*ssa.BasicBlock { return b.Succs }) {
		for _, b := range scc {
			loops[b.Index] = len(scc) > 1 || slices.Contains(b.Succs, b)
		}
	}
	return loops
}
