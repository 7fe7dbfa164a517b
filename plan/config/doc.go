// Package config reads .mapmend.yaml, in which the people of a module tell mapmend what it cannot know: who
// calls functions concurrently, which findings are not to be reported, and which forms variables are to have.
//
//	min-confidence: possible                     # where --min-confidence does not say it
//	tags: integration,e2e                        # where --tags does not
//	platforms: linux/amd64,windows/amd64         # where --platforms does not
//	tests: false                                 # where --tests does not
//	concurrent:                                  # called from many goroutines at a time:
//	  - function: example.com/pool.Pool.Submit   # what this is given
//	    argument: 1                              # as its first argument, a receiver not counted
//	    by: the worker pool                      # for messages; may be left out
//	  - interface: example.com/plugin.Handler    # methods of what becomes this
//	    methods: [Handle, Close]
//	  - type: example.com/bus.Callback           # values of this function type
//	starts:                                      # called in one goroutine of its own:
//	  - function: example.com/task.Run
//	    argument: 2
//	synchronous:                                 # called before these return, and not after
//	  - example.com/rows.Each
//	serves:                                      # handlers may run once these are called
//	  - example.com/app.App.Listen
//	ignore:                                      # not reported
//	  - variable: session.Store.byID             # a pattern as for --field
//	    reason: replaced in the next release
//	forms:                                       # where --form does not ask for one
//	  - variable: cache.Index.*
//	    form: sharded                            # or a list: the first feasible one
//
// It lies at the root of the module, or beside the go.work that the module belongs to: see [PlacesOf].
//
// Everything has a position: a mistake is an [Error] of file, line and column, and so is a key that is not in
// this list. All mistakes of a file are reported, not only the first. A list without entries may be left empty,
// and aliases stand for what they name; merge keys are not read.
//
// What it does not do: it does not look whether the names exist, which needs a program.
package config
