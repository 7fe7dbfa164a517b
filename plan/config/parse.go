package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// This file parses a configuration. It walks the nodes, which have positions, rather than to have them decoded.

// Error is one mistake in a configuration.
type Error struct {
	File         string
	Line, Column int // 1-based; 0 when the YAML is broken in a way that has no column
	Msg          string
}

func (e Error) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// Known are the words that the analysis knows.
type Known struct {
	Forms       []string // auto not among them
	Platforms   []string
	Confidences []string
}

// Parse returns what src, the contents of a file of that name, says. The error joins an [Error] for each
// mistake, in source order.
func Parse(file string, src []byte, known Known) (*Config, error) {
	p := &parser{known: known, config: &Config{File: file}, at: make(map[string]Place)}
	var doc, next yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(src))
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, p.broken(err)
	} else if err == nil {
		if err := dec.Decode(&next); err == nil {
			p.errorf(&next, "another document: there can be one only")
		} else if !errors.Is(err, io.EOF) {
			return nil, p.broken(err)
		}
	}
	if len(doc.Content) > 0 && !isNull(doc.Content[0]) {
		p.fields(doc.Content[0], sections)
	}
	if len(p.errs) > 0 {
		slices.SortStableFunc(p.errs, func(a, b Error) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
		var errs []error
		for _, err := range p.errs {
			errs = append(errs, err)
		}
		return nil, errors.Join(errs...)
	}
	return p.config, nil
}

var brokenLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// broken returns err, which says what is not YAML, with its position.
func (p *parser) broken(err error) error {
	e := Error{File: p.config.File, Line: 1, Msg: err.Error()}
	if m := brokenLine.FindStringSubmatch(err.Error()); m != nil {
		e.Msg = m[2]
		if line, err := strconv.Atoi(m[1]); err == nil {
			e.Line = line
		}
	}
	return e
}

type parser struct {
	known  Known
	config *Config
	at     map[string]Place // of what may be said once only
	errs   []Error
}

func (p *parser) errorf(n *yaml.Node, format string, args ...any) {
	p.errs = append(p.errs, Error{p.config.File, n.Line, n.Column, fmt.Sprintf(format, args...)})
}

// once reports an error if what n says was said before.
func (p *parser) once(n *yaml.Node, what string) {
	if before, ok := p.at[what]; ok {
		p.errorf(n, "line %d says already %s", before.Line, what)
		return
	}
	p.at[what] = place(n)
}

func place(n *yaml.Node) Place { return Place{Line: n.Line, Column: n.Column} }

// resolved returns what n stands for if it is an alias, at the place of n.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.AliasNode {
		return n
	}
	named := *n.Alias
	named.Line, named.Column = n.Line, n.Column
	return &named
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// section is a key and what reads its value.
type section struct {
	key  string
	read func(p *parser, value *yaml.Node)
}

// sections are the keys of the file.
var sections = []section{
	{"min-confidence", (*parser).minConfidence},
	{"tags", (*parser).tags},
	{"platforms", (*parser).platforms},
	{"tests", (*parser).tests},
	{"concurrent", func(p *parser, v *yaml.Node) { p.each(v, (*parser).concurrent) }},
	{"starts", func(p *parser, v *yaml.Node) { p.each(v, (*parser).starts) }},
	{"synchronous", func(p *parser, v *yaml.Node) { p.each(v, names("synchronous")) }},
	{"serves", func(p *parser, v *yaml.Node) { p.each(v, names("serves")) }},
	{"ignore", func(p *parser, v *yaml.Node) { p.each(v, (*parser).ignore) }},
	{"forms", func(p *parser, v *yaml.Node) { p.each(v, (*parser).form) }},
}

// fields reads a mapping with the keys of known, each at most once, and returns its nodes by key.
func (p *parser) fields(n *yaml.Node, known []section) map[string]*yaml.Node {
	out := make(map[string]*yaml.Node)
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "want keys: %s", keys(known))
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], resolved(n.Content[i+1])
		j := slices.IndexFunc(known, func(s section) bool { return s.key == key.Value })
		switch {
		case key.Kind != yaml.ScalarNode:
			p.errorf(key, "want a key: %s", keys(known))
			continue
		case j < 0:
			p.errorf(key, "unknown key %s; there are %s", key.Value, keys(known))
			continue
		case out[key.Value] != nil:
			p.errorf(key, "%s stands here twice", key.Value)
			continue
		}
		out[key.Value] = value
		if known[j].read != nil {
			known[j].read(p, value)
		}
	}
	return out
}

func keys(known []section) string {
	var names []string
	for _, s := range known {
		names = append(names, s.key)
	}
	return strings.Join(names, ", ")
}

// each reads the elements of a list.
func (p *parser) each(n *yaml.Node, read func(*parser, *yaml.Node)) {
	switch {
	case isNull(n):
	case n.Kind != yaml.SequenceNode:
		p.errorf(n, "want a list")
	default:
		for _, elem := range n.Content {
			read(p, resolved(elem))
		}
	}
}

// names returns what reads the name of a function in the section of that key.
func names(section string) func(*parser, *yaml.Node) {
	return func(p *parser, n *yaml.Node) { p.call(n, Call{Section: section, What: "function"}) }
}

// call adds c, which is about what n names.
func (p *parser) call(n *yaml.Node, c Call) {
	c.Name, c.Place = p.name(n), place(n)
	if c.Section == "serves" { // which may be said besides
		p.once(n, "that "+c.Name+" serves")
	} else {
		p.once(n, "what becomes of "+c.Name)
	}
	p.config.Calls = append(p.config.Calls, c)
}

// concurrent reads what is called from many goroutines: an argument, the methods of an interface, or the values
// of a function type.
func (p *parser) concurrent(n *yaml.Node) {
	f := p.fields(n, []section{{key: "function"}, {key: "argument"}, {key: "interface"}, {key: "methods"}, {key: "type"}, {key: "by"}})
	c := Call{Section: "concurrent"}
	if f["by"] != nil {
		c.By = p.text(f["by"])
	}
	what := 0
	for _, key := range []string{"function", "interface", "type"} {
		if f[key] != nil {
			what++
			c.What = key
		}
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	if what != 1 {
		p.errorf(n, "want one of function, interface and type")
		return
	}
	switch c.What {
	case "function":
		p.unfit(f, "methods")
		c.Argument = p.argument(n, f["argument"])
	case "interface":
		p.unfit(f, "argument")
		c.Methods = p.methods(n, f["methods"])
	default:
		p.unfit(f, "argument", "methods")
	}
	p.call(f[c.What], c)
}

// unfit reports the keys among f that do not go with what the entry is about.
func (p *parser) unfit(f map[string]*yaml.Node, keys ...string) {
	for _, key := range keys {
		if f[key] != nil {
			p.errorf(f[key], "%s does not belong here", key)
		}
	}
}

func (p *parser) methods(n, list *yaml.Node) []string {
	if list == nil {
		p.errorf(n, "want methods, the list of those that are called")
		return nil
	}
	var out []string
	p.each(list, func(p *parser, m *yaml.Node) { out = append(out, p.text(m)) })
	return out
}

// starts reads a function that runs an argument in a goroutine of its own.
func (p *parser) starts(n *yaml.Node) {
	f := p.fields(n, []section{{key: "function"}, {key: "argument"}})
	switch {
	case n.Kind != yaml.MappingNode:
	case f["function"] == nil:
		p.errorf(n, "want function")
	default:
		p.call(f["function"], Call{Section: "starts", What: "function", Argument: p.argument(n, f["argument"])})
	}
}

func (p *parser) ignore(n *yaml.Node) {
	f := p.fields(n, []section{{key: "variable"}, {key: "reason"}})
	switch {
	case n.Kind != yaml.MappingNode:
	case f["variable"] == nil:
		p.errorf(n, "want variable, a pattern as for --field")
	case f["reason"] == nil:
		p.errorf(n, "want reason: why %s is not to be reported", f["variable"].Value)
	default:
		p.config.Ignore = append(p.config.Ignore, Ignore{p.pattern(f["variable"]), p.text(f["reason"]), place(f["variable"])})
	}
}

// pattern returns a pattern as for --field.
func (p *parser) pattern(n *yaml.Node) string {
	text := p.text(n)
	if _, err := path.Match(text, ""); err != nil {
		p.errorf(n, "malformed pattern %s", text)
	}
	return text
}

// text returns a value that is not empty.
func (p *parser) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || isNull(n) || strings.TrimSpace(n.Value) == "" {
		p.errorf(n, "want text")
	}
	return n.Value
}

var qualified = regexp.MustCompile(`^([^/\s]+/)*[^/\s]+\.[\pL_][\pL\pN_]*$`)

// name returns a name with its import path: "example.com/pool.Pool.Submit".
func (p *parser) name(n *yaml.Node) string {
	name := p.text(n)
	if name != "" && !qualified.MatchString(name) {
		p.errorf(n, "%s is no name with its import path, such as example.com/pool.Pool.Submit", name)
	}
	return name
}

// argument returns the number of an argument, a receiver not counted.
func (p *parser) argument(entry, n *yaml.Node) int {
	if n == nil {
		p.errorf(entry, "want argument: the number of the one that is called, from 1")
		return 0
	}
	number, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || number < 1 {
		p.errorf(n, "want a number from 1; a receiver is not counted")
	}
	return number
}

var partOfPath = regexp.MustCompile(`^(v[0-9]+|go|golang)$`)

// splitName returns the import path in full and the rest. The last element of an import path may have dots, too: in
// gopkg.in/yaml.v3.Unmarshal it is gopkg.in/yaml.v3.
func splitName(full string) (path, name string) {
	last := strings.LastIndexByte(full, '/') + 1
	parts := strings.Split(full[last:], ".")
	n := 1
	for n < len(parts)-1 && partOfPath.MatchString(parts[n]) {
		n++
	}
	return full[:last] + strings.Join(parts[:n], "."), strings.Join(parts[n:], ".")
}

// form reads which forms some variables are to have.
func (p *parser) form(n *yaml.Node) {
	f := p.fields(n, []section{{key: "variable"}, {key: "form"}})
	switch {
	case n.Kind != yaml.MappingNode:
	case f["variable"] == nil || f["form"] == nil:
		p.errorf(n, "want variable and form")
	default:
		p.config.Forms = append(p.config.Forms, Form{p.pattern(f["variable"]), p.forms(f["form"]), place(f["variable"])})
	}
}

// forms reads auto, or a list of forms.
func (p *parser) forms(n *yaml.Node) []string {
	list := p.list(n)
	if len(list) == 0 {
		p.errorf(n, "want a form")
	}
	for i, form := range list {
		auto := form == "auto" && len(list) == 1
		switch {
		case form == "" && len(list) == 1: // reported
		case !auto && !slices.Contains(p.known.Forms, form):
			p.errorf(n, "unknown form %q; there are auto, %s", form, strings.Join(p.known.Forms, ", "))
		case slices.Contains(list[:i], form):
			p.errorf(n, "%s stands here twice", form)
		}
	}
	return list
}

// list returns the texts of a list, or of a text with commas.
func (p *parser) list(n *yaml.Node) (out []string) {
	if n.Kind != yaml.SequenceNode {
		for text := range strings.SplitSeq(p.text(n), ",") {
			out = append(out, strings.TrimSpace(text))
		}
		return out
	}
	p.each(n, func(p *parser, elem *yaml.Node) { out = append(out, p.text(elem)) })
	return out
}

func (p *parser) minConfidence(n *yaml.Node) {
	if !slices.Contains(p.known.Confidences, n.Value) {
		p.errorf(n, "want one of %s", strings.Join(p.known.Confidences, ", "))
	}
	p.config.MinConfidence = Value{n.Value, place(n)}
}

var tag = regexp.MustCompile(`^[\pL\pN_.]+$`)

// tags reads build tags. There may be none.
func (p *parser) tags(n *yaml.Node) {
	var list []string
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Value != "" {
		list = p.list(n)
	}
	for _, t := range list {
		if !tag.MatchString(t) && !isNull(n) {
			p.errorf(n, "%q is no build tag", t)
		}
	}
	p.config.Tags = Value{strings.Join(list, ","), place(n)}
}

// platforms reads platforms. There may be none.
func (p *parser) platforms(n *yaml.Node) {
	var list []string
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Value != "" {
		list = p.list(n)
	}
	for _, name := range list {
		if !slices.Contains(p.known.Platforms, name) && !isNull(n) {
			p.errorf(n, "unknown platform %q; want GOOS/GOARCH, such as linux/amd64", name)
		}
	}
	p.config.Platforms = Value{strings.Join(list, ","), place(n)}
}

func (p *parser) tests(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
		p.errorf(n, "want true or false")
	}
	p.config.Tests = Value{n.Value, place(n)}
}
