package mvcc

import (
	"slices"
	"testing"
)

func TestIndex(t *testing.T) {
	ix := NewIndex()
	ix.Put("a", 1)
	ix.Put("b", 2)
	if got, want := ix.Put("a", 3), (Item{Created: 1, Modified: 3, Version: 2}); got != want {
		t.Errorf("Put: %v, want %v", got, want)
	}
	if got := ix.Since(1); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("Since(1): %v", got)
	}
	if got := ix.Since(2); !slices.Equal(got, []string{"a"}) {
		t.Errorf("Since(2): %v", got)
	}
	if !ix.Tombstone("b") || ix.Tombstone("b") {
		t.Error("a key can be deleted once")
	}
}

func TestRestore(t *testing.T) {
	ix := NewIndex()
	ix.Put("a", 5)
	ix.Restore("a", Item{Created: 1, Modified: 4, Version: 4})
	ix.Restore("b", Item{Created: 1, Modified: 4, Version: 4})
	if item, _ := ix.Get("a"); item.Modified != 5 {
		t.Errorf("an older item took the place of a newer one: %v", item)
	}
	if item, _ := ix.Get("b"); item.Version != 4 {
		t.Errorf("restored: %v", item)
	}
}
