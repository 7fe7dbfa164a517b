package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"runtime"
	"slices"
	"sync"

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
	Evidence      []evidence.Report // what running programs left; a variable that one names is Proven
	MinConfidence Confidence        // findings below get no Mend; Silent means Likely
	Config        *config.Config    // what the configuration of the module says; nil: nothing

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
	world, said, err := analyse(prog, lockset.Config{Library: opt.library(), MaxBlocks: opt.maxBlocks})
	if err != nil {
		return nil, err
	}
	decls := declarations(prog)
	quiet := newSilencer(prog, said, opt)
	orders := ordersOf(world)
	p := &Plan{Orders: orders.list()}
	d := &decider{prog: prog, world: world, decls: decls, opt: opt, orders: orders, spins: spinsOf(world), names: make(map[string]bool), imports: make(map[*types.Package]map[string]*types.Package)}
	verdicts := world.Judge(func(v access.Var) bool {
		return (opt.Silent || opt.All) && opt.wants(toVar(v)) || len(opt.Evidence) > 0
	})
	proofs, unnamed := prove(prog, world, verdicts, opt.Evidence)
	p.Unnamed = unnamed
	for i, v := range verdicts {
		decl, ok := decls[toVar(v.Var)]
		if !ok || decl.file.Generated || !decl.pkg.Requested || !opt.wants(toVar(v.Var)) {
			if pr := proofs[i]; pr != nil && opt.wants(toVar(v.Var)) {
				p.Unnamed = append(p.Unnamed, pr.evidence[0]+": this is "+toVar(v.Var).String()+", which is not looked at: it is declared elsewhere, or in a generated file")
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
		if f.Confidence >= opt.threshold() || opt.All && f.Confidence > Silent {
			d.decide(v, decl, f)
		} else if opt.All && v.Guard == nil && decl.isMap() {
			d.decide(v.Unguarded(), decl, f)
		}
	}
	p.Mends, p.Refusals = d.finish()
	p.tellForms()
	p.Notes = slices.Concat(quiet.notes(), unanalysed(prog, world))
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
	slices.SortStableFunc(out, func(a, b Note) int { return comparePos(a.Pos, b.Pos) })
	return out
}

// library returns what is known about functions that run others.
func (opt Options) library() *model.Library {
	if opt.Config == nil {
		return nil
	}
	return model.Extend(opt.Config.Model)
}

func (opt Options) threshold() Confidence {
	if opt.MinConfidence == Silent {
		return Likely
	}
	return opt.MinConfidence
}

// analyse runs the detector over the sound packages of prog, each after the ones it imports, several
// at a time. A package's SSA is dropped when its summary is made. cfg.Effect, unless nil, is for functions of packages outside
// prog; then prog is not the whole program.
func analyse(prog *load.Program, cfg lockset.Config) (*share.World, map[*load.Package]intent.Said, error) {
	var (
		mu      sync.RWMutex
		effects = make(map[string]*lockset.Effect)
		done    = make(map[*load.Package]chan struct{})
		results = make([]*share.Analysed, len(prog.Packages))
		errs    = make([]error, len(prog.Packages))
		slots   = make(chan struct{}, runtime.GOMAXPROCS(0))
		group   sync.WaitGroup
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
	own := make(map[string]bool)
	for _, pkg := range prog.Packages {
		done[pkg] = make(chan struct{})
		own[pkg.Path] = true
	}
	cfg.Own = func(path string) bool { return own[path] }
	for i, pkg := range prog.Packages {
		group.Go(func() {
			defer close(done[pkg])
			for _, imp := range pkg.Imports {
				<-done[imp]
			}
			if pkg.Broken {
				return
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i], errs[i] = analysePackage(prog, pkg, cfg, effect)
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
	return &share.Analysed{Path: pkg.Path, Name: pkg.Name, Result: res, Uses: uses.Uses, Built: uses.Built, Brought: uses.Brought, Passed: uses.Passed, Said: intent.Read(prog.Fset, pkg.Types, pkg.Path, pkg.Info, files)}, nil
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
