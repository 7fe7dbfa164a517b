package rewrite

import (
	"strings"
	"testing"

	"mapmend/plan"
)

const twinSource = head + `// get gets.
func (s *S) get(k string, more ...int) (n int, ok bool) { // as a pair
	n, ok = s.m[k]
	return n, ok /* as it is */
}

func (s *S) first(more ...string) { _ = more }

func two[T any, K ~string](s *S, k K) (n T) { return n }

func (s *S) set(k string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _ := s.get(k)
	s.m[k] = n + 1
}
`

// spanIn returns the place of text, which is in src once.
func spanIn(t *testing.T, src, text string) plan.Span {
	t.Helper()
	if strings.Count(src, text) != 1 {
		t.Fatalf("%q is there %d times", text, strings.Count(src, text))
	}
	at := strings.Index(src, text)
	return plan.Span{File: "p.go", Start: at, End: at + len(text)}
}

// function returns the place of the function of src that begins with text.
func function(t *testing.T, src, text string) plan.Span {
	t.Helper()
	s := spanIn(t, src, text)
	s.End = s.Start + strings.Index(src[s.Start:], "\n}\n") + 2
	if line := strings.Index(src[s.Start:], "\n"); strings.HasSuffix(src[s.Start:s.Start+line], "}") {
		s.End = s.Start + line
	}
	return s
}

func twinMend(twins ...plan.Twin) plan.Mend {
	return plan.Mend{Var: plan.Var{Package: "example.com/p", Owner: "S", Field: "m"}, Form: plan.Lock, Class: plan.Var{Package: "example.com/p", Owner: "S", Field: "mu"}, Twins: twins}
}

func TestTwin(t *testing.T) {
	call := spanIn(t, twinSource, "get(k)\n")
	call.End = call.Start + len("get")
	get := plan.Twin{Span: function(t, twinSource, "func (s *S) get("), Name: "getLocked", Lock: "s.mu", Read: true, Calls: []plan.Span{call}}
	first := plan.Twin{Span: function(t, twinSource, "func (s *S) first("), Name: "firstLocked", Lock: "s.mu"}
	two := plan.Twin{Span: function(t, twinSource, "func two["), Name: "twoLocked", Lock: "s.mu"}
	want := strings.NewReplacer(
		"(n int, ok bool) {", `(n int, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.getLocked(k, more...)
}

// getLocked is get for callers that hold mu.
func (s *S) getLocked(k string, more ...int) (n int, ok bool) {`,
		"first(more ...string) {", `first(more ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.firstLocked(more...)
}

// firstLocked is first for callers that hold mu.
func (s *S) firstLocked(more ...string) {`,
		"(n T) {", `(n T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return twoLocked[T, K](s, k)
}

// twoLocked is two for callers that hold mu.
func twoLocked[T any, K ~string](s *S, k K) (n T) {`,
		"s.get(k)\n", "s.getLocked(k)\n",
	).Replace(twinSource)
	got, refused := rewriteOne(t, twinSource, twinMend(get, first, two), twinMend(get)) // one twin of two mends is one
	if len(refused) > 0 {
		t.Fatalf("refused: %v", refused)
	}
	diff(t, got, want)
}

// What is no plan of ours is refused, and nothing changes.
func TestTwinRefusals(t *testing.T) {
	get := plan.Twin{Span: function(t, twinSource, "func (s *S) get("), Name: "getLocked", Lock: "s.mu"}
	with := func(change func(*plan.Twin)) plan.Mend {
		twin := get
		change(&twin)
		return twinMend(twin)
	}
	section := twinMend(get)
	section.Sections = []plan.Section{{Span: spanIn(t, twinSource, "n, ok = s.m[k]"), Lock: "s.mu"}}
	for _, tt := range []struct {
		name string
		mend plan.Mend
	}{
		{"no function", with(func(t *plan.Twin) { t.Start++ })},
		{"no name", with(func(t *plan.Twin) { t.Name = "get Locked" })},
		{"exported", with(func(t *plan.Twin) { t.Name = "GetLocked" })},
		{"a lock that is called", with(func(t *plan.Twin) { t.Lock = "s.mu()" })},
		{"a call of something else", with(func(t *plan.Twin) {
			at := strings.Index(twinSource, "set(k")
			t.Calls = []plan.Span{{File: "p.go", Start: at, End: at + 3}}
		})},
		{"a call that is no name", with(func(t *plan.Twin) { t.Calls = []plan.Span{{File: "p.go", Start: 3, End: 4}} })},
		{"a section in the body", section},
		{"two twins", twinMend(get, plan.Twin{Span: get.Span, Name: "getHeld", Lock: "s.mu"})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, refused := rewriteOne(t, twinSource, tt.mend)
			if len(refused) != 1 || refused[0].Code != plan.NotProved {
				t.Errorf("refused: %v, want one not-proved", refused)
			}
			diff(t, got, twinSource)
		})
	}
}
