package plan

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"mapmend/plan/load"
)

// This file knows the library that the code of a form is made of, and what the module of a variable needs to have it.

// Library is a module that generated code imports.
type Library struct {
	Path, Version string   // its path, and the version that the code is written and tested for; later ones of the same path will do
	Sums          []string // the lines of go.sum for that version, sorted
}

// xsyncLibrary is what the form xsync is made of. A test keeps it to be what our own module requires.
var xsyncLibrary = Library{
	Path: "github.com/puzpuzpuz/xsync/v4", Version: "v4.5.0",
	Sums: []string{
		"github.com/puzpuzpuz/xsync/v4 v4.5.0 h1:vOSWu6b57/emh+L/Cw0BeQfvxa/cogFywXHeGUxQxAg=",
		"github.com/puzpuzpuz/xsync/v4 v4.5.0/go.mod h1:VJDmTCJMBt8igNxnkQd86r+8KUeN1quSfNKu5bLYFQo=",
	},
}

// Requirement is a module that generated code imports, and what the target gains to have it.
type Requirement struct {
	Path    string   `json:"path"`
	Version string   `json:"version"`       // the one that the target requires after the mend
	Mod     string   `json:"mod"`           // the target's go.mod
	Gains   bool     `json:"gains"`         // go.mod is to require it, and does not yet, or calls it indirect
	Sum     string   `json:"sum,omitempty"` // the target's go.sum, if it lacks lines; else empty
	Lines   []string `json:"lines,omitempty"`
}

// Requires returns the library that form needs, or nil.
func (form Form) Requires() *Library {
	if f := wrapperFormOf(form); f != nil {
		return f.library
	}
	return nil
}

// require returns what the module of pkg needs for code of form, nil if that is nothing, or why it cannot have it and what to do.
func (d *decider) require(pkg *load.Package, form Form) (r *Requirement, why, todo string) {
	lib := form.Requires()
	if lib == nil {
		return nil, "", ""
	}
	q := &requiring{lib: lib, prog: d.prog, mod: d.prog.Module(pkg.Module)}
	for _, step := range []func(*requiring) (why, todo string){(*requiring).read, (*requiring).checkReplaced, (*requiring).find, (*requiring).checkVendored, (*requiring).sums, (*requiring).checkCached, (*requiring).checkFixed} {
		if why, todo := step(q); why != "" {
			return nil, fmt.Sprintf("the form %s needs %s %s, and %s", form, lib.Path, lib.Version, why), todo
		}
	}
	return &q.to, "", ""
}

// requiring is the plan of one requirement.
type requiring struct {
	lib  *Library
	prog *load.Program
	mod  *load.Module
	file *modfile.File // go.mod
	to   Requirement
}

// get is what to do to have the library before mapmend runs again.
func (q *requiring) get() string { return "go get " + q.lib.Path + "@" + q.lib.Version }

// read reads go.mod.
func (q *requiring) read() (why, todo string) {
	if q.mod == nil || q.mod.Mod.Src == nil {
		return "the package is in no module", "run mapmend in a module"
	}
	for _, f := range []*load.File{q.mod.Mod, q.mod.Sum} {
		if bytes.ContainsRune(f.Src, '\r') {
			return f.Name + " has CRLF line ends", "give it LF line ends"
		}
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
			return f.Name + " is outside the working directory, which a diff cannot name", "run mapmend in the folder that holds both"
		}
	}
	file, err := modfile.Parse(q.mod.Mod.Name, q.mod.Mod.Src, nil)
	if err != nil {
		return err.Error(), "mend go.mod"
	}
	q.file, q.to = file, Requirement{Path: q.lib.Path, Version: q.lib.Version, Mod: q.mod.Mod.Name, Gains: true}
	return "", ""
}

// checkReplaced refuses a library that is another one in the target:
//
//	replace github.com/puzpuzpuz/xsync/v4 => ../fork
//
// Nothing is known of what stands in its place but its types. In a workspace the line may stand in any of its modules, or in go.work.
func (q *requiring) checkReplaced() (why, todo string) {
	if q.prog.Work != nil {
		work, err := modfile.ParseWork(q.prog.Work.Name, q.prog.Work.Src, nil)
		if err != nil {
			return err.Error(), "mend go.work"
		}
		if isReplaced(work.Replace, q.lib.Path) {
			return q.prog.Work.Name + " replaces it", "choose another form"
		}
	}
	for _, m := range q.prog.Modules {
		file, err := modfile.Parse(m.Mod.Name, m.Mod.Src, nil)
		switch {
		case err != nil:
			return err.Error(), "mend " + m.Mod.Name
		case isReplaced(file.Replace, q.lib.Path):
			return m.Mod.Name + " replaces it", "choose another form"
		case isExcluded(file.Exclude, q.lib):
			return m.Mod.Name + " excludes it", "choose another form"
		}
	}
	return "", ""
}

func isExcluded(list []*modfile.Exclude, lib *Library) bool {
	return slices.ContainsFunc(list, func(e *modfile.Exclude) bool { return e.Mod == module.Version{Path: lib.Path, Version: lib.Version} })
}

func isReplaced(list []*modfile.Replace, path string) bool {
	return slices.ContainsFunc(list, func(r *modfile.Replace) bool { return r.Old.Path == path })
}

// find finds what go.mod requires already. A later version stays, an earlier one is for the user to raise: other code of the target
// uses it. Of several lines for it, all of one version, one that is not marked as indirect will do.
func (q *requiring) find() (why, todo string) {
	for _, r := range q.file.Require {
		if r.Mod.Path != q.lib.Path {
			continue
		}
		if semver.Compare(r.Mod.Version, q.lib.Version) < 0 {
			return q.mod.Mod.Name + " requires " + r.Mod.Version, q.get()
		}
		q.to.Version, q.to.Gains = r.Mod.Version, q.to.Gains && r.Indirect
	}
	return "", ""
}

// checkVendored refuses a target whose vendor folder lacks the library: mapmend copies no modules.
func (q *requiring) checkVendored() (why, todo string) {
	if q.mod.List.Src == nil {
		return "", ""
	}
	for line := range bytes.Lines(q.mod.List.Src) {
		if string(bytes.TrimSpace(line)) == "# "+q.to.Path+" "+q.to.Version && !q.to.Gains {
			return "", ""
		}
	}
	return q.mod.List.Name + " lacks it", q.get() + ", import it somewhere, and vendor anew"
}

// sums finds which lines go.sum lacks. Those of another version than ours are not known.
func (q *requiring) sums() (why, todo string) {
	has := make(map[string]string)
	for line := range bytes.Lines(q.mod.Sum.Src) {
		if f := strings.Fields(string(line)); len(f) == 3 {
			has[f[0]+" "+f[1]] = f[2]
		}
	}
	for _, line := range q.lib.Sums {
		name, sum := line[:strings.LastIndexByte(line, ' ')], line[strings.LastIndexByte(line, ' ')+1:]
		name = q.lib.Path + " " + q.to.Version + strings.TrimPrefix(name, q.lib.Path+" "+q.lib.Version)
		switch now := has[name]; {
		case q.to.Version != q.lib.Version && now == "":
			return q.mod.Sum.Name + " has no sum of " + q.to.Version + ", which is required", "go get " + q.to.Path + "@" + q.to.Version
		case now == "":
			q.to.Sum, q.to.Lines = q.mod.Sum.Name, append(q.to.Lines, line)
		case q.to.Version == q.lib.Version && now != sum:
			return q.mod.Sum.Name + " has another sum for it", "go mod verify"
		}
	}
	return "", ""
}

// checkCached refuses a target whose module cache lacks the library: without it nothing can be proved, and mapmend downloads nothing.
func (q *requiring) checkCached() (why, todo string) {
	if q.mod.List.Src != nil {
		return "", ""
	}
	dir := filepath.Join(q.prog.ModCache, filepath.FromSlash(q.to.Path)+"@"+q.to.Version)
	if _, err := os.Stat(dir); err == nil && q.prog.ModCache != "" {
		return "", ""
	}
	return "the module cache lacks " + q.to.Version + ", so that the mend could not be proved", "go mod download " + q.to.Path + "@" + q.to.Version
}

// checkFixed refuses files that may not be written.
func (q *requiring) checkFixed() (why, todo string) {
	for _, f := range []*load.File{q.mod.Mod, q.mod.Sum} {
		if f == q.mod.Mod && !q.to.Gains || f == q.mod.Sum && q.to.Sum == "" {
			continue
		}
		if why := q.prog.Fixed(f); why != "" {
			return f.Name + " " + why, q.get()
		}
	}
	return "", ""
}

// checkLibrary plans that the module has the library that the form needs.
func (w *wrapping) checkLibrary() *Refusal {
	r, why, todo := w.d.require(w.c.decl.pkg, w.form)
	if why != "" {
		return w.refuse(Unlowered, w.c.decl.name.Pos(), why, todo)
	}
	w.wrapper.Requires = r
	return nil
}

// planLibrary is checkLibrary for the new form of s.
func (w *switching) planLibrary(s *Switch) *Refusal {
	r, why, todo := w.d.require(w.pkg, s.To)
	if why != "" {
		return w.refuse(Unlowered, w.file.Syntax.Name, why, todo)
	}
	s.New.Requires = r
	return nil
}
