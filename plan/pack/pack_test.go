package pack

import (
	"bytes"
	"go/token"
	"reflect"
	"strings"
	"testing"
)

type tree struct {
	Name  string
	Leaf  bool
	Depth int
	Size  uint16
	Pos   token.Pos
	Kids  []tree
	Up    *tree
	Sum   [3]byte
	Data  []byte
	Names map[string][]int
	At    map[key]token.Pos
}

type key struct {
	A string
	B int8
}

// place and pos stand for two files: a from position 1 on, b from 100 on.
func place(p token.Pos) (string, int, bool) {
	switch {
	case p >= 1000:
		return "", 0, false
	case p >= 100:
		return "b", int(p) - 100, true
	}
	return "a", int(p) - 1, true
}

// moved is what place was told of in a run in which b comes first.
func moved(file string, offset int) (token.Pos, bool) {
	if file == "b" {
		return token.Pos(1 + offset), true
	}
	return token.Pos(5000 + offset), true
}

func samePlace(file string, offset int) (token.Pos, bool) {
	if file == "b" {
		return token.Pos(100 + offset), true
	}
	return token.Pos(1 + offset), true
}

func some() tree {
	return tree{
		Name: "root", Depth: -7, Size: 60000, Pos: 1, Sum: [3]byte{0, 200, 1}, Data: []byte("bytes\xff"),
		Kids:  []tree{{}, {Name: "kid", Leaf: true, Kids: []tree{}, Data: []byte{}, Names: map[string][]int{}}, {Name: "root", Up: &tree{}}},
		Up:    &tree{Name: "up", Pos: 123},
		Names: map[string][]int{"": nil, "one": {1}, "none": {}, "\xff": {3, -1}},
		At:    map[key]token.Pos{{"x", -1}: 7, {"x", 1}: 0, {"a", 0}: 105},
	}
}

// TestRoundTrip checks that what comes back is deeply equal, nil and empty told apart.
func TestRoundTrip(t *testing.T) {
	want := some()
	data, err := Marshal(want, place)
	if err != nil {
		t.Fatal(err)
	}
	var got tree
	if err := Unmarshal(data, &got, samePlace); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for range 20 {
		if again, err := Marshal(some(), place); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("equal values have different bytes: %v", err)
		}
	}
}

// TestPositions checks that positions are where they were in the files, wherever those are now.
func TestPositions(t *testing.T) {
	data, err := Marshal(some(), place)
	if err != nil {
		t.Fatal(err)
	}
	var got tree
	if err := Unmarshal(data, &got, moved); err != nil {
		t.Fatal(err)
	}
	if got.Pos != 5000 || got.Up.Pos != 24 || got.Kids[0].Pos != token.NoPos || got.At[key{"a", 0}] != 6 {
		t.Errorf("got %d, %d, %d and %v", got.Pos, got.Up.Pos, got.Kids[0].Pos, got.At)
	}
}

// TestNotPlain checks that what cannot be written is an error, also where it is nil.
func TestNotPlain(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{struct{ a int }{}, "not exported"},
		{[]struct{ A func() }{{}}, "no plain data"},
		{struct{ A []*any }{}, "no plain data"},
		{map[string]chan int{"": nil}, "no plain data"},
		{1.5, "no plain data"},
		{token.Pos(1000), "nowhere"},
	} {
		if _, err := Marshal(test.value, place); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%T: got %v, want %q", test.value, err, test.want)
		}
	}
	if _, err := Marshal(token.Pos(1), nil); err == nil {
		t.Error("a position is written though nobody says where it is")
	}
}

// TestDamaged checks that no other bytes make it panic, allocate without bounds, or pass as a whole when they are cut off.
func TestDamaged(t *testing.T) {
	data, err := Marshal(some(), place)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		if err := Unmarshal(data[:i], new(tree), samePlace); err == nil {
			t.Errorf("what is cut off at %d is read", i)
		}
		for _, b := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			other := bytes.Clone(data)
			other[i] = b
			_ = Unmarshal(other, new(tree), samePlace) // may be another value
		}
	}
	if err := Unmarshal(append(bytes.Clone(data), 0), new(tree), samePlace); err == nil {
		t.Error("what is too long is read")
	}
	nowhere := func(string, int) (token.Pos, bool) { return token.NoPos, false }
	if err := Unmarshal(data, new(tree), nowhere); err == nil {
		t.Error("a position in no file is read")
	}
}

func FuzzUnmarshal(f *testing.F) {
	data, err := Marshal(some(), place)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		var got tree
		if Unmarshal(data, &got, samePlace) != nil {
			return
		}
		again, err := Marshal(got, place)
		if err != nil {
			return // a position that is nowhere
		}
		var same tree
		if err := Unmarshal(again, &same, samePlace); err != nil || !reflect.DeepEqual(got, same) {
			t.Errorf("%+v became %+v: %v", got, same, err)
		}
	})
}
