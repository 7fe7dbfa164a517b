package evidence

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/maruel/panicparse/v2/stack"
)

// Report is one crash or one report of the race detector.
type Report struct {
	Source   string   // what it was read from
	Line     int      // where it begins there
	Race     bool     // it is of the race detector; otherwise the program crashed
	Headline string   // for a crash: what the runtime says, such as "concurrent map writes"
	Accesses []Access // race: the two that met; crash: that of the goroutine that noticed, then those of others that were at a map
}

// Access is one of the accesses that met.
type Access struct {
	Write   bool    // it is known to write
	Known   bool    // it is known whether it writes
	OnMap   bool    // the map's own code was running, so that it is not an access to the variable that holds the map
	Stack   []Frame // innermost first, without what is below the program's and libraries' code
	Created []Frame // where its goroutine was created, innermost first; empty if it is not known
}

// Frame is a function that was running.
type Frame struct {
	Package string // import path; "main" for a command
	Func    string // name of the function in its package, as the runtime writes it: (*Store).Put, run.func1
	File    string // slash-separated, as the runtime knows it
	Line    int
}

// String says what r is and where it stands: "race.log:12: a data race".
func (r Report) String() string {
	what := "a data race"
	if !r.Race {
		what = r.Headline
	}
	return fmt.Sprintf("%s:%d: %s", r.Source, r.Line, what)
}

// String returns the frame as people write it: session.(*Store).Put at store.go:12.
func (f Frame) String() string {
	return fmt.Sprintf("%s.%s at %s:%d", path.Base(f.Package), f.Name(), path.Base(f.File), f.Line)
}

// Name returns Func without type arguments, which the runtime writes as [...] and the race detector in full.
func (f Frame) Name() string { return withoutArguments(f.Func) }

// withoutArguments returns symbol without what stands in brackets.
func withoutArguments(symbol string) string {
	var b strings.Builder
	depth := 0
	for _, r := range symbol {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		default:
			if depth == 0 {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// Standard reports whether the function is one of the standard library.
func (f Frame) Standard() bool {
	first, _, _ := strings.Cut(f.Package, "/")
	return slices.Contains(standard, first)
}

// standard are the first elements of the import paths of the standard library. Other modules may have paths without a dot, too.
var standard = strings.Fields(`archive bufio builtin bytes cmp compress container context crypto database debug embed encoding errors
	expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime slices sort
	strconv strings structs sync syscall testing text time unicode unique unsafe vendor weak`)

func frames(s stack.Stack) []Frame {
	var out []Frame
	for _, c := range s.Calls {
		f := Frame{c.Func.ImportPath, c.Func.Name, c.RemoteSrcPath, c.Line}
		if i := strings.IndexByte(c.Func.Complete, '['); i >= 0 && strings.Contains(c.Func.Complete[i:], "/") { // import paths among the type arguments are not that of the function
			f.Package, f.Func = split(withoutArguments(c.Func.Complete))
		}
		out = append(out, f)
	}
	return out
}

// split returns the import path and the name of the function that symbol stands for.
func split(symbol string) (path, name string) {
	i := strings.LastIndexByte(symbol, '/') + 1
	j := strings.IndexByte(symbol[i:], '.')
	if j < 0 {
		return "", symbol
	}
	return symbol[:i+j], symbol[i+j+1:]
}

// mapFunctions begin the names of functions of the runtime that work on a map, and say whether they write.
var mapFunctions = []struct {
	prefix string
	writes bool
}{
	{"mapassign", true}, {"mapdelete", true}, {"mapclear", true}, {"mapaccess", false}, {"mapiter", false}, {"mapIter", false}, {"mapclone", false},
	{"Iter).", false}, {"Map).Put", true}, {"Map).Delete", true}, {"Map).Clear", true}, {"Map).", false}, {"runtime_map", false},
}

// atMap reports whether f is the map's own code, and whether that writes.
func atMap(f Frame) (is, writes bool) {
	if f.Package != "runtime" && f.Package != "internal/runtime/maps" && f.Package != "reflect" && f.Package != "maps" {
		return false, false
	}
	name := strings.TrimPrefix(f.Func, "(*")
	for _, m := range mapFunctions {
		if strings.HasPrefix(name, m.prefix) {
			return true, m.writes
		}
	}
	return false, false
}

// below takes the runtime's own frames off the stack.
func below(list []Frame) []Frame {
	for len(list) > 0 && (list[0].Package == "runtime" || strings.HasPrefix(list[0].Package, "internal/runtime/")) {
		list = list[1:]
	}
	return list
}
