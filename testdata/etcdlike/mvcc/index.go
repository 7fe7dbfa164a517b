// Package mvcc maps keys to the revisions at which they were written.
package mvcc

import (
	"slices"
	"sync"
)

// A Revision numbers a change of the key space. Later changes have larger revisions.
type Revision int64

// An Item is what the index knows of one key.
type Item struct {
	Created  Revision // the first write since the key was last deleted
	Modified Revision // the last write
	Version  int64    // how many writes there were since Created
}

// An Index finds the current item of every key. It is safe for concurrent use.
type Index struct {
	mu    sync.RWMutex
	items map[string]Item
}

// NewIndex returns an empty index.
func NewIndex() *Index {
	return &Index{items: make(map[string]Item)}
}

// Put records that key was written at rev and returns its new item.
func (ix *Index) Put(key string, rev Revision) Item {
	ix.mu.Lock()
	defer ix.mu.Unlock()

	item, ok := ix.items[key]
	if !ok {
		item.Created = rev
	}
	item.Modified = rev
	item.Version++
	ix.items[key] = item
	return item
}

// Get returns the item of key.
func (ix *Index) Get(key string) (Item, bool) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()

	item, ok := ix.items[key]
	return item, ok
}

// Tombstone forgets key and reports whether it was there.
func (ix *Index) Tombstone(key string) bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()

	_, ok := ix.items[key]
	delete(ix.items, key)
	return ok
}

// Restore records an item read back from a snapshot, unless the index already has a newer one.
func (ix *Index) Restore(key string, item Item) {
	if ix.items[key].Modified < item.Modified {
		ix.items[key] = item
	}
}

// Since returns the keys written after rev, sorted.
func (ix *Index) Since(rev Revision) []string {
	ix.mu.RLock()
	defer ix.mu.RUnlock()

	var keys []string
	for key, item := range ix.items {
		if item.Modified > rev {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
