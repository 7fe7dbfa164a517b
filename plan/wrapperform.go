package plan

import (
	"go/types"
	"slices"
)

// This file has what tells the forms that generate a type apart. They have the same accessors, and the uses become the same
// calls in each: what differs is the go version they need, what is declared beside the type, and which lock it has.

// A wrapperForm is one row of wrapperForms.
type wrapperForm struct {
	form   Form
	minor  int      // it needs go 1.minor
	anyKey int      // the same for keys that are neither strings nor integers
	beside []string // what is appended to the name of the type to name what is declared beside it
	lock   string   // what is appended to the name of the type to name the owner of the lock, and the field
	field  string
	names  []string // that the generated code relies on, besides those of predeclared

	library *Library // that the generated code imports; nil if none
}

var wrapperForms = []wrapperForm{
	{form: RWMutex, field: "RWMutex"},
	{form: Sharded, minor: 19, anyKey: 24, beside: []string{"Shard", "Table"}, lock: "Shard", field: "mu", names: []string{"atomic", "maphash", "bits", "new", "uint64", "byte", "string"}},
	{form: SyncMap, minor: 20, anyKey: 20, beside: []string{"Entries"}, field: "mu", names: []string{"atomic", "new", "int64"}},
	{form: Snapshot, minor: 19, anyKey: 19, field: "mu", names: []string{"atomic", "new"}},
	{form: XSync, minor: 24, anyKey: 24, beside: []string{"Entries", "Lock", "Odd"}, lock: "Lock", field: "mu", names: []string{"atomic", "maphash", "bits", "xsync", "append", "new", "uint64", "string"}, library: &xsyncLibrary},
}

// wrapperFormOf returns the row of form, or nil if it generates no type.
func wrapperFormOf(form Form) *wrapperForm {
	for i := range wrapperForms {
		if wrapperForms[i].form == form {
			return &wrapperForms[i]
		}
	}
	return nil
}

// Needs returns the minor version of go 1 that the code which form generates needs for keys of a kind, as [Wrapper]
// has it; 0 if that of any module will do.
func (form Form) Needs(keyKind string) int {
	f := wrapperFormOf(form)
	switch {
	case f == nil:
		return 0
	case keyKind == "":
		return f.anyKey
	}
	return f.minor
}

// Beside returns what form appends to the name of the generated type to name what it declares beside it.
func (form Form) Beside() []string {
	if f := wrapperFormOf(form); f != nil {
		return slices.Clone(f.beside)
	}
	return nil
}

// keyKind returns what keys of type t are underneath, as [Wrapper] has it.
func keyKind(t types.Type) string {
	b, ok := t.Underlying().(*types.Basic)
	switch {
	case ok && b.Info()&types.IsString != 0:
		return "string"
	case ok && b.Info()&types.IsInteger != 0:
		return "integer"
	}
	return ""
}

// allAccessors are the accessors that every type can have.
var allAccessors = []string{"Clear", "Delete", "DeleteFunc", "Get", "Len", "Load", "LoadAndDelete", "LoadOrCompute", "LoadOrStore", "Replace", "Snapshot", "Store", "Swap", "Update"}

// accessorsFor returns all that a type with values of type elem can have in a module of a go version, sorted.
func accessorsFor(elem types.Type, goVersion string) []string {
	names := slices.Clone(allAccessors)
	if hasIterators("go" + goVersion) {
		names = append(names, "All")
	}
	if types.Comparable(elem) {
		names = append(names, "CompareAndSwap")
	}
	slices.Sort(names)
	return names
}
