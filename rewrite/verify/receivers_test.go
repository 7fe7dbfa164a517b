package verify

import (
	"strings"
	"testing"

	"mapmend/plan"
	"mapmend/rewrite"
)

const valued = `package m

import "sync"

type s[K comparable] struct {
	mu sync.Mutex
	m  map[K]*int
}

func (s s[K]) get(k K) int { // remark
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.m[k]
}

func (_ s[K]) two() int { return 2 }

func (s[K]) wait(ch chan int) { <-ch }
`

// receiversOf returns the mend that makes all receivers of valued pointers, but for changes to the spans.
func receiversOf(change func([]plan.Receiver) []plan.Receiver) plan.Mend {
	m := plan.Mend{Var: plan.Var{Package: "example.com/m", Owner: "s", Field: "m"}, Form: plan.Lock}
	for _, method := range []string{"get", "two", "wait"} {
		end := strings.Index(valued, ") "+method+"(")
		m.Receivers = append(m.Receivers, plan.Receiver{Span: plan.Span{File: "m.go", Start: end - len("s[K]"), End: end}, Method: method})
	}
	if change != nil {
		m.Receivers = change(m.Receivers)
	}
	return m
}

// TestRewriteReceivers checks what is written, and that altered plans are not.
func TestRewriteReceivers(t *testing.T) {
	prog, _ := module(t, map[string]string{"m.go": valued})
	want := strings.NewReplacer("(s s[K])", "(s *s[K])", "(_ s[K])", "(_ *s[K])", "(s[K])", "(*s[K])").Replace(valued)
	changes, refused := rewrite.Rewrite(prog, &plan.Plan{Mends: []plan.Mend{receiversOf(nil)}})
	if len(refused) > 0 || len(changes) != 1 || string(changes[0].New) != want {
		t.Errorf("refused %v, changes %v", refused, changes)
	}
	for name, change := range map[string]func(*plan.Receiver){
		"elsewhere":      func(r *plan.Receiver) { r.Start++ },
		"another method": func(r *plan.Receiver) { r.Method = "two" },
		"no receiver": func(r *plan.Receiver) {
			r.Start, r.End = strings.Index(valued, "int {"), strings.Index(valued, " { // remark")
		},
		"no file": func(r *plan.Receiver) { r.File = "n.go" },
	} {
		m := receiversOf(func(list []plan.Receiver) []plan.Receiver { change(&list[0]); return list })
		if changes, refused := rewrite.Rewrite(prog, &plan.Plan{Mends: []plan.Mend{m}}); len(changes) > 0 || len(refused) != 1 {
			t.Errorf("%s: changes %v, refused %v", name, changes, refused)
		}
	}
}

// The invariant on receivers, against results and plans that ours should not make.
func TestReceivers(t *testing.T) {
	prog, cfg := module(t, map[string]string{"m.go": valued, "n.go": "package m\n\nfunc copies(a *s[int]) {\n\tb := *a\n\t_ = b.m\n}\n"})
	sound := strings.NewReplacer("(s s[K])", "(s *s[K])", "(_ s[K])", "(_ *s[K])", "(s[K])", "(*s[K])")
	tests := []struct {
		name     string
		from, to string // replaced in the result
		change   func([]plan.Receiver) []plan.Receiver
		copied   bool // n.go copies the owner still
		want     string
	}{
		{name: "fine"},
		{name: "one stays", from: "(_ *s[K])", to: "(_ s[K])", want: "the receiver or signature of two changed otherwise than planned"},
		{name: "one is not planned", change: func(list []plan.Receiver) []plan.Receiver { return list[1:] }, want: "the receiver or signature of get changed otherwise than planned"},
		{name: "one stays as planned", from: "(_ *s[K])", to: "(_ s[K])", change: func(list []plan.Receiver) []plan.Receiver { return append(list[:1], list[2]) }, want: "the method two of s has a value receiver still"},
		{name: "one of another method", change: func(list []plan.Receiver) []plan.Receiver { list[0].Method = "two"; return list }, want: "the planned receiver is that of another method"},
		{name: "one of none", change: func(list []plan.Receiver) []plan.Receiver {
			return append(list, plan.Receiver{Span: plan.Span{File: "m.go", Start: 1, End: 2}})
		}, want: "a planned receiver is that of no method"},
		{name: "a parameter", from: "get(k K)", to: "get(k *K)", want: "the receiver or signature of get changed otherwise than planned"},
		{name: "a result", from: "two() int {", to: "two() *int {", want: "the receiver or signature of two changed otherwise than planned"},
		{name: "a pointer in a body", from: "return *s.m[k]", to: "return **s.m[k]", want: "a pointer in the body of get is new or lost"},
		{name: "a copy", copied: true, want: "assignment copies lock value to b: example.com/m.s[int] contains sync.Mutex"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := sound.Replace(valued)
			if tt.from != "" && strings.Count(text, tt.from) != 1 {
				t.Fatalf("%q is there %d times", tt.from, strings.Count(text, tt.from))
			}
			text = strings.Replace(text, tt.from, tt.to, 1)
			p := &proof{
				plan:    &plan.Plan{Mends: []plan.Mend{receiversOf(tt.change)}},
				changes: []rewrite.Change{{File: "m.go", Old: []byte(valued), New: []byte(text)}},
				before:  prog,
				opt:     Options{Load: cfg.Overlaid},
			}
			if !tt.copied {
				p.changes = append(p.changes, rewrite.Change{File: "n.go", New: []byte("package m\n"), Create: true})
			}
			if err := p.ready(loaded); err != nil {
				t.Fatal(err)
			}
			var got string
			if failed := receivers(p); len(failed) > 0 {
				got = failed[0].message
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A method that locks may not wait once the lock is one that others wait for.
func TestReceiverWaits(t *testing.T) {
	for body, want := range map[string]string{
		"s.mu.Lock(); defer s.mu.Unlock(); <-ch": "the method get holds a receive",
		"s.mu.Lock(); ch <- 1; s.mu.Unlock()":    "the method get holds a send",
		"<-ch":                                   "",
	} {
		src := "package m\n\nimport \"sync\"\n\ntype s struct{ mu sync.Mutex }\n\nfunc (s s) get(ch chan int) { " + body + " }\n"
		prog, cfg := module(t, map[string]string{"m.go": src})
		at := strings.Index(src, "s s)") + 2
		p := &proof{
			plan: &plan.Plan{Mends: []plan.Mend{{Var: plan.Var{Package: "example.com/m", Owner: "s", Field: "m"}, Form: plan.Lock,
				Receivers: []plan.Receiver{{Span: plan.Span{File: "m.go", Start: at, End: at + 1}, Method: "get"}}}}},
			changes: []rewrite.Change{{File: "m.go", Old: []byte(src), New: []byte(strings.Replace(src, "s s)", "s *s)", 1))}},
			before:  prog,
			opt:     Options{Load: cfg.Overlaid},
		}
		if err := p.ready(loaded); err != nil {
			t.Fatal(err)
		}
		var got string
		if failed := receivers(p); len(failed) > 0 {
			got = failed[0].message
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}
