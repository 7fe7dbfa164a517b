package model

import (
	"cmp"
	"strings"
)

// This file knows the methods of locks, and what is used in place of one.

// LockOp is what a method does to the lock it is called on. The zero LockOp is none.
type LockOp struct {
	Acquire bool // takes the lock
	Release bool // gives it back
	Read    bool // in read mode
	Try     bool // takes it only when the result is true
}

// IsZero reports whether op does nothing to a lock.
func (op LockOp) IsZero() bool { return op == LockOp{} }

// lockMethods are the methods of sync.Mutex and sync.RWMutex. A type outside the program that has
// methods of these names is taken for a lock of the same shape; see Lock.
var lockMethods = map[string]LockOp{
	"Lock":     {Acquire: true},
	"Unlock":   {Release: true},
	"RLock":    {Acquire: true, Read: true},
	"RUnlock":  {Release: true, Read: true},
	"TryLock":  {Acquire: true, Try: true},
	"TryRLock": {Acquire: true, Try: true, Read: true},
}

// Lock returns what a method of the given name does if its receiver is a lock: sync.Mutex, a
// sync.Locker, or a type of another module with the same methods, without parameters.
func Lock(method string) LockOp { return lockMethods[method] }

// OtherMode returns the method that takes or releases in the other mode: "Lock" for "RLock".
func OtherMode(method string) string {
	switch method {
	case "RLock":
		return "Lock"
	case "RUnlock":
		return "Unlock"
	case "TryRLock":
		return "TryLock"
	case "Lock":
		return "RLock"
	case "Unlock":
		return "RUnlock"
	case "TryLock":
		return "TryRLock"
	}
	return ""
}

// Locker is the method that returns a lock of the same identity in read mode.
const Locker = "sync.RWMutex.RLocker"

// OnceFunc reports whether the result of key is a function that runs the one key is given, once.
func OnceFunc(key string) bool { return onceFuncs[key] }

var onceFuncs = set(`sync.OnceFunc sync.OnceValue sync.OnceValues`)

// Once is the function that runs its argument once, before any call of it returns.
const Once = "sync.Once.Do"

// AtomicOp is what a function does with a variable that is changed atomically. The zero AtomicOp is none of these.
type AtomicOp uint8

const (
	AtomicLoad     AtomicOp = iota + 1
	AtomicStore             // of its second argument
	AtomicSwap              // of its third argument, if the second one is there
	AtomicExchange          // of its second argument, for what was there
	AtomicAdd               // of its second argument, to what was there
)

// Atomic returns what key does with the variable at its first argument.
func Atomic(key string) AtomicOp {
	name, ok := strings.CutPrefix(key, "sync/atomic.")
	if !ok {
		return 0
	}
	typ, method, isMethod := strings.Cut(name, ".")
	if isMethod && !atomicTypes[typ] {
		return 0
	}
	for prefix, op := range atomicOps {
		if kind, ok := strings.CutPrefix(cmp.Or(method, name), prefix); ok && (kind == "") == isMethod && (isMethod || atomicTypes[kind]) {
			return op
		}
	}
	return 0
}

// IsAtomic reports whether the type of that name is a number or a bool that is changed atomically.
func IsAtomic(typ string) bool {
	name, ok := strings.CutPrefix(typ, "sync/atomic.")
	return ok && atomicTypes[name]
}

var atomicTypes = set(`Bool Int32 Int64 Uint32 Uint64 Uintptr`)

var atomicOps = map[string]AtomicOp{"Load": AtomicLoad, "Store": AtomicStore, "CompareAndSwap": AtomicSwap, "Swap": AtomicExchange, "Add": AtomicAdd}
