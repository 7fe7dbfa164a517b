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
		if w.importedRoot(e) {
			return "the packages of the program that call " + w.Bodies[e.Func].Name + " do not do it at such a time"
		}
	}
	return ""
}

// importedRoot reports whether e is what an importer does by a call, packages of the program do that, too, and when they
// do it is known. A command says nothing of the functions that it uses, since it may be an example, but for one that gets
// the object by itself:
//
//	func main() { etcdmain.Main(os.Args) }
func (w *World) importedRoot(e *Entry) bool {
	if e.Root != Exported || len(e.Sites) > 0 || e.cut || e.ownInstance() || w.anytime[e.Func] {
		return false
	}
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
