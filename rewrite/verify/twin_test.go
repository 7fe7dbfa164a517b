package verify

import (
	"bytes"
	"strings"
	"testing"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
)

// shared has a function to split that calls itself.
const shared = `package m

import "sync"

type S struct {
	mu sync.Mutex
	m  map[string]int
}

func New() *S { return &S{m: make(map[string]int)} }

// Get is documented.
func (s *S) Get(k string, more ...int) (n int, ok bool) {
	// Most are there.
	if n, ok = s.m[k]; !ok && k != "" {
		return s.Get(k[1:]) // the default
	}
	return n, ok // it is there
}

func (s *S) Set(k string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _ := s.Get(k)
	s.m[k] = n + 1
}

func (s *S) Twice(k string) int {
	n, _ := s.Get(k)
	return 2 * n
}
`

// sharedPlan returns the module of shared, and its plan.
func sharedPlan(t *testing.T) (*load.Program, load.Config, *plan.Plan) {
	t.Helper()
	prog, cfg := module(t, map[string]string{"m.go": shared})
	p, err := plan.Make(prog, plan.Options{})
	if err != nil || len(p.Mends) != 1 || len(p.Mends[0].Twins) != 1 || len(p.Mends[0].Twins[0].Calls) != 2 {
		t.Fatalf("mends %v, refusals %v, error %v; want one twin with two calls", p.Mends, p.Refusals, err)
	}
	return prog, cfg, p
}

// The invariants on bytes, against results that no rewrite of ours should make.
func TestSameBody(t *testing.T) {
	prog, _, p := sharedPlan(t)
	changes, left := rewrite.Rewrite(prog, p)
	if len(left) > 0 || len(changes) != 1 {
		t.Fatalf("changes %v, refused %v", changes, left)
	}
	for _, tt := range []struct {
		name     string
		from, to string // replaced in the new content, once
		want     string // the first invariant that fails, and why
	}{
		{"fine", "", "", ""},
		{"no lock", "\ts.mu.Lock()\n\tdefer s.mu.Unlock()\n\treturn s.get", "\treturn s.get", "SameBody: Get does not just"},
		{"unlocked at once", "defer s.mu.Unlock()\n\treturn", "s.mu.Unlock()\n\treturn", "SameBody: Get does not just"},
		{"lock for the unlock", "defer s.mu.Unlock()\n\treturn", "defer s.mu.Lock()\n\treturn", "SameBody: Get does not just"},
		{"more is done", "\treturn s.getLocked(k, more...)", "\tprintln()\n\treturn s.getLocked(k, more...)", "SameBody: Get does not just"},
		{"not forwarded", "return s.getLocked(k, more...)", "return s.getLocked(k)", "SameBody: Get does not just"},
		{"another call", "return s.getLocked(k, more...)", "return s.Get(k, more...)", "SameBody: Get does not just"},
		{"another parameter", "func (s *S) getLocked(k string, more ...int)", "func (s *S) getLocked(k string, more ...int64)", "SameBody: the parameters"},
		{"another receiver", "func (s *S) getLocked", "func (s S) getLocked", "SameBody: the parameters"},
		{"another result", "func (s *S) getLocked(k string, more ...int) (n int, ok bool)", "func (s *S) getLocked(k string, more ...int) (int, bool)", "SameBody: the parameters"},
		{"another comment", "// getLocked is Get", "// getLocked gets", "SameBody: the comment of getLocked"},
		{"no comment", "// getLocked is Get for callers that hold mu.\n", "", "SameBody: the comment of getLocked"},
		{"comment moved", "// Get is documented.\n", "", "SameBody: the comment of Get"},
		{"another body", `k != ""`, `k == ""`, "SameBody: the body"},
		{"a comment lost", "\t// Most are there.\n", "", "SameBody: the body"},
		{"a comment lost behind code", " // it is there", "", "SameBody: the body"},
		{"a call of the locking name", `return s.getLocked(k[1:])`, `return s.Get(k[1:])`, "SameBody: the body"},
		{"no twin", "getLocked(k string", "getHeld(k string", "SameBody: Get is not followed"},
		{"a call not renamed", "n, _ := s.getLocked(k)", "n, _ := s.Get(k)", "EvalOrder"},
		{"a call renamed that is not planned", "n, _ := s.Get(k)\n\treturn", "n, _ := s.getLocked(k)\n\treturn", "OnlyPlanned"},
		{"a declaration more", "func (s *S) Twice", "func (s *S) more() {}\n\nfunc (s *S) Twice", "OnlyPlanned"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := changes[0].New
			if tt.from != "" {
				if n := bytes.Count(now, []byte(tt.from)); n != 1 {
					t.Fatalf("%q is there %d times in\n%s", tt.from, n, now)
				}
				now = bytes.Replace(now, []byte(tt.from), []byte(tt.to), 1)
			}
			pr := &proof{plan: p, changes: []rewrite.Change{{File: changes[0].File, Old: changes[0].Old, New: now}}}
			got := ""
			for _, inv := range invariants {
				if inv.name == loaded {
					break
				}
				if failed := inv.check(pr); got == "" && len(failed) > 0 {
					got = inv.name + ": " + failed[0].message
				}
			}
			if tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
				t.Errorf("failed: %q, want: %q", got, tt.want)
			}
		})
	}
}

// A wrong plan of a twin breaks the invariant that stands against it.
func TestProveTwin(t *testing.T) {
	for _, tt := range []struct {
		name   string
		tamper func(*plan.Twin)
		want   string // the invariant; empty when all hold
	}{
		{"nothing", func(*plan.Twin) {}, ""},
		{"a call without the lock", func(t *plan.Twin) {
			at := strings.LastIndex(shared, "Get(k)")
			t.Calls = append(t.Calls, plan.Span{File: "m.go", Start: at, End: at + len("Get")})
		}, "NoBareUse"},
		{"a call with the lock left out", func(t *plan.Twin) { t.Calls = t.Calls[:1] }, "LockOrder"},
		{"the call of itself left out", func(t *plan.Twin) { t.Calls = t.Calls[1:] }, "LockOrder"},
		{"read lock", func(t *plan.Twin) { t.Read = true }, "TypeChecks"},
		{"another lock", func(t *plan.Twin) { t.Lock = "s.other" }, "TypeChecks"},
		{"a name that is taken", func(t *plan.Twin) { t.Name = "m" }, "TypeChecks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			prog, cfg, p := sharedPlan(t)
			tt.tamper(&p.Mends[0].Twins[0])
			again := func(prog *load.Program) (*plan.Plan, error) { return plan.Make(prog, plan.Options{}) }
			proved, refused := prove(t, prog, p, Options{Load: cfg.Overlaid, Analyze: again})
			if tt.want == "" && (refused != "" || len(proved) != 1) || !strings.Contains(refused, tt.want) {
				t.Errorf("refused %q, want %s", refused, tt.want)
			}
		})
	}
}
