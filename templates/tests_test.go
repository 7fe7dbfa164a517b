package templates

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"math/rand"
	"slices"
	"strings"
	"testing"
)

// tested is what most tests here render.
func tested(accessors ...string) Tests {
	return Tests{
		Type:    Type{Variable: "example.com/m.owner.field", Package: "m", Name: "ownerFieldMap", Key: "string", Value: "int", KeyKind: "string", Reflexive: true, StrictKey: true, StrictValue: true, Accessors: accessors, GoVersion: "1.23"},
		MakeKey: "strconv.Itoa(i)", Keys: 1000, FuzzKey: "string", MakeValue: "i", Values: 1000, Same: "equal",
	}
}

// The tests are Go whatever the accessors are, with values that can be told apart or not: nothing is declared and not used, and
// nothing imported.
func TestTestsOfAnyAccessors(t *testing.T) {
	fset := token.NewFileSet()
	imp := importer.ForCompiler(fset, "source", nil)
	sets := [][]string{slices.Clone(accessors)}
	for i, a := range accessors {
		sets = append(sets, []string{a})
		for _, b := range accessors[:i] {
			sets = append(sets, []string{b, a})
		}
	}
	r := rand.New(rand.NewSource(1))
	for range 100 {
		set := slices.DeleteFunc(slices.Clone(accessors), func(string) bool { return r.Intn(2) == 0 })
		sets = append(sets, set)
	}
	for i, set := range sets {
		tests := tested(set...)
		tests.Imports = []Import{{Path: "strconv"}}
		if i%2 == 1 {
			tests.Value, tests.MakeValue, tests.Values, tests.Same = "struct{}", "struct{}{}", 1, ""
		}
		if i%3 == 1 && !slices.Contains(set, "All") {
			tests.GoVersion = "1.18"
		}
		var files []*ast.File
		typ := tests.Type
		typ.Imports = nil
		src, err := Render("rwmutex", typ)
		if err != nil {
			t.Fatal(err)
		}
		rendered, err := RenderTests(tests)
		if err != nil {
			t.Fatal(err)
		}
		for name, src := range map[string][]byte{"m.go": src, "m_test.go": rendered} {
			f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		conf := types.Config{Importer: imp, GoVersion: "go" + tests.GoVersion, Error: func(err error) { t.Errorf("%v: %v", set, err) }}
		if conf.Check("m", fset, files, nil); t.Failed() {
			t.Fatalf("%s", rendered)
		}
	}
}

// A type that is named like a variable of the tests would mean the variable there. What is named in a struct type or selected does not.
func TestTestsNames(t *testing.T) {
	for typ, want := range map[string]string{
		"ops":                       "ops is named like a variable of the tests",
		"map[string][]want":         "want is named like a variable of the tests",
		"struct{ ops, want int }":   "",
		"interface{ ops() }":        "",
		"p.ops":                     "",
		"func(t int) (x error)":     "",
		"func(t) error":             "t is named like a variable of the tests",
		"goroutines.T":              "goroutines is named like a variable of the tests",
		"struct{ f func(n) error }": "n is named like a variable of the tests",
	} {
		tests := tested("Load", "Store")
		tests.Value = typ
		if _, err := RenderTests(tests); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: error %v, want %q", typ, err, want)
		}
	}
}

// What gofmt breaks into lines is formatted, too.
func TestTestsFormatted(t *testing.T) {
	tests := tested("Load", "Store", "Update")
	tests.Value, tests.MakeValue = "struct{ a int; b []byte }", "struct{ a int; b []byte }{a: i}"
	src, err := RenderTests(tests)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := format.Source(src); err != nil || !bytes.Equal(out, src) {
		t.Errorf("gofmt changes\n%s\nto\n%s\nerror %v", src, out, err)
	}
}

func TestTestsErrors(t *testing.T) {
	if _, err := RenderTests(tested("Load", "Fly")); err == nil || !strings.Contains(err.Error(), `no accessor "Fly" to test`) {
		t.Errorf("error %v", err)
	}
	tests := tested("Load")
	tests.Key = "]"
	if _, err := RenderTests(tests); err == nil || !strings.Contains(err.Error(), "no Go") {
		t.Errorf("error %v", err)
	}
}

// Values are compared by the part that a path leads to, and slices on the way may be empty.
func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		path []string
		same string
		want string
	}{
		{nil, "equal", "return a == b"},
		{[]string{".f", "[0]"}, "equal", "return a.f[0] == b.f[0]"},
		{[]string{"[]", ".f"}, "length", "if len(a) == 0 || len(b) == 0 { return len(a) == len(b) }\nreturn len(a[0].f) == len(b[0].f)"},
		{[]string{".g"}, "call", "return tNumber(a.g) == tNumber(b.g)"},
		{nil, "", "return true"},
	} {
		if got := (Tests{Type: Type{Name: "t"}, Path: tt.path, Same: tt.same}).Compare(); got != tt.want {
			t.Errorf("%s by %q: %s, want %s", fmt.Sprint(tt.path), tt.same, got, tt.want)
		}
	}
}
