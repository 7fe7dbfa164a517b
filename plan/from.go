package plan

import (
	"slices"

	"mapmend/plan/model"
	"mapmend/plan/share"
)

// This file says what is to be called to get to a use as the program does.

// from returns Site.From of j.
func from(w *share.World, v share.Verdict, j share.Judged) []string {
	var out []string
	for _, e := range j.Entries {
		key := outermostHolder(e.Frames())
		name := w.Bodies[key].Name
		if pkg := model.Package(key); pkg != v.Var.Package {
			name += " of " + pkg
		}
		out = append(out, name)
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) == 1 && out[0] == w.Bodies[j.Func].Name {
		return nil
	}
	return out
}

// outermostHolder returns the outermost of frames that holds a lock where it calls the next one, in the goroutine of the last; the last itself if
// none does.
func outermostHolder(frames []share.Frame) string {
	last := len(frames) - 1
	key := frames[last].Func
	for i := last - 1; i >= 0; i-- {
		edge := frames[i].Edge
		if edge.Start != "" || edge.Stored {
			break
		}
		if len(edge.At.Held) > 0 {
			key = frames[i].Func
		}
	}
	return key
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
