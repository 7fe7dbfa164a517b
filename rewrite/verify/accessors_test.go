package verify

import (
	"slices"
	"strings"
	"testing"

	"mapmend/plan"
	"mapmend/rewrite"
	"mapmend/templates"
)

const served = `package m

import (
	"net/http"
	"time"
)

type S struct {
	m map[string]time.Time
	n map[int]int // by length
}

func (s *S) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.put(r.URL.Path, r.Host)
	s.count(len(r.URL.Path), 2)
}

func (s *S) put(a, b string) { s.m[a+b] = time.Now() }

func (s *S) has(k string) bool {
	_, ok := s.m[k]
	return ok
}

func (s *S) count(k, by int) { s.n[k] -= by }

func Handler() http.Handler {
	return &S{m: make(map[string]time.Time), n: map[int]int{1: 2}}
}
`

// lowered returns the lowering of p on field whose shape it is.
func lowered(t *testing.T, p *plan.Plan, field string, shape plan.Shape) *plan.Lowering {
	t.Helper()
	for i := range p.Mends {
		for j := range p.Mends[i].Lowered {
			if l := &p.Mends[i].Lowered[j]; p.Mends[i].Field == field && l.Shape == shape {
				return l
			}
		}
	}
	t.Fatalf("no lowering of %s of shape %s", field, shape)
	return nil
}

// A wrong plan of the form rwmutex breaks the invariant that stands against it, and the other variable is
// proved all the same.
func TestProveAccessors(t *testing.T) {
	tests := []struct {
		name   string
		tamper func(*testing.T, *plan.Plan)
		want   string // the invariant; empty when both are proved
	}{
		{"nothing", func(*testing.T, *plan.Plan) {}, ""},
		{"another accessor", func(t *testing.T, p *plan.Plan) { lowered(t, p, "m", plan.ShapeIndex).Accessor = "Get" }, "TypeChecks"},
		{"accessor not generated", func(t *testing.T, p *plan.Plan) {
			for i := range p.Mends {
				p.Mends[i].Wrapper.Accessors = slices.DeleteFunc(p.Mends[i].Wrapper.Accessors, func(a string) bool { return a == "Load" })
			}
		}, "TypeChecks"},
		{"mention left out", func(t *testing.T, p *plan.Plan) {
			for i := range p.Mends {
				p.Mends[i].Lowered = slices.DeleteFunc(p.Mends[i].Lowered, func(l plan.Lowering) bool { return l.Shape == plan.ShapeIndex })
			}
		}, "TypeChecks"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			prog, cfg := module(t, map[string]string{"m.go": served})
			p, err := plan.Make(prog, plan.Options{Forms: []plan.Form{plan.RWMutex}})
			if err != nil || len(p.Mends) != 2 {
				t.Fatalf("%d mends, refusals %v, error %v; want 2 mends", len(p.Mends), p.Refusals, err)
			}
			tt.tamper(t, p)
			proved, refused := prove(t, prog, p, Options{Load: cfg.Overlaid, Analyze: noFindings})
			if tt.want == "" && refused != "" || !strings.Contains(refused, tt.want) || strings.Contains(refused, ": n: ") {
				t.Errorf("refused %q, want %s for m alone", refused, tt.want)
			}
			want := "m.go s_m_mapmend.go s_n_mapmend.go"
			if tt.want != "" {
				want = "m.go s_n_mapmend.go"
			}
			if got := files(proved); got != want {
				t.Errorf("proved %q, want %q", got, want)
			}
		})
	}
}

// Every form that generates a type is proved, and one whose file lacks an accessor is not.
func TestProveForms(t *testing.T) {
	prog, cfg := module(t, map[string]string{"m.go": served})
	for _, form := range plan.Forms {
		if form == plan.Lock {
			continue
		}
		t.Run(string(form), func(t *testing.T) {
			all := slices.Sorted(slices.Values(templates.Accessors(string(form))))
			if p, err := plan.Make(prog, plan.Options{Forms: []plan.Form{form}, AllAccessors: true}); err != nil || len(p.Mends) != 2 || !slices.Equal(p.Mends[1].Wrapper.Accessors, all) {
				t.Errorf("error %v; the plan of all accessors has not those of the template", err)
			}
			for _, lacks := range []string{"", "Update"} {
				p, err := plan.Make(prog, plan.Options{Forms: []plan.Form{form}})
				if err != nil || len(p.Mends) != 2 {
					t.Fatalf("%d mends, refusals %v, error %v; want 2 mends", len(p.Mends), p.Refusals, err)
				}
				for i := range p.Mends {
					p.Mends[i].Wrapper.Accessors = slices.DeleteFunc(p.Mends[i].Wrapper.Accessors, func(a string) bool { return a == lacks })
				}
				proved, refused := prove(t, prog, p, Options{Load: cfg.Overlaid, Analyze: noFindings})
				want := map[string]string{"": "m.go s_m_mapmend.go s_n_mapmend.go", "Update": "m.go s_m_mapmend.go"}[lacks]
				proved, required := sources(proved)
				if got := files(proved); got != want || (len(required) == 2) != (form.Requires() != nil) || (lacks != "") != strings.Contains(refused, "TypeChecks") {
					t.Errorf("without %q: proved %q, refused %q", lacks, got, refused)
				}
			}
		})
	}
}

// EvalOrder is what stands between a fault in the rewrite itself and the user.
func TestEvalOrderOfAccessors(t *testing.T) {
	prog, _ := module(t, map[string]string{"m.go": served})
	p, err := plan.Make(prog, plan.Options{Forms: []plan.Form{plan.RWMutex}})
	if err != nil || len(p.Mends) != 2 {
		t.Fatalf("%d mends, refusals %v, error %v; want 2 mends", len(p.Mends), p.Refusals, err)
	}
	changes, _ := rewrite.Rewrite(prog, p)
	for _, tt := range []struct{ old, now, want string }{
		{"", "", ""},
		{"Store(a+b, time.Now())", "Store(time.Now(), a+b)", `"time" is new or out of order`},
		{"Store(a+b, time.Now())", "Store(a, time.Now())", `"time" is new or out of order`},
		{"Store(a+b, time.Now())", "Delete(a+b, time.Now())", `"Delete" is new or out of order`},
		{"Store(a+b, time.Now())", "Store(b+a, time.Now())", `"b" is new or out of order`},
		{"old - by", "old - k", `"k" is new or out of order`},
		{"func Handler", "func init() { panic(1) }\n\nfunc Handler", `"init" is new or out of order`},
		{"s.put(r.URL.Path, r.Host)\n", "", `"count" is new or out of order`},
	} {
		pr := &proof{plan: p, before: prog}
		for _, c := range changes {
			if c.File == "m.go" {
				if !strings.Contains(string(c.New), tt.old) {
					t.Fatalf("%q is not in\n%s", tt.old, c.New)
				}
				c.New = []byte(strings.Replace(string(c.New), tt.old, tt.now, 1))
				pr.changes = []rewrite.Change{c}
			}
		}
		got := ""
		if failed := evalOrder(pr); len(failed) > 0 {
			got = failed[0].message
		}
		if got != tt.want {
			t.Errorf("%q for %q: %q, want %q", tt.now, tt.old, got, tt.want)
		}
	}
}

// An import goes when the last of the variables that need it goes, and a file is created for those mends
// that are carried out.
func TestRewriteAccessors(t *testing.T) {
	src := strings.NewReplacer("n map[int]int", "n map[int]time.Duration", "map[int]int{1: 2}", "map[int]time.Duration{}", "-= by", "= 1", "time.Now()", "now()").Replace(served)
	prog, _ := module(t, map[string]string{"m.go": src, "now.go": "package m\n\nimport \"time\"\n\nfunc now() time.Time { return time.Time{} }\n"})
	p, err := plan.Make(prog, plan.Options{Forms: []plan.Form{plan.RWMutex}})
	if err != nil || len(p.Mends) != 2 {
		t.Fatalf("%d mends, refusals %v, error %v; want 2 mends", len(p.Mends), p.Refusals, err)
	}
	imports := func(p *plan.Plan) (bool, string) {
		changes, _ := rewrite.Rewrite(prog, p)
		for _, c := range changes {
			if c.File == "m.go" {
				return strings.Contains(string(c.New), `"time"`), files(changes)
			}
		}
		return true, files(changes)
	}
	if has, names := imports(p); has || names != "m.go s_m_mapmend.go s_n_mapmend.go" {
		t.Errorf("both mends: import of time %v, files %s", has, names)
	}
	for i, want := range []string{"m.go s_n_mapmend.go", "m.go s_m_mapmend.go"} {
		broken := *p
		broken.Mends = slices.Clone(p.Mends)
		broken.Mends[i].Lowered = slices.Clone(p.Mends[i].Lowered)
		broken.Mends[i].Lowered[len(broken.Mends[i].Lowered)-1].Start++
		if has, names := imports(&broken); !has || names != want {
			t.Errorf("mend %d broken: import of time %v, files %s; want the import and %s", i, has, names, want)
		}
	}
}
