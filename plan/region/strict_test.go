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
	for text, want := range map[string]bool{
		"string": true, "float64": true, "complex128": true, "*any": true, "chan any": true, "[3]string": true, "struct{ a int; b [2]*any }": true, "plain": true, "struct{}": true,
		"any": false, "error": false, "[2]any": false, "[0]any": false, "struct{ a int; b any }": false, "struct{ _ any }": false, "named": false, "struct{ n named }": false, "unsafe.Pointer": true,
		"[]int": false, "map[int]int": false, "func()": false, "struct{ a []int }": false,
		"K": false, "S": true, "M": false, "struct{ k K }": false, "[1]S": true, "*K": true,
	} {
		src := "package p\n\nimport \"unsafe\"\n\nvar _ unsafe.Pointer\n\ntype plain struct{ x int }\n\ntype named interface{ m() }\n\nfunc f[K comparable, S ~string | ~[2]int, M string | any](x " + text + ") {}\n"
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
		if got := IsStrict(x.Type()); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
