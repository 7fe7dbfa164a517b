package rewrite

import (
	"strings"
	"testing"

	"mapmend/plan"
)

func TestImport(t *testing.T) {
	tests := []struct {
		name, src string
		want      string
		use       string // the type of the mutex, when not sync.RWMutex
	}{
		{"none", "package p\n", "package p\n\nimport \"sync\"\n", ""},
		{"none, comments around the clause", "// Package p is.\npackage p // remark\n\n// Floating.\n", "// Package p is.\npackage p // remark\n\nimport \"sync\"\n\n// Floating.\n", ""},
		{"one, before", "package p\n\nimport \"fmt\" // remark\n", "package p\n\nimport (\n\t\"fmt\" // remark\n\t\"sync\"\n)\n", ""},
		{"one, after", "package p\n\n// For tests.\nimport \"testing\"\n", "package p\n\n// For tests.\nimport (\n\t\"sync\"\n\t\"testing\"\n)\n", ""},
		{"one, named", "package p\n\nimport f \"fmt\"\n", "package p\n\nimport (\n\tf \"fmt\"\n\t\"sync\"\n)\n", ""},
		{"one of another module", "package p\n\nimport \"github.com/x/y\"\n", "package p\n\nimport (\n\t\"sync\"\n\n\t\"github.com/x/y\"\n)\n", ""},
		{"several declarations", "package p\n\nimport \"fmt\"\nimport \"os\" // remark\nimport \"testing\"\n", "package p\n\nimport \"fmt\"\nimport \"os\" // remark\nimport \"sync\"\nimport \"testing\"\n", ""},
		{"several declarations, first", "package p\n\n// Why.\nimport \"testing\"\nimport \"github.com/x/y\"\n", "package p\n\nimport \"sync\"\n\n// Why.\nimport \"testing\"\nimport \"github.com/x/y\"\n", ""},
		{"block, groups", "package p\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"testing\"\n\n\t\"github.com/x/y\"\n)\n", "package p\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"sync\"\n\t\"testing\"\n\n\t\"github.com/x/y\"\n)\n", ""},
		{"block, first", "package p\n\nimport (\n\t\"testing\"\n)\n", "package p\n\nimport (\n\t\"sync\"\n\t\"testing\"\n)\n", ""},
		{"block, first under a heading", "package p\n\nimport (\n\t// Standard library.\n\t\"testing\"\n)\n", "package p\n\nimport (\n\t// Standard library.\n\t\"sync\"\n\t\"testing\"\n)\n", ""},
		{"block, before an explained import", "package p\n\nimport (\n\t// For the clock.\n\t_ \"time/tzdata\"\n)\n", "package p\n\nimport (\n\t\"sync\"\n\t// For the clock.\n\t_ \"time/tzdata\"\n)\n", ""},
		{"block, last with remark", "package p\n\nimport (\n\t\"fmt\" // remark\n)\n", "package p\n\nimport (\n\t\"fmt\" // remark\n\t\"sync\"\n)\n", ""},
		{"block, other group first", "package p\n\nimport (\n\t\"github.com/x/y\"\n\n\t// Why.\n\t\"fmt\"\n)\n", "package p\n\nimport (\n\t\"github.com/x/y\"\n\n\t// Why.\n\t\"fmt\"\n\t\"sync\"\n)\n", ""},
		{"block, no standard library", "package p\n\nimport (\n\t// Why.\n\t\"github.com/x/y\"\n)\n", "package p\n\nimport (\n\t\"sync\"\n\n\t// Why.\n\t\"github.com/x/y\"\n)\n", ""},
		{"block, one group for all", "package p\n\nimport (\n\t\"bytes\"\n\t\"github.com/x/y\"\n\t\"os\"\n\t\"unsafe\"\n)\n", "package p\n\nimport (\n\t\"bytes\"\n\t\"github.com/x/y\"\n\t\"os\"\n\t\"sync\"\n\t\"unsafe\"\n)\n", ""},
		{"block, empty", "package p\n\nimport ()\n", "package p\n\nimport (\n\t\"sync\"\n)\n", ""},
		{"second block has the standard library", "package p\n\nimport (\n\t\"github.com/x/y\"\n)\nimport (\n\t\"fmt\"\n)\n", "package p\n\nimport (\n\t\"github.com/x/y\"\n)\nimport (\n\t\"fmt\"\n\t\"sync\"\n)\n", ""},
		{"there", "package p\n\nimport \"sync\"\n", "package p\n\nimport \"sync\"\n", ""},
		{"there by another name", "package p\n\nimport s \"sync\"\n", "package p\n\nimport s \"sync\"\n", "s.RWMutex"},
		{"there with a dot", "package p\n\nimport . \"sync\"\n", "package p\n\nimport . \"sync\"\n", "RWMutex"},
		{"there for its effects", "package p\n\nimport _ \"sync\"\n", "package p\n\nimport (\n\t\"sync\"\n\t_ \"sync\"\n)\n", ""},
		{"name imported", "package p\n\nimport \"example.com/sync\"\n", "package p\n\nimport (\n\tstdsync \"sync\"\n\n\t\"example.com/sync\"\n)\n", "stdsync.RWMutex"},
		{"name imported in disguise", "package p\n\nimport \"example.com/go-sync\"\n", "package p\n\nimport (\n\tstdsync \"sync\"\n\n\t\"example.com/go-sync\"\n)\n", "stdsync.RWMutex"},
		{"name declared", "package p\n\nimport \"fmt\"\n\nfunc sync() {}\n", "package p\n\nimport (\n\t\"fmt\"\n\tstdsync \"sync\"\n)\n\nfunc sync() {}\n", "stdsync.RWMutex"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const decl = "\ntype S struct {\n\tm map[int]int\n}\n"
			src := tt.src + decl
			use := tt.use
			if use == "" {
				use = "sync.RWMutex"
			}
			got, refused := rewriteOne(t, src, want{field: "m", decl: "m map[int]int", mutex: mu("")}.mend(t, "p.go", src))
			diff(t, codes(refused), "")
			diff(t, got, tt.want+"\ntype S struct {\n\tmu "+use+"\n\tm  map[int]int\n}\n")
		})
	}
}

// Several things on one line are not what gofmt writes, but they are Go.
func TestImportUnformatted(t *testing.T) {
	const decl = "; type S struct { m map[int]int }\n"
	tests := []struct{ src, want string }{
		{"package p", "package p; import \"sync\""},
		{"package p; import \"fmt\"", "package p; import (\n\t\"fmt\"\n\t\"sync\"\n)"},
		{"package p; import (\"fmt\"; \"os\")", "package p; import (\"sync\"; \"fmt\"; \"os\")"},
		{"package p; import (\n\"fmt\"; \"os\")", "package p; import (\n\"fmt\"; \"os\"; \t\"sync\")"},
	}
	for _, tt := range tests {
		src := tt.src + decl
		got, refused := rewriteOne(t, src, want{field: "m", decl: "m map[int]int", mutex: mu("")}.mend(t, "p.go", src))
		diff(t, codes(refused), "")
		diff(t, got, tt.want+"; type S struct {\n\tmu sync.RWMutex\n\tm  map[int]int\n}\n")
	}
}

func TestImportNamesTaken(t *testing.T) {
	src := "package p\n\ntype S struct {\n\tm map[int]int\n}\n\nvar sync, stdsync int\n"
	m := want{field: "m", decl: "m map[int]int", mutex: mu("")}.mend(t, "p.go", src)
	got, refused := rewriteOne(t, src, m)
	diff(t, got, src)
	diff(t, codes(refused), "m: not-proved: package sync cannot be imported: its name is taken")
}

// Wherever a file has its imports, the one that is added parses, and nothing but its line is new.
func FuzzImport(f *testing.F) {
	for _, s := range []string{"import \"fmt\"", "import (\n\t\"a\" // b\n\n\t// c\n\t_ \"time\"\n)", "import(\"a\";\"b\")", "import (\n)", "import \"a\"\nimport (\"b\"\n)", "/* c */ import \"a\" /* d */ ; import . \"b\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, imports string) {
		src := "package p\n" + imports + "\ntype S struct {\n\tm map[int]int\n}\n"
		if strings.Count(src, "m map[int]int") != 1 {
			t.Skip()
		}
		m := want{field: "m", decl: "m map[int]int", mutex: mu("")}.mend(t, "p.go", src)
		changes, refused := Rewrite(program(t, "p.go", src), &plan.Plan{Mends: []plan.Mend{m}})
		if len(changes)+len(refused) != 1 {
			t.Errorf("%d changes and %d refusals", len(changes), len(refused))
		}
	})
}
