package lockset

import (
	"iter"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// This file follows control from block to block.

// Reaches reports whether control can come from from to to without passing through avoid, which may be nil.
func Reaches(from, to, avoid *ssa.BasicBlock) bool {
	for b := range blocksFrom(from, func(b *ssa.BasicBlock) bool { return b == avoid }) {
		if b == to && b != avoid {
			return true
		}
	}
	return false
}

// blocksFrom yields the blocks that control can come to from from, itself included, each once. Those that last holds for
// are yielded, and not passed through.
func blocksFrom(from *ssa.BasicBlock, last func(*ssa.BasicBlock) bool) iter.Seq[*ssa.BasicBlock] {
	return func(yield func(*ssa.BasicBlock) bool) {
		seen := make(map[*ssa.BasicBlock]bool)
		stack := []*ssa.BasicBlock{from}
		for len(stack) > 0 {
			b := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if seen[b] {
				continue
			}
			seen[b] = true
			if !yield(b) {
				return
			}
			if !last(b) {
				stack = append(stack, b.Succs...)
			}
		}
	}
}

// InLoop reports whether control can come from b back to b without passing through avoid, which may be nil. [loopsOf] tells
// the same of all blocks of a function.
func InLoop(b, avoid *ssa.BasicBlock) bool {
	if b == nil || b == avoid {
		return false
	}
	return slices.ContainsFunc(b.Succs, func(succ *ssa.BasicBlock) bool { return Reaches(succ, b, avoid) })
}
