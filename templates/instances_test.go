package templates

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

// This file keeps the types that package bench checks and measures.

var updateInstances = flag.Bool("update", false, "write the generated files of package bench")

// instances are the generated types of package bench, by file.
func instances() map[string]Type {
	simple := []string{"Load", "Store", "Delete", "LoadOrStore"}
	all := make(map[string]Type)
	for _, form := range allForms {
		all["zz_"+form+"_test.go"] = Type{Form: form, Name: form + "Map", Key: "string", Value: "int", KeyKind: "string", Reflexive: true, StrictKey: true, StrictValue: true, Accessors: Accessors(form)}
		all["zz_"+form+"_ints_test.go"] = Type{Form: form, Name: form + "IntsMap", Key: "uint64", Value: "int", KeyKind: "integer", Reflexive: true, StrictKey: true, StrictValue: true, Accessors: simple}
	}
	all["zz_xsync_free_test.go"] = Type{Form: "xsync", Name: "xsyncFreeMap", Key: "string", Value: "int", KeyKind: "string", Reflexive: true, StrictKey: true, StrictValue: true, // takes no lock
		Accessors: []string{"Load", "Get", "Store", "LoadOrStore", "Swap", "Delete", "LoadAndDelete", "Clear", "Replace", "Len"}}
	all["zz_xsync_odd_test.go"] = Type{Form: "xsync", Name: "xsyncOddMap", Key: "any", Value: "int", StrictValue: true, // has keys that are not equal to themselves
		Accessors: []string{"Load", "Store", "Swap", "LoadOrStore", "Delete", "Len", "All", "Snapshot", "Clear"}}
	all["zz_syncmap_free_test.go"] = Type{Form: "syncmap", Name: "syncmapFreeMap", Key: "string", Value: "int", KeyKind: "string", Reflexive: true, StrictKey: true, StrictValue: true, // takes no lock
		Accessors: []string{"Load", "Get", "Store", "LoadOrStore", "Swap", "Delete", "LoadAndDelete", "Clear", "Replace", "Len"}}
	return all
}

// The generated files of package bench are what the templates render today. -update writes them.
func TestInstances(t *testing.T) {
	all := instances()
	for name, typ := range all {
		form := typ.Form
		typ.Variable, typ.Package, typ.GoVersion = "mapmend/templates/bench."+form, "bench", "1.26"
		src, err := Render(form, typ)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("bench", name)
		if *updateInstances {
			write(t, file, string(src))
		}
		if old, err := os.ReadFile(file); err != nil || !bytes.Equal(old, src) {
			t.Errorf("%s is stale (error %v): go test ./templates -run TestInstances -update writes it", file, err)
		}
	}
	files, err := filepath.Glob("bench/zz_*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := all[filepath.Base(file)]; !ok {
			t.Errorf("%s is of no instance", file)
		}
	}
}
