package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"mapmend/plan/access"
	"mapmend/plan/config"
	"mapmend/plan/evidence"
	"mapmend/plan/intent"
	"mapmend/plan/load"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
	"mapmend/plan/model"
	"mapmend/plan/share"
)

// This file runs the analyses and puts a Plan together.

// Options choose what a plan is about. The zero Options take every variable, in any form.
type Options struct {
	Forms         []Form            // the first feasible one is chosen; empty: the tool chooses
	AllAccessors  bool              // a generated type has all accessors that it can have, not only those in use
	EmitTests     bool              // a generated type has tests beside it
	Fields        []string          // patterns of variables, see Match; empty: all
	All           bool              // also mend the variables that have no finding, or one below MinConfidence
	Silent        bool              // also report the variables that Fields names and that have no finding
	Evidence      evidence.Evidence // what running programs left; a variable that it names is Proven
	MinConfidence Confidence        // findings below get no Mend; Silent means Likely
	Config        *config.Config    // what the configuration of the module says; nil: nothing
	Summaries     *Summaries        `json:"-"` // what is known of packages from earlier runs, and is kept for later ones; nil: nothing

	Platforms []string        `json:"-"` // that plans are made for, this one among them; empty: for this one alone
	Seen      map[string]bool `json:"-"` // absolute names of the files that were loaded for the others; plans for these are about them
	Also      map[Var][]Pos   `json:"-"` // variables that are to be mended whatever is found here, with places that are to hold the guard: see Differing

	// Progress is told what is done and, if of is not 0, how much of it is; nil if nobody wants to know. It is called concurrently.
	Progress func(what string, done, of int) `json:"-"`

	maxBlocks int // of lockset.Config, for tests
}

// Make finds the map variables of prog that are shared without one consistent guard and decides what
// to do about each. Broken packages are left out.
func Make(prog *load.Program, opt Options) (*Plan, error) {
	for _, pattern := range opt.Fields {
		if err := checkPattern(pattern); err != nil {
			return nil, err
		}
	}
	if err := opt.checkForms(); err != nil {
		return nil, err
	}
	world, said, err := analyse(prog, opt.tell, lockset.Config{Library: opt.library(), MaxBlocks: opt.maxBlocks}, opt.Summaries)
	if err != nil {
		return nil, err
	}
	decls := declarations(prog)
	quiet := newSilencer(prog, said, opt)
	orders := ordersOf(world)
	p := &Plan{Orders: orders.list()}
	d := &decider{prog: prog, world: world, decls: decls, opt: opt, orders: orders, spins: spinsOf(world), names: make(map[string]bool), imports: make(map[*types.Package]map[string]*types.Package)}
	opt.tell("weighing the uses", 0, 0)
	verdicts := world.Judge(func(v access.Var) bool {
		_, also := opt.Also[toVar(v)]
		return also || (opt.Silent || opt.All) && opt.wants(toVar(v)) || !opt.Evidence.IsEmpty()
	})
	proofs, unnamed := prove(prog, world, verdicts, opt.Evidence.Reports)
	waits := contentionOf(prog, world, verdicts, opt.Evidence.Profiles)
	p.Unnamed, p.Measured = append(unnamed, waits.unnamed...), waits.measured
	d.measured = measurements{prover: newProver(prog, world), evidence: opt.Evidence, hot: waits.hot}
	for i, v := range verdicts {
		opt.tell("planning variable", i+1, len(verdicts))
		decl, ok := decls[toVar(v.Var)]
		if !ok || decl.file.Generated || !decl.pkg.Requested || !opt.wants(toVar(v.Var)) {
			if pr := proofs[i]; pr != nil && opt.wants(toVar(v.Var)) {
				p.Unnamed = append(p.Unnamed, pr.evidence[0]+": this is "+toVar(v.Var).String()+", which is not looked at: it is declared elsewhere, or in a generated file")
			}
			if hot := waits.hot[toVar(v.Var)]; hot != nil && opt.wants(toVar(v.Var)) {
				p.Unnamed = append(p.Unnamed, hot[0].Profile+": goroutines wait for the guard of "+toVar(v.Var).String()+", which is not looked at: it is declared elsewhere, or in a generated file")
			}
			continue
		}
		if pr := proofs[i]; pr != nil {
			v = pr.proven(v)
		}
		f := finding(prog, world, v, decl)
		if pr := proofs[i]; pr != nil {
			f.Confidence, f.Evidence = Proven, append(slices.Clip(pr.evidence), f.Evidence...)
		}
		if hot := waits.hot[toVar(v.Var)]; hot != nil {
			f.contend(hot)
			if f.Kind != Contended && f.Confidence < opt.threshold() {
				p.Unnamed = append(p.Unnamed, fmt.Sprintf("%s: of %s %s; there is a finding on it that is only %s", hot[0].Profile, f.Var, f.waiting(), f.Confidence))
			}
		}
		if opt.Silent {
			f.Story = story(prog, world, v, f)
		}
		if s := quiet.silenced(f); s != nil {
			p.Silenced = append(p.Silenced, *s)
			if !opt.Silent {
				continue
			}
		}
		if f.Confidence > Silent || opt.Silent {
			p.Findings = append(p.Findings, f)
		}
		if places, also := opt.Also[f.Var]; also && f.Kind != Contended {
			d.decide(heldAt(prog, v, places), decl, f)
		} else if f.Kind == Contended {
			d.relieve(v, decl, f)
		} else if f.Confidence >= opt.threshold() || opt.All && f.Confidence > Silent {
			d.decide(v, decl, f)
		} else if opt.All && v.Guard == nil && decl.isMap() {
			d.decide(v.Unguarded(), decl, f)
		}
	}
	p.Mends, p.Refusals = d.finish()
	p.tellForms()
	p.tellStays(d.stays)
	p.Notes = slices.Concat(quiet.notes(decls), opt.unusedForms(prog, decls), opt.unusedCalls(prog), unanalysed(prog, world))
	slices.SortStableFunc(p.Notes, func(a, b Note) int { return comparePos(a.Pos, b.Pos) })
	p.sort()
	return p, nil
}

// unanalysed returns a note for each function of the requested packages that was not analysed.
func unanalysed(prog *load.Program, w *share.World) []Note {
	var out []Note
	for _, key := range sortedKeys(w.Bodies) {
		if b := w.Bodies[key]; b.Failed != "" {
			out = append(out, Note{position(prog, b.Pos), b.Name + " was not analysed, and what it does is not known: " + b.Failed})
		}
	}
	return out
}

// library returns what is known about functions that run others.
func (opt Options) library() *model.Library {
	if opt.Config == nil {
		return nil
	}
	return model.Extend(opt.Config.Model())
}

// tell tells the progress.
func (opt Options) tell(what string, done, of int) {
	if opt.Progress != nil {
		opt.Progress(what, done, of)
	}
}

func (opt Options) threshold() Confidence {
	if opt.MinConfidence == Silent {
		return Likely
	}
	return opt.MinConfidence
}

// analyse runs the detector over the sound packages of prog, each after the ones it imports, several
// at a time. A package's SSA is dropped when its summary is made. cfg.Effect, unless nil, is for functions of packages outside
// prog; then prog is not the whole program. What sums has of them is not found again. The progress is told.
func analyse(prog *load.Program, tell func(what string, done, of int), cfg lockset.Config, sums *Summaries) (*share.World, map[*load.Package]intent.Said, error) {
	var (
		mu      sync.RWMutex
		effects = make(map[string]*lockset.Effect)
		done    = make(map[*load.Package]chan struct{})
		results = make([]*share.Analysed, len(prog.Packages))
		errs    = make([]error, len(prog.Packages))
		slots   = make(chan struct{}, runtime.GOMAXPROCS(0))
		group   sync.WaitGroup
		count   atomic.Int64
	)
	before := cfg.Effect
	effect := func(key string) *lockset.Effect {
		mu.RLock()
		defer mu.RUnlock()
		if e := effects[key]; e != nil || before == nil {
			return e
		}
		return before(key)
	}
	z := sums.summarizer(prog, cfg)
	own := make(map[string]bool)
	for _, pkg := range prog.Packages {
		done[pkg] = make(chan struct{})
		own[pkg.Path] = true
	}
	cfg.Own = func(path string) bool { return own[path] }
	for i, pkg := range prog.Packages {
		group.Go(func() {
			defer close(done[pkg])
			defer func() { tell("analysing package", int(count.Add(1)), len(prog.Packages)) }()
			for _, imp := range pkg.Imports {
				<-done[imp]
			}
			if pkg.Broken {
				return
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i], errs[i] = z.summary(pkg, cfg, effect)
			if results[i] != nil {
				mu.Lock()
				defer mu.Unlock()
				for key, e := range results[i].Result.Effects {
					effects[key] = e
				}
			}
		})
	}
	group.Wait()
	tell("putting the packages together", 0, 0)
	world := share.NewWorld(func(pos token.Pos) bool { f := prog.File(pos); return f != nil && f.Test })
	said := make(map[*load.Package]intent.Said)
	if before != nil || slices.ContainsFunc(prog.Packages, func(pkg *load.Package) bool { return pkg.Broken || len(pkg.Unchecked) > 0 }) {
		world.Unseen()
	}
	for i, r := range results {
		if errs[i] != nil {
			return nil, nil, errs[i]
		}
		if r != nil {
			world.Add(*r)
			said[prog.Packages[i]] = r.Said
		}
	}
	world.Finish()
	return world, said, nil
}

func analysePackage(prog *load.Program, pkg *load.Package, cfg lockset.Config, effect func(string) *lockset.Effect) (*share.Analysed, error) {
	spkg, err := pkg.SSA()
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, f := range pkg.Files {
		files = append(files, f.Syntax)
	}
	mentions := mapuse.NewMentions(pkg.Types, files)
	uses := &mapuse.Collector{Mentions: mentions, Passed: make(map[mapuse.Passed]token.Pos)}
	cfg.Effect = effect
	cfg.Position = func(pos token.Pos) string { return prog.Fset.Position(pos).String() }
	cfg.Source = mentions
	cfg.Visit = uses.Visit
	cfg.Args = typeArguments(pkg.Info)
	res := lockset.Package(spkg, cfg)
	return &share.Analysed{Path: pkg.Path, Name: pkg.Name, Imports: importsOf(pkg), Result: res, Uses: uses.Uses, Built: uses.Built, Brought: uses.Brought, Passed: uses.Passed, Said: intent.Read(prog.Fset, pkg.Types, pkg.Path, pkg.Info, files)}, nil
}

// importsOf returns the paths that pkg imports other than in tests, in the order of its files.
func importsOf(pkg *load.Package) []string {
	var out []string
	for _, f := range pkg.Files {
		if f.Test {
			continue
		}
		for _, spec := range f.Syntax.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err == nil {
				out = append(out, path)
			}
		}
	}
	return out
}

// typeArguments returns the types that type parameters stand for in a package, in no order.
func typeArguments(info *types.Info) []types.Type {
	var out []types.Type
	for _, inst := range info.Instances {
		for t := range inst.TypeArgs.Types() {
			out = append(out, t)
		}
	}
	return out
}
