package load

import (
	"cmp"
	"go/ast"
	"go/build"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// This file finds what would have to be asked for to load a file that was left out: another platform, a tag, tests.

// Loads returns the flags with which the named file, which was not loaded for any of platforms, would be: "--platforms
// linux/amd64,windows/amd64", "--tags integration", "--tests", or several; as few as do. It is empty if there are none: no
// build has the file (//go:build ignore), or it is left out for another reason. No platforms are that of p.
func (p *Program) Loads(file string, platforms []string) string {
	if p.Platform == "" {
		return "" // somebody else has loaded it
	}
	if len(platforms) == 0 {
		platforms = []string{p.Platform}
	}
	syntax, _ := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.ImportsOnly)
	if syntax == nil || syntax.Name == nil || !p.belongs(file, syntax.Name.Name) {
		return ""
	}
	var flags []string
	c := &constraints{p: p, file: file, cgo: importsC(syntax)}
	others := c.others(platforms)
	switch {
	case slices.ContainsFunc(platforms, func(name string) bool { return c.hold(name, nil) }):
	case slices.ContainsFunc(others, func(name string) bool { return c.hold(name, nil) }):
		i := slices.IndexFunc(others, func(name string) bool { return c.hold(name, nil) })
		flags = []string{"--platforms", strings.Join(append(slices.Clip(platforms), others[i]), ",")}
	default:
		if flags = c.withTags(tagsIn(syntax), platforms, others); flags == nil {
			return ""
		}
	}
	if isTest(file) && !p.tests {
		flags = append(flags, "--tests")
	}
	return strings.Join(flags, " ")
}

// belongs reports whether a file with that package clause can be one of the packages in its folder.
func (p *Program) belongs(file, name string) bool {
	dir := filepath.Dir(file)
	i := slices.IndexFunc(p.Packages, func(pkg *Package) bool { return pkg.Dir == dir && !pkg.External })
	return i < 0 || strings.TrimSuffix(name, "_test") == p.Packages[i].Name
}

// constraints are those of one file, by its name and its comments.
type constraints struct {
	p    *Program
	file string
	cgo  bool // it imports "C"
}

// hold reports whether the file is built for a platform, with tags besides those of the program. Without cgo, unless it is the
// platform of the program.
func (c *constraints) hold(platform string, tags []string) bool {
	goos, goarch, _ := strings.Cut(platform, "/")
	ctx := build.Context{
		GOOS: goos, GOARCH: goarch, Compiler: "gc", CgoEnabled: c.p.cgoEnabled && platform == c.p.Platform,
		BuildTags: slices.Concat(c.p.tags, tags), ReleaseTags: build.Default.ReleaseTags,
	}
	matches, err := ctx.MatchFile(filepath.Dir(c.file), filepath.Base(c.file))
	return err == nil && matches && (!c.cgo || ctx.CgoEnabled)
}

// others returns the platforms that are not among platforms, those of the same architecture as the first first.
func (c *constraints) others(platforms []string) []string {
	_, goarch, _ := strings.Cut(platforms[0], "/")
	out := slices.DeleteFunc(slices.Clone(Platforms), func(name string) bool { return slices.Contains(platforms, name) })
	rank := func(name string) int {
		if strings.HasSuffix(name, "/"+goarch) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// withTags returns the flags that name as few of tags as do, with another platform only if there must be one; nil if nothing does.
func (c *constraints) withTags(tags, platforms, others []string) []string {
	for _, more := range [][]string{nil, others} {
		for _, set := range subsets(tags) {
			asked := []string{"--tags", strings.Join(slices.Concat(c.p.tags, set), ",")}
			if more == nil && slices.ContainsFunc(platforms, func(name string) bool { return c.hold(name, set) }) {
				return asked
			}
			if i := slices.IndexFunc(more, func(name string) bool { return c.hold(name, set) }); i >= 0 {
				return append([]string{"--platforms", strings.Join(append(slices.Clip(platforms), more[i]), ",")}, asked...)
			}
		}
	}
	return nil
}

// subsets returns the subsets of tags that are not empty, the smallest first. Of more than a few tags it returns those of one.
func subsets(tags []string) (out [][]string) {
	if len(tags) > 6 {
		for _, t := range tags {
			out = append(out, []string{t})
		}
		return out
	}
	for bits := 1; bits < 1<<len(tags); bits++ {
		var set []string
		for i, t := range tags {
			if bits&(1<<i) != 0 {
				set = append(set, t)
			}
		}
		out = append(out, set)
	}
	slices.SortStableFunc(out, func(a, b []string) int { return cmp.Compare(len(a), len(b)) })
	return out
}

// unsettable are tags that no one asks for: those that a convention never sets, those that other flags or the compiler set, and those of
// platforms that Go knows by name and does not build for.
var unsettable = []string{
	"ignore", "cgo", "gc", "gccgo", "unix", "race", "msan", "asan",
	"hurd", "nacl", "zos", "amd64p32", "armbe", "arm64be", "mips64p32", "mips64p32le", "ppc", "riscv", "s390", "sparc", "sparc64",
}

// tagsIn returns the tags that the constraint of file mentions and that may be asked for, sorted.
func tagsIn(file *ast.File) (tags []string) {
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if comment.Pos() > file.Package || !constraint.IsGoBuild(comment.Text) {
				continue
			}
			expr, err := constraint.Parse(comment.Text)
			if err != nil {
				continue
			}
			expr.Eval(func(tag string) bool { // which is called for all of them
				if isFree(tag) && !slices.Contains(tags, tag) {
					tags = append(tags, tag)
				}
				return false
			})
		}
	}
	slices.Sort(tags)
	return tags
}

// isFree reports whether a tag is neither one of a platform or a release nor one that no one asks for.
func isFree(tag string) bool {
	if slices.Contains(unsettable, tag) || strings.HasPrefix(tag, "go1.") || strings.HasPrefix(tag, "goexperiment.") {
		return false
	}
	return !slices.ContainsFunc(Platforms, func(name string) bool {
		goos, goarch, _ := strings.Cut(name, "/")
		return tag == goos || tag == goarch
	})
}
