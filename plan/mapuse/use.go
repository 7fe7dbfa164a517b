package mapuse

import (
	"go/token"

	"mapmend/plan/access"
	"mapmend/plan/lockset"
)

// This file is the use: one operation on one map variable.

// Op is what a use does.
type Op string

const (
	Load    Op = "load"  // the variable is mentioned and nothing else: passed, compared, copied
	Index   Op = "index" // m[k], with or without comma-ok
	Store   Op = "store" // m[k] = v, m[k] += v
	Delete  Op = "delete"
	Clear   Op = "clear"
	Len     Op = "len"
	Range   Op = "range"
	Read    Op = "read"    // a function that is called looks at the entries
	Write   Op = "write"   // a function that is called changes entries
	Replace Op = "replace" // the variable is assigned
	Alias   Op = "alias"   // the map itself goes where it is not followed, and is read or written there

	ReadElement  Op = "read-element"  // part of what an element refers to is read: s.m[k].n, s.m[k][i]
	WriteElement Op = "write-element" // and written: s.m[k].n++, append(s.m[k][:i], s.m[k][i+1:]...)
)

// Part is the part of a map variable that a use touches.
type Part uint8

const (
	Header   Part = iota + 1 // the variable
	Entries                  // what it refers to
	Elements                 // what its elements refer to, but for maps, which are uses of their own
)

// Part returns the part that o touches. Every use of entries reads the header too, by a Load of its own.
func (o Op) Part() Part {
	switch o {
	case Load, Replace:
		return Header
	case ReadElement, WriteElement:
		return Elements
	}
	return Entries
}

// Writes reports whether o changes the part that it touches.
func (o Op) Writes() bool {
	switch o {
	case Store, Delete, Clear, Write, Replace, WriteElement:
		return true
	case Load, Index, Len, Range, Read, Alias, ReadElement:
		return false
	}
	panic("mapuse: unknown Op " + o)
}

// Conflicts reports whether u and v race when they run at the same time on the same map.
func (u *Use) Conflicts(v *Use) bool {
	return u.Op.Part() == v.Op.Part() && u.Element == v.Element && (u.Op.Writes() || v.Op.Writes())
}

// Use is one operation on one map variable at one place, in terms of the function it stands in.
type Use struct {
	Func    string     // key
	Ref     access.Ref // the map; its Var is zero while the map is a parameter
	Op      Op
	At      lockset.Point // one of the possible states; a place with several has a Use for each
	Fresh   bool          // a Replace by a map made in the function
	Nil     bool          // a Replace by a map that is nil on some way
	Empties bool          // a Replace by nil that the function does on every way
	Valued  bool          // an Index whose value goes somewhere, rather than only its presence
	Given   bool          // a Store of a value that the function was given
	Twin    *Twin         // a Load that puts the map in another owner as well; else nil
	After   []string      // goroutines started before that may still run
	Alone   bool          // nothing but those can reach the map yet
	Removed bool          // the owner was removed from the map where it was found, under the lock that it was found under
	Pos     token.Pos     // of the identifier that mentions the variable

	Element    string    // of Elements: the part of what the element refers to: "[]", ".n"
	Checked    token.Pos // of a Store: the look-up in an earlier section of the same lock that it goes by
	Returned   bool      // an Alias that goes to whoever calls the function from outside the program
	Unfollowed bool      // an Alias that goes where it is not followed: the map, an iterator over it, or the address of its variable
}
