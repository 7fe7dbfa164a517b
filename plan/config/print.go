package config

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// This file prints a configuration.

// YAML returns c as a file that says the same, with a comment behind each value that tells where it was said: in the file of that name, or
// elsewhere. A value that was not said is left out; a list that is empty is said to be.
func (c *Config) YAML(file string) ([]byte, error) {
	w := &printer{file: file, root: &yaml.Node{Kind: yaml.MappingNode}}
	w.value("min-confidence", c.MinConfidence)
	w.value("tags", c.Tags)
	w.value("platforms", c.Platforms)
	w.value("tests", c.Tests)
	for _, section := range []string{"concurrent", "starts", "synchronous", "serves"} {
		list := w.list(section)
		for _, call := range c.Calls {
			if call.Section == section {
				list.Content = append(list.Content, w.call(call))
			}
		}
	}
	ignore := w.list("ignore")
	for _, ig := range c.Ignore {
		ignore.Content = append(ignore.Content, w.entry(ig.Place, "variable", ig.Variable, "reason", ig.Reason))
	}
	forms := w.list("forms")
	for _, f := range c.Forms {
		forms.Content = append(forms.Content, w.entry(f.Place, "variable", f.Variable, "form", strings.Join(f.Forms, ",")))
	}
	return w.encode()
}

type printer struct {
	file  string
	root  *yaml.Node
	lists []*yaml.Node
}

func (w *printer) encode() ([]byte, error) {
	for _, list := range w.lists {
		if len(list.Content) == 0 {
			list.Style, list.LineComment = yaml.FlowStyle, "default"
		}
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(w.root); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// where returns p for people.
func (w *printer) where(p Place) string {
	if p.Line == 0 {
		return p.Elsewhere
	}
	return fmt.Sprintf("%s:%d", w.file, p.Line)
}

func (w *printer) add(key string, value *yaml.Node) {
	w.root.Content = append(w.root.Content, scalar(key), value)
}

func (w *printer) value(key string, v Value) {
	if !v.Said() {
		return
	}
	n := scalar(v.Text)
	if key == "tests" {
		n = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: v.Text}
	}
	n.LineComment = w.where(v.Place)
	w.add(key, n)
}

func (w *printer) list(key string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	w.lists = append(w.lists, list)
	w.add(key, list)
	return list
}

func (w *printer) call(c Call) *yaml.Node {
	if c.Section == "synchronous" || c.Section == "serves" {
		n := scalar(c.Name)
		n.LineComment = w.where(c.Place)
		return n
	}
	n := w.entry(c.Place, c.What, c.Name)
	if c.Argument > 0 {
		n.Content = append(n.Content, scalar("argument"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(c.Argument)})
	}
	if c.What == "interface" {
		methods := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, m := range c.Methods {
			methods.Content = append(methods.Content, scalar(m))
		}
		n.Content = append(n.Content, scalar("methods"), methods)
	}
	if c.By != "" {
		n.Content = append(n.Content, scalar("by"), scalar(c.By))
	}
	return n
}

// entry returns a mapping of keys to texts, with the place of the first.
func (w *printer) entry(p Place, keysAndTexts ...string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, text := range keysAndTexts {
		n.Content = append(n.Content, scalar(text))
	}
	n.Content[1].LineComment = w.where(p)
	return n
}

// scalar returns a text, in quotes where it would be something else without.
func scalar(text string) *yaml.Node {
	n := new(yaml.Node)
	n.SetString(text)
	if strings.Contains(text, "\n") {
		n.Style = yaml.DoubleQuotedStyle // a comment fits behind it
	}
	return n
}
