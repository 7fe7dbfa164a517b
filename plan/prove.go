package plan

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"mapmend/plan/evidence"
	"mapmend/plan/load"
	"mapmend/plan/mapuse"
	"mapmend/plan/share"
)

// This file finds the map variables that crashes and race reports are about. A frame of a stack is matched with the uses in its
// line; if there is none, since the program was another one then, with those in its function.

// proof is what reports say about one variable.
type proof struct {
	uses     []int    // of the verdict
	evidence []string // a sentence for each report
}

// prover matches reports with verdicts.
type prover struct {
	prog  *load.Program
	world *share.World
	known map[codeFile][]*load.File // see files
}

// codeFile is a file as a frame names it.
type codeFile struct{ pkg, file string }

func newProver(prog *load.Program, w *share.World) prover {
	return prover{prog, w, make(map[codeFile][]*load.File)}
}

// prove returns what reports say about each of verdicts, by its index, and a note for each report that names none of them.
func prove(prog *load.Program, w *share.World, verdicts []share.Verdict, reports []evidence.Report) (map[int]*proof, []string) {
	p := newProver(prog, w)
	proofs := make(map[int]*proof)
	var notes []string
	for _, r := range reports {
		named, uses := p.named(verdicts, r)
		if len(named) != 1 {
			notes = append(notes, p.unnamed(verdicts, named, r))
			continue
		}
		pr := proofs[named[0]]
		if pr == nil {
			pr = &proof{}
			proofs[named[0]] = pr
		}
		pr.uses = append(pr.uses, uses...)
		if text := p.sentence(r); !slices.ContainsFunc(pr.evidence, func(s string) bool { return afterPlace(s) == afterPlace(text) }) {
			pr.evidence = append(pr.evidence, text)
		}
	}
	return proofs, notes
}

// named returns the verdicts that r may be about. If it is one, uses are its uses that the accesses of r are. Of a race both accesses
// must have one; of a crash the first, since other goroutines may have been at other maps.
func (p prover) named(verdicts []share.Verdict, r evidence.Report) (named, uses []int) {
	var places [][]place
	for _, a := range r.Accesses {
		places = append(places, p.places(verdicts, a))
	}
	if len(places) == 0 {
		return nil, nil
	}
	for _, pl := range places[0] {
		everywhere := !r.Race || !slices.ContainsFunc(places, func(list []place) bool { return !hasVerdict(list, pl.verdict) })
		if everywhere && !slices.Contains(named, pl.verdict) && (p.onMap(r) || p.replaced(verdicts, places, pl.verdict)) {
			named = append(named, pl.verdict)
		}
	}
	if found := slices.DeleteFunc(slices.Clone(named), func(i int) bool { return verdicts[i].Grade == share.None }); len(named) > 1 && len(found) == 1 {
		named = found
	}
	if len(named) == 1 {
		for _, list := range places {
			for _, pl := range list {
				if pl.verdict == named[0] {
					uses = append(uses, pl.use)
				}
			}
		}
	}
	return named, uses
}

func hasVerdict(list []place, verdict int) bool {
	return slices.ContainsFunc(list, func(pl place) bool { return pl.verdict == verdict })
}

// onMap reports whether the accesses of r are to a map, and not to memory of which it is not known what it holds.
func (p prover) onMap(r evidence.Report) bool {
	return slices.ContainsFunc(r.Accesses, func(a evidence.Access) bool { return a.OnMap })
}

// replaced reports whether one of the places replaces the map of the verdict, so that an access to memory may be one to the variable.
func (p prover) replaced(verdicts []share.Verdict, places [][]place, verdict int) bool {
	return slices.ContainsFunc(slices.Concat(places...), func(pl place) bool {
		return pl.verdict == verdict && verdicts[verdict].Uses[pl.use].Op == mapuse.Replace
	})
}

// place is one use of one verdict.
type place struct{ verdict, use int }

// places returns the uses that may be the access a: those in the line of its innermost frame that has one, since what is given a
// map uses it where it is given. If the line of none has one, the program was another one, and those in the innermost function count.
func (p prover) places(verdicts []share.Verdict, a evidence.Access) []place {
	frames := p.own(a.Stack)
	if len(frames) == 0 {
		return nil
	}
	lines := frames
	if !a.OnMap {
		lines = frames[:1]
	}
	for _, f := range lines {
		if found := p.usesIn(verdicts, a, f, func(j share.Judged) bool { return p.prog.Position(j.Pos).Line == f.Line }); len(found) > 0 {
			return found
		}
	}
	return p.usesIn(verdicts, a, frames[0], func(share.Judged) bool { return true })
}

// usesIn returns the uses in the function of f that may be the access a, and that is reports.
func (p prover) usesIn(verdicts []share.Verdict, a evidence.Access, f ownFrame, is func(share.Judged) bool) (found []place) {
	for i, v := range verdicts {
		for k, j := range v.Uses {
			if fits(j.Op, a) && slices.Contains(f.files, p.prog.File(j.Pos)) && sameFunction(p.world.Bodies[j.Func].Name, f.Name()) && is(j) {
				found = append(found, place{i, k})
			}
		}
	}
	return found
}

// inner is what the names of function literals and of bodies of loops end in.
var inner = regexp.MustCompile(`([.]func\d+|[.]\d+|-range\d+|[.]gowrap\d+|[.]deferwrap\d+)+$`)

// sameFunction reports whether the symbol of the runtime may be the function that people know by name. The literals of one function
// are not told apart, and where it was inlined they have a name that begins with that of the other function.
func sameFunction(name, symbol string) bool {
	name, symbol = inner.ReplaceAllString(name, ""), inner.ReplaceAllString(symbol, "")
	return name == symbol || strings.HasSuffix(symbol, "."+name)
}

// fits reports whether a use that does op may be the access a.
func fits(op mapuse.Op, a evidence.Access) bool {
	if a.OnMap && op.Part() != mapuse.Entries {
		return false
	}
	return !a.Known || op.Writes() == a.Write || !a.Write && a.OnMap && op.Writes() // a write reads, too
}

// ownFrame is a frame in a file of the program.
type ownFrame struct {
	evidence.Frame
	files []*load.File
}

// own returns the frames of stack that are in files of the program, innermost first, as far as only those and the standard library
// run within them: another library may have a map of its own.
func (p prover) own(stack []evidence.Frame) []ownFrame {
	var out []ownFrame
	for _, f := range stack {
		if files := p.files(f); len(files) > 0 {
			out = append(out, ownFrame{f, files})
		} else if !f.Standard() {
			break
		}
	}
	return out
}

// files returns the files that f may be in: those of that name in its package. Commands are all named main: of their files, those
// count of which most of the path is the same.
func (p prover) files(f evidence.Frame) []*load.File {
	name := codeFile{f.Package, f.File}
	files, ok := p.known[name]
	if !ok {
		if files = p.findFiles(f); len(files) == 0 && inner.MatchString(f.Name()) {
			files = p.inlinedFrom(f)
		}
		p.known[name] = files
	}
	return files
}

// inlinedFrom returns the file of a function literal that f is, which has the name and the package of the function that the one around it
// was inlined in: main.main.func1.(*Store).Put.1 stands in store/store.go. Files of other modules are in folders with a version.
func (p prover) inlinedFrom(f evidence.Frame) []*load.File {
	if strings.Contains(f.File, "@") || strings.Contains(f.File, "/vendor/") {
		return nil
	}
	for _, pkg := range p.prog.Packages {
		for _, file := range pkg.Files {
			if file.Abs == f.File || strings.Contains(file.Name, "/") && strings.HasSuffix(f.File, "/"+file.Name) || f.File == pkg.Path+"/"+path.Base(file.Name) {
				return []*load.File{file}
			}
		}
	}
	return nil
}

func (p prover) findFiles(f evidence.Frame) []*load.File {
	var out []*load.File
	most := 0
	for _, pkg := range p.prog.Packages {
		if pkg.Path != f.Package && !(f.Package == "main" && pkg.Name == "main") {
			continue
		}
		for _, file := range pkg.Files {
			if path.Base(file.Name) != path.Base(f.File) {
				continue
			}
			switch same := commonEnd(file.Abs, f.File); {
			case same > most:
				most, out = same, []*load.File{file}
			case same == most:
				out = append(out, file)
			}
		}
	}
	return out
}

// commonEnd returns how many elements two paths have in common at their ends.
func commonEnd(a, b string) (n int) {
	as, bs := strings.Split(strings.ReplaceAll(a, `\`, "/"), "/"), strings.Split(strings.ReplaceAll(b, `\`, "/"), "/")
	for n < len(as) && n < len(bs) && as[len(as)-1-n] == bs[len(bs)-1-n] {
		n++
	}
	return n
}

// sentence says what r shows.
func (p prover) sentence(r evidence.Report) string {
	var parts []string
	for i, a := range r.Accesses {
		frames := p.own(a.Stack)
		if len(frames) == 0 || !r.Race && i > 0 {
			continue
		}
		does := "an access"
		switch {
		case a.Known && a.Write:
			does = "a write"
		case a.Known:
			does = "a read"
		}
		part := does + " in " + frames[0].String()
		if len(a.Created) > 0 && !a.Created[0].Standard() {
			part += ", in a goroutine that " + a.Created[0].String() + " started"
		}
		parts = append(parts, part)
	}
	return r.String() + ": " + strings.Join(parts, ", and ")
}

// afterPlace returns what a sentence of a report says behind where the report stands.
func afterPlace(sentence string) string {
	_, rest, _ := strings.Cut(sentence, ": ")
	return rest
}

// unnamed says what r, which does not name one map variable, does name.
func (p prover) unnamed(verdicts []share.Verdict, named []int, r evidence.Report) string {
	if len(named) > 1 {
		var names []string
		for _, i := range named {
			names = append(names, toVar(verdicts[i].Var).String())
		}
		return fmt.Sprintf("%s: it may be about any of %s", r, strings.Join(names, ", "))
	}
	var frames []string
	for _, a := range r.Accesses {
		if len(a.Stack) > 0 {
			frames = append(frames, a.Stack[0].String())
		}
	}
	if len(frames) == 0 {
		return r.String() + ": its stacks cannot be read"
	}
	return fmt.Sprintf("%s: it names no map variable of these packages, but %s", r, strings.Join(frames, " and "))
}

// proven returns v with the uses that pr names to be changed; where nothing guards the map and nothing else was found, all of them.
func (pr *proof) proven(v share.Verdict) share.Verdict {
	if v.Grade == share.None && v.Guard == nil {
		v = v.Unguarded()
	}
	v.Uses = slices.Clone(v.Uses)
	for _, i := range pr.uses {
		if u := &v.Uses[i]; v.Guard == nil || !u.Holds(*v.Guard) {
			u.Problem = true
		}
	}
	if !slices.ContainsFunc(v.Uses, func(j share.Judged) bool { return j.Problem }) {
		for _, i := range pr.uses {
			v.Uses[i].Problem = true
		}
	}
	if v.Grade == share.None {
		v.Grade, v.Evidence = share.Likely, nil
	}
	return v
}
