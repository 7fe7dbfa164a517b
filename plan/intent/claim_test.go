package intent

import "testing"

func TestProse(t *testing.T) {
	for _, test := range []struct {
		text          string
		safe, missing bool
	}{
		{text: "Set is a set. It is safe for concurrent use.", safe: true},
		{text: "A Set is safe for use by multiple goroutines\nsimultaneously.", safe: true},
		{text: "Goroutine-safe cache", safe: true},
		{text: "its methods may be called concurrently", safe: true},
		{text: "Set is not safe for concurrent use."},
		{text: "Set isn't goroutine-safe."},
		{text: "Safe for concurrent use only if no writer runs."},
		{text: "The constraint may be called concurrently by several goroutines."},
		{text: "Writers of the log are safe for concurrent use."},
		{text: "Set is safe for concurrent use, provided that Put is not called."},
		{text: "The caller must make sure that it is safe for concurrent use."},
		{text: "Concurrent use of the word safe"},
		{text: "TODO(bob): protect this with a mutex", missing: true},
		{text: "FIXME: needs locking.", missing: true},
		{text: "XXX this is racy", missing: true},
		{text: "TODO: not goroutine safe", missing: true},
		{text: "protect this with a mutex"},
		{text: "TODO: remove the mutex, it is not needed"},
		{text: "TODO: do we need the lock here?"},
		{text: "TODO: reduce lock contention, should use a finer lock"},
		{text: "TODO: run these concurrently"},
		{text: "It takes the lock. TODO: sort"},
		{text: "TODO: use the lock file"},
	} {
		if s := saysSafe(test.text, "Set"); (s != "") != test.safe {
			t.Errorf("%q: said to be safe: %q", test.text, s)
		}
		if s := saysMissing(test.text); (s != "") != test.missing {
			t.Errorf("%q: said to lack a lock: %q", test.text, s)
		}
	}
}
