package rewrite

import (
	"slices"
	"strings"
	"testing"

	"mapmend/plan"
)

// A plan whose places are not what they should be is refused, and leaves nothing behind.
func TestLoweringsAreChecked(t *testing.T) {
	const src = `package p

type S struct {
	m map[string]int
}

func (s *S) f(k string, v int) {
	s.m[k] = v
	s.m[k] += v
	s.m[k] = max(s.m[k], v)
	delete(s.m, k)
	for range s.m {
	}
	println(len(s.m), s.m[k])
	s.m = nil
}

var x = S{m: map[string]int{"a": 1}}
`
	span := func(text string, n int) plan.Span {
		at := -1
		for range n {
			at += 1 + strings.Index(src[at+1:], text)
		}
		return plan.Span{File: "p.go", Start: at, End: at + len(text)}
	}
	sub := func(around plan.Span, text string) plan.Span {
		at := around.Start + strings.Index(src[around.Start:around.End], text)
		return plan.Span{File: "p.go", Start: at, End: at + len(text)}
	}
	type row struct {
		shape    plan.Shape
		accessor string
		place    plan.Span
		args     []string
		typ      string
	}
	rows := []row{
		{plan.ShapeField, "", span("m map[string]int", 1), []string{"map[string]int"}, "T"},
		{plan.ShapeStore, "Store", span("s.m[k] = v", 1), []string{"k", "v"}, ""},
		{plan.ShapeOpAssign, "Update", span("s.m[k] += v", 1), []string{"k", "v"}, "int"},
		{plan.ShapeRenew, "Update", span("s.m[k] = max(s.m[k], v)", 1), []string{"k", "max(s.m[k], v)"}, "int"},
		{plan.ShapeDelete, "Delete", span("delete(s.m, k)", 1), nil, ""},
		{plan.ShapeRange, "Snapshot", span("s.m {", 1), nil, ""},
		{plan.ShapeLen, "Len", span("len(s.m)", 1), nil, ""},
		{plan.ShapeIndex, "Get", span("s.m[k])", 1), []string{"k"}, ""},
		{plan.ShapeReplace, "Replace", span("s.m = nil", 1), []string{"nil"}, ""},
		{plan.ShapeLiteral, "", span(`m: map[string]int{"a": 1}`, 1), []string{`map[string]int{"a": 1}`}, "T"},
	}
	rows[4].args = []string{"k)"} // the last k
	var good []plan.Lowering
	for _, r := range rows {
		l := plan.Lowering{Span: r.place, Shape: r.shape, Accessor: r.accessor, Map: sub(r.place, "s.m"), Type: r.typ, Name: "old"}
		if r.shape == plan.ShapeRange {
			l.End -= 2
		}
		if r.shape == plan.ShapeIndex {
			l.End--
		}
		if r.accessor == "" {
			l.Map = sub(r.place, "m")
		}
		for _, a := range r.args {
			s := sub(r.place, a)
			if a == "v" {
				s.Start, s.End = r.place.End-1, r.place.End
			}
			s.End = s.Start + len(strings.TrimSuffix(a, ")")) + strings.Count(a, "(")
			l.Args = append(l.Args, s)
		}
		if r.shape == plan.ShapeRenew {
			l.Old = sub(l.Args[1], "s.m[k]")
		}
		good = append(good, l)
	}
	prog := program(t, "p.go", src)
	mend := func(lowered []plan.Lowering) plan.Mend {
		return plan.Mend{
			Var: plan.Var{Package: "example.com/m", Owner: "S", Field: "m"}, Form: plan.RWMutex, Decl: rows[0].place, Lowered: lowered,
			Wrapper: &plan.Wrapper{Name: "T", File: "t_mapmend.go", Package: "p", Key: "string", Value: "int", Accessors: []string{"Get"}, GoVersion: "1.22"},
		}
	}
	changes, refused := Rewrite(prog, &plan.Plan{Mends: []plan.Mend{mend(good)}})
	if len(refused) > 0 || len(changes) != 2 {
		t.Fatalf("%d changes, refused %v; want 2 changes", len(changes), refused)
	}
	for _, want := range []string{"m T\n", "s.m.Store(k, v)\n", "{ return old + v, true })\n", "{ return max(old, v), true })\n", "\ts.m.Delete(k)\n", "range s.m.Snapshot() {",
		"println(s.m.Len(), s.m.Get(k))", "s.m.Replace(nil)\n", `S{m: T{m: map[string]int{"a": 1}}}`} {
		if !strings.Contains(string(changes[0].New), want) {
			t.Errorf("%q is not in\n%s", want, changes[0].New)
		}
	}
	for i := range good {
		for name, spoil := range map[string]func(*plan.Lowering){
			"place": func(l *plan.Lowering) { l.Start++ },
			"map": func(l *plan.Lowering) {
				if l.Map.Start++; l.Accessor == "" {
					l.Start++
				}
			},
			"operand":  func(l *plan.Lowering) { l.Args = append(slices.Clone(l.Args), l.Map) },
			"shape":    func(l *plan.Lowering) { l.Shape = "fly" },
			"accessor": func(l *plan.Lowering) { l.Accessor = map[bool]string{true: "Fly"}[l.Accessor == ""] },
		} {
			bad := slices.Clone(good)
			spoil(&bad[i])
			changes, refused := Rewrite(prog, &plan.Plan{Mends: []plan.Mend{mend(bad)}})
			if len(changes) != 0 || len(refused) != 1 || refused[0].Code != plan.NotProved {
				t.Errorf("%s with another %s: %d changes, refused %v", good[i].Shape, name, len(changes), refused)
			}
		}
	}
}
