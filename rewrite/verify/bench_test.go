package verify

import (
	"testing"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
)

func BenchmarkProve(b *testing.B) {
	cfg := load.Config{Dir: "../../testdata/etcdlike"}
	prog, err := load.Load(cfg)
	if err != nil {
		b.Fatal(err)
	}
	analyze := func(prog *load.Program) (*plan.Plan, error) { return plan.Make(prog, plan.Options{}) }
	p, err := analyze(prog)
	if err != nil {
		b.Fatal(err)
	}
	changes, refused := rewrite.Rewrite(prog, p)
	if len(changes) == 0 {
		b.Fatalf("nothing to prove: %v", refused)
	}
	for b.Loop() {
		proved, refused, err := Prove(prog, p, changes, Options{Load: cfg.Overlaid, Analyze: analyze, Confidence: plan.Likely})
		if err != nil || len(proved) != len(changes) {
			b.Fatalf("%d of %d files proved: %v, %v", len(proved), len(changes), refused, err)
		}
	}
}
