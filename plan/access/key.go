package access

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// This file names functions, so that a call can be matched with a body seen elsewhere.

// dot stands for a dot in the last element of an import path, as in the symbols of the linker: so the path ends where it seems to.
const dot = "%2e"

// Key names what is called name, such as "F" or "T.M", in the package with that import path: "path.F", "path.T.M".
func Key(path, name string) string {
	dir, last := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
	return dir + strings.ReplaceAll(last, ".", dot) + "." + name
}

// SplitKey returns the import path and the name that key was made of. The name is empty if it is a path alone.
func SplitKey(key string) (path, name string) {
	last := strings.LastIndexByte(key, '/') + 1
	path, name, _ = strings.Cut(key[last:], ".")
	return key[:last] + strings.ReplaceAll(path, dot, "."), name
}

// PackageOf returns the import path in key.
func PackageOf(key string) string {
	path, _ := SplitKey(key)
	return path
}

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
	return Key(path, fn.Name())
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
		return Key(path, TypeName(recv.Type())+"."+obj.Name())
	}
	return Key(path, obj.Name())
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
	if _, name := SplitKey(key); name != "" {
		return name
	}
	return key[strings.LastIndexByte(key, '/')+1:]
}

// ShortCall returns the function key names as a caller in another package writes it: "http.Get".
func ShortCall(key string) string {
	return strings.ReplaceAll(key[strings.LastIndexByte(key, '/')+1:], dot, ".")
}
