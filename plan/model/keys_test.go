package model

import (
	"slices"
	"strings"
	"testing"
)

// TestKeys checks that the names of the tables are keys: behind the path come a name, or a type and a method. A dot in the last element of a
// path is %2e.
func TestKeys(t *testing.T) {
	var all []string
	add := func(key string) { all = append(all, key) }
	for key := range starts {
		add(key)
	}
	for key := range funcTypes {
		add(key)
	}
	for key := range concurrent {
		add(key)
	}
	for key := range funcFields {
		add(strings.TrimSuffix(key, key[strings.LastIndexByte(key, '.'):])) // of the struct
	}
	for key := range requests {
		add(key)
	}
	for key := range receivers {
		add(key)
	}
	for _, table := range []map[string]bool{synchronous, serves, opaque, neverNil, publishers, readers, comparers, lookers, fieldCounters} {
		for key := range table {
			add(key)
		}
	}
	if len(all) < 100 {
		t.Fatalf("only %d keys", len(all))
	}
	slices.Sort(all)
	for _, key := range all {
		parts := strings.Split(key[strings.LastIndexByte(key, '/')+1:], ".")
		if len(parts) > 3 || len(parts) == 3 && !isUpper(parts[1]) {
			t.Errorf("%s has a path with a dot in its last element", key)
		}
	}
}

func isUpper(name string) bool { return name[:1] == strings.ToUpper(name[:1]) }
