package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"mapmend/plan/evidence"
	"mapmend/plan/load"
	"mapmend/plan/share"
)

// This file weighs the uses of a variable by what a running program did: by how often their statements ran, as the counts of a coverage
// tell, or else by how much time went into them, as CPU profiles do. A use that the run did not make may be made all the same, so that it
// weighs one.

const (
	hotCPU     = 0.1 // from that share of the samples on a variable is hot
	minSamples = 100 // of a variable, from which on they say something
	maxWeight  = 1 << 40
)

// measurements are what was measured of a program. The zero measurements are nothing.
type measurements struct {
	prover
	evidence evidence.Evidence
	hot      map[Var][]Contention
}

// weigher returns how the uses of c are weighed, and by what, for people.
func (d *decider) weigher(c *candidate) (weigher, string) {
	for _, measure := range []func(*candidate) ([]int, string){d.counted, d.sampled} {
		weights, by := measure(c)
		if weights == nil {
			continue
		}
		return func(j share.Judged) int {
			i := slices.IndexFunc(c.verdict.Uses, func(k share.Judged) bool { return k.Pos == j.Pos && k.Func == j.Func && k.Op == j.Op })
			return min(max(weights[i], 1), maxWeight, d.sourceWeight(j)*maxWeight) // never stays never
		}, by
	}
	return d.sourceWeight, "read from the source"
}

// counted returns how often each use of c ran, and who counted that; nil unless all that may run outside of tests was counted, and did.
func (d *decider) counted(c *candidate) ([]int, string) {
	weights := make([]int, len(c.verdict.Uses))
	var by []string
	sum := 0
	for i, j := range c.verdict.Uses {
		covered := false
		for _, cov := range d.measured.evidence.Coverage {
			n, ok := d.measured.countAt(cov, j)
			if !ok {
				continue
			}
			covered = true
			weights[i] += min(n, maxWeight)
			if !slices.Contains(by, cov.Source) {
				by = append(by, cov.Source)
			}
		}
		if !covered && d.sourceWeight(j) > 0 {
			return nil, ""
		}
		sum = min(sum+weights[i], maxWeight)
	}
	if sum == 0 {
		return nil, ""
	}
	return weights, "counted by " + strings.Join(by, " and ")
}

// countAt returns how often the statement of j ran; ok is false if cov does not have it.
func (m measurements) countAt(cov evidence.Coverage, j share.Judged) (n int, ok bool) {
	file := m.prog.File(j.Pos)
	posn := m.prog.Position(j.Pos)
	if file == nil {
		return 0, false
	}
	for _, pkg := range m.prog.Packages {
		if !slices.Contains(pkg.Files, file) {
			continue
		}
		for _, f := range cov.Files {
			if f.Package != pkg.Path || f.File != path.Base(file.Name) {
				continue
			}
			if i := slices.IndexFunc(f.Blocks, func(b evidence.Block) bool { return b.Has(posn.Line, posn.Column) }); i >= 0 {
				return f.Blocks[i].Count, true
			}
		}
	}
	return 0, false
}

// sampled returns how many samples of CPU profiles each use of c has, and who took them; nil if there are too few.
func (d *decider) sampled(c *candidate) ([]int, string) {
	weights, at, _ := d.measured.samplesOf(c.verdict)
	if at < minSamples {
		return nil, ""
	}
	return weights, "sampled by " + strings.Join(d.measured.sources(evidence.CPU), " and ")
}

// sources returns what the profiles of one measure were read from.
func (m measurements) sources(of evidence.Measure) (names []string) {
	for _, p := range m.evidence.Profiles {
		if p.Measure == of && !slices.Contains(names, p.Source) {
			names = append(names, p.Source)
		}
	}
	return names
}

// samplesOf returns how many samples each use of v has, in whose line or below it they were taken; how many any of them has; and how
// many there are.
func (m measurements) samplesOf(v share.Verdict) (uses []int, at, all int) {
	type line struct {
		file *load.File
		line int
	}
	where := make(map[line][]int)
	for i, j := range v.Uses {
		if file := m.prog.File(j.Pos); file != nil {
			l := line{file, m.prog.Position(j.Pos).Line}
			where[l] = append(where[l], i)
		}
	}
	uses = make([]int, len(v.Uses))
	for _, p := range m.evidence.Profiles {
		if p.Measure != evidence.CPU {
			continue
		}
		for _, s := range p.Samples {
			n := int(min(s.Count, maxWeight))
			all = min(all+n, maxWeight)
			seen := make(map[int]bool)
			for _, f := range m.own(s.Stack) {
				for _, file := range f.files {
					for _, i := range where[line{file, f.Line}] {
						if sameFunction(m.world.Bodies[v.Uses[i].Func].Name, f.Name()) {
							seen[i] = true
						}
					}
				}
			}
			for i := range seen {
				uses[i] = min(uses[i]+n, maxWeight)
			}
			if len(seen) > 0 {
				at = min(at+n, maxWeight)
			}
		}
	}
	return uses, at, all
}

// heat says what shows that c is hot; it is empty when nothing does.
func (m measurements) heat(c *candidate) string {
	if hot := m.hot[c.finding.Var]; len(hot) > 0 {
		return fmt.Sprintf("hot, since %s of the waiting for locks is for %s in %s", percent(hot[0].Share), hot[0].Lock, hot[0].Profile)
	}
	names := m.sources(evidence.CPU)
	if len(names) == 0 {
		return ""
	}
	_, at, all := m.samplesOf(c.verdict)
	if share := float64(at) / float64(max(all, 1)); at >= minSamples && share >= hotCPU {
		return fmt.Sprintf("hot, since %s of the samples in %s are at its uses", percent(share), strings.Join(names, " and "))
	}
	return ""
}
