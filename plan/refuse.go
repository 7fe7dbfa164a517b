package plan

// This file is the closed list of refusal codes.

// Code is the reason a map variable is not rewritten.
type Code string

// The refusal codes.
const (
	CallInRegion     Code = "call-in-region"    // the section would contain a dynamic or unknown call
	BlockInRegion    Code = "block-in-region"   // the section would contain a channel operation, a wait or I/O
	LockOrder        Code = "lock-order"        // the section would take a second lock of the same class, or close a cycle
	SplitRegion      Code = "split-region"      // uses that belong together cannot be covered by one section
	NotBracketable   Code = "not-bracketable"   // the use is evaluated conditionally or more than once within its statement
	OwnerUnreachable Code = "owner-unreachable" // the guard cannot be named where the use stands
	ValueReceiver    Code = "value-receiver"    // methods with value receivers copy the owner and its lock, and cannot have pointer receivers
	OwnerCopied      Code = "owner-copied"      // the owner is copied somewhere, so a lock added to it would be copied too
	UnlockedCallers  Code = "unlocked-callers"  // the function runs both with and without the guard, and cannot be split
	UnknownGuard     Code = "unknown-guard"     // the guard's identity cannot be established, or it is a pointer that may be nil
	RangeMutates     Code = "range-mutates"     // the body of a range changes the map it ranges over
	Footprint        Code = "footprint"         // a region touches more than the map
	Reflected        Code = "reflected"         // the owner flows to reflection, a printer or unsafe code, which would see the new type or the mutex
	NilObserved      Code = "nil-observed"      // the program looks at whether the map is nil, or assigns nil to it
	ExportedField    Code = "exported-field"    // the field is API of an importable package
	AliasWritten     Code = "alias-written"     // the map, or an element of it, is used elsewhere outside of its section, or goes where it is not followed
	CapturedLocal    Code = "captured-local"    // the variable is a local that closures capture
	TooManyWays      Code = "too-many-ways"     // a use is reached in more ways than are followed
	NotAnalysed      Code = "not-analysed"      // a function that uses the variable was not analysed
	Unlowered        Code = "unlowered"         // no accessor stands for this way of using the map, or its type cannot be generated
	Upgrade          Code = "upgrade"           // a read section that must become a write section is taken again inside
	Generated        Code = "generated"         // the file is generated
	Cgo              Code = "cgo"               // the file imports "C"
	FileShape        Code = "file-shape"        // the file has CRLF line ends, a byte order mark, //line directives, does not round trip, or is read-only or a link
	LoadError        Code = "load-error"        // a package that uses the variable, or its tests, did not load
	OutOfScope       Code = "out-of-scope"      // a use stands outside the files that may be written
	Platforms        Code = "platforms"         // on two platforms one file would change in different ways
	NotProved        Code = "not-proved"        // the rewritten program failed an invariant
)
