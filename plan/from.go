package plan

import (
	"slices"

	"mapmend/plan/access"
	"mapmend/plan/share"
)

// This file says what is to be called to get to a use as the program does.

// from returns Site.From of j.
func from(w *share.World, v share.Verdict, j share.Judged) []string {
	var out []string
	direct := true // nobody who calls the function of j holds a lock
	for _, e := range j.Entries {
		frames := inGoroutine(e.Frames())
		i := slices.IndexFunc(frames[:len(frames)-1], func(f share.Frame) bool { return len(f.Edge.At.Held) > 0 })
		direct = direct && i < 0
		key := frames[max(i, 0)].Func
		name := w.Bodies[key].Name
		if pkg := access.PackageOf(key); pkg != v.Var.Package {
			name += " of " + pkg
		}
		out = append(out, name)
	}
	if direct {
		return nil
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// inGoroutine returns those of frames, which lead to a use, that run in the goroutine of the last.
func inGoroutine(frames []share.Frame) []share.Frame {
	for i := len(frames) - 2; i >= 0; i-- {
		if edge := frames[i].Edge; edge.Start != "" || edge.Stored {
			return frames[i+1:]
		}
	}
	return frames
}

// both returns From of a use at the same place as a and b.
func both(a, b Site) []string {
	if len(a.From)+len(b.From) == 0 && a.Function == b.Function {
		return nil
	}
	all := slices.Concat(a.Callees(), b.Callees())
	slices.Sort(all)
	return slices.Compact(all)
}

// Callees returns what is to be called to get to s: From, or Function.
func (s Site) Callees() []string {
	if len(s.From) == 0 {
		return []string{s.Function}
	}
	return s.From
}
