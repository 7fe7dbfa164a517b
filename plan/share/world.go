package share

import (
	"cmp"
	"go/token"
	"iter"
	"maps"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/intent"
	"mapmend/plan/kept"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
	"mapmend/plan/model"
)

// This file joins what is known about single packages.

// World is all packages of a program. Build it with Add and Finish; afterwards nothing that it says changes.
type World struct {
	Bodies  map[string]*lockset.Body
	Effects map[string]*lockset.Effect
	Uses    []mapuse.Use

	callers    map[string][]*lockset.Edge // by callee
	roots      map[*lockset.Body]Root     // see root
	usesOf     map[string][]*mapuse.Use   // by function
	facts      []kept.Facts               // until Finish
	applies    map[string]bool            // functions that are called as values, where all that may be is known
	many       map[string]bool            // functions that may run several at once, see noteGoroutines
	startedAt  map[string][]string        // where goroutines are started that run a function, by function; two at most
	home       map[string]string          // where the one goroutine is started that runs a function, by function
	kept       *kept.Kept                 // where function values are kept
	blind      bool                       // see Unseen
	built      map[access.Var]bool        // variables that get a map where their owner is made
	nils       map[string][]int           // parameters that a caller gives nil, by function
	unset      map[string][]access.Path   // fields of parameters that a caller leaves unset, by function
	under      underLock                  // while it is held in any mode
	underRead  underLock                  // while it is held for reading
	boxed      map[string]lockset.Boxed   // methods of what becomes any interface
	handed     []lockset.Handed           // functions that code outside the program was given
	unnamed    unnamed
	converted  map[string]model.Runs // methods reached through an interface, and the library that calls them
	dispatch   *dispatch
	claims     map[access.Var]string          // what its author says about concurrent use, by map variable
	safe       map[string]string              // that a function may be called concurrently, by function
	terms      map[string]string              // when a function is to be called, by function
	guards     map[access.Var]*Lock           // what its author says to be its guard, by map variable
	required   map[string]intent.Requirement  // what the callers hold, by function
	setters    map[access.Var]map[string]bool // the functions that set a flag
	flags      map[access.Var][]access.Var    // the locks that are held wherever a flag is set, or seen to be other than atomically
	looked     map[access.Var]bool            // the flags that are seen to be set atomically
	brought    map[access.Var][]mapuse.Brought
	passed     map[mapuse.Passed]token.Pos
	shared     map[string]bool                // fields, as Sels, that several owners have one map in
	unanalysed map[access.Var]*lockset.Body   // a function that mentions a variable and was not analysed
	methods    map[access.Var][]*lockset.Body // the exported ones that are not test code, by type
	containers map[access.Var]looked          // maps that methods reach from the receiver, see inMethod
	lends      map[access.Var][]access.Var    // locks of something else that methods of a type give back
	anytime    map[string]bool                // functions of which it is not known when they run
	open       map[string]bool                // import paths that packages outside the program can import
	main       map[string]bool                // import paths of commands
	imported   map[string]bool                // import paths of packages that others which can be imported import
	isTest     func(token.Pos) bool
}

// NewWorld returns an empty World. isTest reports whether a place is in test code.
func NewWorld(isTest func(token.Pos) bool) *World {
	return &World{
		Bodies:     make(map[string]*lockset.Body),
		Effects:    make(map[string]*lockset.Effect),
		callers:    make(map[string][]*lockset.Edge),
		applies:    make(map[string]bool),
		many:       make(map[string]bool),
		home:       make(map[string]string),
		startedAt:  make(map[string][]string),
		setters:    make(map[access.Var]map[string]bool),
		flags:      make(map[access.Var][]access.Var),
		looked:     make(map[access.Var]bool),
		brought:    make(map[access.Var][]mapuse.Brought),
		passed:     make(map[mapuse.Passed]token.Pos),
		shared:     make(map[string]bool),
		unanalysed: make(map[access.Var]*lockset.Body),
		roots:      make(map[*lockset.Body]Root),
		usesOf:     make(map[string][]*mapuse.Use),
		built:      make(map[access.Var]bool),
		nils:       make(map[string][]int),
		unset:      make(map[string][]access.Path),
		under:      make(underLock),
		underRead:  make(underLock),
		boxed:      make(map[string]lockset.Boxed),
		converted:  make(map[string]model.Runs),
		dispatch:   &dispatch{make(map[[2]string][]string), make(map[string][]string), make(map[string]bool)},
		claims:     make(map[access.Var]string),
		safe:       make(map[string]string),
		terms:      make(map[string]string),
		guards:     make(map[access.Var]*Lock),
		required:   make(map[string]intent.Requirement),
		methods:    make(map[access.Var][]*lockset.Body),
		containers: make(map[access.Var]looked),
		lends:      make(map[access.Var][]access.Var),
		anytime:    make(map[string]bool),
		open:       make(map[string]bool),
		main:       make(map[string]bool),
		imported:   make(map[string]bool),
		isTest:     isTest,
	}
}

// Analysed is one analysed package.
type Analysed struct {
	Path    string
	Name    string
	Imports []string // import paths of packages of the program that it imports, other than in tests
	Result  *lockset.Result
	Uses    []mapuse.Use
	Built   []mapuse.Built
	Brought []mapuse.Brought
	Passed  map[mapuse.Passed]token.Pos
	Said    intent.Said
}

// Add adds a package. Packages are added in an order that is the same in every run.
func (w *World) Add(p Analysed) {
	w.main[p.Path] = p.Name == "main"
	w.open[p.Path] = p.Name != "main" && !isInternal(p.Path) && !strings.HasSuffix(p.Name, "_test")
	for _, path := range p.Imports {
		w.imported[path] = w.imported[path] || w.open[p.Path]
	}
	for key, e := range p.Result.Effects {
		w.Effects[key] = e
	}
	for _, b := range p.Result.Bodies {
		w.Bodies[b.Key] = b
		for _, v := range b.Mentions {
			w.unanalysed[v] = cmp.Or(w.unanalysed[v], b)
		}
	}
	w.facts = append(w.facts, p.Result.Kept)
	w.Uses = append(w.Uses, p.Uses...)
	for _, b := range p.Brought {
		if !w.isTest(b.Pos) {
			w.brought[b.Var] = append(w.brought[b.Var], b)
		}
	}
	for h, pos := range p.Passed {
		if at, seen := w.passed[h]; !w.isTest(pos) && (!seen || pos < at) {
			w.passed[h] = pos
		}
	}
	for _, b := range p.Built {
		if !w.isTest(b.Pos) {
			w.built[b.Var] = true
		}
	}
	for _, m := range p.Result.Boxed {
		m.Foreign = slices.Concat(m.Foreign, w.boxed[m.Key].Foreign)
		slices.Sort(m.Foreign)
		m.Foreign = slices.Compact(m.Foreign)
		w.boxed[m.Key] = m
	}
	w.handed = append(w.handed, p.Result.Handed...)
	w.hear(p.Said)
	for _, c := range p.Result.Conversions {
		w.dispatch.add(c)
		for _, m := range c.Methods {
			if !w.converted[m.Key].Many() {
				w.converted[m.Key] = m.Runs
			}
		}
	}
}

// noteLent notes the locks that b, a method, gives back, and that stand in another type: whoever has a value of its own type
// may hold them from when it got that.
func (w *World) noteLent(b *lockset.Body) {
	for _, class := range b.Gives {
		if b.Method != "" && class.Owner != "" && class.Owner != b.Method {
			typ := access.Var{Package: access.PackageOf(b.Key), Owner: b.Method, Field: "*"}
			w.lends[typ] = append(w.lends[typ], class)
		}
	}
}

// anyLock stands for the locks that are reached through pointers.
var anyLock = access.Var{Field: "*"}

// Finish completes the World after the last Add.
func (w *World) Finish() {
	keys := make([]string, 0, len(w.Bodies))
	for key := range w.Bodies {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	w.keep()
	for _, key := range keys {
		b := w.Bodies[key]
		if b.Method != "" && b.Exported && !w.isTest(b.Pos) {
			typ := access.Var{Package: access.PackageOf(key), Owner: b.Method, Field: "*"}
			w.methods[typ] = append(w.methods[typ], b)
		}
		w.noteLent(b)
		w.unnamed.pulled = append(w.unnamed.pulled, b.Pulls...)
		for _, u := range b.Under {
			w.addUnder(u)
		}
		for i := range b.Calls {
			e := &b.Calls[i]
			w.callers[e.Callee] = append(w.callers[e.Callee], e)
			w.noteUnset(e)
			for _, s := range e.Shared {
				_, field := s.In.Parent()
				w.shared[field] = true
			}
		}
		w.noteFlags(b)
		w.dispatched(b)
		w.applied(b)
	}
	w.noteNils(keys)
	w.noteUnnamed()
	for _, b := range w.Bodies {
		w.roots[b] = w.root(b)
	}
	w.noteAnytime()
	w.noteGoroutines(keys)
	for i := range w.Uses {
		u := &w.Uses[i]
		w.usesOf[u.Func] = append(w.usesOf[u.Func], u)
		w.noteLooked(u)
	}
}

func (w *World) addUnder(u lockset.Under) {
	if u.Indirect && (u.Type != lockset.Waiting || u.Class.IsZero()) && !isWeak(u.Type) {
		u.Class = anyLock
	}
	w.under.add(u.Class, u.Type)
	if u.Read {
		w.underRead.add(u.Class, u.Type)
	}
	for _, t := range w.unseenAt(u.Type) {
		w.under.add(u.Class, t)
		if u.Read {
			w.underRead.add(u.Class, t)
		}
	}
}

// underLock is what runs while a lock is held and no call names it, by lock.
type underLock map[access.Var]map[string]bool

func (u underLock) add(lock access.Var, t string) {
	if u[lock] == nil {
		u[lock] = make(map[string]bool)
	}
	u[lock][t] = true
}

// isWeak reports whether t is something that most calls of code outside the program may do. A lock that is not known is
// then not taken for every other.
func isWeak(t string) bool {
	_, foreign := lockset.ForeignBy(t)
	return foreign || t == lockset.MayWait || t == lockset.Foreign || t == lockset.Sought || t == lockset.Streams
}

func isInternal(path string) bool {
	return slices.Contains(strings.Split(path, "/"), "internal")
}

// Brought returns where the variable v gets a map or a pointer that others may have, too; it is not valid when that is
// nowhere. certain is unset when only callers outside the program may have it. What a function value returns is taken to
// be new unless written is set: the entries of the map are changed, which would be seen by whoever has it, too.
func (w *World) Brought(v access.Var, written bool) (pos token.Pos, certain bool) {
	for _, b := range w.brought[v] {
		if b.Asked && !written {
			continue
		}
		if b.Param < 0 {
			return b.Pos, true
		}
		if _, passed := w.passed[mapuse.Passed{Func: b.Func, Param: b.Param}]; passed {
			return b.Pos, true
		}
		if w.roots[w.Bodies[b.Func]] != NoRoot {
			pos = b.Pos
		}
	}
	return pos, false
}

// AllBrought returns the variables that Brought knows, in order.
func (w *World) AllBrought() iter.Seq[access.Var] {
	return slices.Values(slices.SortedFunc(maps.Keys(w.brought), compareVars))
}

// Built reports whether v gets a map where its owner is made.
func (w *World) Built(v access.Var) bool { return w.built[v] }

// Renamed reports whether lock may be held under a name that does not tell: a pointer to it is stored
// somewhere, or its method Lock is used as a function value.
func (w *World) Renamed(lock access.Var) bool { return w.under[lock][lockset.Renamed] }

// CalledUnder returns how the function key may be called, without a call that names it, while lock is
// held: through a function value that was given away, or through an interface. It returns "" when it
// is not.
func (w *World) CalledUnder(key string, lock access.Var) string {
	return w.calledUnder(w.under, w.Reached(lock), key, lock)
}

// CalledUnderRead is CalledUnder while lock is held for reading.
func (w *World) CalledUnderRead(key string, lock access.Var) string {
	return w.calledUnder(w.underRead, w.reachedFrom(w.underRead[lock]), key, lock)
}

func (w *World) calledUnder(all underLock, reached map[string]string, key string, lock access.Var) string {
	if how := reached[key]; how != "" {
		return how
	}
	if w.pulled(all[lock]) {
		return "an iterator that is pulled, and stands in the middle,"
	}
	for _, class := range []access.Var{lock, anyLock} {
		under := all[class]
		if w.keptUnder(under, key) {
			return "a function value"
		}
		if under[lockset.AnyMethod] && model.Sought(key) {
			return "an optional interface"
		}
		if b := w.Bodies[key]; under[lockset.ByName] && b != nil && b.Method != "" && isExported(key[strings.LastIndexByte(key, '.')+1:]) {
			return "its name"
		}
		if w.outsideUnder(under, key) {
			return "a function value"
		}
		if w.isConverted(key) && (under[lockset.MethodType(key[strings.LastIndexByte(key, '.')+1:])] || under[lockset.AnyMethod] || under[lockset.AnyType]) {
			return "an interface"
		}
	}
	return ""
}

// callable reports whether a function value that nothing of the program made can call the function
// key: importers can, or whoever is given an interface.
func (w *World) callable(key string) bool {
	b := w.Bodies[key]
	return w.isConverted(key) || b != nil && w.roots[b] == Exported
}

// isConverted reports whether a value that has the method key becomes an interface with it.
func (w *World) isConverted(key string) bool {
	_, ok := w.converted[key]
	return ok
}

// RootOf returns how execution comes to the function key from outside; NoRoot if nothing is known of it.
func (w *World) RootOf(key string) Root { return w.roots[w.Bodies[key]] }

// Callers returns the calls of the function key.
func (w *World) Callers(key string) []*lockset.Edge { return w.callers[key] }

// Root is how execution comes to a function from outside. The zero Root is: only through callers.
type Root uint8

const (
	NoRoot    Root = iota
	Start          // init or a variable's initialiser: before everything else
	Main           // main.main
	Test           // a test, benchmark, fuzz target or example
	Exported       // callers outside the program, from goroutines unknown
	Interface      // a call through an interface
	Serving        // a library calls it from many goroutines at a time
	Within         // the activation that made the instance: whoever calls it does not matter
	Closed         // an exported name of a closed package that nothing calls
	Dead           // nothing calls it
)

// returns reports whether the function key returns what root stands for.
func (w *World) returns(key string, root access.Root) bool {
	e := w.Effects[key]
	return e != nil && slices.ContainsFunc(e.Results, func(r access.Ref) bool { return r.Path.Root == root })
}

// root returns how execution comes to b from outside.
func (w *World) root(b *lockset.Body) Root {
	if b.Closure {
		if len(w.callers[b.Key]) == 0 { // where it went is not known
			return Interface
		}
		return NoRoot
	}
	pkg := access.PackageOf(b.Key)
	called := w.called(b.Key)
	serves := w.Effects[b.Key].Serves
	switch {
	case b.IsInit() && called: // by what initialises the package
		return NoRoot
	case b.IsInit():
		return Start
	case b.Method == "" && b.Name == "main" && w.main[pkg]:
		return Main
	case w.isTest(b.Pos):
		if b.Method == "" && isTestName(b.Name) || len(w.callers[b.Key]) == 0 {
			return Test
		}
		return NoRoot
	case w.converted[b.Key].Many():
		return Serving
	case serves != nil && (b.Exported || !called || len(serves.Shared) > 0): // where it is stored does not tell what it is given
		return Serving
	case w.open[pkg] && b.Exported && (b.Method == "" || isExported(b.Method)):
		return Exported
	case w.isConverted(b.Key) && !(called && w.dispatch.shows(b)):
		return Interface
	case called:
		return NoRoot
	case b.Exported:
		return Closed
	}
	return Dead
}

// called reports whether code that is not a test calls or starts the function key.
func (w *World) called(key string) bool {
	for _, e := range w.callers[key] {
		if !w.isTest(e.Pos) && e.Caller != key {
			return true
		}
	}
	return false
}

func isTestName(name string) bool {
	for _, prefix := range []string{"Test", "Benchmark", "Fuzz", "Example"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func isExported(name string) bool { return token.IsExported(name) }
