package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"mapmend/plan/load"
	"mapmend/plan/share"
)

// This file makes one plan of those for several platforms. Each platform has a plan of its own, made of the files that it has:
//
//	store.go          func (s *Store) Put(k string) { s.m[k]++ }          // of all
//	store_windows.go  func (s *Store) drop(k string) { delete(s.m, k) }   // of windows
//
// A variable is mended if none of them refuses it, and if they change each file that two of them have in the same way. What the
// files are that only one has, the other need not know.

// Build is the plan of a module for one platform, and the program that it was made of.
type Build struct {
	Platform string // GOOS/GOARCH
	Prog     *load.Program
	Plan     *Plan
}

// heldAt returns v with the uses at places to be changed too, unless they hold the guard.
func heldAt(prog *load.Program, v share.Verdict, places []Pos) share.Verdict {
	v.Uses = slices.Clone(v.Uses)
	for i := range v.Uses {
		if u := &v.Uses[i]; slices.Contains(places, position(prog, u.Pos)) && (v.Guard == nil || !u.Holds(*v.Guard)) {
			u.Problem = true
		}
	}
	return v
}

// Differing returns the variables that no plan refuses and that the plans mend in different ways, with all places at which one of
// them finds a problem. With these as Options.Also the plans may agree: a use that only one of two programs shares between
// goroutines is to hold the guard in both.
func Differing(builds []Build) map[Var][]Pos {
	builds = settled(builds)
	out := make(map[Var][]Pos)
	for _, v := range mendedIn(builds) {
		if isRefused(builds, v) || disagreement(builds, v) == nil {
			continue
		}
		out[v] = []Pos{}
		for _, b := range builds {
			for _, f := range b.Plan.Findings {
				for _, s := range f.Sites {
					if f.Var == v && s.Problem && !slices.Contains(out[v], s.Pos) {
						out[v] = append(out[v], s.Pos)
					}
				}
			}
		}
	}
	return out
}

// Join returns the plan that builds are together, and for each of them its plan with what is mended of it. Neither builds nor
// their plans are altered.
func Join(builds []Build) (*Plan, []*Plan) {
	builds = settled(builds)
	p := &Plan{Findings: joinedFindings(builds), Refusals: joinedRefusals(builds), Orders: joinedOrders(builds), Silenced: joinedSilenced(builds)}
	p.Notes, p.Unnamed, p.Measured = joinedNotes(builds), saidByAll(builds), saidByAny(builds)
	kept := make(map[Var]bool)
	for _, v := range mendedIn(builds) {
		if isRefused(builds, v) {
			continue
		}
		if r := disagreement(builds, v); r != nil {
			p.Refusals = append(p.Refusals, *r)
			continue
		}
		kept[v] = true
		p.Mends = append(p.Mends, joinedMend(builds, v))
	}
	var each []*Plan
	for _, b := range builds {
		each = append(each, b.Plan.Only(kept))
	}
	p.sort()
	return p, each
}

// Only returns p with the mends of the given variables.
func (p *Plan) Only(vars map[Var]bool) *Plan {
	only := *p
	only.Mends = slices.DeleteFunc(slices.Clone(p.Mends), func(m Mend) bool { return !vars[m.Var] })
	return &only
}

// mendedIn returns the variables that one of builds mends, sorted.
func mendedIn(builds []Build) []Var {
	vars := make(map[Var]bool)
	for _, b := range builds {
		for _, m := range b.Plan.Mends {
			vars[m.Var] = true
		}
	}
	return slices.SortedFunc(maps.Keys(vars), func(a, b Var) int { return strings.Compare(a.String(), b.String()) })
}

func isRefused(builds []Build, v Var) bool {
	return slices.ContainsFunc(builds, func(b Build) bool {
		return slices.ContainsFunc(b.Plan.Refusals, func(r Refusal) bool { return r.Var == v })
	})
}

// mendOf returns the mend of v, or nil.
func (p *Plan) mendOf(v Var) *Mend {
	for i := range p.Mends {
		if p.Mends[i].Var == v {
			return &p.Mends[i]
		}
	}
	return nil
}

// settled returns builds in which what is generated or declared once has what each of them needs: a generated type the accessors of
// all, a new mutex readers if one of them has some. Where none reads, each section writes, whatever the mutex.
func settled(builds []Build) []Build {
	accessors, readers := make(map[Var][]string), make(map[Var]bool)
	for _, b := range builds {
		for _, m := range b.Plan.Mends {
			if m.Wrapper != nil {
				accessors[m.Var] = append(accessors[m.Var], m.Wrapper.Accessors...)
			}
			readers[m.Class] = readers[m.Class] || m.Mutex != nil && m.Mutex.Type == "sync.RWMutex"
		}
	}
	var out []Build
	for _, b := range builds {
		p := *b.Plan
		p.Mends = slices.Clone(p.Mends)
		for i := range p.Mends {
			m := &p.Mends[i]
			if m.Wrapper != nil {
				w := *m.Wrapper
				w.Accessors = slices.Compact(slices.Sorted(slices.Values(accessors[m.Var])))
				m.Wrapper = &w
			}
			if m.Mutex != nil && readers[m.Class] {
				mutex := *m.Mutex
				mutex.Type = "sync.RWMutex"
				m.Mutex = &mutex
			}
		}
		b.Plan = &p
		out = append(out, b)
	}
	return out
}

// disagreement returns why the mends of v in builds cannot be one, or nil.
func disagreement(builds []Build, v Var) *Refusal {
	for i, a := range builds {
		for _, b := range builds[i+1:] {
			if at, what := apart(a, b, v); what != "" {
				return &Refusal{
					Code: Platforms, Var: v, Pos: at, Message: fmt.Sprintf("%s on %s than on %s", what, a.Platform, b.Platform),
					Todo: "guard the uses by hand, or move what differs to files of one platform",
				}
			}
		}
	}
	return nil
}

// apart returns the first place that the mends of v in a and b change in different ways, of the files that both have. What is empty
// if there is none.
func apart(a, b Build, v Var) (at Pos, what string) {
	ours, theirs := loadedIn(a.Prog), loadedIn(b.Prog)
	both := func(file string) bool { return ours[file] != nil && theirs[file] != nil }
	m, n := a.Plan.mendOf(v), b.Plan.mendOf(v)
	x, y := partsIn(m, both), partsIn(n, both)
	if len(x.spans) == 0 && len(y.spans) == 0 || x.text == y.text {
		return Pos{}, ""
	}
	if m != nil && n != nil && m.Form != n.Form {
		return ours.at(m.Decl), fmt.Sprintf("it would get another form, %s and not %s,", m.Form, n.Form)
	}
	first := slices.MinFunc(append(slices.Clip(x.spans), y.spans...), compareSpans)
	if only := slices.Concat(without(x.spans, y.spans), without(y.spans, x.spans)); len(only) > 0 {
		first = slices.MinFunc(only, compareSpans)
	}
	return ours.at(first), path.Base(first.File) + " would change here in another way"
}

// without returns the spans of a that b does not have.
func without(a, b []Span) []Span {
	return slices.DeleteFunc(slices.Clone(a), func(s Span) bool { return slices.Contains(b, s) })
}

// sources are the files of a program by name.
type sources map[string]*load.File

func loadedIn(prog *load.Program) sources {
	out := make(sources)
	for _, pkg := range prog.Packages {
		for _, f := range slices.Concat(pkg.Files, pkg.Unchecked) {
			out[f.Name] = f
		}
	}
	return out
}

// at returns where s begins.
func (files sources) at(s Span) Pos {
	f := files[s.File]
	if f == nil || s.Start > len(f.Src) {
		return Pos{File: s.File}
	}
	before := string(f.Src[:s.Start])
	return Pos{File: s.File, Line: 1 + strings.Count(before, "\n"), Column: s.Start - strings.LastIndexByte(before, '\n')}
}

// parts is what a mend does in some files.
type parts struct {
	text  string // all of it, as a plan file has it
	spans []Span // the places
}

// partsIn returns what m does in those files. A declaration that stays as it is is no part of it, nor is why it is done.
func partsIn(m *Mend, in func(file string) bool) parts {
	if m == nil {
		return parts{}
	}
	changed := *m
	changed.Finding, changed.Choice = "", nil
	if m.Mutex == nil && m.Wrapper == nil && m.Freed == nil {
		changed.Decl = Span{}
	}
	var tree any
	data, err := json.Marshal(changed)
	if err == nil {
		err = json.Unmarshal(data, &tree)
	}
	if err != nil {
		panic(fmt.Sprintf("plan: a mend is no JSON: %v", err))
	}
	var out parts
	tree = out.prune(tree, in)
	if data, err = json.Marshal(tree); err != nil {
		panic(fmt.Sprintf("plan: a mend is no JSON: %v", err))
	}
	out.text = string(data)
	slices.SortFunc(out.spans, compareSpans)
	return out
}

// prune returns tree without what stands in other files, nil if that is all of it, and notes the places that remain.
func (p *parts) prune(tree any, in func(file string) bool) any {
	switch tree := tree.(type) {
	case map[string]any:
		file, _ := tree["file"].(string)
		start, isSpan := tree["start"].(float64)
		end, _ := tree["end"].(float64)
		if isSpan && file != "" {
			if !in(file) {
				return nil
			}
			p.spans = append(p.spans, Span{file, int(start), int(end)})
		}
		for _, key := range sortedKeys(tree) {
			if tree[key] = p.prune(tree[key], in); tree[key] == nil {
				delete(tree, key) // like a list that is left out
			}
		}
		return tree
	case []any:
		out := []any{}
		for _, elem := range tree {
			if kept := p.prune(elem, in); kept != nil {
				out = append(out, kept)
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	}
	return tree
}

// Changes reports whether m has a place in the named file, which may be one that it creates.
func (m Mend) Changes(file string) bool {
	is := func(name string) bool { return name == file }
	return len(partsIn(&m, is).spans) > 0 || m.Wrapper != nil && (is(m.Wrapper.File) || m.Wrapper.Tests != nil && is(m.Wrapper.Tests.File))
}

// joinedMend returns what is done about v on all platforms: the first, with those that differ from it as Elsewhere.
func joinedMend(builds []Build, v Var) Mend {
	var all []Mend
	for _, b := range builds {
		m := b.Plan.mendOf(v)
		if m == nil {
			continue
		}
		i := slices.IndexFunc(all, func(o Mend) bool {
			o.Platforms = nil
			return sameJSON(o, *m)
		})
		if i < 0 {
			i = len(all)
			all = append(all, *m)
		}
		all[i].Platforms = append(all[i].Platforms, b.Platform)
	}
	if len(all) == 1 && len(all[0].Platforms) == len(builds) {
		all[0].Platforms = nil
	}
	first := all[0]
	first.Elsewhere = all[1:]
	if len(first.Elsewhere) == 0 {
		first.Elsewhere = nil
	}
	return first
}

// joinedRefusals returns the refusals of builds, each once, with the platforms that it is of unless these are all.
func joinedRefusals(builds []Build) []Refusal {
	var all []Refusal
	on := make(map[Refusal][]string)
	for _, b := range builds {
		for _, r := range b.Plan.Refusals {
			if on[r] == nil {
				all = append(all, r)
			}
			on[r] = append(on[r], b.Platform)
		}
	}
	var out []Refusal
	for _, r := range all {
		names := on[r]
		if len(names) < len(builds) {
			r.Message += onPlatforms(names)
		}
		out = append(out, r)
	}
	return out
}

// On returns r as a refusal of one of several platforms.
func (r Refusal) On(platform string) Refusal {
	r.Message += onPlatforms([]string{platform})
	return r
}

// onPlatforms returns what is added to a message that is true on those only.
func onPlatforms(names []string) string { return " (on " + strings.Join(names, ", ") + ")" }

// joinedOrders returns the orders of all builds, sorted.
func joinedOrders(builds []Build) []Order {
	write := make(map[Order]bool) // by those that do not say it
	for _, b := range builds {
		for _, o := range b.Plan.Orders {
			pair := Order{Held: o.Held, Taken: o.Taken}
			write[pair] = write[pair] || o.Write
		}
	}
	var out []Order
	for o, w := range write {
		o.Write = w
		out = append(out, o)
	}
	slices.SortFunc(out, Order.compare)
	return out
}
