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
	Form       string // set by Render
	Variable   string // the map variable: path/pkg.Owner.field
	Package    string // package clause
	Name       string // of the type
	TypeParams string // "[K comparable, V any]", or empty
	TypeArgs   string // "[K, V]", or empty
	Key, Value string // source of the types, as the generated file can write them
	KeyKind    string // "string" or "integer" when that is what Key is underneath, or empty; sharded and xsync look at it

	// Comparing two keys, or two values, never panics: none is or holds an interface. If it may, a lock is given up by defer.
	StrictKey, StrictValue bool

	Reflexive bool // every key is equal to itself: none is or holds a float, which may be NaN, or an interface; only xsync looks at it

	Imports   []Import // what Key, Value and TypeParams mention
	Accessors []string // names of those in use
	GoVersion string   // such as "1.22"; nothing newer is in the code
}

// Import is one import of the generated file.
type Import struct {
	Name string // empty when the package's own name serves
	Path string
}

// accessors lists the accessors, in the order in which they are generated. All forms have them all, so that a
// call does not tell which form it is of.
var accessors = []string{"Load", "Get", "Store", "LoadOrStore", "LoadOrCompute", "Swap", "CompareAndSwap", "Update",
	"Delete", "LoadAndDelete", "DeleteFunc", "Clear", "Replace", "Len", "All", "Snapshot"}

// A form is what Go code needs to know of one template.
type form struct {
	locals []string // names that the bodies of accessors use: a type of such a name, say k, would mean the variable there
	others []string // what is appended to the name of the type to name what is declared beside it
	minor  int      // it needs go 1.minor
}

var forms = map[string]form{
	"rwmutex":  {locals: []string{"x", "k", "v", "ok", "old", "now", "keep", "fn", "m", "yield"}},
	"sharded":  {locals: []string{"x", "k", "v", "ok", "old", "now", "keep", "fn", "m", "yield", "t", "s", "i", "n", "hi", "lo"}, others: []string{"Shard", "Table"}, minor: 19},
	"syncmap":  {locals: []string{"x", "k", "v", "ok", "old", "now", "keep", "fn", "m", "yield", "a", "b", "e", "n"}, others: []string{"Entries"}, minor: 20},
	"xsync":    {locals: []string{"x", "k", "v", "ok", "old", "now", "keep", "fn", "m", "yield", "e", "mu", "t", "n", "o", "odd", "keys", "hi", "lo"}, others: []string{"Entries", "Lock", "Odd"}, minor: 24},
	"snapshot": {locals: []string{"x", "k", "v", "ok", "old", "now", "keep", "fn", "m", "yield", "p", "shown"}, minor: 19},
}

// Xsync is the import path of the library that the form xsync is made of.
const Xsync = "github.com/puzpuzpuz/xsync/v4"

//go:embed *.tmpl
var files embed.FS

var parsed = template.Must(template.New("").Option("missingkey=error").ParseFS(files, "*.tmpl"))

// Accessors returns the names of all accessors of form, or nil when it generates no type.
func Accessors(form string) []string {
	if _, ok := forms[form]; !ok {
		return nil
	}
	return slices.Clone(accessors)
}

// Others returns what form appends to the name of a type to name what it declares beside it.
func Others(form string) []string { return slices.Clone(forms[form].others) }

// Render returns the file that form generates for t, formatted.
func Render(form string, t Type) ([]byte, error) {
	f, ok := forms[form]
	if !ok {
		return nil, fmt.Errorf("no template for form %q", form)
	}
	if needs := t.needs(form); needs > 0 && !t.AtLeast(needs) {
		return nil, fmt.Errorf("the form %s needs go 1.%d", form, needs)
	}
	for _, name := range t.Accessors {
		if !slices.Contains(accessors, name) {
			return nil, fmt.Errorf("form %s has no accessor %q", form, name)
		}
	}
	if slices.Contains(t.Accessors, "All") && !t.AtLeast(23) {
		return nil, errors.New("the accessor All needs go 1.23")
	}
	for _, id := range identifiers(t.Key + " " + t.Value) {
		if slices.Contains(f.locals, id) {
			return nil, fmt.Errorf("the type %s is named like a variable of the accessors", id)
		}
	}
	t.Form = form
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
		return format.Source(out) // what is broken into lines may be aligned in another way then
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

// needs returns the minor version of go 1 that form needs for t.
func (t Type) needs(form string) int {
	if form == "sharded" && t.KeyKind == "" {
		return 24 // maphash.Comparable
	}
	return forms[form].minor
}

// StrictEntry reports whether comparing neither keys nor values panics.
func (t Type) StrictEntry() bool { return t.StrictKey && t.StrictValue }

// Has reports whether the accessor is generated.
func (t Type) Has(accessor string) bool { return slices.Contains(t.Accessors, accessor) }

// HasAny reports whether one of the accessors is generated.
func (t Type) HasAny(accessors ...string) bool { return slices.ContainsFunc(accessors, t.Has) }

// Changes reports whether an accessor in use changes the map without replacing all of it.
func (t Type) Changes() bool {
	return t.HasAny("Store", "LoadOrStore", "LoadOrCompute", "Swap", "CompareAndSwap", "Update", "Delete", "LoadAndDelete", "DeleteFunc")
}

// Locked reports whether the forms syncmap and xsync need locks beside: an accessor decides by an entry what becomes of it, and does so once.
func (t Type) Locked() bool {
	return t.HasAny("LoadOrCompute", "CompareAndSwap", "Update", "DeleteFunc")
}

// Held reports whether the form xsync has more beside the map of the library: locks, or entries that this cannot have.
func (t Type) Held() bool { return t.Locked() || !t.Reflexive }

// Kept returns the type that has the entries of the form xsync.
func (t Type) Kept() string {
	if t.Held() {
		return t.Name + "Entries" + t.TypeArgs
	}
	return "xsync.Map[" + t.Key + ", " + t.Value + "]"
}

// Entries returns the type that has the entries of the form syncmap.
func (t Type) Entries() string {
	if t.Has("Len") {
		return t.Name + "Entries"
	}
	return "sync.Map"
}

// KeyString returns the key k as a string.
func (t Type) KeyString() string {
	if t.Key == "string" {
		return "k"
	}
	return "string(k)"
}

// Whole names the accessors in use that are about all entries and do not see them at once when these are spread over
// shards: "Each of Len and All", or "" when there are none.
func (t Type) Whole() string { return t.each("DeleteFunc", "Len", "All", "Snapshot") }

// Iterated names those that are about all entries of a sync.Map, or a map of the library xsync.
func (t Type) Iterated() string { return t.each("DeleteFunc", "All", "Snapshot") }

func (t Type) each(accessors ...string) string {
	used := slices.DeleteFunc(accessors, func(a string) bool { return !t.Has(a) })
	switch n := len(used); n {
	case 0:
		return ""
	case 1:
		return used[0]
	default:
		return "Each of " + strings.Join(used[:n-1], ", ") + " and " + used[n-1]
	}
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
func (t Type) ImportGroups() [][]Import { return groups(t.Uses(), t.Imports) }

// groups returns the packages at paths and imports as groups.
func groups(paths []string, imports []Import) [][]Import {
	var all []Import
	for _, path := range paths {
		all = append(all, Import{Path: path})
	}
	for _, i := range imports {
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

// Uses returns the import paths of what the code mentions besides the key and value types.
func (t Type) Uses() []string {
	var paths []string
	add := func(path string, when bool) {
		if when {
			paths = append(paths, path)
		}
	}
	add("sync", t.Form != "xsync" && t.Form != "snapshot" || t.Form == "snapshot" && t.Changes() || t.Form == "xsync" && t.Held())
	add("iter", t.Has("All"))
	switch t.Form {
	case "rwmutex":
		add("maps", t.Has("All"))
	case "sharded":
		add("sync/atomic", true)
		add("hash/maphash", t.KeyKind != "integer" || t.Changes() || t.HasAny("Clear", "Replace"))
		add("math/bits", t.KeyKind == "integer")
		add("maps", t.Has("All"))
	case "syncmap":
		add("sync/atomic", true)
	case "xsync":
		add("sync/atomic", true)
		add("hash/maphash", t.Locked())
		add("math/bits", t.Locked() && t.KeyKind == "integer")
		add(Xsync, true)
	case "snapshot":
		add("sync/atomic", true)
		add("maps", t.Changes() && t.AtLeast(21))
	}
	return paths
}

// Alone returns the only import, or nil if there are several.
func (t Type) Alone() *Import {
	if g := t.ImportGroups(); len(g) == 1 && len(g[0]) == 1 {
		return &g[0][0]
	}
	return nil
}
