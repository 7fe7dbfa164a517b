// Package keyrange computes the half-open ranges of keys that requests work on.
package keyrange

import (
	"errors"
	"strings"
	"sync"
)

// A Range holds the keys k with Begin <= k < End. An empty End stands for no upper bound.
type Range struct {
	Begin, End string
}

// Contains reports whether key is in the range.
func (r Range) Contains(key string) bool {
	return key >= r.Begin && (r.End == "" || key < r.End)
}

// ErrPattern is returned for a pattern with a "*" anywhere but at the end.
var ErrPattern = errors.New("keyrange: * is allowed only at the end of a pattern")

// Requests name the same few patterns again and again, so parsed ones are kept.
var (
	cacheMu sync.Mutex
	cache   = make(map[string]Range)
)

// Parse returns the range a pattern stands for: one key, or with a "*" at its end all keys with that prefix.
func Parse(pattern string) (Range, error) {
	cacheMu.Lock()
	defer cacheMu.Unlock()

	r, ok := cache[pattern]
	if ok {
		return r, nil
	}

	prefix, isPrefix := strings.CutSuffix(pattern, "*")
	if strings.Contains(prefix, "*") {
		return Range{}, ErrPattern
	}
	if isPrefix {
		r = Range{Begin: prefix, End: successor(prefix)}
	} else {
		r = Range{Begin: pattern, End: pattern + "\x00"}
	}
	cache[pattern] = r
	return r, nil
}

// Forget drops a pattern that will not be asked for again.
func Forget(pattern string) {
	delete(cache, pattern)
}

// Cached returns how many parsed patterns are kept.
func Cached() int {
	return len(cache)
}

// successor returns the smallest key greater than every key with the prefix, "" if there is none.
func successor(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}
