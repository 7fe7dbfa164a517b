package templates

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// target is one pair of types to render all accessors for, with expressions of some keys and values.
type target struct {
	name         string
	typ          Type
	inst         string // type arguments of the instance that is tested
	keys, values string
	equal        bool // values can be compared
}

var targets = []target{
	{name: "plain", typ: Type{Reflexive: true, StrictKey: true, StrictValue: true, Key: "string", Value: "int", KeyKind: "string"}, keys: `"a", "b", "c", ""`, values: "1, 2, 3", equal: true},
	{name: "named", typ: Type{Reflexive: true, StrictKey: true, Key: "word", Value: "[]word", KeyKind: "string"}, keys: `"a", "b", "c"`, values: `nil, {"x"}`},
	{name: "pointer", typ: Type{Reflexive: true, StrictKey: true, StrictValue: true, Key: "int64", Value: "*item", KeyKind: "integer"}, keys: "0, -1, 2, 1 << 60", values: "item1, item2, nil", equal: true},
	{name: "byte", typ: Type{Reflexive: true, StrictKey: true, StrictValue: true, Key: "letter", Value: "struct{}", KeyKind: "integer"}, keys: "0, 1, 255", values: "{}", equal: true},
	{name: "imported", typ: Type{Reflexive: true, StrictKey: true, Key: "netip.Addr", Value: "[]time.Duration", Imports: []Import{{Path: "net/netip"}, {Path: "time"}}},
		keys: "netip.Addr{}, netip.AddrFrom4([4]byte{1}), netip.IPv6Unspecified()", values: "nil, {1}"},
	{name: "iface", typ: Type{Key: "any", Value: "error"}, keys: `nil, 1, "b", 2.5, point{1, "x"}`, values: "nil, errors.ErrUnsupported", equal: true},
	{name: "structs", typ: Type{Reflexive: true, StrictKey: true, StrictValue: true, Key: "point", Value: "point"}, keys: `{}, {1, "a"}, {1, "b"}`, values: `{}, {2, "c"}`, equal: true},
	{name: "float", typ: Type{StrictKey: true, StrictValue: true, Key: "float64", Value: "bool"}, keys: "0, 1.5, negative, math.NaN()", values: "true, false", equal: true},
	{name: "pointers", typ: Type{Reflexive: true, StrictKey: true, Key: "*item", Value: "any"}, keys: "nil, item1, item2", values: `nil, 1, "x"`, equal: true},
	{name: "generic", typ: Type{TypeParams: "[K comparable, V any]", TypeArgs: "[K, V]", Key: "K", Value: "V"}, inst: "[string, int]",
		keys: `"a", "b"`, values: "1, 2"},
	{name: "mutexes", typ: Type{Reflexive: true, StrictKey: true, StrictValue: true, Key: "string", Value: "*sync.Mutex", KeyKind: "string", Imports: []Import{{Path: "sync"}}}, keys: `"a", "b"`, values: "nil, mutex1", equal: true},
}

const declarations = `
type (
	word   string
	letter uint8
	item   struct{ n int }
	point  struct {
		x int
		s string
	}
)

var (
	item1, item2 = &item{1}, &item{2}
	mutex1       = new(sync.Mutex)
	negative     = math.Copysign(0, -1)

	_ = errors.ErrUnsupported
	_ netip.Addr
	_ time.Duration
)
`

// render returns the type of g in a form for a go version, with all accessors that it can have.
func (g target) render(form, version string) Type {
	typ := g.typ
	typ.Variable, typ.Package, typ.GoVersion = "example.com/m.Owner.field", "m", version
	typ.Name = form + strings.ToUpper(g.name[:1]) + g.name[1:] + "Map"
	for _, a := range Accessors(form) {
		if (a != "CompareAndSwap" || g.equal) && (a != "All" || typ.AtLeast(23)) {
			typ.Accessors = append(typ.Accessors, a)
		}
	}
	return typ
}

var allForms = []string{"rwmutex", "sharded", "syncmap", "snapshot", "xsync"}

// The accessors of every target do in each form, for an old and a new go version, what those of a map do, one after
// the other and concurrently under -race.
func TestAccessors(t *testing.T) {
	for _, version := range []string{"1.20", "1.22", "1.26"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "go.mod"), "module example.com/m\n\ngo "+version+"\n")
			if version == "1.26" {
				requireXsync(t, dir)
			}
			copied := []string{"driver_test.go", "iter_test.go"}
			if version != "1.26" {
				copied[1] = "noiter_test.go"
			}
			for _, name := range copied {
				src, err := os.ReadFile(filepath.Join("testdata", name))
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, name), string(src))
			}
			write(t, filepath.Join(dir, "subjects_test.go"), subjects(t, dir, version))
			runTests(t, dir)
		})
	}
}

// subjects renders the targets into dir, and returns the test of them.
func subjects(t *testing.T, dir, version string) string {
	t.Helper()
	var tests, all strings.Builder
	for _, form := range allForms {
		for _, g := range targets {
			typ := g.render(form, version)
			src, err := Render(form, typ)
			if (form == "sharded" && typ.KeyKind == "" || form == "xsync") && version != "1.26" {
				if err == nil {
					t.Errorf("%s %s for go %s: no error", form, g.name, version)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, strings.ToLower(typ.Name)+".go"), string(src))
			k, v := typ.Key, typ.Value
			if g.inst != "" {
				k, v = "string", "int"
			}
			fmt.Fprintf(&tests, "\tt.Run(%q, test(func(m map[%s]%s) table[%[2]s, %[3]s] { return &%s{m: m} }, []%[2]s{%[5]s}, []%[3]s{%[6]s}))\n",
				typ.Name, k, v, typ.Name+g.inst, g.keys, g.values)
			if g.name == "plain" {
				fmt.Fprintf(&all, "&%s{m: own()}, ", typ.Name)
			}
		}
	}
	return "package m\n\nimport (\n\t\"errors\"\n\t\"math\"\n\t\"net/netip\"\n\t\"sync\"\n\t\"testing\"\n\t\"time\"\n)\n" + declarations +
		"\nfunc TestAll(t *testing.T) {\n" + tests.String() + "}\n\n" +
		"// strings returns in each form a map that has the entries of m.\nfunc strings(m map[string]int) []table[string, int] {\n" +
		"\town := func() map[string]int {\n\t\tm2 := make(map[string]int)\n\t\tfor k, v := range m {\n\t\t\tm2[k] = v\n\t\t}\n\t\treturn m2\n\t}\n\treturn []table[string, int]{" + all.String() + "}\n}\n"
}

// requireXsync adds to the go.mod and go.sum in dir the library that the form xsync is made of, as our own module has it.
func requireXsync(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum"} {
		ours, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && name == "go.mod" {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(ours)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, Xsync+" ") {
				if name == "go.mod" {
					line = "\nrequire " + line
				}
				text = append(text, line+"\n"...)
			}
		}
		write(t, filepath.Join(dir, name), string(text))
	}
}

// runTests vets and tests the module in dir, under -race where that is possible.
func runTests(t *testing.T, dir string) {
	t.Helper()
	args := []string{"test", "-vet=all", "./..."}
	if haveRace() {
		args = slices.Insert(args, 1, "-race")
	} else {
		t.Log("SKIP the race detector: it needs a C compiler (cgo), and no -short")
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// haveRace reports whether tests may run under -race.
func haveRace() bool {
	out, err := exec.Command("go", "env", "CGO_ENABLED").Output()
	return err == nil && strings.TrimSpace(string(out)) == "1" && !testing.Short()
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// The file begins with what marks it as generated, and has only the accessors in use.
func TestRender(t *testing.T) {
	typ := targets[0].render("rwmutex", "1.22")
	typ.Accessors = []string{"Get", "Store"}
	src, err := Render("rwmutex", typ)
	if err != nil {
		t.Fatal(err)
	}
	head := "// Code generated by mapmend; DO NOT EDIT.\n//mapmend:form rwmutex example.com/m.Owner.field\n\npackage m\n"
	if !strings.HasPrefix(string(src), head) {
		t.Errorf("the file begins\n%s\nwant\n%s", src[:len(head)], head)
	}
	if n := strings.Count(string(src), "\nfunc "); n != 2 {
		t.Errorf("%d accessors, want 2:\n%s", n, src)
	}
	if file, err := parser.ParseFile(token.NewFileSet(), "", src, parser.ParseComments); err != nil || len(file.Imports) != 1 {
		t.Errorf("imports of\n%s\nerror %v, want only sync", src, err)
	}
}

func TestRenderErrors(t *testing.T) {
	for _, tt := range []struct {
		name, form string
		change     func(*Type)
		want       string
	}{
		{"form", "lock", func(*Type) {}, `no template for form "lock"`},
		{"old go", "snapshot", func(x *Type) { x.GoVersion = "1.18" }, "the form snapshot needs go 1.19"},
		{"old go for a sync.Map", "syncmap", func(x *Type) { x.GoVersion = "1.19" }, "the form syncmap needs go 1.20"},
		{"old go for the library", "xsync", func(x *Type) { x.GoVersion = "1.23" }, "the form xsync needs go 1.24"},
		{"old go for any key", "sharded", func(x *Type) { x.GoVersion, x.KeyKind = "1.23", "" }, "the form sharded needs go 1.24"},
		{"name in one form", "sharded", func(x *Type) { x.Key = "hi" }, "the type hi is named like a variable of the accessors"},
		{"accessor", "rwmutex", func(x *Type) { x.Accessors = []string{"Fly"} }, `form rwmutex has no accessor "Fly"`},
		{"version", "rwmutex", func(x *Type) { x.Accessors = []string{"All"} }, "the accessor All needs go 1.23"},
		{"name", "rwmutex", func(x *Type) { x.Key = "[]k" }, "the type k is named like a variable of the accessors"},
		{"syntax", "rwmutex", func(x *Type) { x.Key = "]" }, "the rendered code is no Go: 12:"},
		{"numbered", "rwmutex", func(x *Type) { x.Key = "]" }, "\n  12  \tm map[]]int"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			typ := targets[0].render("rwmutex", "1.22")
			typ.Accessors = []string{"Get"}
			tt.change(&typ)
			if _, err := Render(tt.form, typ); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}
