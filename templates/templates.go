package templates

// This file renders.

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"go/scanner"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// Type is what a template is rendered with.
type Type struct {
	Variable   string   // the map variable: path/pkg.Owner.field
	Package    string   // package clause
	Name       string   // of the type
	TypeParams string   // "[K comparable, V any]", or empty
	TypeArgs   string   // "[K, V]", or empty
	Key, Value string   // source of the types, as the generated file can write them
	Imports    []Import // what Key, Value and TypeParams mention
	Accessors  []string // names of those in use
	GoVersion  string   // such as "1.22"; nothing newer is in the code
}

// Import is one import of the generated file.
type Import struct {
	Name string // empty when the package's own name serves
	Path string
}

// accessors lists the accessors of each form, in the order in which they are generated.
var accessors = map[string][]string{
	"rwmutex": {"Load", "Get", "Store", "LoadOrStore", "LoadOrCompute", "Swap", "CompareAndSwap", "Update",
		"Delete", "LoadAndDelete", "DeleteFunc", "Clear", "Replace", "Len", "All", "Snapshot"},
}

// locals are the names that the templates use in the bodies of accessors. A type of such a name, say k,
// would mean the variable there.
var locals = []string{"x", "k", "v", "ok", "old", "now", "keep", "fn", "m", "yield"}

//go:embed *.tmpl
var files embed.FS

var parsed = template.Must(template.New("").Option("missingkey=error").ParseFS(files, "*.tmpl"))

// Accessors returns the names of all accessors of form, or nil when it generates no type.
func Accessors(form string) []string { return slices.Clone(accessors[form]) }

// Render returns the file that form generates for t, formatted.
func Render(form string, t Type) ([]byte, error) {
	if accessors[form] == nil {
		return nil, fmt.Errorf("no template for form %q", form)
	}
	for _, name := range t.Accessors {
		if !slices.Contains(accessors[form], name) {
			return nil, fmt.Errorf("form %s has no accessor %q", form, name)
		}
	}
	if slices.Contains(t.Accessors, "All") && !t.AtLeast(23) {
		return nil, errors.New("the accessor All needs go 1.23")
	}
	for _, id := range identifiers(t.Key + " " + t.Value) {
		if slices.Contains(locals, id) {
			return nil, fmt.Errorf("the type %s is named like a variable of the accessors", id)
		}
	}
	var buf bytes.Buffer
	if err := parsed.ExecuteTemplate(&buf, form+".go.tmpl", t); err != nil {
		return nil, err
	}
	return formatted(buf.Bytes())
}

// formatted returns src as gofmt prints it. When it is no Go, the error shows the lines around.
func formatted(src []byte) ([]byte, error) {
	out, err := format.Source(src)
	if err == nil {
		return out, nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the rendered code is no Go: %v", err)
	at := 0
	if list, ok := errors.AsType[scanner.ErrorList](err); ok && len(list) > 0 {
		at = list[0].Pos.Line
	}
	for i, line := range strings.Split(string(src), "\n") {
		if at == 0 || i+1 >= at-3 && i+1 <= at+3 {
			fmt.Fprintf(&b, "\n%4d  %s", i+1, line)
		}
	}
	return nil, errors.New(b.String())
}

// identifiers returns the identifiers in src that are not selected from a package.
func identifiers(src string) []string {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", -1, len(src)), []byte(src), nil, 0)
	var list []string
	last := token.ILLEGAL
	for {
		_, tok, lit := s.Scan()
		if tok == token.EOF {
			return list
		}
		if tok == token.IDENT && last != token.PERIOD {
			list = append(list, lit)
		}
		last = tok
	}
}

// Self is the type as a method's receiver writes it.
func (t Type) Self() string { return t.Name + t.TypeArgs }

// Has reports whether the accessor is generated: it is in use, or one that is in use calls it.
func (t Type) Has(accessor string) bool {
	return slices.Contains(t.Accessors, accessor) || accessor == "Snapshot" && slices.Contains(t.Accessors, "All")
}

// AtLeast reports whether the code may use what go 1.minor brought. An unknown version is an old one.
func (t Type) AtLeast(minor int) bool {
	major, rest, ok := strings.Cut(t.GoVersion, ".")
	if !ok || major != "1" {
		return false
	}
	digits := rest
	if i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = rest[:i]
	}
	n, err := strconv.Atoi(digits)
	return err == nil && n >= minor
}

// ImportGroups returns the imports of the code and of the key and value types: first those of the standard
// library, then the others, each sorted by path.
func (t Type) ImportGroups() [][]Import {
	all := []Import{{Path: "sync"}}
	if t.Has("All") {
		all = append(all, Import{Path: "iter"})
	}
	if t.Has("Snapshot") && t.AtLeast(21) {
		all = append(all, Import{Path: "maps"})
	}
	for _, i := range t.Imports {
		if !slices.Contains(all, i) {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(a, b Import) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Name, b.Name)) })
	isStd := func(i Import) bool {
		first, _, _ := strings.Cut(i.Path, "/")
		return !strings.Contains(first, ".")
	}
	groups := [][]Import{
		slices.DeleteFunc(slices.Clone(all), func(i Import) bool { return !isStd(i) }),
		slices.DeleteFunc(slices.Clone(all), isStd),
	}
	if len(groups[1]) == 0 {
		return groups[:1]
	}
	return groups
}

// IsAlone reports whether the code imports nothing but sync.
func (t Type) IsAlone() bool { return len(t.ImportGroups()) == 1 && len(t.ImportGroups()[0]) == 1 }
