package share

import (
	"testing"

	"mapmend/plan/mapuse"
)

// TestSomeOfEach: however many ways lead to the first use, the others are among the first classes too, each by its shortest
// way.
func TestSomeOfEach(t *testing.T) {
	reads, writes := new(mapuse.Use), new(mapuse.Use)
	of := func(u *mapuse.Use, depth int) []*Entry { return []*Entry{{Use: u, way: &step{depth: depth}}} }
	var classes [][]*Entry
	for depth := range maxClasses {
		classes = append(classes, of(reads, maxClasses-depth))
	}
	classes = append(classes, of(writes, 9), of(writes, 1))
	got := someOfEach(classes)
	if len(got) != len(classes) {
		t.Fatalf("%d classes, want %d", len(got), len(classes))
	}
	for i, want := range []struct {
		use   *mapuse.Use
		depth int
	}{{reads, 1}, {writes, 1}, {reads, 2}, {writes, 9}, {reads, 3}} {
		if e := got[i][0]; e.Use != want.use || e.way.depth != want.depth {
			t.Errorf("class %d is of depth %d, want %d", i, e.way.depth, want.depth)
		}
	}
}
