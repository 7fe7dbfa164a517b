package share

import (
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file lets the importers in the program stand for those outside.

// notAsCalled: one side is what importers outside the program might do. Those inside call the same function, and what they
// do with it is judged by itself:
//
//	func (c *Cluster) SetID(id int) { c.updateMetric(c.members) } // called before the cluster is served
func (w *World) notAsCalled(m *meeting) string {
	if m.together != apart || m.sampled || w.claimed(m) != "" {
		return ""
	}
	for _, e := range []*Entry{m.a, m.b} {
		switch {
		case !w.asCalled(e):
		case w.importedRoot(e):
			return "the packages of the program that call " + w.Bodies[e.Func].Name + " do not do it at such a time"
		case w.calledWithin(e):
			return "only its own package calls " + w.Bodies[e.Func].Name + ", and not at such a time; those that import it do not"
		}
	}
	return ""
}

// asCalled reports whether e is what an importer does by a call, and whenever the program does that is known.
func (w *World) asCalled(e *Entry) bool {
	return e.Root == Exported && len(e.Sites) == 0 && !e.cut && !e.ownInstance() && !w.anytime[e.Func]
}

// calledWithin reports whether the root function of e is called by its own package, with what others may have, and packages
// of the program that import that one do without it: it is exported, and not for them.
//
//	func (t *Target) SetConfig(c *Config) // for the pool in this package; those who ask the pool for its targets read them
func (w *World) calledWithin(e *Entry) bool {
	pkg, within := access.PackageOf(e.Func), false
	for _, edge := range w.callers[e.Func] {
		switch {
		case w.isTest(edge.Pos) || edge.Caller == e.Func:
		case access.PackageOf(edge.Caller) != pkg:
			return false
		case !owned(edge, edge.Binding().Ref(e.Ref).Path):
			within = true
		}
	}
	return within && w.imported[pkg]
}

// importedRoot reports whether packages of the program do by a call what e, of an importer, does. A command says nothing of
// the functions that it uses, since it may be an example, but for one that gets the object by itself:
//
//	func main() { etcdmain.Main(os.Args) }
func (w *World) importedRoot(e *Entry) bool {
	commands := w.Bodies[e.Func].Method == "" && e.Ref.Path.Root.Kind == access.Local
	return slices.ContainsFunc(w.callers[e.Func], func(edge *lockset.Edge) bool {
		pkg := access.PackageOf(edge.Caller)
		return pkg != access.PackageOf(e.Func) && !w.isTest(edge.Pos) && (w.open[pkg] && !w.main[pkg] || commands && w.main[pkg])
	})
}

// noteAnytime notes the functions that may run because something outside of the program, or something that is kept, calls
// back: when that is, the program does not say.
func (w *World) noteAnytime() {
	calls := make(map[string][]string)
	var work []string
	for callee, edges := range w.callers {
		for _, e := range edges {
			switch {
			case w.isTest(e.Pos):
			case e.Stored:
				work = append(work, callee)
			default:
				calls[e.Caller] = append(calls[e.Caller], callee)
			}
		}
	}
	for b, root := range w.roots {
		if root == Interface || root == Serving || w.isConverted(b.Key) {
			work = append(work, b.Key)
		}
	}
	for len(work) > 0 {
		key := work[len(work)-1]
		work = work[:len(work)-1]
		if !w.anytime[key] {
			w.anytime[key] = true
			work = append(work, calls[key]...)
		}
	}
}
