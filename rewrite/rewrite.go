// This file goes from a plan to changes: the table of forms, the editor they write with, and the
// splice that puts printed declarations into the original bytes.

package rewrite

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"maps"
	"slices"

	"mapmend/plan"
	"mapmend/plan/load"
)

// forms lists every form with the function that carries a mend of it out. Such a function asks the
// editor for steps in files and returns the first place that cannot be done as asked; it need not
// clean up, because the steps of a failed mend are taken back.
var forms = []struct {
	form  plan.Form
	carry func(*editor, plan.Mend) error
}{
	{plan.Lock, carryLock},
	{plan.RWMutex, carryWrapper},
	{plan.Sharded, carryWrapper},
	{plan.SyncMap, carryWrapper},
	{plan.Snapshot, carryWrapper},
	{plan.XSync, carryWrapper},
}

// Rewrite carries out the mends of p in order and returns the files that change, sorted by name, and a
// refusal for each mend that was left out. Neither prog nor p is altered.
func Rewrite(prog *load.Program, p *plan.Plan) (changes []Change, refused []plan.Refusal) {
	e := newEditor(prog)
	for _, m := range p.Mends {
		if err := e.attempt(m); err != nil {
			refused = append(refused, e.refusal(m, err))
		}
	}
	return e.changes(), refused
}

// carry hands m to the function of its form.
func carry(e *editor, m plan.Mend) error {
	for _, f := range forms {
		if f.form == m.Form {
			return f.carry(e, m)
		}
	}
	return refuse(plan.NotProved, m.Decl.File, m.Decl.Start, "no rewrite for form %q", m.Form)
}

// An obstacle is why a mend cannot be carried out, with the place that stands in the way.
type obstacle struct {
	code    plan.Code
	file    string
	offset  int
	message string
	todo    string
}

func (f *obstacle) Error() string { return f.message }

func refuse(code plan.Code, file string, offset int, msg string, args ...any) *obstacle {
	return &obstacle{code: code, file: file, offset: offset, message: fmt.Sprintf(msg, args...)}
}

// An editor collects the steps that mends ask for, file by file, before any tree is changed.
type editor struct {
	prog    *load.Program
	found   map[string]*load.File
	owner   map[*load.File]*load.Package
	files   map[string]*file // the files opened so far
	before  map[*file]work   // what the files held when the current mend began
	created []Change         // new files

	required []plan.Requirement // by the mends that are carried out
}

// A file is one file under edit. The embedded syntax stays as parsed until the steps are applied.
type file struct {
	*syntax
	load *load.File
	pkg  *load.Package
	work
}

// work is everything that is to be done in one file.
type work struct {
	sections   []section
	splits     []split
	renames    []rename
	steps      []step
	inserts    []insert
	dropped    []plan.Span // bytes that steps take out for good
	qualifiers []string    // names of packages that steps mention anew
}

// A step is one change of the tree. Two steps with one key are the same step asked for twice.
type step struct {
	offset int    // where, in the original bytes: it names the declaration that changes
	key    string // what, unique within the file
	do     func(*syntax)
}

// An insert puts text into the bytes between declarations, or replaces bytes of an import declaration.
type insert struct {
	start, end int
	text       string
	key        string // as in step
}

func (a insert) compare(b insert) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
}

func newEditor(prog *load.Program) *editor {
	e := &editor{
		prog:  prog,
		found: make(map[string]*load.File),
		owner: make(map[*load.File]*load.Package),
		files: make(map[string]*file),
	}
	for _, pkg := range prog.Packages {
		for _, f := range pkg.Files {
			if e.found[f.Name] == nil {
				e.found[f.Name] = f
				e.owner[f] = pkg
			}
		}
	}
	return e
}

// attempt carries m out, or leaves every file as it was.
func (e *editor) attempt(m plan.Mend) error {
	e.before = make(map[*file]work)
	created, required := len(e.created), len(e.required)
	err := carry(e, m)
	if err == nil {
		err = e.clash()
	}
	if err != nil {
		e.created, e.required = e.created[:created], e.required[:required]
		for f, w := range e.before {
			f.work = w
		}
	}
	return err
}

// clash returns an obstacle when an import that goes and one that comes meet in a file of the current mend.
func (e *editor) clash() error {
	opened := slices.SortedFunc(maps.Keys(e.before), func(a, b *file) int { return cmp.Compare(a.name, b.name) })
	for _, f := range opened {
		if err := f.splitClash(); err != nil {
			return err
		}
		edits := append(f.unusedImports(), f.inserts...)
		slices.SortStableFunc(edits, insert.compare)
		for i := 1; i < len(edits); i++ {
			if edits[i].start < edits[i-1].end {
				return refuse(plan.NotProved, f.name, edits[i].start, "two mends change one import declaration")
			}
		}
	}
	return nil
}

// open returns the named file, ready for steps of the current mend. A file that must not be rewritten
// is an obstacle at offset.
func (e *editor) open(name string, offset int) (*file, error) {
	f := e.files[name]
	if f == nil {
		from := e.found[name]
		if from == nil {
			return nil, refuse(plan.OutOfScope, name, 0, "%s is not part of the loaded program", name)
		}
		if !e.owner[from].Writable {
			return nil, refuse(plan.OutOfScope, name, offset, "%s is outside the files that may be written", name)
		}
		tree, err := newSyntax(from)
		if err != nil {
			if f, ok := errors.AsType[*obstacle](err); ok && f.offset == 0 {
				f.offset = offset
			}
			return nil, err
		}
		f = &file{syntax: tree, load: from, pkg: e.owner[from]}
		e.files[name] = f
	}
	if _, ok := e.before[f]; !ok {
		e.before[f] = work{slices.Clone(f.sections), slices.Clone(f.splits), slices.Clone(f.renames), slices.Clone(f.steps), slices.Clone(f.inserts), slices.Clone(f.dropped), slices.Clone(f.qualifiers)}
	}
	return f, nil
}

// step asks for a change of the tree, once for each key.
func (f *file) step(offset int, key string, do func(*syntax)) {
	if !f.has(key) {
		f.steps = append(f.steps, step{offset, key, do})
	}
}

// insert asks for text in place of the bytes from start to end, once for each key.
func (f *file) insert(start, end int, key, text string) {
	if !f.has(key) {
		f.inserts = append(f.inserts, insert{start, end, text, key})
	}
}

// has reports whether a step or insert of that key was asked for.
func (f *file) has(key string) bool {
	return slices.ContainsFunc(f.steps, func(s step) bool { return s.key == key }) ||
		slices.ContainsFunc(f.inserts, func(i insert) bool { return i.key == key })
}

// refusal words err for the variable of m.
func (e *editor) refusal(m plan.Mend, err error) plan.Refusal {
	f, ok := errors.AsType[*obstacle](err)
	if !ok {
		panic(fmt.Sprintf("rewrite: form %s returned an error that is no obstacle: %v", m.Form, err))
	}
	r := plan.Refusal{Code: f.code, Var: m.Var, Message: f.message, Todo: f.todo, Pos: plan.Pos{File: f.file}}
	if from := e.found[f.file]; from != nil {
		r.Pos.Line, r.Pos.Column = lineColumn(from.Src, f.offset)
	}
	return r
}

// changes applies the steps and returns the files that differ, sorted by name.
func (e *editor) changes() []Change {
	var changes []Change
	for _, c := range e.created {
		changes = append(changes, Change{File: c.File, New: bytes.Clone(c.New), Create: true})
	}
	changes = append(changes, requireAll(e.prog, e.required)...)
	for name, f := range e.files {
		if len(f.sections)+len(f.splits)+len(f.renames)+len(f.steps)+len(f.inserts) == 0 {
			continue
		}
		if out := f.render(); !bytes.Equal(out, f.load.Src) {
			changes = append(changes, Change{File: name, Old: bytes.Clone(f.load.Src), New: out})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.File, b.File) })
	return changes
}

// render applies the steps to the tree and returns the new bytes of the file.
func (f *file) render() []byte {
	touched := make(map[int]bool) // indices of top-level declarations
	f.applySplits()
	slices.SortStableFunc(f.steps, func(a, b step) int { return cmp.Compare(a.offset, b.offset) })
	for _, s := range f.steps {
		s.do(f.syntax)
		touched[f.declAt(s.offset)] = true
	}
	slices.SortFunc(f.sections, section.compare)
	for _, s := range f.sections {
		s.apply(f.syntax)
		touched[f.declAt(s.start)] = true
	}
	out := splice(f.load.Src, f.replacements(touched))
	if f.formatted {
		// A neighbour's one-line body may be aligned with one that is now longer.
		out = must(format.Source(out))
	}
	return out
}

// replacements returns the inserts, and for each touched declaration its bytes in the printed tree. Its doc
// comment is not among them: no step changes one, and printing would format it.
func (f *file) replacements(touched map[int]bool) []insert {
	edits := append(f.unusedImports(), f.inserts...)
	printed := must(f.print())
	after := must(parse(printed))
	if len(after.ast.Decls) != len(f.ast.Decls) {
		panic("rewrite: printing a tree changed the number of declarations")
	}
	for i := range f.ast.Decls {
		if !touched[i] {
			continue
		}
		d, now := f.ast.Decls[i], after.ast.Decls[i]
		text := printed[after.offset(now.Pos()):after.offset(now.End())]
		edits = append(edits, insert{start: f.offset(d.Pos()), end: f.offset(d.End()), text: string(text)})
	}
	return edits
}

// splice returns src with the edits made. They may touch but not overlap; of two at one place the one
// that replaces nothing comes first.
func splice(src []byte, edits []insert) []byte {
	slices.SortStableFunc(edits, insert.compare)
	var out []byte
	last := 0
	for _, e := range edits {
		if e.start < last {
			panic("rewrite: two replacements of one place")
		}
		out = append(out, src[last:e.start]...)
		out = append(out, e.text...)
		last = e.end
	}
	return append(out, src[last:]...)
}

// declRange returns the bytes of the i-th top-level declaration with its doc comment.
func (t *syntax) declRange(i int) (start, end int) {
	d := t.ast.Decls[i]
	start, end = t.offset(d.Pos()), t.offset(d.End())
	if doc := docOf(d); doc != nil {
		start = t.offset(doc.Pos())
	}
	return start, end
}

// declAt returns the index of the top-level declaration that holds offset.
func (t *syntax) declAt(offset int) int {
	for i := range t.ast.Decls {
		if start, end := t.declRange(i); start <= offset && offset < end {
			return i
		}
	}
	panic("rewrite: a step outside every declaration")
}

func docOf(d ast.Decl) *ast.CommentGroup {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Doc
	case *ast.GenDecl:
		return d.Doc
	}
	return nil
}

// must unwraps the result of printing or parsing what this package itself produced from a file that
// was seen to round trip; an error there is a bug here.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("rewrite: own output: %v", err))
	}
	return v
}
