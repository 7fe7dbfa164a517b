package kept

import (
	"strconv"
	"strings"

	"mapmend/plan/access"
)

// This file names places.

// Place is where function values are kept. It is plain data. The zero Place is none.
type Place string

// Places that are no single place.
const (
	Anywhere Place = "anywhere" // every place
	Outside  Place = "outside"  // holds what was given away, and functions that nobody has seen
	Lent     Place = "lent"     // functions that a library calls while it is called itself, and does not keep
)

// Places of what calls through interfaces pass and return, in generic code: values of any type.
const (
	movedIn  Place = moved + "in"
	movedOut Place = moved + "out"
)

// The kinds of places, as their names begin.
const (
	fn     = "func "
	field  = "field "
	global = "var "
	param  = "param "
	result = "result "
	moved  = "moved "
	local  = "local "

	argument = "argument " // of a call of a function value: see Flow.If
	answer   = "answer "   // of such a call
)

// funcOf is the function key, used as a value of type t. It is no place but what stands in one.
func funcOf(key, t string) Place { return Place(fn + key + " as " + t) }

// methodOf is the method key, used as a value of type t that has its receiver already.
func methodOf(key, t string) Place { return Place(fn + key + " bound as " + t) }

func fieldOf(v access.Var) Place            { return Place(field + v.Key()) }
func globalOf(v access.Var) Place           { return Place(global + v.Key()) }
func paramOf(key string, i int) Place       { return Place(param + key + "#" + strconv.Itoa(i)) }
func resultOf(key string, i int) Place      { return Place(result + key + "#" + strconv.Itoa(i)) }
func movedAs(t string) Place                { return Place(moved + t) } // what calls through interfaces pass and return
func argumentAt(i int) Place                { return Place(argument + "#" + strconv.Itoa(i)) }
func answerAt(i int) Place                  { return Place(answer + "#" + strconv.Itoa(i)) }
func localOf(path string, number int) Place { return Place(local + path + "#" + strconv.Itoa(number)) }

// function returns which function p is.
func (p Place) function() (s source, ok bool) {
	rest, ok := strings.CutPrefix(string(p), fn)
	if !ok {
		return source{}, false
	}
	s.key, s.typ, ok = strings.Cut(rest, " as ")
	s.key, s.bound = strings.CutSuffix(s.key, " bound")
	return s, ok
}

// called returns p in terms of a call: of s for an argument or answer of it, and itself for all else.
func (p Place) called(s source) Place {
	if _, i, ok := p.numbered(argument); ok {
		if s.bound {
			i++
		}
		return paramOf(s.key, i)
	}
	if _, i, ok := p.numbered(answer); ok {
		return resultOf(s.key, i)
	}
	return p
}

// variable returns the key of the field or package variable that p is.
func (p Place) variable() (name string, ok bool) {
	if name, ok = strings.CutPrefix(string(p), field); ok {
		return name, true
	}
	return strings.CutPrefix(string(p), global)
}

// Param returns which parameter of which function p is.
func (p Place) Param() (key string, index int, ok bool) { return p.numbered(param) }

// result returns which result of which function p is.
func (p Place) result() (key string, index int, ok bool) { return p.numbered(result) }

func (p Place) numbered(kind string) (key string, index int, ok bool) {
	rest, ok := strings.CutPrefix(string(p), kind)
	if !ok {
		return "", 0, false
	}
	i := strings.LastIndexByte(rest, '#')
	index, err := strconv.Atoi(rest[i+1:])
	return rest[:max(0, i)], index, i >= 0 && err == nil
}

// Name is a name in a package.
type Name struct{ Package, Name string }

// name returns the name that source must mention to reach p; ok is false when there is none.
func (p Place) name() (n Name, ok bool) {
	full, ok := p.variable()
	if !ok {
		full, _, ok = p.Param()
	}
	if !ok {
		full, _, ok = p.result()
	}
	if !ok {
		return Name{}, false
	}
	n.Package, full = access.SplitKey(full)
	full, _, _ = strings.Cut(full, "$") // a closure is reached through the function around it
	n.Name = full[strings.LastIndexByte(full, '.')+1:]
	return n, true
}

// isOfCall reports whether p is an argument or the answer of a call of a function value.
func (p Place) isOfCall() bool {
	return strings.HasPrefix(string(p), argument) || strings.HasPrefix(string(p), answer)
}
