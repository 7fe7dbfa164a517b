package intent

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// This file tells directives from other comments.

const (
	guardedBy = "guardedby"
	requires  = "requires"
	confined  = "confined"
	immutable = "immutable"
	ignore    = "ignore"
	form      = "form" // written by mapmend into what it generates
	tests     = "tests"
)

var verbs = []string{guardedBy, requires, confined, immutable, ignore}

// directive is one comment line that gives an order.
type directive struct {
	verb string
	arg  string // what stands behind the verb
	as   string // how it is written: "//mapmend:guardedby"
	pos  token.Pos
}

func (d directive) String() string { return d.as }

// spaced is what a directive looks like that a space keeps from being one. A verb follows the colon at once, so that a list of tools, or
// a configuration in a comment, looks otherwise.
var spaced = regexp.MustCompile(`^\s+mapmend:[a-z]`)

// parse returns the directive in c; ok is false when c is none. A directive that cannot be understood is a
// problem.
func parse(c *ast.Comment) (d directive, ok bool, problem string) {
	d.pos = c.Pos()
	text := strings.TrimPrefix(c.Text, "//")
	if lock, found := strings.CutPrefix(strings.TrimSpace(text), "+checklocks:"); found && text != c.Text {
		d.verb, d.arg, d.as = guardedBy, strings.TrimSpace(lock), "+checklocks"
		return d, true, ""
	}
	rest, found := strings.CutPrefix(text, "mapmend:")
	if !found {
		if spaced.MatchString(text) && text != c.Text {
			return d, false, "a directive has no space after the slashes"
		}
		return d, false, ""
	}
	d.verb, d.arg, _ = strings.Cut(strings.TrimSpace(rest), " ")
	d.arg, _, _ = strings.Cut(d.arg, "//")
	d.arg, d.as = strings.TrimSpace(d.arg), "//mapmend:"+d.verb
	switch {
	case d.verb == form || d.verb == tests:
		return d, false, ""
	case !slices.Contains(verbs, d.verb):
		return d, false, fmt.Sprintf("mapmend has no directive %s; there are %s", d.verb, strings.Join(verbs, ", "))
	case d.arg == "" && (d.verb == guardedBy || d.verb == requires):
		return d, false, d.String() + " needs the name of a mutex"
	case d.arg == "" && d.verb == ignore:
		return d, false, d.String() + " needs a reason"
	}
	return d, true, ""
}
