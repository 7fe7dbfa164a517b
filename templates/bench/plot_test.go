package bench

import (
	"fmt"
	"math"
	"strings"
)

// This file draws the plot of the tables.

// Of the plot: the place of the first panel, the width and height of one, and from one to the next.
const (
	left, top     = 64, 62
	width, height = 230, 180
	stepX, stepY  = 300, 250
)

// colours are those of the forms, in the order of the table; they differ for those who do not tell red from green, too.
var colours = []string{"#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7"}

// plot returns an SVG with a panel for each number of entries: above of uses in a second of processor time, below of the 99th percentile.
func (all results) plot() string {
	sizes := all.sizes()
	var b strings.Builder
	w, h := left+stepX*len(sizes), top+stepY+height+40
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="11">`+"\n", w, h)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", w, h)
	for i, form := range tabled {
		x := left + 90*i
		fmt.Fprintf(&b, `<line x1="%d" y1="16" x2="%d" y2="16" stroke="%s" stroke-width="2"/><text x="%d" y="20">%s</text>`+"\n", x, x+20, colours[i], x+25, form.name)
	}
	for i, entries := range sizes {
		all.panel(&b, left+stepX*i, top, entries, "ops/cpu-s", "uses a second of processor time, "+grouped(entries)+" entries", count)
		all.panel(&b, left+stepX*i, top+stepY, entries, "p99-ns", "99th percentile, "+grouped(entries)+" entries", duration)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// panel draws one panel, with a logarithmic scale that has whole powers of ten.
func (all results) panel(b *strings.Builder, x, y int, entries, unit, title string, format func(float64) string) {
	low, high := all.powers(entries, unit)
	at := func(v float64) float64 {
		return float64(y+height) - float64(height)*(math.Log10(max(v, 1))-float64(low))/float64(high-low)
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", x, y-10, title)
	for p := low; p <= high; p++ {
		v := math.Pow10(p)
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#dddddd"/>`, x, at(v), x+width, at(v))
		fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", x-6, at(v)+4, format(v))
	}
	across := func(i int) int { return x + 15 + i*(width-30)/(len(mixes)-1) }
	for i, mix := range mixes {
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", across(i), y+height+16, mixName(mix))
	}
	for i, form := range tabled {
		var points []string
		for j, mix := range mixes {
			if v, ok := all.measure(cell{entries, mix, form.name}, unit); ok {
				points = append(points, fmt.Sprintf("%d,%.1f", across(j), at(v)))
			}
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), colours[i])
	}
}

// powers returns the powers of ten between which all measures of a unit are.
func (all results) powers(entries, unit string) (low, high int) {
	least, most := all.spread(entries, unit)
	low, high = int(math.Floor(math.Log10(max(least, 1)))), int(math.Ceil(math.Log10(max(most, 1))))
	return low, max(high, low+1)
}
