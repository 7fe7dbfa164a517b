package region

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"testing"
)

// Values are strict if no two of them, whatever they hold, make a comparison panic.
func TestIsStrict(t *testing.T) {
	checkTypes(t, IsStrict, map[string]bool{
		"string": true, "float64": true, "complex128": true, "*any": true, "chan any": true, "[3]string": true, "struct{ a int; b [2]*any }": true, "plain": true, "struct{}": true,
		"any": false, "error": false, "[2]any": false, "[0]any": false, "struct{ a int; b any }": false, "struct{ _ any }": false, "named": false, "struct{ n named }": false, "unsafe.Pointer": true,
		"[]int": false, "map[int]int": false, "func()": false, "struct{ a []int }": false,
		"K": false, "S": true, "M": false, "struct{ k K }": false, "[1]S": true, "*K": true,
	})
}

// Values are reflexive if each, whatever it holds, is equal to itself.
func TestIsReflexive(t *testing.T) {
	checkTypes(t, IsReflexive, map[string]bool{
		"string": true, "uintptr": true, "bool": true, "*float64": true, "chan float64": true, "[3]string": true, "struct{ a int; b *any }": true, "plain": true, "unsafe.Pointer": true,
		"float32": false, "complex64": false, "any": false, "error": false, "[2]float64": false, "struct{ a int; b complex128 }": false, "[1]struct{ x [2]named }": false, "named": false,
		"K": false, "S": true, "M": false, "F": false, "struct{ k K }": false, "[1]S": true, "*K": true,
	})
}

// checkTypes checks what is says of the types that are written in wants.
func checkTypes(t *testing.T, is func(types.Type) bool, wants map[string]bool) {
	t.Helper()
	for text, want := range wants {
		src := "package p\n\nimport \"unsafe\"\n\nvar _ unsafe.Pointer\n\ntype plain struct{ x int }\n\ntype named interface{ m() }\n\nfunc f[K comparable, S ~string | ~[2]int, M string | any, F int | ~float64](x " + text + ") {}\n"
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "p.go", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		conf := types.Config{Importer: importer.Default()}
		pkg, err := conf.Check("p", fset, []*ast.File{file}, nil)
		if err != nil {
			t.Fatal(err)
		}
		x := pkg.Scope().Lookup("f").Type().(*types.Signature).Params().At(0)
		if got := is(x.Type()); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
