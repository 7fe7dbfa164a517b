package verify

import (
	"strings"
	"testing"

	"mapmend/plan"
	"mapmend/rewrite"
)

const sinkSource = `package m

import "sync"

type sink struct {
	mu sync.Mutex
	m  map[string]int
}

func with(s *sink) *sink { return &sink{m: s.m} }

func fresh() *sink { return &sink{m: make(map[string]int)} }
`

// oneMutexMend returns the mend that gives all sinks with one map one mutex, but for changes.
func oneMutexMend(change func(*plan.OneMutex)) plan.Mend {
	span := func(text string, skip, n int) plan.Span {
		i := strings.Index(sinkSource, text) + skip
		return plan.Span{File: "m.go", Start: i, End: i + n}
	}
	m := plan.Mend{
		Var:   plan.Var{Package: "example.com/m", Owner: "sink", Field: "m"},
		Form:  plan.Lock,
		Class: plan.Var{Package: "example.com/m", Owner: "sink", Field: "mu"},
		One: &plan.OneMutex{
			Type: span("sync.Mutex", 0, len("sync.Mutex")),
			Literals: []plan.Supplied{
				{Span: span("&sink{m: s.m}", 1, len("sink{m: s.m}")), Value: "s.mu"},
				{Span: span("&sink{m: make", 1, len("sink{m: make(map[string]int)}"))},
			},
		},
	}
	if change != nil {
		change(m.One)
	}
	return m
}

var oneMutexWritten = strings.NewReplacer("mu sync", "mu *sync", "{m: s.m}", "{mu: s.mu, m: s.m}", "{m: make", "{mu: &sync.Mutex{}, m: make")

// TestOneMutex checks what is written, and that altered plans are not.
func TestOneMutex(t *testing.T) {
	prog, _ := module(t, map[string]string{"m.go": sinkSource})
	changes, refused := rewrite.Rewrite(prog, &plan.Plan{Mends: []plan.Mend{oneMutexMend(nil)}})
	if len(refused) > 0 || len(changes) != 1 || string(changes[0].New) != oneMutexWritten.Replace(sinkSource) {
		t.Errorf("refused %v, changes %v", refused, changes)
	}
	for name, change := range map[string]func(*plan.OneMutex){
		"no type":    func(o *plan.OneMutex) { o.Type.Start++ },
		"no field":   func(o *plan.OneMutex) { o.Type = o.Literals[0].Span },
		"no literal": func(o *plan.OneMutex) { o.Literals[1].End-- },
		"no element": func(o *plan.OneMutex) { o.Literals[0].After = o.Type },
		"no path":    func(o *plan.OneMutex) { o.Literals[0].Value = "other()" },
		"no file":    func(o *plan.OneMutex) { o.Literals[0].File = "n.go" },
	} {
		if changes, refused := rewrite.Rewrite(prog, &plan.Plan{Mends: []plan.Mend{oneMutexMend(change)}}); len(changes) > 0 || len(refused) != 1 {
			t.Errorf("%s: changes %v, refused %v", name, changes, refused)
		}
	}
}

// TestOneMutexProof checks that literals get what is planned, and nothing else.
func TestOneMutexProof(t *testing.T) {
	prog, cfg := module(t, map[string]string{"m.go": sinkSource})
	sound := oneMutexWritten.Replace(sinkSource)
	for _, tt := range []struct{ name, from, to, want string }{
		{name: "sound"},
		{"another mutex", "s.mu,", "t.mu,", `"t" is new or out of order`},
		{"no new mutex", "mu: &sync.Mutex{}, ", "", "0 addresses are taken and 1 are planned"},
		{"two new mutexes", "mu: s.mu", "mu: &sync.Mutex{}", "2 addresses are taken and 1 are planned"},
	} {
		p := &proof{
			plan:    &plan.Plan{Mends: []plan.Mend{oneMutexMend(nil)}},
			changes: []rewrite.Change{{File: "m.go", Old: []byte(sinkSource), New: []byte(strings.Replace(sound, tt.from, tt.to, 1))}},
			before:  prog,
			opt:     Options{Load: cfg.Overlaid},
		}
		got := ""
		if failed := evalOrder(p); len(failed) > 0 {
			got = failed[0].message
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
