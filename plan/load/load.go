package load

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Config says what to load.
type Config struct {
	Dir       string            // working folder of the go command; empty means the process's
	Patterns  []string          // as for go list; none means ./...
	Tags      string            // for go build -tags
	Platform  string            // GOOS/GOARCH to load for, without cgo unless it is the machine's own; empty: that of the environment
	Tests     bool              // load _test.go files
	Overlay   map[string][]byte // absolute file name -> content that replaces the file's, or adds the file; nil: there is no such file
	Env       []string          // nil means os.Environ()
	Jobs      int               // how many files or packages to work on at a time; 0 means GOMAXPROCS
	Importers bool              // load packages of the workspace that import a requested one

	// Progress is told what is done and, if of is not 0, how much of it is; nil if nobody wants to know. It is called concurrently.
	Progress func(what string, done, of int)

	// Context returns the context of one run of the go command, which is ended with it, and what frees it; nil means that
	// no run is ended early.
	Context func() (context.Context, context.CancelFunc)
}

// ErrNoPackages is why there is no program where the patterns are sound and nothing is there. On another platform there may be.
var ErrNoPackages = errors.New("no packages matched")

// Load loads a program. It returns an error only if there is none: the go command fails as a whole, or a pattern names no
// package. What is wrong with single packages is in [Program.Errors].
func Load(cfg Config) (*Program, error) {
	cmd, err := newGoCommand(cfg)
	if err != nil {
		return nil, err
	}
	l, err := list(cmd, cfg)
	if err != nil {
		return nil, err
	}
	ld := &loader{
		listing: l,
		cmd:     cmd,
		jobs:    cfg.Jobs,
		tell:    cfg.tell,
		goarch:  l.GOARCH,
		chosen:  choose(l),
		parsed:  map[*chosen][]*parsed{},
		errs:    map[*chosen]*packageErrors{},
		prog: &Program{
			Root: l.Root, Whole: l.whole, Platform: l.Platform, Fset: token.NewFileSet(), ModCache: l.GOMODCACHE, files: map[*token.File]*File{},
			cgoEnabled: l.cgo, tags: tagsOf(cfg.Tags, l.goflags), tests: cfg.Tests,
		},
	}
	for _, c := range ld.chosen {
		ld.errs[c] = &packageErrors{relative: ld.relative}
	}
	ld.parse()
	ld.check()
	ld.errors()
	if len(ld.chosen) == 0 && len(ld.prog.Errors) == 0 {
		return nil, fmt.Errorf("%w %s", ErrNoPackages, strings.Join(cfg.Patterns, " "))
	}
	ld.prog.Packages = order(ld.chosen)
	ld.sums()
	ld.modules()
	ld.origins()
	return ld.prog, nil
}

// tagsOf returns the tags that a program is built with: those asked for, or else those of GOFLAGS.
func tagsOf(asked, goflags string) []string {
	if asked == "" {
		for flag := range strings.FieldsSeq(goflags) {
			if value, ok := strings.CutPrefix(strings.TrimLeft(flag, "-"), "tags="); ok {
				asked = value
			}
		}
	}
	return strings.FieldsFunc(asked, func(r rune) bool { return r == ',' || r == ' ' })
}

// Overlaid loads a program as cfg says, but for the files of overlay, which are added to those of cfg. Nothing is downloaded for it: what
// the program needs as it is has been, and what a module comes to require by a go.mod of overlay is to be there.
func (cfg Config) Overlaid(overlay map[string][]byte) (*Program, error) {
	all := make(map[string][]byte)
	maps.Copy(all, cfg.Overlay)
	maps.Copy(all, overlay)
	cfg.Overlay = all
	if cfg.Env == nil {
		cfg.Env = os.Environ()
	}
	cfg.Env = append(slices.Clip(cfg.Env), "GOPROXY=off", "GONOPROXY=none")
	return Load(cfg)
}

// tell tells the progress.
func (cfg Config) tell(what string, done, of int) {
	if cfg.Progress != nil {
		cfg.Progress(what, done, of)
	}
}

// loader holds what the steps pass on. The maps are filled before work is done in parallel; a worker changes only what
// hangs below its own package.
type loader struct {
	*listing
	cmd    *goCommand
	jobs   int
	tell   func(what string, done, of int)
	goarch string

	chosen []*chosen // sorted by path
	parsed map[*chosen][]*parsed
	errs   map[*chosen]*packageErrors
	prog   *Program
}

// each calls f(0) to f(n-1), some of them at a time, and waits for all.
func (ld *loader) each(n int, f func(int)) {
	jobs := ld.jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(jobs, n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
