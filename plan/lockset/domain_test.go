package lockset

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"mapmend/plan/access"
)

// path returns one of a few paths.
func path(r *rand.Rand) access.Path {
	return access.Path{Root: access.Root{Kind: access.Param, Index: r.IntN(2)}, Sel: []string{".a", ".b", ".c.d"}[r.IntN(3)]}
}

func someSet(r *rand.Rand) Set {
	var s Set
	for range r.IntN(5) {
		s = s.With(Held{Path: path(r), Mode: Mode(1 + r.IntN(2))})
	}
	return s
}

// holds reports whether s claims at least what t claims.
func holds(s, t Set) bool {
	for _, h := range t {
		if o, ok := s.Find(h.Path); !ok || o.Mode < h.Mode {
			return false
		}
	}
	return true
}

// TestLattice checks the laws of Join and Union on random sets: each is commutative, associative and
// idempotent, Join claims no more than either side and Union no less.
func TestLattice(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		a, b, c := someSet(r), someSet(r), someSet(r)
		same := func(what string, x, y Set) {
			t.Helper()
			if len(x)+len(y) > 0 && !reflect.DeepEqual(x, y) {
				t.Fatalf("%s: %v and %v, from %v, %v, %v", what, x, y, a, b, c)
			}
		}
		same("join commutes", Join(a, b), Join(b, a))
		same("join is associative", Join(a, Join(b, c)), Join(Join(a, b), c))
		same("join is idempotent", Join(a, a), a)
		same("union commutes", Union(a, b), Union(b, a))
		same("union is associative", Union(a, Union(b, c)), Union(Union(a, b), c))
		same("absorption", Join(a, Union(a, b)), a)
		if !holds(a, Join(a, b)) || !holds(b, Join(a, b)) {
			t.Fatalf("join of %v and %v claims more than they do", a, b)
		}
		if !holds(Union(a, b), a) || !holds(Union(a, b), b) {
			t.Fatalf("union of %v and %v claims less than they do", a, b)
		}
		if !slices.IsSortedFunc(a, func(x, y Held) int { return comparePaths(x.Path, y.Path) }) {
			t.Fatalf("not sorted: %v", a)
		}
	}
}

// TestSetsStay checks that With and Without leave their receiver as it was.
func TestSetsStay(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		s := someSet(r)
		before := slices.Clone(s)
		h := Held{Path: path(r), Mode: Write}
		with, without := s.With(h), s.Without(h.Path)
		if !slices.Equal(s, before) {
			t.Fatalf("changed in place: %v, was %v", s, before)
		}
		if _, ok := with.Find(h.Path); !ok {
			t.Fatalf("%v lacks %v", with, h)
		}
		if _, ok := without.Find(h.Path); ok {
			t.Fatalf("%v still has %v", without, h.Path)
		}
	}
}

// TestUnder checks what a callee's release does to the locks of its caller.
func TestUnder(t *testing.T) {
	mu := access.Path{Root: access.Root{Kind: access.Param}, Sel: ".mu"}
	s := access.Path{Root: access.Root{Kind: access.Param, Index: 1}}
	args := []access.Ref{{Path: s}}
	caller := Point{Held: Set{}.With(Held{Path: s.Field("mu"), Mode: Write})}
	for _, tt := range []struct {
		name   string
		callee Point
		held   int
	}{
		{"nothing", Point{}, 1},
		{"the callee gave it back", Point{Released: []access.Path{mu}}, 0},
		{"and took it again", Point{Released: []access.Path{mu}, Held: Set{}.With(Held{Path: mu, Mode: Write})}, 1},
	} {
		if got := tt.callee.Under(caller, access.Binding{Params: args}); len(got.Held) != tt.held {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
