package load

// This file asks the go command what there is: the main modules, and all packages with their files and export data.

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// workspace is what the go command says of the folder it runs in.
type workspace struct {
	Root       string
	Modules    []module // main modules, sorted by path
	Platform   string   // GOOS/GOARCH
	GOARCH     string
	GOROOT     string
	GOMODCACHE string
	GOWORK     string // empty outside of workspaces
	Go         string // "1.26"

	cgo     bool   // it may be used
	goflags string // GOFLAGS
}

// module is what go list -m says of a main module.
type module struct {
	Path, Dir, GoVersion string
}

// listing is everything the go command says of the packages.
type listing struct {
	workspace
	roots     []*packages.Package // what the patterns match, with test variants
	requested map[string]bool     // paths of the packages that the user's patterns match
	whole     bool                // these are all that there are
}

// list asks the go command.
func list(cmd *goCommand, cfg Config) (*listing, error) {
	cfg.tell("listing packages", 0, 0)
	ws, err := askWorkspace(cmd)
	if err != nil {
		return nil, err
	}
	wanted := cfg.Patterns
	if len(wanted) == 0 {
		wanted = []string{"./..."}
	}
	patterns, widened := wanted, cfg.Importers && !ws.covers(cmd.dir, wanted)
	var matched []*packages.Package
	if widened {
		if matched, err = cmd.packages(packages.NeedName|packages.NeedFiles, false, wanted); err != nil {
			return nil, ws.explain(err, cmd)
		}
		importers, err := ws.importersOf(cmd, cfg.Tests, matched)
		if err != nil {
			return nil, ws.explain(err, cmd)
		}
		patterns = slices.Concat(wanted, importers)
	}
	const mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
		packages.NeedDeps | packages.NeedExportFile | packages.NeedForTest | packages.NeedModule
	roots, err := cmd.packages(mode, cfg.Tests, patterns)
	if err != nil {
		return nil, ws.explain(err, cmd)
	}
	if !widened {
		matched = roots
	}
	l := &listing{workspace: *ws, roots: roots, requested: map[string]bool{}, whole: ws.whole(cmd.dir, wanted)}
	for _, p := range matched {
		if msg := nowhere(p, wanted); msg != "" {
			return nil, errors.New(msg)
		}
		l.requested[testedPath(p)] = true
	}
	if len(l.requested) == 0 {
		if err := cmd.complaint(wanted); err != nil {
			return nil, ws.explain(err, cmd)
		}
		return nil, fmt.Errorf("%w %s", ErrNoPackages, strings.Join(wanted, " "))
	}
	return l, nil
}

// explain adds to an error of the go command what it means where there is no module.
func (ws *workspace) explain(err error, cmd *goCommand) error {
	if len(ws.Modules) == 0 {
		return fmt.Errorf("%w (there is no go.mod in %s or above it)", err, cmd.dir)
	}
	return err
}

// importersOf returns the paths of the packages of the main modules that import one of matched, directly or not, or
// whose tests do. It only reads import clauses: with export data the go command would compile all of a large workspace,
// of which a few packages may be importers.
func (ws *workspace) importersOf(cmd *goCommand, tests bool, matched []*packages.Package) ([]string, error) {
	var folders []string
	for _, m := range ws.Modules {
		folders = append(folders, filepath.Join(m.Dir, "..."))
	}
	if len(folders) == 0 {
		return nil, nil
	}
	all, err := cmd.packages(packages.NeedName|packages.NeedFiles|packages.NeedImports|packages.NeedDeps|packages.NeedForTest, tests, folders)
	if err != nil {
		return nil, err
	}
	importers := map[string][]string{} // paths by path
	own := map[string]bool{}
	for _, p := range all {
		own[testedPath(p)] = variantOf(p) != testMain
	}
	packages.Visit(all, nil, func(p *packages.Package) {
		for _, dep := range p.Imports {
			if from, to := testedPath(p), testedPath(dep); from != to {
				importers[to] = append(importers[to], from)
			}
		}
	})
	var start []string
	for _, p := range matched {
		start = append(start, p.PkgPath)
	}
	up := reach(start, func(path string) []string { return importers[path] })
	var paths []string
	for path := range up {
		if own[path] && !slices.Contains(start, path) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// Root returns the folder that [Program.Root] will be, without loading anything. Only cfg.Dir, cfg.Env and cfg.Context count.
func Root(cfg Config) (string, error) {
	cmd, err := newGoCommand(cfg)
	if err != nil {
		return "", err
	}
	ws, err := askWorkspace(cmd)
	if err != nil {
		return "", err
	}
	return ws.Root, nil
}

// Workspace returns the names of go.mod and go.work as go env says them, without loading anything: empty, off, or the null device
// where there is none. Only cfg.Dir, cfg.Env and cfg.Context count.
func Workspace(cfg Config) (gomod, gowork string, err error) {
	cmd, err := newGoCommand(cfg)
	if err != nil {
		return "", "", err
	}
	var env struct{ GOMOD, GOWORK string }
	err = cmd.run(func(dec *json.Decoder) error { return dec.Decode(&env) }, "env", "-json", "GOMOD", "GOWORK")
	return env.GOMOD, env.GOWORK, err
}

// askWorkspace finds the main modules and the root.
func askWorkspace(cmd *goCommand) (*workspace, error) {
	var env struct {
		GOWORK, GOMOD, GOROOT, GOMODCACHE, GOVERSION, GOTMPDIR, GOFLAGS string
		GOOS, GOARCH, GOHOSTOS, GOHOSTARCH, CGO_ENABLED                 string
	}
	if err := cmd.run(func(dec *json.Decoder) error { return dec.Decode(&env) }, "env", "-json", "GOWORK", "GOMOD", "GOROOT", "GOMODCACHE",
		"GOVERSION", "GOTMPDIR", "GOFLAGS", "GOOS", "GOARCH", "GOHOSTOS", "GOHOSTARCH", "CGO_ENABLED"); err != nil {
		return nil, err
	}
	cmd.temp = env.GOTMPDIR
	if cmd.platform != "" && cmd.platform != env.GOHOSTOS+"/"+env.GOHOSTARCH { // for which there is a C compiler, if there is one
		env.CGO_ENABLED, cmd.env = "0", append(slices.Clip(cmd.env), "CGO_ENABLED=0")
	}
	ws := &workspace{
		Root: cmd.dir, Platform: env.GOOS + "/" + env.GOARCH, GOARCH: env.GOARCH, GOROOT: env.GOROOT, GOMODCACHE: env.GOMODCACHE, GOWORK: strings.TrimPrefix(env.GOWORK, "off"), Go: languageVersion(env.GOVERSION),
		cgo: env.CGO_ENABLED == "1", goflags: env.GOFLAGS,
	}
	if env.GOMOD == "" {
		return ws, nil // GOPATH mode: there are no modules
	}
	if err := cmd.run(func(dec *json.Decoder) error {
		var m module
		if err := dec.Decode(&m); err != nil {
			return err
		}
		if m.Dir != "" { // outside any module the answer is "command-line-arguments" and no folder
			ws.Modules = append(ws.Modules, m)
		}
		return nil
	}, "list", "-m", "-json"); err != nil {
		return nil, err
	}
	slices.SortFunc(ws.Modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	switch len(ws.Modules) {
	case 0:
		// The working folder is as good as any.
	case 1:
		ws.Root = ws.Modules[0].Dir
	default:
		ws.Root = filepath.Dir(env.GOWORK)
	}
	return ws, nil
}

// languageVersion returns "1.26" for "go1.26.8" and for "devel go1.27-0123abc".
func languageVersion(goVersion string) string {
	_, v, ok := strings.Cut(goVersion, "go")
	if !ok {
		return ""
	}
	major, rest, _ := strings.Cut(v, ".")
	minor := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	return major + "." + minor
}

// covers reports whether the patterns certainly match every package of the main modules.
func (ws *workspace) covers(dir string, patterns []string) bool {
	return len(ws.Modules) == 1 && ws.Modules[0].Dir == dir && slices.Contains(patterns, "./...")
}

// whole reports whether the patterns certainly match every package of all main modules.
func (ws *workspace) whole(dir string, patterns []string) bool {
	matches := func(m module) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			at, tree := strings.CutSuffix(pattern, "/...")
			if !tree {
				return false
			}
			if build.IsLocalImport(at) || filepath.IsAbs(at) {
				if !filepath.IsAbs(at) {
					at = filepath.Join(dir, filepath.FromSlash(at))
				}
				return within(m.Dir, filepath.Clean(at))
			}
			return m.Path == at || strings.HasPrefix(m.Path, at+"/")
		})
	}
	for _, m := range ws.Modules {
		if !matches(m) {
			return false
		}
	}
	return len(ws.Modules) > 0
}

// moduleOf returns the innermost main module that holds a folder, or nil.
func (ws *workspace) moduleOf(dir string) *module {
	var best *module
	for i, m := range ws.Modules {
		if within(dir, m.Dir) && (best == nil || len(m.Dir) > len(best.Dir)) {
			best = &ws.Modules[i]
		}
	}
	return best
}

// within reports whether name is folder or lies under it.
func within(name, folder string) bool {
	rest, ok := strings.CutPrefix(name, folder)
	return ok && (rest == "" || rest[0] == filepath.Separator || strings.HasSuffix(folder, string(filepath.Separator)))
}

// testedPath returns the path of a package, or of the package it tests.
func testedPath(p *packages.Package) string {
	if v := variantOf(p); v == withTests || v == external {
		return p.ForTest
	}
	return p.PkgPath
}

// nowhere returns why p, which a pattern names, does not exist at all, or "". A mistyped folder or import path is an
// error of the command line; a folder that "..." finds and that is broken is a package with an error.
func nowhere(p *packages.Package, patterns []string) string {
	if p.Name != "" || len(p.GoFiles) > 0 || len(p.IgnoredFiles) > 0 || len(p.Errors) == 0 {
		return ""
	}
	// The go command names a folder that does not exist as the pattern did.
	named := strings.HasPrefix(p.PkgPath, ".") || filepath.IsAbs(p.PkgPath) || slices.Contains(patterns, p.PkgPath)
	if e := p.Errors[0]; named && (e.Pos == "" || e.Pos == "-") {
		return oneLine(e.Msg)
	}
	return ""
}
