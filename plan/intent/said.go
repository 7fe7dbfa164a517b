package intent

import (
	"go/token"

	"mapmend/plan/access"
)

// This file is what a package says.

// Said is what the comments of one package say about its map variables.
type Said struct {
	Claims   []Claim
	Terms    []Term
	Guards   []Guard
	Requires []Requirement
	Silences []Silence
	Problems []Problem // in source order
}

// Claim is prose that says that a variable is for concurrent use, or that a lock is missing. Of a function it says
// that it may be called concurrently.
type Claim struct {
	Var  access.Var // zero when it is about a function
	Func string     // key
	Why  string     // as a sentence
}

// Term is prose that asks the callers of a function for when they call it: before or after something else, or not beside
// it.
type Term struct {
	Func string // key
	Why  string // as a sentence
}

// Lock is a lock as a directive names it.
type Lock struct {
	Sel    string     // the fields that lead to it from the owner or parameter: ".mu"
	Global string     // "path.mu" when it is a package variable, or a part of one; then it is not reached from the owner
	Class  access.Var // the field or variable that is the lock
}

// Guard says that a variable is used under a lock only.
type Guard struct {
	Var  access.Var
	Lock Lock
	Pos  token.Pos
}

// Requirement says that whoever calls a function holds a lock.
type Requirement struct {
	Func  string // key
	Param int    // the parameter that Sel begins at; the receiver is number 0
	Lock  Lock
}

// Silence says that nothing is to be reported about a variable.
type Silence struct {
	Var    access.Var
	Verb   string // confined, immutable or ignore
	Reason string
	Pos    token.Pos
}

// Problem is a directive that has no effect.
type Problem struct {
	Pos     token.Pos
	Message string
}
