package m

import (
	"iter"
	"testing"
)

// ranged returns the entries that ranging over x yields.
func ranged[K comparable, V any](x table[K, V]) map[K]V {
	m := make(map[K]V)
	for k, v := range x.(interface{ All() iter.Seq2[K, V] }).All() {
		m[k] = v
	}
	return m
}

// A loop may use the map that it ranges over, and end early.
func TestRange(t *testing.T) {
	for _, begin := range []map[string]int{nil, {"a": 1, "b": 2, "c": 3}} {
		for _, x := range strings(begin) {
			all := x.(interface{ All() iter.Seq2[string, int] }).All()
			n := 0
			for k, v := range all {
				x.Store(k, v+1)
				x.Delete(k)
				n++
			}
			if n != len(begin) || x.Len() != 0 {
				t.Errorf("%T: %d iterations, %d entries left", x, n, x.Len())
			}
			x.Store("a", 1)
			x.Store("b", 2)
			for range all {
				break
			}
			if x.Len() != 2 {
				t.Errorf("%T: %d entries after a loop that ends early", x, x.Len())
			}
		}
	}
}
