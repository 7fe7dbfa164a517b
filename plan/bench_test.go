package plan

import (
	"testing"

	"mapmend/plan/load"
	"mapmend/plan/lockset"
)

// modules are what the benchmarks read: the bundled example, and a package of the standard library that is
// as large as a program.
var modules = []struct{ name, dir, pattern string }{
	{"etcdlike", "../testdata/etcdlike", "./..."},
	{"net-http", "", "net/http"},
}

func loadModule(b *testing.B, dir, pattern string) *load.Program {
	b.Helper()
	prog, err := load.Load(load.Config{Dir: dir, Patterns: []string{pattern}})
	if err != nil {
		b.Fatal(err)
	}
	return prog
}

func BenchmarkAnalyse(b *testing.B) {
	for _, m := range modules {
		b.Run(m.name, func(b *testing.B) {
			prog := loadModule(b, m.dir, m.pattern)
			for b.Loop() {
				if _, _, err := analyse(prog, Options{}.tell, lockset.Config{}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMake is BenchmarkAnalyse and the decisions.
func BenchmarkMake(b *testing.B) {
	for _, m := range modules {
		b.Run(m.name, func(b *testing.B) {
			prog := loadModule(b, m.dir, m.pattern)
			for b.Loop() {
				if _, err := Make(prog, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
