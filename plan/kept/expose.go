package kept

import (
	"go/token"
	"slices"
	"strings"

	"mapmend/plan/access"
)

// This file finds which places code outside of the program can reach: what escapes from the program, and where something
// may come from that nobody has seen. One leads to the other, since unknown code calls what it gets.

// expose finds what unknown code can get and put where.
func (k *Kept) expose() {
	for _, p := range slices.Clone(k.places) {
		if p == Outside || k.isOpenVariable(p) || k.isForeign(p) {
			k.markOpen(k.nodes[p])
			k.markEscaped(k.nodes[p])
		}
	}
	for key, sig := range k.sigs {
		boxed, _ := k.program.Boxed(key)
		for _, t := range sig.Places {
			if k.isOpen(t.Place) || boxed && t.Receiver {
				k.reach(t)
			}
		}
	}
	if lent, ok := k.nodes[Lent]; ok {
		k.lend(lent, make(map[int]bool))
	}
}

// reach notes that unknown code can reach t, a parameter or result of a function that it calls.
func (k *Kept) reach(t Typed) {
	if t.Both || !t.Result {
		k.markOpen(k.nodes[t.Place])
	}
	if t.Both || t.Result {
		k.markEscaped(k.nodes[t.Place])
	}
}

// markOpen notes that unknown code can put something at n, and so wherever that flows.
func (k *Kept) markOpen(n int) {
	work := []int{n}
	for len(work) > 0 {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		if k.open[n] {
			continue
		}
		k.open[n] = true
		work = append(work, k.succ[n]...)
		for _, f := range k.calls[n] {
			s, isFunc := f.From.function()
			switch {
			case f.From.isOfCall():
				work = append(work, k.node(f.To))
			case isFunc:
				k.give(s)
			default:
				k.markEscaped(k.node(f.From))
			}
		}
	}
}

// markEscaped notes that unknown code can get what is kept at n, and so wherever that comes from.
func (k *Kept) markEscaped(n int) {
	work := []int{n}
	for len(work) > 0 {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		if k.escaped[n] {
			continue
		}
		k.escaped[n] = true
		work = append(work, k.pred[n]...)
		for s := range k.direct[n] {
			k.give(s)
		}
	}
}

// give notes that unknown code has s.
func (k *Kept) give(s source) {
	if k.pool[s.typ] == nil {
		k.pool[s.typ] = make(sources)
	}
	k.pool[s.typ][s] = true
	k.called(s.key)
}

// called notes that unknown code calls the function key.
func (k *Kept) called(key string) {
	sig := k.sigs[key]
	if k.opened[key] || sig == nil {
		return
	}
	k.opened[key] = true
	for _, t := range sig.Places {
		k.reach(t)
	}
}

// lend notes that unknown code calls what is lent.
func (k *Kept) lend(n int, seen map[int]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	for s := range k.direct[n] {
		k.called(s.key)
	}
	for _, m := range k.pred[n] {
		k.lend(m, seen)
	}
}

// isOpenVariable reports whether p is a field or package variable that code which was not seen can reach.
func (k *Kept) isOpenVariable(p Place) bool {
	_, ok := p.variable()
	return ok && k.isOpen(p)
}

// isForeign reports whether p is a parameter or result of a function without a body.
func (k *Kept) isForeign(p Place) bool {
	key, _, ok := p.Param()
	if !ok {
		key, _, ok = p.result()
	}
	return ok && k.sigs[key] == nil
}

// isOpen reports whether code that was not seen can reach the place p by itself.
func (k *Kept) isOpen(p Place) bool {
	if name, ok := p.variable(); ok {
		path := access.PackageOf(name)
		exported := token.IsExported(name[strings.LastIndexByte(name, '.')+1:])
		return path == "" || !k.program.Own(path) || k.unsafe[path] || k.bared[p] || exported && k.program.Open(path)
	}
	key, _, ok := p.Param()
	if !ok {
		key, _, ok = p.result()
	}
	if !ok {
		return p == Outside
	}
	path := access.PackageOf(key)
	name := key[strings.LastIndexByte(key, '.')+1:]
	_, foreign := k.program.Boxed(key)
	return !k.program.Own(path) || k.unsafe[path] || foreign || k.program.Open(path) && token.IsExported(name) && !strings.Contains(name, "$")
}
