package verify

import (
	"strings"
	"testing"

	"mapmend/plan"
)

// A guard goes if its sections use the map once and touch nothing else.
func TestFreedGuard(t *testing.T) {
	const src = `package m

import "sync"

type S[V any] struct {
	mu sync.Mutex
	m  map[string]int
	n  int
	v  V
}

var total int

func note(int) {}

func (s *S[V]) f(k string, p *int, l []int, c chan int, g func(), x struct{ a int }) int {
	r := 0
	s.mu.Lock()
	s.m[k] = 1
	r++
	s.mu.Unlock()
	return r + x.a
}

func (s *S[V]) stays() {}
`
	tests := []struct {
		name, from, to string
		want           string // in the failure; "" for none
	}{
		{"unchanged", "", "", ""},
		{"values of its own", "r++", "r += len(k) + x.a + int(int8(r))", ""},
		{"a deletion", "s.m[k] = 1", "delete(s.m, k)", ""},
		{"two branches", "r++", "if r > 0 {\n\t\ts.m[k] = 2\n\t} else {\n\t\ts.m[k] = 3\n\t}", "uses the map twice"},
		{"only branches", "s.m[k] = 1\n\tr++", "if r > 0 {\n\t\ts.m[k] = 2\n\t} else {\n\t\ts.m[k] = 3\n\t}", ""},
		{"in a row", "r++", "s.m[k] = 2", "uses the map twice"},
		{"none", "s.m[k] = 1\n", "", "does not use the map"},
		{"a field", "r++", "s.n++", "the field s.n"},
		{"a pointer", "r++", "*p++", "what a pointer leads to"},
		{"an element", "r++", "l[0]++", "the element l[0]"},
		{"a variable of the package", "r++", "total++", "the variable total"},
		{"a send", "r++", "c <- 1", "a wait"},
		{"a receive", "r++", "<-c", "a wait"},
		{"a goroutine", "r++", "go println()", "a function"},
		{"a literal", "r++", "_ = func() {}", "a function"},
		{"a call", "r++", "note(r)", "a call of note"},
		{"a call of a value", "r++", "g()", "a call of g"},
		{"a call of a method", "r++", "s.stays()", "a call of stays"},
		{"a section that is not planned", "stays() {}", "stays() {\n\ts.mu.Lock()\n\ts.mu.Unlock()\n}", "s.mu.Lock would stay"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(src, tt.from, tt.to, 1)
			prog, _ := module(t, map[string]string{"m.go": text})
			head := text[:strings.Index(text, "func (s *S[V]) stays")]
			spans := func(part string) (out []plan.Span) {
				for at := strings.Index(head, part); at >= 0; {
					out = append(out, plan.Span{File: "m.go", Start: at, End: at + len(part)})
					next := strings.Index(head[at+1:], part)
					if next < 0 {
						break
					}
					at += next + 1
				}
				return out
			}
			m := plan.Mend{Freed: &plan.Freed{Class: plan.Var{Package: "m", Owner: "S", Field: "mu"}, Decl: spans("mu sync.Mutex")[0], Calls: append(spans("s.mu.Lock()"), spans("s.mu.Unlock()")...)}}
			m.Freed.Class.Package = prog.Packages[0].Path
			for _, n := range []string{"1", "2", "3"} {
				for _, s := range spans("s.m[k] = " + n) {
					m.Lowered = append(m.Lowered, plan.Lowering{Span: s, Shape: plan.ShapeStore, Map: plan.Span{File: "m.go", Start: s.Start, End: s.Start + len("s.m")}})
				}
			}
			for _, s := range spans("delete(s.m, k)") {
				m.Lowered = append(m.Lowered, plan.Lowering{Span: s, Shape: plan.ShapeDelete, Map: plan.Span{File: "m.go", Start: s.Start + len("delete("), End: s.Start + len("delete(s.m")}})
			}
			p := &proof{plan: &plan.Plan{Mends: []plan.Mend{m}}, before: prog}
			failed := freedGuard(p)
			if (len(failed) > 0) != (tt.want != "") || len(failed) > 0 && !strings.Contains(failed[0].message, tt.want) {
				t.Errorf("failures %v, want %q", failed, tt.want)
			}
		})
	}
}
