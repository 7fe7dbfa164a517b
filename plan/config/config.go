package config

import (
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/model"
)

// This file is what a configuration says.

// Name is the name of the file.
const Name = ".mapmend.yaml"

// NotName is a name that people give it, and that is not read.
const NotName = ".mapmend.yml"

// Config is what a configuration file says. The zero Config says nothing.
type Config struct {
	File          string // as Parse was told; absolute where positions of it are to be reported
	MinConfidence Value
	Tags          Value    // separated by commas
	Platforms     Value    // separated by commas
	Tests         Value    // "true" or "false"
	Calls         []Call   // of the sections that are about functions, in the order of the file
	Ignore        []Ignore // in the order of the file
	Forms         []Form   // in the order of the file; the first that is about a variable counts
}

// Value is one value, and where it was said. The zero Value was not said at all.
type Value struct {
	Text string
	Place
}

// Place is where something was said.
type Place struct {
	Line, Column int    // in the file, 1-based; 0 if it was said elsewhere
	Elsewhere    string // such as a flag; for people
}

// Said reports whether it was said at all.
func (p Place) Said() bool { return p != Place{} }

// Call says how a function, the methods of an interface or the values of a function type are called.
type Call struct {
	Section  string   // its key in the file: concurrent, starts, synchronous or serves
	What     string   // function, interface or type
	Name     string   // with its import path
	Argument int      // of a function that calls it, as people count: from 1, a receiver not counted; 0 if the section has none
	Methods  []string // of an interface
	By       string   // who calls; may be empty
	Place             // of the name
}

// Form says which forms some variables are to have.
type Form struct {
	Variable string   // a pattern as for --field
	Forms    []string // as for --form: the first feasible one counts
	Place             // of the pattern
}

// Ignore says that findings on some variables are not to be reported.
type Ignore struct {
	Variable string // a pattern as for --field
	Reason   string
	Place    // of the pattern
}

// Model returns what c adds to the model.
func (c *Config) Model() model.Extension {
	e := model.Extension{Starts: make(map[string]model.Argument), FuncTypes: make(map[string]model.Runs), Concurrent: make(map[string]model.Interface)}
	for _, call := range c.Calls {
		runs := model.Runs{How: model.Handler, By: call.By}
		if call.By == "" {
			runs.By = "a library, as " + Name + " says,"
		}
		switch {
		case call.Section == "synchronous":
			e.Synchronous = append(e.Synchronous, call.key())
		case call.Section == "serves":
			e.Serves = append(e.Serves, call.key())
		case call.Section == "starts":
			e.Starts[call.key()] = model.Argument{Arg: call.number(), Runs: model.Runs{How: model.Go}}
		case call.What == "function":
			e.Starts[call.key()] = model.Argument{Arg: call.number(), Runs: runs}
		case call.What == "interface":
			e.Concurrent[call.key()] = model.Interface{Runs: runs, Methods: slices.Clone(call.Methods)}
		default:
			e.FuncTypes[call.key()] = runs
		}
	}
	return e
}

// number returns the number of the argument as the model counts, the receiver included.
func (c Call) number() int {
	if _, name := splitName(c.Name); strings.Contains(name, ".") { // a method
		return c.Argument
	}
	return c.Argument - 1
}

// key returns the name as the analysis has it.
func (c Call) key() string { return access.Key(splitName(c.Name)) }
