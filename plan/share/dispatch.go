package share

import (
	"slices"
	"strings"

	"mapmend/plan/lockset"
)

// This file finds what a call through an interface calls: the methods of the types whose values become that interface
// in the loaded program.

// maxTargets bounds how many methods one call through an interface is followed to. An interface that more types
// become is one that everybody has, such as io.Writer, and says little about who calls whom.
const maxTargets = 6

// dispatch knows the methods behind interfaces.
type dispatch struct {
	methods map[[2]string][]string // keys of methods, by interface and name
	from    map[string][]string    // interfaces that become an interface
	lost    map[string]bool        // names of methods of which a call through an interface is not followed
}

func (d *dispatch) add(c lockset.Conversion) {
	if c.From != "" && !slices.Contains(d.from[c.Interface], c.From) {
		d.from[c.Interface] = append(d.from[c.Interface], c.From)
	}
	for _, m := range c.Methods {
		if of := [2]string{c.Interface, m.Name}; !slices.Contains(d.methods[of], m.Key) {
			d.methods[of] = append(d.methods[of], m.Key)
		}
	}
}

// targets returns the keys of the methods that a call of name through iface may call, or nil when there are too
// many.
func (d *dispatch) targets(iface, name string) []string {
	out := slices.Clone(d.methods[[2]string{iface, name}])
	for _, from := range d.from[iface] {
		for _, key := range d.methods[[2]string{from, name}] {
			if !slices.Contains(out, key) {
				out = append(out, key)
			}
		}
	}
	if len(out) > maxTargets {
		return nil
	}
	return out
}

// shows reports whether all calls through interfaces of the method b are followed: only its package can name it, and no
// interface has too many methods of that name. It is called after all that the program does was added.
func (d *dispatch) shows(b *lockset.Body) bool {
	name := b.Name[strings.LastIndexByte(b.Name, '.')+1:]
	return !isExported(name) && !d.lost[name]
}

// dispatched adds to the callers of methods the calls that b makes through interfaces.
func (w *World) dispatched(b *lockset.Body) {
	for _, name := range b.Lost {
		w.dispatch.lost[name] = true
	}
	for i := range b.Dispatches {
		d := &b.Dispatches[i]
		targets := w.dispatch.targets(d.Interface, d.Method)
		if targets == nil {
			w.dispatch.lost[d.Method] = true
		}
		for _, key := range targets {
			if w.Bodies[key] == nil {
				continue
			}
			e := d.Edge
			e.Callee, e.Dispatched = key, true
			w.callers[key] = append(w.callers[key], &e)
		}
	}
}
