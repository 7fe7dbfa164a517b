package plan

import (
	"path/filepath"

	"mapmend/plan/config"
	"mapmend/plan/load"
)

// This file is what the configuration is to this package: which words of it have a meaning here, and where in it something stands.

// Known returns the words of a configuration that this package gives a meaning.
func Known() config.Known {
	var k config.Known
	for _, f := range Forms {
		k.Forms = append(k.Forms, string(f))
	}
	for _, c := range []Confidence{Possible, Likely, Proven} {
		k.Confidences = append(k.Confidences, c.String())
	}
	k.Platforms = load.Platforms
	return k
}

// configPos returns a place in the configuration as positions of prog are.
func (opt Options) configPos(prog *load.Program, at config.Place) Pos {
	file := opt.Config.File
	if rel, err := filepath.Rel(prog.Root, file); err == nil && filepath.IsLocal(rel) {
		file = filepath.ToSlash(rel)
	}
	return Pos{file, at.Line, at.Column}
}
