package lockset

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"mapmend/plan/access"
	"mapmend/plan/kept"
	"mapmend/plan/model"
)

// This file drives the analysis of a package: callees first, recursion cut after a few rounds.

// Config is what the analysis of a package needs from outside.
type Config struct {
	Effect    func(key string) *Effect                       // of functions of packages analysed before; nil result: no body is known
	Position  func(token.Pos) string                         // unique name of a place, the same in every run
	Source    access.Source                                  // of the package
	Library   *model.Library                                 // nil: the model as it is
	MaxBlocks int                                            // functions of more basic blocks are not analysed; 0: MaxBlocks
	Own       func(path string) bool                         // the package of that import path is part of the program
	Args      []types.Type                                   // types that type parameters stand for in the package
	Visit     func(fn *Func, instr ssa.Instruction, at View) // called once for each instruction that is reached, deferred calls at their run

	hasBody func(key string) bool // the program has a body of the function, which may be analysed later; set by Package
}

// Func is what a visitor may know about the function it is in.
type Func struct {
	*Body
	SSA   *ssa.Function
	Names *access.Names

	hasBody func(key string) bool
	effect  func(key string) *Effect
}

// Keeps reports whether the parameter number param of the function key may be to be had elsewhere once that has returned:
// it is stored, shown to goroutines or returned, or the function is not known.
func (f *Func) Keeps(key string, param int) bool {
	e := f.effect(key)
	if e == nil {
		return true
	}
	root := access.Root{Kind: access.Param, Index: param}
	of := func(r access.Ref) (is bool) {
		r.Each(func(r access.Ref) { is = is || r.Path.Root == root })
		return is
	}
	return slices.Contains(e.Shares, root) || slices.ContainsFunc(e.Into, func(in Into) bool { return in.From == root }) || slices.ContainsFunc(e.Results, of)
}

// HasBody reports whether the program has a body of the function that call calls.
func (f *Func) HasBody(call ssa.CallInstruction) bool {
	c := call.Common()
	if c.IsInvoke() {
		return false
	}
	if fn, ok := c.Value.(*ssa.Function); ok {
		return f.hasBody(access.FuncKey(fn))
	}
	ref := f.Names.Ref(c.Value)
	return ref.Func != nil && f.hasBody(ref.Func.Key)
}

// Result is what is known about one package.
type Result struct {
	Effects     map[string]*Effect
	Bodies      []*Body // in source order
	Conversions []Conversion
	Boxed       []Boxed  // sorted by key
	Handed      []Handed // sorted
	Kept        kept.Facts
}

type analysis struct {
	fn       *ssa.Function
	names    *access.Names
	effect   func(key string) *Effect
	hasBody  func(key string) bool
	position func(token.Pos) string
	source   access.Source
	library  *model.Library
	own      func(path string) bool
	numbers  *numbering
	into     map[access.Root][]stored    // what is stored in what, anywhere in the function
	lentAt   map[access.Root]access.Path // where what was lent is kept, the first place that was seen
	gathered map[access.Root]bool        // slices and choices that hold nothing but what was put there
	channels *channels
	onces    *onces
	flags    *flags
	tokens   tokens
	settings settings
	sets     []flagSet                   // see flagSets
	locals   map[ssa.Value]bool          // see asLocalFlag
	tests    []fieldTest                 // see fieldTests
	named    map[access.Path]access.Path // see noteNamed
	ownSites map[string]bool             // see isOwnSite
	owes     map[access.Path]*owed
	holds    map[access.Root][]stored // what is put there, whoever may look
	kept     *kept.Flows
	starts   map[string]ssa.CallInstruction    // by site
	recvs    []*ssa.UnOp                       // see receives
	looped   map[*ssa.BasicBlock][]access.Path // see keptByLoop
	targets  map[ssa.CallInstruction]target
	rec      *recorder
}

// inPackage is what is known of a package as a whole before its functions are analysed.
type inPackage struct {
	channels *channels
	onces    *onces
	flags    *flags
	tokens   tokens
	settings settings
	kept     *kept.Flows
}

// Package analyses the functions of pkg.
func Package(pkg *ssa.Package, cfg Config) *Result {
	res := &Result{Effects: make(map[string]*Effect)}
	effect := func(key string) *Effect {
		if e, ok := res.Effects[key]; ok {
			return e
		}
		return cfg.Effect(key)
	}
	fns := functions(pkg)
	own := make(map[string]bool)
	for _, fn := range fns {
		own[access.FuncKey(fn)] = true
	}
	cfg.hasBody = func(key string) bool { return own[key] || cfg.Effect(key) != nil }
	bodies := make(map[*ssa.Function]*Body)
	in := inPackage{channels: channelsOf(fns), onces: oncesOf(fns), flags: flagsOf(fns), tokens: tokensOf(fns), settings: settingsOf(fns), kept: kept.Of(pkg.Pkg, fns, kept.Config{HasBody: cfg.hasBody, Own: cfg.Own, Library: cfg.Library})}
	for _, scc := range calleesFirst(fns) {
		rounds := 1
		if len(scc) > 1 || callsItself(scc[0]) {
			rounds = 3
			for _, fn := range scc {
				res.Effects[access.FuncKey(fn)] = &Effect{Pending: true}
			}
		}
		for round := range rounds {
			for _, fn := range scc {
				visit := func(*Func, ssa.Instruction, View) {}
				if round == rounds-1 {
					visit = cfg.Visit
				}
				body, e := analysed(fn, effect, in, cfg, visit)
				res.Effects[body.Key] = e
				bodies[fn] = body
			}
		}
	}
	for _, fn := range fns {
		res.Bodies = append(append(res.Bodies, bodies[fn]), bodies[fn].Inner...)
		res.Conversions = append(res.Conversions, conversions(fn, cfg.Library)...)
	}
	res.Boxed, res.Kept = boxed(fns, cfg), in.kept.Facts
	res.Handed = handed(fns, in.kept, func(key string) bool { return !model.Knows(key) && effect(key) != nil }, cfg)
	return res
}

func function(fn *ssa.Function, effect func(string) *Effect, in inPackage, cfg Config, visit func(*Func, ssa.Instruction, View)) (*Body, *Effect) {
	body := describe(fn)
	a := &analysis{fn: fn, effect: effect, channels: in.channels, onces: in.onces, flags: in.flags, tokens: in.tokens, settings: in.settings, kept: in.kept, position: cfg.Position, source: cfg.Source, library: cfg.Library, own: cfg.Own, hasBody: cfg.hasBody, into: make(map[access.Root][]stored), lentAt: make(map[access.Root]access.Path), gathered: make(map[access.Root]bool), starts: make(map[string]ssa.CallInstruction), locals: make(map[ssa.Value]bool), numbers: &numbering{numbers: make(map[access.Root]int)}}
	a.names = access.NewNames(fn, a, cfg.Source)
	states := a.run()
	owed := a.owesOf()
	f := &Func{Body: body, SSA: fn, Names: a.names, hasBody: cfg.hasBody, effect: a.effect}
	a.rec = &recorder{a: a, body: body, loops: loopsOf(fn), spins: a.spinsOf(), effect: &Effect{Serves: requests(fn), Yield: isYield(fn), Ending: ending(fn, a.bodyOf)}, visit: func(instr ssa.Instruction, v View) { visit(f, instr, v) }}
	ends := false
	after := make(map[int]state, len(fn.Blocks))
	for i, b := range fn.Blocks {
		states[i].owed = owed
		if len(states[i].alts) > 0 {
			after[i] = a.block(b, states[i])
			ends = ends || endsFunction(b)
		}
	}
	if !ends { // what it calls ends it, by a panic: the deferred calls run wherever that is
		for i, b := range fn.Blocks {
			if s, reached := after[i]; reached {
				a.runDefers(b, &s)
			}
		}
	}
	a.rec.finish()
	return body, a.rec.effect
}

// endsFunction reports whether control leaves the function at the end of b, and runs what was deferred.
func endsFunction(b *ssa.BasicBlock) bool {
	switch b.Instrs[len(b.Instrs)-1].(type) {
	case *ssa.Return, *ssa.Panic:
		return true
	}
	return false
}

// functions returns the functions of pkg that have a body, closures after what they stand in, in
// source order.
func functions(pkg *ssa.Package) []*ssa.Function {
	var out []*ssa.Function
	var add func(fn *ssa.Function)
	add = func(fn *ssa.Function) {
		if fn == nil || len(fn.Blocks) == 0 {
			return
		}
		out = append(out, fn)
		for _, anon := range fn.AnonFuncs {
			add(anon)
		}
	}
	names := make([]string, 0, len(pkg.Members))
	for name := range pkg.Members {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch m := pkg.Members[name].(type) {
		case *ssa.Function:
			add(m)
		case *ssa.Type:
			if named, ok := m.Type().(*types.Named); ok {
				for method := range named.Methods() {
					add(pkg.Prog.FuncValue(method))
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *ssa.Function) int { return int(a.Pos() - b.Pos()) })
	return out
}

// calleesFirst groups fns into strongly connected components of the static call graph, each after
// those it calls.
func calleesFirst(fns []*ssa.Function) [][]*ssa.Function {
	in := make(map[*ssa.Function]bool)
	for _, fn := range fns {
		in[fn] = true
	}
	return components(fns, func(fn *ssa.Function) []*ssa.Function {
		return slices.DeleteFunc(mentions(fn), func(callee *ssa.Function) bool { return !in[callee] })
	})
}

// mentions returns the functions whose value stands in fn, instances as what they are made from and
// method values as the method.
func mentions(fn *ssa.Function) []*ssa.Function {
	var out []*ssa.Function
	var ops []*ssa.Value
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			ops = instr.Operands(ops[:0])
			for _, op := range ops {
				callee, ok := (*op).(*ssa.Function)
				if !ok {
					continue
				}
				if o := callee.Origin(); o != nil {
					callee = o
				}
				if obj, ok := callee.Object().(*types.Func); ok && callee.Synthetic != "" {
					if method := fn.Prog.FuncValue(obj); method != nil {
						callee = method
					}
				}
				out = append(out, callee)
			}
		}
	}
	return out
}

func callsItself(fn *ssa.Function) bool { return slices.Contains(mentions(fn), fn) }

func describe(fn *ssa.Function) *Body {
	b := &Body{Key: access.FuncKey(fn), Name: displayName(fn), Pos: fn.Pos(), Closure: fn.Parent() != nil, Synthetic: fn.Synthetic != ""}
	for _, p := range fn.Params {
		b.Params = append(b.Params, p.Name())
	}
	for _, f := range fn.FreeVars {
		b.Free = append(b.Free, f.Name())
	}
	if fn.Signature.Recv() != nil && fn.Parent() == nil {
		b.Method = access.TypeName(fn.Signature.Recv().Type())
	}
	b.Exported = fn.Parent() == nil && ast.IsExported(fn.Name())
	b.Listens = listens(fn)
	if decl, ok := fn.Syntax().(*ast.FuncDecl); ok {
		b.RequiresLock = requiresLock(decl)
	}
	return b
}

// listens reports whether fn receives from channels in a loop, or loops for ever.
func listens(fn *ssa.Function) bool {
	for _, loop := range nestedLoops(fn.Blocks) {
		in := setOf(loop)
		ends := false
		for _, b := range loop {
			ends = ends || slices.ContainsFunc(b.Succs, func(c *ssa.BasicBlock) bool { return !in[c] })
			for _, instr := range b.Instrs {
				if recv, ok := instr.(*ssa.UnOp); ok && recv.Op == token.ARROW {
					return true
				}
				if _, ok := instr.(*ssa.Select); ok {
					return true
				}
			}
		}
		if !ends {
			return true
		}
	}
	return false
}

// displayName returns what a reader calls fn: "(*Store).Get", "run.func1".
func displayName(fn *ssa.Function) string {
	if p := fn.Parent(); p != nil {
		name := fn.Name()
		return displayName(p) + ".func" + name[strings.LastIndexByte(name, '$')+1:]
	}
	recv := fn.Signature.Recv()
	if recv == nil {
		if i := strings.IndexByte(fn.Name(), '#'); i >= 0 {
			return fn.Name()[:i]
		}
		return fn.Name()
	}
	name := access.TypeName(recv.Type())
	if _, ok := types.Unalias(recv.Type()).(*types.Pointer); ok {
		return "(*" + name + ")." + fn.Name()
	}
	return name + "." + fn.Name()
}

var (
	lockedName    = regexp.MustCompile(`^([Uu]nsafe|[Ll]ocked|[Uu]nlocked|[Nn]o[Ll]ock)([A-Z]|$)|(Locked|_locked|LockHeld|WithLock|NoLock|Unlocked|Unsafe|unsafe|nolock)$`)
	lockedComment = regexp.MustCompile(`(?i)\b(lock|locked|mu|mutex|rwmutex)\b[^.;]*\b(is|be|are|already) (being )?(held|locked|taken|acquired)\b|\b(hold|holds|holding|held|acquire|acquired|own|owns)\b[^.;]*\b(lock|mu|mutex|\w+Mu|\w+Lock|\w+Mutex)\b|(?i)\b(not|isn't|n't) (thread|goroutine|concurren\w*)[- ]?safe|(?i)\bunder (the )?\S*(lock|mutex|mu)\b`)
)

// requiresLock reports whether a function says that its callers hold a lock, by its name or in its
// comment.
func requiresLock(decl *ast.FuncDecl) bool {
	return lockedName.MatchString(decl.Name.Name) || decl.Doc != nil && lockedComment.MatchString(decl.Doc.Text())
}

// isYield reports whether fn is the body of a loop over a function.
func isYield(fn *ssa.Function) bool {
	return fn.Parent() != nil && strings.HasPrefix(fn.Synthetic, "range-over-func")
}
