package access

import (
	"go/token"
	"strconv"
	"strings"
)

// Var names a struct field, a package variable or a local across packages, processes and runs.
type Var struct {
	Package string // import path, without a test variant
	Owner   string // bare name of the struct type; the function for a local; empty for a package variable
	Field   string // dotted for a field of an anonymous struct
}

// IsZero reports whether v names nothing.
func (v Var) IsZero() bool { return v.Field == "" }

// IsLocal reports whether v, which path leads to, is a local variable of a function or a field of one.
func (v Var) IsLocal(path Path) bool {
	return path.Root.Kind == Made && (path.Sel == "" || v.Owner != "" && strings.Contains(v.Field, "."))
}

// Key returns what v is called, with a path of which it is certain where it ends: see [Key].
func (v Var) Key() string {
	if v.Owner == "" {
		return Key(v.Package, v.Field)
	}
	return Key(v.Package, v.Owner+"."+v.Field)
}

func (v Var) String() string {
	if v.Owner == "" {
		return v.Package + "." + v.Field
	}
	return v.Package + "." + v.Owner + "." + v.Field
}

// RootKind says what a Path starts from. The zero RootKind is an unknown place.
type RootKind uint8

const (
	Unknown RootKind = iota // nothing is known; never equal to anything, see Path.Known
	Param                   // a parameter, the receiver being number 0
	Free                    // a captured variable of a closure
	Global                  // a package variable
	Local                   // a value that the function Name got from somewhere
	Made                    // a value that the function Name made: each activation makes its own
)

// Root is where a Path starts.
type Root struct {
	Kind  RootKind
	Index int    // of the parameter, captured variable or local
	Name  string // of the package variable ("path.Name"), or the function a Local or Made belongs to
}

// Path names a memory location in terms of one function. The zero Path is unknown.
type Path struct {
	Root Root
	Sel  string // steps from the root: ".field" and "[]", concatenated
}

// maxSteps bounds the length of a Path, so that loops over linked structures end. What lies beyond
// is one step.
const (
	maxSteps = 8
	beyond   = ".~"
)

// Known reports whether p names a definite location.
func (p Path) Known() bool { return p.Root.Kind != Unknown }

// Far reports whether p has so many steps that what lies a field or two further cannot be told apart.
func (p Path) Far() bool { return CountSteps(p.Sel) > maxSteps-2 }

// Field returns the path of the field name of p.
func (p Path) Field(name string) Path { return p.step("." + name) }

// Elem returns the path of any element of p.
func (p Path) Elem() Path { return p.step("[]") }

func (p Path) step(s string) Path {
	switch {
	case !p.Known() || strings.HasSuffix(p.Sel, beyond):
		return p
	case CountSteps(p.Sel) >= maxSteps:
		return Path{p.Root, p.Sel + beyond}
	}
	return Path{p.Root, p.Sel + s}
}

// Join returns the path that rel, a Sel, leads to from p.
func (p Path) Join(rel string) Path {
	if p.Known() && CountSteps(p.Sel)+CountSteps(rel) <= maxSteps && !strings.HasSuffix(p.Sel, beyond) {
		return Path{p.Root, p.Sel + rel}
	}
	for rel != "" {
		step := FirstStep(rel)
		p, rel = p.step(step), rel[len(step):]
	}
	return p
}

// FirstStep returns the first step of sel; it is empty when sel is.
func FirstStep(sel string) string {
	for i := 1; i < len(sel); i++ {
		if sel[i] == '.' || sel[i] == '[' {
			return sel[:i]
		}
	}
	return sel
}

// CountSteps returns how many steps sel has.
func CountSteps(sel string) int { return strings.Count(sel, ".") + strings.Count(sel, "[") }

// Parent returns the path without its last step, and that step. The step is empty when p is a root.
func (p Path) Parent() (Path, string) {
	if p.Sel == "" {
		return p, ""
	}
	n := strings.LastIndexAny(p.Sel, ".[")
	return Path{p.Root, p.Sel[:n]}, p.Sel[n:]
}

// Above reports whether q is reached through what is stored at p. The fields of a root are its own,
// also when something is assigned to the root as a whole.
func (p Path) Above(q Path) bool {
	if p.Root != q.Root || CountSteps(q.Sel) < 2 || p.Sel == q.Sel {
		return false
	}
	rest, ok := strings.CutPrefix(q.Sel, p.Sel)
	return ok && (rest[0] == '.' || rest[0] == '[')
}

// CommonPrefix splits a and b, two Sels, into the steps they share and the rest of each.
func CommonPrefix(a, b string) (common, restA, restB string) {
	n := 0
	for n < len(a) && n < len(b) {
		step := FirstStep(a[n:])
		if FirstStep(b[n:]) != step {
			break
		}
		n += len(step)
	}
	return a[:n], a[n:], b[n:]
}

// String describes p for people. It is not an identity.
func (p Path) String() string {
	switch p.Root.Kind {
	case Unknown:
		return "?"
	case Param:
		return "param" + strconv.Itoa(p.Root.Index) + p.Sel
	case Free:
		return "captured" + strconv.Itoa(p.Root.Index) + p.Sel
	case Global:
		return p.Root.Name + p.Sel
	case Local, Made:
		return "local" + strconv.Itoa(p.Root.Index) + "@" + p.Root.Name + p.Sel
	}
	panic("access: unknown RootKind")
}

// Ref is what a value refers to: a location, the variable that last named it, and the function it
// is if it is one. Refs are plain data and may cross packages.
type Ref struct {
	Path  Path
	Var   Var      // the field, package variable or local that Path ends in; zero for a bare parameter
	Depth int      // how many "[]" stand between Var and the location
	Func  *FuncRef // the function value, when it is known
	Fresh bool     // the location was made in this function (or by a callee that returned it)
	Parts []Part   // of what was made: what is known to be stored in it
	Maps  []Part   // of what was made: the maps that are put in it

	// Read is where the map, slice or pointer that the value is, or the map that it iterates over, was
	// read from Var: what is done with it later is done outside of the section that it was read in.
	Read token.Pos

	Copied bool // reached through a copy, made by an assignment, of the struct that Path leads through
}

// Each calls do for r, and for what r captured if it is a closure, and what is stored in it.
func (r Ref) Each(do func(Ref)) {
	do(r)
	for _, p := range r.Parts {
		p.Ref.Each(do)
	}
	if r.Func == nil {
		return
	}
	for _, f := range r.Func.Free {
		f.Each(do)
	}
	for _, b := range r.Func.Bound {
		b.Each(do)
	}
}

// FuncRef is a function value: a function and what it captured.
type FuncRef struct {
	Key   string
	Free  []Ref // what it captured
	Bound []Ref // leading parameters that are already given: the receiver of a method value
}
