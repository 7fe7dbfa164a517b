package main

// This file checks that the README names everything there is: flags, commands, kinds, confidences,
// refusal codes, forms; and that its two commands are those that CI runs.

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"mapmend/plan"
)

func TestReadmeIsComplete(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	has := func(what, name string) {
		if !strings.Contains(readme, "`"+name) {
			t.Errorf("README.md lacks the %s `%s`", what, name)
		}
	}

	inv := new(invocation)
	inv.define()
	inv.flags.VisitAll(func(f *pflag.Flag) { has("flag", "--"+f.Name) })
	for _, c := range commands {
		has("command", strings.TrimSpace("mapmend "+c.name))
	}
	for _, f := range plan.Forms {
		has("form", string(f))
	}
	for _, k := range plan.Kinds {
		has("kind", string(k))
	}
	for _, c := range []plan.Confidence{plan.Possible, plan.Likely, plan.Proven} {
		has("confidence", c.String())
	}
	for _, code := range codes(t) {
		has("refusal code", code)
	}
	for _, line := range []string{"go run . -C testdata/etcdlike", "go test -timeout 20m ./..."} {
		if !strings.Contains(readme, line) {
			t.Errorf("README.md lacks the command %q", line)
		}
	}
	ci, err := os.ReadFile(".ci/run")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(ci), "go test -timeout 20m ./...") {
		t.Error(".ci/run does not run the README's test command")
	}
}

// codes returns the refusal codes, read from the source of package plan: the list there is the contract.
func codes(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "plan/refuse.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Code" && len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				code, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, code)
			}
		}
		return true
	})
	if len(list) == 0 {
		t.Fatal("no refusal codes in plan/refuse.go")
	}
	return list
}
