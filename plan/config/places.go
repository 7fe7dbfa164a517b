package config

import (
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// This file finds the configuration.

// Places are where a configuration may lie.
type Places struct {
	Read   []string // absolute names; the first file that there is counts
	Unread []string // of the modules of a workspace, which has one for all
}

// PlacesOf returns the places of a module, by the name of its go.mod, and of the workspace, by that of its go.work. Both are as go env
// says them: empty, off, or the null device for none. A workspace has its configuration beside go.work. If it has one module only, which it
// then hardly is for, and no configuration there, that of the module counts.
func PlacesOf(gomod, gowork string) Places {
	if filepath.IsAbs(gowork) {
		modules := modulesOf(gowork)
		p := Places{Read: []string{filepath.Join(filepath.Dir(gowork), Name)}}
		for _, dir := range modules {
			switch file := filepath.Join(dir, Name); {
			case file == p.Read[0]:
			case len(modules) == 1:
				p.Read = append(p.Read, file)
			default:
				p.Unread = append(p.Unread, file)
			}
		}
		return p
	}
	if gomod == "" || gomod == os.DevNull {
		return Places{}
	}
	return Places{Read: []string{filepath.Join(filepath.Dir(gomod), Name)}}
}

// Choose returns the file that counts, of those that exist, and those that are there and do not count. The file is empty if there is none.
func (p Places) Choose(exists func(file string) bool) (file string, unread []string) {
	for _, at := range p.Read {
		switch {
		case !exists(at):
		case file == "":
			file = at
		default:
			unread = append(unread, at)
		}
	}
	for _, at := range p.Unread {
		if exists(at) {
			unread = append(unread, at)
		}
	}
	return file, unread
}

// modulesOf returns the folders of the modules that a go.work uses. Of one that cannot be read there are none: the go command says
// what is wrong with it.
func modulesOf(gowork string) (dirs []string) {
	src, err := os.ReadFile(gowork)
	if err != nil {
		return nil
	}
	f, err := modfile.ParseWork(gowork, src, nil)
	if err != nil {
		return nil
	}
	for _, use := range f.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(gowork), dir)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}
