package config

import "mapmend/plan/model"

// This file is what a configuration says.

// Name is the name of the file, at the root of the module.
const Name = ".mapmend.yaml"

// Config is what a configuration file says. The zero Config says nothing.
type Config struct {
	Model  model.Extension // what it adds to the model
	Ignore []Ignore        // in the order of the file
	Forms  []Form          // in the order of the file; the first that is about a variable counts
}

// Form says which forms some variables are to have.
type Form struct {
	Variable string   // a pattern as for --field
	Forms    []string // as for --form: the first feasible one counts
	Line     int      // of the forms
	Column   int
}

// Ignore says that findings on some variables are not to be reported.
type Ignore struct {
	Variable string // a pattern as for --field
	Reason   string
	Line     int // of the pattern
	Column   int
}
