package model

import "mapmend/plan/access"

// This file is the part of the model that a configuration can extend.

// Library is what is known about functions that run others. The nil Library knows what the tables of
// this package say; Extend adds to that. A Library is immutable.
type Library struct {
	extension   Extension
	starts      map[string]Argument
	funcTypes   map[string]Runs
	concurrent  map[string]Interface
	synchronous map[string]bool
	serves      map[string]bool
}

// Extension is what a configuration adds to the tables. What it says of a name that a table has replaces
// the row.
type Extension struct {
	Starts      map[string]Argument  // functions that run an argument concurrently
	FuncTypes   map[string]Runs      // function types whose values are run concurrently
	Concurrent  map[string]Interface // interfaces whose methods are called concurrently
	Synchronous []string             // functions that call their arguments before they return, and not after
	Serves      []string             // functions after whose call registered handlers may run
}

// Extend returns a Library that knows what e says besides the tables.
func Extend(e Extension) *Library {
	l := &Library{extension: e, starts: e.Starts, funcTypes: e.FuncTypes, concurrent: e.Concurrent, synchronous: make(map[string]bool), serves: make(map[string]bool)}
	for _, key := range e.Synchronous {
		l.synchronous[key] = true
	}
	for _, key := range e.Serves {
		l.serves[key] = true
	}
	return l
}

// Extension returns what l was extended by.
func (l *Library) Extension() Extension {
	if l == nil {
		return Extension{}
	}
	return l.extension
}

// Starts returns which argument of the function key runs concurrently, and who runs it; ok is false
// when none does.
func (l *Library) Starts(key string) (a Argument, ok bool) {
	if l != nil {
		if a, ok := l.starts[key]; ok {
			return a, true
		}
		if l.synchronous[key] {
			return Argument{}, false
		}
	}
	a, ok = starts[key]
	return a, ok
}

// FuncType returns who runs the values of the function type named ("path.Name").
func (l *Library) FuncType(name string) Runs {
	if l != nil {
		if r, ok := l.funcTypes[name]; ok {
			return r
		}
	}
	return funcTypes[name]
}

// FuncField returns who runs what is stored in a struct field ("path.Type.field").
func (l *Library) FuncField(name string) Runs { return funcFields[name] }

// Concurrent returns which methods of the interface named ("path.Name") are called concurrently, and by
// whom.
func (l *Library) Concurrent(name string) Interface {
	if l != nil {
		if i, ok := l.concurrent[name]; ok {
			return i
		}
	}
	return concurrent[name]
}

// Synchronous reports whether key calls the functions it is given before it returns, and not after.
func (l *Library) Synchronous(key string) bool {
	if l != nil {
		if l.synchronous[key] {
			return true
		}
		if _, starts := l.starts[key]; starts {
			return false
		}
	}
	return synchronous[key] || syncPackages[access.PackageOf(key)]
}

// Serves reports whether handlers that were registered before may run after a call of key.
func (l *Library) Serves(key string) bool { return l != nil && l.serves[key] || serves[key] }

// Extended reports whether a configuration says something about the function key, which may have a body.
func (l *Library) Extended(key string) bool {
	if l == nil {
		return false
	}
	_, starts := l.starts[key]
	return starts || l.synchronous[key] || l.serves[key]
}
