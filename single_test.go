package main

// This file makes programs whose methods use a map once each, nearly always, so that most of their maps can become one of a
// generated type. What varies is the operation, the statement around it, and what the map is reached through.

import (
	"fmt"
	"go/format"
	"slices"
	"strings"
	"testing"
)

// single returns the program that data stands for, as runnable does.
func single(t *testing.T, data []byte, suffix string) source {
	t.Helper()
	s := &singles{generator: generator{data: data}, plain: true, recv: "S§", made: "S§"}
	s.program()
	src := source{files: make(map[string]string), kind: " of single uses", plain: s.plain}
	for i, part := range s.parts {
		if part == "" {
			continue
		}
		text := singleImports + part
		text = strings.ReplaceAll(text, "§", suffix)
		formatted, err := format.Source([]byte(text))
		if err != nil {
			t.Fatalf("the generated program is no Go: %v\n%s", err, text)
		}
		src.files[fmt.Sprintf("p%s%s.go", suffix, []string{"", "b"}[i])] = string(formatted)
	}
	return src
}

const singleImports = `package m

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

var _ = []any{fmt.Sprint, slices.Sorted[string], strings.Join, sync.OnceFunc}

`

// singles writes one such program.
type singles struct {
	generator
	parts   [2]string // of its files; the second may be empty
	kinds   []*singleKind
	fields  []singleField
	generic bool
	recv    string   // the type of the owner, as the receiver writes it
	made    string   // and as the driver does
	base    string   // how all maps stand in a struct that the owner embeds: "base§", "*base§", or empty
	paths   []string // what may stand before a map, $o for the receiver
	before  []string // methods that may be called in an operand
	tally   string   // the statement that counts what is called, and must not lose count
	helpers []helper
	plain   bool
}

// A singleField is a map variable.
type singleField struct {
	name   string
	kind   *singleKind
	global bool
}

// A singleKind is a type of maps. In its texts $m is the map, $len, $clr, $renew and $put methods that use it, too, $k a key, $v a value, $K
// and $V their types, $new a new map, and r, k, v and i are in scope.
type singleKind struct {
	key, elem string
	make      []string
	keys      []string
	values    []string
	exprs     []string // int expressions
	stmts     []string // simple statements
	blocks    []string // statements of several lines
}

func (k *singleKind) typ() string { return "map[" + k.key + "]" + k.elem }

var (
	stringKeys = []string{"k", "k", "k", "`b`", "k + `x`", "key(i)", "string(k[0])", "next(&i)", "fmt.Sprint(i)"}
	intValues  = []string{"i", "i", "r", "v", "i + 1", "twice(i)", "len(k)", "bump(&r)", "max(i, r)", "-i", "i * 2", "int(int8(i))"}
	intStmts   = []string{
		"$m[$k] = $v", "$m[$k] += $v", "$m[$k]++", "$m[$k]--", "$m[$k] -= $v", "$m[$k] -= i - r", "$m[$k] += s.$len()", "$m[$k] *= i + 1", "$m[$k] |= $v", "$m[$k] ^= $v", "$m[$k] *= $v", "$m[$k] <<= 1", "$m[$k] &^= i | 1",
		"$m[k] = $m[k] + $v", "$m[k] = 10 - $m[k]", "$m[k] = max($m[k], i)", "$m[k] = -$m[k]", "$m[k] = ($m[k]) * 2", "$m[k] %= 7", "($m[$k]) = $v", "($m)[$k]++", "$m[k] = i - $m[k] - r",
	}
)

var singleKinds = []*singleKind{
	{
		key: "string", elem: "int", keys: stringKeys, values: intValues,
		make:   []string{"make(map[string]int)", "map[string]int{`a`: 1, `b`: 2}", "make(map[string]int, 8)", "map[string]int{}"},
		stmts:  intStmts,
		exprs:  []string{"$m[$k]", "$m[$k]", "($m[$k])", "-$m[$k]", "max($m[$k], i)", "twice($m[$k])", "$m[$k] + i", "bump(&i) + $m[$k]", "i - $m[$k]*2"},
		blocks: []string{"if n, ok := $m[$k]; ok {\nr += n\n}", "n, ok := $m[$k]\nif !ok {\nn = 7\n}\nr += n", "var n, ok = $m[$k]\nr += n\nif ok {\nr++\n}", "if $m[$k] > 2 {\nr += 2\n}", "switch n := $m[$k]; {\ncase n > 3:\nr += n\ndefault:\nr++\n}", "if n := $m[$k]; n > 1 && n < 5 {\nr -= n\n}", "total := 0\nfor _, n := range $m {\ntotal += n\n}\nr += total"},
	},
	{
		key: "int", elem: "string", keys: []string{"i", "i", "i + 1", "len(k)", "twice(i)", "bump(&i)", "3"}, values: []string{"k", "k", "`t`", "k + `y`", "key(i)", "next(&i)", "fmt.Sprint(i, k)"},
		make:   []string{"make(map[int]string)", "map[int]string{1: `x`, 3: `yy`}", "map[int]string{}"},
		stmts:  []string{"$m[$k] = $v", "$m[$k] += $v", "$m[i] = $m[i] + $v", "$m[i] = k + $m[i]", "$m[$k] = strings.Repeat(k, 2)"},
		exprs:  []string{"len($m[$k])", "strings.Count($m[$k], `a`)", "len($m[$k] + k)", "size($m[$k])"},
		blocks: []string{"w, ok := $m[$k]\nif ok {\nr += len(w)\n}", "switch $m[$k] {\ncase `a`, `t`:\nr++\ncase `b`:\nr += 2\ndefault:\nr += 3\n}", "if w, ok := $m[$k]; ok && len(w) > 1 {\nr += len(w[1:])\n}", "for _, c := range $m[$k] {\nr += int(c)\n}", "for n, w := range $m {\nr += n * len(w)\n}"},
	},
	{
		key: "string", elem: "[]int", keys: stringKeys, values: []string{"[]int{i}", "nil", "[]int{i, r}", "append([]int(nil), i)"},
		make:   []string{"make(map[string][]int)", "map[string][]int{`a`: {1, 2}}"},
		stmts:  []string{"$m[$k] = $v", "$m[k] = append($m[k], i)", "$m[k] = append($m[k], i, r)", "$m[k] = append($m[k], []int{i, 1}...)"},
		exprs:  []string{"len($m[$k])", "slices.Index($m[$k], i)", "size($m[$k])"},
		blocks: []string{"for _, x := range $m[$k] {\nr += x\n}", "for n := range $m[$k] {\nr += n\n}", "for _, l := range $m {\nr += len(l)\n}", "if l := $m[$k]; len(l) > 0 {\nr += l[0]\n}", "if slices.Contains($m[$k], i) {\nr++\n}", "l, ok := $m[$k]\nif ok && len(l) > 1 {\nr += l[1]\n}"},
	},
	{
		key: "string", elem: "pair§", keys: stringKeys, values: []string{"pair§{i, r}", "pair§{a: i}", "pair§{}"},
		make:   []string{"make(map[string]pair§)", "map[string]pair§{`a`: {1, 2}}", "map[string]pair§{`b`: {b: 2}, `c`: {}}"},
		stmts:  []string{"$m[$k] = $v", "$m[k] = pair§{$m[k].b, i}"},
		exprs:  []string{"$m[$k].a", "$m[$k].sum()", "$m[$k].b + i"},
		blocks: []string{"if p, ok := $m[$k]; ok {\nr += p.a\n}", "for _, p := range $m {\nr += p.a + p.b\n}", "p := $m[$k]\np.a++\nr += p.sum()", "if $m[$k] == (pair§{}) {\nr++\n}", "switch p := $m[$k]; {\ncase p.a > 1:\nr += p.b\n}"},
	},
	{
		key: "pair§", elem: "bool", keys: []string{"pair§{i, 1}", "pair§{a: i}", "pair§{len(k), 2}", "pair§{bump(&i), 1}"}, values: []string{"true", "i > 2", "false", "!(i > 3)"},
		make:   []string{"make(map[pair§]bool)", "map[pair§]bool{{1, 1}: true}"},
		stmts:  []string{"$m[$k] = $v", "$m[pair§{1, 1}] = !$m[pair§{1, 1}]"},
		exprs:  []string{"size($m[$k])"},
		blocks: []string{"if $m[$k] {\nr++\n}", "if !$m[$k] || i > 3 {\nr += 2\n}", "if i > 1 && $m[$k] {\nr += 4\n}", "for p, on := range $m {\nif on {\nr += p.a\n}\n}", "for $m[$k] {\nr++\nbreak\n}", "switch {\ncase i > 4:\nr--\ncase $m[$k]:\nr++\n}", "on := $m[$k] == (i > 1)\nr += size(on)"},
	},
	{
		key: "[2]int", elem: "struct{}", keys: []string{"[2]int{i, 1}", "[2]int{i}", "[...]int{1, i}"}, values: []string{"struct{}{}"},
		make:  []string{"make(map[[2]int]struct{})", "map[[2]int]struct{}{{1, 2}: {}}"},
		stmts: []string{"$m[$k] = $v"},
	},
	{
		key: "string", elem: "any", keys: stringKeys, values: []string{"i", "k", "nil", "pair§{i, 1}", "[]int{i}", "any(r)"},
		make:   []string{"make(map[string]any)", "map[string]any{`a`: 1, `b`: `x`}"},
		stmts:  []string{"$m[$k] = $v"},
		exprs:  []string{"size($m[$k])"},
		blocks: []string{"if n, ok := $m[$k].(int); ok {\nr += n\n}", "switch x := $m[$k].(type) {\ncase int:\nr += x\ncase string:\nr += len(x)\ncase nil:\nr--\n}", "if $m[$k] == nil {\nr++\n}", "if $m[$k] == any(i) {\nr += 5\n}", "r += $m[$k].(int)"},
	},
	{
		key: "any", elem: "int", keys: []string{"any(k)", "i", "k", "pair§{i, 1}", "nil", "[]int{i}"}, values: intValues,
		make:  []string{"make(map[any]int)", "map[any]int{1: 2, `a`: 3, nil: 4}"},
		stmts: []string{"$m[$k] = $v", "$m[$k] += $v", "$m[$k]++", "$m[k] = $m[k] + 1"},
		exprs: []string{"$m[$k]", "$m[$k] + 1"},
	},
	{
		key: "string", elem: "func(int) int", keys: stringKeys, values: []string{"twice", "func(n int) int { return n + 1 }", "nil", "func(n int) int { return n + i }"},
		make:   []string{"make(map[string]func(int) int)", "map[string]func(int) int{`a`: twice, `b`: func(n int) int { return -n }}"},
		stmts:  []string{"$m[$k] = $v"},
		exprs:  []string{"$m[$k](i)"},
		blocks: []string{"if f := $m[$k]; f != nil {\nr += f(i)\n}", "if f, ok := $m[$k]; ok && f != nil {\nr += f(2)\n}", "if $m[$k] != nil {\nr++\n}"},
	},
	{
		key: "string", elem: "*cell§", keys: stringKeys, values: []string{"&cell§{n: i}", "nil", "new(cell§)"},
		make:   []string{"make(map[string]*cell§)", "map[string]*cell§{`a`: {n: 1}, `b`: nil}"},
		stmts:  []string{"$m[$k] = $v"},
		exprs:  []string{"$m[$k].n", "$m[$k].get()"},
		blocks: []string{"if c := $m[$k]; c != nil {\nr += c.n\n}", "if c, ok := $m[$k]; ok && c != nil {\nr += c.get()\n}", "for _, c := range $m {\nif c != nil {\nr += c.n\n}\n}", "if $m[$k] == nil {\nr++\n}"},
	},
	{
		key: "float64", elem: "float64", keys: []string{"float64(i)", "1.5", "0 / zero", "float64(i) / 2"}, values: []string{"float64(i)", "2.5", "0 / zero"},
		make:   []string{"make(map[float64]float64)", "map[float64]float64{1.5: 2}"},
		stmts:  []string{"$m[$k] = $v", "$m[$k] += $v", "$m[$k] /= 2", "$m[1.5] = $m[1.5] - 1"},
		exprs:  []string{"size($m[$k])", "int($m[1.5])"},
		blocks: []string{"if $m[$k] > 1 {\nr++\n}"},
	},
}

var genericKinds = []*singleKind{
	{
		key: "K", elem: "V", keys: []string{"k"}, values: []string{"v", "*new(V)"},
		make:   []string{"make(map[K]V)", "map[K]V{}", "make(map[K]V, 4)"},
		stmts:  []string{"$m[$k] = $v", "$m[k] = $v"},
		exprs:  []string{"size($m[$k])"},
		blocks: []string{"w := $m[$k]\nr += size(w)", "if any($m[$k]) == any(v) {\nr++\n}"},
	},
	{
		key: "K", elem: "[]V", keys: []string{"k"}, values: []string{"[]V{v}", "nil", "[]V{v, v}"},
		make:   []string{"make(map[K][]V)", "map[K][]V{}"},
		stmts:  []string{"$m[$k] = $v", "$m[k] = append($m[k], v)", "$m[k] = append($m[k], v, v)"},
		exprs:  []string{"len($m[$k])"},
		blocks: []string{"for _, w := range $m[$k] {\nr += size(w)\n}", "for _, l := range $m {\nr += len(l)\n}"},
	},
	{
		key: "K", elem: "int", keys: []string{"k"}, values: []string{"i", "r", "twice(i)"},
		make:  []string{"make(map[K]int)", "map[K]int{}"},
		stmts: []string{"$m[$k] = $v", "$m[$k] += $v", "$m[$k]++", "$m[$k]--", "$m[k] = $m[k] + 2"},
		exprs: []string{"$m[$k]", "-$m[$k]", "$m[$k] + i"},
	},
}

// What can be done with every map, as in a singleKind; a label L is one of its own.
var (
	anyExprs  = []string{"len($m)"}
	anyStmts  = []string{"$m = $new"}
	anyCalls  = []string{"delete($m, $k)", "delete($m, $k)", "clear($m)"}
	anyBlocks = []string{
		"if _, ok := $m[$k]; ok {\nr++\n}", "_, ok := $m[$k]\nif !ok {\nr--\n}", "for range $m {\nr++\n}", "n := 0\nfor range $m {\nn++\nif n > 2 {\nbreak\n}\n}\nr += n",
		"var w, ok = $m[$k]\nif ok {\nr++\n}\n_ = w", "var w $V\nvar ok bool\nw, ok = $m[$k]\nif ok {\nr += size(w)\n}", "for range $m {\nreturn r + 1\n}",
		"if _, ok := $m[$k]; ok && i > 1 {\nr += 7\n} else if ok {\nr += 2\n}", "switch _, ok := $m[$k]; ok {\ncase true:\nr += 3\n}", "L:\nfor range 3 {\nfor range $m {\nr++\ncontinue L\n}\n}",
		"L:\nfor n := range 3 {\nfor range $m {\nr += n\nbreak L\n}\n}", "for range $m {\ndefer inc(&r)\n}", "total := 0\nfor k2 := range $m {\ntotal += size(k2)\n}\nr += total",
		"for k2 := range $m {\nif size(k2) == i {\ncontinue\n}\nr++\n}", "has := func(k $K) bool {\n_, ok := $m[k]\nreturn ok\n}\nif has($k) {\nr++\n}", "var k2 $K\nfor k2 = range $m {\nr += size(k2)\n}",
		"for range $m {\nr++\ngoto L\n}\nL:\nr++", "if w, ok := $m[$k]; !ok {\nr += size(ok)\n_ = w\n}", "for _, w := range $m {\nfunc() {\n_ = w\nr++\n}()\n}", "if len($m) > 2 {\nr += 3\n}",
		"for n := 0; n < len($m) && n < 4; n++ {\nr += n\n}", "func() {\nfor range $m {\nr++\nreturn\n}\n}()", "for range len($m) {\nr++\n}", "for k2, w := range $m {\n_, _ = k2, w\nr += 2\n}", "for range $m {\nif i > 2 {\npanic(i)\n}\n}",
		"for range $m {\nr += s.$len()\n}", "for range $m {\nfor range s.$len() {\nr++\n}\nif r > 9 {\nbreak\n}\n}", "for range $m {\nr++\ns.$clr()\n}", "defer delete($m, $k)\ns.$renew()",
	}
)

// exprContexts are the statements around an int expression $E.
var exprContexts = []string{
	"r += $E", "r += $E", "r = $E", "x := $E\nr += x", "var x = $E\nr += x", "var x int = $E\nr += x", "if $E > 2 {\nr++\n}", "if x := $E; x > 2 {\nr += x\n} else {\nr--\n}", "switch $E {\ncase 0:\nr++\ncase 1, 2:\nr += 2\ndefault:\nr--\n}",
	"switch {\ncase $E > 3:\nr++\n}", "switch x := $E; x {\ncase 1:\nr++\n}", "for n := 0; n < $E && n < 3; n++ {\nr++\n}", "for n := $E; n > 0 && n < 9; n++ {\nr++\n}", "for n := range min($E, 4) {\nr += n\n}",
	"return $E", "return r + $E", "defer func() { r += $E }()", "func() { r += $E }()", "f := func() int { return $E }\nr += f()", "done := make(chan int, 1)\ngo func() {\ndefer close(done)\ndefer quiet()\ndone <- $E\n}()\nr += <-done", "ch := make(chan int, 1)\nch <- $E\nr += <-ch",
	"xs := []int{$E, i}\nr += xs[0]", "r += max($E, i)", "r += twice($E)", "r += twice(twice($E) + 1)", "r += len(fmt.Sprint($E))", "p := pair§{a: $E, b: i}\nr += p.sum()", "_ = $E", "r, i = $E, r\nr += i", "if i > 1 && $E > 0 {\nr++\n}",
	"if i > 1 || $E > 0 {\nr++\n}", "if !($E > 2 || i == 0) {\nr++\n}", "L:\nfor n := range 3 {\nif $E > n {\ncontinue L\n}\nr++\n}", "if $E > 3 {\nreturn r\n}\nr++", "if i == 0 {\nr++\n} else if $E > 1 {\nr += 2\n} else {\nr += 3\n}",
	"defer add(&r, $E)", "r += func(n int) int { return n + 1 }($E)", "r -= -($E)", "r += $E << 1", "r ^= $E", "inc(&r)\nr += $E", "var x, y = $E, i\nr += x * y", "switch any($E).(type) {\ncase int:\nr++\n}", "r += any($E).(int)",
	"r += []int{5, 6, 7, 8}[($E)&3]", "r += len(make([]int, ($E)&7))", "if i == 5 {\npanic($E)\n}", "var xs [3]int\nxs[($E)&1] = i\nr += xs[0]", "r = r + $E*2 - i", "r = bump(&i) + $E", "r = $E + twice(i)", "add(&r, $E)", "p := &pair§{$E, 1}\nr += p.a",
	"for r < 5 {\nr += ($E)&3 + 1\n}", "select {\ndefault:\nr += $E\n}", "if r = $E; r > 3 {\nr--\n}", "for range []int{$E, 1} {\nr++\n}", "r += map[string]int{k1: $E}[k1]", "x, y := i, $E\nr += x - y", "var f func() int\nf = func() int {\nif i++; i > 3 {\nreturn $E\n}\nreturn f()\n}\nr += f()",
}

// stmtContexts are the statements around $S, a simple statement.
var stmtContexts = []string{
	"$S", "$S", "$S", "$S\nr++", "r++\n$S", "if i > 2 {\n$S\n}", "if i < 2 {\nr++\n} else {\n$S\n}", "for range 2 {\n$S\n}", "for n := 0; n < 2; n++ {\n$S\n}", "{\n$S\n}", "func() { $S }()", "defer func() { $S }()", "f := func() { $S }\nf()", "f := func() { $S }\nf()\nf()",
	"switch i {\ncase 0:\n$S\ncase 1:\nr++\n}", "switch {\ncase i > 2:\nr++\ndefault:\n$S\n}", "select {\ndefault:\n$S\n}", "var wg sync.WaitGroup\nwg.Go(func() {\ndefer quiet()\n$S\n})\nwg.Wait()", "done := make(chan bool)\ngo func() {\ndefer close(done)\ndefer quiet()\n$S\n}()\n<-done",
	"L:\nfor n := range 3 {\nfor range 2 {\nif n == i {\ncontinue L\n}\n$S\nbreak L\n}\n}", "if i == 4 {\nreturn r\n}\n$S", "$S\ninc(&r)\nreturn r + 1", "// Before.\n$S // behind", "/* a */ $S /* b */\n// After.", "if x := i; x > 1 {\n$S\n}", "for ; i < 3; i++ {\n$S\n}",
	"if $S; i > 2 {\nr++\n}", "switch $S; i {\ncase 1:\nr++\n}", "for ; i < 3; $S {\ni++\n}", "for $S; i < 3; i++ {\nr++\n}", "func() {\ndefer func() {\nif recover() != nil {\nr += 9\n}\n}()\n$S\nif i > 3 {\npanic(i)\n}\n}()", "if i > 3 {\ngoto L\n}\n$S\nL:\nr++",
	"var once sync.Once\nonce.Do(func() { $S })", "for n := range 3 {\nif n == 1 {\ncontinue\n}\n$S\n}", "if i == 1 {\nr++\n} else if i > 1 {\n$S\n} else {\nr--\n}", "L:\n$S\nif i < 3 {\ni++\ngoto L\n}", "with(func() { $S })", "switch i {\ncase 1:\n$S\nfallthrough\ncase 2:\nr += 5\n}",
}

// callContexts are those that only take a call.
var callContexts = []string{"defer $S", "defer $S\nr++", "var wg sync.WaitGroup\nwg.Add(1)\ngo func() {\ndefer wg.Done()\ndefer quiet()\n$S\n}()\nwg.Wait()", "for range 2 {\ndefer $S\n}"}

func (s *singles) program() {
	s.kinds = singleKinds
	if s.generic = s.maybe(15); s.generic {
		s.kinds, s.recv, s.made = genericKinds, "S§[K, V]", "S§[string, int]"
	}
	for i := range 1 + s.pick(3) {
		s.fields = append(s.fields, singleField{name: fmt.Sprintf("m%d", i), kind: s.anyKind()})
	}
	if !s.generic && s.maybe(30) {
		s.fields = append(s.fields, singleField{name: "g§", kind: s.anyKind(), global: true})
	}
	if s.maybe(40) {
		s.base = s.one("base§", "base§", "*base§")
	}
	s.paths = []string{"$o."}
	if s.maybe(25) {
		s.paths = append(s.paths, s.one("$o.next.", "$o.peer().", "(*$o).", "($o)."), s.one("$o.", "$o.next.", "$o.peer()."))
		if !s.generic {
			s.paths = append(s.paths, s.one("hub§[i&1].", "slots§[i&1].", "$o."))
		}
	}
	if s.maybe(60) {
		s.tally = s.one("s.t[k]++", "s.t[k] += 1", "s.t[k] = s.t[k] + 1", "s.t[k] -= -1", "s.t[k] = 1 + s.t[k]", "n := s.t[k]\ns.t[k] = n + 1", "if n, ok := s.t[k]; ok {\ns.t[k] = n + 1\n} else {\ns.t[k] = 1\n}")
	}
	s.types()
	s.constructor()
	s.parts[0] = s.out.String()
	s.out.Reset()
	calls := s.maybe(15)
	var names []string
	for i := range 3 + s.pick(5) {
		name := fmt.Sprintf("do%d", i)
		s.method(name)
		names = append(names, name)
		if calls {
			s.before = append(s.before, name)
		}
	}
	s.help()
	if s.tally != "" {
		s.p("func (s *%s) tally(k %s) {\n%s\n}\n", s.recv, s.keyType(), s.tally)
		s.p("func (s *%s) sum() (r int) {\nfor _, n := range s.t {\nr += n\n}\nreturn r\n}\n", s.recv)
	}
	i := s.pick(3) / 2
	s.parts[i] += s.out.String()
	s.out.Reset()
	s.driver(names)
	s.parts[0] += s.out.String()
}

// anyKind returns a kind of map: often the first, with which most can be done.
func (s *singles) anyKind() *singleKind {
	if s.maybe(30) {
		return s.kinds[0]
	}
	return s.kinds[s.pick(len(s.kinds))]
}

func (s *singles) keyType() string {
	if s.generic {
		return "K"
	}
	return "string"
}

func (s *singles) types() {
	s.p("type pair§ struct{ a, b int }\n\nfunc (p pair§) sum() int { return p.a + p.b }\n")
	s.p("type cell§ struct{ n int }\n\nfunc (c *cell§) get() int { return c.n }\n")
	params, args := "", ""
	if s.generic {
		params, args = "[K comparable, V any]", "[K, V]"
	}
	s.p("type %s%s struct {", map[bool]string{true: "base§", false: "S§"}[s.base != ""], params)
	for _, f := range s.fields {
		if !f.global {
			s.p("%s %s", f.name, f.kind.typ())
		}
	}
	if s.tally != "" {
		s.p("t map[%s]int", s.keyType())
	}
	if s.base != "" {
		s.p("}\n\ntype S§%s struct {\n%s%s", params, s.base, args)
	}
	s.p("next *%s\n}\n", s.recv)
	s.p("func (s *%s) peer() *%[1]s { return s.next }\n", s.recv)
	for _, f := range s.fields {
		if f.global {
			s.p("%s", s.one("var g§ = $new\n", "var (\nh§ = 1\ng§ $t = $new\n)\n\nvar _ = h§\n", "var g§ $t\n\nfunc init() { g§ = $new }\n", "// A comment.\nvar g§ = $new // behind\n"))
			s.replace("$new", s.one(f.kind.make...))
			s.replace("$t", f.kind.typ())
		}
	}
	if s.has("hub§") {
		s.p("var hub§ = []*S§{one§(), one§()}\n")
	}
	if s.has("slots§") {
		s.p("var slots§ = [2]S§{{%s}, {%s}}\n", s.inits(), s.inits())
	}
}

// replace puts text in the place of a word in what was written.
func (s *singles) replace(word, text string) {
	all := strings.ReplaceAll(s.out.String(), word, text)
	s.out.Reset()
	s.out.WriteString(all)
}

// has reports whether a path begins with the variable.
func (s *singles) has(variable string) bool {
	return slices.ContainsFunc(s.paths, func(p string) bool { return strings.HasPrefix(p, variable) })
}

// inits are the elements of a literal of the owner, each map made.
func (s *singles) inits() string {
	var list []string
	for _, f := range s.fields {
		if !f.global {
			list = append(list, f.name+": "+s.one(f.kind.make...))
		}
	}
	if s.tally != "" {
		list = append(list, "t: make(map["+s.keyType()+"]int)")
	}
	all := strings.Join(list, ", ")
	args := ""
	if s.generic {
		args = "[K, V]"
	}
	if s.base != "" {
		return "base§: " + strings.Replace(s.base, "*", "&", 1) + args + "{" + all + "}"
	}
	return all
}

func (s *singles) constructor() {
	params := ""
	if s.generic {
		params = "[K comparable, V any]"
	}
	s.p("func one§%s() *%s {", params, s.recv)
	if s.base == "*base§" || s.maybe(60) {
		s.p("%s", s.one("return &$S{$I}", "s := &$S{$I}\nreturn s", "s := &$S{\n$I,\n}\nreturn s"))
		s.replace("$I", s.inits())
		s.replace("$S", s.recv)
	} else {
		s.p("%s", s.one("s := &$S{}", "s := new($S)", "var o $S\ns := &o"))
		s.replace("$S", s.recv)
		for _, f := range s.fields {
			if !f.global {
				s.p("s.%s = %s", f.name, s.one(f.kind.make...))
			}
		}
		if s.tally != "" {
			s.p("s.t = map[%s]int{}", s.keyType())
		}
		s.p("return s")
	}
	s.p("}\n")
	name := "one§"
	if s.generic {
		name = "one§[string, int]"
	}
	s.p("func new§() *%s {\ns := %s()\ns.next = %[2]s()\ns.next.next = s\nreturn s\n}\n", s.made, name)
}

// method writes one method.
func (s *singles) method(name string) {
	if s.generic {
		s.p("func (s *%s) %s(k K, v V, i int) (r int) {", s.recv, name)
	} else {
		s.p("func (s *%s) %s(k string, v, i int) (r int) {", s.recv, name)
	}
	first := s.pick(len(s.fields))
	uses := []string{s.use(s.fields[first])}
	if len(s.fields) > 1 && s.maybe(25) {
		uses = append(uses, s.use(s.fields[(first+1)%len(s.fields)]))
	}
	if s.maybe(5) {
		uses = append(uses, s.use(s.fields[first]))
	}
	for _, use := range uses {
		if len(uses) > 1 || s.maybe(20) {
			use = "{\n" + use + "\n}"
		}
		s.p("%s", use)
	}
	s.p("return r\n}\n")
}

// use returns a statement with one use of f.
func (s *singles) use(f singleField) string {
	var text string
	switch s.pick(10) {
	case 0, 1, 2:
		expr := s.one(slices.Concat(anyExprs, f.kind.exprs, f.kind.exprs)...)
		switch s.pick(20) {
		case 0, 1:
			expr += " + s.$put($k, $v)"
		case 2:
			expr = "s.$put($k, $v) + " + expr
		}
		text = strings.ReplaceAll(s.one(exprContexts...), "$E", expr)
		text = strings.ReplaceAll(text, "k1", "`a`")
	case 3, 4, 5:
		context, stmt := s.one(stmtContexts...), s.one(slices.Concat(anyStmts, f.kind.stmts, f.kind.stmts)...)
		if before, after, ok := strings.Cut(stmt, " = "); ok && (strings.Contains(context, "; $S {") || strings.Contains(context, " $S;")) {
			stmt = before + " = (" + after + ")" // a literal must stand in parentheses there
		}
		text = strings.ReplaceAll(context, "$S", stmt)
	case 6:
		text = strings.ReplaceAll(s.one(slices.Concat(stmtContexts, callContexts, callContexts)...), "$S", s.one(anyCalls...))
	default:
		text = s.one(slices.Concat(anyBlocks, f.kind.blocks, f.kind.blocks)...)
	}
	value := s.one(f.kind.values...)
	if f.kind.elem == "int" && len(s.before) > 0 && s.maybe(50) {
		value = "s." + s.one(s.before...) + "(k, v, i)"
	}
	if f.kind.elem == "int" && !s.generic && s.maybe(3) {
		value, s.plain = "s.turn(i)", false
	}
	m := strings.ReplaceAll(s.one(s.paths...), "$o", "s") + f.name
	if f.global {
		m = f.name
	}
	for strings.Contains(text, "L") {
		text = strings.ReplaceAll(text, "L", s.fresh("l"))
	}
	for i, name := range helpers {
		if strings.Contains(text, "$"+name) {
			text = strings.ReplaceAll(text, "$"+name, name+f.name)
			if h := (helper{i, f}); !slices.Contains(s.helpers, h) {
				s.helpers = append(s.helpers, h)
			}
		}
	}
	return strings.NewReplacer("$m", m, "$new", s.one(f.kind.make...), "$K", f.kind.key, "$V", f.kind.elem, "$k", s.one(f.kind.keys...), "$v", value).Replace(text)
}

// helpers are the names of methods that a method may call after or while it uses the map.
var helpers = [...]string{"len", "clr", "renew", "put"}

// A helper is such a method of one map.
type helper struct {
	which int
	field singleField
}

func (s *singles) help() {
	for _, h := range s.helpers {
		body := [...]string{
			"() int { return len($m) }", "() { clear($m) }", "() { $m = $new }", "(k $K, v $V) int {\n$m[k] = v\nreturn 1\n}",
		}[h.which]
		m := h.field.name
		if !h.field.global {
			m = "s." + m
		}
		s.p("func (s *%s) %s%s%s\n", s.recv, helpers[h.which], h.field.name, strings.NewReplacer("$m", m, "$new", h.field.kind.make[1], "$K", h.field.kind.key, "$V", h.field.kind.elem).Replace(body))
	}
}

// driver writes what calls the methods.
func (s *singles) driver(names []string) {
	s.p("func (s *%s) show§() string {\nvar b strings.Builder", s.recv)
	for _, f := range s.fields {
		m := "s." + f.name
		if f.global {
			m = f.name
		}
		shown := map[string]string{"func(int) int": "v == nil", "*cell§": "v == nil"}[f.kind.elem]
		if shown == "" {
			shown = "v"
		}
		s.p("{\nvar list [][2]any\nfor k, v := range %s {\nlist = append(list, [2]any{k, %s})\n}\nb.WriteString(listed(%q, list))\n}", m, shown, strings.TrimSuffix(f.name, "§")+" ")
	}
	s.p("return b.String()\n}\n")
	if !s.generic {
		s.p("func (s *S§) turn(n int) int {\ns.next = s.next.next\nreturn n\n}\n")
	}
	key := func() string { return fmt.Sprintf("key(%d), %d, %d", s.pick(4), s.pick(5), s.pick(6)) }
	s.p("func run§() string {\nvar b strings.Builder\ns := new§()")
	for n := range 3 * len(names) {
		name := names[n%len(names)] // each three times
		s.p("fmt.Fprint(&b, called(func() int { return s.%s(%s) }), \" \")", name, key())
		if n%3 == 2 {
			s.p("b.WriteString(s.show§())")
		}
	}
	s.p("b.WriteString(s.next.show§())")
	for _, v := range []string{"hub§", "slots§"} {
		if s.has(v) {
			s.p("b.WriteString(%s[0].show§() + %[1]s[1].show§())", v)
		}
	}
	s.p("return b.String()\n}\n")
	s.p("func stress§() string {\ns := new§()\nvar wg sync.WaitGroup")
	for _, name := range append(names, "show") {
		call := "called(func() int { return s." + name + "(key(i+n), i, i%6) })"
		if name == "show" {
			call = "s.show§()"
		}
		s.p("for n := range 2 {\nwg.Go(func() {\nfor i := range 20 {\n_ = n + i\n%s\n}\n})\n}", call)
	}
	if s.tally == "" {
		s.p("wg.Wait()\nreturn \"\"\n}\n")
		return
	}
	s.p("start := make(chan bool)\nfor range 4 {\nwg.Go(func() {\n<-start\nfor i := range 200 {\ns.tally(key(i / 50))\n}\n})\n}\nclose(start)\nwg.Wait()")
	s.p("if n := s.sum(); n != 800 {\nreturn fmt.Sprint(\"it counts \", n, \" of 800\")\n}\nreturn \"\"\n}\n")
}
