package config

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"mapmend/plan/model"
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

// Parse returns what src, the contents of a file of that name, says. The error joins an [Error] for each
// mistake, in source order.
func Parse(file string, src []byte) (*Config, error) {
	p := &parser{file: file, config: &Config{Model: model.Extension{
		Starts:     make(map[string]model.Argument),
		FuncTypes:  make(map[string]model.Runs),
		Concurrent: make(map[string]model.Interface),
	}}}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, p.broken(err)
	}
	if len(doc.Content) > 0 {
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
	e := Error{File: p.file, Line: 1, Msg: err.Error()}
	if m := brokenLine.FindStringSubmatch(err.Error()); m != nil {
		e.Msg = m[2]
		if line, err := strconv.Atoi(m[1]); err == nil {
			e.Line = line
		}
	}
	return e
}

type parser struct {
	file   string
	config *Config
	errs   []Error
}

func (p *parser) errorf(n *yaml.Node, format string, args ...any) {
	p.errs = append(p.errs, Error{p.file, n.Line, n.Column, fmt.Sprintf(format, args...)})
}

// section is a key and what reads its value.
type section struct {
	key  string
	read func(p *parser, value *yaml.Node)
}

// sections are the keys of the file.
var sections = []section{
	{"concurrent", func(p *parser, v *yaml.Node) { p.each(v, (*parser).concurrent) }},
	{"starts", func(p *parser, v *yaml.Node) { p.each(v, (*parser).starts) }},
	{"synchronous", func(p *parser, v *yaml.Node) {
		p.each(v, func(p *parser, n *yaml.Node) {
			p.config.Model.Synchronous = append(p.config.Model.Synchronous, p.name(n))
		})
	}},
	{"serves", func(p *parser, v *yaml.Node) {
		p.each(v, func(p *parser, n *yaml.Node) { p.config.Model.Serves = append(p.config.Model.Serves, p.name(n)) })
	}},
	{"ignore", func(p *parser, v *yaml.Node) { p.each(v, (*parser).ignore) }},
	{"forms", func(p *parser, v *yaml.Node) { p.each(v, (*parser).form) }},
}

// fields reads a mapping with the keys of known, each at most once, and returns its nodes by key.
func (p *parser) fields(n *yaml.Node, known []section) map[string]*yaml.Node {
	out := make(map[string]*yaml.Node)
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "want keys: %s", keys(known))
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		j := slices.IndexFunc(known, func(s section) bool { return s.key == key.Value })
		switch {
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
	if n.Kind != yaml.SequenceNode {
		p.errorf(n, "want a list")
		return
	}
	for _, elem := range n.Content {
		read(p, elem)
	}
}

// concurrent reads what is called from many goroutines: an argument, the methods of an interface, or the values
// of a function type.
func (p *parser) concurrent(n *yaml.Node) {
	f := p.fields(n, []section{{key: "function"}, {key: "argument"}, {key: "interface"}, {key: "methods"}, {key: "type"}, {key: "by"}})
	runs := model.Runs{How: model.Handler, By: "a library, as " + Name + " says,"}
	if f["by"] != nil {
		runs.By = p.text(f["by"])
	}
	what := 0
	for _, key := range []string{"function", "interface", "type"} {
		if f[key] != nil {
			what++
		}
	}
	switch {
	case n.Kind != yaml.MappingNode:
	case what != 1:
		p.errorf(n, "want one of function, interface and type")
	case f["function"] != nil:
		p.unfit(f, "methods")
		key := p.name(f["function"])
		p.config.Model.Starts[key] = model.Argument{Arg: p.argument(n, f["argument"], key), Runs: runs}
	case f["interface"] != nil:
		p.unfit(f, "argument")
		p.config.Model.Concurrent[p.name(f["interface"])] = model.Interface{Runs: runs, Methods: p.methods(n, f["methods"])}
	default:
		p.unfit(f, "argument", "methods")
		p.config.Model.FuncTypes[p.name(f["type"])] = runs
	}
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
		key := p.name(f["function"])
		p.config.Model.Starts[key] = model.Argument{Arg: p.argument(n, f["argument"], key), Runs: model.Runs{How: model.Go}}
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
		p.config.Ignore = append(p.config.Ignore, Ignore{p.pattern(f["variable"]), p.text(f["reason"]), f["variable"].Line, f["variable"].Column})
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
	if n.Kind != yaml.ScalarNode || strings.TrimSpace(n.Value) == "" {
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

// argument returns the number of an argument of the function key as the model counts, the receiver included.
func (p *parser) argument(entry, n *yaml.Node, key string) int {
	if n == nil {
		p.errorf(entry, "want argument: the number of the one that is called, from 1")
		return 0
	}
	number, err := strconv.Atoi(n.Value)
	if err != nil || number < 1 {
		p.errorf(n, "want a number from 1; a receiver is not counted")
	}
	if !isMethod(key) {
		number--
	}
	return number
}

var partOfPath = regexp.MustCompile(`^(v[0-9]+|go|golang)$`)

// isMethod reports whether key names a method: "path.T.M". The last element of an import path may have dots too:
// gopkg.in/yaml.v3.Unmarshal is a function.
func isMethod(key string) bool {
	parts := strings.Split(key[strings.LastIndexByte(key, '/')+1:], ".")
	return len(parts) > 2 && !partOfPath.MatchString(parts[len(parts)-2])
}

// form reads which forms some variables are to have.
func (p *parser) form(n *yaml.Node) {
	f := p.fields(n, []section{{key: "variable"}, {key: "form"}})
	switch {
	case n.Kind != yaml.MappingNode:
	case f["variable"] == nil || f["form"] == nil:
		p.errorf(n, "want variable and form")
	default:
		v := f["form"]
		p.config.Forms = append(p.config.Forms, Form{p.pattern(f["variable"]), strings.Split(p.text(v), ","), v.Line, v.Column})
	}
}
