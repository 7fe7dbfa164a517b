package main

// This file makes programs that can be run: each does with maps what Go allows, in every place it allows it, and tells
// what came of it. What it tells does not hang on the order in which a map is ranged over.

import (
	"fmt"
	"go/format"
	"regexp"
	"strings"
	"testing"
)

// runnable returns the file of package m that data stands for. All it declares is named with suffix. Its function
// run+suffix calls its methods one after the other and returns what they return; stress+suffix calls them at the same time.
func runnable(t *testing.T, data []byte, suffix string) source {
	t.Helper()
	r := &runner{generator: generator{data: data}}
	r.program()
	src := strings.ReplaceAll(r.out.String(), "§", suffix)
	formatted, err := format.Source([]byte(src))
	if err != nil {
		t.Fatalf("the generated program is no Go: %v\n%s", err, src)
	}
	return source{files: map[string]string{"p" + suffix + ".go": string(formatted)}, plain: isPlain(src)}
}

// isPlain reports whether the elements of all maps of a program are values: mending a map does not guard what its elements
// lead to.
func isPlain(src string) bool {
	return !regexp.MustCompile(`\bm\d +map\[string\](\[\]|map|\*)`).MatchString(src)
}

// A runner writes one runnable program.
type runner struct {
	generator
	fields []mapField
	guard  string // the name of the owner's mutex; empty when it has none
	rw     bool   // it is one for readers, too
	base   bool   // all that stands in a struct that the owner embeds
}

// A mapField is a map variable of a program.
type mapField struct {
	name string
	kind *mapKind
}

// A mapKind is a type of maps, with what programs do with them.
type mapKind struct {
	typ    string
	make   []string // expressions for a new one; the first is an empty one
	stmts  []string // $m is the map, k and i are in scope, r is what the method returns; $B stands for further statements
	values []string // int expressions without effects
	show   string   // expression for the value v in the final listing
}

var mapKinds = []*mapKind{
	{
		typ:  "map[string]int",
		make: []string{`make(map[string]int)`, `map[string]int{"a": 1, "b": 2}`, `make(map[string]int, 8)`, `map[string]int(nil)`},
		stmts: append(anyInts,
			"$m[k] = i", "$m[k] += i", "$m[k]++", "$m[k]--", "$m[k] -= $m[`b`]", "$m[k] = $m[`a`] + 1", "$m[key($m[k])]++",
			"$m[k], $m[`b`] = $m[`b`], $m[k]", "$m[k] |= 4", "$m[k] = len($m)", "$m[`n`] = max($m[k], i)",
			"if _, ok := $m[k]; !ok {\n$m[k] = i\n}", "if $m[k] == 0 {\n$m[k] = i\nreturn r\n}",
			"for k2, v := range $m {\nif v%2 == 0 {\n$m[k2] = v / 2\n}\n}",
			"for k2 := range $m {\nif len(k2) > 1 {\ndelete($m, k2)\n}\n}",
			"defer func() { $m[`d`]++ }()", "func() { $m[k]++ }()", "maps.Copy($m, map[string]int{`c`: i})", "fill§($m, k)",
			"put := func(k string, n int) { $m[k] = n }\nput(k, i)\nput(`p`, r)",
			"t := $m\nt[k]++", "p := &$m\n(*p)[k]++", "inc(&r)\n$m[k] = r",
			"func() {\ndefer func() {\nif recover() != nil {\nr += 100\n}\n}()\n$m[k] = 10 / $m[`zero`]\n}()",
			"for i := range 4 {\nif $m[key(i)] > 3 {\nbreak\n}\n$m[key(i)]++\n}",
			"select {\ndefault:\n$m[k]++\n}", "if i > 2 {\ngoto done\n}\n$m[k] = 7\ndone:\nr++",
		),
		values: []string{"$m[k]", "len($m)", "max($m[k], $m[`b`])", "twice($m[k])", "$m[key(i)]"},
		show:   "v",
	},
	{
		typ:  "map[int]string",
		make: []string{`make(map[int]string)`, `map[int]string{1: "x"}`, `map[int]string{}`},
		stmts: []string{
			"$m[i] = k", "$m[i] += k", "$m[len($m)] = k", "delete($m, i)", "clear($m)", "if $m[i] == k {\n$B\n}", "if w, ok := $m[i]; ok && len(w) > 1 {\n$m[i] = w[:1]\n}",
			"for n, s := range $m {\nr += n * len(s)\n}", "switch $m[i] {\ncase `a`:\nr++\ncase `b`, `c`:\n$B\ndefault:\n$m[i] = `a`\n}",
			"for n := range $m {\nif n > 4 {\ndelete($m, n)\n}\n}", "w := $m[i]\n$m[i+1] = w", "var s string = $m[i] + k\nr += len(s)", "defer delete($m, i)",
			"$m[i], r = `t`, r+1", "if len($m[i]) > 8 {\n$m[i] = ``\n}", "_ = $m[i]", "s, ok := $m[i]\nif ok {\nr += len(s)\n}\n_ = s",
		},
		values: []string{"len($m)", "len($m[i])"},
		show:   "v",
	},
	{
		typ:  "map[string][]int",
		make: []string{`make(map[string][]int)`, `map[string][]int{"a": {1, 2}}`},
		stmts: []string{
			"$m[k] = append($m[k], i)", "$m[k] = append($m[k], i, r)", "$m[k] = nil", "delete($m, k)", "for _, x := range $m[k] {\nr += x\n}", "for n := range $m[k] {\nr += n\n}",
			"if len($m[k]) > 0 {\n$m[k] = $m[k][1:]\n}", "if l := $m[k]; len(l) > 2 {\n$m[k] = l[:2]\n}", "if len($m[k]) > 0 {\n$m[k][0] = i\n}", "if len($m[k]) > 0 {\n$m[k][0]++\n}",
			"for _, l := range $m {\nr += len(l)\n}", "$m[k] = slices.Clone($m[`a`])", "if slices.Contains($m[k], i) {\n$B\n}", "l := $m[k]\nl = append(l, i)\n$m[k] = l",
			"for k2, l := range $m {\nif len(l) == 0 {\ndelete($m, k2)\n}\n}", "r += slices.Index($m[k], i)",
		},
		values: []string{"len($m)", "len($m[k])"},
		show:   "fmt.Sprint(v)",
	},
	{
		typ:  "map[string]map[int]int",
		make: []string{`make(map[string]map[int]int)`, `map[string]map[int]int{"a": {1: 2}}`},
		stmts: []string{
			"if $m[k] == nil {\n$m[k] = make(map[int]int)\n}\n$m[k][i]++", "if _, ok := $m[k]; !ok {\n$m[k] = map[int]int{i: 1}\n}", "delete($m[k], i)", "delete($m, k)",
			"for a, b := range $m[k] {\nr += a * b\n}", "for _, in := range $m {\nfor a := range in {\nr += a\n}\n}", "if in := $m[k]; in != nil {\nin[i] = r\n}", "if in, ok := $m[k]; ok {\ndelete(in, i)\n}",
			"if v, ok := $m[k][i]; ok {\nr += v\n}", "$m[k] = map[int]int{i: r}", "if len($m[k]) == 0 {\ndelete($m, k)\n}",
		},
		values: []string{"len($m)", "len($m[k])", "$m[k][i]"},
		show:   "fmt.Sprint(v)",
	},
	{
		typ:  "map[string]*cell§",
		make: []string{`make(map[string]*cell§)`, `map[string]*cell§{"a": {n: 1}}`},
		stmts: []string{
			"$m[k] = &cell§{n: i}", "if c := $m[k]; c != nil {\nc.n++\nr += c.n\n}", "if c, ok := $m[k]; ok {\nr += c.get()\n}", "if $m[k] != nil {\n$m[k].n += i\n}", "delete($m, k)",
			"if $m[k] != nil {\nr += $m[k].get()\n}", "for _, c := range $m {\nc.n++\n}", "for k2, c := range $m {\nif c.n > 5 {\ndelete($m, k2)\n}\n}",
			"c, ok := $m[k]\nif !ok {\nc = &cell§{}\n$m[k] = c\n}\nc.n++", "func() {\ndefer func() { _ = recover() }()\nr += $m[k].n\n}()",
		},
		values: []string{"len($m)"},
		show:   "v.n",
	},
	{
		typ:  "map[string]pair§",
		make: []string{`make(map[string]pair§)`, `map[string]pair§{"a": {1, 2}}`},
		stmts: []string{
			"$m[k] = pair§{i, r}", "p := $m[k]\np.a++\n$m[k] = p", "r += $m[k].a", "if p, ok := $m[k]; ok && p.b > 2 {\n$B\n}", "delete($m, k)", "for _, p := range $m {\nr += p.a + p.b\n}",
			"if $m[k] == (pair§{}) {\n$m[k] = pair§{a: i}\n}", "r += $m[k].sum()", "switch p := $m[k]; {\ncase p.a > 3:\nr += p.b\ncase p.b > 3:\n$B\n}",
		},
		values: []string{"len($m)", "$m[k].a", "$m[k].sum()"},
		show:   "fmt.Sprint(v)",
	},
	{
		typ:  "table§",
		make: []string{`make(table§)`, `table§{"a": 1}`},
		stmts: append(anyInts,
			"$m[k] = i", "$m[k] += i", "$m.put(k, i)", "r += $m.sum()", "f := $m.sum\nr += f()", "$m = table§{`z`: i}", "if $m == nil {\n$m = make(table§)\n}",
		),
		values: []string{"len($m)", "$m[k]", "$m.sum()"},
		show:   "v",
	},
}

// anyInts are statements about maps of strings to integers that do not depend on the type's name.
var anyInts = []string{
	"delete($m, k)", "clear($m)", "if v, ok := $m[k]; ok {\nr += v\n} else {\nr--\n}", "v, ok := $m[k]\nif !ok {\nv = 3\n}\nr += v", "_, ok := $m[k]\nif ok {\n$B\n}", "r += $m[k]",
	"for k2, v := range $m {\nr += v * len(k2)\n}", "for range $m {\nr++\n}", "for _, v := range $m {\nif v > 3 {\ncontinue\n}\nr += v\n}", "if len($m) > 3 {\n$B\n}",
	"if $m[k] > 2 && $m[`b`] < 5 {\n$B\n}", "if i > 1 || $m[k] == 0 {\n$B\n}", "switch v := $m[k]; {\ncase v > 3:\nr += v\n$B\ndefault:\nr++\n}", "switch $m[k] {\ncase 0, 1:\n$B\ncase 2:\nr--\n}",
	"for n := 0; n < len($m) && n < 5; n++ {\nr += n\n}", "for v := $m[k]; v > 0 && v < 9; v-- {\nr++\n}", "x, y := $m[k], $m[`a`]\nr += x - y", "var x = $m[k]\nr += x",
	"keys := slices.Sorted(maps.Keys($m))\nfor _, k2 := range keys {\nr += $m[k2]\n}", "for _, k2 := range slices.Sorted(maps.Keys($m)) {\n$m[k2]++\n}", "old := maps.Clone($m)\nr += len(old)",
	"get := func(k string) int { return $m[k] }\nr += get(k)", "r += func() int { return $m[k] }()", "defer delete($m, k)", "if $m[k] > 5 {\nreturn $m[k]\n}", "r = twice($m[k])",
	"outer:\nfor n := range 3 {\nfor k2, v := range $m {\nif n == 1 || k2 == `` {\ncontinue outer\n}\nr += n + v\n}\n}", "for _, v := range []int{$m[k], i} {\nr += v\n}", "pair := [2]int{$m[k], $m[`a`]}\nr += pair[0]",
	"if n := len($m); n > 2 {\nr += n\n} else if $m[k] > 1 {\nr += 2\n}", "{\nk := `in`\n$m[k]++\n}",
}

const runnableTypes = `package m

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

var _ = maps.Keys[map[int]int]

type cell§ struct{ n int }

func (c *cell§) get() int { return c.n }

type pair§ struct{ a, b int }

func (p pair§) sum() int { return p.a + p.b }

type table§ map[string]int

func (t table§) put(k string, n int) { t[k] = n }

func (t table§) sum() int {
	s := 0
	for _, v := range t {
		s += v
	}
	return s
}

func fill§(m map[string]int, k string) { m[k] += len(m) }

`

func (r *runner) program() {
	r.out.WriteString(runnableTypes)
	for i := range 1 + r.pick(4)/3 {
		r.fields = append(r.fields, mapField{fmt.Sprintf("m%d", i), mapKinds[r.pick(len(mapKinds))]})
	}
	global := r.maybe(30)
	r.guard = r.one("", "", "", "mu", "mu", "Mutex", "l")
	r.rw = r.guard == "mu" && r.maybe(60)
	r.base = r.maybe(25)
	r.p("type %s§ struct {", map[bool]string{true: "base", false: "S"}[r.base])
	switch r.guard {
	case "mu":
		r.p("mu %s", map[bool]string{true: "sync.RWMutex", false: "sync.Mutex"}[r.rw])
	case "Mutex":
		r.p("sync.Mutex")
	case "l":
		r.p("l *sync.Mutex")
	}
	for _, f := range r.fields {
		r.p("%s %s", f.name, f.kind.typ)
	}
	if r.base {
		r.p("}\n\ntype S§ struct {\nbase§")
	}
	r.p("n int\n}\n")
	r.constructor()
	if global {
		r.p("var g§ = %s\n", r.one(mapKinds[0].make...))
	}
	var names []string
	for i := range 2 + r.pick(4) {
		name := fmt.Sprintf("do%d", i)
		r.method(name, names, global)
		names = append(names, name)
	}
	r.driver(names, global)
}

func (r *runner) constructor() {
	r.p("func new§() *S§ {")
	var inits []string
	if r.guard == "l" {
		inits = append(inits, "l: new(sync.Mutex)")
	}
	literal := r.maybe(60)
	for _, f := range r.fields {
		if literal {
			inits = append(inits, f.name+": "+r.one(f.kind.make...))
		}
	}
	if r.base {
		r.p("s := &S§{base§: base§{%s}}", strings.Join(inits, ", "))
	} else {
		r.p("s := &S§{%s}", strings.Join(inits, ", "))
	}
	for _, f := range r.fields {
		if !literal {
			r.p("s.%s = %s", f.name, r.one(f.kind.make...))
		}
	}
	r.p("return s\n}\n")
}

// method writes one method, which may call those before.
func (r *runner) method(name string, before []string, global bool) {
	const owner = "s"
	r.p("func (s *S§) %s(k string, i int) (r int) {", name)
	lock, unlock := "", ""
	switch r.guard {
	case "mu", "l":
		lock, unlock = owner+"."+r.guard+".Lock()", owner+"."+r.guard+".Unlock()"
		if r.rw && r.maybe(30) {
			lock, unlock = owner+".mu.RLock()", owner+".mu.RUnlock()"
		}
	case "Mutex":
		lock, unlock = owner+".Lock()", owner+".Unlock()"
	}
	switch style := r.pick(4); {
	case lock == "" || style < 2:
		r.statements(1+r.pick(5)/2, owner, global, false)
		if len(before) > 0 && r.maybe(30) {
			r.p("r += %s.%s(k, i)", owner, r.one(before...))
			r.statements(r.pick(2), owner, global, false)
		}
	case style == 2:
		r.p("%s\ndefer %s", lock, unlock)
		r.statements(1+r.pick(5)/2, owner, global, false)
	default:
		r.statements(r.pick(2), owner, global, false)
		r.p("%s", lock)
		r.statements(1+r.pick(2), owner, global, true)
		r.p("%s", unlock)
		r.statements(r.pick(2), owner, global, false)
	}
	r.p("return r\n}\n")
}

// statements writes n statements, each in a block of its own or, where what it declares is free, in the open. straight says
// that control must come out at the end.
func (r *runner) statements(n int, owner string, global, straight bool) {
	for range n {
		f := r.fields[r.pick(len(r.fields))]
		m, kind := owner+"."+f.name, f.kind
		if global && r.maybe(25) {
			m, kind = "g§", mapKinds[0]
		}
		stmt := r.one(kind.stmts...)
		if straight && strings.Contains(stmt, "return ") || strings.Contains(stmt, "goto") && r.depth > 0 {
			stmt = "r += " + r.one(kind.values...)
		}
		for strings.Contains(stmt, "$B") {
			before, after, _ := strings.Cut(stmt, "$B")
			inner := r.nested(owner, global, straight)
			stmt = before + inner + after
		}
		stmt = strings.ReplaceAll(stmt, "$m", m)
		if strings.Contains(stmt, ":=") || strings.Contains(stmt, "var ") || strings.Contains(stmt, "outer:") || strings.Contains(stmt, "done:") {
			if strings.Contains(stmt, "outer:") || strings.Contains(stmt, "done:") {
				label := r.fresh("L")
				stmt = strings.NewReplacer("outer", label, "done", label).Replace(stmt)
			}
			if !strings.HasPrefix(stmt, "if ") && !strings.HasPrefix(stmt, "for ") && !strings.HasPrefix(stmt, "switch ") && !strings.HasPrefix(stmt, "func()") && !strings.Contains(stmt, "goto") {
				stmt = "{\n" + stmt + "\n}"
			}
		}
		r.p("%s", stmt)
		if r.maybe(20) {
			r.p("r += %s", strings.ReplaceAll(r.one(kind.values...), "$m", m))
		}
	}
}

// nested returns the statements of a block inside another statement.
func (r *runner) nested(owner string, global, straight bool) string {
	if r.depth > 1 {
		return "r++"
	}
	r.depth++
	text := r.out.String()
	r.out.Reset()
	r.statements(1+r.pick(2), owner, global, straight)
	inner := r.out.String()
	r.out.Reset()
	r.out.WriteString(text)
	r.depth--
	return strings.TrimSuffix(inner, "\n")
}

// driver writes what calls the methods.
func (r *runner) driver(names []string, global bool) {
	r.p("func (s *S§) show§() string {\nvar b strings.Builder\nvar lines []string")
	for _, f := range r.fields {
		r.p("lines = nil\nfor k, v := range s.%s {\nlines = append(lines, fmt.Sprint(%q, k, \" \", %s, \"; \"))\n}\nslices.Sort(lines)\nb.WriteString(strings.Join(lines, \"\"))", f.name, f.name+" ", f.kind.show)
	}
	if global {
		r.p("lines = nil\nfor k, v := range g§ {\nlines = append(lines, fmt.Sprint(\"g \", k, \" \", v, \"; \"))\n}\nslices.Sort(lines)\nb.WriteString(strings.Join(lines, \"\"))")
	}
	r.p("return b.String()\n}\n")
	r.p("func run§() string {\nvar b strings.Builder\ns := new§()")
	for n := range 3 * len(names) {
		name := names[(n*7+r.pick(3))%len(names)]
		r.p("fmt.Fprint(&b, called(func() int { return s.%s(key(%d), %d) }), \" \")", name, r.pick(5), r.pick(6))
		if n%3 == 2 {
			r.p("b.WriteString(s.show§())")
		}
	}
	r.p("return b.String()\n}\n")
	r.p("func stress§() string {\ns := new§()\nvar wg sync.WaitGroup")
	for _, name := range names {
		r.p("for n := range 2 {\nwg.Go(func() {\nfor i := range 20 {\ncalled(func() int { return s.%s(key(i+n), i%%6) })\n}\n})\n}", name)
	}
	r.p("wg.Wait()\nreturn \"\"\n}\n")
}

// runnableHelp is a second file of package m, which all programs in it share.
const runnableHelp = `package m

import (
	"fmt"
	"slices"
	"strings"
)

func key(n int) string { return string(rune('a' + (n%5+5)%5)) }

func twice(n int) int { return 2 * n }

func inc(n *int) { *n++ }

func add(n *int, by int) { *n += by }

func bump(n *int) int {
	*n++
	return *n
}

func next(n *int) string { return key(bump(n)) }

func size(v any) int {
	switch v := v.(type) {
	case int:
		return v
	case string:
		return len(v)
	case bool:
		return 2
	}
	return 1
}

func listed(name string, list [][2]any) string {
	var lines []string
	for _, kv := range list {
		lines = append(lines, fmt.Sprint(name, kv[0], " ", kv[1], "; "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func with(f func()) { f() }

func quiet() { _ = recover() }

var zero float64

func called(f func() int) (out string) {
	defer func() {
		if r := recover(); r != nil {
			out = fmt.Sprint("panic: ", r)
		}
	}()
	return fmt.Sprint(f())
}
`
