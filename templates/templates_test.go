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

// target is one pair of types to render all accessors for, with expressions of two keys and two values.
type target struct {
	folder     string
	typ        Type
	inst       string // type arguments of the instance that the driver uses
	key, value [2]string
	equal      bool   // values can be compared
	extra      string // declarations beside
}

var targets = []target{
	{folder: "plain", typ: Type{Key: "string", Value: "int"}, key: [2]string{`"a"`, `"b"`}, value: [2]string{"1", "2"}, equal: true},
	{folder: "pointer", typ: Type{Key: "int64", Value: "*item"}, key: [2]string{"1", "2"}, value: [2]string{"one", "two"}, equal: true,
		extra: "type item struct{ n int }\n\nvar one, two = &item{1}, &item{2}\n"},
	{folder: "imported", typ: Type{Key: "netip.Addr", Value: "[]time.Duration", Imports: []Import{{Path: "net/netip"}, {Path: "time"}}},
		key: [2]string{"addr(1)", "addr(2)"}, value: [2]string{"nil", "none"},
		extra: "func addr(n byte) netip.Addr { return netip.AddrFrom4([4]byte{n}) }\n\nvar none = []time.Duration{1}\n"},
	{folder: "iface", typ: Type{Key: "any", Value: "error"}, key: [2]string{"1", `"b"`}, value: [2]string{"nil", "errors.ErrUnsupported"}, equal: true},
	{folder: "generic", typ: Type{TypeParams: "[K comparable, V any]", TypeArgs: "[K, V]", Key: "K", Value: "V"}, inst: "[string, int]",
		key: [2]string{`"a"`, `"b"`}, value: [2]string{"1", "2"}},
	{folder: "mutexes", typ: Type{Key: "string", Value: "*sync.Mutex", Imports: []Import{{Path: "sync"}}}, key: [2]string{`"a"`, `"b"`}, value: [2]string{"nil", "one"}, equal: true,
		extra: "var one = new(sync.Mutex)\n"},
}

func (g target) render(t *testing.T, version string) Type {
	t.Helper()
	typ := g.typ
	typ.Variable, typ.Package, typ.Name, typ.GoVersion = "example.com/m/"+g.folder+".Owner.field", g.folder, "ownerFieldMap", version
	for _, a := range Accessors("rwmutex") {
		if (a != "CompareAndSwap" || g.equal) && (a != "All" || typ.AtLeast(23)) {
			typ.Accessors = append(typ.Accessors, a)
		}
	}
	return typ
}

// The accessors of every target compile for an old and a new go version, and run concurrently under -race.
func TestAccessors(t *testing.T) {
	for _, version := range []string{"1.20", "1.22", "1.26"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "go.mod"), "module example.com/m\n\ngo "+version+"\n")
			for _, g := range targets {
				typ := g.render(t, version)
				src, err := Render("rwmutex", typ)
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, g.folder, "map.go"), string(src))
				write(t, filepath.Join(dir, g.folder, "map_test.go"), g.driver(typ))
			}
			args := []string{"test", "-vet=all", "./..."}
			if out, err := exec.Command("go", "env", "CGO_ENABLED").Output(); err == nil && strings.TrimSpace(string(out)) == "1" && !testing.Short() {
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
		})
	}
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

// driver returns a test file that checks each accessor on the zero value and then calls all at a time.
func (g target) driver(typ Type) string {
	imports := []string{"sync", "testing", "reflect"}
	for _, i := range typ.Imports {
		imports = append(imports, i.Path)
	}
	if strings.Contains(g.value[1], "errors.") {
		imports = append(imports, "errors")
	}
	slices.Sort(imports)
	imports = slices.Compact(imports)
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\nimport (\n", g.folder)
	for _, path := range imports {
		fmt.Fprintf(&b, "\t%q\n", path)
	}
	fmt.Fprintf(&b, ")\n\n%s\n", g.extra)
	text := behaviour
	if typ.Has("All") {
		text += iteration
	}
	if typ.Has("CompareAndSwap") {
		text += comparison
	}
	k, v := typ.Key, typ.Value
	if g.inst != "" {
		k, v = "string", "int"
	}
	b.WriteString(strings.NewReplacer("KEY", k, "VALUE", v, "MAP", typ.Name+g.inst,
		"K1", g.key[0], "K2", g.key[1], "V1", g.value[0], "V2", g.value[1]).Replace(text))
	return b.String()
}

const behaviour = `
func same(a, b any) bool { return reflect.DeepEqual(a, b) }

func TestBehaviour(t *testing.T) {
	var x MAP
	var zero VALUE
	check := func(what string, ok bool) {
		t.Helper()
		if !ok {
			t.Error(what)
		}
	}
	var one, two VALUE = V1, V2

	// The zero value.
	_, ok := x.Load(K1)
	check("Load of the zero value", !ok && same(x.Get(K1), zero) && x.Len() == 0 && len(x.Snapshot()) == 0)
	x.Delete(K1)
	x.Clear()
	x.DeleteFunc(func(KEY, VALUE) bool { return true })
	_, ok = x.LoadAndDelete(K1)
	check("LoadAndDelete of the zero value", !ok)
	x.Update(K1, func(old VALUE, ok bool) (VALUE, bool) { return old, ok })
	check("Update that keeps nothing", x.Len() == 0)

	// The first store of each kind allocates.
	x.Store(K1, one)
	x.Replace(nil)
	_, ok = x.LoadOrStore(K1, one)
	check("LoadOrStore of nil", !ok)
	x.Replace(nil)
	_, ok = x.LoadOrCompute(K1, func() VALUE { return one })
	check("LoadOrCompute of nil", !ok)
	x.Replace(nil)
	_, ok = x.Swap(K1, one)
	check("Swap of nil", !ok)
	x.Replace(nil)
	x.Update(K1, func(old VALUE, ok bool) (VALUE, bool) { return one, !ok && same(old, zero) })
	v, ok := x.Load(K1)
	check("Update of nil", ok && same(v, one))

	// Entries.
	v, ok = x.LoadOrStore(K1, two)
	check("LoadOrStore", ok && same(v, one))
	v, ok = x.LoadOrCompute(K1, func() VALUE { panic("computed") })
	check("LoadOrCompute", ok && same(v, one))
	v, ok = x.Swap(K1, two)
	check("Swap", ok && same(v, one) && same(x.Get(K1), two))
	x.Update(K1, func(old VALUE, ok bool) (VALUE, bool) { return one, ok && same(old, two) })
	check("Update", same(x.Get(K1), one))
	x.Store(K2, two)
	copied := x.Snapshot()
	x.DeleteFunc(func(k KEY, v VALUE) bool { return same(k, KEY(K1)) && same(v, one) })
	check("DeleteFunc", x.Len() == 1 && len(copied) == 2)
	v, ok = x.LoadAndDelete(K2)
	check("LoadAndDelete", ok && same(v, two) && x.Len() == 0)
	x.Replace(map[KEY]VALUE{K1: one, K2: two})
	x.Delete(K2)
	check("Replace", x.Len() == 1 && same(x.Get(K1), one))
	x.Clear()
	check("Clear", x.Len() == 0)
	x.Store(K1, one)
	check("Store after Clear", x.Len() == 1)
}

func TestConcurrent(t *testing.T) {
	var x MAP
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := 0; j < 100; j++ {
				x.Store(K1, V1)
				x.Load(K1)
				x.Get(K2)
				x.LoadOrStore(K2, V2)
				x.LoadOrCompute(K2, func() VALUE { return V2 })
				x.Swap(K1, V2)
				x.Update(K1, func(old VALUE, ok bool) (VALUE, bool) { return old, ok })
				x.Len()
				for k := range x.Snapshot() {
					x.Delete(k)
				}
				x.LoadAndDelete(K1)
				x.DeleteFunc(func(KEY, VALUE) bool { return false })
				x.Clear()
				x.Replace(nil)
			}
		}()
	}
	wg.Wait()
}
`

const iteration = `
func TestAll(t *testing.T) {
	var x MAP
	for range x.All() {
		t.Error("the zero value has an entry")
	}
	x.Store(K1, V1)
	x.Store(K2, V2)
	n := 0
	for k := range x.All() {
		x.Delete(k) // would wait for ever if the lock was held
		n++
	}
	for range x.All() {
		n++
	}
	if n != 2 {
		t.Errorf("%d iterations, want 2", n)
	}
	x.Store(K1, V1)
	x.Store(K2, V2)
	for range x.All() {
		break
	}
}
`

const comparison = `
func TestCompareAndSwap(t *testing.T) {
	var x MAP
	if x.CompareAndSwap(K1, V1, V2) {
		t.Error("swapped what is not there")
	}
	x.Store(K1, V1)
	if x.CompareAndSwap(K1, V2, V1) || !x.CompareAndSwap(K1, V1, V2) || x.Get(K1) != V2 {
		t.Error("swapped the wrong value")
	}
}
`

// The file begins with what marks it as generated, and has only the accessors in use.
func TestRender(t *testing.T) {
	typ := targets[0].render(t, "1.22")
	typ.Accessors = []string{"Get", "Store"}
	src, err := Render("rwmutex", typ)
	if err != nil {
		t.Fatal(err)
	}
	head := "// Code generated by mapmend; DO NOT EDIT.\n//mapmend:form rwmutex example.com/m/plain.Owner.field\n\npackage plain\n"
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
		{"form", "sharded", func(*Type) {}, `no template for form "sharded"`},
		{"accessor", "rwmutex", func(x *Type) { x.Accessors = []string{"Fly"} }, `form rwmutex has no accessor "Fly"`},
		{"version", "rwmutex", func(x *Type) { x.Accessors = []string{"All"} }, "the accessor All needs go 1.23"},
		{"name", "rwmutex", func(x *Type) { x.Key = "[]k" }, "the type k is named like a variable of the accessors"},
		{"syntax", "rwmutex", func(x *Type) { x.Key = "]" }, "the rendered code is no Go: 12:"},
		{"numbered", "rwmutex", func(x *Type) { x.Key = "]" }, "\n  12  \tm map[]]int"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			typ := targets[0].render(t, "1.22")
			typ.Accessors = []string{"Get"}
			tt.change(&typ)
			if _, err := Render(tt.form, typ); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}
