package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/token"
	"path"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/load"
	"mapmend/plan/lockset"
	"mapmend/plan/mapuse"
	"mapmend/plan/share"
)

// This file turns a verdict into the finding that people see.

// ID returns the stable identity of the finding on v.
func (v Var) ID() string {
	sum := sha256.Sum256([]byte(v.Package + "\x00" + v.Owner + "\x00" + v.Field))
	return hex.EncodeToString(sum[:8])
}

func finding(prog *load.Program, w *share.World, v share.Verdict, decl declaration) Finding {
	f := Finding{
		Var:        toVar(v.Var),
		Confidence: confidence(v.Grade),
		Evidence:   v.Evidence,
		Module:     decl.pkg.Module,
		Pos:        position(prog, decl.name.Pos()),
	}
	f.ID = f.Var.ID()
	if v.Partial {
		f.Evidence = append(slices.Clip(f.Evidence), "not every way to its uses was followed: there are too many")
	}
	if v.Unanalysed != nil {
		f.Evidence = append(slices.Clip(f.Evidence), v.Unanalysed.Name+" uses it too, and was not analysed")
	}
	for _, e := range v.Pair {
		if e != nil {
			f.Chains = append(f.Chains, w.Chain(*e))
		}
	}
	if v.Guard != nil {
		f.Guard = v.Guard.Name()
	}
	f.Sites = sites(prog, w, v)
	f.Head = f.Pos
	if f.Confidence == Silent {
		f.Message = "no two uses that may run at the same time conflict"
		if f.Guard != "" {
			f.Message += "; the guard is " + f.Guard
		}
		return f
	}
	telling := telling(prog, f.Sites, v)
	f.Kind = kindOf(telling)
	first := head(prog, f.Kind, telling, v.Pair)
	f.Head, f.Message = first.Pos, message(f, first)
	if i := slices.IndexFunc(v.Uses, func(j share.Judged) bool { return j.Escaped }); i >= 0 && f.Kind == ValueEscape {
		j := v.Uses[i]
		f.Head = position(prog, j.Pos)
		f.Message = fmt.Sprintf("%s %s without %s, through a copy of its owner", w.Bodies[j.Func].Name, verbs[j.Op], f.Guard)
	}
	if f.Kind == WrongGuard && v.Several != nil && len(first.Held) > 0 {
		f.Message = fmt.Sprintf("%s %s with %s held, of which each %s has another, and the map is in all of them", first.Function, verbs[mapuse.Op(first.Op)], first.Held[0].Lock, f.Owner)
	}
	if f.Kind == WrongGuard && v.Two && len(first.Held) > 0 {
		f.Message = fmt.Sprintf("%s %s with %s held, of which there are several around the one map", first.Function, verbs[mapuse.Op(first.Op)], first.Held[0].Lock)
	}
	if f.Kind == WrongGuard && v.Twin != nil {
		twin := position(prog, v.Twin.Use.Pos)
		f.Message = fmt.Sprintf("%s puts the map in another %s (line %d of %s), and each is used under a %s of its own", w.Bodies[v.Twin.Use.Func].Name, f.Owner, twin.Line, path.Base(twin.File), f.Guard)
	}
	return f
}

// reference is what a mend says of the finding that it mends: its ID, or nothing where there is none.
func (f Finding) reference() string {
	if f.Confidence == Silent {
		return ""
	}
	return f.ID
}

func confidence(g share.Grade) Confidence {
	switch g {
	case share.None:
		return Silent
	case share.Possible:
		return Possible
	}
	return Likely
}

func position(prog *load.Program, pos token.Pos) Pos {
	p := prog.Position(pos)
	return Pos{File: p.Filename, Line: p.Line, Column: p.Column}
}

// sites returns the places of v, one for each mention in source.
func sites(prog *load.Program, w *share.World, v share.Verdict) []Site {
	var out []Site
	at := make(map[Pos]int) // where in out
	for _, j := range v.Uses {
		body := w.Bodies[j.Func]
		posn := prog.Position(j.Pos)
		s := Site{
			Pos:      Pos{File: posn.Filename, Line: posn.Line, Column: posn.Column},
			Function: body.Name,
			Op:       string(j.Op),
			Held:     held(j, body, v.Guard),
			Problem:  j.Problem,
			From:     from(w, v, j),
		}
		if j.Problem {
			s.Kind = siteKind(j, v)
		}
		if s.Kind == AliasEscape && j.Op == mapuse.Load {
			s.Op = string(mapuse.Alias)
		}
		i, ok := at[s.Pos]
		if !ok {
			at[s.Pos] = len(out)
			out = append(out, s)
			continue
		}
		out[i] = mergeSites(out[i], s)
	}
	slices.SortFunc(out, func(a, b Site) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return out
}

// mergeSites joins two uses at one mention: s.m[k] reads the variable and an entry, s.m[k]++ reads
// an entry and writes it.
func mergeSites(a, b Site) Site {
	rank := func(s Site) int {
		op := mapuse.Op(s.Op)
		switch {
		case op == mapuse.Alias && len(s.Held) == 0: // where it is read, it holds what the load holds
			return 0
		case op == mapuse.Alias || op == mapuse.Load:
			return 1
		case !op.Writes():
			return 2
		}
		return 3
	}
	if rank(b) > rank(a) {
		a, b = b, a
	}
	if !a.Problem && b.Problem {
		a.Problem, a.Kind = true, b.Kind
	}
	a.From = both(a, b)
	return a
}

func siteKind(j share.Judged, v share.Verdict) Kind {
	switch {
	case j.Escape == share.AliasLeft:
		return AliasEscape
	case j.Escape == share.ElementLeft:
		return ValueEscape
	case j.Escape == share.AnswerLeft:
		return SplitCheckAct
	case j.RLocked:
		return WriteUnderRLock
	case j.Copied:
		return CopiedLock
	case j.Escaped:
		return ValueEscape
	case j.Wrong, v.Several != nil && len(j.At.Held) > 0: // a lock of the owner, and each owner has another
		return WrongGuard
	case v.Guard != nil && !v.Guard.Copied:
		return InconsistentGuard
	case v.Replaced:
		return TornReplace
	}
	return UnguardedShared
}

func kindOf(sites []Site) Kind {
	for _, k := range Kinds {
		if slices.ContainsFunc(sites, func(s Site) bool { return s.Kind == k }) {
			return k
		}
	}
	panic("plan: a finding without a problem site")
}

// held spells the locks at the use as its own function would. A guard that every caller holds is
// named as people do.
func held(j share.Judged, body *lockset.Body, guard *share.Lock) []Held {
	out := []Held{}
	if j.Problem && slices.ContainsFunc(j.Entries, func(e *share.Entry) bool { return len(e.Use.At.Held) == 0 && e.Use.Func == j.Func }) {
		return out // on one of the ways to it nothing is held
	}
	for _, h := range j.At.Held {
		if h.Once {
			continue
		}
		out = append(out, Held{Lock: spell(h.Path, body), Mode: h.Mode.String()})
	}
	if len(out) == 0 && guard != nil && len(j.Entries) > 0 {
		mode := lockset.Write
		for _, e := range j.Entries {
			switch {
			case !e.Holds(*guard, false):
				return out
			case !e.Holds(*guard, true):
				mode = lockset.Read
			}
		}
		out = append(out, Held{Lock: guard.Name(), Mode: mode.String()})
	}
	return out
}

// spell writes p as the function body would.
func spell(p access.Path, body *lockset.Body) string {
	name := "?"
	switch r := p.Root; {
	case r.Kind == access.Param && r.Index < len(body.Params):
		name = body.Params[r.Index]
	case r.Kind == access.Free && r.Index < len(body.Free):
		name = body.Free[r.Index]
	case r.Kind == access.Global:
		name = access.ShortKey(r.Name)
	case r.Kind == access.Local || r.Kind == access.Made:
		return cmp.Or(strings.TrimPrefix(p.Sel, "."), "a local lock")
	}
	return name + p.Sel
}

var verbs = map[mapuse.Op]string{
	mapuse.Load: "reads the variable", mapuse.Index: "reads it", mapuse.Store: "stores in it", mapuse.Delete: "deletes from it",
	mapuse.Clear: "clears it", mapuse.Len: "takes its length", mapuse.Range: "ranges over it", mapuse.Read: "passes it to a reader",
	mapuse.Write: "passes it to a writer", mapuse.Replace: "replaces it", mapuse.Alias: "gives it away",
	mapuse.ReadElement: "reads an element", mapuse.WriteElement: "writes an element",
}

// telling returns the problem sites that show the finding: where there is a guard, those that only make the map, which may
// be before anybody else has it, do so only if there is no other.
func telling(prog *load.Program, sites []Site, v share.Verdict) []Site {
	conflicts := make(map[Pos]bool)
	for _, j := range v.Uses {
		if j.Problem && !(v.Guard != nil && j.Initializes()) {
			conflicts[position(prog, j.Pos)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(sites), func(s Site) bool { return !s.Problem || len(conflicts) > 0 && !conflicts[s.Pos] })
}

// head returns the problem site that the message is about: of those of that kind the first that
// is one of the two that may meet, of a torn replace the one that replaces, else the first.
func head(prog *load.Program, kind Kind, telling []Site, pair [2]*share.Entry) Site {
	of := slices.DeleteFunc(slices.Clone(telling), func(s Site) bool { return s.Kind != kind })
	if kind == TornReplace {
		if i := slices.IndexFunc(of, func(s Site) bool { return mapuse.Op(s.Op) == mapuse.Replace }); i >= 0 {
			return of[i]
		}
	}
	meets := func(s Site) bool {
		return slices.ContainsFunc(pair[:], func(e *share.Entry) bool { return e != nil && position(prog, e.Use.Pos) == s.Pos })
	}
	return of[max(slices.IndexFunc(of, meets), 0)]
}

// message says what is wrong at the problem site first in one sentence, with the first use that is right.
func message(f Finding, first Site) string {
	does := first.Function + " " + verbs[mapuse.Op(first.Op)]
	right := slices.IndexFunc(f.Sites, func(s Site) bool { return !s.Problem && len(s.Held) > 0 && s.Function != first.Function })
	holder := ""
	if right >= 0 {
		holder = fmt.Sprintf(", which %s holds", f.Sites[right].Function)
	}
	switch f.Kind {
	case InconsistentGuard:
		return does + " without " + f.Guard + holder
	case WriteUnderRLock:
		return does + " with " + f.Guard + " held only for reading"
	case WrongGuard:
		if len(first.Held) == 0 {
			return does + " with another lock than " + f.Guard + holder
		}
		if strings.HasSuffix(f.Guard, "[]") && strings.HasSuffix(first.Held[0].Lock, f.Guard) {
			return fmt.Sprintf("%s with one of %s held, and the map is one", does, first.Held[0].Lock)
		}
		return fmt.Sprintf("%s with %s held, but not %s%s", does, first.Held[0].Lock, f.Guard, holder)
	case CopiedLock:
		return does + " with a copy of " + f.Guard + " held, which guards nothing, since every copy leads to one map"
	case AliasEscape, ValueEscape:
		return escapes(f)
	case SplitCheckAct:
		return first.Function + " looks an entry up in one section of " + f.Guard + " and stores it in another: what was stored in between is lost"
	case TornReplace:
		if mapuse.Op(first.Op) == mapuse.Replace {
			return first.Function + " replaces it while others read it, and nothing guards it"
		}
		return does + " while it is replaced, and nothing guards it"
	}
	return does + " while other goroutines use it, and nothing guards it"
}

// escapes says what left its section, and who uses it outside.
func escapes(f Finding) string {
	what := "the map"
	if f.Kind == ValueEscape {
		what = "an element"
	}
	from, user, does := "", "", ""
	for _, s := range f.Sites {
		switch {
		case s.Kind != f.Kind:
		case len(s.Held) > 0 && from == "":
			from = s.Function
		case len(s.Held) == 0 && user == "":
			user, does = s.Function, verbs[mapuse.Op(s.Op)]
		}
	}
	if f.Kind == ValueEscape {
		does = "uses it"
	}
	switch {
	case user == "":
		return fmt.Sprintf("%s lets %s out of its section of %s, and it is changed in such sections", from, what, f.Guard)
	case from == "" || from == user:
		from, user = user, ""
	}
	return fmt.Sprintf("%s lets %s out of its section of %s, and %s outside", from, what, f.Guard, strings.TrimSpace(user+" "+does))
}

func (p *Plan) sort() {
	slices.SortStableFunc(p.Findings, func(a, b Finding) int { return comparePos(a.Pos, b.Pos) })
	slices.SortStableFunc(p.Refusals, func(a, b Refusal) int { return comparePos(a.Pos, b.Pos) })
	slices.SortStableFunc(p.Mends, func(a, b Mend) int {
		return cmp.Or(cmp.Compare(a.Decl.File, b.Decl.File), cmp.Compare(a.Decl.Start, b.Decl.Start))
	})
}

func comparePos(a, b Pos) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}
