package verify

import (
	"bytes"
	"fmt"
	"go/format"
	"math/rand/v2"
	"strings"
	"testing"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
)

// A listing is where a list stands, %s, and what it is a list of.
type listing struct {
	around string
	of     []string
	before []string // comments that may stand before an element on its line
}

// listings returns lists of every kind.
func listings() []listing {
	var (
		stmts = []string{"g(1)", "s.m[k] = 1", "s.m[k]++", "g(2)", "if y {\ng(3) // in\n}", "switch y {\ncase 1:\ng(4) // in\n}",
			"x := T{\n1, // in\n}", "x := `raw \n raw`", "go func() { g(5) /* in */ }()", "M:\nfor {\ng(6)\n}"}
		fields = []string{"m map[string]int", "a, b map[K]V `json:\"m\"`", "t T", "f func(\na int, // in\n)", "u struct{ n map[int]int }", "*V"}
		none   = []string{""} // below another comment gofmt gives such a one its own line when a mutex comes before
		before = []string{"", "", "/* l */ ", "/* l\n l2 */ "}
		vars   = []string{"m = map[string]int{}", "a, b map[K]V", "c = T{\n1, // in\n}", "d int"}
	)
	list := []listing{
		{"type S struct {%s}\n", fields, none},
		{"type (\nS struct {%s}\nT int // t\n)\n", fields, none},
		{"var (%s)\n", vars, none},
		{"func f() {\ng(0)\nvar (%s)\n}\n", vars, none},
	}
	for _, around := range []string{
		"func f() {%s}\n",
		"func f() int {%s\nreturn 1\n}\n",
		"func f() {\nif x {%s}\n}\n",
		"func f() {\nif x {\n} else {%s} // behind\n}\n",
		"func f() {\nfor range x {%s}\ng(0)\n}\n",
		"func f() {\nL:\nfor {%s}\n}\n",
		"func f() {\n{%s}\n}\n",
		"func f() {\nswitch x {\ncase 1:%scase 2: // two\ng(0)\n}\n}\n",
		"func f() {\nswitch x {\ncase 1:\ng(0) // one\n// at case\ncase 2:%s}\n}\n",
		"func f() {\nswitch y := x.(type) {\ncase int:%s// at default\ndefault:\n}\n}\n",
		"func f() {\nselect {\ncase x := <-c:%scase c <- 1:\n}\n}\n",
		"func f() {\nselect {\ndefault:%s}\n}\n",
		"func f() {\ng(func() {%s}, 1 /* one */)\n}\n",
		"func f() {\nswitch {\ncase x:\nswitch {\ncase y:%s}\n// inner\n}\n// outer\n}\n",
	} {
		list = append(list, listing{around, stmts, before})
	}
	return list
}

// Comments of every style before, behind and between three elements of every kind of list, a mutex among them
// and sections of every reach.
func TestLayouts(t *testing.T) {
	var (
		behind = []string{"", " // b", " //nolint:b", " /* b */", " /* b */ // c", " /* b\n b2 */", " /* b\n b2 */ // c"}
		own    = []string{"", "// o\n", "//nolint:o\n", "/* o */\n", "/* o\n o2 */\n", "\n", "\n// o\n", "// o\n\n", "/* o */\n\n// p\n", "// o\n\n// p\n\n/* q */\n"}
	)
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	places, carried, count := listings(), 0, 1500
	if testing.Short() {
		count = 400
	}
	for n := range count {
		var list strings.Builder
		list.WriteString(pick(behind) + "\n")
		place := places[n%len(places)]
		first := r.IntN(len(place.of))
		for i := range 3 {
			list.WriteString(pick(own) + pick(place.before) + place.of[(first+i)%len(place.of)] + pick(behind) + "\n")
		}
		list.WriteString(pick(own))
		src := []byte("package p\n\n" + fmt.Sprintf(place.around, list.String()))
		if n%5 > 0 {
			var err error
			if src, err = format.Source(src); err != nil {
				t.Fatalf("%v\n%s", err, src)
			}
		}
		f, err := parseFile(src)
		if err != nil {
			t.Fatalf("%v\n%s", err, src)
		}
		mends := everyMend(f, "p.go")
		file := &load.File{Name: "p.go", Abs: "/p.go", Src: src}
		prog := &load.Program{Packages: []*load.Package{{Path: "p", Module: "p", Files: []*load.File{file}, Writable: true}}}
		for i := range mends {
			p := &plan.Plan{Mends: mends[i : i+1]}
			changes, refused := rewrite.Rewrite(prog, p)
			if len(refused) > 0 {
				continue
			}
			carried++
			if s := p.Mends[0].Sections; len(s) > 0 && !s[0].Defer && n%5 > 0 {
				want := 2
				if pageOf(src).isShared(s[0].Span) {
					want = 4 // a literal of one line
				}
				if got := bytes.Count(changes[0].New, []byte("\n")) - bytes.Count(src, []byte("\n")); got != want {
					t.Errorf("%d lines more, want %d:\n%s\nbecomes\n%s", got, want, src, changes[0].New)
				}
			}
			pr := &proof{plan: p, changes: changes}
			for _, inv := range invariants[:5] {
				for _, fail := range inv.check(pr) {
					t.Errorf("%s:%d: %s\n%s\nbecomes\n%s", inv.name, fail.pos.Line, fail.message, src, changes[0].New)
				}
			}
		}
	}
	if carried < count {
		t.Errorf("%d mends were carried out, want more to look at", carried)
	}
	t.Logf("%d mends carried out", carried)
}
