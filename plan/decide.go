package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/region"
	"mapmend/plan/share"
)

// This file decides for each finding how it is mended.

// decider decides about the variables of one program. Variables are added one by one and decided
// together, since those under one guard share their sections.
type decider struct {
	prog  *load.Program
	world *share.World
	decls map[Var]declaration
	opt   Options

	orders *lockOrders // of the program as it is
	spins  []token.Pos // in loops that may wait, sorted

	index     map[token.Pos]function
	gains     map[string]map[access.Var]bool               // see newLocks
	gainsAnew map[string]map[access.Var]bool               // those but for read locks that become write locks
	twins     map[string]*twin                             // see splitFunctions
	moved     map[token.Pos]bool                           // calls that become calls of a twin
	declared  map[string][]region.Declared                 // by sections, by the function that they stand in: see placeSections
	placed    map[string][]placedSection                   // by the function that they stand in: see nested
	graph     *callGraph                                   // see reach.go
	shown     []flow                                       // see shows; nil until it is asked for
	laid      []layout                                     // see layouts; nil until it is asked for
	importers map[string][]string                          // see folders
	unsets    map[Var]bool                                 // see isUnset
	imports   map[*types.Package]map[string]*types.Package // see known
	names     map[string]bool                              // of types and files to generate
	measured  measurements
	stays     map[Var]stay // contended variables for which no form is better
	cases     []*candidate
	wrapped   []Mend // in a form that generates a type
	refusals  []Refusal
}

// candidate is a variable that is to be mended. All but the first three are for the form lock.
type candidate struct {
	finding   Finding
	verdict   share.Verdict
	decl      declaration
	guard     guard
	needs     []need             // the places that must hold the guard
	modes     []ModeChange       // read locks that become write locks
	copies    []copied           // places that let out the map, and are to let out a copy
	twins     []*twin            // functions that are to be split
	receivers []Receiver         // of the methods of the owner, which are to be pointers
	pointed   map[ast.Expr]bool  // see wrapping
	one       *OneMutex          // for all owners that have the map; nil if each has its own
	carried   map[token.Pos]bool // where the map goes from one owner to another, and the one mutex with it
	addressed []Span             // literals of the owner whose address is to be taken
	asserted  []Span             // types of the owner to which interfaces are asserted, which are to be pointers
	relocked  []string           // those of the methods that lock the guard, which was a copy

	upgraded []string // the functions in which they do
	own      bool     // a new guard is for this variable alone
	forms    []Form   // those asked for that are not tried yet
	refusal  *Refusal // of the first form that was tried
	dropped  bool

	relieved   bool              // it is contended: its guard goes
	auto       bool              // the tool chooses the form: see choices
	row        int               // of choices that decided last; -1 at first
	rows       []int             // those that are still to be tried
	usage      *usage            // nil until a row looks at it
	infeasible map[Form]*Refusal // why, by form
	seen       []Form            // those that were only looked at, to tell that
}

// decide finds what the mend of one variable needs, or refuses it.
func (d *decider) decide(v share.Verdict, decl declaration, f Finding) {
	c := &candidate{finding: f, verdict: v, decl: decl, forms: d.opt.formsOf(f.Var), row: -1}
	if c.auto = len(c.forms) == 0; c.auto {
		c.rows = d.rowsFor(c)
	}
	d.try(c)
}

// try decides for the first form left that is feasible. The form lock is feasible once all variables
// under one guard are placed, so that its refusal may come later.
func (d *decider) try(c *candidate) {
	for form := d.next(c); form != ""; form = d.next(c) {
		var r *Refusal
		switch form {
		case Lock:
			if r = d.plan(c); r == nil {
				d.cases = append(d.cases, c)
				return
			}
		case RWMutex, Sharded, SyncMap, Snapshot, XSync:
			var m *Mend
			var w *wrapping
			if m, w, r = d.wrap(c, form); r == nil {
				m.Choice = d.choice(c)
				w.takeNames()
				d.wrapped = append(d.wrapped, *m)
				return
			}
		default:
			panic("plan: unknown Form " + form)
		}
		d.note(c, form, *r)
	}
	d.refusals = append(d.refusals, *c.refusal)
}

// note records why a form is infeasible. When the tool chooses, it goes on to a wrapper only where one
// helps, and the reason that counts is that of the form lock.
func (d *decider) note(c *candidate, form Form, r Refusal) {
	r.Var = c.finding.Var
	if r.Pos == (Pos{}) {
		r.Pos = c.finding.Pos
	}
	if c.refusal == nil || c.auto && form == Lock { // before it only another form was tried, for being faster
		c.refusal = &r
	}
	c.reject(form, r)
	if c.auto && form == Lock && !slices.Contains(solvedByWrapper, r.Code) {
		c.rows = nil
	}
}

// solvedByWrapper are the reasons against a section that are none against an accessor, which holds the
// lock for one use alone.
var solvedByWrapper = []Code{CallInRegion, BlockInRegion, NotBracketable, OwnerUnreachable}

// steps is the order in which a mend is worked out. Each returns nil or why it cannot be.
var steps = []func(*decider, *candidate) *Refusal{
	(*decider).checkFile,
	(*decider).checkReceivers,
	(*decider).checkCopies,
	(*decider).checkEscapes,
	(*decider).checkWays,
	(*decider).chooseGuard,
	(*decider).checkBrought,
	(*decider).checkUnseenUses,
	(*decider).checkUnseenStores,
	(*decider).findNeeds,
}

func (d *decider) plan(c *candidate) *Refusal {
	r := d.work(c)
	if why := cmp.Or(r, d.checkSettled(c)); why == nil || !c.mayStandApart(why.Code) {
		return r
	}
	again := c.apart()
	if d.work(again) != nil {
		return r
	}
	*c = *again
	return nil
}

// work goes through the steps.
func (d *decider) work(c *candidate) *Refusal {
	for _, step := range steps {
		if r := step(d, c); r != nil {
			return r
		}
	}
	return nil
}

// refuse drops the form lock for c, or a new guard that other variables have too.
func (d *decider) refuse(c *candidate, r Refusal) {
	c.dropped = true
	if d.alone(c) {
		return
	}
	d.note(c, Lock, r)
	d.try(c)
}

// alone gives c, which cannot be mended with a new guard that others have too, one of its own: what one section must not hold for all
// of them may do for each. It reports whether it could.
func (d *decider) alone(c *candidate) bool {
	if c.own || c.guard.add == nil || c.decl.owner == nil || !slices.ContainsFunc(d.cases, func(o *candidate) bool { return !o.dropped && o.guard.class == c.guard.class }) {
		return false
	}
	again := &candidate{finding: c.finding, verdict: c.verdict, decl: c.decl, forms: c.forms, refusal: c.refusal, auto: c.auto, row: c.row, rows: c.rows, own: true}
	if d.plan(again) != nil {
		return false
	}
	d.cases = append(d.cases, again)
	return true
}

// checkFile refuses declarations in files that are not to be written.
func (d *decider) checkFile(c *candidate) *Refusal { return d.fileRefusal(c.decl.pkg, c.decl.file) }

// checkWays refuses variables whose uses are reached in more ways than were followed, or in a function that was not
// analysed: the guard may be held there.
func (d *decider) checkWays(c *candidate) *Refusal {
	if b := c.verdict.Unanalysed; b != nil {
		return &Refusal{Code: NotAnalysed, Pos: d.at(b.Pos), Message: b.Name + " uses it too, and was not analysed: " + b.Failed, Todo: "guard the uses by hand"}
	}
	if !c.verdict.Partial {
		return nil
	}
	return &Refusal{Code: TooManyWays, Message: "a use is reached in more ways than are followed, so that it is not known where the lock is held", Todo: "take the lock by hand"}
}

// checkSettled refuses variables with a use of which it is not known whether it holds the guard: the mend
// would leave it out.
func (d *decider) checkSettled(c *candidate) *Refusal {
	u := c.verdict.Unsettled
	if u == nil {
		return nil
	}
	return &Refusal{Code: UnknownGuard, Pos: d.at(u.Pos), Message: "it is not known whether " + c.finding.Guard + " is held at this use", Todo: "guard the uses by hand"}
}

// checkEscapes refuses variables of which something leaves the section of the guard: the uses outside would
// each be a section of their own, of what is no longer there.
func (d *decider) checkEscapes(c *candidate) *Refusal {
	for _, j := range c.verdict.Uses {
		what := "the map"
		switch j.Escape {
		case share.Stays:
			continue
		case share.AnswerLeft:
			return &Refusal{Code: SplitRegion, Pos: d.at(j.Pos), Message: "the entry is looked up in one section of " + c.finding.Guard + " and stored in another", Todo: "look it up again before it is stored"}
		case share.ElementLeft:
			what = "an element of the map"
		case share.AliasLeft:
			if !j.Holds(*c.verdict.Guard) || d.letOutCopy(c, j) {
				continue
			}
			return &Refusal{Code: AliasWritten, Pos: d.at(j.Pos), Message: "the map leaves the section of " + c.finding.Guard + " here, and is used outside while it is changed in one",
				Todo: "let out a copy that is made in the section, if nobody writes through it, keeps it or has to see later changes in it"}
		}
		if j.Holds(*c.verdict.Guard) {
			return &Refusal{Code: AliasWritten, Pos: d.at(j.Pos), Message: what + " leaves the section of " + c.finding.Guard + " here, and is used outside while it is changed in one", Todo: "let out a copy that is made in the section, or use it there"}
		}
	}
	return d.checkFollowed(c)
}

// checkFollowed refuses variables of which the map, or the address, is put where it is not followed: it may be used
// there without the guard.
func (d *decider) checkFollowed(c *candidate) *Refusal {
	var pos token.Pos
	for _, e := range c.verdict.Unfollowed {
		if _, at := e.Place(); !pos.IsValid() && !(e.Use.Returned && c.isCopied(at)) && !c.carried[at] {
			pos = at
		}
	}
	for _, j := range c.verdict.Uses {
		if !pos.IsValid() && slices.ContainsFunc(j.Entries, func(e *share.Entry) bool { return e.Use.Returned }) {
			pos = j.Pos
		}
	}
	if !pos.IsValid() {
		return nil
	}
	return &Refusal{Code: AliasWritten, Pos: d.at(pos), Message: "the map, or the address of its variable, goes here to where its uses are not followed", Todo: "let out a copy that is made in a section, or guard the uses by hand"}
}

func (d *decider) fileRefusal(pkg *load.Package, file *load.File) *Refusal {
	switch {
	case !pkg.Writable:
		return &Refusal{Code: OutOfScope, Message: file.Name + " is not part of the module", Todo: "mend the module that it belongs to"}
	case strings.HasPrefix(file.Name, "../"):
		return &Refusal{Code: OutOfScope, Message: file.Name + " is outside the working directory, which a diff cannot name", Todo: "run mapmend in the folder that holds both"}
	case len(pkg.Unchecked) > 0: // a mend could break them unseen: S{m} where S gains a mutex
		return &Refusal{Code: LoadError, Message: "the tests of package " + pkg.Path + " do not compile, so that a mend could break them unseen", Todo: "make the tests compile"}
	case file.Generated:
		return &Refusal{Code: Generated, Message: file.Name + " is generated", Todo: "change what generates it"}
	case file.Cgo:
		return &Refusal{Code: Cgo, Message: file.Name + ` imports "C"`, Todo: "guard the uses in it by hand"}
	}
	if why := d.prog.Fixed(file); why != "" {
		return &Refusal{Code: FileShape, Message: file.Name + " " + why, Todo: "make it a file of its own that may be written"}
	}
	return nil
}

// finish returns what can be mended and what cannot.
func (d *decider) finish() ([]Mend, []Refusal) {
	planned, twins := d.placeSections()
	mends := d.wrapped
	for _, c := range d.cases {
		if !c.dropped {
			mends = append(mends, d.mend(c, planned[c], twins[c]))
		}
	}
	typeMutexes(mends)
	return mends, d.refusals
}

func (d *decider) mend(c *candidate, sections []Section, twins []Twin) Mend {
	return Mend{
		Var:       c.finding.Var,
		Form:      Lock,
		Finding:   c.finding.reference(),
		Decl:      d.span(c.decl.file, c.decl.extent()),
		Guard:     c.guard.name,
		Class:     toVar(c.guard.class),
		Mutex:     c.guard.add,
		Sections:  sections,
		Modes:     c.modes,
		Copies:    c.copiesIn(d),
		Twins:     twins,
		Receivers: c.receivers,
		One:       c.one,
		Addressed: c.addressed,
		Asserted:  c.asserted,
		Choice:    d.choice(c),
	}
}

func (d *decider) span(file *load.File, n ast.Node) Span {
	return Span{File: file.Name, Start: d.prog.Fset.Position(n.Pos()).Offset, End: d.prog.Fset.Position(n.End()).Offset}
}

func (d *decider) at(pos token.Pos) Pos { return position(d.prog, pos) }

// function is a function body by the position that go/ssa gives the function.
type function struct {
	pkg  *load.Package
	file *load.File
	node ast.Node // *ast.FuncDecl or *ast.FuncLit
	body *ast.BlockStmt
}

// functionAt returns the body of the function key.
func (d *decider) functionAt(key string) (function, bool) {
	if d.index == nil {
		d.index = make(map[token.Pos]function)
		for _, pkg := range d.prog.Packages {
			for _, file := range pkg.Files {
				if file.Syntax != nil {
					d.indexFile(pkg, file)
				}
			}
		}
	}
	b := d.world.Bodies[key]
	if b == nil {
		return function{}, false
	}
	f, ok := d.index[b.Pos]
	return f, ok
}

func (d *decider) indexFile(pkg *load.Package, file *load.File) {
	ast.Inspect(file.Syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Body != nil {
				d.index[n.Name.Pos()] = function{pkg, file, n, n.Body}
			}
		case *ast.RangeStmt: // over a function: the body is one of its own
			d.index[n.Range] = function{pkg, file, n, n.Body}
		case *ast.FuncLit:
			d.index[n.Type.Func] = function{pkg, file, n, n.Body}
		}
		return true
	})
}

// object returns what name declares.
func (decl declaration) object() *types.Var {
	v, _ := decl.pkg.Info.Defs[decl.name].(*types.Var)
	return v
}

// extent returns the node that rewrite calls the declaration: the field, the value spec, or the
// statement that declares a local.
func (decl declaration) extent() ast.Node {
	if decl.stmt != nil {
		return decl.stmt
	}
	return decl.node
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}
