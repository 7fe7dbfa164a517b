// This file holds the invariant EvalOrder.

package verify

import (
	"fmt"
	"go/parser"
	"go/token"
	"slices"

	"mapmend/plan"
	"mapmend/rewrite"
)

// evalOrder: inside the planned declarations the old tokens stand in the same order, and only lock calls,
// mutexes, copies and the calls of accessors are between them. What a lowering replaces by a call may be lost, but
// for its operands.
func evalOrder(p *proof) []failure {
	return p.eachUnsplit(func(c rewrite.Change) (int, string) {
		if c.Create {
			return 0, ""
		}
		r := rules{modes: make(map[int]string), words: make(map[string]bool), tokens: make(map[token.Token]bool)}
		r.allow("Lock Unlock RLock RUnlock var Mutex RWMutex import \"sync\" sync stdsync")
		for _, t := range []token.Token{token.DEFER, token.PERIOD, token.LPAREN, token.RPAREN, token.LBRACK, token.RBRACK, token.MUL} {
			r.tokens[t] = true
		}
		for _, m := range p.plan.Mends {
			for _, s := range m.Sections {
				r.allow(s.Lock)
				if s.File == c.File && (s.Closure || s.Block) {
					r.tokens[token.LBRACE], r.tokens[token.RBRACE] = true, true
					r.tokens[token.FUNC] = r.tokens[token.FUNC] || s.Closure
				}
			}
			for _, mc := range m.Modes {
				if mc.File == c.File {
					r.modes[mc.Start] = mc.To
				}
			}
			for _, t := range m.Twins {
				for _, call := range t.Calls {
					if call.File == c.File {
						r.modes[call.Start] = t.Name
					}
				}
			}
			if m.Mutex != nil {
				r.allow(m.Mutex.Name)
			}
			r.supply(m, c.File)
			for _, l := range m.Lowered {
				if l.File == c.File {
					r.lower(l)
				}
			}
			for _, s := range freedSpans(m) {
				if s.File == c.File {
					r.lost = append(r.lost, s)
				}
			}
		}
		addressed := p.addressedIn(c.File)
		r.tokens[token.AND] = addressed > 0
		if now, old := ampersands(c.New), ampersands(c.Old); addressed > 0 && now-old != addressed {
			return 0, fmt.Sprintf("%d addresses are taken and %d are planned", now-old, addressed)
		}
		copies := p.copiesIn(c.File)
		if copies > 0 {
			r.allow("Clone maps stdmaps \"maps\"")
		}
		if now, old := countOf("Clone", c.New), countOf("Clone", c.Old); now-old != copies {
			return 0, fmt.Sprintf("%d copies are made and %d are planned", now-old, copies)
		}
		if len(r.lost) > 0 {
			r.loseImports(c.Old)
		}
		for _, q := range qualifiers(c.New) {
			r.allow(q)
		}
		old, err := p.hoisted(c)
		if err != nil {
			return 0, err.Error()
		}
		if old, err = p.looped(c, old); err != nil {
			return 0, err.Error()
		}
		return r.compare(old, tokensOf(c.New))
	})
}

// copiesIn returns how many copies are to be let out in a file that maps.Clone makes.
func (p *proof) copiesIn(file string) int {
	n := 0
	for _, m := range p.plan.Mends {
		for _, c := range m.Copies {
			if c.File == file && c.Loop == nil {
				n++
			}
		}
	}
	for _, s := range p.hoistsIn(file) {
		if s.Clone {
			n++
		}
	}
	return n
}

// addressedIn returns of how many literals the address is to be taken in a file, those of new mutexes included.
func (p *proof) addressedIn(file string) int {
	places := make(map[plan.Span]bool) // several maps may be under one mutex
	for _, m := range p.plan.Mends {
		for _, s := range m.Addressed {
			if s.File == file {
				places[s] = true
			}
		}
		if m.One != nil {
			for _, l := range m.One.Literals {
				if l.File == file && l.Value == "" {
					places[l.Span] = true
				}
			}
		}
	}
	return len(places)
}

// ampersands returns how often src takes an address, or has the other operator of that sign.
func ampersands(src []byte) int {
	n := 0
	for _, t := range tokensOf(src) {
		if t.tok == token.AND {
			n++
		}
	}
	return n
}

// countOf returns how often the identifier stands in src.
func countOf(name string, src []byte) int {
	n := 0
	for _, t := range tokensOf(src) {
		if t.tok == token.IDENT && t.text == name {
			n++
		}
	}
	return n
}

// rules say how the tokens of a file may change.
type rules struct {
	modes  map[int]string       // what an identifier becomes, a lock method or the name of a twin, by its offset
	words  map[string]bool      // identifiers and literals that may be new
	tokens map[token.Token]bool // other tokens that may be new
	lost   []plan.Span          // bytes whose tokens may be lost
	kept   []plan.Span          // parts of lost whose tokens may not
}

// allow lets the tokens of src be new.
func (r *rules) allow(src string) {
	for _, t := range tokensOf([]byte(src)) {
		r.words[t.text] = true
	}
}

// supply adds what literals get that are to set the one mutex of m.
func (r *rules) supply(m plan.Mend, file string) {
	if m.One == nil {
		return
	}
	for _, l := range m.One.Literals {
		if l.File == file {
			r.allow(m.Class.Field + " " + l.Value)
			for _, t := range []token.Token{token.COLON, token.COMMA, token.LBRACE, token.RBRACE} {
				r.tokens[t] = true
			}
		}
	}
}

// lower adds what a lowering changes: its operands stay, the rest of its place may go.
func (r *rules) lower(l plan.Lowering) {
	r.tokens[token.COMMA] = true
	r.lost = append(r.lost, l.Span)
	r.allow(l.Accessor + " " + l.Type)
	if l.Shape != plan.ShapeField {
		r.kept = append(r.kept, l.Args...)
	}
	r.kept = append(r.kept, l.Map)
	switch l.Shape {
	case plan.ShapeLiteral:
		if len(l.Args) == 0 && l.Type == "" {
			r.kept = slices.DeleteFunc(r.kept, func(s plan.Span) bool { return s == l.Map })
		}
		fallthrough
	case plan.ShapeVar:
		r.allow("m")
		for _, t := range []token.Token{token.LBRACE, token.RBRACE, token.COLON, token.ASSIGN} {
			r.tokens[t] = true
		}
	case plan.ShapeRenew, plan.ShapeOpAssign:
		r.allow("func _ bool return true 1 " + l.Name)
		for _, t := range []token.Token{token.LBRACE, token.RBRACE, token.FUNC, token.RETURN} {
			r.tokens[t] = true
		}
		for t := token.ADD; t <= token.AND_NOT; t++ { // + for +=
			r.tokens[t] = true
		}
		if l.Shape == plan.ShapeRenew {
			r.lost = append(r.lost, l.Old)
		}
	}
	for _, t := range tokensOf([]byte(l.Type)) {
		r.tokens[t.tok] = true
	}
}

// loseImports lets imports go that nothing mentions any more; whether it was those, TypeChecks tells.
func (r *rules) loseImports(src []byte) {
	f, err := parseFile(src)
	if err != nil {
		return
	}
	for _, d := range f.ast.Decls {
		if isImport(d) {
			r.lost = append(r.lost, plan.Span{Start: f.file.Offset(d.Pos()), End: f.file.Offset(d.End())})
		}
	}
}

// mayGo reports whether a token at offset may be lost. The innermost place that has it decides.
func (r *rules) mayGo(t tok) bool {
	if t.tok == token.COMMA && r.tokens[token.COMMA] {
		return true
	}
	best, may := -1, false
	for i, spans := range [][]plan.Span{r.lost, r.kept} {
		for _, s := range spans {
			if s.Start <= t.offset && t.offset < s.End && (best < 0 || s.End-s.Start <= best) {
				best, may = s.End-s.Start, i == 0
			}
		}
	}
	return may
}

// mayImport reports whether what a mend adds may mention the package at the path, which is quoted.
func mayImport(path string) bool { return path == `"sync"` || path == `"maps"` }

// qualifiers returns the names by which src imports what mends mention.
func qualifiers(src []byte) []string {
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.ImportsOnly)
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range f.Imports {
		if mayImport(s.Path.Value) && s.Name != nil {
			names = append(names, s.Name.Name)
		}
	}
	return names
}

// compare walks both lists and returns the offset in the new file and the reason of the first difference
// that the rules do not allow.
func (r *rules) compare(old, now []tok) (int, string) {
	i := 0
	for _, t := range now {
		stays := i // the next old token that may not go
		for stays < len(old) && r.mayGo(old[stays]) {
			stays++
		}
		if stays < len(old) && r.becomes(old[stays]) == t.text {
			i = stays + 1
			continue
		}
		if r.mayCome(t) {
			continue
		}
		for i < stays && r.becomes(old[i]) != t.text {
			i++
		}
		if i == stays {
			return t.offset, fmt.Sprintf("%q is new or out of order", t.text)
		}
		i++
	}
	for ; i < len(old); i++ {
		if !r.mayGo(old[i]) {
			return 0, fmt.Sprintf("%q is lost", old[i].text)
		}
	}
	return 0, ""
}

// becomes returns what an old token is to be.
func (r *rules) becomes(t tok) string {
	if to, ok := r.modes[t.offset]; ok {
		return to
	}
	return t.text
}

// mayCome reports whether t may be new.
func (r *rules) mayCome(t tok) bool {
	switch t.tok {
	case token.IDENT, token.STRING, token.VAR, token.IMPORT, token.INT:
		return r.words[t.text]
	}
	return r.tokens[t.tok]
}
