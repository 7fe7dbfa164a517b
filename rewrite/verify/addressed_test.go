package verify

import (
	"strings"
	"testing"

	"mapmend/plan"
	"mapmend/rewrite"
)

const boxedSource = `package m

type loader interface{ load() int }

type file struct{ m map[string]int }

func (f file) load() int { return len(f.m) }

var l loader = file{m: make(map[string]int)}

func size() int { return len(l.(file).m) }
`

// addressedMend returns the mend that makes pointers of the value in the interface, but for changes.
func addressedMend(change func(*plan.Mend)) plan.Mend {
	at := func(text string, skip int) plan.Span {
		i := strings.Index(boxedSource, text) + skip
		return plan.Span{File: "m.go", Start: i, End: i + len("file")}
	}
	lit := at("file{m: make", 0)
	lit.End = lit.Start + len("file{m: make(map[string]int)}")
	m := plan.Mend{
		Var:       plan.Var{Package: "example.com/m", Owner: "file", Field: "m"},
		Form:      plan.Lock,
		Receivers: []plan.Receiver{{Span: at("(f file", len("(f ")), Method: "load"}},
		Addressed: []plan.Span{lit},
		Asserted:  []plan.Span{at("l.(file)", len("l.("))},
	}
	if change != nil {
		change(&m)
	}
	return m
}

// TestAddressed checks what is written for literals and assertions, and that altered plans are not.
func TestAddressed(t *testing.T) {
	prog, _ := module(t, map[string]string{"m.go": boxedSource})
	want := strings.NewReplacer("(f file)", "(f *file)", "= file{", "= &file{", "l.(file)", "l.(*file)").Replace(boxedSource)
	changes, refused := rewrite.Rewrite(prog, &plan.Plan{Mends: []plan.Mend{addressedMend(nil)}})
	if len(refused) > 0 || len(changes) != 1 || string(changes[0].New) != want {
		t.Errorf("refused %v, changes %v", refused, changes)
	}
	for name, change := range map[string]func(*plan.Mend){
		"no literal": func(m *plan.Mend) { m.Addressed[0].Start++ },
		"no assertion": func(m *plan.Mend) {
			m.Asserted = []plan.Span{{File: "m.go", Start: m.Receivers[0].Start, End: m.Receivers[0].End}}
		},
		"another file":  func(m *plan.Mend) { m.Addressed[0].File = "n.go" },
		"another place": func(m *plan.Mend) { m.Asserted[0].End++ },
	} {
		if changes, refused := rewrite.Rewrite(prog, &plan.Plan{Mends: []plan.Mend{addressedMend(change)}}); len(changes) > 0 || len(refused) != 1 {
			t.Errorf("%s: changes %v, refused %v", name, changes, refused)
		}
	}
}

// TestAddressedProof checks that neither an address nor a pointer more than planned is let pass, nor one less.
func TestAddressedProof(t *testing.T) {
	prog, cfg := module(t, map[string]string{"m.go": boxedSource})
	sound := strings.NewReplacer("(f file)", "(f *file)", "= file{", "= &file{", "l.(file)", "l.(*file)").Replace(boxedSource)
	for _, tt := range []struct {
		name, from, to string
		change         func(*plan.Mend)
		check          func(*proof) []failure
		want           string
	}{
		{name: "sound", check: evalOrder},
		{name: "sound", check: receivers},
		{name: "an address that is not planned", change: func(m *plan.Mend) { m.Addressed = nil }, check: evalOrder, want: `"&" is new or out of order`},
		{name: "an address that is not taken", from: "= &file{", to: "= file{", check: evalOrder, want: "0 addresses are taken and 1 are planned"},
		{name: "a pointer that is not planned", change: func(m *plan.Mend) { m.Asserted = nil }, check: receivers, want: "a pointer in the body of size is new or lost"},
		{name: "a pointer that is not there", from: "l.(*file)", to: "l.(file)", check: receivers, want: "a pointer in the body of size is new or lost"},
	} {
		p := &proof{
			plan:    &plan.Plan{Mends: []plan.Mend{addressedMend(tt.change)}},
			changes: []rewrite.Change{{File: "m.go", Old: []byte(boxedSource), New: []byte(strings.Replace(sound, tt.from, tt.to, 1))}},
			before:  prog,
			opt:     Options{Load: cfg.Overlaid},
		}
		if err := p.ready(loaded); err != nil {
			t.Fatal(err)
		}
		got := ""
		if failed := tt.check(p); len(failed) > 0 {
			got = failed[0].message
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
