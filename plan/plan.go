package plan

import (
	"cmp"
	"errors"
	"strings"

	"mapmend/plan/mapuse"
	"mapmend/plan/sample"
)

// This file holds the Plan and its parts: the only types package rewrite may see. They are plain
// data: a plan read from a file and one made in memory are the same thing. No part holds a pointer
// into a syntax tree; places in source are file names and byte offsets.

// Plan is everything that was found and decided for one program.
type Plan struct {
	Findings []Finding `json:"findings"`
	Mends    []Mend    `json:"mends"`    // variables to rewrite, sorted by file and offset of the declaration
	Refusals []Refusal `json:"refusals"` // variables with a finding that will not be rewritten, and why
	Orders   []Order   `json:"orders"`   // in which order the program takes locks, sorted; the proof compares them

	Silenced []Silenced `json:"silenced,omitempty"` // variables with a finding that the author does not want to be reported
	Notes    []Note     `json:"notes,omitempty"`    // what has no effect of what the author said, and functions that were not analysed
	Unnamed  []string   `json:"-"`                  // what the evidence names where it names no one map variable
	Measured []string   `json:"-"`                  // what profiles say of locks that are not hot
}

// Silenced is a finding that is left out of Findings.
type Silenced struct {
	Var
	Confidence Confidence `json:"confidence"`
	Pos        Pos        `json:"pos"` // of what silences it
	By         string     `json:"by"`  // the directive or file: "//mapmend:confined"
	Reason     string     `json:"reason,omitempty"`
}

// Note is something that the author should know although it is no finding.
type Note struct {
	Pos     Pos    `json:"pos"`
	Message string `json:"message"`
}

// Order is that one lock is taken while another is held, in one function or through calls. Both are named
// by type and field: which instances they are is not told.
type Order struct {
	Held  Var  `json:"held"`
	Taken Var  `json:"taken"`
	Write bool `json:"write,omitempty"` // at least one of the two in write mode
}

// Var names a map variable across packages, processes and runs.
type Var struct {
	Package string `json:"package"` // import path, without a test variant
	Owner   string `json:"owner"`   // bare type name; the function for a captured local; empty for a package variable
	Field   string `json:"field"`   // field, variable or local name; dotted for a field of an anonymous struct
}

// String returns the form that --field and explain take: path/pkg.Owner.Field.
func (v Var) String() string {
	if v.Owner == "" {
		return v.Package + "." + v.Field
	}
	return v.Package + "." + v.Owner + "." + v.Field
}

// Pos is a place in source for people and for reports. The zero Pos is unknown.
type Pos struct {
	File   string `json:"file"`   // slash-separated, relative to the program's root until a renderer relates it to the working directory
	Line   int    `json:"line"`   // 1-based
	Column int    `json:"column"` // 1-based, in bytes
}

// Kind is what is wrong with a use or a map variable.
type Kind string

// The kinds, in order of precedence: a variable's kind is the first that any of its sites has.
const (
	InconsistentGuard Kind = "inconsistent-guard"
	WriteUnderRLock   Kind = "write-under-rlock"
	WrongGuard        Kind = "wrong-guard"
	CopiedLock        Kind = "copied-lock"
	UnguardedShared   Kind = "unguarded-shared"
	AliasEscape       Kind = "alias-escape"
	ValueEscape       Kind = "value-escape"
	TornReplace       Kind = "torn-replace"
	SplitCheckAct     Kind = "split-check-act"
	Contended         Kind = "contended"
)

// Kinds lists every kind in order of precedence.
var Kinds = []Kind{InconsistentGuard, WriteUnderRLock, WrongGuard, CopiedLock, UnguardedShared, AliasEscape, ValueEscape, TornReplace, SplitCheckAct, Contended}

// IsRace reports whether what k names is a data race. What is not is for the reader to judge, and makes no
// command fail.
func (k Kind) IsRace() bool { return k != SplitCheckAct && k != Contended }

// Confidence grades the evidence behind a finding. The zero value is silent: nothing is reported.
type Confidence int

const (
	Silent   Confidence = iota // no finding
	Possible                   // shared only if callers outside the program share it
	Likely                     // the program itself shows the sharing or the intent to guard
	Proven                     // a race report, crash dump or profile names a use
)

func (c Confidence) String() string {
	switch c {
	case Silent:
		return "silent"
	case Possible:
		return "possible"
	case Likely:
		return "likely"
	case Proven:
		return "proven"
	}
	panic("plan: unknown Confidence")
}

// ParseConfidence returns the confidence that can be asked for by name.
func ParseConfidence(name string) (Confidence, error) {
	for _, c := range []Confidence{Possible, Likely, Proven} {
		if c.String() == name {
			return c, nil
		}
	}
	return Silent, errors.New("must be possible, likely or proven")
}

// MarshalText returns the name of c.
func (c Confidence) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText sets c to what is named text. Silence has no finding, and so is an error.
func (c *Confidence) UnmarshalText(text []byte) (err error) {
	*c, err = ParseConfidence(string(text))
	return err
}

// Finding is one map variable that goroutines share without one consistent guard.
type Finding struct {
	ID         string     `json:"id"` // stable hash of package, owner and field
	Kind       Kind       `json:"kind"`
	Confidence Confidence `json:"confidence"`
	Evidence   []string   `json:"evidence"` // why the confidence is what it is, one sentence each
	Module     string     `json:"module"`
	Var
	Pos     Pos        `json:"pos"`   // the declaration
	Guard   string     `json:"guard"` // for people: "mu", "parent.mu", "cacheMu"; empty when there is none
	Message string     `json:"message"`
	Head    Pos        `json:"head"`            // the site that Message is about; Pos when there is no problem
	Chains  [][]string `json:"chains"`          // call chains of one conflicting pair, outermost function first
	Sites   []Site     `json:"sites"`           // sorted by file, line, column
	Story   *Story     `json:"story,omitempty"` // for people who want to know all; nil unless they asked

	Contention []Contention `json:"contention,omitempty"` // what profiles say of the lock around it, one for each that shows that it is hot
	Stays      string       `json:"stays,omitempty"`      // of a contended one: why it stays as it is although nothing is refused

	Platforms []string `json:"platforms,omitempty"` // on which it was found; empty: on all that the plan is for
}

// Contention is what one profile says of the lock around a map variable.
type Contention struct {
	Profile string     `json:"profile"` // what it was read from
	Lock    string     `json:"lock"`    // as people call it
	Share   float64    `json:"share"`   // of the time for which goroutines waited for locks, how much was for this one: 0 to 1
	Around  float64    `json:"around"`  // the same of its sections that use the map
	Nanos   int64      `json:"nanos"`   // how long they waited for it
	Waits   int64      `json:"waits"`   // and how often
	Sites   []LockSite `json:"sites"`   // where it is taken or given back, the one with the largest share first
}

// LockSite is where a lock is taken or given back.
type LockSite struct {
	Pos
	Function string  `json:"function"`
	Holds    bool    `json:"holds"` // others waited while it was held here; else what waited stands here
	Share    float64 `json:"share"`
}

// Story is what explains a finding, or that there is none, besides what a report says.
type Story struct {
	Declared bool       `json:"declared"` // the author declares the guard
	Holding  []int      `json:"holding"`  // indices of the Sites that hold the guard as they must, on all ways
	Ways     [][]string `json:"ways"`     // for each of the Sites some of the ways to it, outermost function first
	Doubts   []string   `json:"doubts"`   // what is not certain, sorted

	Form   Form    `json:"form,omitempty"`   // that it is to have; empty if it is not to be mended
	Choice *Choice `json:"choice,omitempty"` // why; nil if that was asked for
}

// Site is one use of the map variable.
type Site struct {
	Pos
	Function string `json:"function"`
	Kind     Kind   `json:"kind,omitempty"` // empty when the site is not a problem
	Op       string `json:"op"`
	Held     []Held `json:"held"`
	Problem  bool   `json:"problem"` // the site is to change

	// From is what to call, with no lock held, to get there: functions of the package of the variable, or of another one, which is then named
	// (Run of example.com/app). It is empty if that is Function; else some who call it hold locks that it does not take.
	From []string `json:"from,omitempty"`
}

// Writes reports whether the site changes the map or the variable.
func (s Site) Writes() bool { return mapuse.Op(s.Op).Writes() }

// Held is one lock certainly held at a site.
type Held struct {
	Lock string `json:"lock"` // as the function itself would spell it
	Mode string `json:"mode"` // "read" or "write"
}

// Form is the shape a map variable is given.
type Form string

const (
	Lock     Form = "lock"     // the map keeps its type and one mutex guards every use
	RWMutex  Form = "rwmutex"  // a generated type embeds sync.RWMutex and the map
	Sharded  Form = "sharded"  // a generated type spreads the entries over maps with a lock each
	SyncMap  Form = "syncmap"  // a generated type keeps them in a sync.Map
	Snapshot Form = "snapshot" // a generated type has a map that is copied when it changes
	XSync    Form = "xsync"    // a generated type keeps them in a map of a library, which the module is made to require; only if asked for
)

// Forms lists every form.
var Forms = []Form{Lock, RWMutex, Sharded, SyncMap, Snapshot, XSync}

// Refusal says why a map variable is not rewritten.
type Refusal struct {
	Code Code `json:"code"`
	Var
	Pos     Pos    `json:"pos"` // where the reason stands in source
	Message string `json:"message"`
	Todo    string `json:"todo"` // what the user could change to make it work
}

// Mend is the decided rewrite of one map variable. The steps of one Mend are carried out together or not at all.
type Mend struct {
	Var
	Form      Form         `json:"form"`
	Finding   string       `json:"finding"`             // the ID of the finding; empty with --all
	Decl      Span         `json:"decl"`                // the field or value spec that declares the variable
	Guard     string       `json:"guard"`               // name of the guard after the rewrite: "mu"
	Class     Var          `json:"class"`               // the guard by type and field, as an Order names it
	Mutex     *Mutex       `json:"mutex,omitempty"`     // a mutex to add; nil when the guard exists
	Sections  []Section    `json:"sections,omitempty"`  // spans of statements to be guarded
	Modes     []ModeChange `json:"modes,omitempty"`     // read locks that become write locks
	Copies    []Copy       `json:"copies,omitempty"`    // places at which a copy is let out of the section in place of the map
	Twins     []Twin       `json:"twins,omitempty"`     // functions that are split into one that takes the guard and one for callers that hold it
	Receivers []Receiver   `json:"receivers,omitempty"` // of methods of the owner, that become pointers: all that are none
	Asserted  []Span       `json:"asserted,omitempty"`  // types of the owner to which interfaces are asserted, that become pointers
	Addressed []Span       `json:"addressed,omitempty"` // literals of the owner that become interfaces, as pointers from then on: S{} becomes &S{}
	One       *OneMutex    `json:"one,omitempty"`       // one mutex for all owners that have the map; nil if each owner has its own
	Wrapper   *Wrapper     `json:"wrapper,omitempty"`   // the generated type; nil for form lock
	Lowered   []Lowering   `json:"lowered,omitempty"`   // uses that become accessor calls; not of form lock
	Freed     *Freed       `json:"freed,omitempty"`     // the guard, if it goes; not of form lock
	Choice    *Choice      `json:"choice,omitempty"`    // why it has this form; nil if it was asked for

	Platforms []string `json:"platforms,omitempty"` // on which this is what is done; empty: on all that the plan is for
	Elsewhere []Mend   `json:"elsewhere,omitempty"` // what is done on others: the same in each file that both have
}

// Freed is a guard that goes, since each of its sections uses the map once and does nothing else that others may see. The use becomes
// the call of an accessor, which is one step.
type Freed struct {
	Class   Var    `json:"class"`             // the guard by type and field
	Decl    Span   `json:"decl"`              // the field
	Comment string `json:"comment,omitempty"` // behind it on its line, which goes with it
	Calls   []Span `json:"calls"`             // the statements that take it and give it back, sorted
}

// Choice tells why the tool chose a form: which row of its table decided, and why the others did not.
type Choice struct {
	Row    string     `json:"row"`    // what holds
	Figure string     `json:"figure"` // what was measured
	Usage  string     `json:"usage"`  // how the variable is used, as far as that counts
	Not    []Rejected `json:"not"`    // the rows of the other forms in the order of the table, those that are infeasible once
}

// Rejected is a row that did not decide, or a form that is infeasible.
type Rejected struct {
	Form Form   `json:"form"`
	Row  string `json:"row,omitempty"` // empty if the form is infeasible
	Why  string `json:"why"`
}

// Span is a half-open range of bytes of one file, relative to the program's root.
type Span struct {
	File  string `json:"file"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// compareSpans orders spans by file and start.
func compareSpans(a, b Span) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Start, b.Start))
}

// Mutex is a mutex to declare directly above the map variable, as a field of the same struct or as a
// variable of the same package.
type Mutex struct {
	Name    string `json:"name"`
	Type    string `json:"type"`    // "sync.Mutex" or "sync.RWMutex"
	Comment string `json:"comment"` // without slashes: "mu guards byID."; empty for none
}

// Section is a run of whole statements of one statement list that must hold the guard. If Hoist is set it is the initialiser of a
// statement, or an expression in its head, and is to stand in front of that; several of one statement and lock are one section.
type Section struct {
	Span         // from the first statement's start to the last one's end
	Lock  string `json:"lock"`  // the mutex as an expression of the function, see IsPath: "s.mu"
	Read  bool   `json:"read"`  // RLock instead of Lock
	Defer bool   `json:"defer"` // unlock by defer: the section runs to the end of the function body

	Swept   string `json:"swept,omitempty"`   // the function, if it deletes here what it ranged over in a section before
	Parted  string `json:"parted,omitempty"`  // the function, if it stores here what it looked up in a section before
	Exits   []Span `json:"exits,omitempty"`   // statements by which control leaves it, which unlock first
	Closure bool   `json:"closure,omitempty"` // it becomes a function literal, called on the spot, that unlocks by defer

	Hoist bool   `json:"hoist,omitempty"`
	Name  string `json:"name,omitempty"`  // of the variable that is to stand for the expression
	Clone bool   `json:"clone,omitempty"` // the variable has a copy of the map
	Block bool   `json:"block,omitempty"` // the section and the statement become a block, in which what the initialiser declares is
}

// Twin is a function that takes the guard from now on, and has a new one called do what it did. Callers that hold the
// guard call the new one:
//
//	func (s *Store) Get(k string) int {
//		s.mu.RLock()
//		defer s.mu.RUnlock()
//		return s.getLocked(k)
//	}
//
//	// getLocked is Get for callers that hold mu.
//	func (s *Store) getLocked(k string) int { return s.m[k] }
type Twin struct {
	Span         // the declaration of the function, without its doc comment
	Name  string `json:"name"`  // of the new one, free where it is declared and called
	Lock  string `json:"lock"`  // the mutex as an expression of the function, see IsPath: "s.mu"
	Read  bool   `json:"read"`  // RLock instead of Lock
	Calls []Span `json:"calls"` // its name in calls that become calls of the new one, sorted; those in its own body too
}

// Doc returns the comment above t, which is split for m from the function named of: "getLocked is Get for callers that hold mu."
func (t Twin) Doc(m Mend, of string) string {
	lock := m.Class.Field[strings.LastIndexByte(m.Class.Field, '.')+1:]
	if lock == "Mutex" || lock == "RWMutex" { // embedded
		lock = "the lock"
	}
	return t.Name + " is " + of + " for callers that hold " + lock + "."
}

// Copy is an expression for the map that becomes one for a copy of it: maps.Clone(s.m).
type Copy struct {
	Span
	Function string    `json:"function"`       // whose result is a copy from now on; empty if it is not returned
	Loop     *CopyLoop `json:"loop,omitempty"` // what makes the copy; nil if maps.Clone does
}

// CopyLoop is a statement, return s.m or all := s.m, that becomes one for a new map which a loop fills:
//
//	m := make(map[string]int, len(s.m))
//	for k, v := range s.m {
//		m[k] = v
//	}
//	return m
//
// The map s.m is not nil. The statement is one of a list.
type CopyLoop struct {
	Span         // the statement
	Type  string `json:"type"`  // of the map, as source text there
	Name  string `json:"name"`  // of the variable that has the copy: a new one, or the one that the statement declares
	Key   string `json:"key"`   // of the variables of the loop, new ones
	Value string `json:"value"` // the same
}

// Receiver is the type of a receiver that becomes a pointer: S becomes *S.
type Receiver struct {
	Span          // the type
	Method string `json:"method"` // the name of the method
}

// OneMutex is that owners which have the same map get the same mutex: its field becomes a pointer, and literals of the owner set it.
type OneMutex struct {
	Type     Span       `json:"type"` // of the field
	Literals []Supplied `json:"literals"`
}

// Supplied is a literal of an owner that is to set the mutex.
type Supplied struct {
	Span         // the literal
	After Span   `json:"after"` // the element that the new one is to follow; the zero Span if it is to be the first
	Value string `json:"value"` // the mutex of another owner, see IsPath: "d.mu"; empty for a new mutex
}

// ModeChange renames one lock or unlock call: RLock to Lock, RUnlock to Unlock.
type ModeChange struct {
	Span        // the method's identifier
	To   string `json:"to"`
}

// Wrapper is a generated type that replaces the variable's map type.
type Wrapper struct {
	Name       string   `json:"name"`        // type name, free in the package
	File       string   `json:"file"`        // the file to create
	Package    string   `json:"package"`     // package clause of that file
	TypeParams string   `json:"typeParams"`  // "[K comparable, V any]" of a generic owner, or empty
	TypeArgs   string   `json:"typeArgs"`    // "[K, V]" where the type is declared, or empty
	Key        string   `json:"key"`         // source text of the key type in the generated file
	Value      string   `json:"value"`       // source text of the element type there
	KeyKind    string   `json:"keyKind"`     // "string" or "integer" when that is what the key type is underneath, or empty
	StrictKey  bool     `json:"strictKey"`   // comparing two keys never panics: none is or holds an interface
	StrictVal  bool     `json:"strictValue"` // the same of two values, which can be compared
	Reflexive  bool     `json:"reflexive"`   // every key is equal to itself: none is or holds a float or an interface
	Imports    []Import `json:"imports"`     // what Key, Value and TypeParams mention
	Accessors  []string `json:"accessors"`   // names, sorted: the ones in use
	GoVersion  string   `json:"goVersion"`   // of the target module: "1.22"

	Requires *Requirement `json:"requires,omitempty"` // the library that it imports; nil if there is none

	Tests    *Tests `json:"tests,omitempty"`    // the tests to generate beside it; nil if there are none
	Untested string `json:"untested,omitempty"` // why there are none although they were asked for
}

// Tests are tests of a generated type, in a file of its package. They are the same whatever the form.
type Tests struct {
	File    string          `json:"file"`              // the file to create
	Args    string          `json:"args,omitempty"`    // types that stand for the type parameters: "[string, int]"; empty if there are none
	Key     string          `json:"key"`               // source text of the key type there
	Value   string          `json:"value"`             // source text of the element type there
	MakeKey string          `json:"makeKey"`           // an expression of the int i: the i-th key
	Keys    int             `json:"keys"`              // how many different ones it makes, two at least
	FuzzKey string          `json:"fuzzKey,omitempty"` // the predeclared type underneath that keys are fuzzed with; empty if they are not
	MakeVal string          `json:"makeValue"`         // the i-th value
	Values  int             `json:"values"`            // how many different ones it makes; 1 if two cannot be told apart
	Path    []string        `json:"path,omitempty"`    // to what of two values is compared, as [sample.Sample] has it
	Same    sample.Same     `json:"same"`              // how that is compared
	Func    string          `json:"func,omitempty"`    // if by a call, the type of it
	Call    string          `json:"call,omitempty"`    // and the arguments
	Doubles []sample.Double `json:"doubles,omitempty"` // types to declare, which values are of
	Imports []Import        `json:"imports"`           // what all that mentions
}

// Import is one import of a generated file.
type Import struct {
	Name string `json:"name"` // empty when the package's own name serves
	Path string `json:"path"`
}

// Shape is how a mention of the map variable is written today.
type Shape string

// The shapes that are lowered. In the comments m is the map operand, "s.m", and T the generated type.
const (
	ShapeField    Shape = "field"     // m map[K]V in a struct type: the type becomes T
	ShapeVar      Shape = "var"       // var m = make(map[K]V): var m T, or with entries var m = T{m: ...}
	ShapeLiteral  Shape = "literal"   // Owner{m: make(map[K]V)}: nothing, or with entries m: T{m: ...}
	ShapeIndex    Shape = "index"     // m[k]: m.Get(k); with comma-ok m.Load(k)
	ShapeStore    Shape = "store"     // m[k] = v: m.Store(k, v)
	ShapeOpAssign Shape = "op-assign" // m[k] += v, m[k]++: m.Update(k, func(old V, _ bool) (V, bool) { return old + v, true })
	ShapeRenew    Shape = "renew"     // m[k] = append(m[k], v): the same with append(old, v)
	ShapeDelete   Shape = "delete"    // delete(m, k): m.Delete(k)
	ShapeClear    Shape = "clear"     // clear(m): m.Clear()
	ShapeLen      Shape = "len"       // len(m): m.Len()
	ShapeRange    Shape = "range"     // range m: range m.All(), or m.Snapshot() before go 1.23
	ShapeReplace  Shape = "replace"   // m = make(map[K]V): m.Replace(make(map[K]V))
)

// Lowering is one mention of the map variable that becomes a mention of the generated type.
type Lowering struct {
	Span            // the expression, statement or declaration to replace
	Shape    Shape  `json:"shape"`
	Accessor string `json:"accessor,omitempty"` // method name; empty for a declaration or literal
	Map      Span   `json:"map"`                // the map operand: "s.m"; for a declaration or literal the name
	Args     []Span `json:"args,omitempty"`     // operands that stay, in order: key, value; the entries of a declaration or literal
	Old      Span   `json:"old"`                // of a renewal: the element read in the second of Args
	Name     string `json:"name,omitempty"`     // name of the closure's parameter for the element before
	Type     string `json:"type,omitempty"`     // source text, where it stands, of the element type; of a declaration or literal that of the generated type
}
