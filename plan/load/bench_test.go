package load

import "testing"

// modules are what the benchmarks load: the bundled example, and a package of the standard library that is
// as large as a program.
var modules = []struct{ name, dir, pattern string }{
	{"etcdlike", "../../testdata/etcdlike", "./..."},
	{"net-http", "", "net/http"},
}

func BenchmarkLoad(b *testing.B) {
	for _, m := range modules {
		b.Run(m.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Load(Config{Dir: m.dir, Patterns: []string{m.pattern}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
