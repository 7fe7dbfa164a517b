package model

import (
	"strings"

	"mapmend/plan/access"
)

// This file knows where library functions leave what they are given.

// Keep is where a function leaves its arguments, besides in what it returns. The zero Keep is nowhere.
type Keep uint8

const (
	Nowhere  Keep = iota
	InFirst       // in what its first argument, or its receiver, leads to
	Anywhere      // where any goroutine may get them
)

// holders are the packages whose functions put their arguments in the first.
var holders = set(`sync sync/atomic container/list container/ring container/heap`)

// publishers are functions of the standard library that leave their arguments where anybody gets them.
var publishers = set(`
	expvar.Publish net/rpc.Register net/rpc.RegisterName database/sql.Register encoding/gob.Register encoding/gob.RegisterName
	runtime.SetFinalizer runtime.AddCleanup reflect.Value.Set reflect.Value.SetMapIndex reflect.Value.Send reflect.Value.TrySend
	reflect.Value.Call reflect.Value.CallSlice log/slog.SetDefault net/http.Handle flag.Var`)

// keepers are how the names of functions begin that keep what they are given, in libraries of which nothing is known.
var keepers = []string{"Add", "Set", "Store", "Put", "Push", "Insert", "Register", "MustRegister", "Swap", "Enqueue", "Publish"}

// Keeps returns where the function or method key leaves its arguments.
func Keeps(key string, method bool) Keep {
	pkg := access.PackageOf(key)
	switch {
	case holders[pkg]:
		return InFirst
	case publishers[key]:
		return Anywhere
	case !strings.Contains(strings.SplitN(pkg, "/", 2)[0], "."): // the standard library
		return Nowhere
	}
	name := key[strings.LastIndexByte(key, '.')+1:]
	for _, k := range keepers {
		if strings.HasPrefix(name, k) {
			if method {
				return InFirst
			}
			return Anywhere
		}
	}
	return Nowhere
}
