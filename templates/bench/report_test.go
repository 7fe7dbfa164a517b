package bench

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// This file makes the table of the README and that of all sizes from what BenchmarkTable printed, which is kept in testdata.

var updateTable = flag.Bool("update", false, "write the tables and the plot of what testdata/table.txt has")

// A cell is what one form was measured to do with one number of entries and one mix.
type cell struct{ entries, reads, form string }

// round has the measures of one round, by unit.
type round map[string]float64

// results are the rounds of each cell.
type results map[cell][]round

// parse reads what go test -bench printed, any number of times. Other lines than those of BenchmarkTable are skipped.
func parse(output []byte) (results, error) {
	all := make(results)
	for line := range strings.Lines(string(output)) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "BenchmarkTable/") {
			continue
		}
		name, _, _ := strings.Cut(f[0], "-") // of it the number of processors
		part := make(map[string]string)
		for _, p := range strings.Split(name, "/")[1:] {
			key, value, _ := strings.Cut(p, "=")
			part[key] = value
		}
		c, r := cell{part["entries"], part["reads"], part["form"]}, make(round)
		for i := 2; i+1 < len(f); i += 2 {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %v", f[0], err)
			}
			r[f[i+1]] = v
		}
		for _, column := range columns {
			if _, ok := r[column.unit]; !ok {
				return nil, fmt.Errorf("%s has no %s", f[0], column.unit)
			}
		}
		all[c] = append(all[c], r)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no line of BenchmarkTable")
	}
	return all, nil
}

// measure returns the median of a unit over the half of the rounds in which the process had most of the machine, and whether the
// cell was measured.
func (all results) measure(c cell, unit string) (float64, bool) {
	rounds := slices.SortedStableFunc(slices.Values(all[c]), func(a, b round) int { return cmp.Compare(b["processors"], a["processors"]) })
	var values []float64
	for _, r := range rounds[:(len(rounds)+1)/2] {
		values = append(values, r[unit])
	}
	if len(values) == 0 {
		return 0, false
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2, true
}

// sizes returns the numbers of entries that were measured, the smallest first.
func (all results) sizes() []string {
	seen := make(map[string]bool)
	for c := range all {
		seen[c.entries] = true
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
}

// columns are those of the tables: a heading, the unit and how it is written.
var columns = []struct {
	head, unit string
	format     func(float64) string
}{
	{"uses a second", "ops/s", count},
	{"of processor time", "ops/cpu-s", count},
	{"p50", "p50-ns", duration},
	{"p99", "p99-ns", duration},
	{"p999", "p999-ns", duration},
	{"allocations a use", "allocs/use", digits},
	{"GC a million uses", "gc/Mop", digits},
}

// table returns the table of one number of entries, in Markdown, and how many processors the process had.
func (all results) table(entries string) string {
	var b strings.Builder
	b.WriteString("| loads | form |")
	for _, c := range columns {
		b.WriteString(" " + c.head + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---:|", len(columns)) + "\n")
	for _, mix := range mixes {
		for _, form := range tabled {
			at := cell{entries, mix, form.name}
			if len(all[at]) == 0 {
				continue
			}
			fmt.Fprintf(&b, "| %s | `%s` |", mixName(mix), form.name)
			for _, c := range columns {
				v, _ := all.measure(at, c.unit)
				b.WriteString(" " + c.format(v) + " |")
			}
			b.WriteString("\n")
		}
	}
	low, high := all.spread(entries, "processors")
	fmt.Fprintf(&b, "\nThe process had %s to %s processors.\n", digits(low), digits(high))
	return b.String()
}

// spread returns the least and the greatest measure of a unit.
func (all results) spread(entries, unit string) (low, high float64) {
	low = math.Inf(1)
	for c := range all {
		if v, ok := all.measure(c, unit); ok && c.entries == entries {
			low, high = min(low, v), max(high, v)
		}
	}
	return low, high
}

func mixName(mix string) string {
	if mix == "churn" {
		return mix
	}
	return mix + " %"
}

// pages returns the file with the tables of all numbers of entries.
func (all results) pages() string {
	var b strings.Builder
	b.WriteString("<!-- Written by go test -run TestTable ./templates/bench -update from testdata/table.txt. -->\n\n# What the forms do\n\n" +
		"The README says what was measured, and how.\n\n![uses a second and 99th percentiles](table.svg)\n")
	for _, entries := range all.sizes() {
		fmt.Fprintf(&b, "\n## %s entries\n\n%s", grouped(entries), all.table(entries))
	}
	return b.String()
}

// grouped writes 10000 as 10 000.
func grouped(n string) string {
	if len(n) <= 3 {
		return n
	}
	return grouped(n[:len(n)-3]) + " " + n[len(n)-3:]
}

// digits writes a number with three digits, or fewer if it is small.
func digits(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 0.005:
		return "< 0.01"
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return grouped(strconv.FormatFloat(v, 'f', 0, 64))
}

// count writes a number with a prefix, such as 1.25 M.
func count(v float64) string { return scaled(v, []string{"", " k", " M"}) }

// duration writes a number of ns with a unit, such as 1.25 ms.
func duration(ns float64) string { return scaled(ns, []string{" ns", " µs", " ms", " s"}) }

func scaled(v float64, units []string) string {
	for v >= 999.5 && len(units) > 1 {
		v, units = v/1000, units[1:]
	}
	return strings.TrimSuffix(strings.TrimSuffix(digits(v), ".00"), ".0") + units[0]
}

// between returns text with what is between two lines replaced.
func between(text []byte, begin, end, replacement string) ([]byte, error) {
	i := bytes.Index(text, []byte(begin))
	j := bytes.Index(text, []byte(end))
	if i < 0 || j < i {
		return nil, fmt.Errorf("%q and %q are not there", begin, end)
	}
	return slices.Concat(text[:i+len(begin)], []byte(replacement), text[j:]), nil
}

// What is made of the small output is as recorded; what is in the README, and beside, is made of the large one.
func TestTable(t *testing.T) {
	small := read(t, "testdata/small.txt")
	isMade(t, "testdata/small.md", small.pages())
	isMade(t, "testdata/small.svg", small.plot())

	all := read(t, "testdata/table.txt")
	isMade(t, "table.md", all.pages())
	isMade(t, "table.svg", all.plot())
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := between(readme, "<!-- table -->\n", "<!-- end of table -->", "\n"+all.table("10000")+"\n")
	if err != nil {
		t.Fatal(err)
	}
	isMade(t, "../../README.md", string(want))
}

func read(t *testing.T, file string) results {
	t.Helper()
	output, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all, err := parse(output)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// isMade checks that a file has a text, or writes it with -update.
func isMade(t *testing.T, file, want string) {
	t.Helper()
	if *updateTable {
		if err := os.WriteFile(filepath.FromSlash(file), []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(filepath.FromSlash(file)); err != nil || string(got) != want {
		t.Errorf("%s is stale (error %v): go test -run TestTable ./templates/bench -update writes it", file, err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, output := range []string{"", "PASS\nBenchmarkForms/x-2 1 2 ns/op\n", "BenchmarkTable/entries=1/reads=1/form=lock-2 1 x ns/op\n",
		"BenchmarkTable/entries=1/reads=1/form=lock-2 1 2 ops/s\n"} {
		if all, err := parse([]byte(output)); err == nil {
			t.Errorf("%q is parsed as %v", output, all)
		}
	}
	for _, text := range []string{"", "a", "ba"} {
		if got, err := between([]byte(text), "a", "b", "c"); err == nil {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{digits(0), "0"}, {digits(0.001), "< 0.01"}, {digits(0.005), "0.01"}, {digits(9.994), "9.99"}, {digits(9.996), "10.0"}, {digits(99.96), "100"}, {digits(24402), "24 402"},
		{count(0), "0"}, {count(950), "950"}, {count(999.6), "1 k"}, {count(1_250_000), "1.25 M"}, {count(1.5e9), "1 500 M"},
		{duration(44), "44 ns"}, {duration(1116160), "1.12 ms"}, {duration(2e9), "2 s"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
