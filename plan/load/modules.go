package load

import (
	"os"
	"path/filepath"
)

// This file reads what the main modules require.

// Module is a main module: one whose files may be rewritten. Of its files, which are no source, only Name, Abs and Src are set; Src is
// nil if there is no such file.
type Module struct {
	Path string
	Mod  *File // go.mod
	Sum  *File // go.sum
	List *File // vendor/modules.txt, of the workspace if there is one
}

// Module returns the main module of that path, or nil.
func (p *Program) Module(path string) *Module {
	for _, m := range p.Modules {
		if m.Path == path {
			return m
		}
	}
	return nil
}

// modules fills in the modules of the program, from the overlay where that has their files.
func (ld *loader) modules() {
	list := func(dir string) *File { return ld.text(filepath.Join(dir, "vendor", "modules.txt")) }
	var vendored *File
	if ld.GOWORK != "" {
		ld.prog.Work = ld.text(ld.GOWORK)
		vendored = list(filepath.Dir(ld.GOWORK))
	}
	for _, m := range ld.Modules {
		of := vendored
		if of == nil {
			of = list(m.Dir)
		}
		ld.prog.Modules = append(ld.prog.Modules, &Module{Path: m.Path, Mod: ld.text(filepath.Join(m.Dir, "go.mod")), Sum: ld.text(filepath.Join(m.Dir, "go.sum")), List: of})
	}
}

// text reads the file with that absolute name.
func (ld *loader) text(name string) *File {
	f := &File{Name: ld.relative(name), Abs: name}
	if src, ok := ld.cmd.overlay[name]; ok {
		f.Src = src
	} else if src, err := os.ReadFile(name); err == nil {
		f.Src = append([]byte{}, src...) // not nil if it is empty
	}
	return f
}
