package plan

import (
	"go/token"
	"maps"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/lockset"
)

// This file analyses packages one by one, as vet does, where of other packages only facts are known.

// Facts is what the functions of a package do, for the packages that import it. It is plain data, with the same bytes after
// gob each time.
type Facts struct{ Functions []Fact } // sorted by key

// Fact is what one function does.
type Fact struct {
	Key    string // names it in all packages
	Effect *lockset.Effect
}

// Separate returns the findings of the packages of prog alone that have opt.MinConfidence, and the facts about them. Facts about packages that they import
// are imported, nil where there are none. What importers do is not known: a finding that rests on that is not made.
func Separate(prog *load.Program, opt Options, imported []Facts) ([]Finding, Facts, error) {
	known := make(map[string]*lockset.Effect)
	for _, facts := range imported {
		for _, f := range facts.Functions {
			known[f.Key] = f.Effect
		}
	}
	world, said, err := analyse(prog, opt.tell, lockset.Config{Library: opt.library(), Effect: func(key string) *lockset.Effect { return known[key] }}, nil)
	if err != nil {
		return nil, Facts{}, err
	}
	var own Facts
	for _, key := range slices.Sorted(maps.Keys(world.Effects)) {
		if isCallable(key) {
			own.Functions = append(own.Functions, Fact{key, world.Effects[key]})
		}
	}
	p := &Plan{}
	decls, quiet := declarations(prog), newSilencer(prog, said, opt)
	for _, v := range world.Judge(func(access.Var) bool { return false }) {
		decl, ok := decls[toVar(v.Var)]
		if !ok || decl.file.Generated || !opt.wants(toVar(v.Var)) {
			continue
		}
		if f := finding(prog, world, v, decl); f.Confidence >= opt.threshold() && quiet.silenced(f) == nil {
			p.Findings = append(p.Findings, f)
		}
	}
	p.sort()
	return p.Findings, own, nil
}

// isCallable reports whether another package may call the function key by its name: it is no function literal, and exported.
func isCallable(key string) bool {
	name := key[strings.LastIndexByte(key, '.')+1:]
	return token.IsExported(name) && !strings.Contains(name, "$")
}
