package rewrite

import (
	"testing"

	"mapmend/plan"
	"mapmend/plan/load"
)

func BenchmarkRewrite(b *testing.B) {
	prog, err := load.Load(load.Config{Dir: "../testdata/etcdlike"})
	if err != nil {
		b.Fatal(err)
	}
	for _, form := range plan.Forms {
		b.Run(string(form), func(b *testing.B) {
			p, err := plan.Make(prog, plan.Options{Forms: []plan.Form{form, plan.Lock}})
			if err != nil {
				b.Fatal(err)
			}
			if len(p.Mends) == 0 {
				b.Fatalf("nothing to rewrite: %v", p.Refusals)
			}
			for b.Loop() {
				Rewrite(prog, p)
			}
		})
	}
}
