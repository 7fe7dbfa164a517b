package lockset

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"

	"mapmend/plan/access"
)

// source knows nothing but positions.
type source struct{}

func (source) Naming(token.Pos, int) string                               { return "" }
func (source) Operand(pos token.Pos) token.Pos                            { return pos }
func (source) Declared(t *types.Named, _ *types.Struct) *types.Named      { return t }
func (source) Argument(pos token.Pos, _ *ssa.CallCommon, _ int) token.Pos { return pos }

// A function whose analysis fails, or that is too large, is known by what it mentions, and the others are analysed.
func TestFailed(t *testing.T) {
	const src = `package p

type S struct{ m, n map[string]int }

var g map[string]int

func odd(s *S, k string) { s.m[k]++; g[k] = 1 }

func large(s *S, k string) {
	if k != "" && k != "a" {
		s.n[k]++
	}
}

func plain(s *S) { odd(s, ""); delete(s.n, "") }
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg, _, err := ssautil.BuildPackage(&types.Config{Importer: importer.Default()}, fset, types.NewPackage("p", ""), []*ast.File{file}, 0)
	if err != nil {
		t.Fatal(err)
	}
	visited := make(map[string]bool)
	res := Package(pkg, Config{
		Effect:    func(string) *Effect { return nil },
		Position:  func(pos token.Pos) string { return fset.Position(pos).String() },
		Source:    source{},
		MaxBlocks: 3,
		Visit: func(fn *Func, _ ssa.Instruction, _ View) {
			if fn.Name == "odd" {
				panic("odd")
			}
			visited[fn.Name] = true
		},
	})
	got := make(map[string]string)
	mentions := make(map[string][]access.Var)
	for _, b := range res.Bodies {
		if b.Failed != "" {
			got[b.Name], mentions[b.Name] = b.Failed, b.Mentions
		}
	}
	want := map[string]string{"odd": "its analysis failed, please report: odd", "large": "it has 4 basic blocks, more than 3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("not analysed (-want +got):\n%s", diff)
	}
	wantMentions := map[string][]access.Var{
		"odd":   {{Package: "p", Owner: "S", Field: "m"}, {Package: "p", Field: "g"}},
		"large": {{Package: "p", Owner: "S", Field: "n"}},
	}
	if diff := cmp.Diff(wantMentions, mentions); diff != "" {
		t.Errorf("mentions (-want +got):\n%s", diff)
	}
	if !visited["plain"] || visited["large"] {
		t.Errorf("visited %v, want plain and not large", visited)
	}
	if e := res.Effects["p.plain"]; e.Unknown != "a call of odd, which was not analysed" {
		t.Errorf("Unknown of what calls it: %q", e.Unknown)
	}
}
