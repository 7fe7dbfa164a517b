package templates

// This file renders the tests of a generated type.

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tests is what the template of tests is rendered with. They are the same for each form.
type Tests struct {
	Type               // what is tested; the types are concrete
	MakeKey   string   // an expression of the int i: the i-th key
	Keys      int      // how many different ones it makes, two at least
	FuzzKey   string   // the predeclared type that keys are fuzzed with, or empty
	MakeValue string   // the i-th value
	Values    int      // how many different ones it makes; 1 if two cannot be told apart
	Path      []string // to what of two values is compared: ".f", "[0]", and "[]" for the first of a slice, if there is one
	Same      string   // how that is compared: "equal", "length", "call", or not at all
	Func      string   // if by a call, the type of it
	Call      string   // and the arguments
	Doubles   []Double // types to declare

	uses []string // what the template mentions; set by RenderTests
}

// Double is a struct type that embeds an interface.
type Double struct {
	Name  string
	Embed string // the interface, or a name for it
	Alias string // the interface if Embed is that name, else empty
}

// testsUse are the packages that the template mentions.
var testsUse = []string{"errors", "fmt", "math/rand", "runtime", "strconv", "sync", "sync/atomic", "testing"}

// RenderTests returns the file with the tests t, formatted.
func RenderTests(t Tests) ([]byte, error) {
	for _, name := range t.Accessors {
		if !slices.Contains(accessors, name) {
			return nil, fmt.Errorf("there is no accessor %q to test", name)
		}
	}
	_, file, err := t.render()
	if err != nil {
		return nil, err
	}
	given, err := named("func(" + t.Key + ", " + t.Value + ", " + cmp.Or(t.Func, "int") + ", T" + t.TypeArgs + ") { panic(" + t.Call + ") }")
	if err != nil {
		return nil, err
	}
	for _, name := range locals(file) {
		if slices.Contains(given, name) {
			return nil, fmt.Errorf("%s is named like a variable of the tests", name)
		}
	}
	t.uses = mentioned(file)
	out, _, err := t.render()
	return out, err
}

// render returns the file, and what it has parsed.
func (t Tests) render() ([]byte, *ast.File, error) {
	var buf bytes.Buffer
	if err := parsed.ExecuteTemplate(&buf, "tests.go.tmpl", t); err != nil {
		return nil, nil, err
	}
	out, err := formatted(buf.Bytes())
	if err != nil {
		return nil, nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", out, parser.SkipObjectResolution)
	return out, file, err
}

// mentioned returns those of testsUse that file mentions.
func mentioned(file *ast.File) (paths []string) {
	names := make(map[string]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				names[id.Name] = true
			}
		}
		return true
	})
	for _, p := range testsUse {
		if names[path.Base(p)] {
			paths = append(paths, p)
		}
	}
	return paths
}

// named returns the names in the expression src that mean what is declared outside: not those of fields and methods.
func named(src string) (names []string, err error) {
	e, err := parser.ParseExpr(src)
	if err != nil {
		return nil, err
	}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			ast.Inspect(n.Type, visit)
			return false
		case *ast.SelectorExpr:
			ast.Inspect(n.X, visit)
			return false
		case *ast.Ident:
			names = append(names, n.Name)
		}
		return true
	}
	ast.Inspect(e, visit)
	return names, nil
}

// locals returns the names of the variables in the functions of file.
func locals(file *ast.File) (names []string) {
	add := func(list ...ast.Expr) {
		for _, e := range list {
			if id, ok := e.(*ast.Ident); ok {
				names = append(names, id.Name)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok != token.TYPE
		case *ast.Field:
			for _, name := range n.Names {
				add(name)
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				add(name)
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				add(n.Lhs...)
			}
		case *ast.RangeStmt:
			add(n.Key, n.Value)
		}
		return true
	})
	return names
}

// Title is the name of the type as a test has it.
func (t Tests) Title() string {
	r, size := utf8.DecodeRuneInString(t.Name)
	return string(unicode.ToUpper(r)) + t.Name[size:]
}

// Apart reports whether the tests can tell values apart.
func (t Tests) Apart() bool { return t.Values > 1 }

// Goroutines is how many use a map at a time: each has a key of its own.
func (t Tests) Goroutines() int { return min(t.Keys, 8) }

// Quoted lists the accessors as strings.
func (t Tests) Quoted() string {
	var list []string
	for _, a := range t.Accessors {
		list = append(list, strconv.Quote(a))
	}
	return strings.Join(list, ", ")
}

// ChangesOne reports whether an accessor is given a value for one key, or makes it.
func (t Tests) ChangesOne() bool {
	return t.HasAny("Store", "LoadOrStore", "LoadOrCompute", "Swap", "CompareAndSwap", "Update")
}

// Finds reports whether an accessor tells the value of a key.
func (t Tests) Finds() bool {
	return t.HasAny("Load", "Get", "LoadOrStore", "LoadOrCompute", "LoadAndDelete", "Swap", "All", "Snapshot")
}

// UsesKey reports whether an accessor is about one key.
func (t Tests) UsesKey() bool {
	return t.ChangesOne() || t.HasAny("Load", "Get", "Delete", "LoadAndDelete", "DeleteFunc")
}

// Compare returns the statements that compare the values a and b.
func (t Tests) Compare() string {
	var body strings.Builder
	a, b := "a", "b"
	for _, step := range t.Path {
		if step == "[]" {
			fmt.Fprintf(&body, "if len(%[1]s) == 0 || len(%[2]s) == 0 { return len(%[1]s) == len(%[2]s) }\n", a, b)
			step = "[0]"
		}
		a, b = a+step, b+step
	}
	switch t.Same {
	case "equal":
		fmt.Fprintf(&body, "return %s == %s", a, b)
	case "length":
		fmt.Fprintf(&body, "return len(%s) == len(%s)", a, b)
	case "call":
		fmt.Fprintf(&body, "return %[1]sNumber(%[2]s) == %[1]sNumber(%[3]s)", t.Name, a, b)
	default:
		body.WriteString("return true")
	}
	return body.String()
}

// Times begins a loop in which variable, if not empty, goes from 0 to n-1.
func (t Tests) Times(variable, n string) string {
	switch {
	case !t.AtLeast(22) && variable == "":
		return t.Times("round", n)
	case !t.AtLeast(22):
		return fmt.Sprintf("for %[1]s := 0; %[1]s < %[2]s; %[1]s++", variable, n)
	case variable == "":
		return "for range " + n
	}
	return "for " + variable + " := range " + n
}

// KeyOf returns the variable name, of the type that is fuzzed, as a key.
func (t Tests) KeyOf(name string) string {
	if t.Key == t.FuzzKey {
		return name
	}
	return t.Key + "(" + name + ")"
}

// FuzzSeed is a key to begin with.
func (t Tests) FuzzSeed() string {
	if t.FuzzKey == "string" {
		return `"key"`
	}
	return t.FuzzKey + "(100)"
}

// A Benchmark is one row of the benchmark.
type Benchmark struct {
	Name string
	Do   string // statements of the map x and the int i
}

// Benchmarks returns a row for each accessor that leaves the entries of a map as they are or puts back what it takes, and one for
// reading and changing by turns.
func (t Tests) Benchmarks() []Benchmark {
	const k, v = "keys[i%len(keys)]", "values[i%len(values)]"
	do := map[string]string{
		"Load":           "x.Load(" + k + ")",
		"Get":            "x.Get(" + k + ")",
		"Store":          "x.Store(" + k + ", " + v + ")",
		"LoadOrStore":    "x.LoadOrStore(" + k + ", " + v + ")",
		"LoadOrCompute":  "x.LoadOrCompute(" + k + ", func() " + t.Value + " { return " + v + " })",
		"Swap":           "x.Swap(" + k + ", " + v + ")",
		"CompareAndSwap": "x.CompareAndSwap(" + k + ", " + v + ", " + v + ")",
		"Update":         "x.Update(" + k + ", func(old " + t.Value + ", _ bool) (" + t.Value + ", bool) { return old, true })",
		"Len":            "x.Len()",
		"All":            "for range x.All() {}",
		"Snapshot":       "x.Snapshot()",
	}
	first := func(names ...string) string {
		if i := slices.IndexFunc(names, t.Has); i >= 0 {
			return do[names[i]]
		}
		return ""
	}
	change := first("Store", "Update", "Swap")
	for _, remove := range []string{"Delete", "LoadAndDelete"} {
		if change != "" {
			do[remove] = change + "; x." + remove + "(" + k + ")"
		}
	}
	var rows []Benchmark
	for _, a := range accessors {
		if t.Has(a) && do[a] != "" {
			rows = append(rows, Benchmark{a, do[a]})
		}
	}
	if read := first("Load", "Get"); read != "" && change != "" {
		rows = append(rows, Benchmark{"mixed", "if i%10 == 0 { " + change + "; return }; " + read})
	}
	return rows
}

// ImportGroups returns the imports of the tests, as that of [Type] does.
func (t Tests) ImportGroups() [][]Import { return groups(t.uses, t.Imports) }

// Alone returns nil: the tests import several packages.
func (t Tests) Alone() *Import { return nil }
