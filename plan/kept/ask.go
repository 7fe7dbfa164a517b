package kept

import (
	"maps"
	"slices"
)

// This file answers which functions a call may reach.

// Open reports whether functions may be kept at p that nothing of the program put there.
func (k *Kept) Open(p Place) bool {
	if p == Anywhere {
		return true
	}
	if k.program.Blind {
		_, _, isParam := p.Param()
		_, isFunc := p.function()
		return !isParam && !isFunc
	}
	if n, ok := k.nodes[p]; ok {
		return k.open[n]
	}
	return k.isOpen(p)
}

// Has reports whether the function key may be kept at p as a value of type t, which may be [AnyType]. Of an open place and
// AnyType it only knows what the program puts there.
func (k *Kept) Has(p Place, t, key string) bool {
	if f, ok := p.function(); ok {
		return f.key == key
	}
	if k.program.Blind || p == Anywhere {
		return k.hasAs(func(typ string) sources { return k.all[typ] }, key, t)
	}
	if n, ok := k.nodes[p]; ok && t == AnyType {
		for s := range k.direct[n] {
			if s.key == key {
				return true
			}
		}
	} else if ok && k.hasAs(func(string) sources { return k.direct[n] }, key, t) {
		return true
	}
	return t != AnyType && k.Open(p) && k.hasAs(func(typ string) sources { return k.pool[typ] }, key, t)
}

// hasAs reports whether the function key is among the sources of a type that a value of type t may be of.
func (k *Kept) hasAs(of func(typ string) sources, key, t string) bool {
	return has(of(t), key, t) || slices.ContainsFunc(k.vague, func(typ string) bool { return mayBe(typ, t) && has(of(typ), key, typ) })
}

func has(srcs sources, key, t string) bool {
	return srcs[source{key: key, typ: t}] || srcs[source{key: key, typ: t, bound: true}]
}

// At returns the functions that may be kept at p as values of type t, as [Kept.Has] knows them.
func (k *Kept) At(p Place, t string) []string { return k.at(p, t, false) }

// Unbound returns those of At to which a call passes all arguments: none is a method that has its receiver already.
func (k *Kept) Unbound(p Place, t string) []string { return k.at(p, t, true) }

func (k *Kept) at(p Place, t string, unbound bool) []string {
	if f, ok := p.function(); ok {
		if f.bound && unbound {
			return nil
		}
		return []string{f.key}
	}
	var out []string
	add := func(srcs sources) {
		for s := range srcs {
			if mayBe(s.typ, t) && !(s.bound && unbound) {
				out = append(out, s.key)
			}
		}
	}
	n, known := k.nodes[p]
	switch {
	case k.program.Blind || p == Anywhere:
		add(k.all[t])
		for _, typ := range k.vague {
			add(k.all[typ])
		}
	default:
		if known {
			add(k.direct[n])
		}
		if t != AnyType && k.Open(p) {
			add(k.pool[t])
			for _, typ := range k.vague {
				add(k.pool[typ])
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// IsValue reports whether the function key is kept anywhere.
func (k *Kept) IsValue(key string) bool { return k.values[key] }

// All returns the functions that are kept anywhere.
func (k *Kept) All() []string { return slices.Sorted(maps.Keys(k.values)) }

// Names returns the names that source must mention to put a function where what is kept at p comes from: those of
// fields, package variables, functions and methods.
func (k *Kept) Names(p Place) []Name {
	n, ok := k.nodes[p]
	if !ok {
		name, _ := p.name()
		return []Name{name}
	}
	seen := map[int]bool{n: true}
	var out []Name
	for work := []int{n}; len(work) > 0; {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		if name, ok := k.places[n].name(); ok && !slices.Contains(out, name) {
			out = append(out, name)
		}
		for _, m := range k.pred[n] {
			if !seen[m] {
				seen[m] = true
				work = append(work, m)
			}
		}
	}
	return out
}
