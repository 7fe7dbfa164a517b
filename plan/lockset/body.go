package lockset

import (
	"go/token"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/kept"
	"mapmend/plan/model"
)

// This file is what the analysis of a package leaves behind besides effects: which function calls
// which, and how things stand at the call.

// Body is one analysed function.
type Body struct {
	Key          string
	Name         string       // for people: "(*Store).Get", "main.func1"
	Pos          token.Pos    // of the declaration or literal
	Params       []string     // names of the parameters, the receiver first
	Free         []string     // names of the captured variables
	Calls        []Edge       // of functions of the program, in source order
	Dispatches   []Dispatch   // calls through interfaces, in source order
	Lost         []string     // names of methods that are called through interfaces, it is not known of what type
	Applies      []Applied    // calls and starts of function values, in source order
	Under        []Under      // which locks it holds while it may call what it does not know
	Pulls        []string     // types of the bodies of iterators that it runs step by step: it goes on while they stand in the middle
	Orders       []Order      // locks it takes while it holds another
	Locks        []LockCall   // where it takes locks or gives them back, in no order
	Holds        []Into       // objects that it makes and keeps in a container, each of them with others
	Assigns      []access.Var // package variables, and fields of what it did not make, that lead elsewhere afterwards
	Gives        []access.Var // locks it gives back that it does not hold
	Spins        []token.Pos  // something in each loop that may wait for another goroutine by looking again and again
	Listens      bool         // waits for one event after the other, in a loop
	Exported     bool         // a name that other packages can call
	Method       string       // receiver's type name, or empty
	Closure      bool
	Synthetic    bool         // has no source of its own
	Inner        []*Body      // builtins that it has goroutines run
	RequiresLock bool         // says by name or comment that callers hold a lock
	Failed       string       // why it was not analysed; empty when it was
	Flags        []FlagUse    // flags that it sets, or sees to be set
	Mentions     []access.Var // the map variables it names, if it was not analysed
}

// IsInit reports whether b is an init function, or what calls those of the package and gives its variables their first
// values.
func (b *Body) IsInit() bool {
	name := b.Key[strings.LastIndexByte(b.Key, '.')+1:]
	return b.Method == "" && !b.Closure && (b.Name == "init" || strings.HasPrefix(name, "init#"))
}

// Edge is one call of a function of the program, one start of it as a goroutine, or one place where
// its value is given away.
type Edge struct {
	Caller, Callee string
	Pos            token.Pos
	At             Point
	Mentions       []token.Pos      // where source mentions each of Params, if it does
	Params         []access.Ref     // what the callee's parameters are bound to
	Constants      []Given          // those of Params that are boolean constants
	Nils           []int            // those of Params that may be nil
	Needs          []access.Path    // fields of the caller's parameters that were set before it was called: else it does not call
	Unset          []access.Path    // fields of the callee's parameters that were not
	Free           []access.Ref     // what its captured variables are bound to
	Made           []access.Renamed // what the callee makes and returns
	Owned          []access.Root    // roots among those that no other goroutine can reach yet
	Foreign        []access.Path    // places in those of Owned where something is stored that is not
	Elsewhere      []Elsewhere      // objects in Params and Free that have a name of their own
	Confided       []access.Root    // roots among Params and Free that only goroutines which the caller started can reach yet
	After          []string         // goroutines started before the call that may still run
	Dispatched     bool             // through an interface: what comes back is not followed
	Applied        bool             // of a function value: what that captured is not known here
	Start          model.Start      // how it is started; empty for a plain call
	By             string           // the library that starts it; empty when the program does
	Site           string           // of the start
	Within         bool             // At is what the started goroutine holds, not what is held at the start
	Many           bool             // several may run at once
	Loop           bool             // may be run again in the same activation of the caller
	Outlive        []string         // goroutines that still run when what is held at At as a sync.Once is over
	Copies         []access.Copy    // the copied structs among Params and Free
	Each           []access.Root    // roots among Params and Free that each round of that loop makes anew
	Shared         []SharedMap      // in those of Each
	Remade         []access.Root    // roots among Params and Free that are made anew while goroutines that it started before may run
	Stored         bool             // given away: may run at any time, with any locks
}

// SharedMap is a map that several owners have. It is not to be told apart by its owner.
type SharedMap struct {
	In  access.Path // the field of one of the owners
	Map access.Path // what all of them have there
}

// Shares returns what p, in terms of the caller, leads to when that is, or is in, a map that several owners have.
func (e *Edge) Shares(p access.Path) access.Path {
	for _, s := range e.Shared {
		if rest, ok := access.CutSteps(p.Sel, s.In.Sel); ok && s.In.Root == p.Root {
			_, field := s.In.Parent()
			return s.Map.Join(field + rest)
		}
	}
	return p
}

// Binding returns what the names of the callee stand for in the caller.
func (e *Edge) Binding() access.Binding {
	return access.Binding{Params: e.Params, Free: e.Free, Made: e.Made}
}

// Order is that a lock is taken while another is held.
type Order struct {
	Held, Taken access.Var
	Write       bool // at least one of the two in write mode: readers alone do not wait for each other
}

// LockCall is a call that takes a lock or gives it back.
type LockCall struct {
	Path     access.Path
	Class    access.Var // of the lock; zero for a parameter
	Pos      token.Pos
	Release  bool
	Deferred bool
}

// Under is that a lock is held while something runs that no call names.
type Under struct {
	Class    access.Var
	Indirect bool   // the lock is reached through a pointer: it may be one of another class
	Type     string // what runs: see ValueAt
	Read     bool   // the lock is held for reading
}

// What may run is named by [ValueAt], by [MethodType], or is one of these.
const (
	AnyType   = "any"      // function values of any type
	AnyMethod = "method *" // methods of any interface
	Sought    = "sought"   // methods that a printer, encoder or sorter looks for in what it is given
	Streams   = "streams"  // methods that a library looks for in what it is given to read, write or open
	Foreign   = "foreign"  // methods of an interface that all code outside the program may call, of a value that it was given before
	Outside   = "outside"  // function values that code outside the program may have made
	Waiting   = "wait"     // what other goroutines do while they are waited for
	MayWait   = "may wait" // the same, where it is not known to be waited for them
	ByName    = "by name"  // exported methods that are called by name
	Renamed   = "renamed"  // nothing runs; the lock may be held under another name
)

// anything stands for more than can be listed.
var anything = []string{AnyType, AnyMethod, Sought, Streams, Foreign, Outside, Waiting, ByName}

const value = "value "

// ValueAt stands for the function values of type t that are kept at p. The type may be AnyType.
func ValueAt(p kept.Place, t string) string { return value + t + "\x00" + string(p) }

// Value returns the place and the type of the function values that name, a result of ValueAt, stands for.
func Value(name string) (p kept.Place, t string, ok bool) {
	rest, ok := strings.CutPrefix(name, value)
	t, at, ok2 := strings.Cut(rest, "\x00")
	return kept.Place(at), t, ok && ok2
}

// ofType returns what stands for more than name does, a result of ValueAt: all function values of the type.
func ofType(name string) string {
	if _, t, ok := Value(name); ok && t != AnyType {
		return ValueAt(kept.Anywhere, t)
	}
	return name
}

const method = "method "

// MethodType stands for the method of that name, called through an interface.
func MethodType(name string) string { return method + name }

// MethodName returns the name of the method that t, a result of MethodType, stands for.
func MethodName(t string) (name string, ok bool) {
	name, ok = strings.CutPrefix(t, method)
	return name, ok && t != AnyMethod
}

const foreign = "foreign "

// ForeignOf stands for the methods of the interfaces of by, a result of [model.Callers].
func ForeignOf(by string) string { return foreign + by }

// ForeignBy returns whose interfaces those are that t, a result of ForeignOf, stands for.
func ForeignBy(t string) (by string, ok bool) { return strings.CutPrefix(t, foreign) }

// Conversion is a value that becomes an interface: its methods may be called through that.
type Conversion struct {
	Interface string // "path.Name", empty for one without a name
	Methods   []Method
	From      string // the interface that it was before; then it has no Methods
}

// Dispatch is a call through an interface: of the method of that name, of whatever became one.
type Dispatch struct {
	Interface, Method string
	Edge              // to no Callee
}

// Applied is a call or start of a function value, of which Value says where it comes from: see ValueAt.
type Applied struct {
	Value string
	Edge  // to no Callee
}

// Method is a method that is called through an interface.
type Method struct {
	Key  string     // of the method of the concrete type, or of what it embeds
	Name string     // of the interface's method
	Runs model.Runs // the library that calls it; zero when it is not known to

	Index []int // the way to the method from the concrete type
}
