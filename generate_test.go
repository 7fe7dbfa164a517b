package main

// This file makes programs out of bytes. Nearly all of them type-check; most are full of shared maps, locks and goroutines
// in no order that a person would choose.

import (
	"fmt"
	"go/format"
	"strings"
)

// generated returns the program that data stands for. The same bytes are the same program; each byte is one choice, and when
// they are used up the first of everything is taken, which leads to no end of nothing.
func generated(data []byte) string {
	g := &generator{data: data}
	g.program()
	src := g.out.String()
	if formatted, err := format.Source([]byte(src)); err == nil {
		return string(formatted)
	}
	return src // for the parser to complain of
}

// A generator writes one program.
type generator struct {
	data  []byte
	out   strings.Builder
	depth int // of statements
	names int // how many fresh names were taken

	loop bool   // break and continue may stand here
	here *scope // what may be named here
}

// A scope has the expressions that may be used at a place, by what they are.
type scope struct {
	owners []string // *Store
	maps   []string // map[string]int
	locks  []string // of methods Lock and Unlock
	result bool     // the function returns an int
}

// pick returns a number below n.
func (g *generator) pick(n int) int {
	if len(g.data) == 0 {
		return 0
	}
	b := g.data[0]
	g.data = g.data[1:]
	return int(b) % n
}

func (g *generator) maybe(percent int) bool { return g.pick(100)+percent > 99 }

func (g *generator) one(of ...string) string { return of[g.pick(len(of))] }

func (g *generator) fresh(prefix string) string {
	g.names++
	return fmt.Sprintf("%s%d", prefix, g.names)
}

func (g *generator) p(text string, args ...any) {
	fmt.Fprintf(&g.out, text, args...)
	g.out.WriteByte('\n')
}

// prelude is what every program can name. Each of the parts in it that are asked for is declared in one of several ways.
const prelude = `package m

import (
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

var _ = []any{fmt.Sprint, slices.Sorted[string], time.Now, http.NewServeMux, maps.Clone[map[string]int]}

type doer interface{ Do(k string) int }

type base struct {
	bmu sync.Mutex
	bm  map[string]int
}

func (b *base) Base(k string) int {
	b.bmu.Lock()
	defer b.bmu.Unlock()
	b.bm[k]++
	return b.bm[k]
}

type box[K comparable, V any] struct {
	sync.RWMutex
	items map[K]V
}

func (b *box[K, V]) Put(k K, v V) { b.items[k] = v }
func (b *box[K, V]) Take(k K) (V, bool) {
	b.RLock()
	defer b.RUnlock()
	v, ok := b.items[k]
	return v, ok
}
func (b *box[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		b.RLock()
		defer b.RUnlock()
		for k, v := range b.items {
			if !yield(k, v) {
				return
			}
		}
	}
}

func use[M ~map[K]V, K comparable, V any](m M, k K, v V) { m[k] = v }
func with(f func())                                     { f() }
func later(f func())                                    { go f() }
func fill(m map[string]int, k string) int               { m[k] = len(m); return m[k] }
`

// program writes the whole program.
func (g *generator) program() {
	g.out.WriteString(prelude)
	g.store()
	g.p("var (\n\tpmu %s\n\tpm = %s\n\tpstore *Store\n)", g.one("sync.Mutex", "sync.RWMutex"), g.one("make(map[string]int)", "map[string]int{\"a\": 1}", "map[string]int(nil)"))
	g.p("func init() {\npstore = %s\n}", g.one("NewStore()", "&Store{m: make(map[string]int)}"))
	for i := range 2 + g.pick(5) {
		g.function(i)
	}
	if g.maybe(40) {
		g.here = &scope{owners: []string{"pstore"}, maps: []string{"pm"}, locks: []string{"pmu"}}
		g.p("func init() {\nk := \"k\"")
		g.block(3)
		g.p("}")
	}
}

// store writes the type that owns most maps, and how it is made.
func (g *generator) store() {
	g.p("\ntype Store struct {")
	g.p("%s", g.one("mu sync.Mutex", "mu sync.RWMutex", "mu *sync.Mutex", "mu, other sync.Mutex", "mu sync.Locker"))
	g.p("m map[string]int")
	g.p("lists map[string][]int\nb *box[string, int]\nnext *Store\nf func(string) int\nch chan string\nwg sync.WaitGroup\nonce sync.Once\nd doer\nval base")
	if g.maybe(50) {
		g.p("base")
	} else {
		g.p("*base")
	}
	g.p("}\n")
	g.p("func NewStore() *Store {")
	g.p("s := &Store{%s}", g.one("m: make(map[string]int), lists: map[string][]int{}", "m: map[string]int{}, ch: make(chan string)", "b: &box[string, int]{items: map[string]int{}}", ""))
	if g.maybe(50) {
		g.p("s.m = %s", g.one("make(map[string]int)", "pm", "maps.Clone(pm)", "nil"))
	}
	if g.maybe(40) {
		g.p("s.f = %s", g.one("s.Do", "func(k string) int { return s.m[k] }", "func(k string) int { s.m[k]++; return 0 }"))
	}
	if g.maybe(40) {
		g.p("%s", g.one("go s.Do(\"a\")", "s.wg.Go(func() { s.Do(\"b\") })", "http.HandleFunc(\"/\", s.serve)", "time.AfterFunc(time.Second, func() { s.m[\"t\"]++ })", "s.d = s", "pstore = s", "go s.run()"))
	}
	g.p("return s\n}\n")
	g.method("func (s *Store) Do(k string) int", "s", true)
	g.method("func (s *Store) run()", "s", false)
	g.method("func (s *Store) serve(w http.ResponseWriter, r *http.Request)", "s", false)
	g.method("func (s Store) copied()", "(&s)", false)
}

func (g *generator) method(head, receiver string, result bool) {
	g.here = g.methodScope(receiver)
	g.here.result = result
	g.p("%s {", head)
	if !strings.Contains(head, "k string") {
		g.p("k := %s", g.one(`"k"`, `string(rune(len(pm)))`))
		g.p("_ = k")
	}
	g.block(4)
	if result {
		g.p("return %s", g.number())
	}
	g.p("}\n")
}

func (g *generator) methodScope(receiver string) *scope {
	return &scope{
		owners: []string{receiver, receiver + ".next", "pstore"},
		maps:   []string{receiver + ".m", receiver + ".m", receiver + ".bm", "pm", receiver + ".val.bm", receiver + ".next.m"},
		locks:  []string{receiver + ".mu", receiver + ".mu", receiver + ".bmu", "pmu", receiver + ".val.bmu", receiver + ".next.mu"},
	}
}

// function writes function number i, a method or a plain one.
func (g *generator) function(i int) {
	switch g.pick(4) {
	case 0:
		g.method(fmt.Sprintf("func (s *Store) M%d(k string) int", i), "s", true)
	case 1:
		g.method(fmt.Sprintf("func F%d(s *Store, k string)", i), "s", false)
	case 2:
		g.here = &scope{owners: []string{"pstore"}, maps: []string{"x", "pm"}, locks: []string{"pmu"}}
		g.p("func P%d(x map[string]int, k string) map[string]int {", i)
		g.block(4)
		g.p("return %s\n}\n", g.one("x", "pm", "nil"))
	case 3:
		g.method(fmt.Sprintf("func T%d[T ~*Store](t T, k string)", i), "(*Store)(t)", false)
	}
}

// block writes some statements, at least one.
func (g *generator) block(most int) {
	saved := *g.here
	defer func() { *g.here = saved }()
	for range 1 + g.pick(most) {
		g.statement()
	}
}

// nested writes a block in braces that head opens.
func (g *generator) nested(head, end string, args ...any) {
	g.p("%s {", fmt.Sprintf(head, args...))
	g.block(3)
	g.p("}%s", end)
}

func (g *generator) owner() string  { return g.here.owners[g.pick(len(g.here.owners))] }
func (g *generator) mapVar() string { return g.here.maps[g.pick(len(g.here.maps))] }
func (g *generator) lock() string   { return g.here.locks[g.pick(len(g.here.locks))] }

func (g *generator) key() string {
	return g.one("k", "k", `"a"`, `k+"x"`, "fmt.Sprint(k)", "min(k, \"z\")")
}

// number is an expression of type int.
func (g *generator) number() string {
	m := g.mapVar()
	return g.one("1", m+"["+g.key()+"]", "len("+m+")", "max(len("+m+"), 2)", "fill("+m+", k)", g.owner()+".Do(k)", "len("+g.owner()+".lists[k])")
}

// condition is a boolean expression.
func (g *generator) condition() string {
	m := g.mapVar()
	return g.one("k != \"\"", m+" == nil", "len("+m+") > 0", m+"[k] > 1 && "+m+"[\"b\"] < 2", g.owner()+" != nil", "func() bool { _, ok := "+m+"[k]; return ok }()")
}

const maxNested = 5

func (g *generator) statement() {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > maxNested || g.maybe(55) {
		g.use()
		return
	}
	simple := []func(){g.locked, g.locked, g.control, g.loops, g.concurrent, g.concurrent, g.closures, g.channels, g.declare, g.jump}
	simple[g.pick(len(simple))]()
}

// use writes one use of a map.
func (g *generator) use() {
	m := g.mapVar()
	switch g.pick(22) {
	case 0:
		g.p("%s[%s] = %s", m, g.key(), g.number())
	case 1:
		g.p("%s[%s]++", m, g.key())
	case 2:
		g.p("delete(%s, %s)", m, g.key())
	case 3:
		v := g.fresh("v")
		g.p("%s, ok := %s[%s]\n_, _ = %[1]s, ok", v, m, g.key())
	case 4:
		g.p("if v, ok := %s[k]; !ok {\n%[1]s[k] = v + 1\n}", m)
	case 5:
		g.p("%s = %s", m, g.one("make(map[string]int)", "nil", "pm", "maps.Clone("+m+")"))
	case 6:
		a := g.fresh("alias")
		g.p("%s := %s\n_ = %[1]s", a, m)
		g.here.maps = append([]string{a}, g.here.maps...)
	case 7:
		g.p("clear(%s)", m)
	case 8:
		g.p("fmt.Println(%s)", g.one(m, "len("+m+")", g.owner(), m+"[k]"))
	case 9:
		g.p("%s.lists[k] = append(%[1]s.lists[k], %s)", g.owner(), g.number())
	case 10:
		g.p("use(%s, %s, %s)", m, g.key(), g.number())
	case 11:
		g.p("fill(%s, %s)", m, g.key())
	case 12:
		g.p("%s.b.Put(%s, %s)", g.owner(), g.key(), g.number())
	case 13:
		g.p("for _, key := range slices.Sorted(maps.Keys(%s)) {\n%[1]s[key]--\n}", m)
	case 14:
		g.p("%s[%s], %s[k] = %s, %s", m, g.key(), g.mapVar(), g.number(), g.number())
	case 15:
		g.p("_ = %s", g.number())
	case 16:
		g.p("maps.Copy(%s, %s)", m, g.mapVar())
	case 17:
		g.p("%s.copied()", g.owner())
	case 18:
		g.p("maps.DeleteFunc(%s, func(k string, v int) bool { return v > %s })", m, g.number())
	case 19:
		g.p("%s[k] += %s", m, g.number())
	case 20:
		a := g.fresh("ptr")
		g.p("%s := &%s\n(*%[1]s)[k] = 1", a, m)
	case 21:
		g.p("_ = func() map[string]int { return %s }()", m)
	}
}

// locked writes a section, whole or not.
func (g *generator) locked() {
	l := g.lock()
	switch g.pick(8) {
	case 0, 1:
		g.p("%s.Lock()", l)
		g.block(3)
		g.p("%s.Unlock()", l)
	case 2:
		g.p("%s.Lock()\ndefer %[1]s.Unlock()", l)
		g.use()
	case 3:
		g.p("%s.Lock()", l)
	case 4:
		g.p("%s.Unlock()", l)
	case 5:
		v := g.fresh("lock")
		g.p("{\n%s := &%s\n%[1]s.Lock()", v, strings.Replace(l, ".mu", ".bmu", 1))
		g.block(2)
		g.p("%s.Unlock()\n}", v)
	case 6:
		g.p("if %s {\n%s.Lock()\n} else {\n%s.Lock()\n}", g.condition(), l, g.lock())
		g.block(2)
		g.p("%s.Unlock()", l)
	case 7:
		g.p("func() {\n%s.Lock()\ndefer %[1]s.Unlock()", l)
		g.inFunction(func() { g.block(2) })
		g.p("}()")
	}
}

// inFunction runs do for the body of a function literal without results.
func (g *generator) inFunction(do func()) {
	loop, result := g.loop, g.here.result
	g.loop, g.here.result = false, false
	do()
	g.loop, g.here.result = loop, result
}

// inLoop runs do for the body of a loop.
func (g *generator) inLoop(do func()) {
	loop := g.loop
	g.loop = true
	do()
	g.loop = loop
}

func (g *generator) control() {
	switch g.pick(6) {
	case 0:
		g.nested("if %s", "", g.condition())
	case 1:
		g.p("if %s {", g.condition())
		g.block(2)
		g.nested("} else if %s", "", g.condition())
	case 2:
		g.p("if v := %s; v > 1 {", g.number())
		g.block(2)
		g.nested("} else", "")
	case 3:
		g.p("switch %s {\ncase %s:", g.number(), g.number())
		g.block(2)
		g.p("fallthrough\ncase 99:")
		g.block(2)
		g.p("default:")
		g.block(2)
		g.p("}")
	case 4:
		g.p("switch d := any(%s.d).(type) {\ncase *Store:\nd.m[k] = 1\ncase doer:\nd.Do(k)\ndefault:", g.owner())
		g.block(2)
		g.p("}")
	case 5:
		g.nested("", "")
	}
}

func (g *generator) loops() {
	switch g.pick(8) {
	case 0:
		g.inLoop(func() { g.nested("for k, v := range %s", "", g.mapVarV()) })
	case 1:
		g.inLoop(func() { g.nested("for range %d", "", 1+g.pick(3)) })
	case 2:
		g.inLoop(func() { g.nested("for k := range %s.b.All()", "", g.owner()) })
	case 3:
		g.inLoop(func() { g.nested("for i := 0; i < %s; i++", "", g.number()) })
	case 4:
		g.inLoop(func() { g.nested("for %s", "", g.condition()) })
	case 5:
		g.inLoop(func() { g.nested("for _, v := range %s.lists[k]", "", g.owner()) })
	case 6:
		g.inLoop(func() { g.nested("for k := range maps.Keys(%s)", "", g.mapVar()) })
	case 7:
		l := g.fresh("outer")
		g.p("%s:", l)
		g.inLoop(func() {
			g.p("for {")
			g.block(2)
			g.p("for k := range %s {\nif k == \"x\" {\n%s %s\n}", g.mapVar(), g.one("break", "continue"), l)
			g.block(2)
			g.p("}\nbreak\n}")
		})
	}
}

// mapVarV returns a map to range over.
func (g *generator) mapVarV() string { return g.one(g.mapVar(), "maps.Clone("+g.mapVar()+")") }

func (g *generator) concurrent() {
	body := func(head, end string, args ...any) {
		g.inFunction(func() { g.nested(head, end, args...) })
	}
	switch g.pick(10) {
	case 0:
		body("go func()", "()")
	case 1:
		g.p("go %s.Do(%s)", g.owner(), g.key())
	case 2:
		body("%s.wg.Go(func()", ")", g.owner())
	case 3:
		o := g.owner()
		g.p("%s.wg.Add(1)", o)
		g.inFunction(func() {
			g.p("go func() {\ndefer %s.wg.Done()", o)
			g.block(2)
			g.p("}()")
		})
		if g.maybe(60) {
			g.p("%s.wg.Wait()", o)
		}
	case 4:
		body("later(func()", ")")
	case 5:
		body("time.AfterFunc(time.Second, func()", ")")
	case 6:
		body("%s.once.Do(func()", ")", g.owner())
	case 7:
		body("go func(k string)", "("+g.key()+")")
	case 8:
		g.p("http.HandleFunc(\"/x\", %s.serve)", g.owner())
	case 9:
		d := g.fresh("done")
		g.p("%s := make(chan struct{})", d)
		g.inFunction(func() {
			g.p("go func() {\ndefer close(%s)", d)
			g.block(2)
			g.p("}()")
		})
		if g.maybe(60) {
			g.p("<-%s", d)
		}
	}
}

func (g *generator) closures() {
	switch g.pick(8) {
	case 0:
		f := g.fresh("f")
		g.inFunction(func() { g.nested("%s := func()", "", f) })
		g.p("%s", g.one(f+"()", "go "+f+"()", "defer "+f+"()", "with("+f+")", "later("+f+")"))
	case 1:
		g.inFunction(func() { g.nested("defer func()", "()") })
	case 2:
		g.inFunction(func() { g.nested("with(func()", ")") })
	case 3:
		g.p("%s.f = %s", g.owner(), g.one(g.owner()+".Do", "func(k string) int { return "+g.number()+" }"))
	case 4:
		g.p("if %s.f != nil {\n%[1]s.f(%s)\n}", g.owner(), g.key())
	case 5:
		g.p("%s.d = %s", g.owner(), g.owner())
	case 6:
		g.p("if %s.d != nil {\n%[1]s.d.Do(k)\n}", g.owner())
	case 7:
		g.p("defer %s.Do(%s)", g.owner(), g.key())
	}
}

func (g *generator) channels() {
	o := g.owner()
	switch g.pick(7) {
	case 0:
		g.p("%s.ch <- %s", o, g.key())
	case 1:
		g.p("_ = <-%s.ch", o)
	case 2:
		g.inLoop(func() { g.nested("for k := range %s.ch", "", o) })
	case 3:
		g.p("select {\ncase v := <-%s.ch:\n%s[v]++\ncase %s.ch <- %s:", o, g.mapVar(), g.owner(), g.key())
		g.block(2)
		g.p("default:")
		g.block(2)
		g.p("}")
	case 4:
		g.p("close(%s.ch)", o)
	case 5:
		c := g.fresh("c")
		g.p("%s := make(chan map[string]int, 1)\n%[1]s <- %s", c, g.mapVar())
		g.here.maps = append([]string{"(<-" + c + ")"}, g.here.maps...)
	case 6:
		g.p("%s.ch = make(chan string, %s)", o, g.number())
	}
}

// declare writes a variable that the statements after it may use.
func (g *generator) declare() {
	switch g.pick(7) {
	case 0:
		v := g.fresh("local")
		g.p("%s := make(map[string]int)", v)
		g.here.maps = append([]string{v}, g.here.maps...)
	case 1:
		v := g.fresh("o")
		g.p("%s := %s", v, g.one("NewStore()", "&Store{m: map[string]int{}}", g.owner(), "new(Store)"))
		g.here.owners = append([]string{v}, g.here.owners...)
		g.here.maps = append([]string{v + ".m"}, g.here.maps...)
		g.here.locks = append([]string{v + ".mu"}, g.here.locks...)
	case 2:
		v := g.fresh("mu")
		g.p("var %s sync.Mutex", v)
		g.here.locks = append([]string{v}, g.here.locks...)
	case 3:
		v := g.fresh("copy")
		g.p("%s := *%s", v, g.owner())
		g.here.owners = append([]string{"(&" + v + ")"}, g.here.owners...)
		g.here.maps = append([]string{v + ".m"}, g.here.maps...)
	case 4:
		v := g.fresh("st")
		g.p("%s := struct {\nsync.Mutex\nm map[string]int\n}{m: %s}", v, g.one("map[string]int{}", g.mapVar()))
		g.here.maps = append([]string{v + ".m"}, g.here.maps...)
		g.here.locks = append([]string{v}, g.here.locks...)
	case 5:
		g.p("%s.next = %s", g.owner(), g.one(g.owner(), "NewStore()"))
	case 6:
		v := g.fresh("arr")
		g.p("var %s [2]Store", v)
		g.here.owners = append([]string{"(&" + v + "[1])"}, g.here.owners...)
		g.here.maps = append([]string{v + "[len(k)].m"}, g.here.maps...)
	}
}

// jump writes what leaves a block.
func (g *generator) jump() {
	switch g.pick(5) {
	case 0:
		l := g.fresh("again")
		g.p("{\n%s:", l)
		g.p("%s[k]++", g.mapVar())
		g.p("if %s {\ngoto %s\n}\n}", g.condition(), l)
	case 1:
		if g.loop {
			g.p("if %s {\n%s\n}", g.condition(), g.one("break", "continue"))
		}
	case 2:
		g.p("if %s {\npanic(%s)\n}", g.condition(), g.number())
	case 3:
		g.p("defer func() {\nif r := recover(); r != nil {\n%s[k] = 0\n}\n}()", g.mapVar())
	case 4:
		if g.here.result {
			g.p("if %s {\nreturn %s\n}", g.condition(), g.number())
		}
	}
}
