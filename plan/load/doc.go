// Package load turns go list patterns into one checked program, or positioned errors.
//
// The rest of mapmend wants each source file once: a use that was seen in `p` and again in `p [p.test]`
// would be two uses. So of the variants the go command knows of a package, Load takes the widest and
// only that one:
//
//	p            when p has no in-package test
//	p [p.test]   when it has: the same files and the _test.go files of package p
//	p_test       the external test, a package of its own
//
// A program is made in five steps, one file each:
//
//	list.go      ask the go command: packages, their variants and files, export data (golist.go runs it)
//	choose.go    one variant for each package; which packages are ours, which were requested
//	parse.go     files into syntax, with positions that do not depend on scheduling
//	check.go     type-check each of our packages from source; everything imported comes from export data (universe.go)
//	order.go     dependency order
//
// What decides what is loaded can be told beforehand, for those who keep answers (inputs.go).
//
// What somebody else has parsed and type-checked becomes a program without these steps (checked.go).
//
// SSA is not kept: [Package.SSA] builds it for one package, and it is gone when the caller drops it.
//
// # Own packages
//
// Packages of the main modules (of the workspace, with a go.work file) are our own, and so is whatever the
// patterns name: the standard library, or a package of a dependency, which is analysed but not
// [Package.Writable]. With [Config.Importers] the other packages of the workspace are loaded too, as far as
// they import a requested one or are imported by what is loaded.
//
// # Identity
//
// The types of an imported package come from export data, also when that package is one of our own. So an
// object has several incarnations, and pointers may be compared within one package only. Across packages an
// object is its package path, owner and name. A position from export data has a file and a line
// but no offset; positions in syntax are exact.
//
// # Errors
//
// Load returns an error only when there is no program to speak of: the go command is missing, a pattern names
// no package, go.mod does not parse. Everything else is in [Program.Errors] with its position, and the packages
// without errors are sound. A cascade is one error: an importer of a broken package is [Package.Broken] in silence.
// A package that is sound but for its in-package tests is loaded without them: they are [Package.Unchecked].
//
// # What load does not do
//
// It loads one build configuration, that of the environment or [Config.Platform], and of [Config.Tags]; files it excludes are not seen,
// and [Program.Loads] says what would have them (platform.go, reach.go). It does
// not type-check dependencies, so their bodies do not exist, neither as syntax nor as SSA. It never changes a file.
package load
