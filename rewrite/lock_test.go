package rewrite

import (
	"strings"
	"testing"

	"mapmend/plan"
)

// head is what the cases about sections begin with.
const head = `package p

import "sync"

type S struct {
	mu sync.RWMutex
	m  map[string]int
	n  map[string]int
	p  *S
}

`

func TestLock(t *testing.T) {
	tests := []struct {
		name  string
		src   string
		mends []want
		want  string
	}{
		{"field with doc comment", `package p

import "sync"

type S struct {
	name string

	// m is documented.
	m map[string]int // and remarked

	once sync.Once
}
`, []want{{decl: "m map[string]int", mutex: mu("mu guards m.")}}, `package p

import "sync"

type S struct {
	name string

	// mu guards m.
	mu sync.RWMutex
	// m is documented.
	m map[string]int // and remarked

	once sync.Once
}
`},
		{"field under a heading", `package p

import "sync"

type S struct {
	// State.

	// m is documented.
	m map[string]int ` + "`json:\"m\"`" + `
}

var _ sync.Mutex
`, []want{{decl: "m map[string]int `json:\"m\"`", mutex: mu("")}}, `package p

import "sync"

type S struct {
	// State.

	mu sync.RWMutex
	// m is documented.
	m map[string]int ` + "`json:\"m\"`" + `
}

var _ sync.Mutex
`},
		{"one of several names", `package p

import "sync"

type S[K comparable, V any] struct {
	x    sync.Once
	a, b map[K]V
	last int
}
`, []want{{decl: "a, b map[K]V", mutex: mu("")}}, `package p

import "sync"

type S[K comparable, V any] struct {
	x    sync.Once
	mu   sync.RWMutex
	a, b map[K]V
	last int
}
`},
		{"struct on one line", `package p

import "sync"

type S struct{ m map[string]int }

type T struct {
	inner struct{ x map[string]int }
	once  sync.Once
}
`, []want{
			{decl: "m map[string]int", mutex: mu("")},
			{decl: "x map[string]int", mutex: &plan.Mutex{Name: "xMu", Type: "sync.Mutex"}},
		}, `package p

import "sync"

type S struct {
	mu sync.RWMutex
	m  map[string]int
}

type T struct {
	inner struct {
		xMu sync.Mutex
		x   map[string]int
	}
	once sync.Once
}
`},
		{"embedded map type", `package p

import "sync"

type M map[string]int

type S struct {
	M
}

var _ sync.Once
`, []want{{decl: "\tM\n", mutex: mu("mu guards M.")}}, `package p

import "sync"

type M map[string]int

type S struct {
	// mu guards M.
	mu sync.RWMutex
	M
}

var _ sync.Once
`},
		{"lone variables", `package p

import "sync"

var once sync.Once

// Floating.

// cache is documented.
var cache = map[string]int{} // remarked

var plain map[string]int
`, []want{
			{decl: "cache = map[string]int{}", mutex: &plan.Mutex{Name: "cacheMu", Type: "sync.Mutex", Comment: "cacheMu guards cache."}},
			{decl: "plain map[string]int", mutex: &plan.Mutex{Name: "plainMu", Type: "sync.Mutex"}},
		}, `package p

import "sync"

var once sync.Once

// Floating.

// cacheMu guards cache.
var cacheMu sync.Mutex

// cache is documented.
var cache = map[string]int{} // remarked

var plainMu sync.Mutex
var plain map[string]int
`},
		{"variable in a group", `package p

import "sync"

var (
	once sync.Once

	// cache is documented.
	cache = map[string]int{}
	other int
)
`, []want{{decl: "cache = map[string]int{}", mutex: mu("mu guards cache.")}}, `package p

import "sync"

var (
	once sync.Once

	// mu guards cache.
	mu sync.RWMutex
	// cache is documented.
	cache = map[string]int{}
	other int
)
`},
		{"captured local", `package p

import "sync"

var _ sync.Once

func f() {
	go g()

	// m collects.
	m := map[string]int{}
	var n map[string]int
	go func() { m["a"] = n["b"] }()
}
`, []want{
			{decl: "m := map[string]int{}", mutex: mu("mu guards m."), sections: []sect{{`m["a"] = n["b"]`, "mu", ""}}},
			{decl: "n map[string]int", mutex: &plan.Mutex{Name: "nMu", Type: "sync.Mutex"}, sections: []sect{{`m["a"] = n["b"]`, "nMu", ""}}},
		}, `package p

import "sync"

var _ sync.Once

func f() {
	go g()

	// mu guards m.
	var mu sync.RWMutex
	// m collects.
	m := map[string]int{}
	var nMu sync.Mutex
	var n map[string]int
	go func() {
		mu.Lock()
		nMu.Lock()
		m["a"] = n["b"]
		nMu.Unlock()
		mu.Unlock()
	}()
}
`},
		{"one-line body, deferred", head + `func (s *S) Len() int { return len(s.m) } // remark

// Set sets.
func (s *S) Set() { s.m["a"] = 1; s.m["b"] = 2 }
`, []want{{sections: []sect{{"return len(s.m)", "s.mu", "read defer"}, {`s.m["a"] = 1; s.m["b"] = 2`, "s.mu", "defer"}}}},
			head + `func (s *S) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.m)
} // remark

// Set sets.
func (s *S) Set() {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.m["a"] = 1
	s.m["b"] = 2
}
`},
		{"deferred after a check", head + `func (s *S) Get(k string) int {
	if s == nil {
		return 0
	}
	// Look it up.
	v := s.m[k]

	return v
	// Never.
}
`, []want{{sections: []sect{{"v := s.m[k]\n\n\treturn v", "s.mu", "read defer"}}}},
			head + `func (s *S) Get(k string) int {
	if s == nil {
		return 0
	}
	s.mu.RLock()
	defer s.mu.RUnlock()

	// Look it up.
	v := s.m[k]

	return v
	// Never.
}
`},
		{"bracket with comments", head + `func (s *S) f(k string) {
	println()

	// Floating.

	// Lead.
	s.m[k] = 1 // one
	s.m[k]++   // two

	// Next.
	println()
}

func (s *S) g(k string) {
	// First.
	delete(s.m, k) // gone
	// Last.
}
`, []want{{sections: []sect{{"s.m[k] = 1 // one\n\ts.m[k]++", "s.mu", ""}, {"delete(s.m, k)", "s.mu", ""}}}},
			head + `func (s *S) f(k string) {
	println()

	// Floating.

	s.mu.Lock()
	// Lead.
	s.m[k] = 1 // one
	s.m[k]++   // two
	s.mu.Unlock()

	// Next.
	println()
}

func (s *S) g(k string) {
	s.mu.Lock()
	// First.
	delete(s.m, k) // gone
	s.mu.Unlock()
	// Last.
}
`},
		{"clauses", head + `func (s *S) f(k string, c chan int, x any) {
	switch k {
	case "a":
		// A.
		s.m[k] = 1
	case "b":
		println()
		s.m[k] = 2

	default:
		s.m[k] = 3
		println()
	}
	select {
	case <-c:
		s.m[k] = 4
	default:
	}
	switch x.(type) {
	case int:
		s.m[k] = 5
	}
}
`, []want{{sections: []sect{{"s.m[k] = 1", "s.mu", ""}, {"s.m[k] = 2", "s.mu", ""}, {"s.m[k] = 3", "s.mu", ""}, {"s.m[k] = 4", "s.mu", ""}, {"s.m[k] = 5", "s.mu", ""}}}},
			head + `func (s *S) f(k string, c chan int, x any) {
	switch k {
	case "a":
		s.mu.Lock()
		// A.
		s.m[k] = 1
		s.mu.Unlock()
	case "b":
		println()
		s.mu.Lock()
		s.m[k] = 2
		s.mu.Unlock()

	default:
		s.mu.Lock()
		s.m[k] = 3
		s.mu.Unlock()
		println()
	}
	select {
	case <-c:
		s.mu.Lock()
		s.m[k] = 4
		s.mu.Unlock()
	default:
	}
	switch x.(type) {
	case int:
		s.mu.Lock()
		s.m[k] = 5
		s.mu.Unlock()
	}
}
`},
		{"comments behind the last statement of a clause", head + `func (s *S) f(k string, c chan int) {
	switch k {
	case "a":
		s.m[k] = 1
		println(k) //nolint:errcheck
	case "b": // b
		s.m[k] = 2  /* two */
		fallthrough // on
		// and on

		// End of b.
	case "c":
		println(k)
		s.m[k] = 3 // three

		// End of c.
	// At the default.
	default:
		s.m[k] = 4
		// End.
	}
	select {
	case <-c:
		s.m[k] = 5
		if k == "" {
			println() // inside
		} /* behind */ // the brace
	}
}
`, []want{{sections: []sect{{"s.m[k] = 1", "s.mu", ""}, {"s.m[k] = 2", "s.mu", ""}, {"s.m[k] = 3", "s.mu", ""}, {"s.m[k] = 4", "s.mu", ""}, {"s.m[k] = 5", "s.mu", ""}}}},
			head + `func (s *S) f(k string, c chan int) {
	switch k {
	case "a":
		s.mu.Lock()
		s.m[k] = 1
		s.mu.Unlock()
		println(k) //nolint:errcheck
	case "b": // b
		s.mu.Lock()
		s.m[k] = 2 /* two */
		s.mu.Unlock()
		fallthrough // on
		// and on

		// End of b.
	case "c":
		println(k)
		s.mu.Lock()
		s.m[k] = 3 // three
		s.mu.Unlock()

		// End of c.
	// At the default.
	default:
		s.mu.Lock()
		s.m[k] = 4
		s.mu.Unlock()
		// End.
	}
	select {
	case <-c:
		s.mu.Lock()
		s.m[k] = 5
		s.mu.Unlock()
		if k == "" {
			println() // inside
		} /* behind */ // the brace
	}
}
`},
		{"block comments and blank lines", head + `func (s *S) f(k string) {
	/* Lead. */
	s.m[k] = 1 // one

	// End.
}

func (s *S) g(k string) {
	println()
	/* lead */ s.m[k] = 2
	println()
}

func (s *S) h(k string) {
	/* lead */ s.m[k] = 3
	println()
}

func (s *S) i(k string) {
	println()
	s.m[k] = 4 /* four */ // 4

	/* End. */
}

func (s *S) j(k string) {
	/* Apart. */

	/* Lead. */
	s.m[k] = 5
	println()
}
`, []want{{sections: []sect{{"s.m[k] = 1", "s.mu", ""}, {"s.m[k] = 2", "s.mu", ""}, {"s.m[k] = 3\n\tprintln()", "s.mu", "defer"}, {"s.m[k] = 4", "s.mu", ""}, {"s.m[k] = 5\n\tprintln()", "s.mu", "defer"}}}},
			head + `func (s *S) f(k string) {
	s.mu.Lock()
	/* Lead. */
	s.m[k] = 1 // one
	s.mu.Unlock()

	// End.
}

func (s *S) g(k string) {
	println()
	s.mu.Lock()
	/* lead */ s.m[k] = 2
	s.mu.Unlock()
	println()
}

func (s *S) h(k string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	/* lead */ s.m[k] = 3
	println()
}

func (s *S) i(k string) {
	println()
	s.mu.Lock()
	s.m[k] = 4 /* four */ // 4
	s.mu.Unlock()

	/* End. */
}

func (s *S) j(k string) {
	/* Apart. */

	s.mu.Lock()
	defer s.mu.Unlock()

	/* Lead. */
	s.m[k] = 5
	println()
}
`},
		{"labels", head + `func (s *S) f(k string) {
outer:
	for range s.m {
		for range 3 {
			if k == "" {
				continue outer
			}
			break outer
		}
	}
	println()
}
`, []want{{sections: []sect{{`outer:
	for range s.m {
		for range 3 {
			if k == "" {
				continue outer
			}
			break outer
		}
	}`, "s.mu", "read"}}}},
			head + `func (s *S) f(k string) {
	s.mu.RLock()
outer:
	for range s.m {
		for range 3 {
			if k == "" {
				continue outer
			}
			break outer
		}
	}
	s.mu.RUnlock()
	println()
}
`},
		{"branches and closures", head + `func (s *S) f(k string) {
	if v, ok := s.p.m[k]; ok {
		s.m[k] = v
	} else if v > 1 {
		s.m[k] = 1
	}
	defer func() {
		for range 2 {
			s.m[k] = 2
		}
	}()
	go func() { s.m[k] = 3 }()
}

var hook = func(s *S) int { return s.m["hook"] }
`, []want{{sections: []sect{{"s.m[k] = v", "s.mu", ""}, {"s.m[k] = 1", "s.mu", ""}, {"for range 2 {\n\t\t\ts.m[k] = 2\n\t\t}", "s.p.mu", "defer"}, {"s.m[k] = 3", "s.mu", "defer"}, {`return s.m["hook"]`, "s.mu", "read defer"}}}},
			head + `func (s *S) f(k string) {
	if v, ok := s.p.m[k]; ok {
		s.mu.Lock()
		s.m[k] = v
		s.mu.Unlock()
	} else if v > 1 {
		s.mu.Lock()
		s.m[k] = 1
		s.mu.Unlock()
	}
	defer func() {
		s.p.mu.Lock()
		defer s.p.mu.Unlock()

		for range 2 {
			s.m[k] = 2
		}
	}()
	go func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.m[k] = 3
	}()
}

var hook = func(s *S) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.m["hook"]
}
`},
		{"return of a literal inside", head + `func (s *S) f() func() int {
	var f func() int
	f = func() int { return len(s.m) }
	return f
}
`, []want{{sections: []sect{{"f = func() int { return len(s.m) }", "(s).mu", ""}}}},
			head + `func (s *S) f() func() int {
	var f func() int
	(s).mu.Lock()
	f = func() int { return len(s.m) }
	(s).mu.Unlock()
	return f
}
`},
		{"modes", head + `func (s *S) f(k string) {
	if s.p.mu.TryRLock() {
		defer s.p.mu.RUnlock()
	}
	s.mu.RLock()
	defer s.mu.RUnlock() // held to the end
	s.m[k] = 1
}
`, []want{{modes: []string{"s.mu.RLock", "defer s.mu.RUnlock", "s.p.mu.TryRLock", "s.p.mu.RUnlock"}}},
			head + `func (s *S) f(k string) {
	if s.p.mu.TryLock() {
		defer s.p.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock() // held to the end
	s.m[k] = 1
}
`},
		{"two mends, one mutex, one section", `package p

type S struct {
	m map[string]int
	n map[string]int
}

func (s *S) f(k string) int {
	s.m[k] = s.n[k]
	return 1
}

func (s *S) g(k string) int { return s.m[k] + s.n[k] }
`, []want{
			{field: "m", decl: "m map[string]int", mutex: mu("mu guards m and n."), sections: []sect{{"s.m[k] = s.n[k]", "s.mu", ""}, {"return s.m[k] + s.n[k]", "s.mu", "read defer"}}},
			{field: "n", decl: "n map[string]int", mutex: mu("mu guards m and n."), sections: []sect{{"s.m[k] = s.n[k]", "s.mu", "read"}, {"return s.m[k] + s.n[k]", "s.mu", "read defer"}}},
		}, `package p

import "sync"

type S struct {
	// mu guards m and n.
	mu sync.RWMutex
	m  map[string]int
	n  map[string]int
}

func (s *S) f(k string) int {
	s.mu.Lock()
	s.m[k] = s.n[k]
	s.mu.Unlock()
	return 1
}

func (s *S) g(k string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.m[k] + s.n[k]
}
`},
		{"sections that meet", head + `func (s *S) overlap(k string) {
	a := s.m[k]
	b := s.m[k] + s.n[k]
	c := s.n[k]
	println(a, b, c)
}

func (s *S) adjacent(k string) {
	s.m[k+"1"] = 1
	s.n[k+"2"] = 2
	println()
}

func (s *S) nested(k string) {
	if k != "" {
		s.n[k+"3"] = 3
	}
	println()
}

func (s *S) deferred(k string) int {
	s.m[k+"4"] = 4
	println(s.n[k])
	return s.n[k+"5"]
}

func (s *S) apart(k string) {
	s.m[k+"6"] = 6
	println()
	s.n[k+"7"] = 7
}
`, []want{
			{field: "m", sections: []sect{
				{"a := s.m[k]\n\tb := s.m[k] + s.n[k]", "s.mu", "read"},
				{`s.m[k+"1"] = 1`, "s.mu", ""},
				{"if k != \"\" {\n\t\ts.n[k+\"3\"] = 3\n\t}", "s.mu", "read"},
				{"s.m[k+\"4\"] = 4\n\tprintln(s.n[k])", "s.mu", ""},
				{`s.m[k+"6"] = 6`, "s.mu", ""},
			}},
			{field: "n", sections: []sect{
				{"b := s.m[k] + s.n[k]\n\tc := s.n[k]", "s.mu", "read"},
				{`s.n[k+"2"] = 2`, "s.mu", ""},
				{`s.n[k+"3"] = 3`, "s.mu", ""},
				{"println(s.n[k])\n\treturn s.n[k+\"5\"]", "s.mu", "read defer"},
				{`s.n[k+"7"] = 7`, "s.mu", ""},
			}},
		}, head + `func (s *S) overlap(k string) {
	s.mu.RLock()
	a := s.m[k]
	b := s.m[k] + s.n[k]
	c := s.n[k]
	s.mu.RUnlock()
	println(a, b, c)
}

func (s *S) adjacent(k string) {
	s.mu.Lock()
	s.m[k+"1"] = 1
	s.n[k+"2"] = 2
	s.mu.Unlock()
	println()
}

func (s *S) nested(k string) {
	s.mu.Lock()
	if k != "" {
		s.n[k+"3"] = 3
	}
	s.mu.Unlock()
	println()
}

func (s *S) deferred(k string) int {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.m[k+"4"] = 4
	println(s.n[k])
	return s.n[k+"5"]
}

func (s *S) apart(k string) {
	s.mu.Lock()
	s.m[k+"6"] = 6
	s.mu.Unlock()
	println()
	s.mu.Lock()
	s.n[k+"7"] = 7
	s.mu.Unlock()
}
`},
		{"a goroutine inside a section", head + `func (s *S) f(k string) {
	s.m[k] = 1
	go func() {
		s.n[k] = 2
	}()
}
`, []want{
			{sections: []sect{{"s.m[k] = 1\n\tgo func() {\n\t\ts.n[k] = 2\n\t}()", "s.mu", "defer"}}},
			{sections: []sect{{"s.n[k] = 2", "s.mu", ""}}},
		}, head + `func (s *S) f(k string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.m[k] = 1
	go func() {
		s.mu.Lock()
		s.n[k] = 2
		s.mu.Unlock()
	}()
}
`},
		{"two locks", head + `func (s *S) f(k string) {
	s.m[k] = 1
	s.n[k] = 2
	s.p.n[k] = 3
}
`, []want{
			{sections: []sect{{"s.m[k] = 1\n\ts.n[k] = 2", "s.mu", ""}}},
			{sections: []sect{{"s.n[k] = 2\n\ts.p.n[k] = 3", "s.p.mu", ""}}},
		}, head + `func (s *S) f(k string) {
	s.mu.Lock()
	s.m[k] = 1
	s.p.mu.Lock()
	s.n[k] = 2
	s.mu.Unlock()
	s.p.n[k] = 3
	s.p.mu.Unlock()
}
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var mends []plan.Mend
			for _, w := range tt.mends {
				m := w
				m.decl = strings.TrimSpace(w.decl)
				if m.decl == w.decl {
					mends = append(mends, m.mend(t, "p.go", tt.src))
					continue
				}
				// The declaration is a name that is elsewhere too: space around it tells which.
				at := strings.Index(tt.src, w.decl) + strings.Index(w.decl, m.decl)
				n := len(m.decl)
				m.decl = ""
				mend := m.mend(t, "p.go", tt.src)
				mend.Decl = plan.Span{File: "p.go", Start: at, End: at + n}
				mends = append(mends, mend)
			}
			got, refused := rewriteOne(t, tt.src, mends...)
			diff(t, codes(refused), "")
			diff(t, got, tt.want)
		})
	}
}

// What a section must not be. Each case stands beside one in TestLock that is fine.
func TestLockRefusals(t *testing.T) {
	const body = head + `func (s *S) f(k string, i int) int {
	s.m[k] = 1
	if k == "a" {
		return s.m[k]
	}
	for range 3 {
		if k == "b" {
			break
		}
		s.m[k] = 2
		continue
	}
	switch {
	case i == 1:
		s.m[k] = 3
		fallthrough
	default:
	}
again:
	s.m[k] = 4
	if i > 4 {
		goto again
	}
	s.m[k] = 5
	s = s.p
	func() { s.m[k] = 6 }()
	i++
	return len(s.m) + len(k)
}
`
	tests := []struct {
		name string
		sect sect
		want string
	}{
		{"part of a statement", sect{"s.m[k] = 1\n\tif k", "s.mu", ""}, "the planned section is not a run of whole statements"},
		{"an expression", sect{"len(k)", "s.mu", ""}, "the planned section is not a run of whole statements"},
		{"a clause", sect{"default:", "s.mu", ""}, "the planned section is not a run of whole statements"},
		{"a call as lock", sect{"s.m[k] = 1", "s.lock()", ""}, `the planned lock "s.lock()" is not a variable or field`},
		{"no lock", sect{"s.m[k] = 1", "", ""}, `the planned lock "" is not a variable or field`},
		{"more than a lock", sect{"s.m[k] = 1", "s.mu; x", ""}, `the planned lock "s.mu; x" is not a variable or field`},
		{"return at the end", sect{"return len(s.m) + len(k)", "s.mu", "read"}, "control leaves the section before the unlock"},
		{"return inside", sect{"if k == \"a\" {\n\t\treturn s.m[k]\n\t}", "s.mu", "read"}, "control leaves the section before the unlock"},
		{"break", sect{"if k == \"b\" {\n\t\t\tbreak\n\t\t}", "s.mu", "read"}, "control leaves the section before the unlock"},
		{"continue", sect{"s.m[k] = 2\n\t\tcontinue", "s.mu", ""}, "control leaves the section before the unlock"},
		{"fallthrough", sect{"s.m[k] = 3\n\t\tfallthrough", "s.mu", ""}, "control leaves the section before the unlock"},
		{"goto leaves", sect{"if i > 4 {\n\t\tgoto again\n\t}", "s.mu", ""}, "control leaves the section before the unlock"},
		{"goto enters", sect{"again:\n\ts.m[k] = 4", "s.mu", ""}, "a goto enters or leaves the section"},
		{"deferred, not to the end", sect{"s.m[k] = 5", "s.mu", "defer"}, "a deferred section does not run to the end of the function body"},
		{"deferred, in a branch", sect{"return s.m[k]", "s.mu", "defer"}, "a deferred section does not run to the end of the function body"},
		{"the owner changes", sect{"s.m[k] = 5\n\ts = s.p", "s.mu", ""}, "s.mu changes its meaning inside the section"},
		{"an element as lock", sect{"s.m[k] = 1", "locks[0].mu", ""}, `the planned lock "locks[0].mu" is not a variable or field`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, refused := rewriteOne(t, body, want{field: "m", sections: []sect{tt.sect}}.mend(t, "p.go", body))
			diff(t, codes(refused), "m: not-proved: "+tt.want)
			diff(t, got, body)
		})
	}
}

func TestLockRefusesMend(t *testing.T) {
	src := head + `func (s *S) f(k string, g func(func())) {
	g(func() { s.n[k] = 1 })
	s.mu.Lock()
	s.m[k] = 1
	s.mu.Unlock()
}
`
	tests := []struct {
		name   string
		change func(*plan.Mend)
		want   string
	}{
		{"declaration elsewhere", func(m *plan.Mend) { m.Decl.Start++ }, "the planned declaration is not a field or variable"},
		{"mutex with no name", func(m *plan.Mend) { m.Mutex.Name = "" }, `the planned mutex "" cannot be declared`},
		{"comment that ends the comment", func(m *plan.Mend) { m.Mutex.Comment = "x\nvar y int" }, `the planned mutex "mu" cannot be declared`},
		{"another type", func(m *plan.Mend) { m.Mutex.Type = "sync.Map" }, `the planned mutex has the unknown type "sync.Map"`},
		{"mode of a write lock", func(m *plan.Mend) {
			at := strings.Index(src, "Lock()")
			m.Modes = []plan.ModeChange{{Span: plan.Span{File: "p.go", Start: at, End: at + 4}, To: "Lock"}}
		}, "Lock cannot become Lock"},
		{"mode of nothing", func(m *plan.Mend) {
			m.Modes = []plan.ModeChange{{Span: plan.Span{File: "p.go", Start: 3, End: 4}, To: "Lock"}}
		}, "the planned place is not an identifier"},
		{"literal in a section", func(m *plan.Mend) {
			outer, inner := "g(func() { s.n[k] = 1 })", "s.n[k] = 1"
			for _, text := range []string{outer, inner} {
				at := strings.Index(src, text)
				m.Sections = append(m.Sections, plan.Section{Span: plan.Span{File: "p.go", Start: at, End: at + len(text)}, Lock: "s.mu"})
			}
		}, "a section of s.mu lies in a function literal inside another"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := want{field: "m", decl: "m  map[string]int", mutex: mu("")}.mend(t, "p.go", src)
			tt.change(&m)
			got, refused := rewriteOne(t, src, m)
			diff(t, codes(refused), "m: not-proved: "+tt.want)
			diff(t, got, src)
		})
	}
}
