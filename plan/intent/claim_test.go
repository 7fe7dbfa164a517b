package intent

import "testing"

func TestProse(t *testing.T) {
	for _, test := range []struct {
		text          string
		safe, missing bool
		when          bool
	}{
		{text: "Set is a set. It is safe for concurrent use.", safe: true},
		{text: "A Set is safe for use by multiple goroutines\nsimultaneously.", safe: true},
		{text: "Goroutine-safe cache", safe: true},
		{text: "its methods may be called concurrently", safe: true},
		{text: "Set is not safe for concurrent use.", when: true},
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
		{text: "Set must be called before Start.", when: true},
		{text: "Set sets.  It does not block and must not be called until after Send.", when: true},
		{text: "This should not be called in parallel to other data writes.", when: true},
		{text: "NOTE: this function must only be called during initialization time (i.e. in\nan init() function), and is not thread-safe.", when: true},
		{text: "Set may not be called by multiple goroutines.", when: true},
		{text: "Set can only be called before Start", when: true},
		{text: "Set may be called before Start."},
		{text: "Set must be called with a name."},
		{text: "Set needs to be called at least once after New."},
		{text: "The handler must be called before Start."},
		{text: "Set calls what must be done before Start."},
	} {
		if s := saysWhen(test.text, "Set"); (s != "") != test.when {
			t.Errorf("%q: said when to call: %q", test.text, s)
		}
		if s := saysSafe(test.text, "Set"); (s != "") != test.safe {
			t.Errorf("%q: said to be safe: %q", test.text, s)
		}
		if s := saysMissing(test.text); (s != "") != test.missing {
			t.Errorf("%q: said to lack a lock: %q", test.text, s)
		}
	}
}
