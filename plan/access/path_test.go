package access

import (
	"reflect"
	"slices"
	"testing"
)

func TestSteps(t *testing.T) {
	for _, tt := range []struct {
		sel  string
		want []string
	}{
		{"", nil},
		{".a", []string{".a"}},
		{".a[].b", []string{".a", "[]", ".b"}},
		{"[][]", []string{"[]", "[]"}},
	} {
		var got []string
		for rest := tt.sel; rest != ""; rest = rest[len(FirstStep(rest)):] {
			got = append(got, FirstStep(rest))
		}
		if !slices.Equal(got, tt.want) || CountSteps(tt.sel) != len(tt.want) {
			t.Errorf("the steps of %q are %q, and %d; want %q", tt.sel, got, CountSteps(tt.sel), tt.want)
		}
	}
}

func TestCommonPrefix(t *testing.T) {
	for _, tt := range [][5]string{
		{".a.b", ".a.c", ".a", ".b", ".c"},
		{".ab", ".a", "", ".ab", ".a"}, // whole steps only
		{".a", ".a.mu", ".a", "", ".mu"},
		{"", ".mu", "", "", ".mu"},
	} {
		common, a, b := CommonPrefix(tt[0], tt[1])
		if common != tt[2] || a != tt[3] || b != tt[4] {
			t.Errorf("CommonPrefix(%q, %q) = %q, %q, %q, want %q", tt[0], tt[1], common, a, b, tt[2:])
		}
	}
}

// A path that grows for ever stops growing, and keeps its root.
func TestStepBound(t *testing.T) {
	p := Path{Root: Root{Kind: Param}}
	for range 100 {
		p = p.Field("next")
	}
	if q := p.Field("next"); q != p || p.Root.Kind != Param {
		t.Errorf("%v grows to %v", p, q)
	}
}

// A callee's path in terms of its caller: a field of an argument, a map that is the argument, and what
// cannot be told.
func TestSubst(t *testing.T) {
	s := Path{Root: Root{Kind: Param, Index: 1}}
	field := Var{Package: "p", Owner: "S", Field: "m"}
	args := []Ref{{Path: s}, {Path: s.Field("m"), Var: field}}
	arg := func(i int) Path { return Path{Root: Root{Kind: Param, Index: i}} }
	for _, tt := range []struct {
		name string
		in   Ref
		want Ref
	}{
		{"field of an argument", Ref{Path: arg(0).Field("m"), Var: field}, Ref{Path: s.Field("m"), Var: field}},
		{"the argument itself", Ref{Path: arg(1)}, Ref{Path: s.Field("m"), Var: field}},
		{"an element of it", Ref{Path: arg(1).Elem(), Depth: 1}, Ref{Path: s.Field("m").Elem(), Var: field, Depth: 1}},
		{"an argument that is not known", Ref{Path: arg(7)}, Ref{}},
	} {
		if got := (Binding{Params: args}).Ref(tt.in); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestAbove(t *testing.T) {
	root := Root{Kind: Param}
	for _, tt := range []struct {
		p, q string
		want bool
	}{
		{".a", ".a.m", true},
		{".a", ".a[]", true},
		{".a", ".ab.m", false}, // whole steps only
		{".a", ".a", false},    // the map itself
		{".a.m", ".a", false},
		{"", ".m", false}, // a field of the root
		{"", ".a.m", true},
	} {
		p, q := Path{root, tt.p}, Path{root, tt.q}
		if got := p.Above(q); got != tt.want {
			t.Errorf("(%q).Above(%q) is %t, want %t", tt.p, tt.q, got, tt.want)
		}
		if (Path{Root{Kind: Free}, tt.p}).Above(q) {
			t.Errorf("(%q).Above(%q) is true for two roots", tt.p, tt.q)
		}
	}
}
