package main

// This file finds and reads the configuration, and gives the options that the command line does not set what it says.

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"mapmend/plan"
	"mapmend/plan/config"
	"mapmend/plan/load"
)

// configure reads the configuration of the module or workspace that the folder dir is in, if it has one.
func (inv *invocation) configure(dir string) error {
	places, err := inv.places(dir)
	if err != nil {
		return err
	}
	exists := func(file string) bool {
		_, err := inv.content(file)
		return !errors.Is(err, fs.ErrNotExist)
	}
	file := ""
	file, inv.unread = places.Choose(exists)
	for _, at := range places.Read {
		if other := filepath.Join(filepath.Dir(at), config.NotName); exists(other) {
			inv.unread = append(inv.unread, other)
		}
	}
	if file == "" {
		return nil
	}
	src, err := inv.content(file)
	if err != nil {
		return err
	}
	settings, err := config.Parse(inv.rel(dir)(file), src, plan.Known())
	if err != nil {
		return err
	}
	settings.File = file
	inv.settings = settings
	return inv.settle()
}

// places returns where the configuration of the folder dir may lie.
func (inv *invocation) places(dir string) (config.Places, error) {
	gomod, gowork, err := load.Workspace(load.Config{Dir: dir, Context: inv.signals.hold})
	return config.PlacesOf(gomod, gowork), err
}

// content returns what the named file holds, in the overlay or on the disk.
func (inv *invocation) content(file string) ([]byte, error) {
	for _, name := range []string{file, filepath.Join(resolve(filepath.Dir(file)), filepath.Base(file))} {
		if src, ok := inv.overlay[name]; ok {
			if src == nil {
				return nil, &fs.PathError{Op: "open", Path: file, Err: fs.ErrNotExist}
			}
			return src, nil
		}
	}
	return os.ReadFile(file)
}

// settle gives the options that the command takes and the command line does not set what the configuration says.
func (inv *invocation) settle() error {
	var errs []error
	for name, v := range map[string]config.Value{
		"min-confidence": inv.settings.MinConfidence,
		"tags":           inv.settings.Tags,
		"platforms":      inv.settings.Platforms,
		"tests":          inv.settings.Tests,
	} {
		f := inv.flags.Lookup(name)
		if v.Said() && !f.Changed && slices.Contains(inv.command.flags, name) {
			errs = append(errs, f.Value.Set(v.Text))
		}
	}
	return cmp.Or(errs...)
}

// unconfigured prints why the configuration could not be read, and returns the exit code.
func (inv *invocation) unconfigured(err error) int {
	for _, e := range unjoined(err) {
		if _, positioned := errors.AsType[config.Error](e); positioned {
			fmt.Fprintln(inv.stderr, e)
		} else {
			inv.errorf("%v", e)
		}
	}
	return exitError
}

// unjoined returns the errors that err joins, or err.
func unjoined(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// tellUnread notes the configurations that do not count.
func (inv *invocation) tellUnread() {
	for _, file := range inv.unread {
		if filepath.Base(file) == config.NotName {
			inv.notef("%s is not read: its name must be %s", inv.rel(inv.dir)(file), config.Name)
			continue
		}
		inv.notef("%s is not read: a workspace has its configuration beside go.work", inv.rel(inv.dir)(file))
	}
}
