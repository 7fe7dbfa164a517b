package share

import (
	"go/token"
	"slices"
	"strconv"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
)

// This file groups the entries that every pair treats alike, so that few pairs are judged.

// maxClasses bounds how many classes of entries of one variable are compared with all the others.
const maxClasses = 1000

// class is what a pair looks at.
type class struct {
	part   mapuse.Part
	writes bool
	root   Root
	maybe  bool
	unsure bool
	alone  bool
	held   bool
	kept   string
	depth  int

	element  string
	returned bool
	removed  bool

	runs  [2]runs   // of what comes before a flag is set, and of what starts the goroutines of a group
	state state     // zero when the root function is one that others call
	pos   token.Pos // see lazyCache
	by    string    // who starts it, and what is said about that

	// Of a function that others call it does not matter which it is, only whose method.
	pkg, method string
	receiver    bool
	sel         string
	imported    bool
	locks       string
}

// classify groups entries by class, in the order in which the classes first occur.
func (w *World) classify(entries []*Entry) [][]*Entry {
	index := make(map[class]int)
	var out [][]*Entry
	for _, e := range entries {
		key := w.class(e)
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], e)
	}
	return out
}

// someOfEach returns classes in an order in which the first ones are of all uses: one of each, then another one of each.
// Of one use, those come first that the shortest ways lead to.
func someOfEach(classes [][]*Entry) [][]*Entry {
	byUse := make(map[*mapuse.Use][][]*Entry)
	var uses []*mapuse.Use
	for _, c := range classes {
		u := c[0].Use
		if byUse[u] == nil {
			uses = append(uses, u)
		}
		byUse[u] = append(byUse[u], c)
	}
	for _, of := range byUse {
		slices.SortStableFunc(of, func(a, b []*Entry) int { return a[0].way.depth - b[0].way.depth })
	}
	var out [][]*Entry
	for i := 0; len(out) < len(classes); i++ {
		for _, u := range uses {
			if i < len(byUse[u]) {
				out = append(out, byUse[u][i])
			}
		}
	}
	return out
}

func (w *World) class(e *Entry) class {
	r := e.Ref.Path.Root
	c := class{part: e.Use.Op.Part(), writes: e.Use.Op.Writes(), root: e.Root, maybe: len(e.At.Maybe) > 0, unsure: e.Unsure != "", alone: e.Alone, held: e.Held, kept: e.Kept, depth: e.Ref.Depth, element: e.Use.Element, returned: e.Use.Returned, removed: e.Use.Removed}
	if slices.ContainsFunc(e.At.Held, func(h lockset.Held) bool { return h.Flag }) {
		c.runs = [2]runs{e.runs(false), e.runs(true)}
	}
	called := e.Root == Exported || e.Root == Interface || e.Root == Serving || e.Root == Closed
	if !called || len(e.Sites) > 0 || len(e.After) > 0 || r.Kind != access.Param {
		c.state = e.state()
		if e.Root == Exported && r.Kind == access.Global && e.Ref.Path.Sel == "" {
			c.pos = e.Use.Pos
		}
		c.by = e.by() + w.safelyCalled(e) + w.termsOf(e)
		return c
	}
	body := w.Bodies[e.Func]
	c.pkg, c.method, c.receiver, c.sel = access.PackageOf(body.Key), body.Method, r.Index == 0, e.Ref.Path.Sel
	c.locks = lockNames(e.locks())
	c.imported = w.asCalled(e) && (w.importedRoot(e) || w.calledWithin(e))
	if e.Root == Serving {
		c.by = w.server(e)
	}
	c.by += w.safelyCalled(e) + w.termsOf(e)
	return c
}

// lockNames writes down what a pair looks at in locks.
func lockNames(locks []Lock) string {
	var b strings.Builder
	for _, l := range locks {
		b.WriteByte('|')
		b.WriteByte('0' + byte(l.Relation))
		b.WriteByte('0' + byte(l.Mode))
		b.WriteString(strconv.FormatBool(l.Indirect))
		b.WriteString(strconv.FormatBool(l.Copied))
		b.WriteString(strconv.FormatBool(l.vague()))
		b.WriteString(l.Class.String())
		b.WriteByte('|')
		b.WriteString(l.ID)
	}
	return b.String()
}
