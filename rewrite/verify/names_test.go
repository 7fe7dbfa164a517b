package verify

import (
	"strings"
	"testing"

	"mapmend/plan"
	"mapmend/rewrite"
)

const printed = `package m

import (
	"fmt"
	"net/http"
	"sync"
)

type S struct {
	mu sync.Mutex
	m  map[string]int
	n  map[string]int
}

func (s *S) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.put(r.URL.Path)
	s.print(r.URL.Path, 2)
	s.drop(r.URL.Path)
}

func (s *S) put(k string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m[k] = 1
}

func (s *S) print(k string, by int) {
	fmt.Println(s.m[k])
	s.n[k] += by
}

func (s *S) drop(k string) {
	fmt.Println(s.m[k])
	delete(s.n, k)
}

func Handler() http.Handler {
	return &S{m: make(map[string]int), n: map[string]int{"a": 1}}
}
`

// In a function from which one variable has an element taken out of a statement, uses of another may be calls of accessors: what
// these bring and take is no change of a meaning, and everything else is.
func TestSameNamesBesideAccessors(t *testing.T) {
	prog, cfg := module(t, map[string]string{"m.go": printed})
	mixed := new(plan.Plan)
	var refusals []plan.Refusal
	for _, form := range []plan.Form{plan.Lock, plan.RWMutex} {
		p, err := plan.Make(prog, plan.Options{Forms: []plan.Form{form}})
		if err != nil {
			t.Fatal(err)
		}
		refusals = append(refusals, p.Refusals...)
		for _, m := range p.Mends {
			if (m.Field == "m") == (form == plan.Lock) {
				mixed.Mends = append(mixed.Mends, m)
			}
		}
	}
	if len(mixed.Mends) != 2 {
		t.Fatalf("%d mends, want 2; refusals %v", len(mixed.Mends), refusals)
	}
	changes, left := rewrite.Rewrite(prog, mixed)
	if len(left) > 0 {
		t.Fatal(left)
	}
	for _, tt := range []struct{ old, now string }{
		{"", ""},
		{"(k string, by int)", "(by string, k int)"},
		{"(k string, by int) {", "(k string, by int) {\n\tby = 2"},
		{"return old + by", "return by + by"},
		{"return old + by", "return old + old"},
		{"return old + by", "by := by\n\t\treturn old + by"},
		{"s.n.Delete(k)", "println(s.n.Delete, k)"},
		{"fmt.Println(v)", "v := by\n\tfmt.Println(v)"},
	} {
		overlay := make(map[string][]byte)
		pr := &proof{plan: mixed, before: prog}
		for _, c := range changes {
			if c.File == "m.go" {
				if !strings.Contains(string(c.New), tt.old) {
					t.Fatalf("%q is not in\n%s", tt.old, c.New)
				}
				c.New = []byte(strings.Replace(string(c.New), tt.old, tt.now, 1))
			}
			pr.changes = append(pr.changes, c)
			overlay[pr.abs(c)] = c.New
		}
		var err error
		if pr.after, err = cfg.Overlaid(overlay); err != nil {
			t.Fatal(err)
		}
		if failed := sameNames(pr); (len(failed) > 0) != (tt.now != "") {
			t.Errorf("%q for %q: failures %v", tt.now, tt.old, failed)
		}
	}
}
