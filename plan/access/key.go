package access

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// This file names functions, so that a call can be matched with a body seen elsewhere.

// FuncKey names fn across packages: "path.F", "path.T.M", and for a closure the key of the function
// it stands in followed by "$1". Instances of a generic function share its key, and so do the
// wrappers that go/ssa makes for method values.
func FuncKey(fn *ssa.Function) string {
	if o := fn.Origin(); o != nil {
		fn = o
	}
	if p := fn.Parent(); p != nil {
		name := fn.Name()
		return FuncKey(p) + name[strings.LastIndexByte(name, '$'):]
	}
	if obj, ok := fn.Object().(*types.Func); ok && (obj.Name() != "init" || obj.Signature().Recv() != nil) {
		return ObjectKey(obj)
	}
	path := ""
	if fn.Pkg != nil {
		path = fn.Pkg.Pkg.Path()
	}
	return path + "." + fn.Name()
}

// ObjectKey is FuncKey for a declared function or method. A method of an interface is named by the
// interface's type.
func ObjectKey(obj *types.Func) string {
	obj = obj.Origin()
	path := ""
	if obj.Pkg() != nil {
		path = obj.Pkg().Path()
	}
	if recv := obj.Signature().Recv(); recv != nil {
		return path + "." + TypeName(recv.Type()) + "." + obj.Name()
	}
	return path + "." + obj.Name()
}

// TypeName returns the bare name of the named type that t or what it points to is, or "".
func TypeName(t types.Type) string {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Origin().Obj().Name()
	}
	return ""
}

// ShortKey returns what people call the function key names: "(*T).M" is not told from "T.M", the
// import path is left out.
func ShortKey(key string) string {
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		key = key[i+1:]
	}
	if i := strings.IndexByte(key, '.'); i >= 0 {
		return key[i+1:]
	}
	return key
}

// ShortCall returns the function key names as a caller in another package writes it: "http.Get".
func ShortCall(key string) string {
	for i := len(key) - 1; i >= 0; i-- {
		if key[i] == '/' {
			return key[i+1:]
		}
	}
	return key
}
